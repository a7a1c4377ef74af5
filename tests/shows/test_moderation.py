"""Who may act, whose address is barred, and what happens to the words of a line: a row each."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.shows.kinds.buyer import NOTHING_SET
from livecommerce.shows.moderation import (
    Words,
    barred,
    held_newcomer,
    may_act,
    may_introduce,
    name_is_free,
    network_refusal,
    rule,
    slow_error,
    slow_wait_ms,
)
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore
from livecommerce.shows.words import WordFilter, fold_word
from tests.shows.world import SHOW

NOW = 1_000_000
WORDS = WordFilter([fold_word("bad"), fold_word("壞話")])


@pytest.fixture
async def state(store: ShowStore) -> State:
    """A show in which `speaker` has spoken and `banned` was banned at the address mark `home`."""
    state = await store.load(SHOW)
    state["names"] = {"speaker": "Speaker", "named": "Named"}
    state["spoken"] = {"speaker": True}
    state["addresses"] = {"home": "banned"}
    state["buyers"] = {
        "banned": {**NOTHING_SET, "banned": True},
        "muted": {**NOTHING_SET, "muted_until": NOW + 5_000},
        "was-muted": {**NOTHING_SET, "muted_until": NOW},
        "shadow": {**NOTHING_SET, "shadow": True},
        "restricted": {**NOTHING_SET, "restricted": True, "hold_max": 1},
    }
    return state


@pytest.mark.parametrize(
    ("viewer", "stage", "code"),
    [
        ("speaker", "live", None),
        ("speaker", "scheduled", None),
        ("speaker", "ended", "show_stage_wrong"),
        ("banned", "live", "banned"),
        ("muted", "live", "muted"),
        ("was-muted", "live", None),
        ("shadow", "live", None),
        ("restricted", "live", None),
    ],
)
async def test_who_may_act(viewer: str, stage: str, code: str | None, state: State) -> None:
    state["show"]["stage"] = stage
    refusal = may_act(state, viewer, NOW)
    assert (refusal and refusal.code) == code
    if code == "muted":
        assert refusal is not None
        assert refusal.retry_after_ms == 5_000


@pytest.mark.parametrize(("viewer", "out"), [("banned", True), ("newcomer", False), ("muted", False)])
async def test_a_ban_keeps_one_viewer_out(viewer: str, out: bool, state: State) -> None:
    assert barred(state, viewer) is out


@pytest.mark.parametrize(
    ("viewer", "address", "until", "expected"),
    [
        ("newcomer", "home", NOW + 5_000, 5_000),
        ("newcomer", "home", NOW, None),
        ("newcomer", "home", 0, None),  # a ban of one viewer, or of before networks were asked about
        ("newcomer", "elsewhere", NOW + 5_000, None),
        ("speaker", "home", NOW + 5_000, None),  # whole networks share an address: who is known may speak
        ("named", "home", NOW + 5_000, None),
        ("buyer", "home", NOW + 5_000, None),
    ],
)
async def test_a_network_keeps_newcomers_from_speaking(
    viewer: str, address: str, until: int, expected: int | None, state: State
) -> None:
    state["buyers"]["banned"]["network_until"] = until
    state["tickets"] = {"A01#1": {"viewer": "buyer"}}  # type: ignore[typeddict-item]
    refusal = network_refusal(state, viewer, address, NOW)
    assert (refusal and refusal.retry_after_ms) == expected


@pytest.mark.parametrize(
    ("viewer", "mark", "until", "is_held"),
    [
        ("newcomer", "home", NOW + 1, True),
        ("named", "home", NOW + 1, True),  # a name is no line
        ("newcomer", "home", NOW, False),
        ("newcomer", "elsewhere", NOW + 1, False),
        ("old-cookie", "", NOW + 1, False),
        ("speaker", "home", NOW + 1, False),
    ],
)
async def test_first_lines_from_a_banned_viewers_network_wait(
    viewer: str, mark: str, until: int, is_held: bool, state: State
) -> None:
    state["buyers"]["banned"]["newcomers_held_until"] = until
    assert held_newcomer(state, viewer, mark, NOW) is is_held


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (Words("hello", held=True), "held"),
        (Words("A01+1 hello", is_order=True, held=True), "shadow"),  # the order counts
        (Words("A01+1", is_order=True, bare=True, held=True), "log"),
        (Words("hello"), "log"),
    ],
)
def test_what_waits_like_a_first_line_whatever_the_settings(state: State, words: Words, place: str) -> None:
    assert rule(state, WORDS, "newcomer", words).place == place
    blocked = rule(state, WORDS, "newcomer", words._replace(text="b-a-d"))
    assert blocked.refuse is not None or blocked.reason == "words", "other rules go first"


@pytest.mark.parametrize(
    ("viewer", "text", "is_order", "settings", "expected"),
    [
        ("named", "hello", False, {"first_hold": True}, ("held", "first")),  # a name is no line
        ("newcomer", "A01+1 call me", True, {"first_hold": True}, ("shadow", "first")),
        ("named", "A01+1 call me", True, {"first_hold": True}, ("shadow", "first")),
        ("speaker", "A01+1 call me", True, {"first_hold": True}, ("log", "")),
        ("speaker", "hello", False, {}, ("log", "")),
        ("speaker", "b-a-d", False, {}, ("refused", "words")),
        ("speaker", "A01+1 bad", True, {}, ("shadow", "words")),  # an order counts, its words are not shown
        ("speaker", "說壞話", False, {}, ("refused", "words")),
        ("speaker", "badly", False, {}, ("log", "")),
        ("speaker", "see example.com", False, {}, ("log", "")),
        ("speaker", "see example.com", False, {"links_off": True}, ("refused", "links")),
        ("speaker", "A01+1 example.com", True, {"links_off": True}, ("shadow", "links")),
        ("shadow", "hello", False, {}, ("shadow", "shadow")),
        ("newcomer", "hello", False, {"first_hold": True}, ("held", "first")),
        ("newcomer", "A01+1", True, {"first_hold": True}, ("log", "")),
        ("speaker", "hello", False, {"first_hold": True}, ("log", "")),
    ],
)
async def test_what_happens_to_the_words(
    viewer: str, text: str, is_order: bool, settings: dict[str, Any], expected: tuple[str, str], state: State
) -> None:
    state["settings"] |= settings  # type: ignore[typeddict-item]
    ruling = rule(state, WORDS, viewer, Words(text, is_order, bare=text == "A01+1"))
    if ruling.refuse is None:
        assert (ruling.place, ruling.reason) == expected
    else:
        assert ("refused", ruling.refuse.details["why"]) == expected


@pytest.mark.parametrize(
    ("is_order", "bare", "place"), [(True, True, "log"), (True, False, "shadow"), (False, False, "log")]
)
async def test_slow_mode_keeps_the_words_of_an_order_alone(
    is_order: bool, bare: bool, place: str, state: State
) -> None:
    ruling = rule(state, WORDS, "speaker", Words("A01+1", is_order, bare, slow=True))
    assert (ruling.place, ruling.refuse) == (place, None)  # who may not speak yet was refused before


@pytest.mark.parametrize(
    ("name", "settings", "free"),
    [
        ("小花", {}, True),
        ("b.a.d", {}, False),
        ("壞 話", {}, False),
        ("spam.com", {}, True),
        ("spam.com", {"links_off": True}, False),
        ("www.spam", {"links_off": True}, False),
    ],
)
async def test_a_name_keeps_to_the_rules_of_a_line(
    name: str, settings: dict[str, Any], free: bool, state: State
) -> None:
    state["settings"] |= settings  # type: ignore[typeddict-item]
    assert name_is_free(state, WORDS, name) is free


@pytest.mark.parametrize(
    ("viewer", "first_hold", "may"),
    [("named", False, True), ("named", True, False), ("speaker", True, True), ("newcomer", True, False)],
)
async def test_a_name_waits_as_the_first_line_does(viewer: str, first_hold: bool, may: bool, state: State) -> None:
    state["settings"]["first_hold"] = first_hold
    assert may_introduce(state, viewer) is may


async def test_slow_mode_counts_from_the_last_line(state: State) -> None:
    state["settings"]["slow_seconds"] = 10
    assert slow_wait_ms(state, NOW - 4_000, NOW) == 6_000
    assert slow_wait_ms(state, NOW - 10_000, NOW) == 0
    assert slow_error(5_001).retry_after_ms == 5_001
    assert "6 s" in slow_error(5_001).text
