"""Executes staff commands in one line: read → decide → through stock → commit.

Again from the start where the state moved on meanwhile. Operations on stock are calls of their own, idempotent by their
ids, so that a command repeated after a crash in between completes it.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from livecommerce.errors import Busy, Conflict, IdReused, LiveCommerceError, NotFound, OutcomeUnknown, Unavailable
from livecommerce.shows.claim_prices import lower_prices, restore_prices
from livecommerce.shows.commands import FINGERPRINT, Actor, Command, Undo, fingerprint, first_answer, inverse_id
from livecommerce.shows.decision import CONFLICTS_MAX, Answered, Decision, ThroughStock, Told
from livecommerce.shows.errors import RoleTooLowForCommand
from livecommerce.shows.learning import learn
from livecommerce.shows.model import Keys
from livecommerce.shows.state import AuditEntry, State
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import Operation
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome

UNDO = ""  # the author of what is taken back


class Executor:
    """`execute(show, command, actor)` for the socket's `command`, the HTTP route and the demo alike."""

    def __init__(self, store: ShowStore) -> None:
        self.store = store

    async def execute(self, show: str, command: Command, actor: Actor) -> Told:
        """Does the command once and returns its outcome (`{"do", …}`); the same id again returns the same outcome.

        Raises:
            LiveCommerceError: refused (role, state, input) or not possible now; nothing was changed.
        """
        need_role(command, actor)
        keys = await self.store.keys_of(show)
        if isinstance(command, Undo):
            outcome = await self._undo(keys, command, actor)
        else:
            outcome = await self._run(keys, command, actor)
        return {"do": tag_of(command), "id": command.id, **outcome}

    async def _run(self, keys: Keys, command: Command, actor: Actor, undone: AuditEntry | None = None) -> Told:
        """`undone` is the audit entry that this command takes back: it is marked instead of writing a new one.

        Raises:
            IdReused: the id belongs to what somebody else did.
        """
        outcome = await self._decided(keys, command, actor, undone)
        if command.prices:
            await self._follow_prices(keys, command, outcome["code"])
        return outcome

    async def _follow_prices(self, keys: Keys, command: Command, code: str) -> None:
        """What a price means for open claims. Also after a repeat: the process may have died in between."""
        if cut := command.cut_taken_back():
            await restore_prices(self.store, keys, code, cut)
        await lower_prices(self.store, keys, code, command.id)

    async def _decided(self, keys: Keys, command: Command, actor: Actor, undone: AuditEntry | None) -> Told:
        # Whoever undoes, undoing twice is undoing once.
        author = actor.login if undone is None else UNDO
        for _ in range(CONFLICTS_MAX):
            state = await self.store.load(keys.show, chat=0, whole=False)
            known = await self.store.recall_command(keys, command.id)
            if known is not None:
                return first_answer(owned(known, author), command)
            decision = self.store.kinds.decide(state, command, actor, state["now"])
            if isinstance(decision, ThroughStock):
                decision = decision.decide(await self._answered(keys.shop, decision))
            if decision.refusal is not None:
                if await self.store.commit(keys, "", state["version"], decision, None) is None:
                    continue
                raise decision.refusal
            if decision.learn is not None:
                decision.outcome |= await learn(self.store, state, decision.learn)
            decision.outcome = {**decision.outcome, "author": author, FINGERPRINT: fingerprint(command)}
            audit = audit_entry(command, actor, state, decision, undone)
            back = decision.inverse and self.store.kinds.read_command({**decision.inverse, "id": command.id})
            if back and back.host_only:
                audit["host_only"] = True
            outcome = await self.store.commit(keys, command.id, state["version"], decision, audit)
            if outcome is not None:
                return first_answer(owned(outcome, author), command)
        raise Busy("Others changed the show at the same moment. Try again.", retry_after_ms=200)

    async def _answered(self, shop: str, planned: ThroughStock) -> Answered:
        answers = [await self.through_stock(operation) for operation in planned.operations]
        counters = await self.store.engine.counters(shop, planned.counters) if planned.counters else {}
        return Answered(tuple(answers), counters)

    async def through_stock(self, operation: Operation) -> Answer:
        """Stock's answer.

        Raises:
            OutcomeUnknown, Unavailable: send the same id again. IdReused.
        """
        answer = await self.store.engine.submit(operation)
        if answer.outcome is Outcome.UNAVAILABLE:
            raise OutcomeUnknown(retry_after_ms=answer.retry_after_ms)
        if answer.outcome in RETRYABLE:
            raise Unavailable(f"Stock answered {answer.outcome}. Try again.", retry_after_ms=answer.retry_after_ms)
        if answer.outcome is Outcome.ID_REUSED:
            raise IdReused()
        return answer

    async def _undo(self, keys: Keys, command: Undo, actor: Actor) -> Told:
        """The one command that is not decided by its kind: what it comes to is another command, kept in the trail."""
        known = await self.store.recall_command(keys, command.id)
        if known is not None:
            return first_answer(known, command)
        outcome = await self._undone(keys, command, actor)
        kept = Decision([], [], {**outcome, FINGERPRINT: fingerprint(command)})
        return first_answer(await self.store.commit(keys, command.id, "", kept, None) or kept.outcome, command)

    async def _undone(self, keys: Keys, command: Undo, actor: Actor) -> Told:
        entry = await self.store.audit_entry(keys, command.command)
        if entry is None:
            raise NotFound("There is no such command to undo.")
        if entry["inverse"] is None and not entry["undone"]:
            raise Conflict(f"{entry['do']} cannot be undone.")
        if entry["inverse"] is None:
            return {"undone": command.command}
        inverse = self.store.kinds.read_command({**entry["inverse"], "id": inverse_id(command.command)})
        need_role(inverse, actor)
        if entry["undone"]:
            if inverse.cut_taken_back():  # the process may have died before the last claim had its price back
                await self._follow_prices(keys, inverse, entry["inverse"]["code"])
            return {"undone": command.command}
        try:
            await self._run(keys, inverse, actor, entry)
        except LiveCommerceError as refused:
            part = inverse.as_far_as(refused)
            if part is None:
                raise
            await self._run(keys, part[0], actor, entry)
            return {"undone": command.command, "left_out": part[1]}
        return {"undone": command.command}


def owned(kept: Told, author: str) -> Told:
    """An outcome as its author gets it; viewers' answers are kept beside those of staff, under their ids.

    Raises:
        IdReused.
    """
    if "viewer" in kept or kept.get("author", author) != author:  # what an older version kept names no author
        raise IdReused()
    return {key: value for key, value in kept.items() if key != "author"}


def tag_of(command: Command) -> str:
    return str(command.__struct_config__.tag)


def need_role(command: Command, actor: Actor) -> None:
    """
    Raises:
        RoleTooLowForCommand.
    """
    if command.host_only and actor.role not in ("owner", "host"):
        raise RoleTooLowForCommand(f"A {actor.role} may not {tag_of(command)}.")


def audit_entry(
    command: Command, actor: Actor, state: State, decision: Decision, undone: AuditEntry | None
) -> AuditEntry:
    """What the trail keeps of a command; of one that takes another back, that one's entry, marked."""
    if undone is not None:
        return {**undone, "undone": True, "undone_by": actor.login}
    left_out = command.unaudited | {"id", "do"}
    fields = cast("dict[str, Any]", msgspec.to_builtins(command))
    about = {key: value for key, value in fields.items() if key not in left_out}
    entry: AuditEntry = {
        "id": command.id, "do": tag_of(command), "actor": actor.login, "at": state["now"], "undone": False,
        "about": about, "inverse": decision.inverse,
    }  # fmt: skip
    if actor.name:
        entry["actor_name"] = actor.name
    return entry
