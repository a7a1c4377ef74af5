"""What a page may say about the layer it wants: read, or refused with the field that is wrong."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.errors import BadInput
from livecommerce.media.wire.layer_wish import WISH_BYTES_MAX, LayerWish, check_wish, parse_wish


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        (b"{}", LayerWish()),
        (b'{"maxHeight": 0}', LayerWish(max_height=0)),
        (b'{"maxHeight": 360}', LayerWish(max_height=360)),
        (b'{"mediaId": "1", "encodingId": "m"}', LayerWish("1", "m")),
        (b'{"maxHeight": null}', LayerWish()),
    ],
)
def test_a_wish_is_read(body: bytes, wish: LayerWish) -> None:
    assert parse_wish(body) == wish


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff{}", "not JSON"),
        (b'{"maxHeight": 36', "not JSON"),
        (b"[" * 900, "expected form"),
        (b"[]", "expected form"),
        (b"7", "expected form"),
        (b'{"maxHeight": "360"}', "maxHeight"),
        (b'{"maxHeight": -1}', "maxHeight"),
        (b'{"maxHeight": 16385}', "maxHeight"),
        (b'{"maxHeight": 1.5}', "maxHeight"),
        (b'{"encodingId": "' + b"x" * 17 + b'"}', "encodingId"),
        (b'{"mediaId": "' + b"x" * 65 + b'"}', "mediaId"),
        (b'{"minHeight": 1}', "minHeight"),
        (b" " * (WISH_BYTES_MAX + 1), "1,000 bytes"),
    ],
)
def test_what_is_none_gets_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        parse_wish(body)


@given(st.binary(max_size=80))
def test_noise_is_a_wish_or_refused(noise: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(parse_wish(noise), LayerWish)


@pytest.mark.parametrize(
    ("wish", "mid", "names", "reason"),
    [
        (LayerWish(), "1", ["l", "h"], ""),
        (LayerWish("1", "l"), "1", ["l", "h"], ""),
        (LayerWish("2"), "1", ["l", "h"], "mediaId is 1"),
        (LayerWish("2"), "", [], "mediaId is not given"),
        (LayerWish("", "m"), "1", ["l", "h"], "layers are l, h"),
        (LayerWish("", "m"), "1", [], "one, without a name"),
    ],
)
def test_it_names_what_the_session_has(wish: LayerWish, mid: str, names: list[str], reason: str) -> None:
    if not reason:
        check_wish(wish, mid, names)
        return
    with pytest.raises(BadInput, match=reason):
        check_wish(wish, mid, names)
