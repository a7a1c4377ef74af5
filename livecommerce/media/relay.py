"""The relay role: one process, one UDP (and TCP) port, one control socket."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import ipaddress
import logging
import os
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, NamedTuple

import ifaddr
from aiohttp import web

from livecommerce.media.compiled import compiled
from livecommerce.media.control_app import ControlApp
from livecommerce.media.hls_app import HlsApp
from livecommerce.media.outputs import Outputs
from livecommerce.media.plane import MediaPlane, new_handshake_pool
from livecommerce.media.settings import Media
from livecommerce.media.transport.mux import Mux
from livecommerce.media.transport.tcp import TcpDoor
from livecommerce.media.transport.udp import open_socket

log = logging.getLogger(__name__)

StreamEvent = dict[str, Any]
OnStreamEvent = Callable[[str, StreamEvent], Awaitable[None] | None]
# Changes of stream state waiting to be told: a state changes a few times a minute at most.
EVENTS_MAX = 1_000
# sun_path is 108 bytes on Linux.
SOCKET_PATH_BYTES_MAX = 100


def local_addresses() -> list[str]:
    """This machine's addresses for candidates: IPv4 before IPv6, loopback only where there is nothing else."""
    found: list[str] = []
    loopback: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text.partition("%")[0])
            if address.is_loopback:
                loopback.append(text)
            elif not address.is_link_local:
                found.append(text)
    return sorted(found, key=lambda text: ":" in text) or [text for text in loopback if ":" not in text]


def candidate_addresses(media: Media) -> list[str]:
    """What viewers are told: the configured external addresses, else what the socket is bound to.

    Raises:
        ValueError: where an external address is not an IP address.
    """
    if media.external_addresses:
        return [str(ipaddress.ip_address(address)) for address in media.external_addresses]
    bound = ipaddress.ip_address(media.host)
    if not bound.is_unspecified:
        return [media.host]
    return [text for text in local_addresses() if bound.version == 6 or ":" not in text]


class _Teller:
    """Passes stream events on in order, without ever holding up media."""

    def __init__(self, on_stream_event: OnStreamEvent) -> None:
        self._tell = on_stream_event
        self._queue: asyncio.Queue[tuple[str, StreamEvent]] = asyncio.Queue(EVENTS_MAX)

    def put(self, show: str, event: StreamEvent) -> None:
        try:
            self._queue.put_nowait((show, event))
        except asyncio.QueueFull:
            log.error("stream event of %s lost: %s", show, event)

    async def run(self) -> None:
        while True:
            show, event = await self._queue.get()
            try:
                result = self._tell(show, event)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                log.exception("stream event of %s could not be told", show)
            finally:
                self._queue.task_done()

    async def drain(self) -> None:
        await self._queue.join()


async def _listen(runner: web.AppRunner, address: str) -> None:
    await runner.setup()
    if address.startswith("tcp://"):
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        await web.TCPSite(runner, host, int(port)).start()
        return
    if len(address.encode()) > SOCKET_PATH_BYTES_MAX:
        raise ValueError(f"the control socket's path is longer than {SOCKET_PATH_BYTES_MAX} bytes: {address}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address)  # left behind by a killed process; a living one holds the UDP port, which fails first
    await web.UnixSite(runner, address).start()
    os.chmod(address, 0o600)


# With port 0 the system picks a free UDP number; TCP may be taken there, so another is tried.
PORT_TRIES = 8


async def _open_ports(host: str, port: int, core: ModuleType | None) -> tuple[Mux, TcpDoor]:
    """UDP and TCP of the same number."""
    for left in range(PORT_TRIES - 1, -1, -1):
        udp = open_socket(host, port)
        mux = Mux(udp, new_handshake_pool(), core)
        door = TcpDoor(mux)
        try:
            await door.listen(host, mux.port)
            return mux, door
        except OSError:
            udp.close()
            mux.handshakes.close()
            if port or not left:
                raise
    raise OSError("no port is free for both UDP and TCP")


class RelayPlace(NamedTuple):
    """Which relay this is and where it is reached.

    Attributes:
        control_socket_path: a Unix socket path, or tcp://host:port (then `secret` guards it).
        udp_port: of media, TCP too; 0 takes a free one (tests).
        secret: shared by the nodes; also proves this relay to those that it pulls from.
        data_folder: where recordings go.
    """

    relay_id: str
    control_socket_path: str
    udp_port: int
    secret: str = ""
    data_folder: str = "data"


async def serve_relay(
    settings: Media,
    place: RelayPlace,
    *,
    stop: asyncio.Event,
    on_stream_event: OnStreamEvent,
    on_ready: Callable[[MediaPlane], None] | None = None,
) -> None:
    """Serves until `stop` is set.

    Args:
        on_stream_event: (show, {"state": "live" | "lost" | "ended", "kbps", …}); may be a coroutine function.
        on_ready: called with the plane once the port and the control socket are open.

    Raises:
        OSError: where the port or the socket cannot be opened.
    """
    core = compiled.core(is_wanted=settings.compiled_sending)
    mux, tcp = await _open_ports(settings.host, place.udp_port, core)
    teller = _Teller(on_stream_event)

    def on_event(show: str, event: StreamEvent) -> None:
        outputs.note(show, event)
        teller.put(show, event)

    plane = MediaPlane(
        mux,
        candidate_addresses(settings),
        bitrate_max_kbps=settings.bitrate_max_kbps,
        on_event=on_event,
        tcp_port=mux.port,
        origin_secret=place.secret,
    )
    outputs = Outputs(plane.streams, place.data_folder if settings.recording else None)
    plane.more_metrics.append(outputs.metrics)
    secret = place.secret if place.control_socket_path.startswith("tcp://") else ""
    app = ControlApp(plane, secret=secret).app()
    app.add_routes(HlsApp(outputs).routes())
    runner = web.AppRunner(app, access_log=None)
    telling = asyncio.create_task(teller.run())
    try:
        plane.start()
        outputs.start()
        await _listen(runner, place.control_socket_path)
        log.info("relay %s: udp port %d, control %s", place.relay_id, plane.mux.port, place.control_socket_path)
        if on_ready is not None:
            on_ready(plane)
        await stop.wait()
    finally:
        await outputs.close()
        await runner.cleanup()
        tcp.close()
        plane.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(teller.drain(), 2.0)
        telling.cancel()
