"""A web process of the two-process test: `python -m tests.realtime.gateway_process VALKEY_URL`; prints its address."""

from __future__ import annotations

import asyncio
import sys

from livecommerce.ops.redis_client import connect
from tests.realtime.world import serving


async def main(url: str) -> None:
    redis = connect(url)
    async with serving(redis, create=False) as world:
        print(world.url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
