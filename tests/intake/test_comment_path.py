"""What a line does, from the text to the answer, on a real Valkey and without a socket."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from livecommerce.errors import IdReused, TooMuch
from livecommerce.intake.errors import NotYours
from livecommerce.intake.metrics import COMMENTS
from livecommerce.intake.mirror import ShowMirror
from livecommerce.intake.speech import Withdrawal
from livecommerce.shows.errors import Banned, CommentRefused, Muted, ReservationUnknown, ShowStageWrong, SlowMode
from livecommerce.shows.model import viewer_handle
from livecommerce.shows.state import PIN_HISTORY_MS, pinned_for
from tests.intake.demo_show import ANNA, BEN, SHOP, SHOW, Person, Stage, new_id, opened_stage


async def test_a_line_from_another_platform_becomes_a_reservation_without_a_socket(valkey: Redis) -> None:
    async with opened_stage(valkey) as stage:
        await stage.command("start")
        await stage.command("pin", code="A01")
        stage.mirror = await ShowMirror.opened(stage.store, SHOW)  # as a bridge that has just begun
        there = Person("there-7", "小花")
        answer = await stage.say(there, "+2", id="bridged-0001", source="bridge")
        (line,) = answer["lines"]
        assert (answer["verdict"], answer["reason"]) == ("order", "reserved")
        assert (line["item"], line["reserved"], line["label"]) == ("A01", 2, "A01 帆布包")
        (claim,) = await stage.engine.claims(SHOP, show=SHOW, viewer="there-7")
        assert (claim.reservation, claim.source, claim.quantity, claim.id) == ("A01#1", "bridge", 2, "bridged-0001")
        (chat,) = await stage.log("chat")
        assert (chat["name"], chat["text"], chat["viewer"]) == ("小花", "+2", "there-7"), "everyone sees the line"
        assert (await stage.log("name"))[0]["name"] == "小花", "the ticket has the name"

        assert await stage.say(there, "+2", id="bridged-0001", source="bridge", again=True) == answer
        reduced = await stage.say(there, "A01-1", source="bridge")
        assert (reduced["reason"], await stage.held()) == ("reduced", {"A01": 1})


async def test_a_bare_plus_one_is_what_this_page_showed(stage: Stage) -> None:
    first = (await stage.command("pin", code="A01"))["pin"]
    second = (await stage.command("pin", code="B01"))["pin"]
    for pin, item in ((first, "A01"), (second, "B01"), (None, "B01")):
        assert (await stage.say(ANNA, "+1", pin=pin))["lines"][0]["item"] == item
    held = await stage.held()
    assert (await stage.say(ANNA, "+1", pin="p999"))["verdict"] == "unclear", "nobody knows what that page showed"
    assert (await stage.say(ANNA, "A01+1", pin="p999"))["verdict"] == "order", "a code needs no pin"
    assert await stage.held() == {**held, "A01": held["A01"] + 1}


def test_a_pin_counts_for_thirty_seconds_after_it_was_replaced() -> None:
    pins = [
        {"pin": "p1", "code": "A01", "at": 1_000, "media_timestamp": None},
        {"pin": "p2", "code": "B01", "at": 5_000, "media_timestamp": None},
        {"pin": "p3", "code": None, "at": 9_000, "media_timestamp": None},
    ]
    state: dict[str, Any] = {"pins": pins}
    assert pinned_for(state, "p1", 5_000 + PIN_HISTORY_MS) == "A01"
    assert pinned_for(state, "p1", 5_001 + PIN_HISTORY_MS) is None, "replaced too long ago"
    assert pinned_for({"pins": pins[:2]}, "p1", 5_001 + PIN_HISTORY_MS) is None, "and never what has come since"
    assert pinned_for(state, "p2", 9_500) == "B01"
    assert pinned_for(state, "p3", 9_500) is None
    assert pinned_for({"pins": pins[:2]}, None, 10**9) == "B01"
    assert pinned_for({"pins": []}, "p1", 0) is None


async def test_options_come_from_the_text_then_from_the_card(stage: Stage) -> None:
    pin = (await stage.command("pin", code="A02"))["pin"]
    answer = await stage.say(ANNA, "+1", pin=pin)
    assert answer == {
        "verdict": "order", "reason": "need_options", "lines": [],
        "need": {"code": "A02", "axes": ["顏色", "尺寸"], "options": {}, "quantity": 1},
    }  # fmt: skip
    answer = await stage.say(ANNA, "紅+1", pin=pin, options={"尺寸": "M", "顏色": "黑色"})
    assert answer["lines"][0]["item"] == "A02/紅色/M", "the text wins over the card"
    assert (answer["lines"][0]["label"], answer["lines"][0]["options"]) == ("A02 針織外套 紅色 M", ["紅色", "M"])
    answer = await stage.say(ANNA, "+1", pin=pin, options={"顏色": "黑色", "尺寸": "L"})
    assert answer["lines"][0]["item"] == "A02/黑色/L"
    answer = await stage.say(ANNA, "+1", pin=pin, options={"顏色": "金色", "尺寸": "L"})
    assert answer["need"]["axes"] == ["顏色"]
    await stage.command("pin", code="A01")
    answer = await stage.say(ANNA, "A02+1", options={"顏色": "黑色", "尺寸": "L"})
    assert answer["reason"] == "need_options", "the card of another product chooses nothing"


async def test_every_refusal_has_a_reason(stage: Stage) -> None:
    await stage.command("settings", waitlist=False)
    assert (await stage.say(ANNA, "A01+5"))["reason"] == "reserved"
    assert (await stage.say(BEN, "A01+1"))["reason"] == "sold_out"
    assert (await stage.say(BEN, "B01+4"))["reason"] == "over_limit"
    await stage.command("close_item", code="B01")
    assert (await stage.say(BEN, "B01+1"))["reason"] == "sales_closed"
    assert (await stage.press(BEN, "B01"))["reason"] == "sales_closed"
    assert (await stage.press(BEN, "Z99"))["reason"] == "item_unknown"
    assert await stage.press(BEN, "A02", quantity=2, options={"尺寸": "M"}) == {
        "verdict": "order", "reason": "need_options", "lines": [],
        "need": {"code": "A02", "axes": ["顏色"], "options": {}, "quantity": 2},
    }  # fmt: skip
    assert (await stage.say(BEN, "哈哈"))["verdict"] == "none"
    signs = {line["text"]: line.get("refused") for line in await stage.log("chat")}
    assert signs == {
        "A01+5": None, "A01+1": None, "B01+4": None, "B01+1": "sales_closed", "哈哈": None,
    }, "stock's own answers come with the claims that there are or are not"  # fmt: skip


async def test_before_the_show_and_after_it_nothing_is_sold(valkey: Redis) -> None:
    async with opened_stage(valkey) as stage:
        for answer in (await stage.say(ANNA, "A01+1"), await stage.press(ANNA, "A01")):
            assert answer == {"verdict": "order", "reason": "not_live", "lines": []}
        assert [line["text"] for line in await stage.log("chat")] == ["A01+1"], "the line is shown all the same"
        await stage.command("start")
        await stage.command("end")
        with pytest.raises(ShowStageWrong):
            await stage.say(ANNA, "A01+1")
        with pytest.raises(ShowStageWrong):
            await stage.press(ANNA, "A01")
        assert await stage.held() == {}


async def test_what_was_not_understood_waits_for_a_person(stage: Stage) -> None:
    await stage.command("pin", code="A01")
    answer = await stage.say(ANNA, "多少錢")
    assert (answer["verdict"], answer["lines"]) == ("question", [])
    await stage.say(ANNA, "A99+1")
    question, unclear = await stage.log("triage")
    assert (question["text"], question["verdict"], question["pin"]) == ("多少錢", "question", "A01")
    assert question["by"] == viewer_handle(stage.mirror.state["salt"], "anna")
    assert (unclear["text"], unclear["reason"], unclear["name"]) == ("A99+1", "unknown_code", "Anna")


async def test_who_may_not_speak_is_told_why_and_leaves_no_line(valkey: Redis) -> None:
    async with opened_stage(valkey, per_window=2) as stage:
        await stage.command("start")
        await stage.command("mute", viewer="anna", seconds=60)
        with pytest.raises(Muted):
            await stage.say(ANNA, "hello")
        await stage.command("ban", viewer="anna")
        with pytest.raises(Banned):
            await stage.press(ANNA, "A01")

        before = COMMENTS.labels("too_much")._value.get()
        await stage.say(BEN, "one")
        await stage.press(BEN, "B01")
        with pytest.raises(TooMuch) as refused:
            await stage.say(BEN, "three")
        assert 0 < (refused.value.retry_after_ms or 0) <= 10_000
        with pytest.raises(TooMuch):
            await stage.press(BEN, "B01")
        for again in (stage.press(BEN, "B01", again=True), stage.say(BEN, "B01+1", again=True)):
            with pytest.raises(TooMuch):
                await again
        assert COMMENTS.labels("too_much")._value.get() == before + 4, "comments and presses"

        await stage.command("settings", slow_seconds=30)
        with pytest.raises(SlowMode):
            await stage.say(BEN, "too soon")
        assert [line["text"] for line in await stage.log("chat")] == ["one"]


async def test_a_known_id_gets_its_first_answer_whatever_was_set_meanwhile(valkey: Redis) -> None:
    async with opened_stage(valkey, per_window=4) as stage:
        await stage.command("start")
        ids = {"hello": "a-comment-1", "A01+1": "an-order-1"}
        said = {text: await stage.say(ANNA, text, id=one) for text, one in ids.items()}
        pressed = await stage.press(ANNA, "B01", id="a-press-1")
        await stage.say(ANNA, "the fourth")
        await stage.command("settings", slow_seconds=30)
        await stage.command("mute", viewer="anna", seconds=60)
        for text, first in said.items():
            assert await stage.say(ANNA, text, id=ids[text], again=True) == first
        assert await stage.press(ANNA, "B01", id="a-press-1", again=True) == pressed
        await stage.command("end")
        assert await stage.say(ANNA, "A01+1", id=ids["A01+1"], again=True) == said["A01+1"]
        assert await stage.press(ANNA, "B01", id="a-press-1", again=True) == pressed


@pytest.mark.parametrize("text", ["hello", "B01+1", "A01取消", "A01+1"])
async def test_a_fresh_id_is_new_whatever_it_says_of_itself(stage: Stage, text: str) -> None:
    """And an id that stock knows is no way around either: not for other words, not for another order."""
    await stage.say(ANNA, "A01+2", id="an-order-1")
    held, lines = await stage.held(), len(await stage.log("chat"))
    await stage.command("mute", viewer="anna", seconds=60)
    with pytest.raises(Muted):
        await stage.say(ANNA, text, id="a-fresh-id", again=True)
    with pytest.raises(Muted):
        await stage.press(ANNA, "B01", id="a-fresh-id", again=True)
    with pytest.raises(IdReused):
        await stage.say(ANNA, text, id="an-order-1", again=True)
    assert (await stage.held(), len(await stage.log("chat"))) == (held, lines)


async def test_a_fresh_id_waits_in_slow_mode_whatever_it_says_of_itself(stage: Stage) -> None:
    """An order is taken, but its words are read by everyone only when it is their turn."""
    await stage.command("settings", slow_seconds=60)
    await stage.say(ANNA, "hello")
    await stage.catch_up()
    for again in (False, True):
        assert (await stage.say(ANNA, "A01+1 加賴 my-own-shop", again=again))["reason"] == "reserved"
    assert [line.get("shadow") for line in await stage.log("chat")] == [None, True, True]


async def test_blocked_words_refuse_a_comment_and_hide_an_order(stage: Stage) -> None:
    await stage.command("words", add=["謝謝"])
    with pytest.raises(CommentRefused):
        await stage.say(ANNA, "謝謝")
    assert await stage.log("chat") == []
    assert (await stage.say(ANNA, "A01+1 謝謝"))["reason"] == "reserved"
    (line,) = await stage.log("chat")
    assert (line["text"], line["shadow"]) == ("A01+1 謝謝", True)


async def test_first_comments_are_held_and_their_names_too(stage: Stage) -> None:
    await stage.command("settings", first_hold=True)
    assert await stage.say(ANNA, "hello") == {"verdict": "held", "reason": "first_comment", "lines": []}
    await stage.catch_up()
    assert stage.mirror.state["names"] == {}, "nobody has seen the name, so it is nobody's yet"
    assert [line["text"] for line in stage.mirror.state["held"].values()] == ["hello"]
    assert (await stage.say(ANNA, "A01+1"))["reason"] == "reserved", "an order is never held"


async def test_a_buyer_is_introduced_once_for_each_name(stage: Stage) -> None:
    for name in ("Anna", "Anna", "安娜"):
        await stage.press(Person("anna", name), "B01")
        await stage.catch_up()
    assert [event["name"] for event in await stage.log("name")] == ["Anna", "安娜"]
    assert stage.mirror.state["names"] == {"anna": "安娜"}


@pytest.mark.parametrize("text", ["hello", "A01+1", "A01取消", "外套嗎???", "A02+1", "A99+1"])
async def test_a_line_sent_again_counts_once_and_is_answered_alike(stage: Stage, text: str) -> None:
    await stage.press(ANNA, "A01")
    first = await stage.say(ANNA, text, id="a-comment-1")
    held = await stage.held()
    assert await stage.say(ANNA, text, id="a-comment-1", again=True) == first
    assert await stage.held() == held
    assert [line["text"] for line in await stage.log("chat")] == [text]


async def test_somebody_elses_id_is_refused(stage: Stage) -> None:
    await stage.say(ANNA, "mine", id="a-comment-1")
    for again in (False, True):
        with pytest.raises(IdReused):
            await stage.say(BEN, "mine", id="a-comment-1", again=again)


async def test_only_an_own_ticket_is_given_back(stage: Stage) -> None:
    await stage.press(ANNA, "A01", quantity=2)

    def back(who: Person, reservation: str) -> Withdrawal:
        return Withdrawal(show=SHOW, speaker=who, id=new_id(), reservation=reservation)

    with pytest.raises(NotYours):
        await stage.path.cancel(stage.mirror, back(BEN, "A01#1"))
    with pytest.raises(ReservationUnknown):
        await stage.path.cancel(stage.mirror, back(ANNA, "A01#9"))
    answer = await stage.path.cancel(stage.mirror, back(ANNA, "A01#1"))
    assert (answer["reason"], answer["lines"][0]["code"]) == ("cancelled", "A01")
    assert await stage.held() == {}
