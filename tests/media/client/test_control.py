"""The door's client: answers as values, refusals as the same numbered errors, everything else as "not reachable"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from livecommerce.errors import Busy, LiveCommerceError, Unavailable
from livecommerce.media.client.control import RelayControl, Session
from livecommerce.media.errors import HostAlreadyLive, SdpRefused, StreamUnknown


class Relay:
    """A door that answers as told and keeps what it was asked."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.answer: Any = None
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.headers)))
        return self.answer() if callable(self.answer) else self.answer


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    relay = Relay(str(tmp_path / "door"))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", relay.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, relay.path).start()
    yield relay
    await runner.cleanup()


@pytest.fixture
async def control(relay: Relay) -> AsyncIterator[RelayControl]:
    control = RelayControl(relay.path, secret="between nodes")
    yield control
    await control.close()


async def test_an_accepted_offer_is_a_session(relay: Relay, control: RelayControl) -> None:
    headers = {"Location": "/whep/demo/abc", "ETag": '"tag"'}
    relay.answer = lambda: web.Response(status=201, text="v=0", headers=headers)
    assert await control.play("demo", "offer", origin="tcp://other") == Session("/whep/demo/abc", "abc", "v=0", '"tag"')
    method, path, sent = relay.asked[-1]
    assert (method, path) == ("POST", "/whep/demo")
    assert sent["Authorization"] == "Bearer between nodes"
    assert sent["Content-Type"] == "application/sdp"
    assert "tcp://other" in sent.values()
    await control.publish("demo", "offer", "ling")
    assert "ling" in relay.asked[-1][2].values()


@pytest.mark.parametrize("error", [SdpRefused("no H.264"), HostAlreadyLive(), Busy(retry_after_ms=2_000)])
async def test_a_refusal_is_the_same_error_on_this_side(
    relay: Relay, control: RelayControl, error: LiveCommerceError
) -> None:
    relay.answer = lambda: web.json_response({"error": error.as_dict()}, status=error.http_status)
    with pytest.raises(type(error)) as refused:
        await control.publish("demo", "offer", "ling")
    assert refused.value.as_dict() == error.as_dict()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"error": {}},
        {"error": {"number": 999_999}},
        {"error": {"number": "3001"}},
        {"error": "busy"},
        {"error": None},
        "text",
        None,
        7,
    ],
)
async def test_an_error_nobody_knows_is_one_all_the_same(relay: Relay, control: RelayControl, body: Any) -> None:
    relay.answer = lambda: web.json_response(body, status=500)
    with pytest.raises(LiveCommerceError):
        await control.publish("demo", "offer", "ling")


async def test_a_relay_that_is_not_there_is_a_value_to_handle(tmp_path: Path) -> None:
    control = RelayControl(str(tmp_path / "nobody"))
    assert await control.health() is False
    with pytest.raises(Unavailable) as refused:
        await control.play("demo", "offer")
    assert refused.value.retry_after_ms
    await control.close()
    await control.close()


async def test_figures_and_health(relay: Relay, control: RelayControl) -> None:
    relay.answer = lambda: web.json_response({"streams": {}, "relay": {}, "viewers": [], "ok": True})
    assert await control.streams() == {"streams": {}, "relay": {}, "viewers": [], "ok": True}
    assert await control.viewers("demo") == []
    assert await control.health() is True
    relay.answer = lambda: web.Response(status=404)
    assert await control.health() is False
    relay.answer = lambda: web.json_response({"error": StreamUnknown().as_dict()}, status=404)
    with pytest.raises(StreamUnknown):
        await control.viewers("demo")


@pytest.mark.parametrize(
    ("status", "headers", "text"),
    [
        (200, {"Location": "/whep/demo/abc"}, "v=0"),
        (201, {}, "v=0"),
        (301, {"Location": "/elsewhere"}, ""),
        (502, {"Content-Type": "text/html"}, "<html>"),
        (500, {"Content-Type": "application/json"}, "{"),
        (204, {}, ""),
    ],
    ids=["not created", "no session", "moved", "a proxy's page", "an error cut off", "nothing"],
)
async def test_what_is_no_answer_of_a_relay_is_unavailable(
    relay: Relay, control: RelayControl, status: int, headers: dict[str, str], text: str
) -> None:
    relay.answer = lambda: web.Response(status=status, body=text.encode(), headers=headers)
    with pytest.raises(Unavailable):
        await control.play("demo", "offer")
