"""Where a picture can be entered, with what encoders really send: late viewers, changes of layer, HLS and recording."""

from __future__ import annotations

import random
import time

import pytest

from livecommerce.media.errors import PictureClosed
from livecommerce.media.hls.playlist import multivariant_playlist
from livecommerce.media.hls.window import OPUS
from livecommerce.media.ingest.feedback import Reception
from livecommerce.media.ingest.source import PICTURE, SOUND, Publisher, SourceName
from livecommerce.media.outputs import ShowOutput
from livecommerce.media.plane import MediaPlane
from livecommerce.media.stream import StreamState
from livecommerce.media.viewers.layer import CLOSED_SECONDS
from tests.media.crowd import CrowdViewer, FakeHost, Wire, make_stream
from tests.media.encoders import ENTERABLE, FRAME, PICTURES, SDP_SETS, SECOND_KEY, Camera, Picture, decoded
from tests.media.test_hls_app import Door, door
from tests.media.test_plane import HOST, VIEWER, plane

__all__ = ["door", "plane"]
# Keyframes of so long ago are not replayed to who joins: only the next one lets them in.
LONG_AGO_SECONDS = 60.0


class Show:
    """One encoder without layers, at moments that the test says."""

    def __init__(self, encoder: str, *, sets: tuple[bytes, ...] = ()) -> None:
        self.pictures = PICTURES[encoder]
        self.wire = Wire()
        self.stream, self.host = make_stream(self.wire, ())
        self.host.parameter_sets = sets
        self.host.receptions = {PICTURE: Reception(9, 90_000), SOUND: Reception(8, 48_000)}
        self.camera = Camera()
        self.stream.begin_source(PICTURE)
        self.count = 0

    def send(self, pictures: list[Picture], now: float) -> None:
        for picture in pictures:
            for packet in self.camera.packets(picture):
                self.stream.take(PICTURE, packet, now)

    def join(self) -> CrowdViewer:
        self.count += 1
        viewer = CrowdViewer(self.stream, self.wire, self.count, random.Random(self.count))
        self.stream.admit(viewer)  # type: ignore[arg-type]
        return viewer


def show_of(encoder: str) -> Show:
    return Show(encoder, sets=SDP_SETS if encoder == "sets_in_sdp_alone" else ())


@pytest.mark.parametrize("encoder", ENTERABLE)
async def test_who_joins_late_sees_the_next_keyframe(encoder: str) -> None:
    show, now = show_of(encoder), time.monotonic()
    early = show.join()
    show.send(show.pictures[:2], now - LONG_AGO_SECONDS)
    late = show.join()
    show.send(show.pictures[2:], now)
    replayed = show.join()
    assert [decoded(viewer) for viewer in (early, late, replayed)] == [6, 2, 2]
    for viewer in (early, late, replayed):
        numbers = sorted(viewer.opened)
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), "no gap to ask for"


@pytest.mark.parametrize("encoder", ["sets_in_the_first_keyframe_alone", "sets_in_sdp_alone"])
async def test_the_sets_that_went_ahead_are_repaired(encoder: str) -> None:
    show, now = show_of(encoder), time.monotonic()
    show.send(show.pictures[:2], now - LONG_AGO_SECONDS)
    late = show.join()
    show.send(show.pictures[2:], now)
    late.look()
    found = late.lanes["video"].find(min(late.opened) & 0xFFFF)
    assert found is not None
    assert found[1].body[:1] == b"\x78", "the aggregate, not what the track had under this number"
    show.stream.send_again(found[0], [found[1]])
    late.look()
    assert late.repeated == 1, "the same bytes"


@pytest.mark.parametrize("encoder", ENTERABLE)
async def test_hls_that_begins_late_begins_with_the_next_keyframe(encoder: str) -> None:
    show, now = show_of(encoder), time.monotonic()
    show.send(show.pictures[:2], now)
    output = ShowOutput(show.stream)
    window = output.play(now)
    show.send(show.pictures[2:], now)
    window.end()
    assert "64x64" in multivariant_playlist(window)
    assert sum(part.ticks for segment in window.listed(OPUS) for part in segment.parts) == 2 * FRAME


@pytest.mark.parametrize("encoder", ["aud_first", "sei_first", "sets_in_the_first_keyframe_alone"])
async def test_viewers_and_recordings_change_to_a_layer_of_any_encoder(encoder: str) -> None:
    wire = Wire()
    stream, _ = make_stream(wire, ("l", "h"))
    cameras = {rid: Camera(ssrc=ssrc) for rid, ssrc in (("l", 1), ("h", 2))}
    viewer = CrowdViewer(stream, wire, 1, random.Random(1))

    def send(pictures: list[Picture], now: float) -> None:
        for picture in pictures:
            for rid, camera in cameras.items():
                for packet in camera.packets(picture):
                    stream.take(SourceName("video", rid), packet, now)

    stream.admit(viewer)  # type: ignore[arg-type]
    now = time.monotonic()
    send(PICTURES[encoder][:2], now)
    stream.followed.look(stream.alive(), now)
    window = ShowOutput(stream).play(now)
    other = next(layer for layer in stream.layers if layer.track is not viewer.lanes["video"].track)
    viewer.ladder.rid = other.rid
    stream.choose(viewer, stream.alive(), now)  # type: ignore[arg-type]
    followed = stream.followed.layer
    stream.followed.look([layer for layer in stream.layers if layer is not followed], now)
    send(PICTURES[encoder][2:], now)
    assert viewer.lanes["video"].track is other.track, "changed at the keyframe"
    assert stream.followed.layer is not followed
    assert decoded(viewer) == SECOND_KEY + 1 + 2, "the old layer up to that moment, then the new one"
    window.end()
    assert sum(part.ticks for segment in window.listed(OPUS) for part in segment.parts) == 2 * FRAME


async def test_parameter_sets_before_a_p_picture_are_no_entrance() -> None:
    show, now = Show("sps_without_idr"), time.monotonic()
    show.send(show.pictures[:2], now - LONG_AGO_SECONDS)
    late = show.join()
    show.send(show.pictures[2:SECOND_KEY], now)
    late.look()
    assert late.opened == {}
    show.send(show.pictures[SECOND_KEY:], now)
    assert decoded(late) == 2


async def test_a_packet_that_comes_late_has_not_the_index_of_the_sets_that_went_ahead() -> None:
    """SPS in each keyframe, PPS in the first one; the last packet before the second keyframe is overtaken by it."""
    show, now = Show("sei_first"), time.monotonic()
    show.send(show.pictures[:3], now - LONG_AGO_SECONDS)
    late = show.join()
    (*kept, overtaken), key = (
        show.camera.packets(show.pictures[3]),
        show.camera.packets([unit for unit in show.pictures[SECOND_KEY] if unit[0] & 0x1F not in (6, 8)]),
    )
    for packet in (*kept, *key, overtaken):
        show.stream.take(PICTURE, packet, now)
    show.send(show.pictures[SECOND_KEY + 1 :], now)
    assert decoded(late) == 2
    assert late.lanes["video"].entry is not None


async def test_sets_that_may_be_others_than_the_kept_ones_are_waited_for() -> None:
    """The parameter sets of a keyframe are lost on the way, and repaired after it."""
    show, now = Show("sei_first"), time.monotonic()
    show.send(show.pictures[:SECOND_KEY], now - LONG_AGO_SECONDS)
    late = show.join()
    before, sequence, picture, idr = show.camera.packets(show.pictures[SECOND_KEY])
    show.stream.take(PICTURE, before, now)
    show.stream.take(PICTURE, idr, now)
    late.look()
    assert late.opened == {}
    show.stream.take(PICTURE, sequence, now)
    show.stream.take(PICTURE, picture, now)
    show.send(show.pictures[SECOND_KEY + 1 :], now)
    assert decoded(late) == 2
    assert late.lanes["video"].entry is None, "it has its own"


CLOSED = [
    ("intra_refresh", (), "intra_refresh"),
    ("sets_in_sdp_alone", (), "no_parameter_sets"),
    ("aud_first", (), "no_keyframes"),
]


def close(show: Show) -> float:
    """Six seconds of pictures nobody can enter by, up to now: the first IDR of the encoder is not among them."""
    show.pictures = [picture for picture in show.pictures if picture != PICTURES["intra_refresh"][0]]
    if show.pictures[0] == PICTURES["aud_first"][0]:
        show.pictures = [picture for picture in show.pictures if all(unit[0] & 0x1F != 5 for unit in picture)]
    now = time.monotonic()
    pictures = show.pictures * 12
    for index, picture in enumerate(pictures):
        at = now - (CLOSED_SECONDS + 1.0) * (1 - index / len(pictures))
        show.send([picture], at)
    return now


@pytest.mark.parametrize(("encoder", "sets", "hint"), CLOSED)
async def test_the_host_hears_that_nobody_can_enter(encoder: str, sets: tuple[bytes, ...], hint: str) -> None:
    show = Show(encoder, sets=sets)
    now = close(show)
    show.stream.second(now)
    assert (show.stream.state, show.stream.is_closed(now)) == (StreamState.LIVE, True)
    show.stream._window = (now - 1.0, 0)
    show.stream.second(now)
    assert show.stream.hint == hint
    late = show.join()
    show.send(show_of("aud_first").pictures[:2], now)
    assert not show.stream.is_closed(now), "the encoder was mended"
    assert decoded(late) == 2


async def test_an_encoder_that_had_a_keyframe_and_is_deaf_since_is_closed_when_the_ring_has_lost_it() -> None:
    show, now = Show("intra_refresh"), time.monotonic()
    show.send(show.pictures, now - LONG_AGO_SECONDS)
    show.join()
    show.stream.layers[0].keyframe_wanted_since = now - 13.0
    assert not show.stream.is_closed(now), "the ring has it still"
    for _ in range(150):
        show.send(show.pictures[1:], now)
    assert show.stream.is_closed(now)
    show.stream._window = (now - 1.0, 0)
    show.stream.second(now)
    assert show.stream.hint == "intra_refresh"


async def test_hls_says_so_instead_of_waiting(door: Door) -> None:
    show = Show("intra_refresh")
    close(show)
    door.stream.host, door.stream.state = FakeHost(()), StreamState.LIVE
    door.stream._fed = show.stream._fed
    for path in ("/hls/demo/index.m3u8", "/hls/demo/opus/index.m3u8"):
        assert (await door.get(path))[:2] == (503, "picture_closed")


async def test_whep_says_so_instead_of_a_black_picture(plane: MediaPlane) -> None:
    plane.publish("demo", HOST, Publisher("ling"))
    show = Show("intra_refresh")
    close(show)
    plane.streams["demo"]._fed = show.stream._fed
    with pytest.raises(PictureClosed):
        plane.play("demo", VIEWER)
    sound = plane.streams["demo"].tracks["audio"]
    sound.last_at = time.monotonic()
    assert plane.play("demo", VIEWER).session, "who cannot see yet can hear"
    sound.last_at = None
    show.send(show_of("aud_first").pictures[:1], time.monotonic())
    assert plane.play("demo", VIEWER).session
