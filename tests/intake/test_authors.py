"""An id belongs to whoever used it first, on every path that takes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from livecommerce.errors import IdReused
from livecommerce.intake import authors
from livecommerce.intake.mirror import ShowMirror
from livecommerce.intake.speech import Withdrawal
from livecommerce.intake.viewer_commands import ViewerCommands
from livecommerce.shows.commands import Actor
from livecommerce.shows.executor import Executor
from tests.intake.demo_show import ANNA, BEN, KINDS, SHOW, Person, Stage, opened_stage

ID = "the-same-id-1"
MODERATOR = Actor("momo", "moderator")
Path = Callable[[Stage, Person], Awaitable[Any]]


async def _ask(stage: Stage, who: Person) -> Any:
    commands = ViewerCommands(stage.store, stage.path, 200)
    return await commands.execute(SHOW, stage.mirror, who, {"do": "ask_question", "id": ID, "text": "幾點結束"})


async def _withdraw(stage: Stage, who: Person) -> Any:
    act = Withdrawal(show=SHOW, speaker=who, id=ID, reservation="A01#1")
    return await stage.path.cancel(stage.mirror, act)


PATHS: dict[str, Path] = {
    "chat": lambda stage, who: stage.say(who, "hello", id=ID),
    "order": lambda stage, who: stage.say(who, "A01+1", id=ID),
    "sold out": lambda stage, who: stage.say(who, "A02紅M+9", id=ID),
    "change": lambda stage, who: stage.say(who, "A01取消", id=ID),
    "unclear": lambda stage, who: stage.say(who, "A99+1", id=ID),
    "button": lambda stage, who: stage.press(who, "A01", id=ID),
    "question": _ask,
    "cancel": _withdraw,
}
FIRST = [name for name in PATHS if name not in ("cancel", "question")]


@pytest.mark.parametrize("later", PATHS)
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("opened_again", [False, True], ids=["same process", "after a restart"])
async def test_an_id_of_somebody_else_does_nothing(first: str, later: str, opened_again: bool, stage: Stage) -> None:
    await stage.press(ANNA, "A01")
    await PATHS[first](stage, ANNA)
    if opened_again:
        stage.mirror = await ShowMirror.opened(stage.store, SHOW)
    else:
        await stage.catch_up()
    held, lines = await stage.held(), await stage.log("chat")
    with pytest.raises(IdReused):
        await PATHS[later](stage, BEN)
    assert (await stage.held(), await stage.log("chat")) == (held, lines)


async def test_the_announcement_of_the_host_stays(stage: Stage) -> None:
    await stage.command("say", text="今晚八折", id=ID)
    for text in ("A01+1", "hello", "A99+1"):
        with pytest.raises(IdReused):
            await stage.say(BEN, text, id=ID)
    with pytest.raises(IdReused):
        await stage.press(BEN, "A01", id=ID)
    assert [line["text"] for line in (await stage.store.load(SHOW))["chat"]] == ["今晚八折"]


@pytest.mark.parametrize("do", ["say", "notice"])
async def test_staff_do_nothing_under_an_id_of_others(do: str, stage: Stage) -> None:
    await stage.say(ANNA, "hello", id=ID)
    await stage.command("say", text="mine", id="id-of-the-host")
    executor = Executor(stage.store)
    for identity in (ID, "id-of-the-host"):
        command = KINDS.read_command({"do": do, "id": identity, "text": "other"})
        with pytest.raises(IdReused):
            await executor.execute(SHOW, command, MODERATOR)
    assert [line["text"] for line in (await stage.store.load(SHOW))["chat"]] == ["hello", "mine"]


async def test_two_people_may_undo_the_same_thing(stage: Stage) -> None:
    await stage.command("notice", text="soon", id="the-notice-1")
    executor = Executor(stage.store)
    for number, actor in enumerate((MODERATOR, Actor("olga", "owner"))):
        undo = KINDS.read_command({"do": "undo", "id": f"undo-it-{number}", "command": "the-notice-1"})
        assert (await executor.execute(SHOW, undo, actor))["undone"] == "the-notice-1"


async def test_two_lines_of_one_id_stay_two_lines(stage: Stage) -> None:
    """Two processes may take the same id in one moment, before either has read of the other's."""
    elsewhere = await ShowMirror.opened(stage.store, SHOW)
    await stage.say(ANNA, "A01+1", id=ID)
    here, stage.mirror = stage.mirror, elsewhere
    await stage.say(BEN, "A01+1", id=ID)
    stage.mirror = here
    await stage.catch_up()
    assert [(line["viewer"], line["text"]) for line in stage.mirror.state["chat"]] == [
        ("anna", "A01+1"), ("ben", "A01+1"),
    ]  # fmt: skip
    assert stage.mirror.state["chat"] == (await stage.store.load(SHOW))["chat"]


async def test_the_oldest_ids_are_forgotten(valkey: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authors, "IDS_MAX", 2)
    async with opened_stage(valkey) as stage:
        for number in range(3):
            stage.mirror.authors.own(f"id-number-{number}", "anna")
        stage.mirror.authors.own("id-number-0", "ben")
        with pytest.raises(IdReused):
            stage.mirror.authors.own("id-number-2", "ben")
