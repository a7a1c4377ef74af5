"""From canonical packets to sinks: what is whole is given in order, and what goes wrong stays in here."""

from __future__ import annotations

from itertools import pairwise

import pytest

from livecommerce.media.packaging.packager import KEYFRAME_RETRY_SECONDS, Packager, media_packet
from livecommerce.media.packaging.timeline import TimedFrame, TimedUnit
from livecommerce.media.tracks.track import CanonicalPacket
from tests.media.broadcast import encode_pictures, encode_sound, interleaved
from tests.media.studio import Studio


class Shelf:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.pictures: list[TimedUnit] = []
        self.sounds: list[TimedFrame] = []
        self.ticks = self.jumps = 0

    def video(self, picture: TimedUnit) -> None:
        self.pictures.append(picture)

    def audio(self, frame: TimedFrame) -> None:
        self.sounds.append(frame)

    def jump(self) -> None:
        self.jumps += 1

    def tick(self, now: float) -> None:
        self.ticks += 1


@pytest.mark.parametrize(
    ("body", "padded_to", "payload"),
    [(b"picture", 7, b"picture"), (b"picture", 8, b"picture"), (b"picture", 60, b"picture"), (b"", 1, b"")],
    ids=["as it is", "one byte", "many", "a probe"],
)
def test_padding_is_no_part_of_a_picture(body: bytes, padded_to: int, payload: bytes) -> None:
    packet = CanonicalPacket(7, 90, True, body, False)
    packet.pad(padded_to)
    assert len(packet.body) == padded_to
    assert media_packet(packet) == (7, 90, True, payload)


def test_every_sink_gets_all_from_the_first_key_picture_on() -> None:
    studio, shelves = Studio(), (Shelf(), Shelf())
    studio.packager.sinks += shelves
    studio.send(interleaved(encode_pictures(2.0, keys_at={0}), encode_sound(2.0)))
    assert shelves[0].pictures == shelves[1].pictures
    assert len(shelves[0].pictures) == 60
    assert shelves[0].pictures[0].is_key
    assert shelves[0].pictures[0].time == 0
    assert all(after.time == before.time + before.duration for before, after in pairwise(shelves[0].sounds))
    assert shelves[0].ticks > 0


def test_the_wall_clock_is_known_with_the_first_key_picture() -> None:
    packager = Packager(lambda now: None)
    assert packager.wall_ms is None
    studio = Studio()
    studio.send(encode_pictures(0.2, keys_at={0}))
    assert studio.packager.wall_ms is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"\x7c", b"\x78\x00", b"\x78\xff\xff\x65", b"\x7f" * 9, b"\x7c\x45end of nothing"],
    ids=["empty", "half a fragment", "half an aggregate", "beyond the end", "reserved", "an end without a beginning"],
)
@pytest.mark.parametrize("kind", ["video", "audio"])
def test_damaged_packets_are_given_to_nobody_and_raise_nothing(kind: str, body: bytes) -> None:
    shelf, asked = Shelf(), []
    packager = Packager(asked.append)
    packager.sinks.append(shelf)
    for number in range(5):
        packager.take(kind, [CanonicalPacket(number, number * 3_000, True, body, False)], number / 30)
        packager.tick(number / 30)
    assert (shelf.pictures, shelf.sounds) == ([], [])
    assert len(asked) == (1 if kind == "video" else 0), "a key picture, once a second"


def test_a_key_picture_is_asked_for_again_until_it_comes_but_not_at_each_packet():
    studio = Studio()
    broken = interleaved(encode_pictures(4.0, keys_at={0}), encode_sound(4.0))
    lost = {70_020}
    studio.send(broken, lose=lambda packet: packet.number in lost)
    asked = [second for second in studio.asked if second > 0.5]
    assert len(asked) >= 2
    assert all(later - before >= KEYFRAME_RETRY_SECONDS for before, later in pairwise(asked))


def test_a_fault_in_a_sink_does_not_reach_the_relay(caplog):
    class Broken:
        def video(self, picture):
            raise RuntimeError("a fault")

        def audio(self, frame): ...
        def tick(self, now): ...

    studio = Studio()
    studio.packager.sinks.append(Broken())
    studio.send(encode_pictures(0.2, keys_at={0}))
    assert "a fault" in caplog.text
