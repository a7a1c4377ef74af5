"""The picture by which a show comes live is in its recording and in HLS, however its packets come."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import pytest

from livecommerce.media.hls.window import OPUS
from livecommerce.media.ingest.source import PICTURE
from livecommerce.media.outputs import Outputs
from livecommerce.media.recording import files
from livecommerce.media.stream import Stream
from livecommerce.media.wire import rtp
from tests.media.broadcast import Frame, encode_pictures
from tests.media.crowd import Wire, make_stream

SECONDS = 2.0
# An encoder that is deaf and has one key picture in the whole show; it is small, and large.
SHOWS = {size: encode_pictures(SECONDS, keys_at={0}, size=size) for size in ((64, 48), (640, 360))}


class Show:
    """A stream whose outputs begin when it comes live, as in a relay."""

    def __init__(self, folder: Path) -> None:
        self.stream, _ = make_stream(Wire(), ())
        self.outputs = Outputs({"demo": self.stream}, folder)
        self.stream.on_event = self._note
        self._sequence = 500

    def _note(self, show: str, event: Mapping[str, Any]) -> None:
        self.outputs.note(show, event)
        self.outputs.output(show).play(time.monotonic())

    def send(self, frame: Frame, *, is_apart: bool) -> None:
        """`is_apart`: each packet goes out before the next one comes."""
        for index, payload in enumerate(frame.payloads):
            marker = index == len(frame.payloads) - 1
            header = (102, marker, self._sequence & 0xFFFF, round(frame.seconds * 90_000), 9)
            self.stream.take(PICTURE, rtp.RtpPacket(*header, payload, 0, b""), time.monotonic())
            self._sequence += 1
            if is_apart:
                _flush(self.stream)


def _flush(stream: Stream) -> None:
    for layer in stream.layers:
        stream._flush_picture(layer)


@pytest.mark.parametrize("is_apart", [False, True], ids=["at once", "one by one"])
@pytest.mark.parametrize("size", SHOWS, ids=str)
async def test_nothing_of_the_show_is_lost(tmp_path: Path, size: tuple[int, int], is_apart: bool) -> None:
    show = Show(tmp_path)
    for frame in SHOWS[size]:
        show.send(frame, is_apart=is_apart)
    output = show.outputs.output("demo")
    assert output.packager.video.counters.units == SECONDS * 30
    window = output.hls
    assert window is not None
    await show.outputs.close()
    assert sum(part.ticks for each in window.segments for part in each.parts) == pytest.approx(SECONDS * 90_000, abs=90)
    assert window.listed(OPUS)[0].parts[0].is_independent
    manifest = files.read_manifest(files.folder_of(tmp_path, "demo"))
    assert manifest is not None
    (take,) = manifest.takes
    with av.open(str(files.folder_of(tmp_path, "demo") / take.file)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == SECONDS * 30
