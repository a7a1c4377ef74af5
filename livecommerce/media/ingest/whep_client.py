"""A WHEP viewer without a picture: ICE, DTLS and SRTP as a browser does them, then only packets.

A relay without a stream pulls it with this from the origin; load tests count with it, tests look at bytes with it.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from livecommerce.media.transport.dtls import Handshake, Identity, Step
from livecommerce.media.transport.srtp import Keys, LibsrtpInbound, Outbound, outbound
from livecommerce.media.wire import rtcp, rtp, stun
from livecommerce.media.wire.sdp import Fingerprint

VIDEO_PAYLOAD, AUDIO_PAYLOAD = 102, 111
# The pace of ICE (Ta, RFC 8445 section 14.2) for three seconds.
CHECK_SECONDS = 0.05
CHECKS_MAX = 60
# As browsers do; a relay gives up on who is silent for 15 s.
KEEPALIVE_SECONDS = 2.5
CONNECT_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Remote:
    """What the answer says about the relay."""

    address: tuple[str, int]
    ice_username: str
    ice_password: str
    fingerprint: Fingerprint
    ssrcs: tuple[int, ...]


def parse_answer(answer: str) -> Remote:
    """Reads our own kind of answer.

    Raises:
        ValueError: where a part is missing.
    """

    def value(pattern: str) -> str:
        found = re.search(pattern, answer, re.MULTILINE)
        if found is None:
            raise ValueError(f"the answer lacks {pattern}")
        return found.group(1).strip()

    address, _, port = value(r"^a=candidate:\S+ 1 udp \d+ (\S+ \d{1,5})\b").partition(" ")
    algorithm, _, digest = value(r"^a=fingerprint:(.+)$").partition(" ")
    return Remote(
        (address, int(port)),
        value(r"^a=ice-ufrag:(\S+)"),
        value(r"^a=ice-pwd:(\S+)"),
        Fingerprint(algorithm, digest.strip()),
        tuple(dict.fromkeys(int(ssrc) for ssrc in re.findall(r"^a=ssrc:(\d+) cname", answer, re.MULTILINE))),
    )


class WhepClient:
    """One viewer on one UDP socket.

    Args:
        identity: certificate; many clients of a load test share one.
        on_datagram: called with every SRTP or SRTCP datagram as it came (the cheap way to count).
        on_packet: called with every opened RTP packet; leaving it None leaves packets closed.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        on_datagram: Callable[[bytes], None] | None = None,
        on_packet: Callable[[rtp.RtpPacket], None] | None = None,
        on_reports: Callable[[list[rtcp.Item]], None] | None = None,
        host: str = "0.0.0.0",
    ) -> None:
        self._identity = identity
        self._on_datagram, self._on_packet, self._on_reports = on_datagram, on_packet, on_reports
        self._username = secrets.token_hex(4)
        self._password = secrets.token_hex(12)
        self.ssrc = secrets.randbits(31) + 1
        self.keys: Keys | None = None
        self.remote: Remote | None = None
        self._outbound: Outbound | None = None
        self._inbound: LibsrtpInbound | None = None
        self._handshake: Handshake | None = None
        self._checked = asyncio.Event()
        self._keyed = asyncio.Event()
        self._failure = ""
        self._retry: asyncio.TimerHandle | None = None
        self._keepalive: asyncio.TimerHandle | None = None
        self._host = host
        self._udp = self._open()

    def _open(self) -> socket.socket:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind((self._host, 0))
        asyncio.get_running_loop().add_reader(udp.fileno(), self._readable, udp)
        return udp

    def offer(self) -> str:
        """The SDP to POST: H.264 constrained baseline and Opus, receive only."""
        return "\r\n".join(
            [
                "v=0",
                f"o=- {secrets.randbits(40)} 1 IN IP4 127.0.0.1",
                "s=-",
                "t=0 0",
                "a=group:BUNDLE 0 1",
                *self._section("video", 0, VIDEO_PAYLOAD),
                f"a=rtpmap:{VIDEO_PAYLOAD} H264/90000",
                f"a=fmtp:{VIDEO_PAYLOAD} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                f"a=rtcp-fb:{VIDEO_PAYLOAD} nack",
                f"a=rtcp-fb:{VIDEO_PAYLOAD} nack pli",
                *self._section("audio", 1, AUDIO_PAYLOAD),
                f"a=rtpmap:{AUDIO_PAYLOAD} opus/48000/2",
                "",
            ]
        )

    def _section(self, kind: str, mid: int, payload_type: int) -> list[str]:
        fingerprint = self._identity.fingerprint
        return [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            "a=recvonly",
            "a=rtcp-mux",
            f"a=ice-ufrag:{self._username}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
            "a=setup:actpass",
        ]

    async def connect(self, answer: str) -> None:
        """Checks, shakes hands, and returns when packets can flow.

        Raises:
            ConnectionError: where the relay does not answer or the handshake fails.
            ValueError: for an answer that is not ours.
        """
        self.remote = parse_answer(answer)
        deadline = time.monotonic() + CONNECT_SECONDS_MAX
        for _ in range(CHECKS_MAX):
            self.check()
            try:
                await asyncio.wait_for(self._checked.wait(), CHECK_SECONDS)
                break
            except TimeoutError:
                continue
        if not self._checked.is_set():
            raise ConnectionError("the relay answers no connectivity check")
        self._handshake = Handshake(self._identity, [self.remote.fingerprint], is_server=False)
        self._step(self._handshake.turn([]))
        try:
            await asyncio.wait_for(self._keyed.wait(), max(0.1, deadline - time.monotonic()))
        except TimeoutError:
            raise ConnectionError("the DTLS handshake takes too long") from None
        if self._failure:
            raise ConnectionError(self._failure)
        self._keep()

    def check(self) -> None:
        """One nominating connectivity check from the present socket."""
        if self.remote is not None:
            name = f"{self.remote.ice_username}:{self._username}".encode()
            self.send(stun.binding_request(name, self.remote.ice_password.encode(), secrets.token_bytes(12)))

    def _keep(self) -> None:
        self.check()
        self._keepalive = asyncio.get_running_loop().call_later(KEEPALIVE_SECONDS, self._keep)

    def move(self) -> None:
        """Continues from another port, as a phone does when it changes networks."""
        self._drop_socket()
        self._udp = self._open()
        self.check()

    def send(self, datagram: bytes) -> None:
        if self.remote is not None:
            try:
                self._udp.sendto(datagram, self.remote.address)
            except (BlockingIOError, ConnectionError):
                return  # as lost as any other datagram

    def send_rtcp(self, compound: bytes) -> None:
        """Seals and sends a compound, e.g. a NACK."""
        if self._outbound is not None:
            self.send(self._outbound.seal_rtcp(compound))

    def _readable(self, udp: socket.socket) -> None:
        for _ in range(256):
            try:
                datagram = udp.recv(rtp.DATAGRAM_BYTES_MAX)
            except (BlockingIOError, ConnectionError):
                return
            self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        if not datagram:
            return
        first = datagram[0]
        if 128 <= first <= 191:
            if self._on_datagram is not None:
                self._on_datagram(datagram)
            if self._inbound is not None and (self._on_packet is not None or self._on_reports is not None):
                self._open_datagram(datagram, self._inbound)
        elif first < 4:
            self._take_stun(datagram)
        elif self._handshake is not None:
            self._step(self._handshake.turn([datagram]))

    def _open_datagram(self, datagram: bytes, inbound: LibsrtpInbound) -> None:
        if rtp.is_rtcp(datagram):
            plain = inbound.open(datagram)
            if plain is not None and self._on_reports is not None:
                self._on_reports(rtcp.parse(plain))
            return
        plain = inbound.open_rtp(datagram)
        packet = rtp.parse(plain) if plain is not None else None
        if packet is not None and self._on_packet is not None:
            self._on_packet(packet)

    def _take_stun(self, datagram: bytes) -> None:
        if stun.parse_binding_success(datagram) is not None:
            self._checked.set()
            return
        request = stun.parse_binding_request(datagram)
        if request is not None and self.remote is not None and request.is_signed_by(self._password.encode()):
            self.send(stun.binding_success(request, self.remote.address, self._password.encode()))

    def _step(self, step: Step) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        for datagram in step.send:
            self.send(datagram)
        if step.keys is not None:
            self.keys = step.keys
            self._outbound = outbound(step.keys)
            self._inbound = LibsrtpInbound(step.keys)
            self._keyed.set()
        if step.failure or step.closed:
            self._failure = step.failure or "closed by the relay"
            self._keyed.set()
        elif step.timeout_seconds is not None and self._handshake is not None:
            handshake = self._handshake
            self._retry = asyncio.get_running_loop().call_later(
                max(0.01, step.timeout_seconds), lambda: self._step(handshake.turn([], timed_out=True))
            )

    @property
    def is_closed_by_relay(self) -> bool:
        return bool(self._failure)

    @property
    def socket(self) -> socket.socket:
        """The present socket, for whoever reads it outside the loop."""
        return self._udp

    def _drop_socket(self) -> None:
        asyncio.get_running_loop().remove_reader(self._udp.fileno())
        self._udp.close()

    def close(self, *, goodbye: bool = True) -> None:
        """Frees the socket; without `goodbye` it vanishes as a killed browser does."""
        for timer in (self._retry, self._keepalive):
            if timer is not None:
                timer.cancel()
        if self._udp.fileno() < 0:
            return
        if goodbye and self._handshake is not None:
            for datagram in self._handshake.close():
                self.send(datagram)
        self._drop_socket()
