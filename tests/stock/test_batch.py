"""A batch on its way: parts, columns, answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from livecommerce.stock.batch import Batch, Bulk, Malformed, Part, bad, well_formed_parts
from livecommerce.stock.encoding import Templates
from livecommerce.stock.operations import Expire, Line, Operation, Reserve
from livecommerce.stock.outcomes import Answer, Outcome
from livecommerce.stock.wire import pack, unpack

GOOD = Reserve("identity-1", "shop", "show", "ann", (Line("A01", 2, 100, "TWD"),), hold_seconds=60)
MUG = replace(GOOD, lines=(Line("B02", 1, 50, "TWD"),))


def of(template: Reserve, *numbers: int) -> list[Operation]:
    return [replace(template, id=f"identity-{n}", viewer=f"viewer-{n}") for n in numbers]


def part(operations: list[Operation], templates: Templates) -> Part:
    futures = [asyncio.get_running_loop().create_future() for _ in operations]
    return Part(templates.of(operations[0]), operations, 0, len(operations), futures=futures)


async def test_rows_of_one_template_are_sent_as_one() -> None:
    templates = Templates()
    batch = Batch([part(of(GOOD, 1, 2), templates), part(of(GOOD, 3), templates), part(of(MUG, 4), templates)], 300)
    rows, ids, viewers = unpack(batch.arguments[1])
    assert rows == [1, 3, 2, 1]
    assert ids == [b"identity-1", b"identity-2", b"identity-3", b"identity-4"]
    assert viewers == [b"viewer-1", b"viewer-2", b"viewer-3", b"viewer-4"]
    assert (len(unpack(batch.arguments[0])), batch.arguments[2:]) == (2, (b"", 300))


async def test_an_operation_without_viewer_has_an_empty_one() -> None:
    batch = Batch([part([Expire("identity-1", "shop", "show", "A01#1")], Templates())], 300)
    assert unpack(batch.arguments[1])[2] == [b""]


async def test_answers_of_a_run_count_up_and_down() -> None:
    one = part(of(GOOD, 1, 2, 3), Templates())
    more, ledger_id = Batch([one], 300).answered(pack([1_000, False, [1, 3, 7, 20, 1], [], "5-0"]))
    assert (more, ledger_id) == (False, "5-0")
    answers = [future.result() for future in one.futures]
    assert [answer.id for answer in answers] == ["identity-1", "identity-2", "identity-3"]
    assert [answer.lines[0].reservation for answer in answers] == ["A01#7", "A01#8", "A01#9"]
    assert [answer.lines[0].available for answer in answers] == [20, 18, 16]
    assert {(answer.lines[0].reserved, answer.lines[0].deadline_ms) for answer in answers} == {(2, 61_000)}


async def test_a_part_is_taken_in_pieces_and_each_answers_its_own() -> None:
    whole = part(of(GOOD, 1, 2, 3, 4, 5), Templates())
    futures = list(whole.futures)
    first = whole.take(2)
    assert (len(first), len(whole)) == (2, 3)
    late = asyncio.get_running_loop().create_future()
    whole.add(of(GOOD, 6)[0], late)
    first.answer([Answer(f"identity-{n}", Outcome.RESERVED, (), 0) for n in (1, 2)])
    whole.refuse(Outcome.BUSY, "later", 200)
    told = [future.result() for future in [*futures, late]]
    assert [answer.id for answer in told] == [f"identity-{n}" for n in range(1, 7)]
    assert [answer.outcome for answer in told] == [Outcome.RESERVED] * 2 + [Outcome.BUSY] * 4
    assert (told[-1].reason, told[-1].retry_after_ms) == ("later", 200)


async def test_a_bulk_is_answered_when_all_its_parts_are() -> None:
    operations, templates = of(GOOD, 1, 2, 3), Templates()
    bulk = Bulk(3)
    whole = Part(templates.of(operations[0]), operations, 0, 3, bulk=bulk)
    first = whole.take(1)
    whole.refuse(Outcome.BUSY)
    assert not bulk.future.done()
    first.answer([Answer("identity-1", Outcome.RESERVED, (), 0)])
    answers = await bulk.future
    assert [(answer.id, answer.outcome) for answer in answers] == [
        ("identity-1", Outcome.RESERVED),
        ("identity-2", Outcome.BUSY),
        ("identity-3", Outcome.BUSY),
    ]


async def test_who_has_stopped_waiting_gets_no_answer() -> None:
    one = part(of(GOOD, 1, 2), Templates())
    one.futures[0].cancel()
    one.refuse(Outcome.BUSY)
    assert one.futures[1].result().outcome is Outcome.BUSY


BAD: dict[str, dict[str, Any]] = {
    "a short id": {"id": "short"},
    "an id of another kind": {"id": 7},
    "no viewer": {"viewer": ""},
    "a viewer in capitals": {"viewer": "ANN"},
    "a viewer of 41 letters": {"viewer": "a" * 41},
    "a viewer beyond ASCII": {"viewer": "安"},
    "chat as text": {"chat": "hello"},
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_not_of_the_right_form_is_refused_alone(what: str) -> None:
    wrong = replace(GOOD, **BAD[what])
    assert bad(wrong)
    one = part([*of(GOOD, 1), wrong, *of(GOOD, 2)], Templates())
    futures = list(one.futures)
    with pytest.raises(Malformed):
        Batch([one], 300)
    batch = Batch(well_formed_parts([one]), 300)
    assert batch.ids == ["identity-1", "identity-2"]
    assert [future.done() for future in futures] == [False, True, False]
    assert futures[1].result().outcome is Outcome.INPUT_BAD
