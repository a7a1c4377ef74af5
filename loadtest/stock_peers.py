"""What the stock engine is compared with: a trivial EVAL, the usual flash-sale script, a hot row in SQL."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from glob import glob
from pathlib import Path

import redis

from livecommerce.ops.valkey import EmbeddedValkey

Pinned = Callable[[int], AbstractContextManager[None]]

TRIVIAL = "return redis.call('decr',KEYS[1])"
# The script of flash-sale articles: duplicate check, stock check, DECR, SADD. No ids, no ledger, no expiry.
SECKILL = (
    "if redis.call('sismember',KEYS[2],ARGV[1])==1 then return 2 end "
    "local s=tonumber(redis.call('get',KEYS[1])) if not s or s<=0 then return 0 end "
    "redis.call('decr',KEYS[1]) redis.call('sadd',KEYS[2],ARGV[1]) return 1"
)
CALLS = 200_000
SQL_SECONDS = 1.5


def _benchmark(server: EmbeddedValkey, pinned: Pinned, *command: str) -> float:
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if program is None:
        raise SystemExit("redis-benchmark is needed (Debian: apt-get install redis-tools)")
    with pinned(1):
        done = subprocess.run(
            [program, "-s", str(server.socket), "-P", "64", "-n", str(CALLS), "-r", "100000000", "--csv", *command],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    # the last line is "<command>","<requests a second>", ...
    return float(re.findall(r'"([\d.]+)"', done.stdout.splitlines()[-1])[0])


def trivial_eval(server: EmbeddedValkey, pinned: Pinned) -> float:
    return _benchmark(server, pinned, "eval", TRIVIAL, "1", "stock")


def seckill_script(server: EmbeddedValkey, pinned: Pinned) -> float:
    with redis.Redis.from_url(server.url) as store:
        store.flushall()
        store.set("stock", CALLS * 2)
        found = _benchmark(server, pinned, "eval", SECKILL, "2", "stock", "buyers", "__rand_int__")
        sold = int(store.scard("buyers"))
        assert sold > CALLS * 0.9, "the peer must sell, not refuse"
        return found


def _sqlite() -> tuple[str, float]:
    """One conditional UPDATE a transaction, WAL, synchronous=FULL as an order needs it."""
    with tempfile.TemporaryDirectory(prefix="livecommerce-loadtest-") as folder:
        database = sqlite3.connect(Path(folder) / "stock.db", isolation_level=None)
        database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "CREATE TABLE stock(id INTEGER PRIMARY KEY, available INTEGER); INSERT INTO stock VALUES(1, 100000000);"
        )
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < SQL_SECONDS:
            database.execute("UPDATE stock SET available = available - 1 WHERE id = 1 AND available >= 1")
            done += 1
        elapsed = time.perf_counter() - start
        database.close()
    return f"SQLite {sqlite3.sqlite_version} WAL", done / elapsed


async def _postgres(folder: str, programs: Path) -> tuple[str, float]:
    import asyncpg  # type: ignore[import-untyped]  # an optional dependency without types

    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = f"{folder}/data"
    subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop yet
        [programs / "initdb", "-D", data, "-U", "bench", "-A", "trust"],
        check=True, capture_output=True, timeout=60, user=user,
    )  # fmt: skip
    server = subprocess.Popen(  # noqa: ASYNC220
        [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user,
    )  # fmt: skip
    try:
        for _ in range(100):  # a fresh cluster is up in about a second
            try:
                pool = await asyncpg.create_pool(host=folder, user="bench", database="postgres", min_size=8, max_size=8)
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
        else:
            raise OSError("PostgreSQL did not come up")
        await pool.execute("CREATE TABLE stock(id int PRIMARY KEY, available int)")
        await pool.execute("INSERT INTO stock VALUES(1, 100000000)")
        done, until = 0, time.perf_counter() + SQL_SECONDS

        async def buyer() -> None:
            nonlocal done
            async with pool.acquire() as connection:
                update = await connection.prepare(
                    "UPDATE stock SET available = available - 1 WHERE id = 1 AND available >= 1 RETURNING available"
                )
                while time.perf_counter() < until:
                    await update.fetchval()
                    done += 1

        await asyncio.gather(*(buyer() for _ in range(8)))
        version = await pool.fetchval("SHOW server_version")
        await pool.close()
        return f"PostgreSQL {version}, 8 connections", done / SQL_SECONDS
    finally:
        server.terminate()
        server.wait(20)


async def sql_hot_row() -> tuple[str, float]:
    """(what, updates a second) of one row that everybody wants: PostgreSQL where it is installed, else SQLite."""
    folders = sorted(glob("/usr/lib/postgresql/*/bin"))
    if folders and (Path(folders[-1]) / "initdb").exists():
        with tempfile.TemporaryDirectory(prefix="livecommerce-loadtest-", ignore_cleanup_errors=True) as folder:
            os.chmod(folder, 0o755)
            try:
                return await _postgres(folder, Path(folders[-1]))
            except (OSError, ImportError, subprocess.SubprocessError, LookupError) as error:
                print(f"PostgreSQL does not start here ({error}); SQLite instead")
    return await asyncio.to_thread(_sqlite)
