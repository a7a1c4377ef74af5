"""A shop learns a word from a moderator's correction: for this show and the next one."""

from __future__ import annotations

import asyncio

from livecommerce.shows.catalogue import catalogue_index
from livecommerce.shows.decision import CONFLICTS_MAX, Alias, Told
from livecommerce.shows.shop_words import learned
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore


async def learn(store: ShowStore, state: State, alias: Alias) -> Told:
    """What became of it, for the outcome of the command: `remembered`, and why not.

    Raises:
        Unavailable, StorageFull.
    """
    shop, packs = state["show"]["shop"], tuple(state["show"]["packs"])
    for _ in range(CONFLICTS_MAX):
        kept = await store.shop_words(shop)
        index = await asyncio.to_thread(catalogue_index, state)
        change = learned(kept, alias.word, alias.code, index, packs)
        if isinstance(change, str):
            return {"remembered": change == "known", "not_remembered": change}
        if await store.put_shop_words(shop, kept.revision, change):
            return {"remembered": True, "alias": alias.word, "code": alias.code}
    return {"remembered": False, "not_remembered": "busy"}
