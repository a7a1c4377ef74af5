"""Slow mode, first lines held, links off: what they refuse is words, never a sale; and names are words too."""

from __future__ import annotations

import pytest

from livecommerce.intake.mirror import ShowMirror
from livecommerce.intake.plain_orders import is_bare
from livecommerce.intake.viewer_commands import ViewerCommands
from livecommerce.shows.errors import SlowMode
from livecommerce.shows.model import viewer_handle
from livecommerce.shows.projection import guest_name
from tests.intake.demo_show import ANNA, BEN, SHOW, Person, Stage, new_id


def _guest(stage: Stage, who: Person) -> str:
    return guest_name(viewer_handle(stage.mirror.state["salt"], who.viewer))


async def test_the_first_line_is_held_though_the_page_has_sent_a_name(stage: Stage) -> None:
    await stage.command("settings", first_hold=True)
    await stage.store.name(SHOW, "anna", "Anna")
    await stage.catch_up()
    held = await stage.say(ANNA, "hello")
    assert (held["verdict"], held["reason"]) == ("held", "first_comment")
    await stage.catch_up()
    assert (await stage.say(ANNA, "hello again"))["verdict"] == "held", "none was shown yet"
    await stage.catch_up()
    (first, _) = stage.mirror.state["held"]
    await stage.command("unhide", comment=first)
    assert (await stage.say(ANNA, "now"))["verdict"] == "none"
    stage.mirror = await ShowMirror.opened(stage.store, SHOW)
    assert (await stage.say(ANNA, "and after a restart"))["verdict"] == "none"


async def test_who_was_shown_before_the_rule_is_not_held(stage: Stage) -> None:
    await stage.say(ANNA, "hello")
    await stage.catch_up()
    await stage.command("settings", first_hold=True)
    for _ in range(2):
        assert (await stage.say(ANNA, "still here"))["verdict"] == "none"
        stage.mirror = await ShowMirror.opened(stage.store, SHOW)


@pytest.mark.parametrize("text", ["A01+1", "A01+1 @my-own-shop", "A02+1", "A01取消"])
async def test_an_order_passes_but_opens_no_door_for_words(text: str, stage: Stage) -> None:
    await stage.command("settings", first_hold=True)
    assert (await stage.say(ANNA, text))["verdict"] in ("order", "change")
    await stage.catch_up()
    assert (await stage.say(ANNA, "hello"))["verdict"] == "held"


async def test_slow_mode_refuses_no_order(stage: Stage) -> None:
    await stage.command("pin", code="A01")
    await stage.command("settings", slow_seconds=60)
    await stage.say(ANNA, "hello")
    for text, shown in (("+1", True), ("A01 +1 謝謝", True), ("A01+1 @my-own-shop", False), ("A01-1", True)):
        answer = await stage.say(ANNA, text)
        assert answer["reason"] in ("reserved", "reduced"), text
        line = (await stage.log("chat"))[-1]
        assert (line["text"], bool(line.get("shadow"))) == (text, not shown)
    with pytest.raises(SlowMode):
        await stage.say(ANNA, "more words")


async def test_an_order_alone_does_not_make_its_author_wait(stage: Stage) -> None:
    await stage.command("settings", slow_seconds=60)
    await stage.say(ANNA, "A01+1")
    await stage.catch_up()
    assert (await stage.say(ANNA, "hello"))["verdict"] == "none"
    with pytest.raises(SlowMode):
        await stage.say(ANNA, "again")


@pytest.mark.parametrize(
    ("name", "settings", "free"),
    [
        ("小花", {}, True),
        ("小花", {"first_hold": True}, False),
        ("buy-at.com", {}, True),
        ("buy-at.com", {"links_off": True}, False),
        ("buy-at.com", {"links_off": True, "first_hold": True, "slow_seconds": 60}, False),
        ("b.a.d", {}, False),
        ("主持人 ✔", {}, False),
        ("Shop", {}, False),
        ("玲玲", {}, False),
    ],
)
async def test_the_name_of_an_order_is_as_free_as_a_line(
    name: str, settings: dict[str, object], free: bool, stage: Stage
) -> None:
    await stage.command("words", add=["bad"])
    await stage.command("settings", **settings)
    stage.mirror.use_staff_names(["玲玲"])
    who = Person("who", name)
    assert (await stage.say(who, "A01+1"))["reason"] == "reserved"
    assert (await stage.press(who, "B01"))["reason"] == "reserved"
    commands = ViewerCommands(stage.store, stage.path, 200)
    await commands.execute(SHOW, stage.mirror, who, {"do": "ask_question", "id": new_id(), "text": "幾點結束"})
    await stage.catch_up()
    state = stage.mirror.state
    names = {state["chat"][-1]["name"], state["names"]["who"], (await stage.log("question"))[0]["question"]["name"]}
    assert names == {name if free else _guest(stage, who)}


async def test_a_name_goes_when_somebody_of_the_staff_takes_it(stage: Stage) -> None:
    for names, expected in (((), "Anna"), (["Anna"], _guest(stage, ANNA)), ((), "Anna")):
        stage.mirror.use_staff_names(names)
        await stage.say(ANNA, "hello")
        assert (await stage.log("chat"))[-1]["name"] == expected


async def test_a_held_line_comes_to_staff_with_the_name_it_asks_for(stage: Stage) -> None:
    await stage.command("settings", first_hold=True)
    await stage.say(BEN, "hello")
    await stage.say(Person("cleo", "客服"), "hello")
    assert [line["name"] for line in await stage.log("triage")] == ["Ben", _guest(stage, Person("cleo", ""))]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("+1", True),
        ("A01+1", True),
        ("a01 x 2", True),
        ("帆布包 +1 謝謝", True),
        ("A02 紅色 M 兩件", True),
        ("紅M+1❤️", True),
        ("I want A01", True),
        ("A01+1 加賴 abc", False),
        ("A01+1 0912345678", False),
        ("A01+1 t.me/abc", False),
        ("A01+1 這家是詐騙", False),
        ("A01取消", True),
    ],
)
async def test_what_an_order_says_beside_itself(text: str, bare: bool, stage: Stage) -> None:
    assert is_bare(text, stage.mirror.state) is bare


async def test_staff_speak_under_their_display_name(stage: Stage) -> None:
    await stage.command("say", text="hello")
    (line,) = await stage.log("chat")
    assert line["name"] == "Shop", "who has none speaks for the shop"
    assert "host1" not in str({key: line[key] for key in ("name", "text", "viewer")})
