"""Questions of viewers: asked, voted for by others, answered on air at a moment that the replay leads to.

A vote is a field of its own and is folded as a member of a set, so that votes of one moment all count, each viewer's
once, and taking one back is exact.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, TypedDict, cast

from msgspec import Meta

from livecommerce.bounds import Moment
from livecommerce.errors import Conflict, IdReused, NotFound, TooMuch
from livecommerce.shows.commands import Actor, Command, Speaker, ViewerCommand
from livecommerce.shows.decision import Decision, Sent, Write
from livecommerce.shows.kind import Effects, Kind, Parts, Stored
from livecommerce.shows.model import OutsideId
from livecommerce.shows.packing import pack, unpack
from livecommerce.shows.projection import Projector, Wire
from livecommerce.shows.state import Draft, Event, State, media_timestamp, part

QUESTIONS_MAX = 200  # of a show: a host answers one in some minutes
OPEN_PER_VIEWER_MAX = 3  # waiting ones of one viewer; more is a list, not a question
VOTES_MAX = 20_000  # of a show; each is read again with every snapshot


class Answered(TypedDict):
    at: Moment
    media_timestamp: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None  # of RTP


class QuestionRecord(TypedDict):
    """`place`: `log` for everyone, `shadow` and `held` as of a comment, `hidden` by staff."""

    id: str
    viewer: str
    name: str
    text: str
    at: int
    place: str
    answered: Answered | None


class AskQuestion(ViewerCommand, frozen=True, kw_only=True, tag="ask_question"):
    text: Annotated[str, Meta(min_length=1, max_length=200)]
    spoken: ClassVar[str] = "text"


class VoteQuestion(ViewerCommand, frozen=True, kw_only=True, tag="vote_question"):
    """`up` False takes the vote back."""

    question: OutsideId
    up: bool = True


class AnswerQuestion(Command, frozen=True, kw_only=True, tag="answer_question"):
    """The moment is now; `answered` is one kept by `reopen_question`, for its undo."""

    question: OutsideId
    answered: Answered | None = None


class ReopenQuestion(Command, frozen=True, kw_only=True, tag="reopen_question"):
    question: OutsideId


class HideQuestion(Command, frozen=True, kw_only=True, tag="hide_question"):
    question: OutsideId


class ShowQuestion(Command, frozen=True, kw_only=True, tag="show_question"):
    """Shows a hidden question again, or lets a held one through."""

    question: OutsideId


def questions_of(state: State) -> dict[str, QuestionRecord]:
    return cast("dict[str, QuestionRecord]", part(state, "questions"))


def _question(state: State, identity: str) -> QuestionRecord:
    record = questions_of(state).get(identity)
    if record is None:
        raise NotFound("This show has no such question.")
    return record


def ask(state: State, command: AskQuestion, speaker: Speaker, now_ms: int) -> Decision:
    if command.id in questions_of(state):  # the answer kept with the id is long forgotten, the question is not
        raise IdReused()
    mine = [one for one in questions_of(state).values() if one["viewer"] == speaker.viewer and not one["answered"]]
    if len(mine) >= OPEN_PER_VIEWER_MAX:
        raise TooMuch(f"{OPEN_PER_VIEWER_MAX} of your questions are still waiting for an answer.")
    record: QuestionRecord = {
        "id": command.id, "viewer": speaker.viewer, "name": speaker.name, "text": command.text, "at": now_ms,
        "place": speaker.place, "answered": None,
    }  # fmt: skip
    write = Write("questions", "hset", command.id, pack(record), QUESTIONS_MAX)
    outcome = {"question": command.id, "held": speaker.place == "held"}
    return Decision([{"t": "question", "question": record, "at": now_ms}], [write], outcome)


def vote(state: State, command: VoteQuestion, speaker: Speaker, now_ms: int) -> Decision:
    if _question(state, command.question)["place"] != "log":
        raise NotFound("This show has no such question.")
    ballot = f"{command.question}/{speaker.viewer}"
    write = Write("votes", "hset", ballot, "", VOTES_MAX) if command.up else Write("votes", "hdel", ballot)
    event = {"t": "vote", "question": command.question, "viewer": speaker.viewer, "up": command.up, "at": now_ms}
    return Decision([event], [write], {"question": command.question, "up": command.up})


def _changed(record: QuestionRecord, now_ms: int, inverse: Sent | None, **change: Any) -> Decision:
    after = {**record, **change}
    event = {"t": "question", "question": after, "at": now_ms}
    write = Write("questions", "hset", record["id"], pack(after))
    outcome = {"question": record["id"], **change}
    return Decision([event], [write], outcome, inverse)


def answer(state: State, command: AnswerQuestion, actor: Actor, now_ms: int) -> Decision:
    record = _question(state, command.question)
    if record["answered"] is not None:
        raise Conflict("This question is answered already.")
    now: Answered = {"at": now_ms, "media_timestamp": media_timestamp(state["clock"], now_ms)}
    inverse = {"do": "reopen_question", "question": command.question}
    return _changed(record, now_ms, inverse, answered=command.answered or now)


def reopen(state: State, command: ReopenQuestion, actor: Actor, now_ms: int) -> Decision:
    record = _question(state, command.question)
    inverse = {"do": "answer_question", "question": record["id"], "answered": record["answered"]}
    return _changed(record, now_ms, inverse if record["answered"] else None, answered=None)


def hide(state: State, command: HideQuestion, actor: Actor, now_ms: int) -> Decision:
    record = _question(state, command.question)
    inverse = {"do": "show_question", "question": record["id"]}
    return _changed(record, now_ms, inverse if record["place"] == "log" else None, place="hidden")


def show(state: State, command: ShowQuestion, actor: Actor, now_ms: int) -> Decision:
    inverse = {"do": "hide_question", "question": command.question}
    return _changed(_question(state, command.question), now_ms, inverse, place="log")


def apply(draft: Draft, event: Event) -> None:
    draft.own("questions")[event["question"]["id"]] = event["question"]


def apply_vote(draft: Draft, event: Event) -> None:
    question, ballot = event["question"], f"{event['question']}/{event['viewer']}"
    votes = draft.own("votes")
    if event["up"] == (ballot in votes):  # sent again, or taken back twice
        return
    counts = draft.own("vote_counts")
    if event["up"]:
        votes[ballot] = True
        counts[question] = counts.get(question, 0) + 1
    else:
        del votes[ballot]
        counts[question] -= 1
        if not counts[question]:
            del counts[question]


def _shape(projector: Projector, state: State, record: QuestionRecord, staff: bool) -> Parts:
    shape = {
        "id": record["id"], "by": projector.by(record["viewer"]), "name": record["name"], "text": record["text"],
        "at": record["at"], "votes": part(state, "vote_counts").get(record["id"], 0), "answered": record["answered"],
    }  # fmt: skip
    return {**shape, "viewer": record["viewer"], "place": record["place"]} if staff else shape


def project(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    record = questions_of(after)[event["question"]["id"]]
    wire.staff.append({"t": "question", **_shape(projector, after, record, True)})
    shown = {"t": "question", **_shape(projector, after, record, False)}
    if record["place"] == "log":
        wire.public.append(shown)
    else:
        wire.public.append({"t": "question_gone", "id": record["id"]})
        if record["place"] != "hidden":
            wire.to(record["viewer"], shown)


def project_vote(projector: Projector, event: Event, after: State, wire: Wire) -> None:
    question = event["question"]
    if questions_of(after)[question]["place"] == "log":
        votes = part(after, "vote_counts").get(question, 0)
        wire.everyone_once(("votes", question), {"t": "votes", "question": question, "votes": votes})
    wire.to(event["viewer"], {"t": "voted", "question": question, "up": event["up"]})


def load(stored: Stored) -> Parts:
    """Votes as a set of ballots `question/viewer`, and what they come to."""
    votes = dict.fromkeys(stored.maps["votes"], True)
    return {
        "questions": {identity: unpack(blob) for identity, blob in stored.maps["questions"].items()},
        "votes": votes,
        "vote_counts": dict(Counter(ballot.split("/")[0] for ballot in votes)),
    }


def shown(state: State, projector: Projector, staff: bool) -> Parts:
    records = sorted(questions_of(state).values(), key=lambda record: record["at"])
    listed = [record for record in records if staff or record["place"] == "log"]
    return {"questions": [_shape(projector, state, record, staff) for record in listed]}


def mine(state: State, projector: Projector, viewer: str) -> Parts:
    """The ids voted for, and own questions that not everyone sees."""
    votes, records = part(state, "votes"), questions_of(state).values()
    own = [record for record in records if record["viewer"] == viewer and record["place"] in ("held", "shadow")]
    return {
        "voted": [record["id"] for record in records if f"{record['id']}/{viewer}" in votes],
        "asked": [_shape(projector, state, record, False) for record in own],
    }


def moment(event: Event) -> Event | None:
    """The answer in the replay; taken away again where the question was reopened or hidden."""
    if event["t"] != "question":
        return None
    record: QuestionRecord = event["question"]
    kept = {"t": "moment", "kind": "question", "id": record["id"]}
    if record["answered"] is None or record["place"] != "log":
        return {**kept, "at": None}
    return {**kept, "text": record["text"], "name": record["name"], **record["answered"]}


KIND = Kind(
    "question",
    events={"question": Effects(apply, project), "vote": Effects(apply_vote, project_vote)},
    commands={AnswerQuestion: answer, ReopenQuestion: reopen, HideQuestion: hide, ShowQuestion: show},
    viewer_commands={AskQuestion: ask, VoteQuestion: vote},
    hashes=("questions", "votes"),
    load=load,
    shown=shown,
    mine=mine,
    moment=moment,
)
