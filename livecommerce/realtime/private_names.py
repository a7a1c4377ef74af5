"""The only file that knows private names of python-socketio, python-engineio and aiohttp.

Three things need them: (1) the serializer of a client is found out per socket (stock socket.io-client with and without
its msgpack parser on one server); (2) one prebuilt frame is written to many transports; (3) a socket costs one task
instead of four and no queue. The versions are pinned in pyproject.toml, `tests/realtime/test_private_names.py` is the
contract, and `self_test.py` tries it at start-up: where it fails, `StockServer` (stock queues and `emit`) takes over.

Names used: engineio AsyncServer._handle_connect, ._trigger_event, .sockets, .generate_id, fields of its sockets and
their queue; socketio AsyncServer._handle_eio_message, ._handle_eio_connect, ._handle_eio_disconnect, ._handle_connect,
._handle_event, ._handle_disconnect, ._send_packet, ._engineio_server_class, .environ; AsyncManager.rooms (a bidict, by
its inverse), .pending_connect, .pending_disconnect, .callbacks; Packet._to_dict.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as system_socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal

import engineio
import msgpack
import socketio
import structlog
from aiohttp import WSMsgType, web
from engineio import packet as engine_packet
from engineio.async_socket import AsyncSocket
from socketio import packet as socket_packet
from socketio.msgpack_packet import MsgPackPacket

from livecommerce.ops.log_limit import warn_seldom
from livecommerce.realtime import close_codes
from livecommerce.realtime.close_codes import CloseCode
from livecommerce.realtime.frames import BINARY, PING_FRAME, TEXT, Serializer, event_frame, packed, websocket_frame
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.tasks import end

log = structlog.get_logger(__name__)

PING_SECONDS = 25.0
PONG_SECONDS = 20.0
JOIN_SECONDS = 10.0  # from the handshake to the first accepted CONNECT
VISIT_SECONDS = 2.5  # how often each socket is looked at; ten thousand are 4,000 visits a second of a microsecond
GOODBYE_SECONDS = 5.0  # for the peer to answer our Close frame; then its memory is taken back
SEND_BUFFER_BYTES = 128 * 1024  # kernel buffer a viewer: without it a stalled one holds megabytes that we do not see
PACKET_ID_MAX = 2**53  # as JavaScript counts
EMPTY_ENVIRONMENT: dict[str, Any] = {}
RESERVED_EVENTS = frozenset(("connect", "disconnect", "connect_error"))
CLOSES = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)

# What a client may say, by where its socket stands; all else ends it with 4006. Whoever disconnects has left: the
# socket ends with it, as socket.io-client's own does, and what comes after is not read.
Standing = Literal["unjoined", "joined"]
MAY_FOLLOW: dict[Standing, frozenset[int]] = {
    "unjoined": frozenset((socket_packet.CONNECT,)),  # also after a refusal
    "joined": frozenset((socket_packet.EVENT, socket_packet.ACK, socket_packet.DISCONNECT)),
}


def _nothing() -> None:
    """Until somebody wants to know."""


class LeanSocket(AsyncSocket):
    """An Engine.IO socket over one WebSocket: no queue, no writer task; frames go to the transport at once."""

    def __init__(self, server: Any, sid: str) -> None:
        self.server = server
        self.sid = sid
        self.queue = None
        self.session = EMPTY_ENVIRONMENT
        self.connected = self.upgraded = True
        self.upgrading = self.closing = self.closed = False
        self.last_ping: float | None = None
        self.pong_at = self.opened_at = self.pinged_at = time.monotonic()
        self.busy = False  # with a message: what the peer says meanwhile waits unread
        self.serializer: Serializer | None = None
        self.joined = False
        self.on_closing: Callable[[], None] = _nothing
        self.transport: asyncio.Transport | None = None
        self.websocket: web.WebSocketResponse | None = None
        self._leaving: asyncio.Future[None] | None = None

    def write(self, frame: bytes) -> None:
        """Writes one whole WebSocket frame; silently nothing once the socket is closing."""
        transport = self.transport
        if transport is not None and not self.closing and not transport.is_closing():
            transport.write(frame)

    async def send(self, pkt: Any) -> None:
        encoded = pkt.encode()
        if isinstance(encoded, str):
            self.write(websocket_frame(TEXT, encoded.encode()))
        else:
            self.write(websocket_frame(BINARY, encoded))

    async def serve(self, environ: dict[str, Any], greeting: bytes) -> web.StreamResponse:
        """Runs the socket until it ends. One message is handled at a time: a flood waits in the peer's own buffers."""
        request: web.Request = environ["aiohttp.request"]
        websocket = web.WebSocketResponse(
            compress=False, max_msg_size=self.server.max_http_buffer_size, timeout=GOODBYE_SECONDS, autoping=False
        )
        await websocket.prepare(request)
        self.websocket = websocket
        self.transport = request.transport
        raw = None if self.transport is None else self.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(system_socket.SOL_SOCKET, system_socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.write(websocket_frame(TEXT, greeting))
        reason = self.server.reason.TRANSPORT_CLOSE
        try:
            while not self.closed:
                message = await websocket.receive()
                if self._is_over():
                    # What was sent before the end, and waits, is nobody's any more: it is not worked off.
                    if self.transport is None or self.transport.is_closing() or message.type in CLOSES:
                        break
                elif message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                    self.busy = True
                    await self._received(message.data)
                    self.busy = False
                elif message.type is WSMsgType.PING or message.type is WSMsgType.PONG:
                    if self.server.count(self.sid) and message.type is WSMsgType.PING:
                        await websocket.pong(message.data)
                else:
                    break
        finally:
            await self.ended(reason)
        return websocket

    def _is_over(self) -> bool:
        return self.closing or self.transport is None or self.transport.is_closing()

    async def _received(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            await self.server._trigger_event("message", self.sid, data, run_async=False)
            return
        kind = data[:1]
        if kind == "4":
            await self.server._trigger_event("message", self.sid, data[1:], run_async=False)
        elif not self.server.count(self.sid):
            return
        elif kind == "3":
            self.pong_at = time.monotonic()
        elif kind == "1":
            await self.ended(self.server.reason.CLIENT_DISCONNECT)
        else:  # PING, UPGRADE, NOOP and the rest are no client's business on a WebSocket (Engine.IO protocol 4)
            self.goodbye(close_codes.BAD_PACKET)

    async def ended(self, reason: str) -> None:
        """Tells the Socket.IO layer once that this socket is gone."""
        if self.closed:
            return
        self.closing = self.closed = True
        self.server.sockets.pop(self.sid, None)
        await self.server._trigger_event("disconnect", self.sid, reason, run_async=False)

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """The stock door: a polite end without a code of ours."""
        if not self.closing and not abort:
            self.write(websocket_frame(TEXT, b"1"))
        await self.ended(reason or self.server.reason.SERVER_DISCONNECT)
        self._hang_up(1000, "")

    def goodbye(self, close_code: CloseCode) -> None:
        """`bye` event, Close frame with the number, and after GOODBYE_SECONDS the end of the connection."""
        if self.closing:
            return
        METRICS.closed.labels(close_code.code).inc()
        if self.joined and self.serializer is not None:
            self.write(event_frame(self.serializer, "bye", close_code.as_dict()))
        self.closing = True
        self.on_closing()
        self._hang_up(close_code.number, close_code.code)

    def _hang_up(self, number: int, code: str) -> None:
        self._leaving = task = asyncio.ensure_future(self._leave(number, code))
        self.server.leaving.add(task)
        task.add_done_callback(self.server.leaving.discard)
        task.add_done_callback(lambda _: self.server.gone(self.sid))

    def let_go(self) -> None:
        """The handler has ended. Where no goodbye is under way, the peer closed: it reads nothing more."""
        if self._leaving is None:
            if self.transport is not None and self.transport.get_write_buffer_size():
                self.transport.abort()
            self.server.gone(self.sid)

    async def _leave(self, number: int, code: str) -> None:
        try:
            if self.websocket is not None:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self.websocket.close(code=number, message=code.encode(), drain=False)
        except (TimeoutError, OSError, RuntimeError):
            log.debug("socket did not say goodbye", code=code)
        finally:
            if self.transport is not None:
                self.transport.abort()  # close() would keep what a stalled peer never reads


class LeanEngine(engineio.AsyncServer):
    """Engine.IO over WebSocket alone, with one pinger for all sockets."""

    def __init__(self, **options: Any) -> None:
        options["monitor_clients"] = False
        super().__init__(**options)
        self.leaving: set[asyncio.Future[None]] = set()
        self.admit: Callable[[web.Request], bool] = lambda request: True
        self.count: Callable[[str], bool] = lambda sid: True  # what is no message: pings, pongs, Engine.IO's own
        self.gone: Callable[[str], None] = lambda sid: None  # the connection of a socket has ended
        self._visits: deque[tuple[float, LeanSocket]] = deque()
        self._pinger: asyncio.Task[None] | None = None

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: Any = None) -> Any:
        if transport != "websocket" or not self.admit(environ["aiohttp.request"]):
            return {"status": "503 SERVICE UNAVAILABLE", "headers": [("Retry-After", "5")], "response": b"full"}
        if self._pinger is None or self._pinger.done():
            self._pinger = asyncio.ensure_future(self._visit_all())
        socket = LeanSocket(self, self.generate_id())
        self.sockets[socket.sid] = socket
        greeting = engine_packet.Packet(
            engine_packet.OPEN,
            {
                "sid": socket.sid, "upgrades": [], "pingTimeout": int(PONG_SECONDS * 1000),
                "pingInterval": int(PING_SECONDS * 1000), "maxPayload": self.max_http_buffer_size,
            },
        ).encode()  # fmt: skip
        try:
            await self._trigger_event("connect", socket.sid, environ, run_async=False)
            self._visits.append((time.monotonic() + VISIT_SECONDS, socket))
            return await socket.serve(environ, greeting.encode())
        finally:
            await socket.ended(self.reason.TRANSPORT_CLOSE)
            socket.let_go()

    async def _visit_all(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            while self._visits and self._visits[0][0] <= now:
                _, socket = self._visits.popleft()
                if not socket.closed:
                    self._visit(socket, now)
                    self._visits.append((now + VISIT_SECONDS, socket))

    def _visit(self, socket: LeanSocket, now: float) -> None:
        if socket.closing:
            return
        if not socket.joined and now - socket.opened_at > JOIN_SECONDS:
            socket.goodbye(close_codes.NOT_JOINED)
        elif socket.busy:
            # it is we who keep it waiting, for a store that stalls: its pong may lie unread behind the message
            socket.pong_at = now
        elif socket.pinged_at > socket.pong_at and now - socket.pinged_at > PONG_SECONDS:
            socket.goodbye(close_codes.SILENT)
        elif socket.pong_at >= socket.pinged_at and now - socket.pinged_at >= PING_SECONDS - VISIT_SECONDS:
            socket.pinged_at = now
            socket.write(PING_FRAME)

    async def shutdown(self) -> None:
        await end(self._pinger)
        if self.leaving:
            await asyncio.wait(self.leaving, timeout=GOODBYE_SECONDS + 1)


class LeanManager(socketio.AsyncManager):
    """The stock manager without a room of its own for every socket: leaving does not walk through all rooms."""

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        if eio_sid in getattr(self.rooms.get(namespace, {}).get(None), "_invm", {}):
            return None
        sid: str = self.server.eio.generate_id()
        self.basic_enter_room(sid, namespace, None, eio_sid=eio_sid)
        self.pending_connect.setdefault(namespace, []).append(sid)
        return sid

    def basic_disconnect(self, sid: str, namespace: str, **options: Any) -> None:
        self.basic_leave_room(sid, namespace, None)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            waiting = pending.get(namespace)
            if waiting is not None and sid in waiting:
                waiting.remove(sid)
                if not waiting:
                    del pending[namespace]


class PacketRefused(ValueError):
    """What a client sent is no packet of ours."""


def read_packet(data: str | bytes) -> Any:
    """A Socket.IO packet of either parser.

    Raises:
        PacketRefused: malformed, binary attachments, another namespace, types of the wrong kind.
    """
    try:
        packet = MsgPackPacket(encoded_packet=data) if isinstance(data, bytes) else _read_text(data)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
        msgpack.UnpackException,
    ) as error:
        raise PacketRefused(str(error)[:100]) from error
    kind = packet.packet_type
    if kind.__class__ is not int or not 0 <= kind <= 4:
        raise PacketRefused(f"packet type {str(kind)[:20]}")
    if packet.namespace not in (None, "/"):
        raise PacketRefused("namespace")
    if packet.id is not None and (packet.id.__class__ is not int or not 0 <= packet.id < PACKET_ID_MAX):
        raise PacketRefused("packet id")
    if kind == socket_packet.EVENT and not (
        isinstance(packet.data, list) and packet.data and isinstance(packet.data[0], str)
    ):
        raise PacketRefused("event data")
    if kind == socket_packet.EVENT and packet.data[0] in RESERVED_EVENTS:
        # python-socketio would call the handler of a real connect or disconnect with whatever the client sent.
        raise PacketRefused("reserved event")
    return packet


def _read_text(data: str) -> Any:
    if data[:1] not in ("0", "1", "2", "3", "4"):
        raise PacketRefused("packet type")
    return socket_packet.Packet(encoded_packet=data)


class MixedServer(socketio.AsyncServer):
    """Socket.IO with the serializer found out per socket, strict about packets, one hook after a join.

    Attributes set by the gateway:
        accept: called before a packet is handled (rate of messages); False drops it and the socket is closing.
        after_join: awaited once the client has been told that it is connected.
        opened, left: an engine socket begins and ends, joined or not.
        gone: its connection has ended too, and its place is free.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.accept: Callable[[str], bool] = lambda eio_sid: True
        self.after_join: Callable[[str], Awaitable[None]] | None = None
        self.opened: Callable[[str, web.Request], None] = lambda eio_sid, request: None
        self.left: Callable[[str], None] = lambda eio_sid: None
        self.gone: Callable[[str], None] = lambda eio_sid: None
        self._serializers: dict[str, Serializer] = {}

    def serializer_of(self, eio_sid: str) -> Serializer:
        return self._serializers.get(eio_sid, "json")

    def goodbye(self, eio_sid: str, close_code: CloseCode) -> None:
        raise NotImplementedError

    async def hang_up(self, eio_sid: str) -> None:
        """Ends a socket whose client has left, without a code."""
        raise NotImplementedError

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        if not self.accept(eio_sid):
            return
        serializer: Serializer = "msgpack" if isinstance(data, bytes) else "json"
        try:
            packet = read_packet(data)
            if self._serializers.setdefault(eio_sid, serializer) != serializer:
                raise PacketRefused("the parser changed")
            await self._dispatch(eio_sid, packet)
        except PacketRefused as error:
            log.debug("bad packet", why=str(error))  # counted by its close code
            self.goodbye(eio_sid, close_codes.BAD_PACKET)
        except Exception as error:
            warn_seldom(log, "packet failed", key=f"packet failed {type(error).__name__}", exc_info=True)

    async def _dispatch(self, eio_sid: str, packet: Any) -> None:
        kind = packet.packet_type
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        standing: Standing = "unjoined" if sid is None else "joined"
        if kind not in MAY_FOLLOW[standing]:
            raise PacketRefused(f"packet type {kind} while {standing}")
        if kind == socket_packet.CONNECT:
            await self._connect(eio_sid, packet.data)
        elif kind == socket_packet.EVENT:
            await self._handle_event(eio_sid, "/", packet.id, packet.data)
        elif kind == socket_packet.DISCONNECT:
            await self._handle_disconnect(eio_sid, "/", self.reason.CLIENT_DISCONNECT)
            await self.hang_up(eio_sid)
        # What is left is an ACK: we ask for none, and one that comes anyway is nothing.

    async def _connect(self, eio_sid: str, auth: Any) -> None:
        if auth is not None and not isinstance(auth, dict):
            raise PacketRefused("auth is no map")
        await self._handle_connect(eio_sid, "/", auth)
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if sid is not None and self.manager.is_connected(sid, "/"):
            self.environ[eio_sid] = EMPTY_ENVIRONMENT  # headers of the handshake are not needed any more
            if self.after_join is not None:
                await self.after_join(sid)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self.opened(eio_sid, environ["aiohttp.request"])

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        try:
            await super()._handle_eio_disconnect(eio_sid, reason)
        finally:
            self._serializers.pop(eio_sid, None)
            self.left(eio_sid)

    def queued_bytes(self, eio_sid: str) -> int:
        """Bytes in a stock socket's queue."""
        queue = getattr(self.eio.sockets.get(eio_sid), "queue", None)
        return 0 if queue is None else sum(len(packet.data or b"") for packet in tuple(queue._queue) if packet)

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        if self.serializer_of(eio_sid) == "msgpack":
            await self.eio.send(eio_sid, packed(pkt._to_dict()))
        else:
            await super()._send_packet(eio_sid, pkt)


class LeanServer(MixedServer):
    """The fast path: lean sockets, frames written to transports."""

    def _engineio_server_class(self) -> type:
        return LeanEngine

    def socket(self, eio_sid: str) -> LeanSocket | None:
        found: LeanSocket | None = self.eio.sockets.get(eio_sid)
        return found

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        socket = self.socket(eio_sid)
        if socket is not None:
            socket.serializer = self.serializer_of(eio_sid)
        await super()._handle_connect(eio_sid, namespace, data)

    def goodbye(self, eio_sid: str, close_code: CloseCode) -> None:
        socket = self.socket(eio_sid)
        if socket is not None:
            socket.goodbye(close_code)

    async def hang_up(self, eio_sid: str) -> None:
        socket = self.socket(eio_sid)
        if socket is not None:
            await socket.close()


class StockServer(MixedServer):
    """The way back: stock queues, stock writer tasks, stock `emit`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._leaving: set[asyncio.Future[None]] = set()  # the loop itself keeps a task only weakly

    def goodbye(self, eio_sid: str, close_code: CloseCode) -> None:
        METRICS.closed.labels(close_code.code).inc()
        self._later(self._goodbye(eio_sid, close_code))

    async def hang_up(self, eio_sid: str) -> None:
        self._later(self.eio.disconnect(eio_sid))  # it waits for the socket's queue

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        self.gone(eio_sid)

    async def _goodbye(self, eio_sid: str, close_code: CloseCode) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if sid is not None:
            await self._send_packet(
                eio_sid, self.packet_class(socket_packet.EVENT, namespace="/", data=["bye", close_code.as_dict()])
            )
            # A client leaves on Socket.IO's own disconnect packet; an Engine.IO close alone it would sit out.
            await self.disconnect(sid)
        else:
            await self.eio.disconnect(eio_sid)


def make_server(*, fast: bool, message_bytes_max: int, origins: Any) -> MixedServer:
    """A server of either kind with the options both share."""
    options: dict[str, Any] = {
        "async_mode": "aiohttp", "async_handlers": False, "transports": ["websocket"], "allow_upgrades": False,
        "max_http_buffer_size": message_bytes_max, "http_compression": False, "cors_allowed_origins": origins,
        "ping_interval": PING_SECONDS, "ping_timeout": PONG_SECONDS, "logger": False, "engineio_logger": False,
    }  # fmt: skip
    return LeanServer(client_manager=LeanManager(), **options) if fast else StockServer(**options)
