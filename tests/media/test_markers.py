"""Encoders whose markers say nothing true: their pictures are whole in recordings and HLS, and their rate is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from livecommerce.media.packaging.timeline import TimedUnit
from livecommerce.media.tracks.track import Track
from livecommerce.media.wire import rtp
from tests.media.packaging.test_packager import Shelf
from tests.media.payload_files import RATE, Payload, read_payloads
from tests.media.studio import Studio

SLICES, SECONDS = 4, 6
Mark = Callable[[Payload], bool]


def _ends_unit(payload: Payload) -> bool:
    is_fragment = payload.body[0] & 0x1F == 28
    return not is_fragment or payload.body[1] & 0x40 > 0


def _is_slice(payload: Payload) -> bool:
    kind = payload.body[0] & 0x1F
    return (payload.body[1] & 0x1F if kind == 28 else kind) in (1, 5)


MARKS: dict[str, Mark] = {
    "true": lambda payload: payload.marker,
    "none": lambda payload: False,
    "none from the third second on": lambda payload: payload.marker and payload.at < 3.0,
    "at each unit": _ends_unit,
    "at each packet": lambda payload: True,
}


def marked(mark: Mark) -> list[Payload]:
    return [one._replace(marker=mark(one)) if one.kind == "video" else one for one in read_payloads("slices")]


def slices(pictures: Iterable[TimedUnit]) -> list[int]:
    """Of each picture."""
    return [sum(unit[0] & 0x1F in (1, 5) for unit in one.unit.units) for one in pictures]


def shown(payloads: Iterable[Payload]) -> tuple[Studio, list[TimedUnit]]:
    studio, shelf = Studio(), Shelf()
    studio.packager.sinks.append(shelf)
    studio.feed(payloads)
    studio.packager.finish()
    return studio, shelf.pictures


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_every_picture_is_whole(mark: Mark) -> None:
    studio, pictures = shown(marked(mark))
    assert slices(pictures) == [SLICES] * SECONDS * RATE
    assert all(after.time - before.time == 90_000 // RATE for before, after in pairwise(pictures))
    assert max(studio.asked) == 0.0, "no keyframe is asked for but the first"


def test_where_only_slices_are_marked_a_group_is_lost_and_no_more() -> None:
    studio, pictures = shown(marked(lambda payload: _is_slice(payload) and _ends_unit(payload)))
    assert slices(pictures[1:]) == [SLICES] * (SECONDS - 2) * RATE
    assert pictures[1].is_key
    assert len(studio.asked) > 1, "and asked for"


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_a_picture_behind_which_nothing_comes_is_given_out(mark: Mark) -> None:
    payloads = [one for one in marked(mark) if one.kind == "video" and one.at < 4.0]
    studio, shelf = Studio(), Shelf()
    studio.packager.sinks.append(shelf)
    studio.feed(payloads)
    studio.packager.tick(5.0)
    assert len(shelf.pictures) == 4 * RATE


def test_the_end_of_a_picture_that_came_after_all_spoils_no_other_picture() -> None:
    payloads = [one for one in marked(MARKS["none"]) if one.kind == "video"]
    studio, shelf = Studio(), Shelf()
    studio.packager.sinks.append(shelf)
    cut = next(index for index, one in enumerate(payloads) if one.at > 1.0) + 2
    studio.feed(payloads[:cut])
    studio.packager.tick(3.0)
    studio.feed(payloads[cut:])
    studio.packager.finish()
    *before, broken = slices(shelf.pictures)[:17]
    assert (before, broken) == ([SLICES] * 16, 1)
    assert slices(shelf.pictures[17:]) == [SLICES] * 4 * RATE
    assert shelf.pictures[17].is_key


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_the_rate_is_counted_by_times(mark: Mark) -> None:
    track = Track("video", 90_000)
    for sequence, one in enumerate(each for each in marked(mark) if each.kind == "video"):
        track.take(rtp.RtpPacket(102, one.marker, sequence, one.timestamp, 9, one.body, 0, b""), one.at)
    assert track.pictures == SECONDS * RATE
