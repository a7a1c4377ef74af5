"""The Socket.IO gateway: who joins which show, what they may send, and what they are answered."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import socketio
import structlog
from aiohttp import web
from msgspec import structs
from redis.exceptions import RedisError

from livecommerce.bounds import ID_PATTERN
from livecommerce.errors import BadInput, LiveCommerceError, NotAllowed, TooMuch, Unavailable
from livecommerce.http.addresses import network_of
from livecommerce.http.errors import LoginNeeded
from livecommerce.http.identity import Identity, Staff
from livecommerce.intake.comment_path import CommentPath
from livecommerce.intake.errors import NameRefused, NameReserved
from livecommerce.intake.proof_of_work import BITS, VALID_SECONDS, challenge_of
from livecommerce.intake.speech import (
    Payload,
    acceptance_of,
    is_again,
    known_fields,
    press_of,
    speech_of,
    withdrawal_of,
)
from livecommerce.intake.text import checked_name, checked_text
from livecommerce.intake.viewer_commands import ViewerCommands
from livecommerce.ops.descriptors import DESCRIPTORS
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.store_faults import storage_error
from livecommerce.realtime import close_codes, limits
from livecommerce.realtime.asks import Asks
from livecommerce.realtime.broadcast import CLOSE_BYTES
from livecommerce.realtime.callers import Who, need_viewer
from livecommerce.realtime.channel import Channel, TicketRecords
from livecommerce.realtime.channels import Channels
from livecommerce.realtime.doors import FastDoor, StockDoor
from livecommerce.realtime.errors import EventUnknown
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.private_names import LeanServer, MixedServer, make_server
from livecommerce.realtime.settings import Realtime
from livecommerce.realtime.sockets import Sockets
from livecommerce.realtime.staff_sockets import StaffSockets
from livecommerce.realtime.viewers import Audience, Viewer
from livecommerce.shows.commands import Actor
from livecommerce.shows.errors import Banned, ShowOfAnotherShop
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds.claims import ticket_of_claim
from livecommerce.shows.model import address_mark, valid_id
from livecommerce.shows.moderation import held_newcomer, may_introduce, network_refusal
from livecommerce.shows.state import State
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockUnavailable

log = structlog.get_logger(__name__)

Answer = Mapping[str, Any]  # what it is answered, on the wire with `ok` beside it
OWN_CLAIMS_MAX = 200  # tickets of one viewer in one show that a page lists
# What a banned viewer may not do. The socket stays: it tells of the ban, of its end and of the end of the show.
ACTS = frozenset(("comment", "claim", "cancel", "take", "name", "command"))
STAFF_LENGTH_MAX = 500  # of a staff comment: an announcement is longer than what viewers say


class Seat(NamedTuple):
    """A joined socket and the show that it is in."""

    channel: Channel
    viewer: Viewer


class Gateway:
    """One per web process. `start` before serving, `close` when moving away."""

    def __init__(
        self, store: ShowStore, settings: Realtime, who: Who, *, fast: bool, origins: list[str] | str | None
    ) -> None:
        self.executor = Executor(store)
        self.fast = fast
        self.server: MixedServer = make_server(fast=fast, message_bytes_max=limits.MESSAGE_BYTES_MAX, origins=origins)
        self.channels = Channels(store, settings, secrets.token_hex(6), who.staff_names)
        self.seats: dict[str, Seat] = {}  # by the id that Socket.IO gives
        self._store = store
        self._path = CommentPath(store, store.engine, settings.comments_per_10_seconds)
        self._viewer_commands = ViewerCommands(store, self._path, settings.comment_length_max)
        self._who = who
        self._rate = limits.EventRate()
        self._staff = StaffSockets(who.staff_now, self._staff_sockets)
        self._viewers_max = settings.viewers_max
        self.sockets = Sockets(settings.viewers_max, settings.network_percent)  # joined or not
        self._refused_joins = limits.RefusedJoins()
        self._length_max = settings.comment_length_max
        self._asks = Asks(store, self.channels, self._length_max)
        self._by_eio: dict[str, Viewer] = {}
        self._moving = False
        self._handlers: dict[str, Callable[[Seat, Any], Awaitable[Answer]]] = {
            "comment": self._on_comment, "claim": self._on_claim, "cancel": self._on_cancel, "take": self._on_take,
            "name": self._on_name, "resume": self._on_resume, "tickets": self._on_tickets, "command": self._on_command,
            "ask": self._on_ask, "challenge": self._on_challenge,
        }  # fmt: skip
        self._wire_up()

    def _wire_up(self) -> None:
        server = self.server
        server.on("connect", self._on_connect)
        server.on("disconnect", self._on_disconnect)
        server.on("*", self._on_event)
        server.after_join = self._after_join
        server.accept = self._accept
        server.opened = self._opened
        server.left = self._left
        server.gone = self.sockets.gone
        if isinstance(server, LeanServer):
            server.eio.admit = self._admit
            server.eio.count = self._accept
            server.eio.gone = self.sockets.gone
        METRICS.path.labels("fast").set(1 if self.fast else 0)
        METRICS.path.labels("stock").set(0 if self.fast else 1)

    def attach(self, app: web.Application) -> None:
        """Adds the `/socket.io/` route."""
        self.server.attach(app)

    async def start(self) -> None:
        self.channels.start()
        self._staff.start()

    async def close(self) -> None:
        """Says `moving` to everyone, then stops reading."""
        self._moving = True
        await self._staff.close()
        for seat in tuple(self.seats.values()):
            seat.viewer.goodbye(close_codes.MOVING)
        await self.channels.close()
        with contextlib.suppress(Exception):  # a stock server that never had a client has nothing to shut down
            await self.server.shutdown()

    @property
    def events(self) -> frozenset[str]:
        """Names of all events that a joined socket may send."""
        return frozenset(self._handlers)

    def _staff_sockets(self) -> list[Viewer]:
        return [seat.viewer for seat in self.seats.values() if seat.viewer.audience == "staff"]

    # --- the door --------------------------------------------------------------------------------------------------

    def _admit(self, request: web.Request) -> bool:
        """Before the WebSocket handshake: is there room for one more, and for one more of this network?"""
        if self._moving or DESCRIPTORS.scarce:
            return False
        return not self.sockets.is_full(network_of(self._who.address(request)))

    def _accept(self, eio_sid: str) -> bool:
        """Before every packet: is this socket within its rate, and does it read what it is answered?"""
        socket = self.sockets.get(eio_sid)
        if socket is None or socket.is_closing:
            return False
        viewer = self._by_eio.get(eio_sid)
        if viewer is not None and viewer.door is not None and viewer.door.buffered() > CLOSE_BYTES:
            viewer.goodbye(close_codes.SLOW)
            return False
        if socket.budget.take():
            return True
        if socket.budget.strikes > limits.STRIKES_MAX:
            self.server.goodbye(eio_sid, close_codes.TOO_FAST)
        return False

    def _opened(self, eio_sid: str, request: web.Request) -> None:
        self.sockets.opened(eio_sid, network_of(self._who.address(request)))

    def _left(self, eio_sid: str) -> None:
        self.sockets.closes(eio_sid)
        viewer = self._by_eio.get(eio_sid)
        if viewer is not None:
            self._drop(viewer)

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """
        Raises:
            socketio.exceptions.ConnectionRefusedError: `connect_error` with data {number, code, reason}.
        """
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        try:
            self._may_ask(eio_sid, auth)
            seat = await self._join(sid, environ, auth)
        except LiveCommerceError as error:
            self._was_refused(eio_sid)
            raise socketio.exceptions.ConnectionRefusedError(error.text, error.as_dict()) from error
        except Exception as error:
            fault = self._fault_of(error)
            raise socketio.exceptions.ConnectionRefusedError(fault.text, fault.as_dict()) from error
        self.seats[sid] = seat
        self._by_eio[eio_sid] = seat.viewer
        if not self.sockets.joined(eio_sid):  # the socket ended while the show was loaded
            self._drop(seat.viewer)

    def _may_ask(self, eio_sid: str, auth: Any) -> None:
        """A show that is open here costs nobody anything; others are looked for, also those that are none.

        Raises:
            TooMuch: too much was asked for in vain from this network.
        """
        socket = self.sockets.get(eio_sid)
        show = auth.get("show") if isinstance(auth, dict) else None
        if socket is None or (isinstance(show, str) and self.channels.get(show) is not None):
            return
        if wait_ms := self._refused_joins.wait_ms(socket.network):
            raise TooMuch(retry_after_ms=wait_ms)

    def _was_refused(self, eio_sid: str) -> None:
        socket = self.sockets.get(eio_sid)
        if socket is None:
            return
        self._refused_joins.note(socket.network)
        socket.refusals += 1
        if socket.refusals > limits.REFUSALS_MAX:
            self.server.goodbye(eio_sid, close_codes.TOO_FAST)

    def _fault_of(self, error: Exception) -> LiveCommerceError:
        """What is told of a fault of ours, which whoever can bring it about may bring about a thousand times."""
        told = storage_error(error)
        if isinstance(error, StockUnavailable):
            told = Unavailable(retry_after_ms=1_000)
        if isinstance(told, LiveCommerceError):
            warn_seldom(log, "nobody can join", why=str(error)[:200])
            return told
        warn_seldom(log, "join failed", key=f"join failed {type(error).__name__}", exc_info=True)
        return LiveCommerceError()

    async def _join(self, sid: str, environ: dict[str, Any], auth: Any) -> Seat:
        if self._moving or len(self.seats) >= self._viewers_max:
            raise TooMuch("This server is full. Try again in a moment.", retry_after_ms=5_000)
        if not isinstance(auth, dict) or not valid_id(auth.get("show"), ID_PATTERN):
            raise BadInput("auth is a map with the id of the show under `show`")
        request: web.Request = environ["aiohttp.request"]
        identity = await self._who.of(request, auth["show"], auth.get("pass"))
        audience = self._audience(auth, identity)
        channel = await self.channels.open(auth["show"])
        try:
            self._may_watch(channel, identity, audience)
            viewer = self._viewer(sid, channel, identity, audience)
            viewer.name = self._first_name(channel, identity, audience, auth.get("name"))
            viewer.resume_from = (auth.get("epoch"), auth.get("offset"))
            return Seat(channel, viewer)
        except BaseException:
            self.channels.release(channel)
            raise

    def _may_watch(self, channel: Channel, identity: Identity, audience: Audience) -> None:
        """
        Raises:
            ShowOfAnotherShop, CookieNeeded.
        """
        if audience == "staff":
            if identity.staff is None or identity.staff.shop != channel.shop:
                raise ShowOfAnotherShop()
            return
        need_viewer(identity)

    def _mark(self, channel: Channel, identity: Identity) -> str:
        return address_mark(channel.mirror.state["network_salt"], identity.address)

    def _viewer(self, sid: str, channel: Channel, identity: Identity, audience: Audience) -> Viewer:
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        viewer = Viewer(sid, eio_sid, identity, audience, self._mark(channel, identity))
        viewer.serializer = self.server.serializer_of(eio_sid)
        viewer.joined_at = time.monotonic()
        return viewer

    def _audience(self, auth: Payload, identity: Identity) -> Audience:
        wanted = auth.get("as", "viewer")
        if wanted == "staff":
            if identity.staff is None:
                raise LoginNeeded()
            return "staff"
        if wanted != "viewer":
            raise BadInput("`as` is viewer or staff")
        return "viewer"

    def _first_name(self, channel: Channel, identity: Identity, audience: Audience, wished: object) -> str:
        """The name that the page remembers, else the one this viewer had in the show, else a guest's."""
        if identity.staff is not None and audience == "staff":
            return staff_name(identity.staff, channel.mirror.state)
        if wished:
            with contextlib.suppress(LiveCommerceError):
                return self._checked_name(channel, wished)
        known: str | None = channel.mirror.state["names"].get(identity.viewer)
        return known or channel.projector.name({}, identity.viewer)

    def _checked_name(self, channel: Channel, name: object) -> str:
        checked = checked_name(name)
        mirror = channel.mirror
        if mirror.reserved.takes(checked):
            raise NameReserved()
        if not mirror.is_free(checked):
            raise NameRefused("This name holds a word or a link that is blocked in this show.", why="words")
        return checked

    async def _after_join(self, sid: str) -> None:
        """The client knows that it is connected: resume or snapshot, and from now on frames."""
        seat = self.seats.get(sid)
        if seat is None:
            return
        channel, viewer = seat
        epoch, offset = viewer.resume_from
        records: TicketRecords = {}
        try:
            if viewer.audience == "viewer" and not channel.can_resume(epoch, offset):
                records = await self._own_records(seat)
        except (RedisError, StockUnavailable) as error:
            warn_seldom(log, "nobody can join", why=str(error)[:200])
            self.server.goodbye(viewer.eio_sid, close_codes.NOT_JOINED)
            return
        if sid not in self.seats:  # gone while stock answered
            return
        if not self._open_door(viewer):
            return
        viewer.resume_from = (None, None)
        if channel.can_resume(epoch, offset):
            self._resume(seat, str(offset))
        else:
            self._start_anew(seat, records)
        self._keep_few(seat)
        channel.add(viewer)
        METRICS.viewers.labels(viewer.audience).inc()

    def _open_door(self, viewer: Viewer) -> bool:
        """Whether bytes reach this socket from now on; False when it is closing."""
        if not isinstance(self.server, LeanServer):
            viewer.door = StockDoor(self.server, viewer.eio_sid)
            return True
        socket = self.server.socket(viewer.eio_sid)
        if socket is None or socket.closing:
            return False
        socket.joined = True
        viewer.door = FastDoor(socket)
        viewer.plug(socket.transport)
        socket.on_closing = viewer.unplug
        return True

    def _start_anew(self, seat: Seat, records: TicketRecords) -> None:
        """Sends a snapshot; `records` are the viewer's claims as just read of stock."""
        channel, viewer = seat
        tickets = channel.own_tickets(viewer.viewer, records) if viewer.audience == "viewer" else []
        if viewer.door is not None:
            viewer.door.write(channel.snapshot_frame(viewer, tickets, self._staff_shape(viewer)))

    def _staff_shape(self, viewer: Viewer) -> dict[str, str] | None:
        staff = viewer.identity.staff
        return {"login": staff.login, "role": staff.role} if staff and viewer.audience == "staff" else None

    def _keep_few(self, seat: Seat) -> None:
        """The oldest sockets of a viewer go when there are too many with the one that joins."""
        sockets = sorted(seat.channel.by_viewer.get(seat.viewer.viewer, ()), key=lambda one: one.joined_at)
        for old in sockets[: max(0, len(sockets) + 1 - limits.SOCKETS_PER_VIEWER_MAX)]:
            old.goodbye(close_codes.ELSEWHERE)

    def _resume(self, seat: Seat, offset: str) -> None:
        channel, viewer = seat
        frame = channel.missed_frame(viewer, offset)
        private = channel.missed_private(viewer, offset) if viewer.audience == "viewer" else []
        if viewer.door is not None and frame is not None:
            viewer.door.write(frame)
            if private:
                viewer.send("private", {"ev": private})

    async def _on_disconnect(self, sid: str, reason: str = "") -> None:
        seat = self.seats.get(sid)
        if seat is not None:
            self._drop(seat.viewer)

    def _drop(self, viewer: Viewer) -> None:
        """Forgets a viewer; once, whichever layer noticed first."""
        seat = self.seats.pop(viewer.sid, None)
        if seat is None:
            return
        self._by_eio.pop(viewer.eio_sid, None)
        if viewer.door is not None:
            METRICS.viewers.labels(viewer.audience).dec()
            seat.channel.remove(viewer)
            viewer.door = None
            viewer.unplug()
        self.channels.release(seat.channel)

    # --- events ----------------------------------------------------------------------------------------------------

    async def _on_event(self, event: str, sid: str, *args: Any) -> Answer:
        """Every event but connect and disconnect; always an answer with `ok`."""
        seat = self.seats.get(sid)
        handler = self._handlers.get(event)
        try:
            if seat is None or seat.viewer.door is None:
                raise NotAllowed("Not joined yet.")
            if handler is None:
                raise EventUnknown(f"The server knows no event {event[:40]!r}.")
            if seat.viewer.audience == "viewer":
                who = seat.viewer.identity
                network = network_of(who.address) if event in limits.WRITES else ""  # comments and claims are many
                if wait_ms := self._rate.wait_ms(who.viewer, network, event):
                    raise TooMuch(retry_after_ms=wait_ms)
            if len(args) > 1:
                raise BadInput("An event carries one map.")
            if seat.viewer.audience == "staff":
                await self._staff.renew(seat.viewer, seat.channel.shop)
            elif event in ACTS and seat.channel.is_barred(seat.viewer):
                raise Banned()
            return {"ok": True, **await handler(seat, args[0] if args else {})}
        except LiveCommerceError as error:
            return {"ok": False, "error": error.as_dict()}
        except (RedisError, StockUnavailable) as error:
            warn_seldom(log, "store failed", event_name=event[:40], why=str(error)[:200])
            told = storage_error(error)
            known = told if isinstance(told, LiveCommerceError) else Unavailable(retry_after_ms=1_000)
            return {"ok": False, "error": known.as_dict()}
        except Exception as error:
            # A traceback a minute: who can bring about a fault can bring about thousands.
            key = f"event {event[:40]} {type(error).__name__}"
            warn_seldom(log, "event failed", key=key, event_name=event[:40], exc_info=True)
            return {"ok": False, "error": LiveCommerceError().as_dict()}

    async def _on_comment(self, seat: Seat, raw: Any) -> Answer:
        if seat.viewer.audience == "staff":  # staff comments are never orders
            return await self._staff_says(seat, as_map(raw))
        self._is_welcome(seat)
        speech = speech_of(seat.channel.show, seat.viewer, as_map(raw), self._length_max)
        return await self._path.comment(seat.channel.mirror, structs.replace(speech, network=seat.viewer.address))

    def _is_welcome(self, seat: Seat) -> None:
        """
        Raises:
            NetworkBarred.
        """
        state, viewer = seat.channel.mirror.state, seat.viewer
        refusal = network_refusal(state, viewer.viewer, viewer.address, self._store.now_ms())
        if refusal is not None:
            raise refusal

    async def _staff_says(self, seat: Seat, raw: Payload) -> Answer:
        known_fields(raw, "id", "text", "pin", "options", "again")
        text = checked_text(raw.get("text"), STAFF_LENGTH_MAX)
        command = self._store.kinds.read_command({"do": "say", "id": raw.get("id"), "text": text})
        await self.executor.execute(seat.channel.show, command, self._actor(seat))
        return {"verdict": "none", "reason": "staff", "lines": []}

    async def _on_claim(self, seat: Seat, raw: Any) -> Answer:
        if seat.viewer.audience == "staff":
            raise NotAllowed("Staff do not order. Use the watch page.")
        self._is_welcome(seat)
        press = press_of(seat.channel.show, seat.viewer, as_map(raw))
        return await self._path.claim(seat.channel.mirror, structs.replace(press, network=seat.viewer.address))

    async def _on_cancel(self, seat: Seat, raw: Any) -> Answer:
        return await self._path.cancel(seat.channel.mirror, withdrawal_of(seat.channel.show, seat.viewer, as_map(raw)))

    async def _on_take(self, seat: Seat, raw: Any) -> Answer:
        return await self._path.take(seat.channel.mirror, acceptance_of(seat.channel.show, seat.viewer, as_map(raw)))

    async def _on_name(self, seat: Seat, raw: Any) -> Answer:
        channel, viewer = seat
        if viewer.audience == "staff":
            raise NotAllowed("The name of staff is set in the shop.")
        self._is_welcome(seat)
        known_fields(as_map(raw), "name")
        name = self._checked_name(channel, raw.get("name"))
        if viewer.name == name and channel.mirror.state["names"].get(viewer.viewer) == name:
            return {"name": name}  # as it stands: pages say it again when they come back
        for socket in channel.by_viewer.get(viewer.viewer, (viewer,)):
            socket.name = name
        state = channel.mirror.state
        is_held = held_newcomer(state, viewer.viewer, viewer.address, self._store.now_ms())
        if may_introduce(state, viewer.viewer) and not is_held:  # else it is read with the first line let through
            await self._store.name(channel.show, viewer.viewer, name)
        return {"name": name}

    async def _on_resume(self, seat: Seat, raw: Any) -> Answer:
        data = as_map(raw)
        known_fields(data, "epoch", "offset", "again")
        epoch, offset = data.get("epoch"), data.get("offset")
        resumed = seat.channel.can_resume(epoch, offset)
        if resumed:
            self._resume(seat, str(offset))
        else:
            self._start_anew(seat, await self._own_records(seat) if seat.viewer.audience == "viewer" else {})
        seat.channel.stands_at_mirror(seat.viewer)
        return {"resumed": resumed}

    async def _on_tickets(self, seat: Seat, raw: Any) -> Answer:
        return {"tickets": seat.channel.own_tickets(seat.viewer.viewer, await self._own_records(seat))}

    async def _on_challenge(self, seat: Seat, raw: Any) -> Answer:
        """What an order is to prove where the show asks for it; good for this viewer alone."""
        known_fields(as_map(raw), "again")
        until_ms = self._store.now_ms() + VALID_SECONDS * 1000
        state, viewer = seat.channel.mirror.state, seat.viewer.viewer
        challenge = challenge_of(state["salt"], seat.channel.show, viewer, until_ms)
        return {"challenge": challenge, "bits": BITS, "seconds": VALID_SECONDS}

    async def _own_records(self, seat: Seat) -> TicketRecords:
        channel = seat.channel
        claims = await self._store.engine.claims(channel.shop, show=channel.show, viewer=seat.viewer.viewer)
        return {claim.reservation: ticket_of_claim(claim) for claim in claims[:OWN_CLAIMS_MAX]}

    def _actor(self, seat: Seat) -> Actor:
        """
        Raises:
            NotAllowed: the socket is no staff's.
        """
        staff = seat.viewer.identity.staff
        if staff is None or seat.viewer.audience != "staff":
            raise NotAllowed("Only staff give commands.")
        return Actor(login=staff.login, role=staff.role, name=staff.name)

    async def _on_command(self, seat: Seat, raw: Any) -> Answer:
        channel, viewer = seat
        if viewer.audience == "viewer":
            self._is_welcome(seat)
            told = as_map(raw)
            outcome = await self._viewer_commands.execute(channel.show, channel.mirror, viewer, told, viewer.address)
            return {"outcome": outcome}
        actor, sent = self._actor(seat), as_map(raw)
        is_again(sent)  # said of what has an id; the id alone decides
        command = self._store.kinds.read_command({key: sent[key] for key in sent if key != "again"})
        return {"outcome": await self.executor.execute(channel.show, command, actor)}

    async def _on_ask(self, seat: Seat, raw: Any) -> Answer:
        self._actor(seat)
        return await self._asks.answer(seat.channel, as_map(raw))


def staff_name(staff: Staff, state: State) -> str:
    """What everyone reads beside what staff say: never a login, with which people log in."""
    return staff.name or state["show"]["shop_name"]


def as_map(raw: object) -> Payload:
    """
    Raises:
        BadInput: the payload of an event is no map.
    """
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise BadInput("An event carries one map with text keys.")
    return raw
