"""Bytes on the wire against the libraries' own encoders."""

from __future__ import annotations

import msgpack
import orjson
import pytest
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import Packet

from livecommerce.realtime.frames import OpenMap, event_frame, event_payload, payload_of, websocket_frame

DATA = {"ev": [{"t": "chat", "text": "針織外套 🧥", "n": 2**40}], "n": None, "ok": True, "f": 1.5}


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_headers_at_every_boundary(length: int) -> None:
    frame = websocket_frame(0x82, b"x" * length)
    head = 2 if length < 126 else 4 if length < 65_536 else 10
    assert len(frame) == head + length
    assert payload_of(frame) == b"x" * length


def test_payloads_mean_what_python_socketio_means() -> None:
    theirs = Packet(encoded_packet=event_payload("json", "frame", DATA)[1:].decode())
    assert (theirs.packet_type, theirs.data) == (2, ["frame", DATA])
    theirs = MsgPackPacket(encoded_packet=event_payload("msgpack", "frame", DATA))
    assert (theirs.packet_type, theirs.data, theirs.namespace) == (2, ["frame", DATA], "/")


@pytest.mark.parametrize("data", [{}, {"a": 1}, {"items": list(range(300)), "名": "字"}])
def test_an_open_map_closes_as_if_it_had_been_one(data: dict[str, object]) -> None:
    me = {"by": "abc", "tickets": [1, 2]}
    text = payload_of(OpenMap("json", "snapshot", data, "me").frame(me))
    assert orjson.loads(str(text)[1:]) == ["snapshot", {**data, "me": me}]
    packet = msgpack.unpackb(payload_of(OpenMap("msgpack", "snapshot", data, "me").frame(me)))
    assert packet == {"type": 2, "nsp": "/", "data": ["snapshot", {**data, "me": me}]}


def test_text_and_binary_frames_are_told_apart() -> None:
    assert event_frame("json", "x", 1)[0] == 0x81
    assert event_frame("msgpack", "x", 1)[0] == 0x82
    assert payload_of(event_frame("json", "x", 1)) == '2["x",1]'
