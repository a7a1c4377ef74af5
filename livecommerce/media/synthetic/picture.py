"""A moving picture with a clock, drawn into YUV 4:2:0 planes by slice copies: cheap enough for a demo.

Two things can be read back: a large HH:MM:SS.mmm for people, and a bar of 40 black and white cells along the top for
machines, which gives the capture time to the millisecond (glass-to-glass delay).
"""

from __future__ import annotations

import random
import time

# 5 by 7 dots, one row a digit of the string.
_GLYPHS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "11110 00001 00001 01110 00001 00001 11110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
    ":": "00000 00100 00100 00000 00100 00100 00000",
    ".": "00000 00000 00000 00000 00000 00110 00110",
}
CELLS = 40
# The first four cells are a fixed pattern, the next 32 the low bits of the Unix milliseconds, the last four a check.
_SYNC = (1, 0, 1, 0)
WHITE, BLACK = 235, 16


def bar_bits(milliseconds: int) -> tuple[int, ...]:
    """The 40 cells for a time: sync, 32 bits high first, and the sum of the eight nibbles modulo 16."""
    value = milliseconds & 0xFFFFFFFF
    check = sum(value >> shift & 15 for shift in range(0, 32, 4)) & 15
    return (
        *_SYNC,
        *(value >> shift & 1 for shift in range(31, -1, -1)),
        *(check >> shift & 1 for shift in range(3, -1, -1)),
    )


def read_bar(bits: tuple[int, ...]) -> int | None:
    """The time of 40 cells, or None where sync or check do not fit (a torn or blurred picture)."""
    value = int("".join(map(str, bits[4:36])), 2) if len(bits) == CELLS else 0
    return value if bits == bar_bits(value) else None


def glyph_rows(text: str, dot: int, ink: int, ground: int) -> list[bytes]:
    """Seven rows of luma for `text`, each dot `dot` pixels wide; a row is to be repeated `dot` times."""
    rows = []
    for row in range(7):
        dots = "".join(_GLYPHS[character].split()[row] + "0" for character in text)
        rows.append(b"".join(bytes((ink if one == "1" else ground,)) * dot for one in dots))
    return rows


class Picture:
    """Draws frames of one size.

    Args:
        stride: bytes from one luma row to the next (the encoder's alignment); chroma rows have `chroma_stride`.
    """

    def __init__(self, width: int, height: int, stride: int, chroma_stride: int) -> None:
        self.width, self.height = width, height
        self._stride, self._chroma_stride = stride, chroma_stride
        self.cell = width // CELLS
        self._dot = max(2, width // 100)
        generator = random.Random(7)
        # A soft texture: it compresses like cloth, moves like a camera pan, and costs one slice a frame.
        texture = bytes(min(200, max(50, 110 + row // 8 % 40 + generator.randrange(-14, 15))) for row in range(stride))
        rows = []
        for row in range(height):
            shift = row * 7 // 5 % stride
            rows.append(texture[shift:] + texture[:shift])
        self._backdrop = b"".join(rows) * 2
        self._chroma = [
            b"".join(bytes((base + row * 30 * 2 // height,)) * chroma_stride for row in range(height // 2))
            for base in (112, 118)
        ]

    def draw(self, index: int, now_seconds: float | None = None) -> tuple[bytes, bytes, bytes]:
        """Luma and both chroma planes of frame `index`, stamped with the time (the wall clock unless given)."""
        now = time.time() if now_seconds is None else now_seconds
        stride = self._stride
        start = index * 2 % stride + stride * (index % self.height)
        luma = bytearray(self._backdrop[start : start + stride * self.height])
        self._draw_ball(luma, index)
        self._draw_clock(luma, now)
        self._draw_bar(luma, round(now * 1_000))
        return bytes(luma), self._chroma[0], self._chroma[1]

    def _draw_ball(self, luma: bytearray, index: int) -> None:
        size = self.height // 6
        span_x, span_y = self.width - size, self.height - size - 2 * self.cell
        x = abs(index * 9 % (2 * span_x) - span_x)
        y = 2 * self.cell + abs(index * 5 % (2 * span_y) - span_y)
        row = bytes((210,)) * size
        for line in range(y, y + size):
            at = line * self._stride + x
            luma[at : at + size] = row

    def _draw_clock(self, luma: bytearray, now: float) -> None:
        text = time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1_000) % 1_000:03d}"
        rows = glyph_rows(text, self._dot, WHITE, BLACK)
        left = (self.width - len(rows[0])) // 2
        top = self.height // 2 - 7 * self._dot // 2
        for row, line in enumerate(rows):
            for repeat in range(self._dot):
                at = (top + row * self._dot + repeat) * self._stride + left
                luma[at : at + len(line)] = line

    def _draw_bar(self, luma: bytearray, milliseconds: int) -> None:
        line = b"".join(bytes((WHITE if bit else BLACK,)) * self.cell for bit in bar_bits(milliseconds))
        for row in range(self.cell):
            luma[row * self._stride : row * self._stride + len(line)] = line
