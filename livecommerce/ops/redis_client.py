"""The one way to make a Valkey/Redis client: bounded timeouts, retries that outlast a restart, health checks; of one
server, or of all nodes of a cluster.

Every write of the rooms is idempotent by its id, so repeating a command whose answer was lost is safe; that is why
retrying on connection errors is right here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, TimeoutError

CONNECT_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 10.0  # an FCALL of 256 operations takes milliseconds; a stalled disk may take seconds
HEALTH_CHECK_SECONDS = 15
RETRIES = 14  # 0.02 … 1 s with jitter: about 8 s in all. A killed embedded Valkey is back in under 2 s
BACKOFF_FIRST_SECONDS = 0.02
BACKOFF_LAST_SECONDS = 1.0
CONNECTIONS_MAX = 64  # of one lane of a process: batches share few connections, blocking readers take one each
CLUSTER_CONNECTIONS_MAX = 1_000  # to each node: redis-py has no pool for a cluster that waits
# For a free connection: thousands of joins in a second take turns; past it the caller is refused by number (6001).
WAIT_SECONDS_MAX = 5.0


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
        "health_check_interval": HEALTH_CHECK_SECONDS,
        "retry": Retry(ExponentialWithJitterBackoff(cap=BACKOFF_LAST_SECONDS, base=BACKOFF_FIRST_SECONDS), RETRIES),
        "max_connections": CONNECTIONS_MAX,
        "client_name": "livecommerce",
    }


async def connect_store(url: str) -> Redis:
    """As `connect`; where the server belongs to a cluster, a client of all its nodes. It has the same commands, as long
    as the keys of a command share a hash tag."""
    client = connect(url)
    try:
        found = await client.info("cluster")
    except RedisError:  # whoever needs it says so
        return client
    if not found.get("cluster_enabled"):
        return client
    await client.aclose()
    return cast("Redis", ClusterClient.from_url(url, **_options() | {"max_connections": CLUSTER_CONNECTIONS_MAX}))


def connect(url: str, *, blocking: bool = False) -> Redis:
    """A client for `url` (redis://, rediss:// or unix://).

    `blocking` readers (XREAD BLOCK, pub/sub) must not have an answer timeout: redis-py would raise it in mid-wait.
    More callers than CONNECTIONS_MAX wait for their turn instead of failing; each client is a lane of its own.
    """
    options = _options() | {"retry_on_error": [BusyLoadingError, ConnectionError, TimeoutError]}
    options |= {"socket_timeout": None} if blocking else {}
    pool = BlockingConnectionPool.from_url(url, timeout=WAIT_SECONDS_MAX, **options)
    return Redis.from_pool(pool)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def library_names(answer: Iterable[Any]) -> set[str]:
    """Names in a FUNCTION LIST answer: maps in RESP3, flat lists of pairs in RESP2, bytes or texts in both."""
    maps = (entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True)) for entry in answer)
    return {_text(value) for entry in maps for key, value in entry.items() if _text(key) == "library_name"}
