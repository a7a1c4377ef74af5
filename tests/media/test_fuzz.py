"""Hostile input at a living relay: mutated checks, handshakes, packets, reports and offers, by seed.

Three kinds of people write it: strangers, a viewer with a verified address and valid keys, and a host. Each time the
relay logs no fault, keeps nothing, answers no stranger with more than it got, and an honest viewer sees its packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import secrets
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from livecommerce.errors import LiveCommerceError
from livecommerce.media.errors import SdpRefused
from livecommerce.media.ingest.host import HostPlan
from livecommerce.media.ingest.whep_client import WhepClient
from livecommerce.media.transport.dtls import Handshake, Identity
from livecommerce.media.viewers.viewer import ViewerPlan
from livecommerce.media.wire import rtcp, sdp, stun
from tests.media.stage import Stage, local, open_stage, until, with_rtx
from tests.media.transport.test_strangers import Stranger
from tests.media.wire.test_sdp import GOOD

ROUNDS = [
    pytest.param(1, 400, id="a few"),
    *(pytest.param(seed, 50_000, id=f"many by seed {seed}", marks=pytest.mark.nightly) for seed in (2, 3)),
]
# Python objects that may be alive more after a round than before it, whatever its length: rings and statistics.
OBJECTS_MORE_MAX = 12_000


def mutated(source: bytes, dice: random.Random) -> bytes:
    """One to four changes: bits, bytes, cuts, insertions, doublings, and lengths and counts at their extremes."""
    data = bytearray(source)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0 if place < len(data):
                data[place] ^= 1 << dice.randrange(8)
            case 1:
                data[place : place + dice.randint(1, 8)] = dice.randbytes(dice.randint(0, 8))
            case 2:
                del data[place:]
            case 3:
                data[place:place] = dice.randbytes(dice.randint(1, 40))
            case 4:
                data += data[place : place + 200]
            case _ if place + 2 <= len(data):
                data[place : place + 2] = struct.pack("!H", dice.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF)))
    return bytes(data[:1_500])


def compounds(media_ssrc: int, dice: random.Random) -> list[bytes]:
    """Reports as they are well formed, for the sender of which they are about."""
    return [
        rtcp.picture_loss(1, media_ssrc),
        rtcp.nack(1, media_ssrc, [dice.randrange(0x10000) for _ in range(20)]),
        rtcp.goodbye([1, media_ssrc]),
        rtcp.sender_report(1, dice.getrandbits(64), dice.getrandbits(32), 5, 500),
        rtcp.source_description(1, b"somebody"),
        rtcp.receiver_estimate(1, dice.getrandbits(60), [media_ssrc, 1]),
        rtcp.receiver_report(
            1,
            [
                rtcp.ReportBlock(media_ssrc, 9, dice.getrandbits(23), dice.getrandbits(32), 7, dice.getrandbits(32), 2)
                for _ in range(3)
            ],
        ),
        struct.pack("!BBHIIIIIII", 0x81, 201, 7, 1, media_ssrc, 0xFF000000, 0x10000, 7, 1, 2),
        struct.pack("!BBHII", 0x84, 206, 4, 1, media_ssrc) + dice.randbytes(8),
    ]


@contextlib.asynccontextmanager
async def unharmed(stage: Stage, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """What holds around every round."""
    packets: list[Any] = []
    async with stage.packets(on_packet=lambda packet: packets.append(packet) if len(packets) < 100_000 else None):
        await until(lambda: len(packets) > 5, "the honest viewer has packets")
        gc.collect()
        objects, addresses = len(gc.get_objects()) - len(packets), stage.plane.mux.address_count
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            yield
            seen = len(packets)
            await until(lambda: len(packets) > seen + 20, "the honest viewer's packets go on")
        faults = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
        assert not faults, faults[0].exc_info
        packets.clear()
        gc.collect()
        assert len(gc.get_objects()) - objects < OBJECTS_MORE_MAX
        assert stage.plane.mux.address_count <= addresses + 6
        assert stage.plane.tick_late_seconds < 2.0


async def paced(count: int) -> AsyncIterator[int]:
    """Lets the relay, which shares this loop, read what was written."""
    for index in range(count):
        yield index
        if index % 40 == 39:
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(("seed", "count"), ROUNDS)
async def test_strangers(seed: int, count: int, caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(seed)
    async with open_stage() as stage, stage.host(), unharmed(stage, caplog):
        stranger = Stranger(stage)
        peers = len(stage.plane.peers)
        # a user name that exists, as somebody on the path may have read it, without its password
        username = stage.plane.streams["demo"].host.credentials[0].username  # type: ignore[union-attr]
        check = stun.binding_request(f"{username}:me".encode(), b"guess", secrets.token_bytes(12))
        hello = Handshake(Identity(), [Identity().fingerprint], is_server=False).turn([]).send[0]
        good = [check, hello, b"\x80\x66" + dice.randbytes(60), *compounds(9, dice)]
        before = stage.plane.mux.counters.received
        async for _ in paced(count):
            stranger.send(mutated(dice.choice(good), dice))
        # datagrams that the socket's buffer had no room for were never there
        await until(lambda: stage.plane.mux.counters.received - before >= count * 0.5, "the relay has read them")
        assert stranger.received == []
        assert len(stage.plane.peers) == peers
        stranger.close()


@pytest.mark.parametrize(("seed", "count"), ROUNDS)
async def test_a_viewer_with_valid_keys(seed: int, count: int, caplog: pytest.LogCaptureFixture) -> None:
    """Its checks are signed, its reports are sealed: whatever is inside is really read, by RTX, REMB and probes too."""
    dice = random.Random(seed)
    async with (
        open_stage() as stage,
        stage.host(),
        unharmed(stage, caplog),
        stage.packets(rewrite_offer=with_rtx) as mad,
    ):
        assert mad.remote is not None
        known = f"{mad.remote.ice_username}:{mad._username}".encode()
        hello = Handshake(Identity(), [Identity().fingerprint], is_server=False).turn([]).send[0]
        served = max(stage.stream.viewers.values(), key=lambda viewer: viewer.created_at)
        assert served.repair_lane is not None
        async for _ in paced(count):
            served.probe(dice.randrange(10_000), time.monotonic())
            match dice.randrange(4):
                case 0:
                    mad.send(mutated(hello, dice))
                case 1:
                    mad.send(mutated(stun.binding_request(known, mad.remote.ice_password.encode(), b"x" * 12), dice))
                case 2:
                    mad.send(b"\x80\x66" + dice.randbytes(dice.randint(0, 300)))
                case _:
                    good = compounds(dice.choice((*mad.remote.ssrcs, 0)), dice)
                    mad.send_rtcp(mutated(dice.choice(good) + dice.choice(good), dice))
        mad.check()


@pytest.mark.parametrize(("seed", "count"), ROUNDS)
async def test_a_host_with_valid_keys(seed: int, count: int, caplog: pytest.LogCaptureFixture) -> None:
    """It writes RTP headers, extensions, padding and H.264 of every kind into a show that somebody watches."""
    dice = random.Random(seed)
    async with open_stage() as stage, stage.host(), unharmed(stage, caplog):
        host = WhepClient(Identity(), host="127.0.0.1")
        session = await stage.control.publish("mad", host.offer().replace("a=recvonly", "a=sendonly"), "mad")
        await host.connect(local(session.answer))
        viewer = WhepClient(Identity(), host="127.0.0.1")
        is_watched = False
        number = dice.randrange(0x10000)
        async for index in paced(count):
            number += dice.choice((1, 1, 1, 1, 2, 0, -3, 40, 4_000))
            head = struct.pack(
                "!BBHII", dice.choice((0x80, 0x80, 0x80, 0x90, 0xA0, 0xB0, 0x8F)),
                dice.choice((102, 0x80 | 102, 111, 0x80 | 111, 96, 127)), number & 0xFFFF,
                dice.getrandbits(32) if index % 50 == 0 else index * 90, dice.choice((1, 1, 1, 2, 3)),
            )  # fmt: skip
            unit = dice.choice((b"\x67\x42\xc0\x1f", b"\x65", b"\x7c\x85", b"\x7c\x45", b"\x78\x00\x04", b"\x61", b""))
            assert host._outbound is not None
            body = unit + dice.randbytes(dice.choice((0, 1, 3, 40, 1_150)))
            host.send(host._outbound.seal_rtp(head, body, struct.unpack("!I", head[8:])[0], number & 0xFFFFFFFF))
            if index % 10 == 0:
                host.send_rtcp(mutated(b"".join(compounds(1, dice)), dice))
            if not is_watched and index > 100:
                with contextlib.suppress(LiveCommerceError):
                    played = await stage.control.play("mad", viewer.offer())
                    await viewer.connect(local(played.answer))
                    is_watched = True
        assert stage.plane.streams["mad"].tracks["video"].packet_count > 20
        viewer.close()
        host.close()
        await stage.control.stop("whip", "mad", session.session)


@pytest.mark.parametrize(("seed", "count"), ROUNDS)
async def test_offers(seed: int, count: int) -> None:
    """Each is answered or refused with a reason; an answer has as many sections as the offer."""
    dice = random.Random(seed)
    lines = GOOD.split("\r\n")
    answered = 0
    refusals: set[str] = set()
    async with open_stage() as stage, stage.host():
        for _ in range(count):
            text = list(lines)
            for _ in range(dice.randint(1, 5)):
                place = dice.randrange(len(text))
                match dice.randrange(5):
                    case 0:
                        del text[place]
                    case 1:
                        text.insert(place, dice.choice(lines))
                    case 2:
                        text[place] = mutated(text[place].encode(), dice).decode("utf-8", "replace")
                    case 3:
                        text[place], text[0] = text[0], text[place]
                    case _:
                        text[place] = text[place].replace("sendonly", "recvonly").replace("9 UDP", "0 UDP")
                text = text or [""]
            try:
                offer = sdp.parse_offer("\r\n".join(text))
                for make in (lambda one: HostPlan(one, 2_500), lambda one: ViewerPlan(one, stage.stream.tracks, 5)):
                    with contextlib.suppress(SdpRefused):
                        plan = make(offer)
                        answer = sdp.write_answer(offer, plan.answered, LOCAL, "1")
                        assert answer.count("\r\nm=") == len(offer.sections)
                        answered += 1
            except SdpRefused as refusal:
                refusals.add(refusal.text)
    assert answered > count * 0.1
    assert all(refusals)


LOCAL = sdp.Local("ours", "password", Identity().fingerprint, "passive", ("1 1 udp 1 192.0.2.1 8189 typ host",))
