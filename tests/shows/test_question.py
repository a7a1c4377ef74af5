"""Questions: each viewer's vote counts once, whatever comes at the same moment; the answer keeps its moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.errors import Conflict, LiveCommerceError, NotFound, TooMuch
from livecommerce.shows.commands import Speaker
from livecommerce.shows.decision import Decision
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds import question
from livecommerce.shows.projection import Projector
from livecommerce.shows.state import State, part
from livecommerce.shows.store import ShowStore
from tests.shows.world import KINDS, MODERATOR, SHOW, give, new_id, speak

ASKED = {"viewer_says": {"viewer": "anna", "do": "ask_question", "id": "question-1", "text": "有大號嗎"}}
VOTED = {"viewer_says": {"viewer": "ben", "do": "vote_question", "question": "question-1"}}
BACK = {"viewer_says": {"viewer": "ben", "do": "vote_question", "question": "question-1", "up": False}}
STORIES: dict[str, list[dict[str, Any]]] = {
    "answer_question": [ASKED, VOTED, {"do": "answer_question", "question": "question-1"}],
    "reopen_question": [
        ASKED,
        {"do": "answer_question", "question": "question-1"},
        VOTED,
        BACK,
        {"do": "reopen_question", "question": "question-1"},
    ],
    "hide_question": [ASKED, {"do": "hide_question", "question": "question-1"}],
    "show_question": [
        ASKED,
        {"do": "hide_question", "question": "question-1"},
        {"do": "show_question", "question": "question-1"},
    ],
}

RIGHTS = {
    "ask_question": "viewers",
    "vote_question": "viewers",
    **dict.fromkeys(("answer_question", "reopen_question", "hide_question", "show_question"), "staff"),
}


async def votes(store: ShowStore) -> dict[str, int]:
    return dict(part(await store.load(SHOW), "vote_counts"))


async def test_votes_of_one_moment_all_count_each_viewer_once(store: ShowStore) -> None:
    await speak(store, "anna", "ask_question", id="question-1", text="有大號嗎")
    crowd = [f"viewer-{number}" for number in range(40)]
    await asyncio.gather(*(speak(store, viewer, "vote_question", question="question-1") for viewer in crowd * 2))
    assert await votes(store) == {"question-1": 40}
    back = crowd[:10]
    await asyncio.gather(
        *(speak(store, viewer, "vote_question", question="question-1", up=False) for viewer in back * 2)
    )
    assert await votes(store) == {"question-1": 30}
    before = await store.load(SHOW)
    folded = KINDS.fold(before, [{"t": "vote", "question": "question-1", "viewer": back[0], "up": False, "at": 1}])
    assert part(folded, "vote_counts") == {"question-1": 30}, "taken back twice"


async def test_a_vote_does_not_make_staff_decide_again(store: ShowStore, executor: Executor) -> None:
    await speak(store, "anna", "ask_question", id="question-1", text="有大號嗎")
    version = (await store.load(SHOW))["version"]
    await speak(store, "ben", "vote_question", question="question-1")
    assert (await store.load(SHOW))["version"] == version
    await give(executor, "notice", text="hi")
    assert (await store.load(SHOW))["version"] != version


async def test_the_answer_keeps_its_moment_and_undo_brings_back_the_same(store: ShowStore, executor: Executor) -> None:
    await speak(store, "anna", "ask_question", id="question-1", text="有大號嗎")
    await store.media_clock(SHOW, 90_000)
    await give(executor, "answer_question", question="question-1", actor=MODERATOR)
    state = await store.load(SHOW)
    answered = part(state, "questions")["question-1"]["answered"]
    assert answered["media_timestamp"] is not None
    with pytest.raises(Conflict):
        await give(executor, "answer_question", question="question-1")
    await give(executor, "reopen_question", question="question-1", id="reopen-one")
    assert part(await store.load(SHOW), "questions")["question-1"]["answered"] is None
    await give(executor, "undo", command="reopen-one")
    assert part(await store.load(SHOW), "questions")["question-1"]["answered"] == answered


async def test_no_more_questions_than_a_show_keeps(store: ShowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question, "QUESTIONS_MAX", 2)
    texts = [speak(store, f"viewer-{number}", "ask_question", text="?") for number in range(5)]
    answers = await asyncio.gather(*texts, return_exceptions=True)
    assert sum(isinstance(answer, TooMuch) for answer in answers) == 3
    state = await store.load(SHOW)
    assert len(part(state, "questions")) == 2
    entries = await store.read(SHOW, "0-0")
    assert sum(event["t"] == "question" for _, events in entries for event in events) == 2, "refused ones are not told"


def asked(place: str = "log", **more: Any) -> dict[str, Any]:
    record = {"id": "question-1", "viewer": "anna", "name": "Anna", "text": "有大號嗎", "at": 5, "place": place}
    return {**record, "answered": None, **more}


def state_with(store_state: State, *records: dict[str, Any]) -> State:
    events = [{"t": "question", "question": record, "at": 5} for record in records]
    return KINDS.fold(store_state, events)


REFUSED: list[tuple[str, dict[str, Any], type[LiveCommerceError]]] = [
    ("vote_question", {"question": "nowhere-1"}, NotFound),
    ("vote_question", {"question": "question-2"}, NotFound),  # hidden: who guesses its id learns nothing
    ("ask_question", {"text": "a fourth"}, TooMuch),
]


@pytest.mark.parametrize(("do", "fields", "error"), REFUSED)
async def test_what_a_viewer_is_refused(
    do: str, fields: dict[str, Any], error: type[LiveCommerceError], store: ShowStore
) -> None:
    many = [asked(id=f"question-{number}") for number in (1, 3, 4)]
    state = state_with(await store.load(SHOW), *many, asked("hidden", id="question-2", viewer="ben"))
    command = KINDS.read_viewer_command({"id": new_id(), "do": do, **fields})
    with pytest.raises(error):
        KINDS.decide_for_viewer(state, command, Speaker("anna", "Anna"), 10)


@pytest.mark.parametrize(
    ("place", "public", "to_author"),
    [("log", "question", False), ("held", "question_gone", True), ("shadow", "question_gone", True),
     ("hidden", "question_gone", False)],
)  # fmt: skip
async def test_who_is_shown_a_question(place: str, public: str, to_author: bool, store: ShowStore) -> None:
    event = {"t": "question", "question": asked(place), "at": 5}
    after = KINDS.fold(await store.load(SHOW), [event])
    wire = KINDS.project(Projector("salt"), [event], after)
    assert [shown["t"] for shown in wire.public] == [public]
    assert ("anna" in wire.private) is to_author
    assert wire.staff[0]["place"] == place
    assert "anna" not in str(wire.public), "the private id of a viewer"
    snapshot = KINDS.snapshot(after, Projector("salt"), 1)
    assert len(snapshot["questions"]) == (place == "log")
    assert len(KINDS.mine(after, Projector("salt"), "anna")["asked"]) == to_author


async def test_a_crowd_of_votes_is_one_event_a_tick(store: ShowStore) -> None:
    before = state_with(await store.load(SHOW), asked())
    events = [
        {"t": "vote", "question": "question-1", "viewer": f"viewer-{number}", "up": True, "at": 6}
        for number in range(50)
    ]
    after = KINDS.fold(before, events)
    wire = KINDS.project(Projector("salt"), events, after)
    assert wire.public == [{"t": "votes", "question": "question-1", "votes": 50}]
    assert len(wire.private) == 50


def test_a_replay_keeps_the_answer_until_it_is_taken_away() -> None:
    answered = {"at": 70, "media_timestamp": 9}

    def kept(**fields: Any) -> Any:
        return KINDS.moment({"t": "question", "question": asked(**fields), "at": 80})

    moment = kept(answered=answered)
    assert moment["at"] == 70
    assert "anna" not in moment.values()
    assert kept()["at"] is None, "reopened"
    assert kept(place="hidden", answered=answered)["at"] is None


async def test_staffs_decisions_name_what_takes_them_back(store: ShowStore) -> None:
    state = state_with(await store.load(SHOW), asked(), asked("held", id="question-2"))

    def inverse(do: str, identity: str) -> Any:
        command = KINDS.read_command({"id": new_id(), "do": do, "question": identity})
        decision = KINDS.decide(state, command, MODERATOR, 10)
        assert isinstance(decision, Decision)
        return decision.inverse and decision.inverse["do"]

    assert inverse("answer_question", "question-1") == "reopen_question"
    assert inverse("hide_question", "question-1") == "show_question"
    assert inverse("show_question", "question-2") == "hide_question"
    assert inverse("hide_question", "question-2") is None, "it was not for everyone before"
