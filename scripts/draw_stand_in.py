"""Draws the pictures that stand in for a camera in HLS and recordings: a calm wave, ten pictures, two key ones.

    python scripts/draw_stand_in.py

Writes livecommerce/media/packaging/stand_in.h264: Annex B, baseline, each picture a decoder's whole work of some bytes.
It is run when the drawing changes; servers only read the file.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image, ImageDraw

SIZE = WIDTH, HEIGHT = 640, 360
PICTURES = 20
# Four times as large, then made smaller: lines without steps.
FINE = 4
INK, VERMILION, FAINT = "#0d1014", "#e5432d", ("#2b343f", "#414c58")
TARGET = Path(__file__).parents[1] / "livecommerce/media/packaging/stand_in.h264"


def draw() -> Image.Image:
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), INK)
    lines = ImageDraw.Draw(image)
    for colour, height, phase in ((FAINT[0], 46, 2.1), (FAINT[1], 34, 1.1), (VERMILION, 26, 0.0)):
        wave = [
            (x, FINE * (HEIGHT / 2 + height * math.sin(math.pi * x / (WIDTH * FINE)) * math.sin(x / FINE / 38 + phase)))
            for x in range(0, WIDTH * FINE, FINE)
        ]
        lines.line(wave, fill=colour, width=3 * FINE, joint="curve")
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def main() -> None:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = SIZE
    codec.pix_fmt, codec.time_base, codec.framerate = "yuv420p", Fraction(1, 90_000), Fraction(10, 3)
    codec.thread_count = 1
    codec.options = {
        "preset": "veryslow",
        "profile": "baseline",
        "qp": "30",
        "x264-params": "keyint=10:min-keyint=10:scenecut=0:ref=1:repeat-headers=1:level=3.0:ipratio=1:aq-mode=0",
    }
    picture = av.VideoFrame.from_image(draw()).reformat(format="yuv420p", dst_colorspace="ITU709")
    data = b""
    for number in range(PICTURES):
        picture.pts = number * 27_000
        data += b"".join(bytes(packet) for packet in codec.encode(picture))
    data += b"".join(bytes(packet) for packet in codec.encode(None))
    TARGET.write_bytes(data)


if __name__ == "__main__":
    main()
