"""Layers and the nonce rule: viewers are moved up and down, hosts come and go, and each viewer sees one stream."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.media.ingest.source import PICTURE, SourceName
from livecommerce.media.packaging.packager import media_packet
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import CanonicalPacket
from livecommerce.media.wire import rtp
from tests.media.crowd import (
    PARAMETERS,
    PICTURE_PARAMETERS,
    CrowdViewer,
    Encoder,
    FakeHost,
    LoopbackWire,
    Wire,
    aggregate,
    feed,
    make_stream,
)
from tests.media.packets import CORES, core_name
from tests.media.stage import until

HEIGHTS = {"l": 180, "m": 360, "h": 720}
FRAME = 3_000


class Show:
    """Three layers of one clock, and viewers."""

    def __init__(
        self, seed: int, rids: tuple[str, ...] = ("l", "m", "h"), *, wrap_in: int | None = None, core: Any = None
    ) -> None:
        self.random = random.Random(seed)
        self.wire = Wire() if core is None else LoopbackWire(core)
        self.stream, self.host = make_stream(self.wire, rids)
        if wrap_in is not None:
            for track in (layer.track for layer in self.stream.layers):
                track.highest = track.head = track._floor = 0x20000 - wrap_in
        self.clock = 0
        self.viewers: list[CrowdViewer] = []
        self.meet(rids)

    def meet(self, rids: tuple[str, ...]) -> None:
        """Encoders for these layers; without any, one plain picture."""
        self.encoders = {rid: Encoder(SourceName("video", rid), HEIGHTS[rid], self.random) for rid in rids} or {
            "": Encoder(PICTURE, 720, self.random)
        }

    def frame(self, *, keys: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> None:
        """The next picture, by all encoders or `only` some."""
        self.clock += FRAME
        for rid, encoder in self.encoders.items():
            if rid in (only or self.encoders):
                feed(self.stream, encoder, encoder.frame(self.clock, is_key=rid in keys))

    def join(self) -> CrowdViewer:
        viewer = CrowdViewer(self.stream, self.wire, len(self.viewers), self.random)
        self.viewers.append(viewer)
        self.stream.admit(viewer)  # type: ignore[arg-type]
        return viewer

    def choose(self, viewer: CrowdViewer, rid: str | None) -> None:
        viewer.ladder.rid = rid
        self.stream.choose(viewer, self.stream.alive(), time.monotonic())  # type: ignore[arg-type]

    def second(self) -> None:
        self.stream.second(time.monotonic())

    def repair(self, viewer: CrowdViewer, sequence: int) -> Lane | None:
        """As on a NACK; the lane that answered."""
        found = viewer.lanes["video"].find(sequence & 0xFFFF)
        if found is None:
            return None
        self.stream.send_again(found[0], [found[1]])
        return found[0]


ALL = ("l", "m", "h")


async def test_a_viewer_goes_down_and_up_without_a_broken_number_or_timestamp() -> None:
    show = Show(1)
    show.frame(keys=ALL)
    viewer = show.join()
    for rid in ("l", "h", "m", "h"):
        show.choose(viewer, rid)
        show.frame()
        assert SourceName("video", rid) in show.host.asked
        show.frame(keys=(rid,))
        show.frame()
    viewer.look()
    assert viewer.heights() == [720, 180, 720, 360, 720]
    numbers = sorted(viewer.opened)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    timestamps = [viewer.opened[number].timestamp for number in numbers]
    steps = [later - earlier & 0xFFFFFFFF for earlier, later in itertools.pairwise(timestamps)]
    assert all(step < 90_000 for step in steps)
    frames = [viewer.opened[number].marker for number in numbers]
    assert all(step > 0 for step, ended in zip(steps, frames, strict=False) if ended)


async def test_all_layers_come_by_one_ssrc() -> None:
    show = Show(2)
    show.frame(keys=ALL)
    viewer = show.join()
    show.choose(viewer, "l")
    show.frame(keys=ALL)
    show.frame()
    viewer.look()
    assert {packet.ssrc for packet in viewer.opened.values()} == {show.stream.tracks["video"].ssrc}


async def test_until_the_keyframe_comes_the_old_layer_goes_on() -> None:
    show = Show(3)
    show.frame(keys=ALL)
    viewer = show.join()
    show.choose(viewer, "l")
    for _ in range(5):
        show.frame()
    viewer.look()
    assert viewer.heights() == [720]
    assert show.stream.layers[2].fan_out.lane_count == 1
    assert viewer.newest - min(viewer.opened) + 1 == len(viewer.opened) == 4 + 5 * 3


async def test_what_was_lost_before_a_change_is_repaired_by_the_layer_it_came_from() -> None:
    show = Show(4)
    show.frame(keys=ALL)
    viewer = show.join()
    show.frame()
    viewer.look()
    before = dict(viewer.opened)
    show.choose(viewer, "m")
    show.frame(keys=("m",))
    show.frame()
    viewer.look()
    for number in before:
        sender = show.repair(viewer, number)
        assert sender is not None
        assert sender is not viewer.lanes["video"]
    for number in viewer.opened.keys() - before.keys():
        assert show.repair(viewer, number) is not None
    count = len(viewer.opened)
    viewer.look()
    assert (len(viewer.opened), viewer.repeated) == (count, count)


async def test_a_number_that_was_never_sent_is_not_repaired() -> None:
    """Else a packet of the old layer would use an index that the new one gets later."""
    show = Show(5)
    show.frame(keys=ALL)
    viewer = show.join()
    show.choose(viewer, None)
    viewer.look()
    newest = viewer.newest
    show.frame()
    assert show.repair(viewer, newest + 1) is None
    show.choose(viewer, "m")
    show.frame(keys=ALL)
    viewer.look()
    assert viewer.newest > newest


async def test_a_packet_from_before_the_keyframe_reaches_nobody_who_entered_with_it() -> None:
    show = Show(6)
    show.frame(keys=ALL)
    viewer = show.join()
    show.choose(viewer, "l")
    late = show.encoders["l"].frame(show.clock + FRAME)
    show.clock += FRAME
    show.frame(keys=("l",))
    viewer.look()
    count = len(viewer.opened)
    feed(show.stream, show.encoders["l"], late)
    viewer.look()
    assert len(viewer.opened) == count
    show.frame()
    viewer.look()
    assert len(viewer.opened) == count + 3


def tell_sets(show: Show) -> None:
    """The first keyframe of an encoder that tells its parameter sets with this one alone."""
    encoder = show.encoders[""]
    packets = encoder.frame(show.clock, is_key=True)
    sets = aggregate(PARAMETERS[encoder.height], PICTURE_PARAMETERS)
    feed(show.stream, encoder, [packets[0]._replace(payload=sets), *packets[1:]])


def bare_key(show: Show) -> list[rtp.RtpPacket]:
    """A keyframe as all that follow are: the slices of the IDR alone, without a gap in the numbers."""
    first, *rest = show.encoders[""].frame(show.clock)
    return [first._replace(payload=b"\x65" + first.payload[1:]), *rest]


async def test_pictures_come_back_from_an_encoder_that_tells_its_parameters_once() -> None:
    show = Show(14, ())
    encoder = show.encoders[""]
    tell_sets(show)
    viewer = show.join()
    show.choose(viewer, None)
    viewer.look()
    count = len(viewer.opened)
    show.choose(viewer, "")
    show.clock += FRAME
    feed(show.stream, encoder, bare_key(show))
    viewer.look()
    assert len(viewer.opened) == count + 4, "the sets go ahead of the three packets"
    assert viewer.newest - min(viewer.opened) + 1 == count + 4


async def test_a_layer_that_is_behind_does_not_turn_back_the_clock() -> None:
    show = Show(11)
    show.frame(keys=ALL)
    viewer = show.join()
    show.choose(viewer, "l")
    behind = show.encoders["l"].frame(show.clock + FRAME, is_key=True)
    for _ in range(3):
        show.frame(only=("h",))
    feed(show.stream, show.encoders["l"], behind)
    show.frame()
    viewer.look()
    assert viewer.heights() == [720, 180]
    assert viewer.lanes["video"].time_shift > FRAME
    ends = [packet.timestamp for _, packet in sorted(viewer.opened.items()) if packet.marker]
    assert all(0 < later - earlier & 0xFFFFFFFF < 90_000 for earlier, later in itertools.pairwise(ends))


async def test_a_change_while_the_viewer_still_catches_up_goes_on_after_what_it_got() -> None:
    show = Show(12)
    show.frame(keys=ALL)
    for _ in range(20):
        show.frame()
    viewer = show.join()  # 64 packets to catch up with, 48 at a time
    assert viewer.lanes["video"].cursor is not None
    show.choose(viewer, "m")
    show.frame(keys=("m",))
    show.frame()
    await until(lambda: viewer.lanes["video"].cursor is None, "it has caught up")
    viewer.look()
    assert viewer.heights() == [720, 360]
    numbers = sorted(viewer.opened)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert len(numbers) == 48 + 4 + 3


async def test_when_the_encoder_drops_the_top_layer_its_viewers_and_the_recording_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("livecommerce.media.viewers.follower.STEADY_SECONDS", 0.0)
    show = Show(7)
    show.frame(keys=ALL)
    recorded: list[CanonicalPacket] = []
    show.stream.taps.append(lambda kind, packets, now: recorded.extend(packets))
    show.second()
    viewer = show.join()
    show.frame(keys=("h",))
    show.stream.layers[2].heard_at = float("-inf")  # for longer than ALIVE_SECONDS
    show.second()
    show.choose(viewer, "h")
    show.frame(only=("l", "m"), keys=("m",))
    show.frame(only=("l", "m"))
    viewer.look()
    assert viewer.heights()[-1] == 360
    assert show.stream.followed.layer.height == 360
    show.frame(keys=("h",))
    show.second()
    show.second()
    show.frame(keys=("h",))
    show.frame()
    assert show.stream.followed.layer.height == 720
    sizes = {body: height for height, body in PARAMETERS.items()}
    payloads = [media_packet(packet).payload for packet in recorded]
    assert [sizes[payload] for payload in payloads if payload in sizes] == [720, 360, 720]
    numbers = [packet.number for packet in recorded]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    ends = [packet.timestamp for packet in recorded if packet.marker]
    assert all(0 < later - earlier & 0xFFFFFFFF < 90_000 for earlier, later in itertools.pairwise(ends))


async def test_sender_reports_put_the_layers_on_one_clock() -> None:
    """Their packets arrive apart; what counts is when their pictures were taken."""
    show = Show(8)
    ntp = 1 << 60
    low, high = show.encoders["l"], show.encoders["h"]
    feed(show.stream, low, low.frame(0, is_key=True))
    await asyncio.sleep(0.1)  # the large first picture took a tenth of a second
    feed(show.stream, high, high.frame(0, is_key=True))
    tracks = {layer.rid: layer.track for layer in show.stream.layers}
    apart = tracks["h"].last_timestamp - tracks["l"].last_timestamp & 0xFFFFFFFF
    assert apart > 7_000
    for encoder in (low, high):
        show.stream.note_report(encoder.source, ntp, encoder.offset & 0xFFFFFFFF, 1.0)
    before = tracks["h"].last_timestamp
    for clock in range(FRAME, FRAME * 60, FRAME):  # at half the pace of time until it is right
        for encoder in (low, high):
            feed(show.stream, encoder, encoder.frame(clock))
        assert FRAME // 2 <= tracks["h"].last_timestamp - before & 0xFFFFFFFF <= FRAME
        before = tracks["h"].last_timestamp
    assert tracks["h"].last_timestamp == tracks["l"].last_timestamp


async def test_a_late_packet_has_the_time_of_its_frame_whatever_was_corrected_since() -> None:
    show = Show(13)
    high = show.encoders["h"]
    show.frame(keys=ALL)
    for rid, skew in (("l", 0), ("h", 8 * FRAME)):
        encoder = show.encoders[rid]
        show.stream.note_report(encoder.source, 1 << 60, encoder.offset + show.clock + skew & 0xFFFFFFFF, 1.0)
    first, *rest = high.frame(show.clock + FRAME)
    feed(show.stream, high, rest)
    for index in range(2, 6):
        feed(show.stream, high, high.frame(show.clock + index * FRAME))
    feed(show.stream, high, [first])
    track = next(layer.track for layer in show.stream.layers if layer.rid == "h")
    timestamps = [packet.timestamp for packet in track.between(track.head - 14, track.head)]
    assert [timestamps.count(timestamp) for timestamp in dict.fromkeys(timestamps)] == [3] * 5
    assert timestamps == sorted(timestamps)


STEPS = st.lists(
    st.sampled_from(
        ["frame"] * 4
        + ["keyframe", "keyframe", "choose", "choose", "choose", "lose", "late", "host", "repair", "replay", "join"]
        + ["jump", "wait", "report"]
    ),
    max_size=90,
)


@pytest.mark.parametrize("core", CORES, ids=core_name)
@settings(max_examples=120, deadline=None)
@given(STEPS, st.integers(0, 0x1400), st.integers(0, 1 << 32))
def test_no_nonce_is_ever_used_for_two_packets(core: Any, steps: list[str], wrap_in: int, seed: int) -> None:
    """Over changes of layer, sound alone, loss, repair, replay, hosts with and without layers, and wrap-around."""

    async def story() -> None:
        show = Show(seed, wrap_in=wrap_in, core=core)
        for step in ["keyframe", "join", *steps, "frame"]:
            await _step(show, step)
        for viewer in show.viewers:
            viewer.look()
            ordered = [viewer.opened[number].timestamp for number in sorted(viewer.opened)]
            for earlier, later in itertools.pairwise(ordered):
                assert (later - earlier) & 0xFFFFFFFF < 0x80000000, "time went back"
        show.stream.close()
        show.wire.close()

    asyncio.run(story())


async def _step(show: Show, step: str) -> None:
    chance = show.random
    rids = tuple(show.encoders)
    if step == "frame":
        show.frame()
    elif step == "keyframe":
        show.frame(keys=tuple(rid for rid in rids if chance.random() < 0.7))
    elif step == "choose" and show.viewers:
        show.choose(chance.choice(show.viewers), chance.choice([None, *HEIGHTS]))
    elif step == "lose":
        encoder = chance.choice(list(show.encoders.values()))
        show.clock += FRAME
        packets = encoder.frame(show.clock, is_key=chance.random() < 0.2)
        encoder.skipped = [*encoder.skipped, *packets][-12:]
    elif step == "late":
        encoder = chance.choice(list(show.encoders.values()))
        feed(show.stream, encoder, chance.sample(encoder.skipped, min(3, len(encoder.skipped))))
    elif step == "host":
        host = FakeHost(chance.choice([(), ALL, ("h", "l"), ("m", "l")]))
        show.meet(host.layers)
        show.stream.take_host(host)
        for encoder in show.encoders.values():
            show.stream.begin_source(encoder.source)
    elif step == "jump":
        chance.choice(list(show.encoders.values())).sequence += 10_000
    elif step == "report":
        for encoder in show.encoders.values():
            timestamp = encoder.offset + show.clock + chance.randrange(-300, 300) & 0xFFFFFFFF
            show.stream.note_report(encoder.source, (1 << 60) + (show.clock << 32) // 90_000, timestamp, 1.0)
    elif step == "wait":
        await asyncio.sleep(0.005)
    elif step == "join" and len(show.viewers) < 5:
        show.join().ladder.rid = chance.choice(["l", "m", "h"])
    elif step == "repair" and show.viewers:
        viewer = chance.choice(show.viewers)
        viewer.look()
        if viewer.opened:
            for _ in range(5):
                show.repair(viewer, viewer.newest + chance.randrange(-60, 20))
    elif step == "replay" and show.viewers:
        viewer = chance.choice(show.viewers)
        viewer.replayed_at = float("-inf")
        show.stream.keyframe_wanted_by(viewer, time.monotonic())  # type: ignore[arg-type]


@pytest.mark.parametrize("before_wrap", [1, 2, 3, 4, 7, 12])
@pytest.mark.parametrize("sent_before", [0, 3])
async def test_the_rollover_counter_follows_a_change_of_layer_at_the_wrap(before_wrap: int, sent_before: int) -> None:
    """The viewer's number wraps just before, at, or after the packet with which another layer begins."""
    show = Show(9)
    show.frame(keys=ALL)
    viewer = show.join()
    lane = viewer.lanes["video"]
    # as if it had been there since the numbers were small: everything sent so far counts as sent
    target = 0x10000 - before_wrap
    lane.halt()
    show.stream.withdraw(viewer)  # type: ignore[arg-type]
    show.wire.take(viewer.address)
    lane.shift = target - 1 - lane.track.head
    lane.phase = lane.shift & 0xFFFF
    lane.first = lane.track.head + 1
    show.stream.place(viewer)  # type: ignore[arg-type]
    for _ in range(sent_before):
        show.frame()
    show.choose(viewer, "m")
    show.frame()
    show.frame(keys=("m",))
    for _ in range(6):
        show.frame()
    viewer.look()
    assert viewer.heights() == [360]
    assert {number >> 16 for number in viewer.opened} == {0, 1}
    numbers = sorted(viewer.opened)
    assert numbers == list(range(target, numbers[-1] + 1))
