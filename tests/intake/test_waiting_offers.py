"""An offer to one who waited: a word, a press or the ticket's own button takes it, and nothing is ordered twice."""

from __future__ import annotations

import pytest

from livecommerce.errors import Conflict
from livecommerce.intake.errors import NotYours
from livecommerce.intake.speech import Acceptance, acceptance_of
from tests.intake.demo_show import ANNA, BEN, SHOP, SHOW, Person, Stage, new_id


async def _offered(stage: Stage, item: str = "A01") -> str:
    """Ben has all, Anna waits for one, and Ben gives up: the reservation that Anna is offered."""
    code = item.split("/")[0]
    options = {"顏色": "黑色", "尺寸": "L"} if "/" in item else {}
    pieces = (await stage.engine.counters(SHOP))[item].available
    await stage.press(BEN, code, quantity=pieces, options=options)
    await stage.press(ANNA, code, options=options)
    await stage.say(BEN, "取消")
    await stage.catch_up()
    (claim,) = await stage.engine.claims(SHOP, show=SHOW, viewer="anna")
    assert claim.state == "offered"
    return claim.reservation


async def _anna(stage: Stage) -> list[tuple[str, int]]:
    await stage.catch_up()
    return [(one.state, one.quantity) for one in await stage.engine.claims(SHOP, show=SHOW, viewer="anna")]


@pytest.mark.parametrize("text", ["+1", "A01+1"])
async def test_plus_one_takes_the_offer_that_stands(stage: Stage, text: str) -> None:
    await stage.command("pin", code="A01")
    await _offered(stage)
    answer = await stage.say(ANNA, text, id="taken-by-a-word")
    assert (answer["reason"], answer["lines"][0]["reserved"]) == ("extended", 1)
    assert await _anna(stage) == [("held", 1)], "the same piece, held; not a second one"
    assert (await stage.log("chat"))[-1]["text"] == text
    assert await stage.say(ANNA, text, id="taken-by-a-word", again=True) == answer
    await stage.say(ANNA, text)
    assert await _anna(stage) == [("held", 1), ("held", 1)], "with no offer standing it is an order again"


async def test_what_an_offer_leaves_open_need_not_be_said(stage: Stage) -> None:
    await stage.command("pin", code="A02")
    await _offered(stage, "A02/黑色/L")
    assert (await stage.say(ANNA, "+1"))["reason"] == "extended"


@pytest.mark.parametrize(
    ("text", "options"), [("A02紅M+1", {}), ("+1", {"顏色": "紅色", "尺寸": "M"}), ("A01+1", {}), ("A02黑L+2", {})]
)
async def test_an_order_of_something_else_is_no_acceptance(stage: Stage, text: str, options: dict[str, str]) -> None:
    await stage.command("pin", code="A02")
    await _offered(stage, "A02/黑色/L")
    assert (await stage.say(ANNA, text, options=options))["reason"] in ("reserved", "partly")
    assert ("offered", 1) in await _anna(stage)


async def test_somebody_elses_plus_one_is_an_order_of_their_own(stage: Stage) -> None:
    await _offered(stage)
    assert (await stage.say(Person("cleo", "Cleo"), "A01+1"))["reason"] == "reserved"
    assert await _anna(stage) == [("offered", 1)]


async def test_the_button_and_the_ticket_take_it_too(stage: Stage) -> None:
    reservation = await _offered(stage)
    with pytest.raises(NotYours):
        await stage.path.take(stage.mirror, Acceptance(show=SHOW, speaker=BEN, id=new_id(), reservation=reservation))
    acceptance = Acceptance(show=SHOW, speaker=ANNA, id=new_id(), reservation=reservation)
    answer = await stage.path.take(stage.mirror, acceptance)
    (line,) = answer["lines"]
    assert answer["reason"] == "extended"
    assert line["deadline_ms"] > stage.store.now_ms() + (stage.mirror.state["show"]["hold_seconds"] - 60) * 1000
    await stage.catch_up()
    with pytest.raises(Conflict):
        await stage.path.take(stage.mirror, Acceptance(show=SHOW, speaker=ANNA, id=new_id(), reservation=reservation))
    extended = await stage.command("extend", reservation=reservation, seconds=3_000)
    assert extended["outcome"] == "extended", "taking an offer does not use up what staff may give"


async def test_a_press_takes_it(stage: Stage) -> None:
    await _offered(stage)
    assert (await stage.press(ANNA, "A01"))["reason"] == "extended"
    assert await _anna(stage) == [("held", 1)]


async def test_a_held_claim_is_no_offer_though_the_mirror_has_not_heard_of_it(stage: Stage) -> None:
    """Whoever was quick had twenty minutes more for nothing."""
    answer = await stage.press(ANNA, "A01")
    reservation = answer["lines"][0]["reservation"]
    (before,) = await stage.engine.claims(SHOP, show=SHOW, viewer="anna")
    with pytest.raises(Conflict):
        await stage.path.take(stage.mirror, Acceptance(show=SHOW, speaker=ANNA, id=new_id(), reservation=reservation))
    assert await stage.engine.claims(SHOP, show=SHOW, viewer="anna") == [before]


async def test_an_offer_that_was_taken_is_not_extended_by_a_press_that_the_mirror_still_takes_for_one(
    stage: Stage,
) -> None:
    await _offered(stage)
    outcomes = [(await stage.press(ANNA, "A01"))["reason"] for _ in range(3)]  # faster than the log
    assert outcomes == ["extended", "not_active", "not_active"]
    (taken,) = await stage.engine.claims(SHOP, show=SHOW, viewer="anna")
    assert (taken.state, taken.extended) == ("held", False), "the extension is for who pays"


async def test_an_acceptance_whose_answer_was_lost_gets_it(stage: Stage) -> None:
    reservation = await _offered(stage)
    acceptance = Acceptance(show=SHOW, speaker=ANNA, id=new_id(), reservation=reservation)
    answer = await stage.path.take(stage.mirror, acceptance)
    await stage.catch_up()
    raw = {"id": acceptance.id, "reservation": reservation, "again": True}
    assert await stage.path.take(stage.mirror, acceptance_of(SHOW, ANNA, raw)) == answer
