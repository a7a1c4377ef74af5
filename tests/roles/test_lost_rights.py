"""Whoever lost a right has lost it in every process: real server, two web processes, a staff socket on both."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from livecommerce.media.synthetic.host import SyntheticHost
from tests.browser.live_server import LiveServer
from tests.media.stage import TINY

SHOW = "rights"
SOCKETS = 6  # the kernel deals them out to two processes: all on one happens once in 32 tests, and proves less then
LOST_SECONDS_MAX = 10.0  # the server needs half a second; a busy machine more


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(Path(tmp_path_factory.mktemp("rights")) / "data", web_processes="2")
    live.start()
    live.make_show(SHOW, [{"code": "A01", "names": ["外套"], "price_minor": 590, "supply": 9}])
    yield live
    live.stop()


def login(server: LiveServer, who: str, cookie: str = "") -> str:
    """The cookies of a new session of its own."""
    request = urllib.request.Request(
        f"{server.address}/api/login",
        data=json.dumps({"login": who, "password": server.passwords[who]}).encode(),
        headers={"Content-Type": "application/json", "Origin": server.address, "Cookie": cookie},
    )
    with urllib.request.urlopen(request, timeout=15) as answer:
        cookies = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(one.split(";")[0] for one in cookies)


def logout(server: LiveServer, cookie: str) -> None:
    headers = {"Content-Type": "application/json", "Origin": server.address, "Cookie": cookie}
    request = urllib.request.Request(f"{server.address}/api/logout", data=b"{}", headers=headers)
    urllib.request.urlopen(request, timeout=15).close()


def staff_command(server: LiveServer, *words: str) -> None:
    """`livecommerce staff …`: another process, as an operator runs it beside the server."""
    command = [sys.executable, "-m", "livecommerce", "staff", *words]
    entered = (server.passwords[words[1]] if "--password-stdin" in words else "").encode()
    subprocess.run(command, env=server._environment(), input=entered, check=True, capture_output=True, timeout=60)


@asynccontextmanager
async def staff_sockets(server: LiveServer, cookie: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Staff sockets of one session; each is a map whose `bye` is set when the server says why it closes."""
    found: list[dict[str, Any]] = []
    for _ in range(SOCKETS):
        client = socketio.AsyncClient(serializer="msgpack", reconnection=False)
        heard: dict[str, Any] = {"client": client, "bye": asyncio.get_running_loop().create_future()}
        client.on("bye", heard["bye"].set_result)
        await client.connect(
            server.address, headers={"Cookie": cookie}, transports=["websocket"], auth={"show": SHOW, "as": "staff"}
        )
        found.append(heard)
    yield found
    for heard in found:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(heard["client"].disconnect(), 2)


WAYS: dict[str, Callable[[LiveServer, str], None]] = {
    "logout": logout,
    "another login in the same browser": lambda server, cookie: str(login(server, "moderator", cookie)) and None,
    "disabled": lambda server, _: staff_command(server, "disable", "host"),
    "a lower role": lambda server, _: staff_command(server, "role", "host", "moderator"),
    "a new password": lambda server, _: staff_command(server, "reset", "host", "--password-stdin"),
}


@pytest.fixture
def host_again(server: LiveServer) -> Iterator[None]:
    yield
    staff_command(server, "enable", "host")
    staff_command(server, "role", "host", "host")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", WAYS)
async def test_every_socket_of_a_lost_login_is_closed_in_every_process(
    server: LiveServer, way: str, host_again: None
) -> None:
    cookie = await asyncio.to_thread(login, server, "host")
    other = await asyncio.to_thread(login, server, "owner")
    async with staff_sockets(server, cookie) as sockets, staff_sockets(server, other) as others:
        await asyncio.to_thread(WAYS[way], server, cookie)
        async with asyncio.timeout(LOST_SECONDS_MAX):
            byes = await asyncio.gather(*(socket["bye"] for socket in sockets))
        assert {(bye["number"], bye["code"], bye["reconnect"]) for bye in byes} == {(4009, "login_needed", False)}
        answers = [await one["client"].call("ask", {"what": "presence"}, timeout=10) for one in others]
        assert all(answer["ok"] for answer in answers), "nobody else is touched"


@pytest.mark.timeout(120)
async def test_the_command_line_is_in_the_trail(server: LiveServer, host_again: None) -> None:
    await asyncio.to_thread(staff_command, server, "disable", "host")
    trail = (await asyncio.to_thread(ask, server, "GET", "/api/audit"))["audit"]
    told = [(entry["actor"], entry["do"], entry["subject"]) for entry in trail]
    assert (f"cli:{getpass.getuser()}", "staff_disabled", "host") in told
    assert {"password_set", "staff_added"} <= {do for _, do, _ in told}, "as the logins of this test were made"


def ask(server: LiveServer, method: str, path: str, role: str = "owner", body: Any = None) -> Any:
    return server.request(method, path, body, role)


def revoke(server: LiveServer, show: str) -> None:
    ask(server, "DELETE", f"/api/shows/{show}/ingest-token", "owner")


def disable(server: LiveServer, show: str) -> None:
    staff_command(server, "disable", "host")


def end(server: LiveServer, show: str) -> None:
    server.command(show, "end", "owner")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("take", [revoke, disable, end])
async def test_a_stream_without_its_right_is_off_the_air(
    server: LiveServer, host_again: None, take: Callable[[LiveServer, str], None]
) -> None:
    """The relay is another process than those that hear of it."""
    show = f"stream-{take.__name__}"
    server._cookies.pop("host", None)
    await asyncio.to_thread(
        server.make_show,
        show,
        [],
    )
    token = (await asyncio.to_thread(ask, server, "POST", f"/api/shows/{show}/ingest-token", "host", {}))["token"]
    await asyncio.to_thread(server.command, show, "start", "owner")
    host, stop = SyntheticHost(f"{server.address}/whip/{show}", token, quality=TINY), asyncio.Event()
    running = asyncio.create_task(host.run(stop))

    async def state() -> str:
        stream = (await asyncio.to_thread(ask, server, "GET", f"/api/shows/{show}/stream"))["stream"]
        return str(stream["state"]) if stream else "none"

    try:
        async with asyncio.timeout(60):
            while await state() != "live":
                await asyncio.sleep(0.2)
        await asyncio.to_thread(take, server, show)
        async with asyncio.timeout(LOST_SECONDS_MAX):
            while await state() not in ("ended", "none"):
                await asyncio.sleep(0.2)
        published = host.publications
        await asyncio.sleep(1)
        assert (await state(), host.publications) == (await state(), published), "and it does not come back"
        assert await state() in ("ended", "none")
    finally:
        stop.set()
        await running
