"""The shop's own words: what is taken, what is refused and why, and that neither side loses them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.site import COAT, MUG, Site

WORDS: dict[str, Any] = {
    "order": ["喊包"],
    "cancel": ["不玩了"],
    "ignore": ["玲玲姐"],
    "look_alikes": {"囗": "口"},
    "aliases": {"毛毛球": "A01"},
}


@pytest.fixture
async def shop(site: Site) -> Site:
    await site.login()
    for product in (COAT, MUG):
        assert (await site.ask("POST", "/api/products", product)).status == 201
    return site


async def test_words_are_kept_counted_and_noted(shop: Site) -> None:
    status, empty = await shop.told("GET", "/api/words")
    assert (status, empty["words"]["revision"], empty["words"]["aliases"]) == (200, 0, {})
    status, kept = await shop.told("PUT", "/api/words", {**WORDS, "revision": 0})
    assert (status, kept) == (200, {"words": {**WORDS, "revision": 1}, "warnings": []})
    assert (await shop.told("PUT", "/api/words", {**WORDS, "revision": 1}))[1]["words"]["revision"] == 1, "no change"
    assert (await shop.told("GET", "/api/words"))[1] == kept
    _, audit = await shop.told("GET", "/api/audit")
    entry = next(entry for entry in audit["audit"] if entry["do"] == "words_changed")
    assert entry["details"] == {"order": 1, "cancel": 1, "ignore": 1, "look_alikes": 1, "aliases": 1}


async def test_who_may(shop: Site) -> None:
    shop.leave()
    assert (await shop.ask("GET", "/api/words")).status == 401
    await shop.login("mei")
    assert (await shop.ask("PUT", "/api/words", WORDS)).status == 403
    await shop.login("host")
    assert (await shop.ask("PUT", "/api/words", WORDS)).status == 200
    await shop.login("rival")
    assert (await shop.told("GET", "/api/words"))[1]["words"]["order"] == [], "another shop has its own"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"order": ["A01"]}, "order", "a code"),
    ({"order": ["外套"]}, "order", "a name"),
    ({"ignore": ["紅"]}, "ignore", "an option"),
    ({"order": ["不要"]}, "order", "a word of the grammar"),
    ({"cancel": ["+1"]}, "cancel", "a sign and a number, not a word"),
    ({"ignore": ["12"]}, "ignore", "a number"),
    ({"order": [""]}, "order", "nothing"),
    ({"order": ["喊" * 21]}, "order", "too long"),
    ({"order": ["喊\n包"]}, "order", "a line break"),
    ({"order": [f"喊包{chr(0x4E00 + n)}" for n in range(201)]}, "order", "too many"),
    ({"order": ["喊包"], "cancel": ["喊包"]}, "cancel", "in two lists"),
    ({"look_alikes": {"囗囗": "口"}}, "look_alikes", "two characters"),
    ({"look_alikes": {"囗": "口口"}}, "look_alikes", "for two characters"),
    ({"look_alikes": {"A": "B"}}, "look_alikes", "a letter that codes have"),
    ({"look_alikes": {"外": "內"}}, "look_alikes", "a character that names have"),
    ({"aliases": {"毛毛球": "Z99"}}, "aliases", "of no product"),
    ({"aliases": {"馬克杯": "A01"}}, "aliases", "the name of another"),
    ({"aliases": {"B02": "A01"}}, "aliases", "the code of another"),
    ({"aliases": {"謝謝": "A01"}}, "aliases", "a word of the grammar"),
]


@pytest.mark.parametrize(("words", "field", "why"), REFUSED, ids=[why for *_, why in REFUSED])
async def test_what_would_be_misread_is_refused(shop: Site, words: dict[str, Any], field: str, why: str) -> None:
    status, shape = await shop.told("PUT", "/api/words", words)
    assert (status, shape["error"]["number"], shape["error"]["details"]["field"]) == (400, 1025, field), why
    assert (await shop.told("GET", "/api/words"))[1]["words"]["revision"] == 0


async def test_kept_words_stay_but_are_complained_about_when_the_catalogue_moves(shop: Site) -> None:
    await shop.ask("PUT", "/api/words", WORDS)
    await shop.ask("DELETE", "/api/products/A01")
    await shop.ask("POST", "/api/products", {"code": "C03", "names": ["玲玲姐"], "price_minor": 100})
    _, shape = await shop.told("GET", "/api/words")
    assert [(warning["word"], warning["why"]) for warning in shape["warnings"]] == [
        ("玲玲姐", "clash"),
        ("毛毛球 → A01", "no_product"),
    ]
    status, again = await shop.told("PUT", "/api/words", {**WORDS, "order": ["喊包", "喊單"]})
    assert (status, len(again["warnings"])) == (200, 2)
    status, less = await shop.told("PUT", "/api/words", {"order": ["喊包"]})
    assert (status, less["warnings"]) == (200, [])


async def test_words_that_the_grammar_has_learned_by_now_may_stand(shop: Site) -> None:
    status, kept = await shop.told(
        "PUT", "/api/words", {"order": ["登記", "喊包"], "cancel": ["取消"], "ignore": ["謝謝"]}
    )
    assert (status, kept["warnings"]) == (200, [])


async def test_two_at_once_do_not_overwrite_each_other(shop: Site) -> None:
    await shop.ask("PUT", "/api/words", {"order": ["喊包"], "revision": 0})
    assert await shop.refused("PUT", "/api/words", {"order": ["喊單"], "revision": 0}) == (409, 4044)
    answers = await asyncio.gather(
        *(shop.ask("PUT", "/api/words", {"order": [f"喊{sign}"], "revision": 1}) for sign in "甲乙丙")
    )
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
