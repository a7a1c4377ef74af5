"""The path of a comment: may this viewer speak → what does it mean → stock → answer. Every comment gets a reason code.

The chat line of an order travels inside the stock call, so that reservation, ledger entry and both show events are one
write; all other lines go through `ShowStore.append_chat`. A comment that comes again (same id after a reconnect) gets
its first answer.
"""

from __future__ import annotations

import time
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from livecommerce.comments import parse
from livecommerce.comments.verdict import SetQuantity, Swap, Verdict
from livecommerce.errors import IdReused, LiveCommerceError
from livecommerce.intake.answers import (
    SpeechAnswer,
    WithdrawalAnswer,
    answer_lines,
    answered_viewer,
    kept_answer,
    shown_answer,
)
from livecommerce.intake.changes import ChangeMaker
from livecommerce.intake.customers import Customers
from livecommerce.intake.errors import ProofNeeded
from livecommerce.intake.metrics import COMMENTS, VERDICT_SECONDS
from livecommerce.intake.mirror import Mirror
from livecommerce.intake.newcomers import NewcomerShares
from livecommerce.intake.orders import done, no_order_answer, reserve_operation, wants_of
from livecommerce.intake.plain_orders import is_bare
from livecommerce.intake.proof_of_work import flaw_of
from livecommerce.intake.rate import too_many_comments
from livecommerce.intake.speech import Acceptance, Act, Press, Speech, Withdrawal, content_of
from livecommerce.intake.waiting_offers import offer_meant, take, take_operation
from livecommerce.shows.decision import Decision
from livecommerce.shows.kinds.chat import speaks
from livecommerce.shows.kinds.name import keeps_name
from livecommerce.shows.kinds.name import named as name_given
from livecommerce.shows.kinds.newcomers import NEWCOMERS_MAX, newcomers_of, noted
from livecommerce.shows.model import viewer_handle
from livecommerce.shows.moderation import (
    Ruling,
    Words,
    held_newcomer,
    may_act,
    rule,
    slow_error,
    slow_wait_ms,
)
from livecommerce.shows.offers import NoOrder, Want, lines_of
from livecommerce.shows.packing import pack
from livecommerce.shows.state import Event, State, pinned_for
from livecommerce.shows.store import ChatLine, ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line

A = TypeVar("A", bound=Act)
ORDERS = ("order", "change")  # verdicts that move pieces


class Named(Struct, frozen=True):
    """A speaker under the name that everyone may read."""

    viewer: str
    name: str


class Read(NamedTuple):
    """What a line means, and the code that a bare `+1` in it means."""

    verdict: Verdict
    pinned: str | None


class Heard(Struct, frozen=True):
    """A line that may be said, as understood and judged.

    `event` is the line as the log will have it, `pinned` the code that a bare `+1` meant, `ruling` who sees the words.
    """

    speech: Speech
    event: Event
    verdict: Verdict
    pinned: str | None
    ruling: Ruling
    is_repeat: bool = False  # stock has its answer already: it gets that one and leaves no line


class CommentPath:
    """Stateless; one per process. What it knows of a show is in the mirror handed in."""

    def __init__(self, store: ShowStore, engine: StockEngine, per_window: int) -> None:
        self._store = store
        self._engine = engine
        self._shares = NewcomerShares(store.redis, engine)
        self._customers = Customers(store.redis)
        self._changes = ChangeMaker(engine, self._shares)
        self._per_window = per_window

    async def comment(self, mirror: Mirror, speech: Speech) -> SpeechAnswer:
        """
        Raises:
            LiveCommerceError: refused with a number; the comment was neither shown nor counted.
        """
        started = time.monotonic()
        mirror.authors.own(speech.id, speech.speaker.viewer)
        is_repeat = False
        if speech.again:
            known = await self._store.recall(speech.show, speech.id, speech.speaker.viewer)
            if known is not None:
                return shown_answer(known, content_of(speech))
        pinned = pinned_for(mirror.state, speech.pin, self._store.now_ms())
        verdict = parse(speech.text, mirror.index, tuple(mirror.state["show"]["packs"]), pinned)
        if speech.again:
            is_repeat = await self._is_done(mirror.state, speech)
        # `again` is what the sender says; a new id is a new line, whatever it says. A sale is never held up by the
        # rules of the chat.
        if not is_repeat:
            self.may_act(mirror, speech.speaker.viewer, speech.id, speaks=verdict.verdict not in ORDERS)
        answer = await self._answer(mirror, self._hear(mirror, speech, Read(verdict, pinned), is_repeat))
        COMMENTS.labels(answer["reason"]).inc()
        VERDICT_SECONDS.observe(time.monotonic() - started)
        return answer

    async def _is_done(self, state: State, act: Act) -> bool:
        shop: str = state["show"]["shop"]
        return await self._engine.is_done(shop, act.show, act.speaker.viewer, act.id)

    def may_act(self, mirror: Mirror, viewer: str, one: str, *, speaks: bool = True) -> None:
        """Counts this one of the viewer's comments, presses or commands. Slow mode is for those who speak.

        Raises:
            Banned, Muted, ShowStageWrong, SlowMode, TooMuch.
        """
        now = self._store.now_ms()
        refusal = may_act(mirror.state, viewer, now)
        if refusal is None:
            wait = slow_wait_ms(mirror.state, mirror.last_chat_ms.get(viewer, 0), now) if speaks else 0
            refusal = slow_error(wait) if wait else self._too_many(mirror, viewer, one, now)
        if refusal is not None:
            COMMENTS.labels(refusal.code).inc()
            raise refusal

    def _too_many(self, mirror: Mirror, viewer: str, one: str, now: int) -> LiveCommerceError | None:
        """Counts this one, unless the viewer has to wait first."""
        wait = mirror.rate.wait_ms(viewer, self._per_window, now)
        if wait > 0:
            return too_many_comments(wait)
        mirror.rate.take(viewer, one, now)
        return None

    def _hear(self, mirror: Mirror, speech: Speech, read: Read, is_repeat: bool) -> Heard:
        """
        Raises:
            CommentRefused: its words are blocked, and it is no order.
        """
        state, now, viewer = mirror.state, self._store.now_ms(), speech.speaker.viewer
        verdict, pinned = read
        is_order = verdict.verdict in ORDERS
        # Looked at only where a rule asks: a rush of orders has better things to do.
        held = held_newcomer(state, viewer, speech.network, now)
        ruled = held or state["settings"]["first_hold"] or state["settings"]["slow_seconds"]
        bare = bool(is_order and ruled and is_bare(speech.text, state))
        slow = not is_repeat and slow_wait_ms(state, mirror.last_chat_ms.get(viewer, 0), now) > 0
        ruling = rule(state, mirror.words, viewer, Words(speech.text, is_order, bare, slow, held))
        if ruling.refuse is not None:
            raise ruling.refuse
        if not is_repeat and not bare and ruling.reason != "slow":
            mirror.note_chat(viewer, now)
        speech = named(mirror, speech, now, held=ruling.place == "held")
        event = chat_event(speech, now, verdict, pinned, ruling)
        if bare:
            event["bare"] = True
        return Heard(speech, event, verdict, pinned, ruling, is_repeat)

    async def _answer(self, mirror: Mirror, heard: Heard) -> SpeechAnswer:
        word = heard.verdict.verdict
        if word not in ORDERS:
            return await self._chatter(mirror.state, heard)
        if mirror.state["show"]["stage"] != "live" and not heard.is_repeat:
            return await self._append(heard, SpeechAnswer(verdict=word, reason="not_live", lines=[]))
        return await (self._order(mirror.state, heard) if word == "order" else self._change(mirror, heard))

    async def _order(self, state: State, heard: Heard) -> SpeechAnswer:
        speech = heard.speech
        wants = wants_of(heard.verdict.intents, speech.options, heard.pinned)
        offer = offer_meant(state, speech.speaker.viewer, wants)
        if offer is not None:
            return await self._keep(speech, await self._take(state, speech, offer["id"], pack(heard.event)))
        lines = lines_of(state, wants)
        if isinstance(lines, NoOrder):
            return await self._append(heard, no_order_answer(lines))
        if not heard.is_repeat:
            await self._check_proof(state, speech)
        return await self._reserve(state, speech, lines, pack(heard.event))

    async def _change(self, mirror: Mirror, heard: Heard) -> SpeechAnswer:
        speech = await self._counted(mirror.state, heard.speech)
        if not heard.is_repeat and any(isinstance(one, SetQuantity | Swap) for one in heard.verdict.intents):
            await self._check_proof(mirror.state, speech)  # what only gives back needs none
        changed = await self._changes.make(mirror, speech, heard.verdict.intents, pack(heard.event))
        answer = SpeechAnswer(verdict="change", reason=changed.reason, lines=changed.lines)
        if not changed.line_written:
            return await self._append(heard, answer)
        return await self._keep(speech, answer)

    async def _keep(self, speech: Speech, answer: SpeechAnswer) -> SpeechAnswer:
        """Stock keeps the answer of each operation, not that of the comment: sent again, the claims look different by
        now, and it would be understood as something else.
        """
        viewer, name = speech.speaker.viewer, speech.speaker.name
        kept = ChatLine(speech.id, viewer, name, "log", kept_answer(answer, viewer, content_of(speech)))
        await self._store.append_chat(speech.show, kept)
        return answer

    async def claim(self, mirror: Mirror, press: Press) -> SpeechAnswer:
        """The button: like a comment that needs no understanding, and leaves no line.

        Raises:
            LiveCommerceError.
        """
        state, now = mirror.state, self._store.now_ms()
        mirror.authors.own(press.id, press.speaker.viewer)
        is_repeat = press.again and await self._is_done(state, press)
        if not is_repeat:
            self.may_act(mirror, press.speaker.viewer, press.id, speaks=False)
        if state["show"]["stage"] != "live" and not is_repeat:
            return SpeechAnswer(verdict="order", reason="not_live", lines=[])
        wants = [Want(press.code, (), press.quantity, press.options)]
        offer = offer_meant(state, press.speaker.viewer, wants)
        if offer is not None:
            return await self._take(state, named(mirror, press, now), offer["id"], b"")
        lines = lines_of(state, wants)
        if isinstance(lines, NoOrder):
            return no_order_answer(lines)
        if not is_repeat:
            await self._check_proof(state, press)
        return await self._reserve(state, named(mirror, press, now), lines, b"")

    async def _reserve(self, state: State, act: Act, lines: tuple[Line, ...], chat: bytes) -> SpeechAnswer:
        act = await self._counted(state, act)
        await self._introduce(state, act)
        answer = await self._shares.done(state, act, reserve_operation(state, act, lines, chat), lines)
        return SpeechAnswer(verdict="order", reason=str(answer.outcome), lines=answer_lines(answer, state))

    async def _take(self, state: State, act: Act, reservation: str, chat: bytes) -> SpeechAnswer:
        await self._introduce(state, await self._counted(state, act))
        answer = await done(self._engine, take_operation(state, act, reservation, chat))
        return SpeechAnswer(verdict="order", reason=str(answer.outcome), lines=answer_lines(answer, state))

    async def _counted(self, state: State, act: A) -> A:
        """The act with the network that it counts with: none for a viewer who has bought here."""
        if act.network and await self._customers.has(state["show"]["shop"], act.speaker.viewer):
            return msgspec.structs.replace(act, network="")
        return act

    async def _check_proof(self, state: State, act: Act) -> None:
        """Where the show asks for one: an order of whoever comes from a network and never bought here carries a proof.

        Raises:
            ProofNeeded: `details["why"]` is a `proof_of_work.Flaw`.
        """
        if not state["settings"].get("proof_of_work") or not act.network:
            return
        flaw = flaw_of(act.proof, state["salt"], act.show, act.speaker.viewer, self._store.now_ms())
        if flaw is not None and (await self._counted(state, act)).network:
            raise ProofNeeded(why=flaw)

    async def _introduce(self, state: State, act: Act) -> None:
        """Keeps a buyer's name with the show before the first claim: tickets carry it; a newcomer's network.

        Where the show keeps as many as it can, the claim goes on without: nobody is refused for being one of many.
        """
        speaker, now = act.speaker, self._store.now_ms()
        known: list[Decision] = []
        if state["names"].get(speaker.viewer) != speaker.name and keeps_name(state, speaker.viewer):
            known.append(name_given(speaker.viewer, speaker.name, now))
        newcomers = newcomers_of(state)
        if act.network and speaker.viewer not in newcomers and len(newcomers) < NEWCOMERS_MAX:
            known.append(noted(speaker.viewer, act.network, now))
        if known:
            events = [event for decision in known for event in decision.events]
            await self._store.introduce(act.show, Decision(events, [write for one in known for write in one.writes]))

    async def cancel(self, mirror: Mirror, withdrawal: Withdrawal) -> WithdrawalAnswer:
        """A viewer gives up an own claim.

        Raises:
            NotYours, ReservationUnknown, IdReused, BadInput, Busy, Unavailable, StorageFull.
        """
        mirror.authors.own(withdrawal.id, withdrawal.speaker.viewer)
        answer = await self._changes.cancel(mirror.state, withdrawal)
        return WithdrawalAnswer(reason=str(answer.outcome), lines=answer_lines(answer, mirror.state))

    async def take(self, mirror: Mirror, acceptance: Acceptance) -> WithdrawalAnswer:
        """A viewer takes what was offered after waiting; also when the show is over meanwhile.

        Raises:
            TooMuch, and what `waiting_offers.take` raises.
        """
        viewer = acceptance.speaker.viewer
        if not (acceptance.again and await self._is_done(mirror.state, acceptance)):
            refusal = self._too_many(mirror, viewer, acceptance.id, self._store.now_ms())
            if refusal is not None:
                raise refusal
        answer = await take(self._engine, mirror.state, acceptance)
        return WithdrawalAnswer(reason=str(answer.outcome), lines=answer_lines(answer, mirror.state))

    async def _chatter(self, state: State, heard: Heard) -> SpeechAnswer:
        verdict, held = heard.verdict, heard.ruling.place == "held"
        word, reason = ("held", "first_comment") if held else (verdict.verdict, str(verdict.reason.value))
        waits = held or verdict.verdict in ("unclear", "question")
        triage = triage_event(state, heard, reason) if waits else None
        return await self._append(heard, SpeechAnswer(verdict=word, reason=reason, lines=[]), triage)

    async def _append(self, heard: Heard, answer: SpeechAnswer, triage: Event | None = None) -> SpeechAnswer:
        """Writes the line to the log with its answer; the first answer where the id came before.

        Raises:
            IdReused: the id belongs to somebody else's line, or to something else that this viewer did.
        """
        speech, place = heard.speech, heard.ruling.place
        if heard.is_repeat:  # what stock did under this id, it was not this
            raise IdReused()
        viewer = speech.speaker.viewer
        if answer["verdict"] == "order" and not answer["lines"]:
            heard.event["refused"] = answer["reason"]  # staff see beside the line that nothing came of it
        line = ChatLine(
            id=speech.id, viewer=viewer, name="" if place == "held" else speech.speaker.name, place=place,
            answer=kept_answer(answer, viewer, content_of(speech)), event=pack(heard.event),
            triage=pack(triage) if triage else b"",
            spoke=speaks(heard.event),
        )  # fmt: skip
        before = await self._store.append_chat(speech.show, line)
        if not before:
            return answer
        if answered_viewer(before) != viewer:
            raise IdReused()
        return shown_answer(before, content_of(speech))


def named(mirror: Mirror, act: A, now_ms: int, *, held: bool = False) -> A:
    """The act under the name that everyone may read; a held line goes to staff with the name it asks for."""
    viewer, name = act.speaker.viewer, act.speaker.name
    public = mirror.public_name(viewer, name, shy=held_newcomer(mirror.state, viewer, act.network, now_ms))
    if public == name or (held and mirror.is_free(name)):
        return act
    return msgspec.structs.replace(act, speaker=Named(viewer, public))


def chat_event(speech: Speech, now_ms: int, verdict: Verdict, pinned: str | None, ruling: Ruling) -> Event:
    """The line as logged. `read` is how the grammar of that day understood it, so that it can be read again."""
    event: Event = {
        "t": "chat", "id": speech.id, "viewer": speech.speaker.viewer, "name": speech.speaker.name,
        "text": speech.text, "at": now_ms, "kind": "viewer", "verdict": verdict.verdict,
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


def triage_event(state: State, heard: Heard, reason: str) -> Event:
    """The line as staff find it among those that wait for a person."""
    event = heard.event
    return {
        "t": "triage", "comment": event["id"], "viewer": event["viewer"], "name": event["name"],
        "by": viewer_handle(state["salt"], event["viewer"]), "text": event["text"], "at": event["at"],
        "verdict": heard.verdict.verdict, "reason": reason, "pin": heard.pinned,
        "guess": [msgspec.to_builtins(intent) for intent in heard.verdict.guess],
    }  # fmt: skip
