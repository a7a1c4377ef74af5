"""May this comment be shown, and to whom? Pure: (state, viewer, text, time) → a ruling with a reason code.

Refusals (`refuse`) are errors the viewer sees. `place` tells what happens to the line: `log` everyone sees it,
`shadow` its author and staff, `held` staff until one lets it through. Orders always count: a held or shadowed line
never loses its reservation, only its words are not shown.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import Struct

from livecommerce.errors import LiveCommerceError
from livecommerce.shows.errors import Banned, CommentRefused, Muted, NetworkBarred, ShowStageWrong, SlowMode
from livecommerce.shows.state import BuyerRecord, State
from livecommerce.shows.words import WordFilter, has_link

# Processes compare their clocks once a second. What is later than this is of before the store's clock stepped back, and
# nobody waits for it.
CLOCK_SLACK_MS = 2_000

Place = Literal["log", "shadow", "held"]


class Ruling(Struct, frozen=True):
    place: Place = "log"
    reason: str = ""  # words | links | first | slow | shadow
    refuse: LiveCommerceError | None = None


def barred(state: State, viewer: str) -> bool:
    """Whether this viewer may not even watch."""
    return bool(state["buyers"].get(viewer, {}).get("banned"))


def network_refusal(state: State, viewer: str, address: str, now_ms: int) -> LiveCommerceError | None:
    """Why a newcomer from a banned viewer's network may not speak or order now; None when allowed. They may watch.

    Whole mobile networks share an address: only those are meant who come with a cookie that the show does not know
    from a name, a line or a claim, and only as long as a moderator said. `address` is a mark.
    """
    culprit = state["addresses"].get(address)
    if culprit is None:
        return None
    left_ms = state["buyers"].get(culprit, {}).get("network_until", 0) - now_ms
    if left_ms <= 0 or viewer in state["names"] or viewer in state["spoken"]:
        return None
    if any(ticket["viewer"] == viewer for ticket in state["tickets"].values()):
        return None
    return NetworkBarred(retry_after_ms=left_ms)


def held_newcomer(state: State, viewer: str, mark: str, now_ms: int) -> bool:
    """Whether a newcomer comes from the network of somebody who was banned lately, and had no line shown yet.

    It may be the same person without the cookie, so what it says first waits for a moderator. `mark` is that of the
    viewer's network, "" where none is known: those of a carrier's network who have had a line shown go on.
    """
    culprit = state["addresses"].get(mark)
    if culprit is None or viewer in state["spoken"]:
        return False
    return state["buyers"].get(culprit, {}).get("newcomers_held_until", 0) > now_ms


def may_act(state: State, viewer: str, now_ms: int) -> LiveCommerceError | None:
    """Why this viewer may neither chat nor order right now; None when allowed."""
    buyer: BuyerRecord = state["buyers"].get(viewer, {})
    if buyer.get("banned"):
        return Banned()
    wait_ms = mute_wait_ms(buyer, now_ms)
    if wait_ms > 0:
        return Muted(retry_after_ms=wait_ms)
    if state["show"]["stage"] == "ended":
        return ShowStageWrong("The show has ended.")
    return None


def mute_wait_ms(buyer: BuyerRecord, now_ms: int) -> int:
    """Milliseconds that a viewer is still muted: never longer than the moderator said, whatever the clock did."""
    left = max(0, int(buyer.get("muted_until", 0)) - now_ms)
    return min(left, int(buyer.get("muted_for_ms", 0)) or left)


class Words(NamedTuple):
    """What somebody wants to be read.

    bare: an order with no other words: no rule of the chat is about it.
    slow: the viewer would have to wait. An order does not; its words do, so they are not shown.
    held: they wait like first ones, whatever the show's settings (`held_newcomer`).
    """

    text: str
    is_order: bool = False
    bare: bool = False
    slow: bool = False
    held: bool = False


def rule(state: State, blocked_words: WordFilter, viewer: str, words: Words) -> Ruling:
    """What happens to the words of a comment."""
    settings, (text, is_order, bare, slow, held) = state["settings"], words
    blocked = blocked_words.find(text)
    if blocked is not None:
        if is_order:
            return Ruling("shadow", "words")
        return Ruling(refuse=CommentRefused("This comment holds a word that is blocked in this show.", why="words"))
    if settings["links_off"] and has_link(text):
        if is_order:
            return Ruling("shadow", "links")
        return Ruling(refuse=CommentRefused("Links are switched off in this show.", why="links"))
    if state["buyers"].get(viewer, {}).get("shadow"):
        return Ruling("shadow", "shadow")
    if (held or (settings["first_hold"] and viewer not in state["spoken"])) and not bare:
        return Ruling("shadow" if is_order else "held", "first")
    if slow and is_order and not bare:
        return Ruling("shadow", "slow")
    return Ruling()


def name_is_free(state: State, words: WordFilter, name: str) -> bool:
    """Whether a name keeps to the rules of a line: it stands beside every one."""
    return words.find(name) is None and not (state["settings"]["links_off"] and has_link(name))


def may_introduce(state: State, viewer: str) -> bool:
    """Whether others may read the name that this viewer chose: where first lines are held, it is one of them."""
    return not state["settings"]["first_hold"] or viewer in state["spoken"]


def slow_wait_ms(state: State, last_ms: int, now_ms: int) -> int:
    """Milliseconds until this viewer may comment again in slow mode, 0 when now."""
    if last_ms > now_ms + CLOCK_SLACK_MS:
        return 0
    slow_ms = int(state["settings"]["slow_seconds"]) * 1000
    return max(0, min(slow_ms, last_ms + slow_ms - now_ms))


def slow_error(wait_ms: int) -> SlowMode:
    return SlowMode(f"Slow mode: wait {-(-wait_ms // 1000)} s before the next comment.", retry_after_ms=wait_ms)
