"""Outcomes, states and limits: numbers that are stored, words that are told."""

from __future__ import annotations

import msgspec
import pytest

from livecommerce.stock.outcomes import (
    CLAIM_STATES,
    LIMIT_KINDS,
    OUTCOME_NUMBERS,
    RETRYABLE,
    LineAnswer,
    Outcome,
    limit_words,
)
from tests.stock.lua_tables import names, number


def test_lua_and_python_number_the_outcomes_alike() -> None:
    stored = names("OUTCOMES")
    assert [OUTCOME_NUMBERS[Outcome(name)] for name in stored] == list(range(1, len(stored) + 1))


def test_what_only_python_says_comes_after_what_is_stored() -> None:
    assert {outcome for outcome in Outcome if OUTCOME_NUMBERS[outcome] > len(names("OUTCOMES"))} == RETRYABLE


def test_lua_and_python_number_the_states_alike() -> None:
    assert names("STATES") == CLAIM_STATES
    for place, state in enumerate(CLAIM_STATES, start=1):
        assert number(state.upper()) == place


def test_lua_and_python_number_the_limits_alike() -> None:
    assert [number(f"OF_{kind.upper()}") for kind in LIMIT_KINDS] == [1, 2, 3, 4]


WORDS = {
    ("product", 2, 1): "Limit 2 a person of this product; you have 1.",
    ("show", 5, 4): "Limit 5 a person in this show; you have 4.",
    ("comment", 3, 0): "Limit 3 a comment.",
    ("unpaid", 2, 2): "Limit 2 unpaid at a time; you have 2.",
}


@pytest.mark.parametrize("limit", WORDS)
def test_a_limit_in_words(limit: tuple[str, int, int]) -> None:
    assert limit_words(*limit) == WORDS[limit]


def test_a_page_hears_of_limits_only_where_one_refused() -> None:
    line = LineAnswer("A01", Outcome.RESERVED, "A01#1", 1, 0, 1, 0, 5, 9)
    assert {"limit", "had"}.isdisjoint(msgspec.to_builtins(line))
    assert {"reserved", "waiting", "position"} <= set(msgspec.to_builtins(line)), "zeros of the others are told"
    refused = LineAnswer("A01", Outcome.OVER_LIMIT, None, 0, 0, 0, 0, 0, 9, 2, 1)
    assert msgspec.to_builtins(refused)["had"] == 1
