"""A host for packaging tests: real H.264 and Opus by PyAV, cut into RTP payloads as browsers do (RFC 6184, FU-A)."""

from __future__ import annotations

import math
import struct
from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import av

from livecommerce.media.packaging.access_units import MediaPacket

PAYLOAD_BYTES = 1_100


@dataclass
class Frame:
    """One encoded picture or sound at `seconds`."""

    kind: str
    seconds: float
    payloads: list[bytes]
    is_key: bool = False


def split_annex_b(data: bytes) -> list[bytes]:
    pieces = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [piece.rstrip(b"\0") if piece[0] & 0x1F in (7, 8) else piece for piece in pieces if piece]


def payloads_of(units: list[bytes]) -> list[bytes]:
    """Parameter sets together in a STAP-A, slices in FU-A fragments where they are long."""
    found = []
    sets = [unit for unit in units if unit[0] & 0x1F in (7, 8)]
    if sets:
        found.append(b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in sets))
    for unit in units:
        if unit[0] & 0x1F in (6, 7, 8):
            continue
        found += fragments(unit, PAYLOAD_BYTES)
    return found


def fragments(unit: bytes, size: int) -> list[bytes]:
    """The unit itself, or FU-A fragments of so many bytes where it is longer."""
    if len(unit) <= size:
        return [unit]
    found, body = [], unit[1:]
    for start in range(0, len(body), size):
        first = 0x80 if start == 0 else 0
        last = 0x40 if start + size >= len(body) else 0
        header = bytes((unit[0] & 0x60 | 28, unit[0] & 0x1F | first | last))
        found.append(header + body[start : start + size])
    return found


def picture(number: int, width: int, height: int) -> av.VideoFrame:
    """A grey ramp that moves, white for one picture each second: `encode_sound` beeps at the same moment."""
    ramp = bytes((column * 2 + number * 7) & 0xFF for column in range(width))
    frame = av.VideoFrame(width, height, "yuv420p")
    for index, plane in enumerate(frame.planes):
        row = (b"\xff" * width if number % 30 == 0 else ramp) if index == 0 else b"\x80" * (width // 2)
        plane.update(row.ljust(plane.line_size, b"\0") * plane.height)
    return frame


def encode_pictures(seconds: float, *, keys_at: set[int], size=(320, 180), start: float = 0.0, rate=30) -> list[Frame]:
    """Baseline pictures at 30/s; picture numbers in `keys_at` are IDR."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = size
    codec.pix_fmt, codec.time_base, codec.framerate = "yuv420p", Fraction(1, rate), Fraction(rate)
    codec.thread_count = 1
    codec.options = {
        "tune": "zerolatency",
        "preset": "ultrafast",
        "profile": "baseline",
        "forced-idr": "1",
        "x264-params": "keyint=9999:scenecut=0:repeat-headers=1",
    }
    codec.bit_rate = 800_000
    packets = []
    for number in range(round(seconds * rate)):
        one = picture(number, *size)
        one.pts = number
        one.pict_type = av.video.frame.PictureType.I if number in keys_at else av.video.frame.PictureType.NONE
        packets += codec.encode(one)
    packets += codec.encode(None)
    return [
        Frame("video", start + packet.pts / rate, payloads_of(split_annex_b(bytes(packet))), packet.is_keyframe)
        for packet in packets
    ]


def encode_sound(seconds: float, start: float = 0.0) -> list[Frame]:
    """20 ms stereo frames: silence, and a 1 kHz beep in the first 100 ms of each second."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "stereo", "s16"
    codec.time_base = Fraction(1, 48_000)
    frames = []
    for number in range(round(seconds * 50)):
        wave = array("h")
        for sample in range(number * 960, number * 960 + 960):
            level = round(20_000 * math.sin(sample / 48_000 * 2_000 * math.pi)) if sample % 48_000 < 4_800 else 0
            wave.extend((level, level))
        one = av.AudioFrame("s16", "stereo", 960)
        one.planes[0].update(wave.tobytes())
        one.sample_rate, one.pts = 48_000, number * 960
        packets = codec.encode(one)
        frames += [Frame("audio", start + packet.pts / 48_000, [bytes(packet)]) for packet in packets]
    return frames


CLOCKS = {"video": 90_000, "audio": 48_000}


@dataclass
class Sender:
    """Numbers and timestamps of one host, as the canonical stream gives them."""

    numbers: dict[str, int] = field(default_factory=lambda: {"video": 70_000, "audio": 80_000})
    bases: dict[str, int] = field(default_factory=lambda: {"video": 0xFFFF0000, "audio": 0xFFFFF000})

    def packets(self, frame: Frame) -> list[MediaPacket]:
        timestamp = (self.bases[frame.kind] + round(frame.seconds * CLOCKS[frame.kind])) & 0xFFFFFFFF
        found = []
        for index, payload in enumerate(frame.payloads):
            marker = frame.kind == "audio" or index == len(frame.payloads) - 1
            found.append(MediaPacket(self.numbers[frame.kind], timestamp, marker, payload))
            self.numbers[frame.kind] += 1
        return found


def interleaved(*streams: list[Frame]) -> list[Frame]:
    """In order of time, as they would arrive."""
    return sorted((frame for stream in streams for frame in stream), key=lambda frame: frame.seconds)
