"""Which shows a relay carries at this moment: each relay says it for its own, anew every few seconds.

A relay that was killed, or whose machine is gone, tells nothing any more; its word simply ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from redis.asyncio import Redis

from livecommerce.media.client.directory import beating, relay_of_key

CARRIED_SECONDS = 10  # a word of a relay holds so long
TELL_SECONDS = 2.0


def _key(show: str) -> str:
    return f"lc:carried:{show}"


async def tell_carried(redis: Redis, relay_id: str, shows: Iterable[str]) -> None:
    for show in shows:
        await redis.set(_key(show), relay_id, ex=CARRIED_SECONDS)


async def carried(redis: Redis, shows: Sequence[str]) -> set[str]:
    """Those of `shows` that some relay carries, or may: one of an older version says nothing while it lives."""
    silent = {name for name, relay in (await beating(redis)).items() if not relay.tells_carried}
    found: set[str] = set()
    for show in shows:
        relay = await redis.get(relay_of_key(show)) if silent else None
        name = relay.decode() if isinstance(relay, bytes) else relay
        if name in silent or await redis.exists(_key(show)):
            found.add(show)
    return found
