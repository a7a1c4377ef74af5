"""A word that a moderator teaches is the shop's, once, whoever else teaches at the same moment."""

from __future__ import annotations

import asyncio

from livecommerce.shows.decision import Alias
from livecommerce.shows.learning import learn
from livecommerce.shows.store import ShowStore
from tests.shows.world import SHOP, SHOW


async def test_words_taught_at_the_same_moment_are_all_kept(store: ShowStore) -> None:
    state = await store.load(SHOW)
    told = await asyncio.gather(*(learn(store, state, Alias(f"那一件{number}", "A02")) for number in range(4)))
    assert all(outcome["remembered"] for outcome in told)
    assert len((await store.shop_words(SHOP)).words.aliases) == 4


async def test_what_is_not_learned_and_why(store: ShowStore) -> None:
    state = await store.load(SHOW)
    assert (await learn(store, state, Alias("那一件衣", "A02")))["remembered"]
    assert await learn(store, state, Alias("那一件衣", "A02")) == {"remembered": True, "not_remembered": "known"}
    for word, code, why in (("那一件衣", "A01", "taken"), ("x", "A01", "length"), ("襪子", "A01", "clash")):
        assert await learn(store, state, Alias(word, code)) == {"remembered": False, "not_remembered": why}
