"""A relay with the door a web role gives it, viewers that decode, and a line that loses what a list says."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from livecommerce.errors import LiveCommerceError
from livecommerce.media.client.control import RelayControl, Session
from livecommerce.media.ingest.whep_client import VIDEO_PAYLOAD, WhepClient
from livecommerce.media.plane import MediaPlane
from livecommerce.media.relay import RelayPlace, serve_relay
from livecommerce.media.settings import Media
from livecommerce.media.stream import Stream
from livecommerce.media.synthetic.host import Quality, SyntheticHost
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.wire import sdp
from livecommerce.media.wire.freezes import FreezeReport
from livecommerce.media.wire.layer_wish import LAYER_RELATION

# Small enough that several encoders and decoders share one core with the relay.
TINY = Quality(width=320, height=240, frames_per_second=15, bitrate_kbps=300, keyframe_seconds=2.0)
WAIT_SECONDS = 20.0
WEB = Path(__file__).parents[2] / "web"
PAGE = """<!doctype html><video id="video" muted playsinline></video>
<canvas id="canvas" width="1280" height="720"></canvas>
<script type="module">import { play } from "/shared/whep.js"; import { publish } from "/shared/whip.js";
window.whip = { play, publish };</script>"""


async def until(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Waits for something that must come; says what did not."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)


class Stage:
    """One relay, its control client and a plain HTTP door in front, all on free ports."""

    def __init__(self, plane: MediaPlane, control: RelayControl, events: list[tuple[str, dict[str, Any]]]) -> None:
        self.plane = plane
        self.control = control
        self.events = events
        self.url = ""
        self.rewrite: Callable[[str], str] = lambda answer: answer

    @property
    def stream(self) -> Stream:
        return self.plane.streams["demo"]

    def states(self) -> list[str]:
        """States of the demo show in the order they were told."""
        return [event["state"] for show, event in self.events if show == "demo"]

    @contextlib.asynccontextmanager
    async def host(self, *, quality: Quality = TINY, should_delete: bool = True) -> AsyncIterator[SyntheticHost]:
        """A synthetic host that is live inside the block."""
        host = self.new_host(quality, should_delete=should_delete)
        async with self.connecting(host):
            await until(lambda: self.stream.state.value == "live", "the host is live")
            yield host

    def new_host(self, quality: Quality = TINY, *, should_delete: bool = True) -> SyntheticHost:
        return SyntheticHost(f"{self.url}/whip/demo", "host-token", quality=quality, should_delete=should_delete)

    @contextlib.asynccontextmanager
    async def connecting(self, host: SyntheticHost) -> AsyncIterator[SyntheticHost]:
        """A host that is connected inside the block."""
        stop = asyncio.Event()
        running = asyncio.create_task(host.run(stop))
        try:
            await asyncio.wait_for(host.connected.wait(), WAIT_SECONDS)
            yield host
        finally:
            stop.set()
            await running

    @contextlib.asynccontextmanager
    async def packets(
        self, *, rewrite_offer: Callable[[str], str] = lambda offer: offer, **callbacks: Any
    ) -> AsyncIterator[WhepClient]:
        """A viewer that sees packets."""
        client = WhepClient(Identity(), host="127.0.0.1", **callbacks)
        try:
            session = await self.control.play("demo", rewrite_offer(client.offer()))
            await client.connect(local(session.answer))
            yield client
        finally:
            client.close()


RTX_PAYLOAD, SEND_TIME_ID = 103, 4


def with_rtx(offer: str) -> str:
    """The offer of a packet viewer that takes repairs by RTX and says what its line carries, as browsers do."""
    more = [
        f"a=rtcp-fb:{VIDEO_PAYLOAD} goog-remb",
        f"a=extmap:{SEND_TIME_ID} {sdp.SEND_TIME}",
        f"a=rtpmap:{RTX_PAYLOAD} rtx/90000",
        f"a=fmtp:{RTX_PAYLOAD} apt={VIDEO_PAYLOAD}",
    ]
    formats = f"SAVPF {VIDEO_PAYLOAD}"
    return offer.replace(formats, f"{formats} {RTX_PAYLOAD}").replace(
        f"a=rtcp-fb:{VIDEO_PAYLOAD} nack\r", "\r\n".join([*more, f"a=rtcp-fb:{VIDEO_PAYLOAD} nack\r"])
    )


def local(answer: str) -> str:
    """The answer with its candidates on loopback, where raw sockets of the tests live."""
    return re.sub(r"(a=candidate:\S+ 1 udp \d+) \S+", r"\1 127.0.0.1", answer)


def _door(stage: Stage) -> web.Application:
    control = stage.control

    async def offer(request: web.Request) -> web.Response:
        kind, show = request.match_info["kind"], request.match_info["show"]
        try:
            publisher = request.headers.get("Authorization", "")
            body = await request.text()
            session = await (control.publish(show, body, publisher) if kind == "whip" else control.play(show, body))
        except LiveCommerceError as error:
            return web.json_response({"error": error.as_dict()}, status=error.http_status)
        headers = {"Location": session.location, "ETag": session.etag}
        if kind == "whep":
            headers["Link"] = f'<{session.location}/layer>; rel="{LAYER_RELATION}"'
        return web.Response(
            status=201, text=stage.rewrite(session.answer), content_type="application/sdp", headers=headers
        )

    async def delete(request: web.Request) -> web.Response:
        info = request.match_info
        with contextlib.suppress(LiveCommerceError):
            await control.stop(info["kind"], info["show"], info["session"])  # type: ignore[arg-type]
        return web.Response()

    async def freezes(request: web.Request) -> web.Response:
        report = msgspec.json.decode(await request.read(), type=FreezeReport)
        await control.freezes(request.match_info["show"], request.match_info["session"], report)
        return web.Response(status=204)

    async def layer(request: web.Request) -> web.Response:
        info = request.match_info
        await control.choose_layer(info["show"], info["session"], await request.text())
        return web.Response()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.add_routes(
        [
            web.get("/", page),
            web.static("/shared", WEB / "shared"),
            web.post("/{kind:whip|whep}/{show}", offer),
            web.delete("/{kind:whip|whep}/{show}/{session}", delete),
            web.post("/whep/{show}/{session}/freezes", freezes),
            web.post("/whep/{show}/{session}/layer", layer),
        ]
    )
    return app


@contextlib.asynccontextmanager
async def open_stage(
    media: Media | None = None, *, udp_port: int = 0, door_host: str = "127.0.0.1", data_folder: str = ""
) -> AsyncIterator[Stage]:
    """Starts everything and stops it in the reverse order. Records where there is a data folder."""
    stop, ready = asyncio.Event(), asyncio.Event()
    planes: list[MediaPlane] = []
    events: list[tuple[str, dict[str, Any]]] = []
    with tempfile.TemporaryDirectory(prefix="relay-", dir="/tmp") as folder:
        path = f"{folder}/relay.sock"
        relay = asyncio.create_task(
            serve_relay(
                media or Media(recording=bool(data_folder)),
                RelayPlace("relay-0", path, udp_port, data_folder=data_folder),
                stop=stop,
                on_stream_event=lambda show, event: events.append((show, event)),
                on_ready=lambda plane: (planes.append(plane), ready.set())[0],
            )
        )
        await asyncio.wait({relay, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            await relay
        control = RelayControl(path)
        stage = Stage(planes[0], control, events)
        runner = web.AppRunner(_door(stage))
        await runner.setup()
        site = web.TCPSite(runner, door_host, 0)
        await site.start()
        stage.url = f"http://{door_host}:{runner.addresses[0][1]}"
        try:
            yield stage
        finally:
            await runner.cleanup()
            await control.close()
            stop.set()
            await relay


class DecodingViewer:
    """An aiortc viewer that decodes and counts. `height` is the newest picture's, `times` their timestamps."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.session: Session | None = None
        self.frames = self.sounds = self.height = 0
        self.times: list[int] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.connection.on("track", lambda track: self._tasks.append(asyncio.create_task(self._pump(track))))

    async def _pump(self, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    self.frames += 1
                    self.height = frame.height
                    self.times.append(frame.pts)
                else:
                    self.sounds += 1

    async def join(
        self, control: RelayControl, rewrite: Callable[[str], str] = lambda answer: answer, *, origin: str = ""
    ) -> Self:
        self.connection.addTransceiver("video", "recvonly")
        self.connection.addTransceiver("audio", "recvonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.session = await control.play("demo", self.connection.localDescription.sdp, origin=origin)
        answer = RTCSessionDescription(rewrite(self.session.answer), "answer")
        await self.connection.setRemoteDescription(answer)
        return self

    async def more_frames(self, count: int) -> None:
        """Waits until `count` more pictures are decoded."""
        goal = self.frames + count
        await until(lambda: self.frames >= goal, f"{count} more decoded pictures (has {self.frames})")

    async def leave(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def viewing(
    stage: Stage, count: int = 1, rewrite: Callable[[str], str] = lambda answer: answer
) -> AsyncIterator[list[DecodingViewer]]:
    viewers = [await DecodingViewer().join(stage.control, rewrite) for _ in range(count)]
    try:
        yield viewers
    finally:
        for viewer in viewers:
            await viewer.leave()


class LossyLine:
    """A UDP line in front of the relay for one viewer; `losses` says for each media packet down whether it is lost.

    The list is repeated. Checks and handshakes pass, so that a pattern means the same packets in every run.
    """

    def __init__(self, relay_port: int, losses: list[bool]) -> None:
        self._losses = self._repeat(losses)
        self._relay = ("127.0.0.1", relay_port)
        self._client: Any = None
        self.lost = self.passed = 0
        self._down, self._up = self._socket(), self._socket()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._down.fileno(), self._from_client)
        loop.add_reader(self._up.fileno(), self._from_relay)

    def lose(self, losses: list[bool]) -> None:
        """Another pattern from now on."""
        self._losses = self._repeat(losses)

    @staticmethod
    def _repeat(losses: list[bool]) -> Iterator[bool]:
        while True:
            yield from losses

    @staticmethod
    def _socket() -> socket.socket:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind(("0.0.0.0", 0))
        return udp

    def rewrite(self, answer: str) -> str:
        """Sends the viewer through this line."""
        port = self._down.getsockname()[1]
        return re.sub(r"(a=candidate:\S+ 1 udp \d+ \S+) \d+", rf"\1 {port}", answer)

    def _from_client(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, self._client = self._down.recvfrom(2048)
                self._up.sendto(datagram, self._relay)

    def _from_relay(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram = self._up.recv(2048)
                is_media = 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223
                if is_media and next(self._losses):
                    self.lost += 1
                    continue
                self.passed += 1
                self._down.sendto(datagram, self._client)

    def close(self) -> None:
        for udp in (self._down, self._up):
            asyncio.get_running_loop().remove_reader(udp.fileno())
            udp.close()
