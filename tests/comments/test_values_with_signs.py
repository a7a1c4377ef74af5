"""Sizes that look like dates and sums are read as sizes where they are sold, and as before where they are not."""

from __future__ import annotations

import pytest

from livecommerce.comments import Axis, CatalogueIndex, ItemWords, parse

TROUSERS = ItemWords("A01", ("褲子",), (Axis("尺寸", (("36/38", ()), ("40/42", ()))),))
CLOTH = ItemWords("B02", ("布",), (Axis("長度", (("1,5 m", ()), ("2,5 m", ()))),))
INDEX = CatalogueIndex.build([TROUSERS, CLOTH])
OTHER = CatalogueIndex.build([ItemWords("A01", ("外套",), ())])


@pytest.mark.parametrize(
    ("text", "code", "options", "quantity"),
    [
        ("A01 36/38 +1", "A01", ("36/38",), 1),
        ("A01 40/42+2", "A01", ("40/42",), 2),
        ("36/38+1", "A01", ("36/38",), 1),
        ("B02 1,5 m +1", "B02", ("1,5 m",), 1),
        ("B02 2,5 M +3", "B02", ("2,5 m",), 3),
    ],
)
def test_a_typed_size_is_found(text: str, code: str, options: tuple[str, ...], quantity: int) -> None:
    verdict = parse(text, INDEX, ("zh-TW", "en"), "A01")
    (intent,) = verdict.intents
    assert (intent.code, intent.options, intent.qty) == (code, options, quantity)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["2026/36/38", "A01 36/39 +1", "36/381 +1", "136/38 +1"])
def test_what_only_resembles_a_size_orders_nothing(text: str) -> None:
    assert parse(text, INDEX, ("zh-TW", "en"), "A01").intents == ()


def test_where_it_is_no_size_it_is_read_as_before() -> None:
    assert parse("36/38+1", OTHER, ("zh-TW", "en"), "A01").intents == ()
