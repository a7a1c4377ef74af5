"""Video to hundreds of viewers: one relay process on one core, its host and viewers on another, over loopback UDP.

Viewers complete ICE and DTLS and count packets. Peers of the comparison send the same packets in the same run: stock
aiortc (`RTCDtlsTransport._send_rtp`) and a C loop with EVP AES-GCM and UDP_SEGMENT. Janus, where installed, serves the
same stream to the same clients; Chromium, where installed, tells how old a picture is on the screen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvloop

from livecommerce.media.client.control import RelayControl
from livecommerce.media.compiled import compiled
from livecommerce.media.settings import Media
from livecommerce.media.transport.dtls import Identity
from loadtest import media_climb, media_glass, media_janus, media_send
from loadtest.media_peers import Crowd, run_host

PACKETS_PER_VIEWER_SECOND = 200
PROBES = 5
# Medians of so many windows.
STEADY_ROUNDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write the figures here")
    parser.add_argument("--viewers", type=int, default=500, help="viewers of the steady run (500)")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each of five steady windows (10)")
    parser.add_argument("--janus-viewers", type=int, default=120, help="viewers of the run with Janus (120)")
    parser.add_argument("--joins", type=int, default=200, help="joins of the slow and of the fast round (200)")


def _relay(path: str, core: int | None, ready: Any, stop: Any) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})
    from livecommerce.media.relay import RelayPlace, serve_relay

    async def go() -> None:
        local_stop = asyncio.Event()
        serving = asyncio.create_task(
            serve_relay(
                Media(host="127.0.0.1"),
                RelayPlace("load", path, 0),
                stop=local_stop,
                on_stream_event=lambda *_: None,
                on_ready=lambda _: ready.set(),
            )
        )
        while not stop.is_set() and not serving.done():
            await asyncio.sleep(0.1)
        local_stop.set()
        await serving

    # As the relay role runs.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(go())


def cpu_seconds(process_id: int) -> tuple[float, float]:
    """(user, system) time of a process and all its threads."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def resident_bytes(process_id: int) -> int:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)


async def _join_at(
    crowd: Crowd, control: RelayControl, identity: Identity, count: int, per_second: float, *, rests: bool = False
) -> None:
    loop = asyncio.get_running_loop()
    began, tasks = loop.time(), []
    for index in range(count):
        await asyncio.sleep(max(0.0, began + index / per_second - loop.time()))
        tasks.append(asyncio.create_task(crowd.join(control, identity, rests=rests)))
    await asyncio.gather(*tasks)


async def _storm(control: RelayControl, identity: Identity, count: int, per_second: float) -> dict[str, Any]:
    """Joins at a rate while probing viewers measure the forward delay."""
    probes, crowd = Crowd(), Crowd()
    for _ in range(PROBES):
        await probes.join(control, identity, is_probe=True)
    await asyncio.sleep(0.5)  # the replayed pictures of their own joins are old by design
    probes.delays_ms.clear()
    await _join_at(crowd, control, identity, count, per_second, rests=True)
    times = [joined.milliseconds for joined in crowd.joins if joined.milliseconds is not None]
    found = {
        "joins_per_second": per_second,
        "joins": count,
        "failed": sum(joined.milliseconds is None for joined in crowd.joins),
        "failure": next((joined.failure for joined in crowd.joins if joined.failure), ""),
        "join_ms_p50": _percentile(times, 0.5),
        "join_ms_p99": _percentile(times, 0.99),
        "forward_delay_ms_p50": _percentile(probes.delays_ms, 0.5),
        "forward_delay_ms_p99": _percentile(probes.delays_ms, 0.99),
    }
    await crowd.leave(control)
    await probes.leave(control)
    return found


async def _window(crowd: Crowd, control: RelayControl, relay: int, seconds: float) -> dict[str, Any]:
    """What the relay spends and sends within some seconds."""
    first = (await control.streams())["relay"]
    before_cpu, began = cpu_seconds(relay), time.monotonic()
    packets, octets = crowd.count(seconds)
    user, system = (after - then for after, then in zip(cpu_seconds(relay), before_cpu, strict=True))
    cpu, elapsed = user + system, time.monotonic() - began
    last = (await control.streams())["relay"]
    sent = last["packets_sent_total"] - first["packets_sent_total"]
    return {
        "seconds": round(elapsed, 2),
        "packets_sent": sent,
        "packets_counted": packets,
        "packets_refused": last["packets_refused_total"] - first["packets_refused_total"],
        "mbit_per_second": round(octets * 8e-6 / elapsed, 1),
        "packets_per_call": round(sent / (last["send_calls_total"] - first["send_calls_total"]), 2),
        "segmentation_offload": bool(last["segmentation_offload"]),
        "compiled_sending": bool(last["compiled_sending"]),
        "cpu_share": round(cpu / elapsed, 4),
        "kernel_share_of_cpu": round(system / cpu, 3) if cpu else None,
        "us_per_packet": round(cpu * 1e6 / sent, 3),
    }


async def _steady(
    control: RelayControl, identity: Identity, relay: int, before: int, viewers: int, seconds: float
) -> dict[str, Any]:
    """The reference load: CPU of the relay per packet it sent, the median window; `before` is its memory at first."""
    crowd = Crowd()
    await _join_at(crowd, control, identity, viewers, 50, rests=True)
    crowd.count(7.0)  # OpenSSL's part of the last joins is given back five seconds after them
    rounds = [await _window(crowd, control, relay, seconds) for _ in range(STEADY_ROUNDS)]
    found = sorted(rounds, key=lambda each: each["us_per_packet"])[STEADY_ROUNDS // 2]
    present = len(crowd.clients)
    found |= {
        "viewers": present,
        "failed": sum(joined.milliseconds is None for joined in crowd.joins),
        "failure": next((joined.failure for joined in crowd.joins if joined.failure), ""),
        "us_per_packet_rounds": [each["us_per_packet"] for each in rounds],
        "kib_per_viewer": round((resident_bytes(relay) - before) / 1024 / max(1, present), 1),
    }
    await crowd.leave(control)
    return found


def _cores() -> tuple[int | None, int | None]:
    """(the relay's core, everybody else's); no pinning on one core or where the system cannot."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


async def _rounds(arguments: argparse.Namespace, path: str, relay: int) -> dict[str, Any]:
    control, identity, before = RelayControl(path), Identity(), resident_bytes(relay)
    try:
        found = {
            "join_50": await _storm(control, identity, arguments.joins, 50),
            "join_200": await _storm(control, identity, arguments.joins, 200),
        }
        await asyncio.sleep(0.5)
        found["steady"] = await _steady(control, identity, relay, before, arguments.viewers, arguments.seconds)
        return found
    finally:
        await control.close()


def _serve_and_measure(arguments: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    relay_core, load_core = _cores()
    ready, live, stop = context.Event(), context.Event(), context.Event()
    with tempfile.TemporaryDirectory(prefix="media-load-", dir="/tmp") as folder:
        path = f"{folder}/relay.sock"
        relay = context.Process(target=_relay, args=(path, relay_core, ready, stop))
        host = context.Process(target=run_host, args=(path, load_core, live, stop))
        try:
            relay.start()
            if not ready.wait(20):
                raise RuntimeError("the relay did not start")
            host.start()
            if not live.wait(20):
                raise RuntimeError("the host did not connect")
            if load_core is not None:
                os.sched_setaffinity(0, {load_core})
            time.sleep(1.0)
            return asyncio.run(_rounds(arguments, path, relay.pid or 0))
        finally:
            stop.set()
            for process in (host, relay):
                if process.pid is not None:
                    process.join(10)
                    if process.is_alive():
                        process.kill()


def _compare() -> dict[str, Any]:
    """Costs a packet in this process on the relay's core, medians of three, taken in turns."""
    relay_core, _ = _cores()
    if relay_core is not None:
        os.sched_setaffinity(0, {relay_core})
    core = compiled.core()  # as the relay does; None where it sends by Python
    rounds = [
        (
            media_send.ours(1.5, core),
            media_send.ours(1.5, None),
            media_send.stock_aiortc(1.5),
            media_send.c_limit(1.5),
        )
        for _ in range(3)
    ]
    ours = statistics.median(each[0] for each in rounds)
    stock = statistics.median(each[2] for each in rounds)
    limits = [each[3][0] for each in rounds if each[3][0] is not None]
    limit = statistics.median(limits) if limits else None
    return {
        "ours_us": round(ours, 3),
        "ours_by": f"{'Python' if core is None else 'the compiled core'}: {compiled.find().by}",
        "ours_pure_python_us": round(statistics.median(each[1] for each in rounds), 3),
        "aiortc_us": round(stock, 3),
        "c_limit_us": None if limit is None else round(limit, 3),
        "c_limit_note": rounds[0][3][1],
        "vs_aiortc_send": round(stock / ours, 2),
        "vs_c_limit": None if limit is None else round(limit / ours, 3),
    }


def _against_janus(arguments: argparse.Namespace, viewers_per_core: float) -> tuple[dict[str, Any] | None, str]:
    """Janus with the same host stream and clients, on the relay's core: (figures with `ours_to_theirs`, note)."""
    relay_core, load_core = _cores()
    if load_core is not None:
        os.sched_setaffinity(0, {load_core})
    figures, note = media_janus.measure(relay_core, cpu_seconds, viewers=arguments.janus_viewers)
    if figures is not None:
        figures["ours_to_theirs"] = round(viewers_per_core / figures["viewers_per_core"], 2)
    return figures, note


def main(arguments: argparse.Namespace) -> int:
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    measured = _serve_and_measure(arguments)
    compared = _compare()
    cost = measured["steady"]["us_per_packet"]
    per_core = 1e6 / (cost * PACKETS_PER_VIEWER_SECOND)
    janus, janus_note = _against_janus(arguments, per_core)
    if affinity is not None:
        os.sched_setaffinity(0, affinity)
    glass, glass_note = media_glass.measure(_relay)
    climb, climb_note = media_climb.measure(_relay)
    figures: dict[str, Any] = {
        "us_per_packet": cost,
        "viewers_per_core": round(per_core),
        "viewers_per_core_safe": round(per_core * 0.6),
        "join_ms_p50": measured["join_50"]["join_ms_p50"],
        "join_ms_p99": measured["join_50"]["join_ms_p99"],
        "forward_delay_ms_p99": measured["join_200"]["forward_delay_ms_p99"],
        "kib_per_viewer": measured["steady"]["kib_per_viewer"],
        "ours": {
            "glass_to_glass_ms_p50": glass["glass_to_glass_ms_p50"] if glass else None,
            "seconds_to_2500_kbps": climb["seconds_to_2500_kbps"] if climb else None,
        },
        "ratios": {
            "vs_aiortc_send": compared["vs_aiortc_send"],
            "vs_c_limit": compared["vs_c_limit"],
            "vs_janus": janus["ours_to_theirs"] if janus else None,
        },
        "notes": {
            "vs_janus": janus_note,
            "vs_c_limit": compared["c_limit_note"],
            "glass_to_glass": glass_note,
            "climb": climb_note,
        },
        "send": compared,
        "janus": janus,
        "glass_to_glass": glass,
        "climb": climb,
        "rounds": measured,
        "environment": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "relay_core_and_load_core": _cores(),
            **{name: version(name) for name in ("aiortc", "cryptography", "pylibsrtp", "av", "uvloop")},
        },
    }
    print(json.dumps(figures, indent=2))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0
