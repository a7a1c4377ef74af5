"""A limit per viewer counts the pieces of one product over all its options, however they were claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import (
    Cancel,
    Confirm,
    Extend,
    Limits,
    Line,
    Operation,
    Reduce,
    Release,
    Reserve,
    Restock,
    SetQuantity,
    Swap,
)
from livecommerce.stock.outcomes import Answer
from livecommerce.stock.rebuild import rebuild, verify
from tests.stock.servers import CLOCK, OTHER_SHOW, SHOP, SHOW

RED, BLUE, MUG = "A01/紅", "A01/藍", "B02"
START_MS = 1_000_000


def want(item: str, units: int, limit: int = 2) -> Line:
    return Line(item, units, 100, "TWD", item, limit)


class Shop:
    """One viewer's way through a show; every operation gets the next id."""

    def __init__(self, engine: StockEngine, store: Redis) -> None:
        self.engine, self.store, self.count = engine, store, 0

    def id(self) -> str:
        self.count += 1
        return f"operation-{self.count}"

    async def reserve(self, *lines: Line, viewer: str = "ann", show: str = SHOW, **more: object) -> Answer:
        return await self.engine.submit(Reserve(self.id(), SHOP, show, viewer, lines, **more))  # type: ignore[arg-type]

    async def do(self, kind: Callable[..., Operation], *fields: object, **more: object) -> Answer:
        return await self.engine.submit(kind(self.id(), SHOP, SHOW, *fields, **more))

    async def units(self, viewer: str = "ann") -> int:
        claims = await self.engine.claims(SHOP, show=SHOW, viewer=viewer)
        return sum(claim.quantity for claim in claims if claim.state in ("held", "waiting", "offered", "confirmed"))


@pytest.fixture
async def shop(clocked: StockEngine, store: Redis) -> Shop:
    found = Shop(clocked, store)
    for item in (RED, BLUE, MUG):
        await found.do(Restock, item, 10)
    return found


LINES: dict[str, tuple[tuple[Line, ...], Limits, list[str]]] = {
    "one line within": ((want(RED, 2),), Limits(), ["reserved"]),
    "one line past": ((want(RED, 3),), Limits(), ["over_limit"]),
    "two options within": ((want(RED, 1), want(BLUE, 1)), Limits(), ["reserved", "reserved"]),
    "two options past": ((want(RED, 1), want(BLUE, 2)), Limits(), ["reserved", "over_limit"]),
    "the same sku twice": ((want(RED, 1), want(RED, 2)), Limits(), ["reserved", "over_limit"]),
    "products with different limits": (
        (want(RED, 2), want(MUG, 3, 3), want(BLUE, 1)),
        Limits(),
        ["reserved", "reserved", "over_limit"],
    ),
    "no limit beside a limit": ((want(MUG, 9, 0), want(RED, 3)), Limits(), ["reserved", "over_limit"]),
    "the show's limit is stricter": ((want(RED, 1), want(BLUE, 1)), Limits(per_item=1), ["reserved", "over_limit"]),
    "the show's limit is looser": ((want(RED, 1), want(BLUE, 2)), Limits(per_item=5), ["reserved", "over_limit"]),
    "the show's limit alone": (
        (want(RED, 2, 0), want(BLUE, 2, 0), want(MUG, 3, 0)),
        Limits(per_item=3),
        ["reserved", "over_limit", "reserved"],
    ),
    "a line that is not to be had does not count": (
        (want("A01/綠", 2), want(RED, 2)),
        Limits(),
        ["item_unknown", "reserved"],
    ),
}


@pytest.mark.parametrize("what", LINES)
async def test_one_comment(what: str, shop: Shop) -> None:
    lines, limits, outcomes = LINES[what]
    answer = await shop.reserve(*lines, limits=limits)
    assert [line.outcome for line in answer.lines] == outcomes


async def test_a_set_past_the_limit_is_not_had_at_all(shop: Shop) -> None:
    answer = await shop.reserve(want(RED, 2), want(BLUE, 1), fill="all")
    assert (answer.outcome, await shop.units()) == ("over_limit", 0)


async def test_the_answer_says_what_is_left(shop: Shop) -> None:
    await shop.reserve(want(RED, 1))
    refused = await shop.reserve(want(BLUE, 2))
    line = refused.lines[0]
    assert (line.outcome, line.limit, line.had) == ("over_limit", 2, 1)
    assert refused.reason == "Limit 2 a person of this product; you have 1."
    (known,) = await shop.engine.submit_all(
        [Reserve(f"operation-{shop.count}", SHOP, SHOW, "ann", (want(BLUE, 2),))]
    )  # the same id again
    assert known == refused


REASONS: dict[str, tuple[Limits, str]] = {
    "show": (Limits(per_show=3), "Limit 3 a person in this show; you have 2."),
    "comment": (Limits(per_comment=3), "Limit 3 a comment."),
    "unpaid": (Limits(hold_max=3), "Limit 3 unpaid at a time; you have 2."),
}


@pytest.mark.parametrize("which", REASONS)
async def test_every_limit_is_named(which: str, shop: Shop) -> None:
    limits, words = REASONS[which]
    await shop.reserve(want(RED, 2))
    assert (await shop.reserve(want(MUG, 4, 0), limits=limits)).reason == words


async def test_other_viewers_shows_and_products_have_limits_of_their_own(shop: Shop) -> None:
    await shop.reserve(want(RED, 2))
    assert (await shop.reserve(want(BLUE, 2), viewer="bob")).outcome == "reserved"
    assert (await shop.reserve(want(BLUE, 2), show=OTHER_SHOW)).outcome == "reserved"
    assert (await shop.reserve(want(MUG, 2))).outcome == "reserved"
    assert (await shop.reserve(want("A011", 1))).outcome == "item_unknown", "A011 is no option of A01"


async def test_many_comments_of_one_viewer_in_one_call(shop: Shop) -> None:
    """The first takes the short way; the second must see it though nothing is written yet."""
    lines = ((want(RED, 1),), (want(BLUE, 1),), (want(RED, 1),))
    answers = await shop.engine.submit_all([Reserve(shop.id(), SHOP, SHOW, "ann", line) for line in lines])
    assert [answer.outcome for answer in answers] == ["reserved", "reserved", "over_limit"]


FREED: dict[str, Callable[[str], tuple[object, ...]]] = {
    "cancelled": lambda made: (Cancel, "ann", made),
    "cancelled by staff": lambda made: (Cancel, "", made),
    "cancelled, all": lambda made: (Cancel, "ann"),
    "reduced": lambda made: (Reduce, 1, "ann", made),
    "reduced by item": lambda made: (Reduce, 1, "ann", "", RED),
    "set lower": lambda made: (SetQuantity, made, 1),
    "released": lambda made: (Release, made),
    "swapped for another product": lambda made: (Swap, made, want(MUG, 1), "ann"),
    "swapped for less": lambda made: (Swap, made, want(BLUE, 1), "ann"),
}


@pytest.mark.parametrize("how", FREED)
@pytest.mark.parametrize("together", [False, True], ids=["two calls", "one call"])
async def test_what_is_given_back_may_be_claimed_again(how: str, together: bool, shop: Shop) -> None:
    made = (await shop.reserve(want(RED, 2))).lines[0].reservation or ""
    assert (await shop.reserve(want(BLUE, 1))).outcome == "over_limit"
    kind, *fields = FREED[how](made)
    freeing: Operation = kind(shop.id(), SHOP, SHOW, *fields)  # type: ignore[operator]
    claiming = Reserve(shop.id(), SHOP, SHOW, "ann", (want(BLUE, 1),))
    if together:
        _, answer = await shop.engine.submit_all([freeing, claiming])
    else:
        await shop.engine.submit(freeing)
        answer = await shop.engine.submit(claiming)
    assert answer.outcome == "reserved"


async def test_what_expired_may_be_claimed_again(shop: Shop) -> None:
    await shop.reserve(want(RED, 2), hold_seconds=10)
    await shop.store.set(CLOCK, START_MS + 10_000)
    assert (await shop.reserve(want(BLUE, 2))).outcome == "reserved"


async def test_what_is_paid_counts_until_it_is_returned(shop: Shop) -> None:
    made = (await shop.reserve(want(RED, 2))).lines[0].reservation or ""
    await shop.do(Confirm, made)
    assert (await shop.reserve(want(BLUE, 1))).outcome == "over_limit"
    await shop.do(Release, made)
    assert (await shop.reserve(want(BLUE, 1))).outcome == "reserved"


GROWTH: dict[str, tuple[Callable[[str], tuple[object, ...]], str]] = {
    "set past": (lambda made: (SetQuantity, made, 2, "ann", Limits(), 2), "over_limit"),
    "set past by staff": (lambda made: (SetQuantity, made, 2, "", Limits(), 2), "over_limit"),
    "set within": (lambda made: (SetQuantity, made, 2, "ann", Limits(), 3), "changed"),
    "set past the show's limit": (lambda made: (SetQuantity, made, 2, "ann", Limits(per_item=2), 0), "over_limit"),
    "swap for an option": (lambda made: (Swap, made, want(BLUE, 1), "ann"), "swapped"),
    "swap for more of an option": (lambda made: (Swap, made, want(BLUE, 2), "ann"), "over_limit"),
    "swap for more of the same": (lambda made: (Swap, made, want(RED, 2), "ann"), "over_limit"),
    "swap for too much of another": (lambda made: (Swap, made, want(MUG, 3), "ann"), "over_limit"),
    "swap for another": (lambda made: (Swap, made, want(MUG, 2), "ann"), "swapped"),
}


@pytest.mark.parametrize("how", GROWTH)
async def test_changes_of_a_claim_stay_within_the_limit(how: str, shop: Shop) -> None:
    """The viewer has one red and one blue of two allowed."""
    made = (await shop.reserve(want(RED, 1), want(BLUE, 1))).lines[0].reservation or ""
    make, outcome = GROWTH[how]
    kind, *fields = make(made)
    answer = await shop.do(kind, *fields)  # type: ignore[arg-type]
    assert answer.outcome == outcome, answer


async def test_the_total_of_a_comment_counts_what_it_takes_back(shop: Shop) -> None:
    """Repeat policy `set`: two red become one red and one blue in one comment."""
    await shop.reserve(want(RED, 2))
    answer = await shop.reserve(want(RED, 1), want(BLUE, 1), repeat="set")
    assert [line.outcome for line in answer.lines] == ["reduced", "reserved"]


async def test_who_is_past_a_limit_that_was_lowered_may_swap_but_not_add(shop: Shop) -> None:
    made = (await shop.reserve(want(RED, 3, 3))).lines[0].reservation or ""
    assert (await shop.do(Swap, made, want(BLUE, 3), "ann")).outcome == "swapped"
    assert (await shop.reserve(want(RED, 1))).outcome == "over_limit"


async def test_pieces_in_line_count_and_an_offer_is_accepted(shop: Shop) -> None:
    await shop.reserve(want(RED, 10, 0), viewer="bob")
    assert (await shop.reserve(want(RED, 2))).outcome == "waiting"
    assert (await shop.reserve(want(BLUE, 1))).outcome == "over_limit", "what waits may still come"
    await shop.do(Cancel, "bob")
    (claim,) = await shop.engine.claims(SHOP, show=SHOW, viewer="ann")
    assert claim.state == "offered"
    assert (await shop.do(Extend, claim.reservation, 60, "ann")).outcome == "extended"
    assert (await shop.reserve(want(BLUE, 1))).outcome == "over_limit"
    assert (await shop.do(Confirm, claim.reservation)).outcome == "confirmed"
    assert await shop.units() == 2


async def test_after_a_rebuild_the_limit_counts_as_before(shop: Shop) -> None:
    await shop.reserve(want(RED, 1), want(BLUE, 1))
    connection = await shop.engine._servers.connection(SHOP)
    await rebuild(connection, SHOP)
    assert await verify(connection, SHOP) == []
    assert (await shop.reserve(want(BLUE, 1))).outcome == "over_limit"


async def test_a_limit_does_not_leave_the_short_way(shop: Shop) -> None:
    """Plain claims with a limit are told as a run: as cheap as those without."""
    await shop.engine.submit_all(
        [Reserve(shop.id(), SHOP, SHOW, f"viewer-{number}", (want(RED, 1),)) for number in range(8)]
    )
    ((_, fields),) = await shop.store.xrevrange(f"lc:{{{SHOP}}}:show:{SHOW}:log", count=1)
    assert b"o" in fields, "an entry with runs carries the batch"
