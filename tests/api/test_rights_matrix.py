"""Role × route, role × socket event, role × command: each cell is asked on a running site and compared with a table.

Routes come from the application's router, events from the gateway, commands from the registry of kinds: a new one
without a row in `rights.tsv` fails, and so does a row of one that is gone. Who may give the commands of a kind that has
a test of its own stands there, as its `RIGHTS`. A cell is `yes`, where nothing of rights
stands in the way (the request may be wrong in other things), or the number of the refusal.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import socketio
from msgspec import inspect
from socketio.exceptions import ConnectionError as Refused

from livecommerce.http.identity import Visit
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.registry import Registry
from tests.shows import tests_of_kinds
from tests.site import Site

ROLES = ("nobody", "viewer", "banned", "moderator", "host", "owner", "rival", "revoked")
LOGINS = {"moderator": "mei", "host": "host", "owner": "ling", "rival": "rival", "revoked": "host"}
# Refusals that are about who asks: login, token, role, another shop's, banned, no cookie; a command of staff alone.
OF_RIGHTS = {2001, 2003, 2011, 2020, 2030, 2031, 2150, 3001, 1003, 2000}
LAST = ("end", "/api/logout")  # what takes something from those who are asked after it
KINDS = Registry(SHOW_KINDS)
TABLE = Path(__file__).with_name("rights.tsv")
PARTS = {
    "show": "demo", "kind": "whip", "session": "no-such-session", "variant": "opus", "file": "part.m4s",
    "code": "no-such-code", "order": "no-such-order", "payment": "no-such-payment", "sha256": "0" * 64,
}  # fmt: skip

Cells = dict[str, list[str]]


def table(part: str) -> Cells:
    lines = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if line and line[0] != "#"]
    rows = {name: cells for kind, name, *cells in lines if kind == part}
    return {**rows, **tests_of_kinds.RIGHTS} if part == "command" else rows


def differing(part: str, found: Cells) -> list[str]:
    """Rows as they would have to stand, where they do not."""
    kept = table(part)
    gone = [f"{part}\t{name}\t(is no more)" for name in kept.keys() - found.keys()]
    return sorted(gone + ["\t".join((part, name, *cells)) for name, cells in found.items() if kept.get(name) != cells])


def cell(number: int | None) -> str:
    return str(number) if number in OF_RIGHTS else "yes"


class Asker:
    """One of the roles: its cookies and how it asks."""

    def __init__(self, site: Site, role: str, cookies: dict[str, str]) -> None:
        self.site, self.role, self.cookies = site, role, cookies
        self.client: Any = None

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    async def http(self, session: aiohttp.ClientSession, method: str, path: str) -> str:
        body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
        headers = {"Origin": self.site.origin, **self.cookie}
        url = self.site.origin + path
        async with session.request(method, url, headers=headers, allow_redirects=False, **body) as answer:
            number = None
            if answer.status >= 400 and answer.content_type == "application/json" and method != "HEAD":
                number = (await answer.json())["error"]["number"]
            return cell(number)

    async def join(self) -> str:
        self.client = socketio.AsyncClient(serializer="msgpack", reconnection=False)
        refusal: list[Any] = []
        self.client.on("connect_error", refusal.append)
        try:
            auth = {"show": "demo", "as": "staff" if self.role in LOGINS else "viewer"}
            await self.client.connect(self.site.origin, headers=self.cookie, transports=["websocket"], auth=auth)
        except Refused:
            self.client = None
            said = refusal[0] if refusal else {}
            return cell((said.get("data") or said).get("number"))
        return "yes"

    async def event(self, name: str, data: Any) -> str:
        if self.client is None:
            return "–"
        answer = await self.client.call(name, data, timeout=20)
        return cell(None if answer.get("ok") else answer["error"]["number"])


@pytest.fixture
async def askers(site: Site) -> AsyncIterator[list[Asker]]:
    """A show on air and one of each role."""
    await site.login()
    await site.make_show()
    for command in ({"do": "start"}, {"do": "ban", "viewer": "banned"}):
        assert (await site.told("POST", "/api/shows/demo/commands", command))[0] == 200
    found: list[Asker] = []
    for role in ROLES:
        cookies = {} if role == "nobody" else {"lc_viewer": site.accounts.viewer_cookie(Visit(f"{role}", 0))}
        if role in LOGINS:
            site.leave()
            await site.login(LOGINS[role])
            jar = site.client.session.cookie_jar.filter_cookies(site.client.make_url("/"))
            cookies["lc_staff"] = jar["lc_staff"].value
        if role == "revoked":
            await site.accounts.sessions.close(cookies["lc_staff"])
        found.append(Asker(site, role, cookies))
    site.leave()
    yield found
    for asker in found:
        if asker.client is not None:
            with contextlib.suppress(Exception):
                await asker.client.disconnect()


def path_of(canonical: str) -> str:
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: PARTS.get(found[1], "x"), canonical)


async def test_who_may_ask_which_route(site: Site, askers: list[Asker]) -> None:
    found: Cells = {}
    asked = {
        (route.method, route.resource.canonical)
        for route in site.client.server.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and "socket.io" not in route.resource.canonical
    }
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for method, canonical in sorted(asked, key=lambda one: (one[1] in LAST, one)):
            kinds = ("whip", "whep") if "{kind}" in canonical else ("",)
            for kind in kinds:
                name = canonical.replace("{kind}", kind)
                cells = [await asker.http(session, method, path_of(name)) for asker in askers]
                found[f"{method} {name}"] = cells
    assert differing("route", found) == []


async def test_who_may_send_which_event(site: Site, askers: list[Asker]) -> None:
    found: Cells = {"(join)": [await asker.join() for asker in askers]}
    for event in sorted(site.gateway.events):
        found[event] = [await asker.event(event, {}) for asker in askers]
    assert differing("event", found) == []


def filled(kind: inspect.Type) -> Any:
    """A value of a type, as small as it may be."""
    match kind:
        case inspect.StrType(pattern=pattern):
            exactly = re.search(r"\{(\d+)", pattern or "")
            return "a" * max(int(exactly[1]) if exactly else 8 if pattern else 1, kind.min_length or 0)
        case inspect.IntType():
            return max(1, kind.ge or 1)
        case inspect.BoolType():
            return True
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            return [filled(kind.item_type)] * (kind.min_length or 0)
        case inspect.DictType():
            return {}
        case inspect.UnionType():
            return filled(kind.types[0])
        case inspect.StructType():
            return {field.encode_name: filled(field.type) for field in kind.fields if field.required}
    return None


async def test_who_may_give_which_command(site: Site, askers: list[Asker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.realtime.limits.MESSAGES_BURST", 1_000)  # one of each command at once
    for asker in askers:
        await asker.join()
    commands: dict[str, Any] = {**KINDS.commands, **KINDS.viewer_commands}
    found: Cells = {}
    for tag, kind in sorted(commands.items(), key=lambda one: (one[0] in LAST, one[0])):
        cells = []
        for asker in askers:
            told = {**filled(inspect.type_info(kind)), "do": tag, "id": str(uuid.uuid4())}
            msgspec.convert(told, kind)  # else a refusal would be about the form
            cells.append(await asker.event("command", told))
        found[tag] = cells
    assert differing("command", found) == []
