"""The doors to the relay: who may publish, what comes back, how other sites and encoders are let in.

The offers are those of a real WebRTC stack (aiortc), the relay is a real one.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from livecommerce.http.identity import Visit
from livecommerce.media.client.control import RelayControl, Session
from livecommerce.media.client.places import KEPT_SECONDS
from livecommerce.media.errors import StreamUnknown
from livecommerce.shows.commands import Actor
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds.stage import Start
from tests.site import Site

SDP = {"Content-Type": "application/sdp"}


@pytest.fixture
async def offer() -> AsyncIterator[str]:
    """An encoder's offer of H.264 and Opus."""
    peer = RTCPeerConnection()
    video = peer.addTransceiver("video", direction="sendonly")
    peer.addTransceiver("audio", direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
    await peer.setLocalDescription(await peer.createOffer())
    yield peer.localDescription.sdp
    await peer.close()


async def on_air(site: Site, show: str = "demo") -> None:
    assert (await site.told("POST", f"/api/shows/{show}/commands", {"do": "start"}))[0] == 200


async def publish(site: Site, offer: str, show: str = "demo", **headers: str) -> ClientResponse:
    """As an encoder does: no cookies, no Origin."""
    site.leave()
    return await site.client.post(f"/whip/{show}", data=offer, headers={**SDP, **headers})


async def token_of(site: Site, show: str = "demo") -> str:
    status, shape = await site.told("POST", f"/api/shows/{show}/ingest-token", {})
    assert status == 201
    assert shape["url"] == f"{site.origin}/whip/{show}"
    token: str = shape["token"]
    return token


async def number(answer: ClientResponse) -> tuple[int, int]:
    return answer.status, (await answer.json())["error"]["number"]


async def test_an_encoder_publishes_with_the_token_and_ends(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    token = await token_of(site)
    answer = await publish(site, offer, "demo/", Authorization=f"Bearer {token}")  # as somebody typed it into OBS
    assert answer.status == 201, await answer.text()
    answer = await publish(site, offer, Authorization=f"Bearer {token}")
    assert answer.status == 201, await answer.text()
    assert answer.content_type == "application/sdp"
    await_answer = await answer.text()
    RTCSessionDescription(await_answer, "answer")
    assert "a=setup:passive" in await_answer
    location = answer.headers["Location"]
    assert location.startswith("/whip/demo/")
    assert answer.headers["ETag"]
    links = answer.headers.getall("Link")
    assert links[0] == '<stun:stun.example:3478>; rel="ice-server"'
    assert 'credential-type="password"' in links[1]
    bearer = {"Authorization": f"Bearer {token}"}
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": f'"another", {answer.headers["ETag"]}'}
    ice = [line for line in offer.splitlines() if line.startswith(("a=ice-ufrag", "a=ice-pwd"))][:2]
    patched = await site.client.patch(location, data="\r\n".join(ice) + "\r\n", headers={**bearer, **fragment})
    assert patched.status in (200, 204), await patched.text()
    assert (await site.client.delete(location)).status == 401, "not without the token"
    assert (await site.client.delete(location, headers=bearer)).status == 200
    assert await number(await site.client.delete(location, headers=bearer)) == (404, 3000)


async def test_tokens_open_one_show_until_they_are_revoked(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    await site.told("POST", "/api/shows", {"id": "second", "title": "第二場"})
    token = await token_of(site)
    for bad in ({}, {"Authorization": "Bearer wrong-wrong-wrong-wrong"}, {"Authorization": f"Basic {token}"}):
        answer = await publish(site, offer, **bad)
        assert await number(answer) == (401, 2003)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert await number(await publish(site, offer, "second", Authorization=f"Bearer {token}")) == (401, 2003)
    await site.login()
    assert await site.told("DELETE", "/api/shows/demo/ingest-token") == (200, {"revoked": 1})
    assert await number(await publish(site, offer, Authorization=f"Bearer {token}")) == (401, 2003)


async def test_a_host_publishes_from_the_studio_and_a_moderator_does_not(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    headers = {**SDP, "Origin": site.origin}
    for login, status in (("mei", 403), ("rival", 404), ("host", 201)):
        await site.login(login)
        answer = await site.client.post("/whip/demo", data=offer, headers=headers)
        assert answer.status == status, login
    foreign = {**SDP, "Origin": "https://evil.example"}
    assert await number(await site.client.post("/whip/demo", data=offer, headers=foreign)) == (403, 2040)


async def test_a_second_host_is_told_so(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    first = await token_of(site)
    await site.login("host")
    second = await token_of(site)
    assert (await publish(site, offer, Authorization=f"Bearer {first}")).status == 201
    assert await number(await publish(site, offer, Authorization=f"Bearer {second}")) == (409, 4001)
    assert (await publish(site, offer, Authorization=f"Bearer {first}")).status == 201, "the same one may come back"


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        ("", "application/sdp", (400, 1010)),
        ("garbage", "application/sdp", (400, 1010)),
        ("v=0\r\n", "application/sdp", (400, 1010)),
        ("{}", "application/json", (415, 1042)),
        ("x" * 64_001, "application/sdp", (413, 1040)),
        (b"v=0\xff", "application/sdp", (400, 1000)),
    ],
)
async def test_offers_that_are_none(site: Site, body: Any, content_type: str, refusal: tuple[int, int]) -> None:
    await site.login()
    await site.make_show()
    token = await token_of(site)
    answer = await publish(site, body, Authorization=f"Bearer {token}", **{"Content-Type": content_type})
    assert await number(answer) == refusal


async def test_watching_needs_a_show_and_a_stream(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    await on_air(site)
    site.leave()
    assert await number(await site.client.post("/whep/demo", data=offer, headers=SDP)) == (404, 3004)
    assert await number(await site.client.post("/whep/nowhere", data=offer, headers=SDP)) == (404, 3001)


async def test_players_of_other_sites_may_ask(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    site.leave()
    foreign = {"Origin": "https://blog.example"}
    for path in ("/whep/demo", "/whip/demo", "/whep/demo/session-name"):
        answer = await site.client.options(path, headers=foreign)
        assert (answer.status, answer.headers["Accept-Post"]) == (200, "application/sdp")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    answer = await site.client.post("/whep/demo", data=offer, headers={**SDP, **foreign})
    assert await number(answer) == (404, 3004), "not refused for where it comes from"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    me = await site.client.get("/api/me", headers=foreign)
    assert "Access-Control-Allow-Origin" not in me.headers


async def test_a_flood_of_joins_from_one_address_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.media.routes.JOINS_AT_ONCE", 2)
    await site.login()
    await site.make_show()
    site.leave()
    answers = [await number(await site.client.post("/whep/demo", data="x", headers=SDP)) for _ in range(3)]
    assert answers[2] == (429, 5000)


async def test_sessions_are_patched_and_ended_as_rfc_9725_says(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    bearer = {"Authorization": f"Bearer {await token_of(site)}"}
    created = await publish(site, offer, **bearer)
    location, etag = created.headers["Location"], created.headers["ETag"]
    fragment = {**bearer, "Content-Type": created.headers["Accept-Patch"]}
    ice = [line for line in offer.splitlines() if line.startswith(("a=ice-ufrag", "a=ice-pwd"))][:2]
    same, fresh = "\r\n".join(ice) + "\r\n", "a=ice-ufrag:fresh\r\na=ice-pwd:0123456789abcdefghijklmn\r\n"
    rows: list[tuple[str, dict[str, str], int]] = [
        (same, fragment, 428),
        (same, {**fragment, "If-Match": '"stale"'}, 412),
        (same, {**fragment, "If-Match": etag}, 204),
        ("a=nothing\r\n", {**fragment, "If-Match": etag}, 400),
        (same, {**bearer, **SDP, "If-Match": etag}, 415),
        (same, {"Content-Type": fragment["Content-Type"], "If-Match": etag}, 401),
        (fresh, {**fragment, "If-Match": "*"}, 200),
        (same, {**fragment, "If-Match": etag}, 412),  # it was that of the ICE session before the restart
    ]
    for body, headers, status in rows:
        answer = await site.client.patch(location, data=body, headers=headers)
        assert answer.status == status, (body, headers, await answer.text())
        assert ("ETag" in answer.headers) == (status == 200)
    for method, path in (("GET", "/whip/demo"), ("PUT", "/whip/demo"), ("HEAD", location), ("POST", location)):
        assert (await site.client.request(method, path, headers=bearer)).status == 405, (method, path)
    assert (await site.client.delete(location, headers={**bearer, "If-Match": '"ignored"'})).status == 200
    assert (await site.client.patch(location, data=same, headers={**fragment, "If-Match": "*"})).status == 404


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"freezes": 1}, (400, 1000)),
        ({"freezes": -1, "frozen_ms": 5}, (400, 1000)),
        ({"freezes": 1, "frozen_ms": "long"}, (400, 1000)),
        ({"freezes": 1, "frozen_ms": 10**12}, (400, 1000)),
        ({"freezes": 1, "frozen_ms": 5, "x": "x" * 300}, (413, 1040)),
        ({"freezes": 1, "frozen_ms": 5}, (404, 3000)),
    ],
)
async def test_reports_of_freezes_are_bounded_and_belong_to_a_session(
    site: Site, body: dict[str, Any], refusal: tuple[int, int]
) -> None:
    await site.login()
    await site.make_show()
    site.leave()
    assert await site.refused("POST", "/whep/demo/no-such-session/freezes", body) == refusal


async def test_turn_credentials_are_those_coturn_expects(site: Site) -> None:
    await site.login()
    await site.make_show()
    _, shape = await site.told("GET", "/api/shows/demo/ice-servers")
    stun, turn = shape["ice_servers"]
    assert stun == {"urls": "stun:stun.example:3478"}
    digest = hmac.new(b"turn-secret-of-the-test", turn["username"].encode(), hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(digest).decode()
    assert "turn-secret" not in str(shape)


async def test_turn_is_for_known_viewers_of_a_live_show(site: Site) -> None:
    """It was handed to anybody for twelve hours."""
    await site.login()
    await site.make_show()
    site.leave()

    async def given() -> int:
        _, shape = await site.told("GET", "/api/shows/demo/ice-servers")
        return len(shape["ice_servers"])

    assert await given() == 1, "nobody"
    assert (await site.client.get("/live/demo")).status == 200
    assert await given() == 1, "a viewer, and no show on air"
    await Executor(site.shows).execute("demo", Start(id="start-the-show"), Actor("ling", "owner"))
    assert await given() == 2
    site.leave()
    assert await given() == 1, "nobody, while it is on air"
    await site.login("rival")
    assert await given() == 1, "staff of another shop"
    await site.login()
    assert await given() == 2


async def test_staff_see_what_arrives_at_the_relay(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    assert await site.told("GET", "/api/shows/demo/stream") == (200, {"stream": None, "worst_viewers": []})
    token = await token_of(site)
    await publish(site, offer, Authorization=f"Bearer {token}")
    status, shape = await site.told("GET", "/api/shows/demo/stream")
    assert (status, shape["error"]["number"]) == (401, 2001), "viewers are not told"
    await site.login()
    status, shape = await site.told("GET", "/api/shows/demo/stream")
    assert status == 200
    assert shape["stream"]["state"] == "waiting", "accepted, no picture has come yet"
    assert {"kbps", "fps", "hint", "loss", "rtt_ms", "viewers"} <= shape["stream"].keys()
    assert (await site.told("GET", "/api/shows/nowhere/stream"))[0] == 404


async def test_a_page_says_how_large_its_picture_is(site: Site, offer: str) -> None:
    """WHEP's layer extension: the address is in the answer; whoever knows a session's name is its viewer."""
    await site.login()
    await site.make_show()
    await on_air(site)
    token = await token_of(site)
    assert (await publish(site, offer, Authorization=f"Bearer {token}")).status == 201
    answer = await site.client.post("/whep/demo", data=offer.replace("sendonly", "recvonly"), headers=SDP)
    assert answer.status == 201, await answer.text()
    (link,) = [link for link in answer.headers.getall("Link") if "whep:ext:core:layer" in link]
    address = f"{answer.headers['Location']}/layer"
    assert link == f'<{address}>; rel="urn:ietf:params:whep:ext:core:layer"'
    json = {"Content-Type": "application/json"}
    for body, headers, refusal in (
        ('{"maxHeight": 360}', json, None),
        ("{}", json, None),
        ('{"maxHeight": "large"}', json, (400, 1000)),
        ('{"encodingId": "h"}', json, (400, 1000)),
        ("{}", {"Content-Type": "text/plain"}, (415, 1042)),
        ('{"maxHeight": 1' + " " * 1_000 + "}", json, (413, 1040)),
        (b"\xff", json, (400, 1000)),
    ):
        said = await site.client.post(address, data=body, headers=headers)
        assert said.status == 200 if refusal is None else await number(said) == refusal, body
    assert await number(await site.client.post("/whep/demo/nobody/layer", data="{}", headers=json)) == (404, 3000)
    assert await number(await site.client.post("/whep/nowhere/nobody/layer", data="{}", headers=json)) == (404, 3001)
    assert (await site.client.options(address)).status == 200


async def test_the_public_sees_a_show_on_air_staff_its_rehearsal_and_nobody_what_has_ended(
    site: Site, offer: str
) -> None:
    await site.login()
    await site.make_show()
    token = await token_of(site)
    viewer = offer.replace("sendonly", "recvonly")
    hls = "/live/demo/hls/index.m3u8"

    async def seen(login: str = "") -> tuple[int, int]:
        site.leave()
        if login:
            await site.login(login)
        headers = {**SDP, "Origin": site.origin}
        answer = await site.client.post("/whep/demo", data=viewer, headers=headers)
        return answer.status, 0 if answer.status == 201 else (await answer.json())["error"]["number"]

    assert (await publish(site, offer, Authorization=f"Bearer {token}")).status == 201
    assert [await seen(), await seen("rival"), await seen("mei")] == [(404, 3004), (404, 3004), (201, 0)]
    site.leave()
    assert await site.refused("GET", hls) == (404, 3004)
    await site.login()
    await on_air(site)
    assert [await seen(), await seen("rival"), await seen("mei")] == [(201, 0)] * 3
    await site.login()
    assert (await site.told("POST", "/api/shows/demo/commands", {"do": "end"}))[0] == 200
    await asyncio.sleep(KEPT_SECONDS)
    assert [await seen(), await seen("mei")] == [(410, 3120)] * 2
    assert await site.refused("GET", hls) == (410, 3120)
    assert await number(await publish(site, offer, Authorization=f"Bearer {token}")) == (410, 3120)


async def test_a_banned_viewer_is_told_so_until_a_moderator_says_otherwise(site: Site, offer: str) -> None:
    await site.login()
    await site.make_show()
    await on_air(site)
    cookie = {"Cookie": f"lc_viewer={site.accounts.viewer_cookie(Visit('anna', 0))}"}
    for do, refusal in (("ban", (403, 2011)), ("unban", (404, 3004))):
        await site.login()
        assert (await site.told("POST", "/api/shows/demo/commands", {"do": do, "viewer": "anna"}))[0] == 200
        site.leave()
        answer = await site.client.post("/whep/demo", data=offer, headers={**SDP, **cookie, "Origin": site.origin})
        assert await number(answer) == refusal


async def test_a_stream_that_ends_while_staff_look_is_told_as_none(
    site: Site, offer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.login()
    await site.make_show()
    token = await token_of(site)
    assert (await publish(site, offer, Authorization=f"Bearer {token}")).status == 201
    await site.login()

    async def ended_by_now(_relay: RelayControl, _show: str) -> list[dict[str, Any]]:
        raise StreamUnknown

    monkeypatch.setattr(RelayControl, "viewers", ended_by_now)
    assert await site.told("GET", "/api/shows/demo/stream") == (200, {"stream": None, "worst_viewers": []})


async def test_a_viewers_session_carries_whose_it_is_and_what_it_stands_on(
    site: Site, offer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    play = RelayControl.play

    async def noted(relay: RelayControl, show: str, text: str, **more: str) -> Session:
        told.append((more["watcher"], more["right"]))
        return await play(relay, show, text, **more)

    monkeypatch.setattr(RelayControl, "play", noted)
    await site.login()
    await site.make_show()
    assert (await publish(site, offer, Authorization=f"Bearer {await token_of(site)}")).status == 201
    viewer, headers = offer.replace("sendonly", "recvonly"), {**SDP, "Origin": site.origin}
    await site.login()
    assert (await site.client.post("/whep/demo", data=viewer, headers=headers)).status == 201
    await on_air(site)
    assert (await site.client.post("/whep/demo", data=viewer, headers=headers)).status == 201
    (rehearsing, right), (watching, none) = told
    assert right.startswith("session ")
    assert none == "", "everybody may see it: no login is asked for"
    assert rehearsing
    assert watching
