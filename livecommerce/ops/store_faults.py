"""What a person is told when Valkey/Redis refuses or does not answer. One place for all rooms that stand on it."""

from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisClusterException
from redis.exceptions import TimeoutError as RedisTimeoutError

from livecommerce.errors import StorageFull, Unavailable

FULL = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "CLOSED")
AWAY = ("LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MOVED")  # until a node has started, or a replica is voted in


def storage_error(error: Exception) -> Exception:
    """The numbered error behind a fault of the store; the fault itself where it is neither away nor full."""
    text = str(error)
    # redis-py takes the code off the words of some errors and makes a class of it
    if isinstance(error, OutOfMemoryError | ReadOnlyError) or text.startswith(FULL):
        return StorageFull(retry_after_ms=5_000)
    if isinstance(error, RedisConnectionError | RedisTimeoutError | RedisClusterException) or text.startswith(AWAY):
        return Unavailable(retry_after_ms=1_000)
    return error
