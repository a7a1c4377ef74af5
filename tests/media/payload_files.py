"""What hosts of a certain kind have sent, kept as files: RTP payloads with their times, given out as they came.

A line each: seconds of arrival, kind, RTP timestamp, marker (0 or 1), payload in base64. `python -m
tests.media.payload_files` makes the files anew, by x264 and libopus.
"""

from __future__ import annotations

import base64
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from tests.media.broadcast import encode_pictures, encode_sound, fragments, payloads_of, picture, split_annex_b

FOLDER = Path(__file__).parent / "payloads"
SIZE, RATE = (160, 90), 15
# So small that slices of a small picture are cut, too.
SLICE_FRAGMENT_BYTES = 200


class Payload(NamedTuple):
    """One packet: `at` is seconds of arrival, `timestamp` the one of RTP, 32 bits."""

    at: float
    kind: str
    timestamp: int
    marker: bool
    body: bytes


def read_payloads(name: str) -> list[Payload]:
    """The packets of a file in the order in which they came."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_text("ascii").splitlines():
        at, kind, timestamp, marker, body = line.split()
        found.append(Payload(float(at), kind, int(timestamp), marker == "1", base64.b64decode(body)))
    return found


def _write(name: str, payloads: list[Payload]) -> None:
    lines = []
    for one in sorted(payloads, key=lambda one: one.at):
        body = base64.b64encode(one.body).decode()
        lines.append(f"{one.at:.4f} {one.kind} {one.timestamp & 0xFFFFFFFF} {int(one.marker)} {body}\n")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.txt").write_text("".join(lines), "ascii")


def _sounds(seconds: float) -> list[Payload]:
    return [
        Payload(frame.seconds, "audio", 0xFFFFF000 + round(frame.seconds * 48_000), True, frame.payloads[0])
        for frame in encode_sound(seconds)
    ]


def _packets(at: float, timestamp: int, payloads: list[bytes]) -> list[Payload]:
    last = len(payloads) - 1
    return [Payload(at, "video", timestamp, index == last, body) for index, body in enumerate(payloads)]


def _pictures(seconds: float, start: float) -> list[Payload]:
    """As browsers and OBS send them, a key picture a second."""
    frames = encode_pictures(seconds, keys_at=set(range(0, 99, RATE)), size=SIZE, start=start, rate=RATE)
    return [
        packet
        for frame in frames
        for packet in _packets(frame.seconds, 0xFFFF0000 + round(frame.seconds * 90_000), frame.payloads)
    ]


def _pictures_out_of_order(seconds: float) -> list[Payload]:
    """As OBS sends them with x264's usual settings: B-frames that others refer to, two key pictures."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = SIZE
    codec.pix_fmt, codec.time_base, codec.framerate = "yuv420p", Fraction(1, RATE), Fraction(RATE)
    codec.thread_count = 1
    codec.options = {
        "preset": "veryfast",
        "profile": "high",
        "x264-params": "keyint=30:min-keyint=30:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0:repeat-headers=1",
    }
    packets = []
    for number in range(round(seconds * RATE)):
        one = picture(number, *SIZE)
        one.pts = number
        packets += codec.encode(one)
    packets += codec.encode(None)
    return [
        payload
        for index, packet in enumerate(packets)
        for payload in _packets(
            (index + 3) / RATE, 0xFFFF0000 + int(packet.pts) * 90_000 // RATE, payloads_of(split_annex_b(bytes(packet)))
        )
    ]


def _pictures_in_slices(seconds: float) -> list[Payload]:
    """As hardware encoders and OBS send them: four slices a picture, each unit in packets of its own."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = SIZE
    codec.pix_fmt, codec.time_base, codec.framerate = "yuv420p", Fraction(1, RATE), Fraction(RATE)
    codec.thread_count, codec.bit_rate = 1, 200_000
    codec.options = {
        "tune": "zerolatency",
        "preset": "ultrafast",
        "profile": "baseline",
        "x264-params": "keyint=30:min-keyint=30:scenecut=0:slices=4:repeat-headers=1",
    }
    found = []
    for number in range(round(seconds * RATE)):
        one = picture(number, *SIZE)
        one.pts = number
        for packet in codec.encode(one):
            payloads = [
                payload for unit in split_annex_b(bytes(packet)) for payload in fragments(unit, SLICE_FRAGMENT_BYTES)
            ]
            found += _packets(number / RATE, 0xFFFF0000 + number * 90_000 // RATE, payloads)
    return found


def main() -> None:
    _write("sound_alone", _sounds(5.0))
    _write("camera_away", _sounds(11.0) + _pictures(2.0, 0.0) + _pictures(3.0, 8.0))
    _write("show", _sounds(8.0) + _pictures(8.0, 0.0))
    _write("slices", _sounds(6.0) + _pictures_in_slices(6.0))
    _write("b_frames", _sounds(6.0) + _pictures_out_of_order(6.0))


if __name__ == "__main__":
    main()
