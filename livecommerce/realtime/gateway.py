"""The Socket.IO gateway: who joins which show, what they may send, and what they are answered."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.accounts.identity import Identity
from livecommerce.errors import (
    BadInput,
    Banned,
    EventUnknown,
    LiveCommerceError,
    LoginNeeded,
    NameRefused,
    NotAllowed,
    TooMuch,
    Unavailable,
)
from livecommerce.ops.descriptors import DESCRIPTORS
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.realtime import close_codes, limits
from livecommerce.realtime.asks import Asks
from livecommerce.realtime.broadcast import CLOSE_BYTES
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.channels import Channels
from livecommerce.realtime.comment_path import CommentPath
from livecommerce.realtime.doors import FastDoor, StockDoor
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.private_names import LeanServer, MixedServer, make_server
from livecommerce.realtime.viewer import Audience, Viewer
from livecommerce.settings import Settings
from livecommerce.shows.commands import Actor, read_command
from livecommerce.shows.errors import ShowOfAnotherShop
from livecommerce.shows.executor import Executor
from livecommerce.shows.model import address_mark, valid_id
from livecommerce.shows.moderation import barred
from livecommerce.shows.store import ShowStore, storage_error, ticket_of_claim
from livecommerce.shows.words import WordFilter
from livecommerce.stock.engine import StockEngine, StockUnavailable

log = structlog.get_logger(__name__)

Identify = Callable[[web.Request], Awaitable[Identity]]
Answer = dict[str, Any]
OWN_CLAIMS_MAX = 200  # tickets of one viewer in one show that a page lists


class Gateway:
    """One per web process. `start` before serving, `close` when moving away."""

    def __init__(
        self, redis: Redis, engine: StockEngine, store: ShowStore, settings: Settings, identify: Identify,
        *, fast: bool = True, origins: Any = None,
    ) -> None:  # fmt: skip
        self.store = store
        self.executor = Executor(store)
        self.fast = fast
        self.server: MixedServer = make_server(fast=fast, message_bytes_max=limits.MESSAGE_BYTES_MAX, origins=origins)
        self.channels = Channels(redis, store, settings.realtime, secrets.token_hex(6))
        self.path = CommentPath(store, engine, settings.realtime)
        self.viewers: dict[str, Viewer] = {}
        self._engine = engine
        self._identify = identify
        self._viewers_max = settings.realtime.viewers_max
        self._asks = Asks(store, engine, self.channels)
        self._budgets: dict[str, limits.MessageBudget] = {}  # one per engine socket, joined or not
        self._by_eio: dict[str, Viewer] = {}
        self._moving = False
        self._handlers: dict[str, Callable[[Viewer, Any], Awaitable[Answer]]] = {
            "comment": self._on_comment, "claim": self._on_claim, "cancel": self._on_cancel, "name": self._on_name,
            "resume": self._on_resume, "tickets": self._on_tickets, "command": self._on_command, "ask": self._on_ask,
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
        if isinstance(server, LeanServer):
            server.eio.admit = self._admit
        METRICS.path.labels("fast").set(1 if self.fast else 0)
        METRICS.path.labels("stock").set(0 if self.fast else 1)

    def attach(self, app: web.Application) -> None:
        """Adds the `/socket.io/` route."""
        self.server.attach(app)

    async def start(self) -> None:
        await self.store.start()
        self.channels.start()

    async def close(self) -> None:
        """Says `moving` to everyone, then stops reading."""
        self._moving = True
        for viewer in tuple(self.viewers.values()):
            viewer.goodbye(close_codes.MOVING)
        await self.channels.close()
        await self.store.close()
        with contextlib.suppress(Exception):  # a stock server that never had a client has nothing to shut down
            await self.server.shutdown()

    # --- the door --------------------------------------------------------------------------------------------------

    def _admit(self, request: web.Request) -> bool:
        """Before the WebSocket handshake: is there room for one more?"""
        return (
            not self._moving
            and not DESCRIPTORS.scarce
            and len(self._budgets) < self._viewers_max + limits.UNJOINED_MAX
            and len(self._budgets) - len(self.viewers) < limits.UNJOINED_MAX
        )

    def _accept(self, eio_sid: str) -> bool:
        """Before every packet: is this socket within its rate, and does it read what it is answered?"""
        budget = self._budgets.get(eio_sid)
        if budget is None:  # already gone
            return False
        viewer = self._by_eio.get(eio_sid)
        if viewer is not None and viewer.door is not None and viewer.door.buffered() > CLOSE_BYTES:
            viewer.goodbye(close_codes.SLOW)
            return False
        if budget.take():
            return True
        if budget.strikes > limits.STRIKES_MAX:
            self.server.goodbye(eio_sid, close_codes.TOO_FAST)
        return False

    def _opened(self, eio_sid: str) -> None:
        self._budgets[eio_sid] = limits.MessageBudget()

    def _left(self, eio_sid: str) -> None:
        self._budgets.pop(eio_sid, None)
        viewer = self._by_eio.get(eio_sid)
        if viewer is not None:
            self._drop(viewer)

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """
        Raises:
            socketio.exceptions.ConnectionRefusedError: `connect_error` with data {number, code, reason}.
        """
        try:
            viewer = await self._join(sid, environ, auth)
        except LiveCommerceError as error:
            raise socketio.exceptions.ConnectionRefusedError(error.text, error.as_dict()) from error
        except Exception as error:
            told = storage_error(error)
            if isinstance(error, StockUnavailable):
                told = Unavailable(retry_after_ms=1_000)
            fault = told if isinstance(told, LiveCommerceError) else LiveCommerceError()
            if fault.code == LiveCommerceError.code:
                log.exception("join failed")
            else:
                warn_seldom(log, "nobody can join", why=str(error)[:200])
            raise socketio.exceptions.ConnectionRefusedError(fault.text, fault.as_dict()) from error
        self.viewers[sid] = self._by_eio[viewer.eio_sid] = viewer
        if viewer.eio_sid not in self._budgets:  # the socket ended while the show was loaded
            self._drop(viewer)

    async def _join(self, sid: str, environ: dict[str, Any], auth: Any) -> Viewer:
        if self._moving or len(self.viewers) >= self._viewers_max:
            raise TooMuch("This server is full. Try again in a moment.", retry_after_ms=5_000)
        if not isinstance(auth, dict) or not valid_id(auth.get("show"), r"^[a-z0-9-]{1,40}$"):
            raise BadInput("auth is a map with the id of the show under `show`")
        request: web.Request = environ["aiohttp.request"]
        identity = await self._identify(request)
        audience = self._audience(auth, identity)
        channel = await self.channels.open(auth["show"])
        try:
            return self._viewer(sid, channel, identity, audience, auth)
        except BaseException:
            self.channels.release(channel)
            raise

    def _viewer(
        self, sid: str, channel: Channel, identity: Identity, audience: Audience, auth: dict[str, Any]
    ) -> Viewer:
        address = address_mark(channel.state["salt"], identity.address)
        if audience == "staff":
            if identity.staff is None or identity.staff.shop != channel.shop:
                raise ShowOfAnotherShop()
        elif not identity.viewer:
            raise LoginNeeded("Open the page of the show first; it gives you a viewer's cookie.")
        elif barred(channel.state, identity.viewer, address):
            raise Banned()
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        viewer = Viewer(sid, eio_sid, channel, identity, audience, address)
        viewer.serializer = self.server.serializer_of(eio_sid)
        viewer.joined_at = time.monotonic()
        viewer.name = self._first_name(channel, identity, auth)
        viewer.resume_from = (auth.get("epoch"), auth.get("offset"))
        return viewer

    def _audience(self, auth: dict[str, Any], identity: Identity) -> Audience:
        wanted = auth.get("as", "viewer")
        if wanted == "staff":
            if identity.staff is None:
                raise LoginNeeded()
            return "staff"
        if wanted != "viewer":
            raise BadInput("`as` is viewer or staff")
        return "viewer"

    def _first_name(self, channel: Channel, identity: Identity, auth: dict[str, Any]) -> str:
        """The name this viewer had in the show, else the one the page remembers, else a guest's."""
        known = channel.state["names"].get(identity.viewer)
        if identity.staff is not None and auth.get("as") == "staff":
            return identity.staff.name or identity.staff.login
        if auth.get("name"):
            with contextlib.suppress(LiveCommerceError):
                return self._checked_name(channel, auth["name"])
        return known or channel.projector.name({"names": {}}, identity.viewer)

    def _checked_name(self, channel: Channel, name: object) -> str:
        checked = limits.checked_name(name)
        words: WordFilter = channel.words
        if words.find(checked) is not None:
            raise NameRefused("This name holds a word that is blocked in this show.")
        return checked

    async def _after_join(self, sid: str) -> None:
        """The client knows that it is connected: resume or snapshot, and from now on frames."""
        viewer = self.viewers.get(sid)
        if viewer is None:
            return
        channel = viewer.channel
        epoch, offset = viewer.resume_from
        records: dict[str, dict[str, Any]] = {}
        if viewer.audience == "viewer" and not channel.can_resume(epoch, offset):
            records = await self._own_records(viewer)
        if sid not in self.viewers:  # gone while stock answered
            return
        if isinstance(self.server, LeanServer):
            socket = self.server.socket(viewer.eio_sid)
            if socket is None or socket.closing:
                return
            socket.joined = True
            viewer.door = FastDoor(socket)
            viewer.plug(socket.transport)
            socket.on_closing = viewer.unplug
        else:
            viewer.door = StockDoor(self.server, viewer.eio_sid)
        viewer.resume_from = (None, None)
        if channel.can_resume(epoch, offset):
            self._resume(viewer, str(offset))
        else:
            tickets = channel.own_tickets(viewer.viewer, records) if viewer.audience == "viewer" else []
            viewer.door.write(channel.snapshot_frame(viewer, tickets, self._staff_shape(viewer)))
        self._keep_few(viewer)
        channel.add(viewer)
        METRICS.viewers.labels(viewer.audience).inc()

    def _staff_shape(self, viewer: Viewer) -> dict[str, Any] | None:
        staff = viewer.identity.staff
        return {"login": staff.login, "role": staff.role} if staff and viewer.audience == "staff" else None

    def _keep_few(self, viewer: Viewer) -> None:
        """The oldest socket of a viewer goes when there are too many."""
        sockets = sorted(viewer.channel.by_viewer.get(viewer.viewer, ()), key=lambda one: one.joined_at)
        for old in sockets[: max(0, len(sockets) + 1 - limits.SOCKETS_PER_VIEWER_MAX)]:
            old.goodbye(close_codes.ELSEWHERE)

    def _resume(self, viewer: Viewer, offset: str) -> None:
        frame = viewer.channel.missed_frame(viewer, offset)
        private = viewer.channel.missed_private(viewer, offset) if viewer.audience == "viewer" else []
        if viewer.door is not None and frame is not None:
            viewer.door.write(frame)
            if private:
                viewer.send("private", {"ev": private})

    async def _on_disconnect(self, sid: str, reason: str = "") -> None:
        viewer = self.viewers.get(sid)
        if viewer is not None:
            self._drop(viewer)

    def _drop(self, viewer: Viewer) -> None:
        """Forgets a viewer; once, whichever layer noticed first."""
        if self.viewers.pop(viewer.sid, None) is None:
            return
        self._by_eio.pop(viewer.eio_sid, None)
        if viewer.door is not None:
            METRICS.viewers.labels(viewer.audience).dec()
            viewer.channel.remove(viewer)
            viewer.door = None
            viewer.unplug()
        self.channels.release(viewer.channel)

    # --- events ----------------------------------------------------------------------------------------------------

    async def _on_event(self, event: str, sid: str, *args: Any) -> Answer:
        """Every event but connect and disconnect; always an answer with `ok`."""
        viewer = self.viewers.get(sid)
        handler = self._handlers.get(event)
        try:
            if viewer is None or viewer.door is None:
                raise NotAllowed("Not joined yet.")
            if handler is None:
                raise EventUnknown(f"The server knows no event {event[:40]!r}.")
            if len(args) > 1:
                raise BadInput("An event carries one map.")
            return {"ok": True, **await handler(viewer, args[0] if args else {})}
        except LiveCommerceError as error:
            return {"ok": False, "error": error.as_dict()}
        except (RedisError, StockUnavailable) as error:
            warn_seldom(log, "store failed", event_name=event[:40], why=str(error)[:200])
            told = storage_error(error)
            known = told if isinstance(told, LiveCommerceError) else Unavailable(retry_after_ms=1_000)
            return {"ok": False, "error": known.as_dict()}
        except Exception:
            log.exception("event failed", event_name=event[:40])
            return {"ok": False, "error": LiveCommerceError().as_dict()}

    async def _on_comment(self, viewer: Viewer, raw: Any) -> Answer:
        if viewer.audience == "staff":  # staff comments are never orders
            return await self._staff_says(viewer, as_map(raw))
        return await self.path.comment(viewer.channel, viewer, as_map(raw))

    async def _staff_says(self, viewer: Viewer, raw: dict[str, Any]) -> Answer:
        text = limits.checked_text(raw.get("text"), 500)
        command = read_command({"do": "say", "id": raw.get("id"), "text": text, "name": viewer.name[:40]})
        await self.executor.execute(viewer.channel.show, command, self._actor(viewer))
        return {"verdict": "none", "reason": "staff", "lines": []}

    async def _on_claim(self, viewer: Viewer, raw: Any) -> Answer:
        if viewer.audience == "staff":
            raise NotAllowed("Staff do not order. Use the watch page.")
        return await self.path.claim(viewer.channel, viewer, as_map(raw))

    async def _on_cancel(self, viewer: Viewer, raw: Any) -> Answer:
        return await self.path.cancel(viewer.channel, viewer, as_map(raw))

    async def _on_name(self, viewer: Viewer, raw: Any) -> Answer:
        if viewer.audience == "staff":
            raise NotAllowed("The name of staff is set in the shop.")
        name = self._checked_name(viewer.channel, as_map(raw).get("name"))
        for socket in viewer.channel.by_viewer.get(viewer.viewer, (viewer,)):
            socket.name = name
        await self.store.name(viewer.channel.show, viewer.viewer, name)
        return {"name": name}

    async def _on_resume(self, viewer: Viewer, raw: Any) -> Answer:
        data = as_map(raw)
        epoch, offset = data.get("epoch"), data.get("offset")
        if viewer.channel.can_resume(epoch, offset):
            self._resume(viewer, str(offset))
            viewer.channel.stands_at_mirror(viewer)
            return {"resumed": True}
        records = await self._own_records(viewer) if viewer.audience == "viewer" else {}
        tickets = viewer.channel.own_tickets(viewer.viewer, records) if viewer.audience == "viewer" else []
        if viewer.door is not None:
            viewer.door.write(viewer.channel.snapshot_frame(viewer, tickets, self._staff_shape(viewer)))
            viewer.channel.stands_at_mirror(viewer)
        return {"resumed": False}

    async def _on_tickets(self, viewer: Viewer, raw: Any) -> Answer:
        return {"tickets": viewer.channel.own_tickets(viewer.viewer, await self._own_records(viewer))}

    async def _own_records(self, viewer: Viewer) -> dict[str, dict[str, Any]]:
        channel = viewer.channel
        claims = await self._engine.claims(channel.shop, show=channel.show, viewer=viewer.viewer)
        return {claim.reservation: ticket_of_claim(claim) for claim in claims[:OWN_CLAIMS_MAX]}

    def _actor(self, viewer: Viewer) -> Actor:
        staff = viewer.identity.staff
        if staff is None or viewer.audience != "staff":
            raise NotAllowed("Only staff give commands.")
        return Actor(login=staff.login, role=staff.role)

    async def _on_command(self, viewer: Viewer, raw: Any) -> Answer:
        actor = self._actor(viewer)
        command = read_command(raw)
        outcome = await self.executor.execute(viewer.channel.show, command, actor)
        return {"outcome": outcome}

    async def _on_ask(self, viewer: Viewer, raw: Any) -> Answer:
        self._actor(viewer)
        return await self._asks.answer(viewer.channel, as_map(raw))


def as_map(raw: Any) -> dict[str, Any]:
    """
    Raises:
        BadInput: the payload of an event is no map.
    """
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise BadInput("An event carries one map with text keys.")
    return raw
