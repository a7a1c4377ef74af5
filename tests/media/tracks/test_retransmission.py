"""Repairs by RTX: another SSRC, numbers used once, and what is inside is the packet that was lost."""

from __future__ import annotations

import asyncio
import random
import re
import struct
import time
from collections import Counter

import pytest
from aiortc import rtp as aiortc_rtp
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.retransmission import FIRST_INDEX_MAX, FIRST_INDEX_MIN, RetransmissionLane, distinct_ssrc
from livecommerce.media.tracks.track import Track
from livecommerce.media.transport.srtp import (
    CM_PROFILE,
    GCM_PROFILE,
    CmOutbound,
    GcmOutbound,
    Keys,
    Outbound,
    libsrtp_session,
)
from livecommerce.media.viewers.viewer import ViewerPlan
from livecommerce.media.wire import rtcp, rtp, sdp
from tests.media.crowd import RecordingOutbound
from tests.media.packets import PICTURE, feed, packet
from tests.media.stage import RTX_PAYLOAD, SEND_TIME_ID, open_stage, until, with_rtx
from tests.media.wire.test_sdp import AUDIO, GOOD, HEAD, LOCAL, TRANSPORT, VIDEO, offer

NOWHERE = ("127.0.0.1", 9)
MASTERS = {GCM_PROFILE: bytes(range(28)), CM_PROFILE: bytes(range(30))}


def outbound_of(profile: bytes) -> Outbound:
    master = MASTERS[profile]
    return GcmOutbound(master) if profile == GCM_PROFILE else CmOutbound(Keys(profile, master, master))


def lanes(
    track: Track, outbound: Outbound, *, send_time_id: int = SEND_TIME_ID, ssrc: int = 77
) -> tuple[Lane, RetransmissionLane]:
    lane = Lane(track, 102, outbound, NOWHERE, send_time_id=send_time_id)
    lane.start(track.head + 1)
    return lane, RetransmissionLane(ssrc, RTX_PAYLOAD, outbound)


class TestTheBytes:
    @pytest.mark.parametrize("profile", MASTERS, ids=["GCM", "CM"])
    @pytest.mark.parametrize("send_time_id", [0, SEND_TIME_ID], ids=["plain", "with time of sending"])
    def test_real_libsrtp_opens_it_and_another_implementation_restores_the_lost_packet(
        self, profile: bytes, send_time_id: int
    ) -> None:
        track = Track("video", 90_000)
        lane, repairs = lanes(track, outbound_of(profile), send_time_id=send_time_id)
        receiver = libsrtp_session(profile, MASTERS[profile], inbound=True)
        for sequence, size in enumerate((700, 690, 300)):
            track.take(packet(sequence, body=PICTURE * size, timestamp=9_000, marker=sequence == 2), 1.0)
        for lost in track.flush(1.0):
            plain = receiver.unprotect(repairs.seal(lost, lane, 2.5))
            opened = rtp.parse(plain)
            assert opened is not None
            assert (opened.ssrc, opened.payload_type, opened.timestamp) == (77, RTX_PAYLOAD, lost.timestamp)
            times = rtp.extension_values(opened.extension_profile, opened.extension)
            assert times == ({SEND_TIME_ID: int(2.5 * 0x40000).to_bytes(3, "big")} if send_time_id else {})
            restored = aiortc_rtp.unwrap_rtx(aiortc_rtp.RtpPacket.parse(plain), payload_type=102, ssrc=lane.ssrc)
            original = rtp.parse(lane.header(lost) + lost.body)
            assert original is not None
            assert (restored.sequence_number, restored.payload) == (original.sequence, original.payload)
            assert (restored.marker, restored.timestamp) == (original.marker, original.timestamp)

    def test_its_numbers_wrap_and_the_viewer_follows(self) -> None:
        """66,000 repairs to one viewer, of which it gets each thousandth: two and more cycles by real libsrtp."""
        track = Track("video", 90_000)
        lane, repairs = lanes(track, outbound_of(GCM_PROFILE))
        receiver = libsrtp_session(GCM_PROFILE, MASTERS[GCM_PROFILE], inbound=True)
        (lost,) = feed(track, [1])
        first = repairs.index
        assert FIRST_INDEX_MIN <= first <= FIRST_INDEX_MAX
        opened = 0
        for count in range(66_000 * 2):
            if count % 1_000 == 0:
                opened += len(receiver.unprotect(repairs.seal(lost, lane, 1.0))) > 12
            else:
                repairs.index += 1
        assert opened == 132
        assert repairs.index - first == 132_000

    @given(st.lists(st.integers(0, 3), max_size=20))
    def test_a_stream_has_no_two_streams_of_one_ssrc(self, taken: list[int]) -> None:
        assert distinct_ssrc(taken) not in taken


class TestNonces:
    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.sampled_from(["frame", "repair", "again", "probe", "move", "phase"]), max_size=100), st.randoms()
    )
    def test_no_nonce_is_ever_used_for_two_packets(self, steps: list[str], rng: random.Random) -> None:
        """Pictures, repairs, the same repair again, probes and moves under one key, which refuses a second use."""
        track = Track("video", 90_000)
        track.highest = track.head = track._floor = 0x10000 + rng.randrange(0x10000)
        outbound = RecordingOutbound(rng.randbytes(28))
        lane, repairs = lanes(track, outbound, ssrc=distinct_ssrc([track.ssrc]))
        sequence, now = rng.randrange(0x10000), 1.0
        used: Counter[int] = Counter()
        for step in steps:
            now += 0.02
            if step == "frame":
                for _ in range(rng.randrange(1, 6)):
                    track.take(packet(sequence, body=PICTURE + rng.randbytes(9), timestamp=sequence), now)
                    sequence += 1
                for each in track.flush(now):
                    lane.seal(each)
            elif step == "move":
                lane.address = ("127.0.0.1", rng.randrange(1, 0x10000))
            elif step == "phase":
                repairs.index += rng.randrange(0x8000)
            recent = track.between(track.head - 20, track.head)
            if step in ("repair", "again", "probe") and recent:
                for each in recent if step == "probe" else [rng.choice(recent)] * 2:
                    used[repairs.index] += 1
                    repairs.seal(each, lane, now)
        assert not used or max(used.values()) == 1


WATCHED = [line.replace("sendonly", "recvonly") for line in VIDEO]
TIME = f"a=extmap:2 {sdp.SEND_TIME}"
REMB = "a=rtcp-fb:102 goog-remb"


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("more", "without", "rtx", "send_time_id"),
        [
            ([TIME, REMB], (), 103, 2),
            ([REMB], (), 103, 0),
            ([TIME], (), 103, 0),
            ([TIME, REMB], ("apt=102",), 0, 0),
            ([TIME, REMB], ("a=rtcp-fb:102 nack",), 0, 0),
        ],
        ids=["as browsers offer", "no time of sending", "no REMB", "no RTX for it", "no NACK"],
    )
    async def test_what_is_agreed(self, more: list[str], without: tuple[str, ...], rtx: int, send_time_id: int) -> None:
        kept = [line for line in WATCHED if not any(each in line and "pli" not in line for each in without)]
        sounds = [line.replace("sendonly", "recvonly") for line in AUDIO]
        parsed = sdp.parse_offer(offer(HEAD, sounds, TRANSPORT, kept, more))
        async with open_stage() as stage, stage.host():
            plan = ViewerPlan(parsed, stage.stream.tracks, stage.stream.repair_ssrc)
            answer = sdp.write_answer(parsed, plan.answered, LOCAL, "7")
            video, repairs = stage.stream.tracks["video"].ssrc, stage.stream.repair_ssrc
        assert (plan.repair_payload_type, plan.send_time_id) == (rtx, send_time_id)
        assert "transport-cc" not in answer
        assert ("goog-remb" in answer) == (sdp.SEND_TIME in answer) == bool(send_time_id)
        assert (f"a=ssrc-group:FID {video} {repairs}\r\n" in answer) == bool(rtx)
        assert re.findall(r"^m=video 9 \S+ (.*)\r$", answer, re.M) == ["102 103" if rtx else "102"]
        assert f"a=ssrc:{repairs} cname:" in answer if rtx else str(repairs) not in answer

    def test_a_host_is_not_asked_for_it(self) -> None:
        assert sdp.SEND_TIME not in GOOD


class Watcher:
    """What a packet viewer got: original packets, repairs as they came, and what they restore."""

    def __init__(self) -> None:
        self.originals: dict[int, list[rtp.RtpPacket]] = {}
        self.repairs: list[rtp.RtpPacket] = []

    def take(self, got: rtp.RtpPacket) -> None:
        if got.payload_type == RTX_PAYLOAD:
            self.repairs.append(got)
        elif got.payload_type == 102:
            self.originals.setdefault(got.sequence, []).append(got)


class TestByTheRelay:
    async def test_a_viewer_with_rtx_is_repaired_there_and_one_without_gets_the_same_bytes(self) -> None:
        with_it, without = Watcher(), Watcher()
        async with (
            open_stage() as stage,
            stage.host(),
            stage.packets(rewrite_offer=with_rtx, on_packet=with_it.take) as modern,
            stage.packets(on_packet=without.take) as plain,
        ):
            await until(lambda: min(len(with_it.originals), len(without.originals)) > 10, "pictures")
            video = stage.stream.tracks["video"]
            for client, watcher in ((modern, with_it), (plain, without)):
                wanted = list(watcher.originals)[-3:]
                client.send_rtcp(rtcp.nack(client.ssrc, video.ssrc, wanted))
            await until(lambda: len(with_it.repairs) >= 3, "repairs by RTX")
            lost = [struct.unpack("!H", each.payload[:2])[0] for each in with_it.repairs]
            for sequence, repair in zip(lost, with_it.repairs, strict=True):
                (original,) = with_it.originals[sequence]
                assert (repair.payload[2:], repair.timestamp) == (original.payload, original.timestamp)
                assert repair.ssrc == stage.stream.repair_ssrc
                assert SEND_TIME_ID in rtp.extension_values(repair.extension_profile, repair.extension)
            assert without.repairs == []
            assert stage.plane.metrics()["repairs_total"] >= 6

    async def test_what_is_asked_for_twice_within_a_round_trip_is_sent_once(self) -> None:
        watcher = Watcher()
        async with (
            open_stage() as stage,
            stage.host(),
            stage.packets(rewrite_offer=with_rtx, on_packet=watcher.take) as client,
        ):
            await until(lambda: len(watcher.originals) > 10, "pictures")
            (served,) = stage.stream.viewers.values()
            served.round_trip_ms = 5_000.0
            video = stage.stream.tracks["video"]
            wanted = list(watcher.originals)[-2:]
            for _ in range(5):
                client.send_rtcp(rtcp.nack(client.ssrc, video.ssrc, wanted))
            seen = len(watcher.originals)
            await until(lambda: len(watcher.originals) > seen + 10, "pictures go on")
            assert len(watcher.repairs) == 2

    async def test_a_probe_sends_what_it_says_and_the_pictures_go_on(self) -> None:
        watcher = Watcher()
        async with (
            open_stage() as stage,
            stage.host(),
            stage.packets(rewrite_offer=with_rtx, on_packet=watcher.take) as client,
        ):
            await until(lambda: len(watcher.originals) > 10, "pictures")
            (served,) = stage.stream.viewers.values()
            now = time.monotonic()
            assert not served.probe(1_200, now), "nothing is known of the line"
            estimate = served.estimate
            estimate._base_ms, estimate._probe_after = 5.0, now
            client.send_rtcp(rtcp.receiver_estimate(client.ssrc, 350_000, [stage.stream.tracks["video"].ssrc]))
            await until(lambda: served.estimate_kbps == 350, "its word is heard")
            client.send_rtcp(rtcp.receiver_estimate(client.ssrc, 9_000_000, [1]))
            before = served._picture_octets
            assert served.probe(1_200, time.monotonic())
            assert not served.probe(1_200, time.monotonic()), "one at a time"
            await until(lambda: (it := estimate.probe) is None or it.is_sent, "the probe is sent")
            assert served._picture_octets - before == pytest.approx(150_000, rel=0.1)
            known = {(each.timestamp, each.payload) for group in watcher.originals.values() for each in group}
            await asyncio.sleep(0.1)
            assert len(watcher.repairs) > 50
            assert all((each.timestamp, each.payload[2:]) in known for each in watcher.repairs[-20:])
            assert served.estimate_kbps == 350, "REMB about others' streams says nothing"
            await until(lambda: estimate.probe is None, "an answer that does not come is given up")
            assert served.statistics()["probes"] == 1
            assert stage.plane.metrics()["probes_total"] == 1

    async def test_another_way_through_the_network_is_another_line(self) -> None:
        async with open_stage() as stage, stage.host(), stage.packets(rewrite_offer=with_rtx) as client:
            await until(lambda: len(stage.stream.viewers) == 1, "it is there")
            (served,) = stage.stream.viewers.values()
            ssrc = stage.stream.tracks["video"].ssrc
            client.send_rtcp(rtcp.receiver_estimate(client.ssrc, 350_000, [ssrc]))
            await until(lambda: served.estimate_kbps == 350, "its word is heard")
            index = served.repair_lane.index if served.repair_lane is not None else 0
            client.move()
            await until(lambda: served.estimate_kbps is None, "nothing is known of the new line")
            assert served.repair_lane is not None
            assert served.repair_lane.index >= index

    async def test_only_so_many_probe_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("livecommerce.media.viewers.audience.PROBES_MAX", 1)
        async with (
            open_stage() as stage,
            stage.host(),
            stage.packets(rewrite_offer=with_rtx),
            stage.packets(rewrite_offer=with_rtx) as second,
        ):
            await until(lambda: len(stage.stream.viewers) == 2, "both are there")
            first, other = stage.stream.viewers.values()
            now = time.monotonic()
            for served in (first, other):
                served.estimate._base_ms, served.estimate._probe_after = 5.0, now
                served.estimate.note_told(300.0, now)
            await until(lambda: all(each.lanes["video"].is_started for each in (first, other)), "both see pictures")
            assert first.probe(500, now)
            assert not other.probe(500, now)
            first.close("gone")
            assert other.probe(500, time.monotonic())
            second.close()
