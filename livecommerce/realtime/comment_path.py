"""The path of a comment: may this viewer speak → what does it mean → stock → answer. Every comment gets a reason code.

The chat line of an order travels inside the stock call, so that reservation, ledger entry and both show events are one
write; all other lines go through `ShowStore.append_chat`. A comment that comes again (same id after a reconnect) gets
its first answer.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from livecommerce.comments import parse
from livecommerce.comments.verdict import Intent, Verdict
from livecommerce.comments.verdict import Reserve as ReserveIntent
from livecommerce.errors import BadInput, IdReused, LiveCommerceError
from livecommerce.realtime.changes import ChangeMaker
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.limits import checked_text, too_many_comments
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.orders import OrderMaker, Want, answer_lines, raise_refusal, wants_of
from livecommerce.realtime.viewer import Viewer
from livecommerce.settings import Realtime
from livecommerce.shows.model import valid_id
from livecommerce.shows.moderation import Ruling, may_act, rule, slow_error, slow_wait_ms
from livecommerce.shows.packing import pack, unpack
from livecommerce.shows.state import Event, pinned_for
from livecommerce.shows.store import ChatLine, ShowStore
from livecommerce.stock.engine import StockEngine

PIN_ID_LENGTH_MAX = 20
OPTIONS_MAX = 4
QUANTITY_MAX = 99


class CommentPath:
    """Stateless; one per process."""

    def __init__(self, store: ShowStore, engine: StockEngine, settings: Realtime) -> None:
        self._store = store
        self._orders = OrderMaker(engine)
        self._changes = ChangeMaker(engine)
        self._length_max = settings.comment_length_max
        self._per_window = settings.comments_per_10_seconds

    async def comment(self, channel: Channel, viewer: Viewer, raw: dict[str, Any]) -> dict[str, Any]:
        """The answer to a viewer's comment: `{"verdict", "reason", "lines"[, "need"]}`.

        Raises:
            LiveCommerceError: refused with a number; the comment was neither shown nor counted.
        """
        started = time.monotonic()
        comment_id = checked_id(raw)
        text = checked_text(raw.get("text"), self._length_max)
        chosen = checked_options(raw.get("options"))
        pin = raw.get("pin")
        if pin is not None and not (isinstance(pin, str) and len(pin) <= PIN_ID_LENGTH_MAX):
            raise BadInput("pin is the id of the pin that the page showed")
        if raw.get("again"):
            known = await self._store.recall(channel.show, comment_id, viewer.viewer)
            if known is not None:
                return shown_answer(known)
        else:
            self.may_act(channel, viewer, comment_id)
        answer = await self._understand(channel, viewer, comment_id, text, chosen, pin)
        METRICS.comments.labels(answer["reason"]).inc()
        METRICS.verdict_seconds.observe(time.monotonic() - started)
        return answer

    def may_act(self, channel: Channel, viewer: Viewer, one: str, *, speaks: bool = True) -> None:
        """Counts this one of the viewer's comments or commands. Slow mode is for those who speak.

        Raises:
            Banned, Muted, ShowStageWrong, SlowMode, TooMuch.
        """
        now = self._store.now_ms()
        refusal = may_act(channel.state, viewer.viewer, now)
        if refusal is None:
            last = channel.last_chat_ms.get(viewer.viewer, 0)
            wait = slow_wait_ms(channel.state, last, now) if speaks else 0
            refusal = slow_error(wait) if wait else self._too_many(channel, viewer, one, now)
        if refusal is not None:
            METRICS.comments.labels(refusal.code).inc()
            raise refusal

    def _too_many(self, channel: Channel, viewer: Viewer, one: str, now: int) -> LiveCommerceError | None:
        """Counts this one, unless the viewer has to wait first."""
        wait = channel.rate.wait_ms(viewer.viewer, self._per_window, now)
        if wait > 0:
            return too_many_comments(wait)
        channel.rate.take(viewer.viewer, one, now)
        return None

    async def _understand(
        self, channel: Channel, viewer: Viewer, comment_id: str, text: str, chosen: dict[str, str], pin: str | None
    ) -> dict[str, Any]:
        state = channel.state
        now = self._store.now_ms()
        pinned = pinned_for(state, pin, now)
        verdict: Verdict = parse(text, channel.index, tuple(state["show"]["packs"]), pinned)
        orders = verdict.verdict in ("order", "change")
        ruling = rule(state, channel.words, viewer.viewer, text, is_order=orders)
        if ruling.refuse is not None:
            raise ruling.refuse
        event = chat_event(viewer, comment_id, text, now, verdict, pinned, ruling)
        channel.note_chat(viewer.viewer, now)
        if not orders:
            return await self._chatter(channel, viewer, event, verdict, ruling, pinned)
        if state["show"]["stage"] != "live":
            return await self._say_only(channel, viewer, event, ruling, verdict.verdict, "not_live")
        if verdict.verdict == "order":
            wants = [intent for intent in verdict.intents if isinstance(intent, ReserveIntent)]
            return await self._order(channel, viewer, event, ruling, wants_of(wants), chosen, pinned)
        lines, reason, written = await self._changes.make(channel, viewer, comment_id, verdict.intents, pack(event))
        answer = {"verdict": "change", "reason": reason, "lines": lines}
        if not written:
            return await self._append(channel, viewer, event, ruling, answer)
        # The line went with the first operation. The answer is kept too: sent again, the claims look different by now.
        await self._keep_answer(channel, viewer, comment_id, answer)
        return answer

    async def _order(
        self, channel: Channel, viewer: Viewer, event: Event, ruling: Ruling, wants: list[Want],
        chosen: dict[str, str], pinned: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        resolved, problem = self._orders.resolve(channel.state, wants, chosen, pinned)
        if problem is not None:
            return await self._append(channel, viewer, event, ruling, {"verdict": "order", **problem})
        await self._introduce(channel, viewer)
        answer = await self._orders.reserve(channel.state, viewer, event["id"], resolved, pack(event), "comment")
        raise_refusal(answer)
        return {
            "verdict": "order", "reason": str(answer.outcome), "lines": answer_lines(answer, channel.state["items"]),
        }  # fmt: skip

    async def claim(self, channel: Channel, viewer: Viewer, raw: dict[str, Any]) -> dict[str, Any]:
        """The button: like a comment that needs no understanding.

        Raises:
            LiveCommerceError.
        """
        claim_id = checked_id(raw)
        code, quantity = raw.get("code"), raw.get("quantity", 1)
        if not isinstance(code, str) or quantity.__class__ is not int or not 1 <= quantity <= QUANTITY_MAX:
            raise BadInput("A claim has code, options and quantity 1 to 99.")
        chosen = checked_options(raw.get("options"))
        now = self._store.now_ms()
        refusal = may_act(channel.state, viewer.viewer, now)
        if refusal is None and not raw.get("again"):
            refusal = self._too_many(channel, viewer, claim_id, now)
        if refusal is not None:
            raise refusal
        if channel.state["show"]["stage"] != "live":
            return {"verdict": "order", "reason": "not_live", "lines": []}
        resolved, problem = self._orders.resolve(channel.state, [Want(code, (), quantity)], chosen, code)
        if problem is not None:
            return {"verdict": "order", "lines": [], **problem}
        await self._introduce(channel, viewer)
        answer = await self._orders.reserve(channel.state, viewer, claim_id, resolved, b"", "button")
        raise_refusal(answer)
        lines = answer_lines(answer, channel.state["items"])
        return {"verdict": "order", "reason": str(answer.outcome), "lines": lines}

    async def _introduce(self, channel: Channel, viewer: Viewer) -> None:
        """Keeps the name of a buyer with the show before the first claim: tickets carry it."""
        if channel.state["names"].get(viewer.viewer) != viewer.name:
            await self._store.name(channel.show, viewer.viewer, viewer.name)

    async def cancel(self, channel: Channel, viewer: Viewer, raw: dict[str, Any]) -> dict[str, Any]:
        """A viewer gives up an own claim.

        Raises:
            NotYours, ReservationUnknown, BadInput, Busy, Unavailable, StorageFull.
        """
        cancel_id = checked_id(raw)
        reservation = raw.get("reservation")
        if not isinstance(reservation, str) or not 3 <= len(reservation) <= 220:
            raise BadInput("reservation is the id of your ticket")
        answer = await self._changes.cancel(channel, viewer, cancel_id, reservation)
        return {"reason": str(answer.outcome), "lines": answer_lines(answer, channel.state["items"])}

    async def _chatter(
        self, channel: Channel, viewer: Viewer, event: Event, verdict: Verdict, ruling: Ruling, pinned: str | None
    ) -> dict[str, Any]:
        answer = {"verdict": verdict.verdict, "reason": str(verdict.reason.value)}
        if ruling.place == "held":
            answer = {"verdict": "held", "reason": "first_comment"}
        triage: Event | None = None
        if ruling.place == "held" or verdict.verdict in ("unclear", "question"):
            triage = {
                "t": "triage", "comment": event["id"], "viewer": viewer.viewer, "name": viewer.name,
                "by": channel.projector.by(viewer.viewer), "text": event["text"], "at": event["at"],
                "verdict": verdict.verdict, "reason": answer["reason"], "pin": pinned,
                "guess": [guess_shape(intent) for intent in verdict.guess],
            }  # fmt: skip
        return await self._append(channel, viewer, event, ruling, answer, triage)

    async def _say_only(
        self, channel: Channel, viewer: Viewer, event: Event, ruling: Ruling, verdict: str, reason: str
    ) -> dict[str, Any]:
        """The line is shown, but nothing was reserved, and why."""
        return await self._append(channel, viewer, event, ruling, {"verdict": verdict, "reason": reason})

    async def _keep_answer(self, channel: Channel, viewer: Viewer, comment_id: str, answer: dict[str, Any]) -> None:
        kept = pack({**answer, "viewer": viewer.viewer})
        await self._store.append_chat(channel.show, ChatLine(comment_id, viewer.viewer, viewer.name, "log", kept))

    async def _append(
        self, channel: Channel, viewer: Viewer, event: Event, ruling: Ruling, answer: dict[str, Any],
        triage: Event | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        kept = {**answer, "viewer": viewer.viewer}
        shown = ruling.place != "held"
        line = ChatLine(
            id=event["id"], viewer=viewer.viewer, name=viewer.name if shown else "", place=ruling.place,
            answer=pack(kept), event=pack(event), triage=pack(triage) if triage else b"",
        )  # fmt: skip
        before = await self._store.append_chat(channel.show, line)
        if before:
            known = unpack(before)
            if known.get("viewer") != viewer.viewer:
                raise IdReused()
            return shown_answer(before)
        return {"lines": [], **answer}


def checked_id(raw: dict[str, Any]) -> str:
    """
    Raises:
        BadInput: the id is missing or of another form.
    """
    identity = raw.get("id")
    if not valid_id(identity):
        raise BadInput("id: 8 to 64 letters, digits, - or _, made by the page for each comment")
    return str(identity)


def checked_options(raw: object) -> dict[str, str]:
    """Options chosen on the card: {axis: value}.

    Raises:
        BadInput.
    """
    if raw is None:
        return {}
    if not isinstance(raw, dict) or len(raw) > OPTIONS_MAX:
        raise BadInput("options is a map of axis to value")
    if not all(
        isinstance(key, str) and isinstance(value, str) and len(key) + len(value) <= 100 for key, value in raw.items()
    ):
        raise BadInput("options is a map of axis to value")
    return dict(raw)


def chat_event(
    viewer: Viewer, comment_id: str, text: str, now_ms: int, verdict: Verdict, pinned: str | None, ruling: Ruling
) -> Event:
    """The line as logged. `read` is how the grammar of that day understood it, so that it can be read again."""
    event: Event = {
        "t": "chat", "id": comment_id, "viewer": viewer.viewer, "name": viewer.name, "text": text, "at": now_ms,
        "kind": "viewer", "verdict": verdict.verdict,
        "read": {
            "version": verdict.version, "reason": str(verdict.reason.value), "pinned": pinned,
            "intents": [msgspec.to_builtins(intent) for intent in verdict.intents],
        },
    }  # fmt: skip
    if ruling.place == "held":
        event["held"] = True
    elif ruling.place == "shadow":
        event["shadow"] = True
    return event


def shown_answer(stored: bytes) -> dict[str, Any]:
    """A stored answer as the viewer gets it."""
    answer = unpack(stored)
    return {"lines": [], **{key: value for key, value in answer.items() if key != "viewer"}}


def guess_shape(intent: Intent) -> dict[str, Any]:
    shape: dict[str, Any] = msgspec.to_builtins(intent)
    return shape
