"""`doctor` looks at Valkey/Redis: version, durability, eviction, libraries, clock skew."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from livecommerce.ops.findings import Finding, fail, ok, warn
from livecommerce.ops.redaction import redact_text
from livecommerce.ops.redis_client import library_names
from livecommerce.ops.store_promise import (
    LOSSES,
    VERSION_MIN,
    StoreFacts,
    denied,
    facts_of,
    loss_words,
    replicas_lacking,
)
from livecommerce.stock import keys

ANSWER_SECONDS_MAX = 3.0
SKEW_WARN_SECONDS = 0.5
SKEW_FAIL_SECONDS = 30.0
SHOP_AHEAD_WARN_SECONDS = 5.0  # what stock rides out
ROUND_TRIP_WARN_SECONDS = 0.01  # each batch of comments waits one round trip


def _config(client: Redis, name: str) -> str | None:
    """None where the provider forbids CONFIG."""
    try:
        answer: Any = client.config_get(name)
    except ResponseError:
        return None
    return str(answer.get(name, ""))


def valkey(
    url: str, libraries: Iterable[str], accept_loss: str = "none", *, replicas_wait: int = 0
) -> Iterator[Finding]:
    """`libraries` are the function libraries the rooms load at their start; `url` is where they look for them."""
    shown = redact_text(url)
    client: Redis = Redis.from_url(
        url, socket_timeout=ANSWER_SECONDS_MAX, socket_connect_timeout=ANSWER_SECONDS_MAX, decode_responses=True
    )
    try:
        info: Any = client.info()
        yield from _version(shown, info)
        facts = facts_of(info, _config(client, "appendfsync") or "")
        yield from _durability(facts, accept_loss)
        if lacking := replicas_lacking([facts], replicas_wait):
            yield fail("valkey replicas", lacking, "Start them, or lower LIVECOMMERCE_STOCK_REPLICAS_WAIT.")
        elif replicas_wait:
            yield ok("valkey replicas", f"{facts.replicas} online, {replicas_wait} are waited for")
        yield from _memory(client)
        yield from _libraries(client, libraries)
        yield from _clock(client)
        yield from _shop_times(client)
    except RedisError as error:
        if denied(error):
            advice = "Correct the user and password in LIVECOMMERCE_REDIS_URL: redis://user:password@host:6379/0."
            yield fail("valkey", f"{shown} does not let us in: {redact_text(str(error))}", advice)
            return
        advice = "Start it, or correct LIVECOMMERCE_REDIS_URL; empty means an embedded one."
        if url.startswith("unix://"):
            advice = "Look at its disk and its log (valkey.log); `livecommerce serve` starts it again by itself."
        yield fail("valkey", f"{shown}: {redact_text(str(error))}", advice)
    finally:
        client.close()


def _version(shown: str, info: dict[str, Any]) -> Iterator[Finding]:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version", "0"))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < VERSION_MIN:
        yield fail("valkey", f"{name} {version} at {shown}", "Functions and their durability need 7.0 or newer.")
    else:
        yield ok("valkey", f"{name} {version} at {shown}")
    if info.get("role") not in (None, "master"):
        yield fail("valkey", f"this is a {info['role']}", "Point LIVECOMMERCE_REDIS_URL at the primary: we write.")


def _durability(facts: StoreFacts, accept_loss: str) -> Iterator[Finding]:
    """The same rule by which a start is refused."""
    if facts.loss == "none":
        yield ok("valkey aof", "appendonly yes, appendfsync always")
    elif LOSSES.index(facts.loss) <= LOSSES.index(accept_loss):
        yield warn("valkey aof", f"accepted by redis.accept_loss={accept_loss}", loss_words(facts))
    else:
        advice = f"{loss_words(facts)} The server does not start on it; redis.accept_loss={facts.loss} would accept it."
        found = f"appendonly {'yes' if facts.append_only else 'no'}, appendfsync {facts.fsync or 'not told'}"
        yield fail("valkey aof", found, advice)


def _memory(client: Redis) -> Iterator[Finding]:
    policy, limit = _config(client, "maxmemory-policy"), _config(client, "maxmemory")
    if policy is None:
        return
    if policy != "noeviction":
        yield fail("valkey memory", f"maxmemory-policy {policy}", "It would forget stock. Set `noeviction`.")
    elif limit == "1":
        yield fail("valkey memory", "writes are closed, the disk is nearly full", "Free space; sales resume then.")
    else:
        amount = "no limit" if limit == "0" else f"{int(limit or 0) // 1024**2} MiB"
        yield ok("valkey memory", f"noeviction, {amount}")


def _libraries(client: Redis, wanted: Iterable[str]) -> Iterator[Finding]:
    answer: Any = client.function_list()
    missing = sorted(set(wanted) - library_names(answer))
    if missing:
        yield warn("valkey functions", f"not loaded: {', '.join(missing)}", "The server loads them when it starts.")
    else:
        yield ok("valkey functions", ", ".join(sorted(wanted)))


def _shop_times(client: Redis) -> Iterator[Finding]:
    """A shop whose time is ahead of the store's clock: one of both is wrong, or was."""
    seconds, _ = client.time()
    for key in client.scan_iter(match=keys.items("*"), count=1000):
        ahead = int(client.hget(key, keys.NOW) or 0) / 1000 - seconds
        if ahead > SHOP_AHEAD_WARN_SECONDS:
            found = f"{key} has seen a time {ahead:.0f} s ahead of Valkey's clock"
            advice = 'Set the clock by NTP; docs/operations.md, "A clock that was wrong".'
            yield warn("shop clock", found, advice)


def _clock(client: Redis) -> Iterator[Finding]:
    best, skew = 9.9, 0.0
    for _ in range(5):  # the shortest round trip gives the best estimate
        before = time.time()
        seconds, microseconds = client.time()
        after = time.time()
        if after - before < best:
            best, skew = after - before, seconds + microseconds / 1e6 - (before + after) / 2
    text = f"{abs(skew) * 1000:.0f} ms apart from ours, round trip {best * 1000:.1f} ms"
    if abs(skew) > SKEW_FAIL_SECONDS:
        yield fail("valkey clock", text, "Set both clocks by NTP: deadlines are told in Valkey's time.")
    elif abs(skew) > SKEW_WARN_SECONDS:
        yield warn("valkey clock", text, "Set both clocks by NTP.")
    elif best > ROUND_TRIP_WARN_SECONDS:
        yield warn("valkey clock", text, "Valkey is far away; every answer to a `+1` waits for it. Bring it nearer.")
    else:
        yield ok("valkey clock", text)
