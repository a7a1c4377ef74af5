"""`livecommerce parse` as a program: a pipe in, a pipe out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-m", "livecommerce", "parse"]


def _asked(lines: list[str | bytes]) -> list[dict[str, Any]]:
    given = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    done = subprocess.run(
        [*COMMAND, "--catalogs", str(HERE / "catalogs.json")], input=given, capture_output=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def _line(text: str, **more: Any) -> str:
    return json.dumps({"text": text, "packs": ["zh-TW"], "catalog": "apparel", "pinned": None} | more)


def test_one_answer_a_line_in_order_and_bad_lines_answered_in_their_place() -> None:
    answers = _asked(
        [
            _line("A01 紅 M +2"),
            "this is not JSON",
            _line("取消", pinned="A12"),
            _line("A12+1", catalog="no such catalogue"),
            _line("A12+1", packs=["klingon"]),
            _line("A12+1", packs="zh-TW"),
            "[]",
            "null",
            '{"text": 5, "packs": [], "catalog": "apparel"}',
            b'{"text": "\xff\xfe"}',
            "[" * 100_000,
            '{"text": "\\ud800 A12+1", "packs": ["zh-TW"], "catalog": "apparel"}',
            _line("A01\nA12"),
            _line("A12+1"),
        ]
    )
    bad = {"verdict": "none", "intents": [], "reason": "bad_input"}
    assert answers[0] == {
        "verdict": "order",
        "intents": [{"do": "reserve", "code": "A01", "options": ["紅色", "M"], "qty": 2}],
        "reason": "order",
    }
    assert answers[2]["intents"] == [{"do": "cancel", "code": None, "options": []}]
    assert [place for place, answer in enumerate(answers) if answer == bad] == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert answers[12]["verdict"] == "unclear"
    assert answers[13]["verdict"] == "order"
    assert len(answers) == 14


def test_a_caller_may_ask_and_wait_for_each_answer() -> None:
    with subprocess.Popen(
        [*COMMAND, "--catalogs", str(HERE / "catalogs.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, verdict in (("A12+1", "order"), ("晚安", "none"), ("A12多少錢", "question")):
            process.stdin.write(_line(text).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["verdict"] == verdict
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_the_score_shows_rates_and_failures(tmp_path: Path) -> None:
    (tmp_path / "catalogs.json").write_bytes((HERE / "catalogs.json").read_bytes())
    right = {"text": "A12+1", "packs": ["zh-TW"], "catalog": "apparel", "pinned": None, "class": "plain"} | {
        "verdict": "order",
        "intents": [{"do": "reserve", "code": "A12", "options": [], "qty": 1}],
    }
    missed = right | {"text": "晚安", "class": "odd"}
    invented = right | {"verdict": "none", "intents": [], "class": "odd"}
    also_right = invented | {"or": [{"verdict": "order", "intents": right["intents"]}]}
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(json.dumps(case) + "\n" for case in (right, missed, invented, also_right)))
    done = subprocess.run([*COMMAND, "--score", str(cases)], capture_output=True, timeout=60, check=False)
    page = done.stdout.decode()
    assert done.returncode == 1
    assert page.split("\n")[1].split() == ["all", "4", "50.00", "25.00", "25.00"]
    assert "pack zh-TW" in page
    assert "class odd" in page
    assert "2 failures" in page
    assert "FALSE ORDER: 'A12+1'" in page
    assert "missed: '晚安'" in page


def test_the_development_cases_score_full_marks() -> None:
    done = subprocess.run(
        [*COMMAND, "--score", str(HERE / "cases.jsonl")], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert done.stdout.decode().split("\n")[1].split()[2:] == ["100.00", "0.00", "0.00"]


def test_a_file_that_cannot_be_used_is_named_and_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--catalogs", str(tmp_path / "gone.json")], capture_output=True, timeout=60, check=False, input=b""
    )
    assert done.returncode == 2
    assert b"gone.json" in done.stderr
    assert subprocess.run(COMMAND, capture_output=True, timeout=60, check=False, input=b"").returncode == 2
