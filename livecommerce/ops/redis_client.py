"""The one way to make a Valkey/Redis client: bounded timeouts, retries that outlast a restart, health checks; of one
server, or of all nodes of a cluster.

Every write of the rooms is idempotent by its id, so repeating a command whose answer was lost is safe; that is why
retrying on connection errors is right here.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, TimeoutError

from livecommerce.errors import Unavailable
from livecommerce.ops.redaction import redact_text
from livecommerce.ops.store_promise import denied
from livecommerce.settings import SettingsError

log = logging.getLogger(__name__)

CONNECT_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 3.0  # of one try: an FCALL of 256 operations takes milliseconds, a slow disk half a second
COMMAND_SECONDS_MAX = 5.0  # of all tries: longer than a killed embedded Valkey needs to come back
PERSON_SECONDS_MAX = 2.0  # the same where somebody looks at an empty page meanwhile: logins, who is staff
START_SECONDS_MAX = 10.0  # of waiting for a server at our own start; the supervisor starts us again
TELL_SECONDS = 2.0  # of silence before the log has it
RETRY_SECONDS = 0.2
HEALTH_CHECK_SECONDS = 15  # of readers that wait long; keeps their connection known to what is between
RETRIES = 14  # 0.02 … 1 s with jitter: about 8 s in all. A killed embedded Valkey is back in under 2 s
BACKOFF_FIRST_SECONDS = 0.02
BACKOFF_LAST_SECONDS = 1.0
CONNECTIONS_MAX = 64  # of one lane of a process: batches share few connections, blocking readers take one each
CLUSTER_CONNECTIONS_MAX = 1_000  # to each node: redis-py has no pool for a cluster that waits
# For a free connection: thousands of joins in a second take turns; past it the caller is refused by number (6001).
WAIT_SECONDS_MAX = 5.0
WAITS_MAX = 6  # while others are answered: a crowd is served in turn, however slow this process is


class ClusterClient(RedisCluster):
    """redis-py asks the server which arguments of an FCALL are keys, sending all; they stand behind their number."""

    async def _determine_slot(self, command: str, *args: Any) -> int:
        if command in ("FCALL", "FCALL_RO") and int(args[1]):
            return int(self.keyslot(args[2]))
        return int(await super()._determine_slot(command, *args))


def _options() -> dict[str, Any]:
    return {
        "protocol": 3,
        "socket_connect_timeout": CONNECT_SECONDS_MAX,
        "socket_timeout": ANSWER_SECONDS_MAX,
        # No PING before commands: it would wait as long for a dead connection as they do, and a server whose disk is
        # full refuses it (MISCONF) while it answers everything that is read.
        "health_check_interval": 0,
        "retry": Retry(ExponentialWithJitterBackoff(cap=BACKOFF_LAST_SECONDS, base=BACKOFF_FIRST_SECONDS), RETRIES),
        "max_connections": CONNECTIONS_MAX,
        "client_name": "livecommerce",
    }


class Turns:
    """Whoever came first has the first free connection. The pool's own waiting lets callers overtake who come in the
    moment in which one is given back: in a rush, some waited to the end of it, and were refused."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._answered = 0

    async def __aenter__(self) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            for _ in range(WAITS_MAX):
                answered = self._answered
                if (await asyncio.wait((turn,), timeout=WAIT_SECONDS_MAX))[0]:
                    return
                if self._answered == answered:  # nobody had an answer: it is the store, and not the crowd before us
                    break
        except asyncio.CancelledError:
            if turn.done():
                self._pass_on()
            raise
        finally:
            turn.cancel()
        raise ConnectionError(f"no connection was free within {WAIT_SECONDS_MAX:.0f} s")

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._answered += 1
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class _Bounded:
    """A command has one limit in all, however often it is tried: a stalled server must not hold a page for minutes."""

    seconds_max = COMMAND_SECONDS_MAX

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            async with asyncio.timeout(self.seconds_max):
                return await super().execute_command(*args, **options)  # type: ignore[misc]
        except builtins.TimeoutError as error:
            raise TimeoutError(f"no answer within {self.seconds_max:.0f} s") from error


class _BoundedPipeline(Pipeline):
    seconds_max = COMMAND_SECONDS_MAX
    turns: Turns

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with self.turns:
            try:
                async with asyncio.timeout(self.seconds_max):
                    return list(await super().execute(raise_on_error))
            except builtins.TimeoutError as error:
                raise TimeoutError(f"no answer within {self.seconds_max:.0f} s") from error


class StoreClient(_Bounded, Redis):  # type: ignore[misc]
    """Of one server. The limit of a command begins with its turn: a crowd that waits says nothing about the server."""

    turns: Turns

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with self.turns:
            return await super().execute_command(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        pipeline = _BoundedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.seconds_max, pipeline.turns = self.seconds_max, self.turns
        return pipeline


class StoreClusterClient(_Bounded, ClusterClient):  # type: ignore[misc]
    """All nodes of a cluster."""


async def connect_store(url: str, *, seconds_max: float = COMMAND_SECONDS_MAX) -> Redis:
    """As `connect`; where the server belongs to a cluster, a client of all its nodes. It has the same commands, as long
    as the keys of a command share a hash tag. A server that is away is waited for, a little, and said to be. A command
    has `seconds_max` in all.

    Raises:
        SettingsError: it refuses our name or password; trying again cannot help.
        Unavailable: it does not answer.
    """
    found = await _first_answer(url)
    if found.get("cluster_enabled"):
        options = _options() | {"max_connections": CLUSTER_CONNECTIONS_MAX}
        cluster = StoreClusterClient.from_url(url, **options)
        assert isinstance(cluster, StoreClusterClient)
        cluster.seconds_max = seconds_max
        return cast("Redis", cluster)
    client = connect(url)
    assert isinstance(client, StoreClient)
    client.seconds_max = seconds_max
    return client


async def ask_once(url: str) -> Mapping[str, Any]:
    """INFO of the server behind `url`, tried once.

    Raises:
        SettingsError: it refuses our name or password, or the address cannot be used.
        RedisError, OSError: it does not answer.
    """
    try:
        client = Redis.from_url(url, **_options() | {"retry": Retry(NoBackoff(), 0), "retry_on_error": []})
    except ValueError as error:
        raise SettingsError(f"redis.url: {error}") from error
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            return cast("Mapping[str, Any]", await client.info())
    except builtins.TimeoutError as error:
        raise TimeoutError(f"no answer within {CONNECT_SECONDS_MAX:.0f} s") from error
    except RedisError as error:
        if denied(error):
            raise SettingsError(
                f"redis.url: the Valkey/Redis at {address_shown(url)} does not let us in ({redact_text(str(error))}). "
                "Correct the user and password in LIVECOMMERCE_REDIS_URL: redis://user:password@host:6379/0."
            ) from error
        raise
    finally:
        await client.aclose()


async def _first_answer(url: str) -> Mapping[str, Any]:
    until, told = time.monotonic() + START_SECONDS_MAX, False
    silent_since = time.monotonic()
    while True:
        try:
            return await ask_once(url)
        except (RedisError, OSError) as error:
            now = time.monotonic()
            is_loading = isinstance(error, BusyLoadingError)
            if now > until and not is_loading:
                raise Unavailable(
                    f"Valkey does not answer at {address_shown(url)}: {redact_text(str(error))}", retry_after_ms=1_000
                ) from error
            if not told and now - silent_since > TELL_SECONDS:
                log.warning("Valkey does not answer yet at %s: %s", address_shown(url), redact_text(str(error)))
                told = True
        await asyncio.sleep(RETRY_SECONDS)


def address_shown(url: str) -> str:
    """Where it is, without the user and the password."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


def connect(url: str, *, blocking: bool = False) -> Redis:
    """A client for `url` (redis://, rediss:// or unix://).

    `blocking` readers (XREAD BLOCK, pub/sub) must not have an answer timeout: redis-py would raise it in mid-wait.
    More callers than CONNECTIONS_MAX wait for their turn instead of failing; each client is a lane of its own.
    """
    options = _options() | {"retry_on_error": [BusyLoadingError, ConnectionError, TimeoutError]}
    options |= {"socket_timeout": None, "health_check_interval": HEALTH_CHECK_SECONDS} if blocking else {}
    pool = BlockingConnectionPool.from_url(url, timeout=WAIT_SECONDS_MAX, **options)
    if blocking:
        return Redis.from_pool(pool)
    client = cast("StoreClient", StoreClient.from_pool(pool))
    client.turns = Turns(CONNECTIONS_MAX)
    return client


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def library_names(answer: Iterable[Any]) -> set[str]:
    """Names in a FUNCTION LIST answer: maps in RESP3, flat lists of pairs in RESP2, bytes or texts in both."""
    maps = (entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True)) for entry in answer)
    return {_text(value) for entry in maps for key, value in entry.items() if _text(key) == "library_name"}
