"""How fast comments are read: microseconds a comment on one core, over the cases and over random and hostile text.

The catalogue is filled up to 500 and to 10,000 items; time is this process's CPU time, so that neighbours do not count.
Each figure is the best of several rounds: the machine can only add to it.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import re
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from livecommerce.comments import VERSION, CatalogueIndex, ItemWords, kinds, parse
from livecommerce.comments.scoring import item_words

CASES: Final = Path(__file__).parent.parent / "tests" / "comments"
ROUNDS: Final = 25
RUNS_OF_ONE: Final = 7  # a neighbour on the core can only add time, so the least of a few runs is the text's own
TEXT_LENGTH: Final = 200
_LOOKED_FOR: Final = (kinds.ITEM, kinds.CLAIM)
SEED: Final = 20
_ALPHABET: Final = (
    "abcdefghijklmnopqrstuvwxyzAM0123456789012345+-*x ,.、\n?!~/:@$=#%_'()😀❤️➕①\u200b"
    "一二兩三十件個要不買取消改換紅黑白色包外套洋裝襪子多少錢嗎รับจองเอาแดงเขียวตัวค่ะไม่"
    "chốtđỏxanhhủyđổimineaồ원피스주세요개번취소로ㅋㅋ"
)
HOSTILE: Final = (
    *("A12+1", "A01", "+1", "1", "12", "+", "-", "1+", "1.", "1,", "0912-", "0", "a.", "a@", "@", "http://", "www."),
    *("1/", "1:", "$1", "1~", "，", "？", " ", "\n", "x1", "1x", "A12x2", "cf", "cfcf", "CFA12", "mine", "mine "),
    *(
        "不",
        "不要",
        "十",
        "一",
        "二十",
        "兩件",
        "紅",
        "紅M",
        "各1",
        "包色",
        "取消",
        "換",
        "改",
        "A01換",
        "和",
        "幫",
        "幫我",
    ),
    *("寄", "台北", "的", "哈", "商品", "商品1號", "sold ", "i want ", "don't ", "change ", "to ", "for ", "ship to "),
    *("รับ", "ค่ะ", "ไม่", "ๆ", "ะ", "chốt ", "không ", "1번", "1개", "주세요", "가", "ㅋ", "😀", "\u200b", "\u200d"),
    *("①", "А", "é", "e\u0301", "Ａ", "＋１", "aaaa", "ha", "5", "product ", "z0000"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this load test."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    parser.add_argument("--cases", type=Path, default=CASES, help="folder with cases.jsonl and catalogs.json")


def _filled(listed: Any, size: int) -> CatalogueIndex:
    items = item_words(listed)
    more = [
        ItemWords(f"Z{number:05d}", (f"商品{number}號", f"product {number}"), items[number % len(items)].options)
        for number in range(size - len(items))
    ]
    return CatalogueIndex.build([*items, *more])


def _best(work: Callable[[], None], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return best


def _mean_us(cases: list[dict[str, Any]], indexes: dict[str, CatalogueIndex]) -> float:
    """Mean over the cases, those of one show (catalogue and packs) after each other as a show has them."""
    ready = [(case["text"], indexes[case["catalog"]], tuple(case["packs"]), case["pinned"]) for case in cases]

    def work() -> None:
        for text, index, packs, pinned in ready:
            parse(text, index, packs, pinned)

    work()
    gc.collect()
    gc.freeze()
    return _best(work, ROUNDS) / len(ready) * 1e6


def _regex_us(cases: list[dict[str, Any]], indexes: dict[str, CatalogueIndex]) -> float:
    """The same comments searched for one alternation of the show's codes, names and claim words: what shops' own
    scripts do."""
    compiled: dict[tuple[str, tuple[str, ...]], re.Pattern[str]] = {}
    for case in cases:
        key = (case["catalog"], tuple(case["packs"]))
        if key not in compiled:
            words = indexes[key[0]].view(key[1]).words
            wanted = sorted((word for word, (kind, _) in words.items() if kind in _LOOKED_FOR), key=len, reverse=True)
            compiled[key] = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
    ready = [(compiled[case["catalog"], tuple(case["packs"])].search, case["text"]) for case in cases]

    def work() -> None:
        for search, text in ready:
            search(text)

    work()
    return _best(work, ROUNDS) / len(ready) * 1e6


def texts(seed: int) -> list[str]:
    """Random and hostile texts of 200 characters; the seed decides."""
    dice = random.Random(seed)
    made = [(piece * TEXT_LENGTH)[:TEXT_LENGTH] for piece in HOSTILE]
    made += ["".join(dice.choices(HOSTILE, k=TEXT_LENGTH))[:TEXT_LENGTH] for _ in range(150)]
    made += ["".join(dice.choices(_ALPHABET, k=TEXT_LENGTH)) for _ in range(150)]
    return made


def _worst_us(made: Iterable[str], index: CatalogueIndex, packs: tuple[str, ...]) -> tuple[float, float, str]:
    worst, worst_text, total, count = 0.0, "", 0.0, 0
    for text in made:
        took = min(_timed(text, index, packs) for _ in range(RUNS_OF_ONE))
        total += took
        count += 1
        if took > worst:
            worst, worst_text = took, text
    return worst, total / count, worst_text


def _timed(text: str, index: CatalogueIndex, packs: tuple[str, ...]) -> float:
    before = time.thread_time_ns()
    parse(text, index, packs, None)
    return (time.thread_time_ns() - before) / 1e3


def main(arguments: argparse.Namespace) -> int:
    """Print the figures; write them with --json."""
    listed = json.loads((arguments.cases / "catalogs.json").read_text(encoding="utf-8"))
    lines = (arguments.cases / "cases.jsonl").read_text(encoding="utf-8").split("\n")
    cases = [json.loads(line) for line in lines if line]
    cases.sort(key=lambda case: (case["catalog"], case["packs"]))
    small = {name: _filled(items, 500) for name, items in listed.items()}
    figures: dict[str, Any] = {"us_per_comment": _mean_us(cases, small)}
    large = {name: _filled(items, 10_000) for name, items in listed.items()}
    figures["us_per_comment_10000"] = _mean_us(cases, large)
    figures["us_plain_regex"] = _regex_us(cases, small)
    figures["vs_plain_regex"] = figures["us_per_comment"] / figures["us_plain_regex"]
    figures["vs_plain_regex_10000"] = figures["us_per_comment_10000"] / _regex_us(cases, large)
    made = texts(SEED)
    every = ("zh-TW", "zh-CN", "en", "th", "fil", "vi", "ko")
    found = [
        _worst_us(made, large[name], packs)
        for name, packs in (("apparel", ("zh-TW",)), ("sea", ("vi",)), ("sea", ("ko",)), ("sea", every))
    ]
    figures["us_worst"] = max(worst for worst, _, _ in found)
    medians = [
        min(_timed(case["text"], small[case["catalog"]], tuple(case["packs"])) for _ in range(RUNS_OF_ONE))
        for case in cases
    ]
    figures["us_median"] = statistics.median(medians)
    figures["worst_vs_median"] = figures["us_worst"] / figures["us_median"]
    figures["us_hostile_mean"] = sum(mean for _, mean, _ in found) / len(found)
    figures["worst_text"] = max(found)[2]
    figures |= {
        "cases": len(cases),
        "hostile_texts": len(made),
        "grammar": VERSION,
        "python": platform.python_version(),
    }
    for name, value in figures.items():
        print(f"{name:<22}{value:.2f}" if isinstance(value, float) else f"{name:<22}{value!r}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0
