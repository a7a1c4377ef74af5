"""Fan-out to thousands of viewers: CPU and memory against python-socketio's emit, and the latency of the whole path."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from loadtest.children import Child, cores
from loadtest.crowd import TALK_SILENCE_SECONDS, crowd_process
from loadtest.fanout_server import SHOW, server_process

DELIVERY_SECONDS_MAX = 120.0
SOAK_JOIN_SECONDS_MAX = 480.0  # a busy machine may take its time: only what comes after counts
SOAK_STEPS = 60  # a sample each half minute of the real one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--viewers", type=int, default=2_000, help="of the CPU comparison (default 2000)")
    parser.add_argument("--latency-viewers", type=int, default=5_000, help="of the latency rounds (default 5000)")
    parser.add_argument("--soak-viewers", type=int, default=10_000, help="of the soak (default 10000)")
    parser.add_argument("--soak-minutes", type=float, default=0.5, help="length of the soak; 30 for the real one")
    parser.add_argument(
        "--stall-seconds", type=float, default=12.0, help="how long 1 %% do not read; 60 for the real one"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each CPU figure; medians are printed (default 5)")
    parser.add_argument("--only", default="", help="comma-separated parts: cpu,memory,latency,stall,resume,storm,soak")


class Pair:
    """A server and a crowd, each on its core."""

    def __init__(self, kind: str, *, hz: float = 20.0, deflate: bool = False) -> None:
        server_core, crowd_core = cores()
        self.server = Child(server_process, server_core, kind, hz)
        port = self.server.answer()
        options = {"show": SHOW, "deflate": deflate, "snapshot": kind == "ours"}
        self.crowd = Child(crowd_process, crowd_core, ("127.0.0.1", port), options)

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.crowd.close()
        self.server.close()

    def received(self, wanted: int) -> int:
        """Waits until the crowd has got so many frames."""
        total = 0
        until = time.monotonic() + DELIVERY_SECONDS_MAX
        while total < wanted and time.monotonic() < until:
            total += self.crowd.call("report")["received"]
            time.sleep(0.02)
        return total

    def cpu_per_line(self, viewers: int, ticks: int, lines: int) -> tuple[float, float]:
        """(µs of server CPU per delivered line, delivered lines a second of server CPU)."""
        self.crowd.call("report")
        before = self.server.call("cpu")
        frames = self.server.call("emit", ticks, lines) * viewers
        got = self.received(frames)
        spent = self.server.call("cpu") - before
        if got < frames * 0.99:
            raise RuntimeError(f"{got} of {frames} frames arrived")
        delivered = viewers * ticks * lines
        return spent / delivered * 1e6, delivered / spent


def median(values: list[float]) -> float:
    return round(statistics.median(values), 3)


def spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "min": round(min(values), 3), "max": round(max(values), 3)}


def measure_cpu(arguments: argparse.Namespace, figures: dict[str, Any]) -> None:
    viewers = arguments.viewers
    times: dict[str, dict[str, list[float]]] = {}
    rates: list[float] = []
    for kind, ticks in (("stock", 10), ("ours", 100)):
        with Pair(kind) as pair:
            joined = pair.crowd.call("join", viewers)
            if joined != viewers:
                raise RuntimeError(f"{joined} of {viewers} viewers came in")
            pair.cpu_per_line(viewers, 5, 1)  # warms caches and branch predictors up; not counted
            ones, tens = [], []
            for _ in range(arguments.rounds):
                ones.append(pair.cpu_per_line(viewers, ticks, 1)[0])
                microseconds, rate = pair.cpu_per_line(viewers, max(2, ticks // 5), 10)
                tens.append(microseconds)
                if kind == "ours":
                    rates.append(rate)
            times[kind] = {"one": ones, "ten": tens}
    figures["peer"] |= {
        "cpu_us_per_line": spread(times["stock"]["one"]),
        "cpu_us_per_line_ticked": spread(times["stock"]["ten"]),
    }
    figures["ours"] |= {
        "cpu_us_per_line": spread(times["ours"]["one"]),
        "cpu_us_per_line_ticked": spread(times["ours"]["ten"]),
        "deliveries_per_second_per_core": round(statistics.median(rates)),
    }
    figures["ratios"]["vs_stock_emit_cpu"] = round(median(times["stock"]["one"]) / median(times["ours"]["one"]), 2)
    figures["ratios"]["vs_stock_emit_cpu_ticked"] = round(
        median(times["stock"]["ten"]) / median(times["ours"]["ten"]), 2
    )


def measure_memory(arguments: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Memory of a viewer whose browser offers permessage-deflate, after some traffic."""
    used: dict[str, float] = {}
    for kind in ("stock", "ours"):
        with Pair(kind, deflate=True) as pair:
            pair.crowd.call("join", 100)
            pair.server.call("emit", 3, 1)
            before = pair.server.call("rss")
            pair.crowd.call("join", arguments.viewers)
            frames = pair.server.call("emit", 5, 1)
            pair.received(frames * (arguments.viewers + 100))
            used[kind] = (pair.server.call("rss") - before) / arguments.viewers
    figures["peer"]["kib_per_viewer"] = round(used["stock"], 1)
    figures["ours"]["kib_per_viewer"] = round(used["ours"], 1)
    figures["ratios"]["kib_per_viewer"] = round(used["stock"] / used["ours"], 2)


def measure_latency(arguments: argparse.Namespace, figures: dict[str, Any], parts: set[str]) -> None:
    """Comments go in by sockets and come out on sockets: publish → receive over all viewers."""
    viewers = arguments.latency_viewers
    with Pair("ours", hz=5.0) as pair:
        pair.crowd.call("join", viewers)
        pair.crowd.call("talk", 2.0, 200.0)
        if "latency" in parts or "stall" in parts:
            calm = timed(pair, 8.0)
            figures["ours"] |= {
                "p50_ms_publish_to_receive": calm["p50_ms"],
                "p99_ms_publish_to_receive": calm["p99_ms"],
                "p99_ms_publish_to_receive_read": calm["p99_ms_read"],
                "frame_interval_ms": calm["interval_ms"],
                "latency_viewers": viewers,
                "frame_gaps": calm["gaps"],
            }
        if "stall" in parts:
            measure_stall(arguments, figures, pair)
        if "resume" in parts:
            measure_resume(figures, pair)
        if "storm" in parts:
            before = timed(pair, 5.0)
            measure_storm(figures, pair, before)


def timed(pair: Pair, seconds: float) -> dict[str, Any]:
    pair.crowd.call("report")
    pair.crowd.call("sample", True)
    pair.crowd.call("talk", seconds, 200.0)
    report: dict[str, Any] = pair.crowd.call("report")
    pair.crowd.call("sample", False)
    return report


def measure_stall(arguments: argparse.Namespace, figures: dict[str, Any], pair: Pair) -> None:
    calm = timed(pair, arguments.stall_seconds)
    rss = pair.server.call("rss")
    stalled = pair.crowd.call("pause", 0.01)
    during = timed(pair, arguments.stall_seconds)
    grown = pair.server.call("rss") - rss
    pair.crowd.call("wake")
    pair.crowd.call("talk", 1.0, 0.0)
    figures["ours"] |= {
        "stall_viewers": stalled,
        "stall_seconds": arguments.stall_seconds,
        "stall_p99_ms": during["p99_ms"],
        "stall_calm_p99_ms": calm["p99_ms"],
        "stall_rss_kib": grown,
    }
    figures["ratios"]["stall_p99"] = round(during["p99_ms"] / calm["p99_ms"], 3)


def measure_resume(figures: dict[str, Any], pair: Pair) -> None:
    """All are cut at once while comments go on, and come back by offset."""
    pair.crowd.call("talk", 1.0, 0.0)
    log_before = len(pair.server.call("log_lines"))
    pair.crowd.call("keep", True)
    pair.crowd.call("talk", 2.0, 200.0)
    started = time.monotonic()
    back = pair.crowd.call("drop_all_and_return")
    seconds = time.monotonic() - started
    pair.crowd.call("talk", 2.0, 200.0)
    pair.crowd.call("talk", 1.0, 0.0)
    lines = pair.server.call("log_lines")[log_before:]
    found = pair.crowd.call("check_order", lines)
    pair.crowd.call("keep", False)
    figures["ours"] |= {
        "resumed": back,
        "resume_seconds": round(seconds, 2),
        "resume_gaps": found["gaps"],
        "resume_duplicates": found["duplicates"],
        "resume_reorderings": found["reorderings"],
        "resume_checked_lines": len(lines),
    }


def measure_storm(figures: dict[str, Any], pair: Pair, before: dict[str, Any]) -> None:
    """500 joins a second for 10 s, by a second crowd, while the first one talks and listens."""
    port = pair.server.call("address")
    newcomers = Child(crowd_process, cores()[1], ("127.0.0.1", port), {"show": SHOW, "deflate": True, "snapshot": True})
    try:
        newcomers.call("skip", 40_000)
        pair.crowd.call("report")
        pair.crowd.call("sample", True)
        newcomers.tell("join", 5_000, 500.0, 60.0)
        pair.crowd.call("talk", 10.0, 200.0)
        storm = pair.crowd.call("report")
        joined = newcomers.answer()
    finally:
        newcomers.close()
    figures["ours"] |= {"storm_joined": joined, "storm_p99_ms": storm["p99_ms"], "storm_calm_p99_ms": before["p99_ms"]}
    figures["ratios"]["storm_p99"] = round(storm["p99_ms"] / before["p99_ms"], 3)


def measure_soak(arguments: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Memory of a process with many viewers over time; the first sixth (5 of 30 minutes) is for settling."""
    seconds = arguments.soak_minutes * 60
    with Pair("ours", hz=5.0) as pair:
        joined = pair.crowd.call("join", arguments.soak_viewers, 0.0, SOAK_JOIN_SECONDS_MAX)
        if joined != arguments.soak_viewers:
            raise RuntimeError(f"{joined} of {arguments.soak_viewers} viewers came in")
        rss: list[int] = []
        pair.crowd.call("report")
        received = 0
        started = time.monotonic()
        for step in range(SOAK_STEPS):
            # From the clock, not from the sum of steps: talking ends with a moment of silence.
            left = started + seconds * (step + 1) / SOAK_STEPS - time.monotonic()
            pair.crowd.call("talk", max(0.1, left - TALK_SILENCE_SECONDS), 50.0)
            rss.append(pair.server.call("resident"))
            report = pair.crowd.call("report")
            received += report["received"]
            print(f"soak {time.monotonic() - started:6.0f} s  {rss[-1]} KiB  {report['viewers']} viewers", flush=True)
        took = time.monotonic() - started
    settled, later = rss[SOAK_STEPS // 6 - 1], rss[SOAK_STEPS // 6 :]
    figures["ours"] |= {
        "soak_viewers": joined,
        "soak_minutes": round(took / 60, 2),
        "soak_frames_per_viewer_and_second": round(received / joined / took, 2),
        "soak_rss_mib": [round(one / 1024, 1) for one in rss],
        "soak_rss_growth_percent": round(100 * (rss[-1] - settled) / settled, 2),
        "soak_rss_growth_percent_max": round(100 * (max(later) - settled) / settled, 2),
        "soak_lost_viewers": joined - report["viewers"],
    }


def environment() -> dict[str, Any]:
    names = ("python-socketio", "python-engineio", "aiohttp", "uvloop", "msgpack", "orjson")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "pinned": cores(),
        "versions": {name: importlib.metadata.version(name) for name in names},
        "load_average": os.getloadavg(),
    }


def main(arguments: argparse.Namespace) -> int:
    parts = set(filter(None, arguments.only.split(","))) or {
        "cpu",
        "memory",
        "latency",
        "stall",
        "resume",
        "storm",
        "soak",
    }
    figures: dict[str, Any] = {"environment": environment(), "peer": {}, "ours": {}, "ratios": {}}
    figures["peer"]["name"] = "python-socketio emit to a room"
    if "cpu" in parts:
        measure_cpu(arguments, figures)
    if "memory" in parts:
        measure_memory(arguments, figures)
    if parts & {"latency", "stall", "resume", "storm"}:
        measure_latency(arguments, figures, parts)
    if "soak" in parts:
        measure_soak(arguments, figures)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")
    return 0
