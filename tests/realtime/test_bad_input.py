"""What clients may not send: each gets a number, a reason, and nobody else notices."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from typing import Any

import aiohttp
import pytest

from livecommerce.realtime import limits
from livecommerce.realtime.broadcast import CLOSE_BYTES
from tests.realtime.world import SHOP, World, new_id

LONG = "a" * 201


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "bad_input"),
        ({}, "bad_input"),
        ({"show": 7}, "bad_input"),
        ({"show": "UPPER"}, "bad_input"),
        ({"show": "../etc"}, "bad_input"),
        ({"show": "no-such-show"}, "show_unknown"),
        ({"show": "demo", "as": "king"}, "bad_input"),
        ({"show": "demo", "as": "staff"}, "login_needed"),
        ({"show": "demo", "as": ["staff"]}, "bad_input"),
    ],
)
async def test_handshakes_that_are_refused(fast_world: World, auth: Any, code: str) -> None:
    for serializer in ("json", "msgpack"):
        client = await refused(fast_world, auth, serializer)
        assert client["data"]["code"] == code
        assert client["data"]["number"] > 0
        assert client["message"]


async def refused(world: World, auth: Any, serializer: str, cookies: dict[str, str] | None = None) -> Any:
    from tests.realtime.world import Client

    client = Client(world, serializer, {"lc_viewer": "anna"} if cookies is None else cookies, "192.0.2.1")
    world.clients.append(client)
    await client.open()
    await client.send_packet({"type": 0, "data": auth})
    return await client.until(lambda: client.refused)


async def test_no_viewer_cookie_and_staff_of_another_shop_are_refused(fast_world: World) -> None:
    assert (await refused(fast_world, {"show": "demo"}, "json", {}))["data"]["code"] == "cookie_needed"
    other = await refused(fast_world, {"show": "demo", "as": "staff"}, "json", {"lc_staff": "other.owner"})
    assert other["data"]["code"] == "show_of_another_shop"
    assert SHOP != "other"


COMMENTS = [
    (None, "bad_input"),
    ("text", "bad_input"),
    ([], "bad_input"),
    ({}, "bad_input"),
    ({"id": "short", "text": "hi"}, "bad_input"),
    ({"id": "x" * 65, "text": "hi"}, "bad_input"),
    ({"id": ["a-list-as-id"], "text": "hi"}, "bad_input"),
    ({"id": "comment-00", "text": 7}, "comment_not_text"),
    ({"id": "comment-00", "text": ""}, "comment_not_text"),
    ({"id": "comment-00", "text": "   \n "}, "comment_not_text"),
    ({"id": "comment-00", "text": "bell\x07"}, "comment_not_text"),
    ({"id": "comment-00", "text": "nul\x00"}, "comment_not_text"),
    ({"id": "comment-00", "text": LONG}, "comment_too_long"),
    ({"id": "comment-00", "text": LONG * 50}, "comment_too_long"),
    ({"id": "comment-00", "text": "hi", "pin": 7}, "bad_input"),
    ({"id": "comment-00", "text": "hi", "pin": "p" * 21}, "bad_input"),
    ({"id": "comment-00", "text": "hi", "options": ["紅色"]}, "bad_input"),
    ({"id": "comment-00", "text": "hi", "options": {"顏色": 7}}, "bad_input"),
]


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_comments_that_are_refused_leave_no_trace(fast_world: World, serializer: str) -> None:
    anna = await fast_world.connect("anna", serializer=serializer)
    before = await fast_world.redis.xlen("lc:{shop}:show:demo:log")
    for payload, code in COMMENTS:
        answer = await anna.call("comment", payload)
        assert (answer["ok"], answer["error"]["code"]) == (False, code), payload
        assert answer["error"]["number"] > 0
    assert await fast_world.redis.xlen("lc:{shop}:show:demo:log") == before
    assert (await anna.comment("still here"))["ok"]


EVENTS = [
    ("claim", {"id": "claim-000"}, "bad_input"),
    ("claim", {"id": "claim-000", "code": "A01", "quantity": 0}, "bad_input"),
    ("claim", {"id": "claim-000", "code": "A01", "quantity": 100}, "bad_input"),
    ("claim", {"id": "claim-000", "code": "A01", "quantity": True}, "bad_input"),
    ("claim", {"id": "claim-000", "code": "A01", "quantity": 1.5}, "bad_input"),
    ("cancel", {"id": "cancel-00", "reservation": "A01#999"}, "reservation_unknown"),
    ("cancel", {"id": "cancel-00", "reservation": 7}, "bad_input"),
    ("name", {"name": ""}, "name_refused"),
    ("name", {"name": "a" * 21}, "name_refused"),
    ("name", {"name": "zero\u200bwidth"}, "name_refused"),
    ("name", {"name": None}, "name_refused"),
    ("command", {"id": "command-1", "do": "start"}, "not_allowed"),
    ("command", {"id": "command-1", "do": ["ask"]}, "command_unknown"),
    ("command", {"id": "command-1", "do": {"ask": 1}}, "command_unknown"),
    ("ask", {"what": "audit"}, "not_allowed"),
    ("no-such-event", {}, "event_unknown"),
    ("__class__", {}, "event_unknown"),
]


async def test_every_event_is_answered_with_a_number(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    host = await fast_world.connect(staff="host")
    await host.go_live()
    await anna.event("stage", stage="live")
    for event, payload, code in EVENTS:
        answer = await anna.call(event, payload)
        assert (answer["ok"], answer["error"]["code"]) == (False, code), event
    for payload in (None, 7, "x", [], [1, 2], {}):
        assert (await anna.call("resume", payload))["ok"] in (True, False)
    assert (await anna.comment("hello"))["ok"]


async def test_one_cookie_has_one_rate_on_all_its_sockets(fast_world: World) -> None:
    """Sixty cookies with three sockets each, eighteen names a second: honest comments waited five seconds."""
    sockets = [await fast_world.connect("anna") for _ in range(3)]
    before = await fast_world.redis.xlen("lc:{shop}:show:demo:log")
    codes: Counter[str] = Counter()
    for number in range(12):
        answer = await sockets[number % 3].call("name", {"name": f"name {number}"})
        codes[answer.get("error", {}).get("code", "ok")] += 1
    assert codes == {"ok": limits.NAMES_BURST, "too_much": 12 - limits.NAMES_BURST}
    assert await fast_world.redis.xlen("lc:{shop}:show:demo:log") <= before + limits.NAMES_BURST
    for number in range(30):
        answer = await sockets[number % 3].call("tickets", {})
        codes[answer.get("error", {}).get("code", "tickets")] += 1
    assert 20 <= codes["tickets"] < 30
    assert (await sockets[0].comment("still here"))["ok"]
    ben = await fast_world.connect("ben")
    assert (await ben.call("name", {"name": "Ben"}))["ok"], "nobody else is told to wait"


COMMANDS = [
    (None, "bad_input"),
    ({"id": "command-1"}, "command_unknown"),
    ({"id": "command-1", "do": "explode"}, "command_unknown"),
    ({"id": "command-1", "do": ["pin"]}, "command_unknown"),
    ({"do": "pin", "code": "A01"}, "bad_input"),
    ({"id": "command-1", "do": "pin", "code": "NO"}, "item_unknown"),
    ({"id": "command-1", "do": "pin", "code": 7}, "bad_input"),
    ({"id": "command-1", "do": "restock", "sku": "A01", "quantity": -1}, "bad_input"),
    ({"id": "command-1", "do": "restock", "sku": "A01/XL", "quantity": 1}, "item_unknown"),
    ({"id": "command-1", "do": "adjust", "sku": "A01", "quantity": -50}, "adjust_too_low"),
    ({"id": "command-1", "do": "price", "code": "A01", "price_minor": -1}, "bad_input"),
    ({"id": "command-1", "do": "mute", "viewer": "anna", "seconds": 0}, "bad_input"),
    ({"id": "command-1", "do": "cancel", "reservation": "A01#77"}, "reservation_unknown"),
    ({"id": "command-1", "do": "dismiss", "comment": "no-such-line"}, "not_found"),
    ({"id": "command-1", "do": "undo", "command": "no-such-command"}, "not_found"),
    ({"id": "command-1", "do": "add_item", "item": {"code": "a/b", "names": ["x"], "price_minor": 1}}, "code_refused"),
    ({"id": "command-1", "do": "add_item", "item": {"code": "Z1", "names": [], "price_minor": 1}}, "product_refused"),
    ({"id": "command-1", "do": "words", "add": [""]}, "bad_input"),
]


async def test_commands_that_are_refused_change_nothing(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    before = await fast_world.store.load("demo")
    for number, (raw, code) in enumerate(COMMANDS):
        payload = {**raw, "id": f"command-{number}"} if raw and "id" in raw else raw
        answer = await host.call("command", payload)
        assert (answer["ok"], answer["error"]["code"]) == (False, code), payload
    after = await fast_world.store.load("demo")
    assert after["offset"] == before["offset"]


async def test_a_moderator_may_not_do_what_is_the_hosts(fast_world: World) -> None:
    moderator = await fast_world.connect(staff="moderator")
    for do, fields in (
        ("start", {}),
        ("end", {}),
        ("price", {"code": "A01", "price_minor": 1}),
        ("restock", {"sku": "A01", "quantity": 1}),
        ("adjust", {"sku": "A01", "quantity": 1}),
        ("add_item", {"item": {}}),
        ("remove_item", {"code": "A01"}),
    ):
        answer = await moderator.command(do, **fields)
        assert answer["error"]["code"] == "role_too_low_for_command", do
    assert (await moderator.command("pin", code="A01"))["ok"]


PACKETS = [
    b"\xc1",  # a byte that msgpack never uses
    b"\x80",  # an empty map: no type
    b"\x93\x01\x02\x03",  # an array
    b"\x81\xa4type\xa1x",
    b"\x83\xa4type\x02\xa4data\xc0\xa3nsp\xa1/",  # an event without data
    b"\x83\xa4type\x02\xa4data\x91\x07\xa3nsp\xa1/",  # an event named 7
    b"\x83\xa4type\x05\xa4data\x90\xa3nsp\xa1/",  # a binary event
    b"\x83\xa4type\xcb\x40\x00\x00\x00\x00\x00\x00\x00\xa4data\x91\xa1x\xa3nsp\xa1/",  # type 2.0
    b"\x82\xa4type\x00\xa3nsp\xa6/admin",  # another namespace
    "42",
    "42{}",
    "42[]",
    "42[7]",
    "42[",
    "451-[\"x\",{\"_placeholder\":true,\"num\":0}]",
    "40/admin,",
    "40",  # connecting twice
    "4",
    "49",
    '42["connect",{"show":"demo","as":"staff"}]',
    '42["disconnect","x"]',
    "44[\"x\"]",
    "5",
    "6",
    "2probe",
    "9",
    "",
    "4" + "2" * 300 + "[\"x\"]",
    "42" + "[" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("packet", PACKETS, ids=lambda packet: repr(packet[:20]))
async def test_a_malformed_packet_closes_its_socket_and_no_other(fast_world: World, packet: str | bytes) -> None:
    ben = await fast_world.connect("ben")
    anna = await fast_world.connect("anna", serializer="msgpack" if isinstance(packet, bytes) else "json")
    if isinstance(packet, bytes):
        await anna.websocket.send_bytes(packet)
    else:
        await anna.websocket.send_str(packet)
    assert await anna.until(lambda: anna.closed) == 4006
    assert anna.all("bye")[0]["code"] == "bad_packet"
    assert (await ben.comment("unharmed"))["ok"]
    assert fast_world.gateway.channels.get("demo").socket_count() == 1


async def test_acks_that_nobody_asked_for_are_nothing(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    await anna.send_packet({"type": 3, "id": 5, "data": [1]})
    assert (await anna.comment("still here"))["ok"]


async def test_events_before_the_connect_packet_close_the_socket(fast_world: World) -> None:
    from tests.realtime.world import Client

    client = Client(fast_world, "json", {"lc_viewer": "anna"}, "192.0.2.1")
    fast_world.clients.append(client)
    await client.open()
    await client.websocket.send_str('420["comment",{}]')
    assert await client.until(lambda: client.closed) == 4006


async def test_a_message_too_large_closes_the_socket(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    await anna.websocket.send_bytes(b"x" * (limits.MESSAGE_BYTES_MAX + 1))
    assert await anna.until(lambda: anna.closed) == 1009


async def test_a_flood_of_messages_ends_the_socket_with_too_fast(fast_world: World) -> None:
    ben = await fast_world.connect("ben")
    anna = await fast_world.connect("anna", serializer="json")
    for number in range(limits.MESSAGES_BURST + limits.STRIKES_MAX + 40):
        await anna.websocket.send_str(f'42{number}["tickets",{{}}]')
        anna._acks[number] = __import__("asyncio").get_running_loop().create_future()
    assert await anna.until(lambda: anna.closed) == 4005
    assert anna.all("bye")[0]["code"] == "too_fast"
    assert (await ben.comment("unharmed"))["ok"]


async def test_too_many_comments_are_told_when_to_come_back(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    answers = [await anna.comment(f"hello {number}") for number in range(12)]
    refused = [answer["error"] for answer in answers if not answer["ok"]]
    assert len(refused) >= 3
    assert all(error["code"] == "too_much" and error["retry_after_ms"] > 0 for error in refused)


async def test_long_polling_and_old_protocols_are_refused(fast_world: World) -> None:
    async with aiohttp.ClientSession() as session:
        for query in (
            "EIO=4&transport=polling",
            "EIO=3&transport=websocket",
            "EIO=4&transport=websocket&sid=forged",
            "",
        ):
            async with session.get(f"{fast_world.url}/socket.io/?{query}") as answer:
                assert answer.status in (400, 503), query


async def test_a_page_of_another_origin_is_refused(fast_world: World) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await fast_world.session.ws_connect(
            f"{fast_world.url}/socket.io/?EIO=4&transport=websocket", headers={"Origin": "https://evil.example"}
        )


async def test_half_open_sockets_are_closed_in_time_and_bounded(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecommerce.realtime.private_names.VISIT_SECONDS", 0.1)
    monkeypatch.setattr(limits, "UNJOINED_MAX", 50)
    url = f"{fast_world.url}/socket.io/?EIO=4&transport=websocket"
    opened = [await fast_world.session.ws_connect(url) for _ in range(50)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await fast_world.session.ws_connect(url)
    assert refusal.value.status == 503
    monkeypatch.setattr("livecommerce.realtime.private_names.JOIN_SECONDS", 0.2)
    for websocket in opened:
        await websocket.receive()  # the open packet
        closing = await websocket.receive()
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 4007)
    anna = await fast_world.connect("anna")
    assert (await anna.call("comment", {"id": new_id(), "text": "room again"}))["ok"]


async def test_thousands_of_half_open_sockets_leave_those_who_are_in_unharmed(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livecommerce.realtime.private_names.JOIN_SECONDS", 2.0)
    monkeypatch.setattr("livecommerce.realtime.private_names.GOODBYE_SECONDS", 0.5)
    monkeypatch.setattr("livecommerce.realtime.private_names.VISIT_SECONDS", 0.5)
    monkeypatch.setattr(limits, "UNJOINED_MAX", 1_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ben = await fast_world.connect("ben")
    host, port = fast_world.url.removeprefix("http://").split(":")
    handshake = (
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: demo\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    told: Counter[bytes] = Counter()
    writers: list[asyncio.StreamWriter] = []

    async def half_open(sends: bytes) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        writers.append(writer)
        writer.write(sends)
        if sends == handshake:
            told[(await reader.readline())[9:12]] += 1

    for sends, count in ((b"", 500), (handshake[:60], 500), (handshake, limits.UNJOINED_MAX + 100)):
        for start in range(0, count, 200):
            await asyncio.gather(*(half_open(sends) for _ in range(min(200, count - start))))
        assert (await ben.comment(f"unharmed by {count}"))["ok"]
    assert told[b"101"] >= limits.UNJOINED_MAX
    assert told[b"101"] + told[b"503"] == limits.UNJOINED_MAX + 100
    gateway = fast_world.gateway
    async with asyncio.timeout(30):
        while len(gateway.sockets) > 1:  # those who never joined are let go
            await asyncio.sleep(0.1)
    anna = await fast_world.connect("anna")
    assert (await anna.comment("room again"))["ok"]
    for writer in writers:
        writer.close()


async def test_who_asks_and_never_reads_the_answers_is_closed(fast_world: World) -> None:
    anna = await fast_world.connect("anna", serializer="json")
    ben = await fast_world.connect("ben")
    gateway = fast_world.gateway
    channel = gateway.channels.get("demo")
    for number in range(60):  # a snapshot of some size
        line = {"t": "chat", "id": f"line-{number:04}", "viewer": "x", "name": "x", "text": "很長" * 400, "at": 1}
        channel.mirror.state["chat"].append({**line, "kind": "viewer"})
    channel._snapshots.clear()
    viewer = next(iter(channel.by_viewer["anna"]))
    transport = anna.websocket._response.connection.transport
    anna._task.cancel()
    transport.pause_reading()
    most, asked = 0, 0
    while viewer.transport is not None:
        await anna.websocket.send_str('42["resume",{"epoch":"another","offset":"0-0"}]')
        asked += 1
        await asyncio.sleep(0.06)  # as many as the rate of messages allows
        most = max(most, viewer.door.buffered() if viewer.door else 0)
        assert asked < 200, "never closed"
    assert most < 2 * CLOSE_BYTES
    assert (await ben.comment("unharmed"))["ok"]
    transport.abort()
    fast_world.clients.remove(anna)


async def test_a_full_process_refuses_with_a_time_to_come_back(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await fast_world.connect("anna")
    monkeypatch.setattr(fast_world.gateway, "_viewers_max", 1)
    ben = await fast_world.connect("ben")
    assert ben.refused["data"]["code"] == "too_much"
    assert ben.refused["data"]["retry_after_ms"] > 0
    assert (await anna.comment("unharmed"))["ok"]


async def test_a_socket_that_gives_no_sign_of_life_is_closed(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("PING_SECONDS", 0.4), ("PONG_SECONDS", 0.4), ("VISIT_SECONDS", 0.2)):
        monkeypatch.setattr(f"livecommerce.realtime.private_names.{name}", seconds)
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    silent = anna.websocket
    monkeypatch.setattr(silent, "send_str", lambda text: asyncio.sleep(0))  # no pong
    assert await anna.until(lambda: anna.closed) == 4008
    assert anna.all("bye")[0]["reconnect"] is True
    assert ben.closed is None


async def test_everyone_is_told_when_a_process_moves_away(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    await fast_world.gateway.close()
    assert await anna.until(lambda: anna.closed) == 4002
    assert (anna.all("bye")[0]["code"], anna.all("bye")[0]["reconnect"]) == ("moving", True)


async def test_a_viewer_keeps_six_sockets_and_the_oldest_goes(fast_world: World) -> None:
    sockets = [await fast_world.connect("anna") for _ in range(7)]
    assert await sockets[0].until(lambda: sockets[0].closed) == 4004
    assert sockets[0].all("bye")[0] == {
        "number": 4004, "code": "elsewhere", "reason": "The show is open in too many windows. This one was closed.",
        "reconnect": False,
    }  # fmt: skip
    assert all(socket.closed is None for socket in sockets[1:])
