"""What staff may ask on the socket: `simulate`, `buyer`, `audit`, `reservations`, `presence`."""

from __future__ import annotations

from typing import Any

import msgspec

from livecommerce.comments import parse
from livecommerce.comments.verdict import Verdict
from livecommerce.errors import BadInput
from livecommerce.intake.speech import Payload, known_fields
from livecommerce.intake.text import checked_text
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.channels import Channels
from livecommerce.shows.kinds.buyer import buyer_of
from livecommerce.shows.kinds.claims import ticket_of_claim
from livecommerce.shows.projection import WireEvent
from livecommerce.shows.state import pinned_for
from livecommerce.shows.store import ShowStore

PAGE_MAX = 200  # reservations or audit entries in one answer: some 60 KB
START_MAX = 1_000_000  # more claims than any show has had


FIELDS = {"simulate": ("text", "pin"), "buyer": ("viewer",), "reservations": ("start", "query")}


class Asks:
    def __init__(self, store: ShowStore, channels: Channels, length_max: int) -> None:
        """`length_max` is that of a comment: a trial takes what viewers may write."""
        self._length_max = length_max
        self._store = store
        self._channels = channels

    async def answer(self, channel: Channel, raw: Payload) -> Payload:
        """
        Raises:
            BadInput: `what` is none of these, or a field is missing.
        """
        known_fields(raw, "what", *FIELDS.get(str(raw.get("what")), ()))
        match raw.get("what"):
            case "simulate":
                return self._simulate(channel, raw)
            case "buyer":
                return await self._buyer(channel, raw)
            case "audit":
                entries = await self._store.audit_page(channel.show, PAGE_MAX)
                return {
                    "audit": [{key: value for key, value in entry.items() if key != "inverse"} for entry in entries]
                }
            case "reservations":
                return await self._reservations(channel, raw)
            case "presence":
                presence = self._channels.presence
                figures = presence.figures(channel.show, channel.viewer_count())
                return {**figures, "course": await presence.course(channel.show)}
            case _:
                raise BadInput("what: simulate, buyer, audit, reservations or presence")

    def _parse(self, channel: Channel, text: str, pinned: str | None) -> Verdict:
        return parse(text, channel.mirror.index, tuple(channel.mirror.state["show"]["packs"]), pinned)

    def _simulate(self, channel: Channel, raw: Payload) -> Payload:
        """What a comment would mean now; nothing is changed."""
        text = checked_text(raw.get("text"), self._length_max)
        pin = raw.get("pin")
        pinned = pinned_for(channel.mirror.state, pin if isinstance(pin, str) else None, channel.now_ms())
        verdict: dict[str, Any] = msgspec.to_builtins(self._parse(channel, text, pinned))
        return verdict

    async def _buyer(self, channel: Channel, raw: Payload) -> Payload:
        viewer = raw.get("viewer")
        if not isinstance(viewer, str) or not 1 <= len(viewer) <= 64:
            raise BadInput("viewer: the id of a buyer")
        claims = await self._store.engine.claims(channel.shop, show=channel.show, viewer=viewer)
        state = channel.mirror.state
        tickets = [channel.projector.ticket(ticket_of_claim(claim), state, staff=True) for claim in claims[:PAGE_MAX]]
        lines = [line for line in state["chat"] if line["viewer"] == viewer]
        return {
            "viewer": viewer, "by": channel.projector.by(viewer),
            "name": channel.projector.name(state["names"], viewer), **buyer_of(state, viewer), "tickets": tickets,
            "chat": [channel.projector.chat_line(line, staff=True) for line in lines],
            "online": viewer in channel.by_viewer, "neighbours": channel.neighbours(viewer),
        }  # fmt: skip

    async def _reservations(self, channel: Channel, raw: Payload) -> Payload:
        start = raw.get("start", 0)
        if not isinstance(start, int) or isinstance(start, bool) or not 0 <= start <= START_MAX:
            raise BadInput("start: how many of the newest to leave out")
        query = raw.get("query", "")
        if not isinstance(query, str) or len(query) > 100:
            raise BadInput("query: words of a name, a product or a number")
        claims = await self._store.engine.claims(channel.shop, show=channel.show)
        tickets = [
            channel.projector.ticket(ticket_of_claim(claim), channel.mirror.state, staff=True) for claim in claims
        ]
        words = query.casefold().split()
        found = [ticket for ticket in tickets if all(word in searched(ticket) for word in words)]
        return {"reservations": found[start : start + PAGE_MAX], "total": len(found)}


def searched(ticket: WireEvent) -> str:
    return f"{ticket['name']} {ticket['label']} {ticket['code']} {ticket['number']} {ticket['by']}".casefold()
