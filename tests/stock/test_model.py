"""The reference itself, told in numbers a person can follow: it must be right, since the server is held against it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from livecommerce.stock.model import Model
from livecommerce.stock.operations import (
    Cancel,
    Close,
    Confirm,
    Extend,
    Limits,
    Line,
    Open,
    Operation,
    Reduce,
    Release,
    Reserve,
    Restock,
    SetQuantity,
    Swap,
)

RED, BLUE = "A/red", "A/blue"
SECOND = 1000


def want(viewer: str, *lines: Line, **more: object) -> Operation:
    return Reserve("", "shop", "show", viewer, lines, hold_seconds=60, **more)  # type: ignore[arg-type]


def of(item: str, units: int = 1, limit: int = 0) -> Line:
    return Line(item, units, 100, "TWD", "", limit)


def on(kind: type, *fields: object) -> Operation:
    made: Operation = kind("", "shop", "show", *fields)
    return made


# Each story: supply of RED, then (seconds, operation, outcome) steps, then RED's available, held, sold, waiting.
Story = tuple[int, list[tuple[int, Operation, str]], tuple[int, int, int, int]]
STORIES: dict[str, Story] = {
    "the last piece": (
        1,
        [(0, want("ann", of(RED)), "reserved"), (0, want("bob", of(RED)), "waiting")],
        (0, 1, 0, 1),
    ),
    "part of it": (2, [(0, want("ann", of(RED, 3)), "partly")], (0, 2, 0, 1)),
    "part of it without a line": (2, [(0, want("ann", of(RED, 3), waitlist=False), "partly")], (0, 2, 0, 0)),
    "all or nothing": (2, [(0, want("ann", of(RED, 3), fill="all", waitlist=False), "sold_out")], (2, 0, 0, 0)),
    "an expired hold": (
        1,
        [(0, want("ann", of(RED)), "reserved"), (60, want("bob", of(RED)), "reserved")],
        (0, 1, 0, 0),
    ),
    "an extended hold": (
        1,
        [
            (0, want("ann", of(RED)), "reserved"),
            (50, on(Extend, f"{RED}#1", 60), "extended"),
            (100, want("bob", of(RED)), "waiting"),
            (110, want("cid", of(RED)), "waiting"),
        ],
        (0, 1, 0, 1),
    ),
    "paid and returned": (
        1,
        [
            (0, want("ann", of(RED)), "reserved"),
            (1, on(Confirm, f"{RED}#1"), "confirmed"),
            (99, on(Release, f"{RED}#1"), "released"),
        ],
        (1, 0, 0, 0),
    ),
    "a closed item promotes nobody": (
        1,
        [
            (0, want("ann", of(RED)), "reserved"),
            (0, want("bob", of(RED)), "waiting"),
            (0, on(Close, RED), "closed"),
            (0, on(Cancel, "ann"), "cancelled"),
            (0, want("cid", of(RED)), "sales_closed"),
        ],
        (1, 0, 0, 1),
    ),
    "an opened shop does": (
        1,
        [
            (0, want("ann", of(RED)), "reserved"),
            (0, want("bob", of(RED)), "waiting"),
            (0, on(Close), "closed"),
            (0, on(Cancel, "ann"), "cancelled"),
            (0, on(Open), "opened"),
        ],
        (0, 1, 0, 0),
    ),
    "a limit over options": (
        9,
        [
            (0, want("ann", of(BLUE, 1, 2)), "reserved"),
            (0, want("ann", of(RED, 2, 2)), "over_limit"),
            (0, want("ann", of(RED, 1, 2)), "reserved"),
        ],
        (8, 1, 0, 0),
    ),
    "a limit and what was given back": (
        9,
        [
            (0, want("ann", of(RED, 2, 2)), "reserved"),
            (0, on(Reduce, 1, "ann", f"{RED}#1"), "reduced"),
            (0, want("ann", of(BLUE, 1, 2)), "reserved"),
            (0, on(SetQuantity, f"{RED}#1", 2, "ann", Limits(per_item=2)), "over_limit"),
        ],
        (8, 1, 0, 0),
    ),
    "a swap within the limit": (
        9,
        [
            (0, want("ann", of(BLUE, 2, 2)), "reserved"),
            (0, on(Swap, f"{BLUE}#1", of(RED, 2, 2)), "swapped"),
            (0, on(Swap, f"{RED}#1", of(BLUE, 3, 2)), "over_limit"),
        ],
        (7, 2, 0, 0),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story(name: str) -> None:
    supply, steps, counters = STORIES[name]
    model, count, now = Model(offer_seconds=300), 0, 0
    for item, units in ((RED, supply), (BLUE, 9)):
        model.submit(Restock(f"restock-{item[2:]}", "shop", "show", item, units), 0)
    for seconds, operation, outcome in steps:
        count, now = count + 1, seconds * SECOND
        answer = model.submit(with_id(operation, count), now)
        assert answer.outcome == outcome, f"step {count}: {answer}"
    model.expire_due(now)
    found = model.items[RED].counters()
    assert (found.available, found.held, found.sold, found.waiting) == counters


def with_id(operation: Operation, number: int) -> Operation:
    return replace(operation, id=f"operation-{number}")


def test_the_same_id_gets_the_same_answer_and_other_content_none() -> None:
    model = Model()
    model.submit(Restock("restock-1", "shop", "show", RED, 5), 0)
    first = model.submit(with_id(want("ann", of(RED)), 1), 1)
    assert model.submit(with_id(want("ann", of(RED, 1, 7)), 1), 2) == first, "a limit is no content"
    assert model.submit(with_id(want("ann", of(RED, 2)), 1), 3).outcome == "id_reused"
    assert model.items[RED].counters().held == 1
