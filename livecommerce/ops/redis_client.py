"""The one way to make a Valkey/Redis client: bounded timeouts, retries that outlast a restart, health checks.

Every write of the rooms is idempotent by its id, so repeating a command whose answer was lost is safe; that is why
retrying on connection errors is right here.
"""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError

CONNECT_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 10.0  # an FCALL of 256 operations takes milliseconds; a stalled disk may take seconds
HEALTH_CHECK_SECONDS = 15
RETRIES = 14  # 0.02 … 1 s with jitter: about 8 s in all. A killed embedded Valkey is back in under 2 s
BACKOFF_FIRST_SECONDS = 0.02
BACKOFF_LAST_SECONDS = 1.0
CONNECTIONS_MAX = 64  # of one process: batches share few connections, blocking readers take one each


def connect(url: str, *, blocking: bool = False) -> Redis:
    """A client for `url` (redis://, rediss:// or unix://).

    `blocking` readers (XREAD BLOCK, pub/sub) must not have an answer timeout: redis-py would raise it in mid-wait.
    """
    return Redis.from_url(
        url,
        protocol=3,
        socket_connect_timeout=CONNECT_SECONDS_MAX,
        socket_timeout=None if blocking else ANSWER_SECONDS_MAX,
        health_check_interval=HEALTH_CHECK_SECONDS,
        retry=Retry(ExponentialWithJitterBackoff(cap=BACKOFF_LAST_SECONDS, base=BACKOFF_FIRST_SECONDS), RETRIES),
        retry_on_error=[BusyLoadingError, ConnectionError, TimeoutError],
        max_connections=CONNECTIONS_MAX,
        client_name="livecommerce",
    )
