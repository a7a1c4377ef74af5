"""What viewers do beside comments: moderated and counted as comments are, done once, answered to its author alone."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from livecommerce.errors import BadInput, IdReused, NotAllowed, TooMuch
from livecommerce.intake.errors import CommentNotText, CommentTooLong
from livecommerce.intake.viewer_commands import ViewerCommands
from livecommerce.shows.errors import Banned, CommandUnknown, CommentRefused, Muted, ShowStageWrong, SlowMode
from livecommerce.shows.kinds.question import questions_of
from tests.intake.demo_show import ANNA, BEN, SHOW, Person, Stage, new_id, opened_stage

LENGTH_MAX = 50


async def act(stage: Stage, who: Person, do: str, **fields: Any) -> dict[str, Any]:
    commands = ViewerCommands(stage.store, stage.path, LENGTH_MAX)
    outcome = await commands.execute(SHOW, stage.mirror, who, {"id": new_id(), "do": do, **fields})
    await stage.catch_up()
    return outcome


async def ask(stage: Stage, who: Person, text: str = "有大一號的嗎？", **fields: Any) -> dict[str, Any]:
    return await act(stage, who, "ask_question", text=text, **fields)


async def test_a_command_is_done_once_for_its_id(stage: Stage) -> None:
    first = await ask(stage, ANNA, id="question-1")
    assert first == {"question": "question-1", "held": False}
    assert await ask(stage, ANNA, id="question-1", again=True) == first
    with pytest.raises(IdReused):
        await ask(stage, ANNA, "other words", id="question-1")
    (question,) = questions_of(stage.mirror.state).values()
    assert (question["viewer"], question["name"], question["text"]) == ("anna", "Anna", "有大一號的嗎？")


@pytest.mark.parametrize("again", [False, True])
async def test_somebody_elses_id_is_refused_and_tells_nothing(stage: Stage, again: bool) -> None:
    await ask(stage, ANNA, id="question-1")
    for who, identity in ((BEN, "question-1"), (BEN, "a-comment-1")):
        if identity == "a-comment-1":
            await stage.say(ANNA, "mine", id=identity)
        with pytest.raises(IdReused):
            await ask(stage, who, id=identity, again=again)
    assert len(questions_of(stage.mirror.state)) == 1


REFUSED: list[tuple[dict[str, Any], dict[str, Any], type[Exception]]] = [
    ({"do": "mute", "viewer": "anna"}, {}, Muted),
    ({"do": "ban", "viewer": "anna"}, {}, Banned),
    ({"do": "end"}, {}, ShowStageWrong),
    ({"do": "words", "add": ["壞話"]}, {"text": "壞 話"}, CommentRefused),
    ({"do": "settings", "links_off": True}, {"text": "see https://x.example"}, CommentRefused),
    ({"do": "notice"}, {"text": " \n"}, CommentNotText),
    ({"do": "notice"}, {"text": "字" * (LENGTH_MAX + 1)}, CommentTooLong),
    ({"do": "notice"}, {"text": 7}, BadInput),
    ({"do": "notice"}, {"do": "dance"}, CommandUnknown),
    ({"do": "notice"}, {"do": "end"}, NotAllowed),
]


@pytest.mark.parametrize(("before", "fields", "error"), REFUSED, ids=lambda value: str(value)[:40])
async def test_what_is_refused_changes_nothing(
    stage: Stage, before: dict[str, Any], fields: dict[str, Any], error: type[Exception]
) -> None:
    await stage.command(**before)
    with pytest.raises(error):
        await act(stage, ANNA, **{"do": "ask_question", "text": "hello", **fields})
    assert questions_of(stage.mirror.state) == {}


@pytest.mark.parametrize(
    ("before", "place"),
    [({"do": "settings", "first_hold": True}, "held"), ({"do": "shadow", "viewer": "anna"}, "shadow")],
)
async def test_words_are_moderated_as_those_of_a_comment(stage: Stage, before: dict[str, Any], place: str) -> None:
    await stage.command(**before)
    assert (await ask(stage, ANNA))["held"] == (place == "held")
    (question,) = questions_of(stage.mirror.state).values()
    assert question["place"] == place


async def test_commands_count_with_comments(valkey: Redis) -> None:
    async with opened_stage(valkey, per_window=2) as stage:
        await stage.command("start")
        await stage.say(ANNA, "hello")
        await ask(stage, ANNA, id="question-1")
        with pytest.raises(TooMuch):
            await ask(stage, ANNA)
        assert (await ask(stage, ANNA, id="question-1", again=True))["question"] == "question-1", "not counted again"
        await act(stage, BEN, "vote_question", question="question-1")


async def test_slow_mode_is_for_those_who_speak(stage: Stage) -> None:
    await ask(stage, ANNA, id="question-1")
    await stage.command("settings", slow_seconds=30)
    with pytest.raises(SlowMode):
        await ask(stage, ANNA)
    assert await act(stage, ANNA, "vote_question", question="question-1") == {"question": "question-1", "up": True}
