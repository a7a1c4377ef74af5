"""Whose show is it: what is remembered, and what is asked together."""

from __future__ import annotations

import asyncio

import pytest

from livecommerce.errors import ShowUnknown
from livecommerce.shows import lookups
from livecommerce.shows.lookups import Lookups


class Kept:
    """What the store would answer, and what it was asked."""

    def __init__(self, shows: dict[str, bytes]) -> None:
        self.shows = shows
        self.asked: list[list[str]] = []

    async def read(self, shows: list[str]) -> list[bytes | None]:
        self.asked.append(shows)
        return [self.shows.get(show) for show in shows]


async def test_what_is_asked_in_one_moment_is_one_question() -> None:
    kept = Kept({"a": b"north", "b": b"south"})
    shops = Lookups(kept.read)
    found = await asyncio.gather(*(shops.shop_of(show) for show in ("a", "b", "a")))
    assert found == ["north", "south", "north"]
    assert await shops.shop_of("a") == "north"
    assert sum(map(len, kept.asked)) == 2, "each once, and what was found is remembered"


async def test_a_memory_that_is_emptied_in_the_middle_of_an_answer_loses_no_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the memory full, the first shows of a batch were told that they do not exist."""
    monkeypatch.setattr(lookups, "KNOWN_MAX", 1)
    shops = Lookups(Kept({"a": b"north", "b": b"south", "c": b"west"}).read)
    found = await asyncio.gather(*(shops.shop_of(show) for show in ("a", "b", "c")))
    assert found == ["north", "south", "west"]


async def test_an_id_that_nobody_has_is_asked_for_once_a_moment() -> None:
    kept = Kept({})
    shops = Lookups(kept.read)
    for _ in range(3):
        with pytest.raises(ShowUnknown):
            await shops.shop_of("made-up")
    assert kept.asked == [["made-up"]]
    kept.shows["made-up"] = b"north"
    shops.is_made("made-up")
    assert await shops.shop_of("made-up") == "north"
