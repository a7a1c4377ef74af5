"""What waits for a person is not written over by an id whose answer the show has forgotten."""

from __future__ import annotations

import pytest

from livecommerce.errors import IdReused
from livecommerce.shows.packing import pack
from livecommerce.shows.store import ChatLine, ShowStore
from tests.shows.world import SHOW, speak

ID = "the-same-id-1"


def _line(viewer: str) -> ChatLine:
    event = {
        "t": "chat",
        "id": ID,
        "viewer": viewer,
        "name": "",
        "text": viewer,
        "at": 1,
        "kind": "viewer",
        "held": True,
    }
    triage = {"t": "triage", "comment": ID, "viewer": viewer, "text": viewer, "at": 1}
    answer = pack({"verdict": "held", "reason": "first_comment", "viewer": viewer})
    return ChatLine(ID, viewer, "", "held", answer, pack(event), pack(triage))


async def _forget_answers(store: ShowStore) -> None:
    keys = await store.keys_of(SHOW)
    await store.redis.delete(keys.done, keys.done_order)


async def test_a_line_that_waits_stays_its_authors(store: ShowStore) -> None:
    await store.append_chat(SHOW, _line("anna"))
    await _forget_answers(store)
    await store.append_chat(SHOW, _line("ben"))
    state = await store.load(SHOW)
    assert (state["held"][ID]["text"], state["triage"][ID]["text"]) == ("anna", "anna")


async def test_a_question_stays_its_authors(store: ShowStore) -> None:
    await speak(store, "anna", "ask_question", id=ID, text="when")
    await _forget_answers(store)
    with pytest.raises(IdReused):
        await speak(store, "ben", "ask_question", id=ID, text="spam")
