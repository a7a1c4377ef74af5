"""Tries the fast path at start-up on a loopback socket: both parsers, a prebuilt frame, an ack, the goodbye.

Anything else than the expected bytes and the stock path runs instead; a metric and a log line say so.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgpack
import orjson
import structlog
from aiohttp import web

from livecommerce.errors import in_words
from livecommerce.realtime import close_codes
from livecommerce.realtime.frames import Serializer, event_frame, packed
from livecommerce.realtime.private_names import LeanServer, make_server

log = structlog.get_logger(__name__)

SECONDS_MAX = 5.0


async def fast_path_works() -> bool:
    """True when a client of each parser is served as expected; never raises."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await _try_all()
    except Exception as error:
        why = in_words(error)[:300]
        log.error("the fast broadcast path does not work with these versions, using stock emit", why=why)
        return False
    return True


async def _try_all() -> None:
    server = make_server(fast=True, message_bytes_max=65_536, origins=None)
    assert isinstance(server, LeanServer)
    joined: list[str] = []

    async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        joined.append(server.manager.eio_sid_from_sid(sid, "/"))

    async def echo(sid: str, data: Any) -> dict[str, Any]:
        return {"echo": data}

    server.on("connect", connect)
    server.on("echo", echo)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            for serializer in ("json", "msgpack"):
                await _try_one(session, port, server, serializer, joined)
    finally:
        await server.shutdown()
        await runner.cleanup()


async def _try_one(
    session: aiohttp.ClientSession, port: int, server: LeanServer, serializer: Serializer, joined: list[str]
) -> None:
    url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with session.ws_connect(url, compress=15) as client:
        opened = await client.receive_str()
        _expect(opened[0] == "0" and '"sid"' in opened, "open packet")
        await _say(client, serializer, {"type": 0, "data": None, "nsp": "/"}, "40")
        _expect((await _hear(client, serializer))["type"] == 0, "connect packet")
        await _say(client, serializer, {"type": 2, "data": ["echo", 7], "nsp": "/", "id": 3}, '423["echo",7]')
        answer = await _hear(client, serializer)
        _expect(answer == {"type": 3, "data": [{"echo": 7}], "id": 3}, "ack")
        socket = server.socket(joined[-1])
        _expect(socket is not None and socket.transport is not None, "transport")
        if socket is None:
            return
        socket.joined = True
        socket.write(event_frame(serializer, "frame", {"字": 1}))
        heard = await _hear(client, serializer)
        _expect(heard == {"type": 2, "data": ["frame", {"字": 1}]}, "prebuilt frame")
        socket.goodbye(close_codes.MOVING)
        _expect((await _hear(client, serializer))["data"][0] == "bye", "bye")
        ended = await client.receive()
        _expect(ended.type is aiohttp.WSMsgType.CLOSE and ended.data == close_codes.MOVING.number, "close code")


async def _say(client: aiohttp.ClientWebSocketResponse, serializer: Serializer, packet: Any, text: str) -> None:
    if serializer == "msgpack":
        await client.send_bytes(packed(packet))
    else:
        await client.send_str(text)


async def _hear(client: aiohttp.ClientWebSocketResponse, serializer: Serializer) -> dict[str, Any]:
    """The next Socket.IO packet as {type, data[, id]}."""
    if serializer == "msgpack":
        packet: dict[str, Any] = msgpack.unpackb(await client.receive_bytes())
        packet.pop("nsp")
        return packet
    text = await client.receive_str()
    digits = text[2:].split("[")[0].split("{")[0]
    packet = {"type": int(text[1]), "data": orjson.loads(text[2 + len(digits) :])}
    return {**packet, "id": int(digits)} if digits else packet


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise RuntimeError(f"unexpected {what}")
