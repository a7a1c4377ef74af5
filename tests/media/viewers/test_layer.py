"""One layer: whether it is alive, when its keyframe may be asked for, what of it goes to live lanes."""

from __future__ import annotations

import pytest

from livecommerce.media.ingest.source import PICTURE, SourceName
from livecommerce.media.tracks.track import Track
from livecommerce.media.transport.udp import Socket
from livecommerce.media.viewers.ladder import Rung
from livecommerce.media.viewers.layer import ALIVE_SECONDS, KEYFRAME_REQUEST_SECONDS, Layer
from livecommerce.media.wire import rtp
from tests.media.crowd import KEYS, Wire


def make_layer() -> Layer:
    return Layer(Track("video", 90_000), Track("audio", 48_000), Socket(Wire().udp, None))


def take(layer: Layer, sequence: int, body: bytes, now: float, *, packets: int = 1) -> None:
    """A packet of one of pictures that have so many each; no marker ever."""
    packet = layer.track.take(rtp.RtpPacket(102, False, sequence, sequence // packets * 3_000, 9, body, 0, b""), now)
    assert packet is not None
    layer.note(now)


@pytest.mark.parametrize(
    ("source", "rid"), [(None, ""), (PICTURE, ""), (SourceName("video", "h"), "h"), (SourceName("video", "a:b"), "a:b")]
)
def test_its_name_is_the_hosts(source: SourceName | None, rid: str) -> None:
    layer = make_layer()
    layer.feed(source, 1.0)
    assert layer.rid == rid


@pytest.mark.parametrize(
    ("source", "key_at", "heard_at", "is_alive"),
    [
        (PICTURE, 11.0, 11.0, True),
        (None, 11.0, 11.0, False),
        (PICTURE, None, 11.0, False),
        (PICTURE, 9.0, 11.0, False),
        (PICTURE, 11.0, 20.0 - ALIVE_SECONDS - 0.1, False),
        (PICTURE, 11.0, 20.0 - ALIVE_SECONDS + 0.1, True),
    ],
    ids=["fed", "nobody feeds it", "no keyframe", "only the last host's keyframe", "dropped by its encoder", "slow"],
)
def test_whether_it_can_be_entered(
    source: SourceName | None, key_at: float | None, heard_at: float, is_alive: bool
) -> None:
    layer = make_layer()
    if key_at is not None and key_at < 10.0:
        take(layer, 1, KEYS[720], key_at)
    layer.feed(source, 10.0)
    if key_at is not None and key_at >= 10.0:
        take(layer, 2, KEYS[720], key_at)
    take(layer, 3, b"\x61picture", heard_at)
    newest_at = 20.0 if heard_at > 12 else heard_at
    assert layer.is_alive(newest_at) is is_alive


def test_a_keyframe_is_asked_for_once_a_second_until_it_comes() -> None:
    layer = make_layer()
    layer.feed(PICTURE, 1.0)
    asked = [layer.may_ask(10.0 + tick * 0.1, can_ask=True) for tick in range(25)]
    assert [tick for tick, may in enumerate(asked) if may] == [0, 10, 20]
    assert layer.keyframe_wanted_since == 10.0
    take(layer, 1, KEYS[720], 11.5)
    layer.note_keyframe()
    assert layer.keyframe_wanted_since is not None, "it was on its way before the last request"
    take(layer, 2, KEYS[720], 12.6)
    layer.note_keyframe()
    assert layer.keyframe_wanted_since is None


@pytest.mark.parametrize(("came_at", "is_slow"), [(10.6, False), (14.0, True)])
def test_a_keyframe_that_comes_late_is_remembered(came_at: float, is_slow: bool) -> None:
    layer = make_layer()
    layer.feed(PICTURE, 1.0)
    layer.may_ask(10.0, can_ask=True)
    take(layer, 1, KEYS[720], came_at)
    layer.note_keyframe()
    assert (layer.keyframe_slow_at is not None) is is_slow


def test_without_a_host_the_wish_is_kept() -> None:
    layer = make_layer()
    assert not layer.may_ask(10.0, can_ask=False)
    assert layer.may_ask(10.0 + KEYFRAME_REQUEST_SECONDS, can_ask=True)
    assert layer.keyframe_wanted_since == 10.0


def test_what_is_older_than_the_entrance_goes_to_nobody_live() -> None:
    layer = make_layer()
    for sequence in range(5):
        take(layer, sequence, b"\x61picture", 1.0)
    packets = layer.take_pending(1.0)
    assert layer.live(packets) == packets
    layer.entered = packets[3].number
    assert layer.live(packets) == packets[3:]
    assert layer.live([]) == []


def test_it_says_what_it_measured() -> None:
    layer = make_layer()
    layer.feed(SourceName("video", "h"), 1.0)
    take(layer, 2, KEYS[720], 1.0, packets=2)
    for sequence in range(3, 33):
        take(layer, sequence, b"\x61" * 1_000, 1.0, packets=2)
    layer.measure(2.0)
    assert layer.kbps == pytest.approx((30_000 + len(KEYS[720])) * 0.008 / 2.0)
    assert layer.frames_per_second == pytest.approx(8.0)
    assert layer.rung == Rung("h", 720, layer.kbps)
    layer.measure(1.0)
    assert layer.kbps == 0.0
    assert layer.usual_kbps > 0, "one second without pictures is no new rate"
    assert {name: layer.statistics()[name] for name in ("rid", "width", "height", "viewers")} == {
        "rid": "h",
        "width": 1280,
        "height": 720,
        "viewers": 0,
    }
