"""The demo's picture fills its planes, moves, and tells the time."""

from __future__ import annotations

from livecommerce.media.synthetic.stage import Stage, yuv

WIDTH, HEIGHT, STRIDE = 540, 960, 544


def test_planes_have_the_encoders_sizes_and_the_picture_moves() -> None:
    stage = Stage(WIDTH, HEIGHT, STRIDE, STRIDE // 2)
    first, later = stage.draw(0, 1_000.0), stage.draw(1, 1_000.5)
    assert [len(plane) for plane in first] == [STRIDE * HEIGHT, STRIDE * HEIGHT // 4, STRIDE * HEIGHT // 4]
    assert first[0] != later[0]
    assert first == stage.draw(7, 1_000.0), "the picture follows the clock, not the frame number"


def test_colours_stay_in_the_limited_range() -> None:
    assert yuv((0, 0, 0)) == (16, 128, 128)
    assert yuv((255, 255, 255)) == (235, 128, 128)
