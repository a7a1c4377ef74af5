"""Ids of Valkey's streams as values: positions in the ledger, offsets in the log of a show."""

from __future__ import annotations

import re

from livecommerce.bounds import STREAM_ID_PART_MAX

_STREAM_ID = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")


def stream_key(stream_id: str) -> tuple[int, int]:
    """The order of ids: `"1732300000000-3"` → (1732300000000, 3). Without its second half an id is the first of its
    millisecond, as for Valkey.

    Raises:
        ValueError: it is none.
    """
    found = _STREAM_ID.fullmatch(stream_id)
    if found is None:
        raise ValueError(f"{stream_id[:41]!r} is no id of a stream")
    key = int(found[1]), int(found[2] or 0)
    if max(key) > STREAM_ID_PART_MAX:
        raise ValueError(f"{stream_id!r} is larger than ids of a stream are")
    return key
