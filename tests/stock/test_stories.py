"""What buyers and hosts live through, told step by step on a clock that the test moves."""

from __future__ import annotations

import msgpack
import pytest
from redis.asyncio import Redis

from livecommerce.stock import showlog
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.ledger import decode
from livecommerce.stock.operations import Cancel, Confirm, Extend, Line, Reserve, Restock, SetQuantity, Swap
from livecommerce.stock.outcomes import Answer
from tests.stock.servers import CLOCK, OTHER_SHOW, SHOP, SHOW

COUNT = iter(range(10**9))


def identity() -> str:
    return f"operation-{next(COUNT)}"


class Stage:
    """Short words for the stories."""

    def __init__(self, engine: StockEngine, store: Redis) -> None:
        self.engine, self.store, self.now = engine, store, 1_000_000

    async def restock(self, item: str, units: int) -> Answer:
        return await self.engine.submit(Restock(identity(), SHOP, SHOW, item, units))

    async def want(self, viewer: str, units: int = 1, item: str = "A", **more: object) -> Answer:
        lines = (Line(item, units, 100, "TWD", "offer"),)
        return await self.engine.submit(
            Reserve(**{"id": identity(), "shop": SHOP, "show": SHOW, "viewer": viewer, "lines": lines, **more})  # type: ignore[arg-type]
        )

    async def cancel(self, viewer: str, reservation: str = "") -> Answer:
        return await self.engine.submit(Cancel(identity(), SHOP, SHOW, viewer, reservation))

    async def later(self, seconds: int) -> None:
        self.now += seconds * 1000
        await self.store.set(CLOCK, self.now)

    async def counters(self, item: str = "A") -> tuple[int, ...]:
        found = (await self.engine.counters(SHOP, [item]))[item]
        return found.available, found.held, found.sold, found.waiting, found.supplied

    async def state(self, viewer: str) -> str:
        (claim,) = await self.engine.claims(SHOP, show=SHOW, viewer=viewer)
        return claim.state

    async def log(self, show: str = SHOW) -> list[dict[str, object]]:
        entries = await self.store.xrange(f"lc:{{{SHOP}}}:show:{show}:log")
        return [event for _, fields in entries for event in showlog.events(fields)]


@pytest.fixture
async def stage(clocked: StockEngine, store: Redis) -> Stage:
    return Stage(clocked, store)


async def test_the_last_piece_and_who_comes_after(stage: Stage) -> None:
    await stage.restock("A", 2)
    assert (await stage.want("ann")).outcome == "reserved"
    last = await stage.want("bob")
    assert (last.outcome, last.lines[0].number, last.lines[0].available) == ("reserved", 2, 0)
    assert last.lines[0].deadline_ms == stage.now + 900_000
    late = await stage.want("cid")
    assert (late.outcome, late.lines[0].position) == ("waiting", 1)
    assert (await stage.want("dee", waitlist=False)).outcome == "sold_out"
    assert await stage.counters() == (0, 2, 0, 1, 2)


async def test_a_cancelled_piece_goes_to_the_first_in_line_in_the_same_call(stage: Stage) -> None:
    await stage.restock("A", 1)
    await stage.want("ann")
    await stage.want("bob")
    await stage.want("cid")
    await stage.cancel("ann")
    assert [await stage.state(viewer) for viewer in ("ann", "bob", "cid")] == ["cancelled", "offered", "waiting"]
    assert (await stage.want("dee")).outcome == "waiting", "nobody passes the line"


async def test_an_offer_not_answered_goes_to_the_next(stage: Stage) -> None:
    await stage.restock("A", 1)
    for viewer in ("ann", "bob", "cid"):
        await stage.want(viewer)
    await stage.cancel("ann")
    await stage.later(299)
    assert await stage.state("bob") == "offered"
    await stage.later(1)
    assert [await stage.state(viewer) for viewer in ("bob", "cid")] == ["expired", "offered"]


async def test_checkout_extends_a_hold_once(stage: Stage) -> None:
    await stage.restock("A", 1)
    held = (await stage.want("ann", hold_seconds=60)).lines[0].reservation or ""
    await stage.later(50)
    extend = Extend(identity(), SHOP, SHOW, held, 100, "ann")
    assert (await stage.engine.submit(extend)).lines[0].deadline_ms == stage.now + 100_000
    assert (await stage.engine.submit(Extend(identity(), SHOP, SHOW, held, 100))).outcome == "already_extended"
    await stage.later(99)
    assert await stage.state("ann") == "held"
    await stage.later(1)
    assert await stage.state("ann") == "expired"
    assert await stage.counters() == (1, 0, 0, 0, 1)


async def test_all_holds_lapse_without_a_sweeper_and_the_stock_is_whole_again(stage: Stage) -> None:
    await stage.restock("A", 500)
    viewers = [f"viewer-{number}" for number in range(400)]
    lines = (Line("A", 1, 100, "TWD"),)
    await stage.engine.submit_all([Reserve(identity(), SHOP, SHOW, viewer, lines) for viewer in viewers])
    assert await stage.counters() == (100, 400, 0, 0, 500)
    await stage.later(900)
    assert (await stage.want("last", 500)).outcome == "reserved", "the reserve itself gave them back"
    await stage.later(900)
    assert await stage.counters() == (500, 0, 0, 0, 500)


async def test_a_set_is_had_whole_or_not_at_all(stage: Stage) -> None:
    await stage.restock("A", 5)
    await stage.restock("B", 1)
    lines = (Line("A", 1, 100, "TWD"), Line("B", 2, 100, "TWD"))
    refused = await stage.want("ann", lines=lines, fill="all")
    assert (refused.outcome, [line.outcome for line in refused.lines]) == ("sold_out", ["unchanged", "sold_out"])
    assert await stage.counters("A") == (5, 0, 0, 0, 5)
    await stage.restock("B", 1)
    assert (await stage.want("ann", lines=lines, fill="all")).outcome == "reserved"
    assert (await stage.counters("A"), await stage.counters("B")) == ((4, 1, 0, 0, 5), (0, 2, 0, 0, 2))


async def test_a_swap_never_loses_the_old_claim(stage: Stage) -> None:
    await stage.restock("A", 1)
    await stage.restock("B", 0)
    old = (await stage.want("ann")).lines[0].reservation or ""
    swap = Swap(identity(), SHOP, SHOW, old, Line("B", 1, 100, "TWD"), "ann")
    assert (await stage.engine.submit(swap)).outcome == "sold_out"
    assert await stage.state("ann") == "held"
    await stage.restock("B", 1)
    done = await stage.engine.submit(Swap(identity(), SHOP, SHOW, old, Line("B", 1, 100, "TWD"), "ann"))
    assert [line.outcome for line in done.lines] == ["cancelled", "reserved"]
    assert (await stage.counters("A"), await stage.counters("B")) == ((1, 0, 0, 0, 1), (0, 1, 0, 0, 1))


async def test_the_price_is_that_of_the_moment(stage: Stage) -> None:
    await stage.restock("A", 3)
    await stage.want("ann")
    await stage.want("bob", lines=(Line("A", 1, 80, "TWD", "最後特價"),))
    (ann,), (bob,) = [await stage.engine.claims(SHOP, show=SHOW, viewer=viewer) for viewer in ("ann", "bob")]
    assert (ann.unit_price_minor, bob.unit_price_minor, bob.text) == (100, 80, "最後特價")


async def test_two_shows_of_a_shop_share_one_stock_and_one_line(stage: Stage) -> None:
    await stage.restock("A", 1)
    await stage.want("ann")
    await stage.want("bob", show=OTHER_SHOW)
    await stage.cancel("ann")
    (claim,) = await stage.engine.claims(SHOP, viewer="bob")
    assert (claim.show, claim.state) == (OTHER_SHOW, "offered")
    promoted = (await stage.log(OTHER_SHOW))[-1]["claims"]
    assert [(one["op"], one["viewer"], one["state"]) for one in promoted] == [("promote", "bob", "offered")]  # type: ignore[attr-defined]


async def test_the_show_log_tells_chat_claims_and_counters_in_one_entry_a_batch(stage: Stage) -> None:
    await stage.restock("A", 1)
    chat = [msgpack.packb({"t": "chat", "id": str(number), "text": "A01+1"}) for number in range(3)]
    lines = (Line("A", 1, 100, "TWD", "offer"),)
    batch = [
        Reserve(f"comment-{number}", SHOP, SHOW, f"viewer-{number}", lines, waitlist=False, chat=chat[number])
        for number in range(3)
    ]
    first = await stage.engine.submit_all(batch)
    await stage.engine.submit_all(batch)  # again: nothing is told twice
    assert len(await stage.store.xrange(f"lc:{{{SHOP}}}:show:{SHOW}:log")) == 2
    _, *chats, claims = await stage.log()
    assert [event["id"] for event in chats] == ["0", "1", "2"], "a sold out comment is chat too"
    line = first[0].lines[0]
    assert claims == {
        "t": "claims",
        "at": stage.now,
        "stock": {"A": [0, 1, 0, 0, 1]},
        "claims": [
            {
                "id": "comment-0", "op": "reserve", "viewer": "viewer-0", "item": "A", "outcome": "reserved",
                "reservation": "A#1", "number": 1, "reserved": 1, "waiting": 0, "position": 0,
                "deadline": line.deadline_ms, "state": "held", "quantity": 1, "price": 100, "currency": "TWD",
                "text": "offer", "source": "comment",
            }
        ],
    }  # fmt: skip


async def test_claims_of_a_rush_and_others_are_told_alike_and_in_order(stage: Stage) -> None:
    """Claims of a run stand in the log as the batch that made them; who reads must not see which were."""
    await stage.restock("A", 5)
    await stage.restock("B", 5)
    first, second = (Line("A", 1, 100, "TWD", "one"),), (Line("B", 2, 300, "TWD", "two"),)
    answers = await stage.engine.submit_all(
        [
            Reserve(identity(), SHOP, SHOW, "ann", first),
            Reserve(identity(), SHOP, SHOW, "bob", first),
            Cancel(identity(), SHOP, SHOW, "ann", item="A"),
            Reserve(identity(), SHOP, OTHER_SHOW, "dee", first),
            Reserve(identity(), SHOP, SHOW, "cid", second),
            Reserve("comment-of-ann", SHOP, SHOW, "ann", second),
        ]
    )
    assert {answer.lines[0].outcome for answer in answers} == {"reserved", "cancelled"}
    claims = (await stage.log())[-1]["claims"]
    told = [(c["viewer"], c["reservation"], c["state"], c["quantity"], c["price"], c["text"]) for c in claims]  # type: ignore[attr-defined]
    assert told == [
        ("ann", "A#1", "held", 1, 100, "one"),
        ("bob", "A#2", "held", 1, 100, "one"),
        ("ann", "A#1", "cancelled", 1, 100, "one"),
        ("cid", "B#1", "held", 2, 300, "two"),
        ("ann", "B#2", "held", 2, 300, "two"),
    ]
    assert len({frozenset(claim) for claim in claims}) == 1, "every claim has the same fields"  # type: ignore[attr-defined]
    (other,) = (await stage.log(OTHER_SHOW))[-1]["claims"]  # type: ignore[misc]
    assert (other["viewer"], other["reservation"], other["id"]) == ("dee", "A#3", answers[3].id)


async def test_numbers_in_line_are_told_alike_by_answer_log_and_ledger_past_a_thousand(stage: Stage) -> None:
    """The short way frames numbers by hand; 256, 1000 and 65536 are where such things break."""
    await stage.restock("A", 70_000)
    lines, count = (Line("A", 1, 100, "TWD"),), 66_000
    answers = []
    for start in range(0, count, 10_000):
        stop = min(start + 10_000, count)
        batch = [Reserve(identity(), SHOP, SHOW, f"viewer-{n}", lines) for n in range(start, stop)]
        answers += await stage.engine.submit_all(batch)
    numbers = [answer.lines[0].number for answer in answers]
    assert numbers == list(range(1, count + 1))
    claims = [claim for event in await stage.log() for claim in event["claims"]]  # type: ignore[attr-defined]
    assert {claim["id"]: claim["number"] for claim in claims}.items() <= {
        answer.id: answer.lines[0].number for answer in answers
    }.items()
    assert all(claim["reservation"] == f"A#{claim['number']}" for claim in claims)
    ledger = await stage.store.xrange(f"lc:{{{SHOP}}}:ledger")
    told = [claim for entry_id, fields in ledger for claim in decode(entry_id, fields).claims]
    assert [(claim.id, claim.number) for claim in told] == [(answer.id, answer.lines[0].number) for answer in answers]
    stored = await stage.engine.claims(SHOP, show=SHOW, viewer="viewer-65999")
    assert [(claim.number, claim.reservation) for claim in stored] == [(66_000, "A#66000")]
    again = await stage.engine.submit(Reserve(answers[65_535].id, SHOP, SHOW, "viewer-65535", lines))
    assert again == answers[65_535]


async def test_the_ledger_can_be_read_by_others(stage: Stage) -> None:
    await stage.restock("A", 2)
    made = (await stage.want("ann", 2)).lines[0].reservation or ""
    await stage.engine.submit(SetQuantity(identity(), SHOP, SHOW, made, 1, "ann"))
    await stage.engine.submit(Confirm(identity(), SHOP, SHOW, made))
    entries = [decode(*entry) for entry in await stage.store.xrange(f"lc:{{{SHOP}}}:ledger")]
    assert [(one.item, one.cause, one.quantity) for entry in entries for one in entry.supplies] == [("A", "restock", 2)]
    told = [(one.cause, one.state, one.quantity, one.unit_price_minor) for entry in entries for one in entry.claims]
    assert told == [("reserve", "held", 2, 100), ("set", "held", 1, 100), ("confirm", "confirmed", 1, 100)]
