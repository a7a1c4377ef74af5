"""The development cases and the case tables of every pack: each line is a comment and how it must be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from livecommerce.comments import CatalogueIndex, Reason, parse
from livecommerce.comments.scoring import answer, indexes, score
from tests.comments import comment_table as table

HERE = Path(__file__).parent
CATALOGS = json.loads((HERE / "catalogs.json").read_text(encoding="utf-8"))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


CASES = read(HERE / "cases.jsonl")
# Rounds were written from the contract without sight of the parser. How many of a round are exact may only grow; the
# figures of their first runs are on the page of the room.
ROUNDS = {
    "first_east": 354,
    "first_south": 387,
    "second": 296,
    "third": 297,
    "fourth": 693,
    "fifth": 415,
    "sixth": 546,
    "traps_second": 322,
    "development": 327,
    "development_second": 607,
    "development_third": 380,
    "traps": 562,
}
TABLES = sorted((HERE / "tables").glob("*.tsv"))


@pytest.fixture(scope="module", name="catalogs")
def _catalogs() -> dict[str, CatalogueIndex]:
    return indexes(CATALOGS)


def test_the_development_cases_are_all_read_as_written(catalogs: dict[str, CatalogueIndex]) -> None:
    result = score(CASES, catalogs)
    assert result.groups["all"].cases == len(CASES) > 300
    assert not result.failures, "\n".join(result.failures)


def test_the_second_set_of_cases_is_all_read_as_written(catalogs: dict[str, CatalogueIndex]) -> None:
    result = score(read(HERE / "cases2.jsonl"), catalogs)
    assert result.groups["all"].cases > 400
    assert not result.failures, "\n".join(result.failures)


@pytest.mark.parametrize("name", ROUNDS)
def test_a_round_of_fresh_cases_invents_no_order_and_loses_none_that_was_read(
    name: str, catalogs: dict[str, CatalogueIndex]
) -> None:
    result = score(read(HERE / "rounds" / f"{name}.jsonl"), catalogs)
    assert result.groups["all"].false_orders == 0, "\n".join(it for it in result.failures if it.startswith("FALSE"))
    assert result.groups["all"].exact >= ROUNDS[name], "\n".join(result.failures)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_line_of_the_table(path: Path, catalogs: dict[str, CatalogueIndex]) -> None:
    wrong: list[str] = []
    for case in table.cases(path):
        verdict = parse(case.text, catalogs[case.catalog], case.packs, case.pinned)
        got = table.written(verdict)
        if got not in map(table.same, case.answers):
            wrong.append(
                f"{case.text!r} pinned={case.pinned}: wanted {case.answers}, got {got} ({verdict.reason.value})"
            )
    assert not wrong, "\n".join(wrong)


def test_every_pack_has_a_table_of_its_own() -> None:
    assert {"zh-TW", "zh-CN", "en", "th", "fil", "vi", "ko"} <= {path.stem for path in TABLES}


def test_intents_stand_only_with_order_and_change(catalogs: dict[str, CatalogueIndex]) -> None:
    for case in CASES:
        verdict = parse(case["text"], catalogs[case["catalog"]], case["packs"], case["pinned"])
        assert bool(verdict.intents) == (verdict.verdict in ("order", "change"))
        assert not verdict.guess or verdict.verdict in ("unclear", "question")


def test_the_answer_has_the_shape_of_the_contract(catalogs: dict[str, CatalogueIndex]) -> None:
    verdict = parse("A01紅換黑", catalogs["apparel"], ["zh-TW"], None)
    assert json.loads(json.dumps(answer(verdict))) == {
        "verdict": "change",
        "intents": [{"do": "swap", "code": "A01", "options": ["紅色"], "to_code": "A01", "to_options": ["黑色"]}],
        "reason": "change",
    }


def test_every_reason_is_explained_on_the_page_of_the_room() -> None:
    page = (HERE.parent.parent / "docs" / "comments.md").read_text(encoding="utf-8")
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in page] == []
