"""Fields of what is sent and kept: one order in Python and Lua, and older entries stay readable."""

from __future__ import annotations

import pytest

from livecommerce.stock.wire import (
    AnswerEffect,
    ClaimEffect,
    LineFields,
    OfferFields,
    Run,
    RunTemplate,
    ShowRun,
    SupplyEffect,
    TemplateFields,
    claim_effect,
    pack,
    run_template,
    runs_of,
)
from tests.stock.lua_tables import names

SIDES: dict[str, type[tuple[object, ...]]] = {
    "TEMPLATE": TemplateFields,
    "LINE": LineFields,
    "RUN": Run,
    "SHOW_RUN": ShowRun,
    "CLAIM_EFFECT": ClaimEffect,
    "ANSWER_EFFECT": AnswerEffect,
    "SUPPLY_EFFECT": SupplyEffect,
}


@pytest.mark.parametrize("table", SIDES)
def test_python_and_lua_have_the_same_order(table: str) -> None:
    assert names(table) == SIDES[table]._fields  # type: ignore[attr-defined]


def test_runs_stand_one_after_the_other() -> None:
    assert list(runs_of([])) == []
    assert list(runs_of([1, 3, 7, 20, 1, 5, 1, 9, 0, 2])) == [Run(1, 3, 7, 20, 1), Run(5, 1, 9, 0, 2)]


OFFER = pack(["A01/紅", 390, "TWD", "紅", "comment"])
TEMPLATE = TemplateFields(
    "reserve", "show", "comment", b"1234", seconds=900, lines=("A01/紅", 2, b"offer1", OFFER), product_limits=(3,)
)
TOLD = RunTemplate("show", "comment", b"1234", 900, "A01/紅", 2, b"offer1", 390, "TWD", "紅")
AGES = {
    "before product_limits": TEMPLATE[:17],
    "of this version": TEMPLATE,
    "of a later version": (*TEMPLATE, "more"),
}


@pytest.mark.parametrize("age", AGES)
def test_a_template_is_read_whatever_was_appended_since(age: str) -> None:
    assert run_template(pack(AGES[age])) == TOLD


def test_an_effect_of_a_later_version_is_read() -> None:
    told = [b"c", b"show", b"ann", b"id", b"A01", 1, b"offer1", 1, 2, 0, 0, 5, 900, b"reserve", b"id"]
    assert claim_effect([*told, b"more"]) == ClaimEffect(*told)  # type: ignore[arg-type]


def test_an_offer_has_its_fields() -> None:
    assert OfferFields._fields == ("item", "price", "currency", "text", "source")
