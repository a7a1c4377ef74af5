"""Whether a Valkey/Redis keeps what it acknowledges. Asked at the start of every role, by `check-config` and `doctor`.

Nothing acknowledged may be lost, so the server must write its append-only file, fsync it before it answers, and evict
nothing. Less is taken only where `redis.accept_loss` says how much: `second` (appendfsync everysec, or a provider that
does not tell) or `all` (no append-only file).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from livecommerce.errors import Unavailable
from livecommerce.ops.disk_guard import FSYNC_CLOSED, FSYNC_OPEN, LIMIT_CLOSED
from livecommerce.ops.errors import StoreUnsuitable
from livecommerce.ops.redaction import redact_text

VERSION_MIN = (7, 0)
LOSSES = ("none", "second", "all")  # each accepts what the ones before it do
_DENIED = ("NOAUTH", "WRONGPASS", "invalid username-password", "HELLO must be called", "Authentication required")


class StoreFacts(NamedTuple):
    """Of one server. `fsync` is empty where it does not tell (CONFIG is forbidden at many providers)."""

    product: str
    version: str
    role: str
    append_only: bool
    fsync: str
    policy: str
    node: str = ""
    replicas: int = 0  # that are online

    @property
    def loss(self) -> str:
        """What a crash of the machine may take: one of LOSSES."""
        if not self.append_only or self.fsync == "no":
            return "all"
        return "none" if self.fsync == "always" else "second"


def facts_of(info: Mapping[str, Any], fsync: str, node: str = "") -> StoreFacts:
    """Out of an INFO answer and `appendfsync`. A server that the disk guard has closed takes nothing that could be
    lost, and is opened with `always` again."""
    if str(info.get("maxmemory", 0)) == LIMIT_CLOSED and fsync == FSYNC_CLOSED:
        fsync = FSYNC_OPEN
    return StoreFacts(
        product="Valkey" if "valkey_version" in info else "Redis",
        version=str(info.get("valkey_version") or info.get("redis_version", "0")),
        role=str(info.get("role", "master")),
        append_only=str(info.get("aof_enabled", 0)) == "1",
        fsync=fsync,
        policy=str(info.get("maxmemory_policy", "noeviction")),
        node=node,
        replicas=replicas_online(info),
    )


def replicas_online(info: Mapping[str, Any]) -> int:
    """Of an INFO answer; one that still loads is none."""
    found = (info.get(f"slave{index}") for index in range(int(info.get("connected_slaves", 0))))
    return sum(1 for one in found if isinstance(one, Mapping) and one.get("state") == "online")


def replicas_lacking(everyone: Sequence[StoreFacts], wanted: int) -> str:
    """What is missing for `stock.replicas_wait`, in one sentence; empty when nothing is."""
    for facts in everyone:
        if facts.replicas < wanted:
            where = f" at {facts.node}" if facts.node else ""
            return (
                f"{facts.product}{where} has {facts.replicas} replicas online and stock.replicas_wait is {wanted}: no "
                "order is confirmed (error 6004)"
            )
    return ""


def version_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def breaches(facts: StoreFacts, accept_loss: str) -> list[str]:
    """Why this server may not hold the shop, one sentence each with what to do; empty when it may."""
    name = f"{facts.product} {facts.version}{f' at {facts.node}' if facts.node else ''}"
    found = []
    if version_numbers(facts.version) < VERSION_MIN:
        found.append(f"{name}: 7.0 or newer is needed for functions.")
    if facts.role not in ("master", "primary"):
        found.append(f"{name} is a {facts.role}: redis.url must lead to the primary, for we write.")
    if facts.policy != "noeviction":
        found.append(f"{name}: maxmemory-policy is {facts.policy}: it would forget stock. Set it to noeviction.")
    if LOSSES.index(facts.loss) > LOSSES.index(accept_loss):
        found.append(f"{name}: {loss_words(facts)} Or accept it: redis.accept_loss={facts.loss}.")
    return found


def loss_words(facts: StoreFacts) -> str:
    """What is weak about its durability, and the mend."""
    if not facts.append_only:
        return "appendonly is no: a crash forgets what buyers were told. Set `appendonly yes`, `appendfsync always`."
    if not facts.fsync:
        return "it does not tell its appendfsync: a power cut may take the last second. Ask the provider for `always`."
    return f"appendfsync is {facts.fsync}: a power cut takes what buyers were told last. Set `appendfsync always`."


def denied(error: Exception) -> bool:
    """Whether the server refuses who we say we are: waiting cannot help."""
    if isinstance(error, AuthenticationError | NoPermissionError):
        return True
    return isinstance(error, RedisError) and any(word in str(error) for word in _DENIED)


async def read_facts(redis: Redis) -> list[StoreFacts]:
    """Of the server, or of every primary of a cluster.

    Raises:
        Unavailable: it does not answer.
    """
    try:
        if not isinstance(redis, RedisCluster):
            return [facts_of(await redis.info(), await _fsync(redis))]
        answers = await redis.info(target_nodes=RedisCluster.PRIMARIES)
        by_node = answers if all(isinstance(value, dict) for value in answers.values()) else {"": answers}
        fsync = await _fsync(redis)
        return [facts_of(info, fsync, str(node)) for node, info in by_node.items()]
    except (RedisError, OSError) as error:
        raise Unavailable(f"Valkey does not answer: {redact_text(str(error))}", retry_after_ms=1_000) from error


async def _fsync(redis: Redis) -> str:
    try:
        answer = await redis.config_get("appendfsync")
    except ResponseError:  # forbidden
        return ""
    return str(answer.get("appendfsync", ""))


async def check_promise(redis: Redis, accept_loss: str) -> list[str]:
    """What of the promise is given up by `redis.accept_loss`, one sentence each, for the log; empty when nothing is.

    Raises:
        StoreUnsuitable: it may lose more than is accepted, evicts, is too old or a replica.
        Unavailable: it does not answer.
    """
    everyone = await read_facts(redis)
    found = [words for facts in everyone for words in breaches(facts, accept_loss)]
    if found:
        raise StoreUnsuitable(" ".join(found))
    return accepted(everyone)


def accepted(everyone: Sequence[StoreFacts]) -> list[str]:
    return [loss_words(facts) for facts in everyone if facts.loss != "none"]
