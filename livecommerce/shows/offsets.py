"""Offsets of the event log: stream ids as Valkey writes them."""

from __future__ import annotations


def offset_key(offset: str) -> tuple[int, int]:
    """The order of offsets (stream ids `ms-sequence`).

    Raises:
        ValueError: it is none.
    """
    milliseconds, _, sequence = offset.partition("-")
    if len(offset) > 40:
        raise ValueError("offset too long")
    return int(milliseconds), int(sequence or 0)
