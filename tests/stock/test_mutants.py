"""The classic mistakes of stock code, planted one by one in a copy of the Lua: the driver must find each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from tests.stock.driver import play_all
from tests.stock.machine import OFFER_SECONDS
from tests.stock.servers import clocked_library, engine_on, server

MISTAKES: dict[str, tuple[tuple[str, str], ...]] = {
    "the stock is decremented first and looked at later": (
        (
            'local free = entries == 0 and item.available - earlier(sofar, "taken", line.item) or 0',
            "local free = entries == 0 and item.available >= 0 and want or 0",
        ),
    ),
    "the short way does not look at the stock": (
        ("  local enough = math.min(last, from - 1 + math.floor(available / quantity))", "  local enough = last"),
        (" or item.available < parts.line.quantity then", " then"),
    ),
    "the same id is done again": (
        ("    if operation.id == id then\n      if operation.digest", "    if false then\n      if operation.digest"),
    ),
    "an id with other content gets the first answer": (
        (
            "      if operation.digest ~= template.digest then",
            "      if false then",
        ),
    ),
    "a second comment of a viewer in the batch is not seen": (("    strings[viewer] = record\n", ""),),
    "an expired hold does not give its units back": (
        (
            "local item = rules.finish(w, claim, EXPIRED)",
            "local item = rules.finish(w, claim, EXPIRED)\n      item.available = item.available - claim.held",
        ),
    ),
    "holds never expire": (("  ledger.expire_due(w)\n  batch.read", "  batch.read"),),
    "sold out is for ever: freed units serve nobody in line": (
        (
            "  while item.available > 0 and item.closed == 0 and item.entries > 0 do",
            "  while item.supplied < 0 do",
        ),
    ),
    "who comes later passes the line": (("local free = entries == 0 and ", "local free = "),),
    "the last piece is not sold": (
        ("math.floor(available / quantity))", "math.floor((available - 1) / quantity))"),
        (
            "or item.available < more then return OUTCOME.sold_out",
            "or item.available <= more then return OUTCOME.sold_out",
        ),
    ),
    "the lines of a comment are checked one by one": (
        ("    sofar.taken[line.item] = (sofar.taken[line.item] or 0) + grant\n", ""),
    ),
    "the limit does not count what the viewer has": (
        ("limit > 0 and more > 0 and had + more > limit", "limit > 0 and more > 0 and more > limit"),
    ),
    "the limit of a product is counted by option": (
        ("  add(has.product_all, claim.product, units)", "  add(has.product_all, claim.item, units)"),
    ),
    "what was given back in the call still counts against the limit": (
        (
            "  world.count(claim, -1)\n  if claim.waiting > 0 then\n    item.waiting",
            "  if claim.waiting > 0 then\n    item.waiting",
        ),
    ),
    "the limit of the line is not looked at": (("limits[index], template.per_item)", "0, template.per_item)"),),
    "a set is had in parts": (
        ("  if not template.fill_all or #template.lines == 1 then return nil end", "  do return nil end"),
    ),
    "the ledger misses a change": (
        (
            'local item = rules.finish(w, claim, CANCELLED)\n    events.changed(w, claim, "cancel"',
            "local item = rules.finish(w, claim, CANCELLED)\n    claim.record.changed = true\n    "
            'events.claim(w, claim, "cancel"',
        ),
    ),
    "a swap gives up the old claim when the new one fails": (
        (
            "item.available < line.quantity then return one(",
            "item.available < line.quantity then rules.finish(w, claim, CANCELLED) return one(",
        ),
    ),
    "a hold is extended as often as asked": (
        ("  if claim.flags >= EXTENDED then return", "  if false then return"),
        ("  claim.flags = claim.flags + EXTENDED\n", "  claim.flags = claim.flags % 2 + EXTENDED\n"),
    ),
    "an extended hold has no deadline": (
        (
            "  set_deadline(w, claim, math.max(kept_deadline(w, claim), w.now + template.seconds * 1000))\n",
            "  claim.deadline = math.max(kept_deadline(w, claim), w.now + template.seconds * 1000)\n",
        ),
    ),
    "somebody else's claim can be cancelled": (('if viewer ~= "" and owner ~= viewer then', "if false then"),),
}

SEEDS = range(40)  # all but one of the mistakes show within the first three
BATCHES = 40


@pytest.fixture(scope="module")
def quick_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    found = server("valkey", tmp_path_factory.mktemp("mutants"), fsync="off")
    found.start()
    yield found
    found.stop()


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_the_driver_finds(mistake: str, quick_server: EmbeddedValkey) -> None:
    store = Redis.from_url(quick_server.url)
    engine = engine_on(quick_server.url, library=clocked_library(*MISTAKES[mistake]), offer_seconds=OFFER_SECONDS)
    try:
        with pytest.raises(AssertionError):
            await play_all(SEEDS, engine, store, BATCHES)
    finally:
        await engine.close()
        await store.aclose()
