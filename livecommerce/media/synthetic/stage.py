"""The demo's picture: a host at a night-market stall, upright as a phone films, with a clock on the sign above.

Drawn once into rows of bytes at the start; a frame is a copy of the background with a few hundred slices pasted in.
"""

from __future__ import annotations

import math
import time

from livecommerce.media.synthetic.picture import BLACK, WHITE, glyph_rows

Colour = tuple[int, int, int]
Span = tuple[int, int, bytes]  # row, left edge, the row's bytes

STALL_TOP, STALL_MIDDLE, STALL_BOTTOM = (0x6A, 0x5A, 0x4C), (0x3A, 0x2F, 0x29), (0x17, 0x12, 0x0F)
COAT_TOP, COAT_MIDDLE, COAT_BOTTOM = (0xC9, 0x8F, 0x6D), (0xA8, 0x54, 0x3F), (0x7D, 0x3A, 0x2E)
SKIN, HAIR, LANTERN = (0xD9, 0xA5, 0x83), (0x2E, 0x22, 0x1E), (0xF0, 0xA4, 0x3A)
LANTERNS = 5
SWAY_SECONDS, NOD_SECONDS = 5.0, 2.6


def yuv(colour: Colour) -> Colour:
    """RGB to limited-range BT.601, as the encoder's default has it."""
    red, green, blue = colour
    return (
        round(16 + 0.257 * red + 0.504 * green + 0.098 * blue),
        round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
        round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
    )


def blend(first: Colour, second: Colour, share: float) -> Colour:
    share = min(1.0, max(0.0, share))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


class Layer:
    """A shape with one colour a row: spans of luma at full size and of both chroma planes at half size."""

    def __init__(self) -> None:
        self.luma: list[Span] = []
        self.chroma: tuple[list[Span], list[Span]] = ([], [])

    def add(self, row: int, left: int, width: int, colour: Colour) -> None:
        if width <= 0 or row < 0:
            return
        shades = yuv(colour)
        self.luma.append((row, left, bytes((shades[0],)) * width))
        if row % 2 == 0:
            for plane, shade in zip(self.chroma, shades[1:], strict=True):
                plane.append((row // 2, left // 2, bytes((shade,)) * max(1, width // 2)))


def paste(target: bytearray, stride: int, height: int, spans: list[Span], dx: int, dy: int) -> None:
    for row, left, data in spans:
        line = row + dy
        if 0 <= line < height and left + dx >= 0 and left + dx + len(data) <= stride:
            at = line * stride + left + dx
            target[at : at + len(data)] = data


class Stage:
    """Draws frames of one size; same door as `picture.Picture`."""

    def __init__(self, width: int, height: int, stride: int, chroma_stride: int) -> None:
        self.width, self.height = width, height
        self._stride, self._chroma_stride = stride, chroma_stride
        self._background = self._draw_background()
        self._body, self._head = self._draw_body(), self._draw_head()
        self._lantern = self._disc(width // 30, LANTERN)
        self._dot = max(2, width // 130)

    def _draw_background(self) -> tuple[bytes, bytes, bytes]:
        """A warm lamp high on the right, dark towards the floor. Every fourth pixel is computed: no step is seen."""
        planes = (bytearray(), bytearray(), bytearray())
        for row in range(0, self.height, 2):
            shades = []
            for column in range(0, self._stride, 4):
                across, down = (column / self.width - 0.62) / 1.2, (row / self.height - 0.18) / 0.85
                distance = math.hypot(across, down)
                near = blend(STALL_TOP, STALL_MIDDLE, distance / 0.55)
                shades.append(yuv(blend(near, STALL_BOTTOM, (distance - 0.45) / 0.55)))
            luma = b"".join(bytes((shade[0],)) * 4 for shade in shades)[: self._stride]
            planes[0].extend(luma + luma)
            for plane, part in zip(planes[1:], (1, 2), strict=True):
                plane.extend(b"".join(bytes((shade[part],)) * 2 for shade in shades)[: self._chroma_stride])
        return bytes(planes[0]), bytes(planes[1]), bytes(planes[2])

    def _draw_body(self) -> Layer:
        """Shoulders as a half ellipse, then straight down to the table."""
        layer = Layer()
        top, shoulder, half = self.height * 42 // 100, self.height * 16 // 100, self.width * 31 // 100
        for row in range(top, self.height):
            reach = min(1.0, (row - top) / shoulder)
            wide = round(half * math.sqrt(1 - (1 - reach) ** 2))
            share = (row - top) / (self.height - top)
            colour = blend(blend(COAT_TOP, COAT_MIDDLE, share / 0.45), COAT_BOTTOM, (share - 0.45) / 0.55)
            layer.add(row, self.width // 2 - wide, 2 * wide, colour)
        return layer

    def _draw_head(self) -> Layer:
        layer = Layer()
        centre, tall, half = self.height * 36 // 100, self.height * 9 // 100, self.width * 13 // 100
        for row in range(centre - tall - 12, centre + tall):
            off = (row - centre) / tall
            if off > -0.35:
                layer.add(row, self.width // 2 - 2, 4, SKIN)
                wide = round(half * math.sqrt(max(0.0, 1 - off * off)))
                layer.add(row, self.width // 2 - wide, 2 * wide, SKIN)
            else:  # hair sits a little wider than the head
                rise = (row - centre) / (tall + 12)
                wide = round(half * 1.12 * math.sqrt(max(0.0, 1 - rise * rise)))
                layer.add(row, self.width // 2 - wide, 2 * wide, HAIR)
        return layer

    @staticmethod
    def _disc(radius: int, colour: Colour) -> Layer:
        layer = Layer()
        for row in range(2 * radius):
            off = (row - radius + 0.5) / radius
            wide = round(radius * math.sqrt(max(0.0, 1 - off * off)))
            layer.add(row, radius - wide, 2 * wide, colour)
        return layer

    def draw(self, index: int, now_seconds: float | None = None) -> tuple[bytes, bytes, bytes]:
        """Luma and both chroma planes of the frame at `now_seconds` (the wall clock unless given)."""
        now = time.time() if now_seconds is None else now_seconds
        planes = [bytearray(plane) for plane in self._background]
        self._hang_lanterns(planes, now)
        sway = round(self.width * 0.025 * math.sin(now * 2 * math.pi / SWAY_SECONDS) / 2) * 2
        nod = round(self.height * 0.006 * math.sin(now * 2 * math.pi / NOD_SECONDS) / 2) * 2
        self._paste(planes, self._body, sway, 0)
        self._paste(planes, self._head, sway * 3 // 4 * 2, nod)
        self._write_clock(planes[0], now)
        return bytes(planes[0]), bytes(planes[1]), bytes(planes[2])

    def _paste(self, planes: list[bytearray], layer: Layer, dx: int, dy: int) -> None:
        paste(planes[0], self._stride, self.height, layer.luma, dx, dy)
        for plane, spans in zip(planes[1:], layer.chroma, strict=True):
            paste(plane, self._chroma_stride, self.height // 2, spans, dx // 2, dy // 2)

    def _hang_lanterns(self, planes: list[bytearray], now: float) -> None:
        for number in range(LANTERNS):
            along = (number + 0.5) / LANTERNS
            swing = round(3 * math.sin(now * 1.3 + number * 1.7)) * 2
            drop = round(self.height * (0.10 + 0.05 * math.sin(math.pi * along))) // 2 * 2
            self._paste(planes, self._lantern, round(self.width * along) // 2 * 2 - self.width // 30 + swing, drop)

    def _write_clock(self, luma: bytearray, now: float) -> None:
        text = time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 10) % 10}"
        rows = glyph_rows(text, self._dot, WHITE, BLACK)
        left = (self.width - len(rows[0])) // 2
        top = self.height * 21 // 100
        for row, line in enumerate(rows):
            for repeat in range(self._dot):
                at = (top + row * self._dot + repeat) * self._stride + left
                luma[at : at + len(line)] = line
