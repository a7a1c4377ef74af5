"""The hot connection: commands as bytes, answers in order, and an end that everybody hears of."""

from __future__ import annotations

from typing import Any

import hiredis
import pytest
from redis.asyncio import Redis

from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.stock.connection import Address, Connection, ConnectionLost, address_of, connect, encode

COMMANDS: dict[str, tuple[tuple[bytes | str | int, ...], bytes]] = {
    "words": (("PING",), b"*1\r\n$4\r\nPING\r\n"),
    "numbers and bytes": (("SET", b"\x00\r\n", 12), b"*3\r\n$3\r\nSET\r\n$3\r\n\x00\r\n\r\n$2\r\n12\r\n"),
    "other letters": (("GET", "紅"), b"*2\r\n$3\r\nGET\r\n$3\r\n\xe7\xb4\x85\r\n"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_is_told_by_lengths(what: str) -> None:
    parts, data = COMMANDS[what]
    assert encode(parts) == data


ADDRESSES = {
    "unix:///run/valkey.sock": Address(path="/run/valkey.sock", host="127.0.0.1", port=6379),
    "redis://db.example:7000/2": Address(host="db.example", port=7000, database=2),
    "rediss://ann:secret@db.example:7000": Address(
        host="db.example", port=7000, username="ann", password="secret", tls=True
    ),
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_the_address_is_that_of_the_general_client(url: str) -> None:
    assert address_of(Redis.from_url(url)) == ADDRESSES[url]


@pytest.mark.parametrize("cuts", [(), (1,), (5, 6, 11)], ids=["whole", "after one byte", "in four pieces"])
async def test_answers_go_to_the_calls_in_order_however_they_arrive(cuts: tuple[int, ...]) -> None:
    connection, heard = Connection(), []
    connection._transport = Recorder()  # type: ignore[assignment]
    for name in ("first", "second", "third"):
        connection.send(b"", lambda answer, name=name: heard.append((name, answer)))  # type: ignore[misc]
    data = b"+OK\r\n:7\r\n-ERR no\r\n"
    for start, stop in zip((0, *cuts), (*cuts, len(data)), strict=True):
        connection.data_received(data[start:stop])
    assert [(name, str(answer)) for name, answer in heard] == [("first", "b'OK'"), ("second", "7"), ("third", "ERR no")]


class Recorder:
    """A transport that keeps what is written and whether it was aborted."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.aborted = True


async def test_a_lost_connection_tells_every_call_and_takes_no_more() -> None:
    connection, heard = Connection(), []
    connection._transport = Recorder()  # type: ignore[assignment]
    connection.send(b"", heard.append)
    connection.send(b"", heard.append)
    connection.connection_lost(OSError("cut"))
    connection.send(b"", heard.append)
    assert [type(answer) for answer in heard] == [ConnectionLost] * 3
    with pytest.raises(ConnectionLost):
        await connection.call("PING")


async def test_what_is_no_answer_ends_the_connection() -> None:
    connection = Connection()
    recorder: Any = Recorder()
    connection._transport = recorder
    connection.data_received(b"HTTP/1.1 400\r\n")
    assert connection.lost
    assert recorder.aborted


async def test_a_server_is_greeted_and_refuses_by_name(stock_server: EmbeddedValkey, store: Redis) -> None:
    connection = await connect(address_of(store))
    try:
        assert (connection.run_id, connection.cluster) == ("local", False)
        assert await connection.call("PING") == b"PONG"
        with pytest.raises(hiredis.ReplyError, match="unknown command"):
            await connection.call("NO-SUCH-COMMAND")
    finally:
        connection.close()


async def test_a_wrong_password_is_not_let_in(stock_server: EmbeddedValkey, store: Redis) -> None:
    with pytest.raises(hiredis.ReplyError):
        await connect(Address(path=address_of(store).path, password="wrong"))
