"""What the projection reads out of a ledger entry: the claims it changed, as they stood after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from livecommerce.records.structs import LineState


class ClaimChange(Struct, frozen=True):
    """A claim after a change. `quantity` pieces held or sold (of an ended one: at its end), `waiting` in line."""

    show: str
    viewer: str
    reservation: str
    sku: str
    number: int
    state: LineState
    quantity: int
    waiting: int
    unit_price_minor: int
    currency: str
    text: str
    deadline_ms: int
    at_ms: int


Decoder = Callable[[str, Mapping[bytes, bytes]], Sequence[ClaimChange]]
"""(stream id, entry fields) → changes in order. Must give the same changes every time for one entry."""
