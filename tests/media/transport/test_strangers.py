"""Packets of people we never talked to: no state, no answer longer than the question, no stream to a third party."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
from typing import Any

import pytest

from livecommerce.media.ingest.whep_client import WhepClient
from livecommerce.media.transport.dtls import Handshake, Identity
from livecommerce.media.transport.tcp import STRANGERS_PER_NETWORK_MAX
from livecommerce.media.wire import rtcp, stun
from tests.media.stage import Stage, local, open_stage, until


class Stranger:
    """A socket that writes what it likes and counts what it gets."""

    def __init__(self, stage: Stage) -> None:
        self._relay = ("127.0.0.1", stage.plane.mux.port)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setblocking(False)
        self._udp.bind(("127.0.0.1", 0))
        self.address = self._udp.getsockname()
        self.received: list[bytes] = []
        asyncio.get_running_loop().add_reader(self._udp.fileno(), self._readable)

    def _readable(self) -> None:
        self.received.append(self._udp.recv(4_096))

    async def flood(self, datagrams: list[bytes]) -> None:
        for index, datagram in enumerate(datagrams):
            self._udp.sendto(datagram, self._relay)
            if index % 50 == 0:
                await asyncio.sleep(0)

    def send(self, datagram: bytes) -> None:
        self._udp.sendto(datagram, self._relay)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._udp.fileno())
        self._udp.close()


def hostile_datagrams() -> list[bytes]:
    hello = Handshake(Identity(), [Identity().fingerprint], is_server=False).turn([]).send
    known = stun.binding_request(b"nobody:me", b"guess", secrets.token_bytes(12))
    rtp_like = [struct.pack("!BBHII", 0x80, 102, index, 0, 9) + os.urandom(60) for index in range(300)]
    rtcp_like = [rtcp.picture_loss(1, 2), rtcp.goodbye([1]), rtcp.nack(1, 2, range(200))]
    noise = [os.urandom(length) for length in range(1, 400)]
    return [*hello * 50, *[known] * 200, *rtp_like, *rtcp_like * 20, *noise, b"", b"\x00", b"\x80"]


async def test_a_flood_leaves_no_trace_and_gets_no_answer() -> None:
    packets: list[Any] = []
    async with open_stage() as stage, stage.host(), stage.packets(on_packet=packets.append):
        peers, addresses = len(stage.plane.peers), stage.plane.mux.address_count
        stranger = Stranger(stage)
        flood = hostile_datagrams()
        await stranger.flood(flood)
        counters = stage.plane.mux.counters
        await until(lambda: counters.stranger + counters.unsigned + counters.malformed > 900, "the flood is counted")
        assert (len(stage.plane.peers), stage.plane.mux.address_count) == (peers, addresses)
        assert not stage.plane.mux.handshakes.running
        assert stranger.received == []
        count = len(packets)
        await until(lambda: len(packets) > count + 20, "the viewer's packets go on")
        stranger.close()


async def test_strangers_on_the_tcp_port_are_few_and_short_lived() -> None:
    async with open_stage() as stage, stage.host():
        port = stage.plane.mux.port
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(220)]
        replies = await asyncio.gather(
            *(reader.read(1) for reader, _ in connections[STRANGERS_PER_NETWORK_MAX:]), return_exceptions=True
        )
        assert all(reply == b"" or isinstance(reply, ConnectionError) for reply in replies)
        for index, (_, writer) in enumerate(connections[:100]):
            junk = (b"\xff\xff", b"\x00\x04\x80\x66zz", b"\x00\x05\x16\xfe\xfdzz")[index % 3]
            writer.write(junk + os.urandom(40))
        ends = await asyncio.gather(*(reader.read(1) for reader, _ in connections[:100]), return_exceptions=True)
        assert all(end == b"" or isinstance(end, ConnectionError) for end in ends)
        async with stage.packets() as client:
            assert client.keys is not None
        for _, writer in connections:
            writer.close()


async def test_a_viewer_gone_mad_harms_only_itself() -> None:
    """Noise from a verified address, where it does reach DTLS, SRTP and RTCP."""
    packets: list[Any] = []
    async with open_stage() as stage, stage.host(), stage.packets(on_packet=packets.append), stage.packets() as mad:
        before = stage.plane.mux.counters.received
        flood = hostile_datagrams()
        for index, datagram in enumerate(flood):
            mad.send(datagram)
            if index % 50 == 0:
                await asyncio.sleep(0.001)
        for _ in range(200):
            mad.send_rtcp(b"\x80\xc9\x00\x01" + os.urandom(4) + os.urandom(60))
        await until(lambda: stage.plane.mux.counters.received > before + 800, "the noise arrives")
        count = len(packets)
        await until(lambda: len(packets) > count + 20, "the other viewer's packets go on")
        assert stage.states() == ["live"]


async def test_a_viewer_cannot_aim_its_stream_at_somebody_else() -> None:
    """It signs a check in a victim's name; the victim answers no challenge, so nothing is sent there."""
    async with open_stage() as stage, stage.host():
        packets: list[Any] = []
        async with stage.packets(on_packet=packets.append) as client:
            await until(lambda: len(packets) > 5, "packets")
            (viewer,) = stage.stream.viewers.values()
            assert client.remote is not None
            victim = Stranger(stage)
            name = f"{client.remote.ice_username}:x".encode()
            check = stun.binding_request(name, client.remote.ice_password.encode(), secrets.token_bytes(12))
            for _ in range(10):
                victim.send(check)
            await until(lambda: len(victim.received) >= 10, "answers to the checks")
            count = len(packets)
            await until(lambda: len(packets) > count + 30, "the stream stays where it was")
            assert viewer.path is not None
            assert viewer.path.address != victim.address
            assert all(datagram[0] < 4 for datagram in victim.received)
            assert sum(map(len, victim.received)) <= 3 * 10 * len(check)
            victim.close()


async def test_a_replayed_goodbye_and_forged_packets_change_nothing() -> None:
    sent: list[bytes] = []
    async with open_stage() as stage, stage.host():
        client = WhepClient(Identity(), host="127.0.0.1")
        session = await stage.control.play("demo", client.offer())
        await client.connect(local(session.answer))
        (viewer,) = stage.stream.viewers.values()
        real = client.send
        client.send = lambda datagram: (sent.append(datagram), real(datagram))[1]  # type: ignore[method-assign]
        client.send_rtcp(rtcp.nack(client.ssrc, stage.stream.tracks["video"].ssrc, [stage.stream.tracks["video"].head]))
        await until(lambda: viewer.repairs + viewer.repairs_failed == 1, "one repair")
        for _ in range(20):
            real(sent[0])
            real(bytes((sent[0][0], sent[0][1])) + os.urandom(60))
        await until(lambda: stage.plane.mux.counters.received > 40, "they arrive")
        await asyncio.sleep(0.1)
        assert viewer.repairs + viewer.repairs_failed == 1
        client.close()


async def test_a_greedy_viewer_is_repaired_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.media.viewers.viewer.REPAIRS_PER_SECOND_MAX", 10)
    monkeypatch.setattr("livecommerce.media.viewers.viewer.REPEAT_SECONDS_MIN", 0.0)
    async with open_stage() as stage, stage.host(), stage.packets() as client:
        track = stage.stream.tracks["video"]
        (viewer,) = stage.stream.viewers.values()
        lane = viewer.lanes["video"]
        await until(lambda: lane.is_live and lane.packets > 60, "some packets")
        wanted = [number + lane.phase & 0xFFFF for number in range(track.head - 50, track.head)]
        for _ in range(30):
            client.send_rtcp(rtcp.nack(client.ssrc, track.ssrc, wanted))
        await until(lambda: viewer.repairs + viewer.repairs_failed >= 1_400, "all requests are seen")
        assert 0 < viewer.repairs < 500 < viewer.repairs_failed


async def test_a_handshake_that_stalls_is_dropped_and_frees_its_place() -> None:
    async with open_stage() as stage, stage.host():
        stranger = Stranger(stage)
        client = WhepClient(Identity(), host="127.0.0.1")
        session = await stage.control.play("demo", client.offer())
        peer = stage.plane.peers[session.session]
        name = f"{peer.credentials[0].username}:x".encode()
        stranger.send(stun.binding_request(name, peer.credentials[0].password.encode(), secrets.token_bytes(12)))
        await until(lambda: peer.state.value == "verified", "verified")
        for _ in range(100):
            stranger.send(b"\x16\xfe\xfd" + bytes(8) + b"\x00\x10" + os.urandom(16))
            await asyncio.sleep(0)
        stranger.send(b"\x16\xfe\xfd" + os.urandom(5))
        peer.heard_at -= 16
        await until(lambda: session.session not in stage.plane.peers, "the place is free")
        assert not stage.plane.mux.handshakes.running
        stranger.close()
        client.close()
