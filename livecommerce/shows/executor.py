"""Executes staff commands: reads the state, decides, writes everything in one call, retries where the state moved on.

Commands on quantities go to stock first (one FCALL of its own, idempotent by the command's id, with its events), then
to the audit trail; repeating a command after a crash in between completes it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from livecommerce.errors import (
    BadInput,
    Busy,
    Conflict,
    IdReused,
    ItemUnknown,
    NotFound,
    ReservationUnknown,
    Unavailable,
)
from livecommerce.shows import commands as c
from livecommerce.shows.catalogue import catalogue_index
from livecommerce.shows.decide import Decision, accepted, decide
from livecommerce.shows.errors import RoleTooLowForCommand
from livecommerce.shows.model import Keys, checked_item, sku_of
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.shows.shop_words import learned
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore
from livecommerce.stock.operations import (
    Adjust,
    Cancel,
    Extend,
    Operation,
    Reserve,
    Restock,
)
from livecommerce.stock.outcomes import RETRYABLE, Answer, Outcome

# Two moderators press at once now and then; more than this in a row means something loops.
CONFLICTS_MAX = 16


class Executor:
    """`execute(show, command, actor)` for the socket's `command`, the HTTP route and the demo alike."""

    def __init__(self, store: ShowStore) -> None:
        self.store = store

    async def execute(self, show: str, command: c.Command, actor: c.Actor) -> dict[str, Any]:
        """Does the command once and returns its outcome (`{"do", …}`); the same id again returns the same outcome.

        Raises:
            LiveCommerceError: refused (role, state, input) or not possible now; nothing was changed.
        """
        if command.host_only and actor.role not in ("owner", "host"):
            raise RoleTooLowForCommand(f"A {actor.role} may not {command.__struct_config__.tag}.")
        keys = await self.store.keys_of(show)
        outcome = (
            await self._undo(keys, command, actor)
            if isinstance(command, c.Undo)
            else await self._run(keys, command, actor, None)
        )
        return {"do": command.__struct_config__.tag, "id": command.id, **outcome}

    async def _run(
        self, keys: Keys, command: c.Command, actor: c.Actor, undone: dict[str, Any] | None
    ) -> dict[str, Any]:
        """`undone` is the audit entry that this command takes back: it is marked instead of writing a new one."""
        for _ in range(CONFLICTS_MAX):
            state = await self.store.load(keys.show, chat=0, whole=False)
            known = await self.store.recall_command(keys, command.id)
            if known is not None:
                return known
            if command.through_stock:
                decision = await self._through_stock(keys, state, command, actor)
            else:
                decision = decide(state, command, actor, state["now"])
            audit = self._audit(command, actor, state, decision, undone)
            outcome = await self.store.commit(keys, command.id, state["version"], decision, audit)
            if outcome is not None:
                return outcome
        raise Busy("Others changed the show at the same moment. Try again.", retry_after_ms=200)

    def _audit(
        self, command: c.Command, actor: c.Actor, state: State, decision: Decision, undone: dict[str, Any] | None
    ) -> dict[str, Any]:
        if undone is not None:
            return {**undone, "undone": True, "undone_by": actor.login}
        about = {key: value for key, value in msgspec.to_builtins(command).items() if key not in ("id", "do", "item")}
        about.pop("addresses", None)
        return {
            "id": command.id, "do": command.__struct_config__.tag, "actor": actor.login, "at": state["now"],
            "undone": False, "about": about, "inverse": decision.inverse,
        }  # fmt: skip

    async def _undo(self, keys: Keys, command: c.Undo, actor: c.Actor) -> dict[str, Any]:
        entry = await self.store.audit_entry(keys, command.command)
        if entry is None:
            raise NotFound("There is no such command to undo.")
        if entry["undone"]:
            return {"undone": command.command}
        if entry["inverse"] is None:
            raise Conflict(f"{entry['do']} cannot be undone.")
        inverse = c.read_command({**entry["inverse"], "id": c.inverse_id(command.command)})
        if inverse.host_only and actor.role not in ("owner", "host"):
            raise RoleTooLowForCommand()
        await self._run(keys, inverse, actor, entry)
        return {"undone": command.command}

    async def _through_stock(self, keys: Keys, state: State, command: c.Command, actor: c.Actor) -> Decision:
        match command:
            case c.AddItem():
                return await self._add_item(keys, state, command, actor)
            case c.Restock():
                self._known_sku(state, command.sku)
                operation: Operation = Restock(
                    id=command.id, shop=keys.shop, show=keys.show, item=command.sku, quantity=command.quantity
                )
                inverse = {"do": "adjust", "sku": command.sku, "quantity": -command.quantity, "reason": "undo restock"}
                return await self._supply(operation, command.sku, inverse)
            case c.Adjust():
                self._known_sku(state, command.sku)
                operation = Adjust(
                    id=command.id, shop=keys.shop, show=keys.show, item=command.sku, quantity=command.quantity,
                    reason=command.reason or "staff",
                )  # fmt: skip
                inverse = {"do": "adjust", "sku": command.sku, "quantity": -command.quantity, "reason": "undo adjust"}
                return await self._supply(operation, command.sku, inverse)
            case c.CancelReservation():
                operation = Cancel(
                    id=command.id, shop=keys.shop, show=keys.show, reservation=command.reservation, source="moderator"
                )
                return await self._claim(operation)
            case c.Extend():
                operation = Extend(
                    id=command.id, shop=keys.shop, show=keys.show, reservation=command.reservation,
                    seconds=command.seconds, source="moderator",
                )  # fmt: skip
                return await self._claim(operation)
            case c.Accept():
                return await self._accept(keys, state, command, actor)
            case _:
                raise BadInput(f"{command.__struct_config__.tag} is no command on quantities.")

    def _known_sku(self, state: State, sku: str) -> None:
        product = state["items"].get(sku.split("/")[0])
        if product is None or sku not in product["skus"]:
            raise ItemUnknown(f"This show has no {sku}.")

    async def _submit(self, operation: Operation) -> Answer:
        answer = await self.store.engine.submit(operation)
        if answer.outcome in RETRYABLE:
            raise Unavailable(f"Stock answered {answer.outcome}. Try again.", retry_after_ms=answer.retry_after_ms)
        if answer.outcome is Outcome.ID_REUSED:
            raise IdReused()
        return answer

    async def _supply(self, operation: Operation, sku: str, inverse: dict[str, Any]) -> Decision:
        answer = await self._submit(operation)
        if answer.outcome not in (Outcome.RESTOCKED, Outcome.ADJUSTED, Outcome.UNCHANGED):
            raise Conflict(answer.reason or f"Stock answered {answer.outcome}.", outcome=str(answer.outcome), sku=sku)
        available = answer.lines[0].available if answer.lines else None
        return Decision([], [], {"outcome": str(answer.outcome), "sku": sku, "available": available}, inverse)

    async def _claim(self, operation: Operation) -> Decision:
        answer = await self._submit(operation)
        if answer.outcome == Outcome.RESERVATION_UNKNOWN:
            raise ReservationUnknown()
        if answer.outcome not in (Outcome.CANCELLED, Outcome.EXTENDED, Outcome.UNCHANGED):
            raise Conflict(answer.reason or f"Stock answered {answer.outcome}.", outcome=str(answer.outcome))
        lines = [msgspec.to_builtins(line) for line in answer.lines]
        return Decision([], [], {"outcome": str(answer.outcome), "lines": lines})

    async def _add_item(self, keys: Keys, state: State, command: c.AddItem, actor: c.Actor) -> Decision:
        decision = decide(state, command, actor, state["now"])
        item = checked_item(command.item)
        for sku in item.skus():
            await self.store.supply(keys.shop, keys.show, sku, item.supply.get(sku, 0), f"item {command.id}")
        counters = await self.store.engine.counters(keys.shop, item.skus())
        decision.events[0]["stock"] = {
            sku: [c.available, c.held, c.sold, c.waiting, c.supplied] for sku, c in counters.items()
        }
        return decision

    async def _accept(self, keys: Keys, state: State, command: c.Accept, actor: c.Actor) -> Decision:
        """Turns a line of the triage queue into reservations of its author, under the comment's own id."""
        waiting = state["triage"].get(command.comment)
        if waiting is None:
            raise NotFound("This line is no longer waiting; somebody else was faster.")
        lines = []
        for wanted in command.lines:
            product = state["items"].get(wanted.code)
            if product is None:
                raise ItemUnknown(f"This show has no product {wanted.code}.")
            sku = sku_of(product, wanted.options)
            if sku is None:
                axes = " and ".join(axis["axis"] for axis in product["options"])
                raise BadInput(f"{wanted.code} needs a choice of {axes}.")
            lines.append(offer_line(state, product, sku, wanted.quantity))
        buyer = state["buyers"].get(waiting["viewer"], {})
        answer = await self._submit(
            Reserve(
                id=command.comment, shop=keys.shop, show=keys.show, viewer=waiting["viewer"], lines=tuple(lines),
                limits=limits_of(state, buyer), hold_seconds=state["show"]["hold_seconds"], source="moderator",
                waitlist=state["settings"]["waitlist"],
            )
        )  # fmt: skip
        decision = accepted(state, command.comment, actor, state["now"])
        outcomes = [msgspec.to_builtins(line) for line in answer.lines]
        decision.outcome = {"outcome": str(answer.outcome), "lines": outcomes, "reason": answer.reason}
        if command.remember:
            decision.outcome |= await self._remember(keys.shop, state, command.remember, command.lines[0].code)
        return decision

    async def _remember(self, shop: str, state: State, word: str, code: str) -> dict[str, Any]:
        """The words of the comment become an alias of the shop, so that this show and the next one know them."""
        packs = tuple(state["show"]["packs"])
        for _ in range(CONFLICTS_MAX):
            kept = await self.store.shop_words(shop)
            index = await asyncio.to_thread(catalogue_index, state)
            change = learned(kept, word, code, index, packs)
            if isinstance(change, str):
                return {"remembered": change == "known", "not_remembered": change}
            if await self.store.put_shop_words(shop, kept.revision, change):
                return {"remembered": True, "alias": word, "code": code}
        return {"remembered": False, "not_remembered": "busy"}
