"""A whole show at once: viewers, chatter and orders in a real mix, stock and counters. Counts what was answered, and
when; checks at the end that nothing was oversold and nothing acknowledged was lost."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from loadtest.fanout import Pair, environment

# What viewers write while a product is pinned: mostly chatter and questions, a quarter orders, some nobody understands.
MIX = (
    ["好漂亮", "主播早安", "哈哈哈", "這件有現貨嗎", "多少錢", "想看背面", "聲音好小", "666"] * 3
    + ["+1", "+1", "+2", "+1"]
    + ["A01+1", "A02+1", "A03+2", "A04+1"]
    + ["A01取消", "+1 好可愛 想要"]
)
# Orders by what became of them; what was no order is `other`.
KINDS = {
    "accepted": ["reserved", "partly", "waiting"],
    "rejected": [
        *("sold_out", "over_limit", "sales_closed", "not_live", "need_options", "reservation_unknown"),
        *("too_much", "slow_mode", "busy", "unavailable", "storage_full"),
    ],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--viewers", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--comments-per-second", type=float, default=200.0)
    parser.add_argument("--hz", type=float, default=10.0, help="ticks a second at most (default 10)")


def check(counters: dict[str, list[int]], reserved: dict[str, int]) -> dict[str, int]:
    """Broken promises: counters that do not add up, items below zero, pieces held by nobody or by too many."""
    broken = sum(1 for a, h, s, _, supplied in counters.values() if a + h + s != supplied)
    oversold = sum(1 for a, h, s, _, supplied in counters.values() if a < 0 or h + s > supplied)
    lost = sum(1 for sku, (_, held, sold, *_) in counters.items() if held + sold != reserved.get(sku, 0))
    return {"counters_broken": broken, "oversold": oversold, "claims_unlike_counters": lost}


def main(arguments: argparse.Namespace) -> int:
    figures: dict[str, Any] = {"environment": environment(), "ours": {}}
    with Pair("ours", hz=arguments.hz) as pair:
        joined = pair.crowd.call("join", arguments.viewers)
        pair.crowd.call("talk", 2.0, 20.0)
        pair.crowd.call("report")
        pair.crowd.call("sample", True)
        cpu = pair.server.call("cpu")
        pair.crowd.call("talk", arguments.seconds, arguments.comments_per_second, list(MIX) + [None] * 8)
        cpu = pair.server.call("cpu") - cpu
        answered = pair.crowd.call("answered", KINDS)
        report = pair.crowd.call("report")
        pair.crowd.call("talk", 1.0, 0.0)
        promises = check(pair.server.call("counters"), pair.server.call("reserved", joined))
        unanswered = pair.crowd.call("unanswered")
    figures["ours"] = {
        "viewers": joined,
        "comments": report["sent"],
        "comment_to_verdict": answered,
        "answers": {reason: one["count"] for reason, one in sorted(report["answers"].items())},
        "comment_to_screen": {"p50_ms": report["p50_ms"], "p99_ms": report["p99_ms"], "samples": report["samples"]},
        "frame_gaps": report["gaps"],
        "unanswered": unanswered,
        "server_cores": round(cpu / (arguments.seconds + 0.8), 3),
        **promises,
    }
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")
    bad = {name: figures["ours"][name] for name in (*promises, "unanswered", "frame_gaps") if figures["ours"][name]}
    if bad:
        print(f"NOT WELL: {bad}")
    return 1 if bad else 0
