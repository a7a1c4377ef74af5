"""Operations to bytes and answers back: ids, fingerprints, what is remembered and what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import msgpack
import pytest
from msgspec.structs import replace

from livecommerce.stock.encoding import (
    ANSWER_HEAD,
    ANSWER_LIMIT,
    ANSWER_LINE,
    Refused,
    Templates,
    alike,
    decode_answer,
    id_text,
    packed_uuids,
    raw_ids,
)
from livecommerce.stock.operations import (
    Cancel,
    Close,
    Confirm,
    Limits,
    Line,
    Operation,
    Reduce,
    Reserve,
    Restock,
    SetQuantity,
    Swap,
)
from livecommerce.stock.outcomes import OUTCOME_NUMBERS, Outcome
from livecommerce.stock.wire import TemplateFields, unpack

LINE = Line("A01/紅", 2, 390, "TWD", "紅", 3)
GOOD = Reserve("identity-1", "shop", "show", "ann", (LINE,), limits=Limits(4, 5, 6, 7))


def sent(operation: Operation) -> TemplateFields:
    return TemplateFields(*unpack(Templates().of(operation).data))


# ---- ids

IDS = ("identity-1", "A" * 64, "0b06c1f0-2d5c-4f6e-9c43-0c5a3e0a1d11", "0B06C1F0-2D5C-4F6E-9C43-0C5A3E0A1D11")


@pytest.mark.parametrize("identity", IDS)
def test_an_id_comes_back_as_it_was(identity: str) -> None:
    (raw,) = raw_ids([identity])
    assert id_text(raw) == identity


@pytest.mark.parametrize("count", [1, 15, 16, 300])
def test_uuids_in_bulk_are_packed_as_one_by_one(count: int) -> None:
    ids = [str(uuid.uuid4()) for _ in range(count)]
    assert msgpack.unpackb(packed_uuids(ids), raw=True) == raw_ids(ids)


NOT_UUIDS: dict[str, list[Any]] = {
    "another id": [IDS[2], "identity-1"],
    "capitals": [IDS[3]],
    "dashes elsewhere": [IDS[2].replace("-", "", 1) + "-"],
    "no text": [IDS[2], 7],
    "wide letters": ["０" + IDS[2][1:]],
}


@pytest.mark.parametrize("what", NOT_UUIDS)
def test_what_is_no_canonical_uuid_is_not_packed_in_bulk(what: str) -> None:
    assert packed_uuids(NOT_UUIDS[what]) == b""


# ---- templates


def test_a_reserve_is_sent_with_all_its_limits() -> None:
    fields = sent(GOOD)
    assert (fields.per_item, fields.per_show, fields.per_comment, fields.hold_max) == (4, 5, 6, 7)
    assert list(fields.product_limits) == [3]
    assert fields.lines[:2] == ["A01/紅".encode(), 2]


LIMITED: dict[str, tuple[Operation, list[int]]] = {
    "several lines": (replace(GOOD, lines=(LINE, replace(LINE, item="B02", limit_per_viewer=0))), [3, 0]),
    "a swap": (Swap("identity-1", "shop", "show", "A01#1", LINE), [3]),
    "a set": (SetQuantity("identity-1", "shop", "show", "A01#1", 2, limit_per_viewer=8), [8]),
    "a cancel": (Cancel("identity-1", "shop", "show", "ann"), []),
}


@pytest.mark.parametrize("what", LIMITED)
def test_every_line_carries_its_products_limit(what: str) -> None:
    operation, limits = LIMITED[what]
    assert list(sent(operation).product_limits) == limits


SAME: dict[str, Reserve] = {
    "another viewer": replace(GOOD, viewer="bob"),
    "another price": replace(GOOD, lines=(replace(LINE, unit_price_minor=1),)),
    "another limit": replace(GOOD, lines=(replace(LINE, limit_per_viewer=9),), limits=Limits()),
    "another hold": replace(GOOD, hold_seconds=5),
}
OTHER: dict[str, Operation] = {
    "another quantity": replace(GOOD, lines=(replace(LINE, quantity=1),)),
    "another item": replace(GOOD, lines=(replace(LINE, item="A01"),)),
    "another show": replace(GOOD, show="other"),
    "another kind": Swap("identity-1", "shop", "show", "A01#1", LINE),
}


@pytest.mark.parametrize("what", SAME)
def test_an_id_may_come_again_with(what: str) -> None:
    assert sent(SAME[what]).digest == sent(GOOD).digest


@pytest.mark.parametrize("what", OTHER)
def test_an_id_may_not_come_again_with(what: str) -> None:
    assert sent(OTHER[what]).digest != sent(GOOD).digest


def test_a_template_is_remembered_and_not_mixed_up() -> None:
    templates = Templates()
    first = templates.of(GOOD)
    assert templates.of(replace(GOOD, viewer="bob", id="identity-2")) is first
    stricter = templates.of(replace(GOOD, lines=(replace(LINE, limit_per_viewer=1),)))
    assert stricter is not first
    assert templates.of(replace(GOOD, lines=(Line("A01/紅", 2, 390, "TWD", "紅", 3),))) is first


def test_a_row_ends_where_the_template_changes() -> None:
    again = [replace(GOOD, id=f"identity-{n}", viewer=f"viewer-{n}") for n in range(3)]
    other = replace(GOOD, limits=Limits(4, 5, 6, 7))  # equal, but not the same object: looked at anew
    assert alike([*again, other, *again], 0) == 3
    assert alike([*again, Close("identity-9", "shop", "show")], 0) == 3
    assert alike([Close("identity-9", "shop", "show"), *again], 0) == 1


REFUSED: dict[str, tuple[Operation, Outcome]] = {
    "a reserve without lines": (replace(GOOD, lines=()), Outcome.INPUT_BAD),
    "a limit below none": (replace(GOOD, lines=(replace(LINE, limit_per_viewer=-1),)), Outcome.INPUT_BAD),
    "a limit of a set below none": (
        SetQuantity("identity-1", "shop", "show", "A01#1", 2, limit_per_viewer=-1),
        Outcome.INPUT_BAD,
    ),
    "a set to nothing": (SetQuantity("identity-1", "shop", "show", "A01#1", 0), Outcome.QUANTITY_BAD),
    "a reduce that names nothing": (Reduce("identity-1", "shop", "show", 1), Outcome.INPUT_BAD),
    "a confirm of no reservation": (Confirm("identity-1", "shop", "show", "A01"), Outcome.RESERVATION_UNKNOWN),
    "a restock of too much": (Restock("identity-1", "shop", "show", "A", 10**9 + 1), Outcome.QUANTITY_BAD),
    "a source like a book": (replace(GOOD, source="x" * 41), Outcome.INPUT_BAD),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_can_never_be_applied_is_refused(what: str) -> None:
    operation, outcome = REFUSED[what]
    with pytest.raises(Refused) as refused:
        Templates().of(operation)
    assert refused.value.outcome is outcome
    assert refused.value.reason


# ---- answers

LATER = (1 << 40) + 5


def answer_bytes(outcome: Outcome, *items: str) -> bytes:
    number = OUTCOME_NUMBERS[outcome]
    out = ANSWER_HEAD.pack(number, LATER & 0xFFFFFFFF, LATER >> 32, len(items))
    for place, item in enumerate(items, start=1):
        name = item.encode()
        out += ANSWER_LINE.pack(number, place, 2, 1, 4, LATER & 0xFFFFFFFF, LATER >> 32, 9, len(name)) + name
    return out


def test_an_answer_has_its_lines() -> None:
    answer = decode_answer("identity-1", answer_bytes(Outcome.PARTLY, "A01/紅", "B02"))
    assert (answer.id, answer.outcome, answer.at_ms, answer.reason) == ("identity-1", Outcome.PARTLY, LATER, "")
    first, second = answer.lines
    assert (first.item, first.reservation, first.reserved, first.waiting) == ("A01/紅", "A01/紅#1", 2, 1)
    assert (second.position, second.deadline_ms, second.available) == (4, LATER, 9)


def test_a_limit_stands_with_its_line_and_the_first_is_told() -> None:
    data = answer_bytes(Outcome.OVER_LIMIT, "A01", "B02", "C03")
    data += ANSWER_LIMIT.pack(2, 1, 2, 1) + ANSWER_LIMIT.pack(3, 2, 5, 5)
    answer = decode_answer("identity-1", data)
    assert [(line.limit, line.had) for line in answer.lines] == [(0, 0), (2, 1), (5, 5)]
    assert answer.reason == "Limit 2 a person of this product; you have 1."
