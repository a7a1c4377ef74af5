"""How values of a show are stored: msgpack, text in UTF-8."""

from __future__ import annotations

from typing import Any

import msgpack


def pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def pack_for_lua(value: Any) -> bytes:
    """As Lua's cmsgpack reads it: it knows no `bin` type, so bytes go as raw strings."""
    packed: bytes = msgpack.packb(value, use_bin_type=False)
    return packed


def unpack(blob: bytes) -> Any:
    return msgpack.unpackb(blob, raw=False, strict_map_key=False)


def decoded(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
