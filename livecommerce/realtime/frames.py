"""Bytes on the wire: Socket.IO packets in Engine.IO messages in WebSocket frames, built once for many viewers. Pure.

Default parser: a text frame `42["name",data]` (Engine.IO MESSAGE, Socket.IO EVENT). msgpack parser: a binary frame
holding `{"type": 2, "data": [name, data], "nsp": "/"}`. Server frames are unmasked and final (RFC 6455 section 5.2).
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgpack
import orjson

Serializer = Literal["json", "msgpack"]
SERIALIZERS: tuple[Serializer, ...] = ("json", "msgpack")

TEXT = 0x81
BINARY = 0x82
CLOSE = 0x88

PING_FRAME = b"\x81\x012"  # Engine.IO PING: the text "2"


def websocket_frame(first_byte: int, payload: bytes) -> bytes:
    """One final, unmasked WebSocket frame."""
    length = len(payload)
    if length < 126:
        return bytes((first_byte, length)) + payload
    if length < 65_536:
        return bytes((first_byte, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first_byte, 127)) + length.to_bytes(8, "big") + payload


def packed(value: Any) -> bytes:
    return cast("bytes", msgpack.packb(value, use_bin_type=True))


def jsoned(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def event_payload(serializer: Serializer, name: str, data: Any) -> bytes:
    """The Engine.IO message of a Socket.IO event (for `json` with its leading `4`)."""
    if serializer == "msgpack":
        return packed({"type": 2, "data": [name, data], "nsp": "/"})
    return b"42" + jsoned([name, data])


def event_frame(serializer: Serializer, name: str, data: Any) -> bytes:
    """A whole WebSocket frame of a Socket.IO event, ready for the transport."""
    return frame_of(serializer, event_payload(serializer, name, data))


def frame_of(serializer: Serializer, payload: bytes) -> bytes:
    return websocket_frame(BINARY if serializer == "msgpack" else TEXT, payload)


class OpenMap:
    """A map encoded once, to which one last key is added per viewer (`me` of a snapshot)."""

    __slots__ = ("_head", "_serializer")

    def __init__(self, serializer: Serializer, name: str, data: dict[str, Any], last_key: str) -> None:
        self._serializer = serializer
        if serializer == "json":
            body = jsoned(data)
            self._head = b"42[" + jsoned(name) + b"," + body[:-1] + (b"," if data else b"") + jsoned(last_key) + b":"
        else:
            inner = msgpack.Packer().pack_map_header(len(data) + 1)
            parts = [packed(key) + packed(value) for key, value in data.items()]
            head = b"\x83" + packed("type") + packed(2) + packed("nsp") + packed("/") + packed("data") + b"\x92"
            self._head = head + packed(name) + inner + b"".join(parts) + packed(last_key)

    def frame(self, value: Any) -> bytes:
        if self._serializer == "json":
            return frame_of("json", self._head + jsoned(value) + b"}]")
        return frame_of("msgpack", self._head + packed(value))


def payload_of(frame: bytes) -> str | bytes:
    """The Engine.IO message inside a server frame: text without its leading `4`, or the binary packet."""
    length = frame[1]
    start = 2 if length < 126 else 4 if length == 126 else 10
    return frame[start + 1 :].decode() if frame[0] == TEXT else frame[start:]
