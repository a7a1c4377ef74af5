"""WHIP and WHEP at the relay's control door: who may be host, what is refused, trickle, restart, the end."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
import pytest

from livecommerce.errors import BadInput, LiveCommerceError, NotFound, Unavailable
from livecommerce.media.client.control import RelayControl
from livecommerce.media.control_app import FRAGMENT_TYPE
from livecommerce.media.errors import EntityTagMissing, EntityTagStale, HostAlreadyLive, SdpRefused, StreamUnknown
from livecommerce.media.ingest.whep_client import WhepClient
from livecommerce.media.relay import candidate_addresses
from livecommerce.media.settings import Media
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.wire.freezes import FreezeReport
from tests.media.stage import Stage, local, open_stage, until, viewing
from tests.media.wire.test_sdp import GOOD

FRAGMENT = "a=ice-ufrag:{user}\r\na=ice-pwd:0123456789abcdefghijklmn\r\n"


async def test_a_second_host_waits_its_turn_unless_it_is_the_same_person() -> None:
    async with open_stage() as stage, stage.host():
        with pytest.raises(HostAlreadyLive):
            await stage.control.publish("demo", GOOD, "somebody else")
        assert stage.states() == ["live"]
        assert stage.stream.host is not None
        first = stage.stream.host
        await stage.control.publish("demo", GOOD, first.publisher.name)
        assert stage.stream.host is first, "an offer that never connects stops nobody"
        async with stage.host():
            await until(lambda: stage.stream.host is not first, "the one that is connected takes over")
            assert first.close_reason == "replaced"


async def test_a_dead_hosts_place_is_free_for_another() -> None:
    async with open_stage() as stage:
        await stage.control.publish("demo", GOOD, "one who never sends")
        with pytest.raises(HostAlreadyLive):
            await stage.control.publish("demo", GOOD, "two")
        assert stage.stream.host is not None
        stage.stream.host.created_at -= 6
        await stage.control.publish("demo", GOOD, "two")


async def test_nobody_can_watch_a_show_that_was_never_live() -> None:
    async with open_stage() as stage:
        with pytest.raises(StreamUnknown) as caught:
            await stage.control.play("demo", GOOD.replace("sendonly", "recvonly"))
        assert caught.value.number == 3004
        assert caught.value.retry_after_ms


async def test_after_the_end_viewers_may_wait_for_a_minute() -> None:
    async with open_stage() as stage:
        async with stage.host():
            pass
        assert stage.states()[-1] == "ended"
        async with stage.packets() as client:
            assert client.keys is not None
            assert stage.stream.ended_at is not None
            stage.stream.ended_at -= 61
            await until(lambda: not stage.plane.streams, "the stream is forgotten")
            await until(lambda: client.is_closed_by_relay, "the waiting viewer is told")


@pytest.mark.parametrize(
    ("show", "body", "error", "reason"),
    [
        ("demo", "garbage", SdpRefused, "v=0"),
        ("demo", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", SdpRefused, "ICE"),
        ("demo", GOOD.replace("H264", "VP9"), SdpRefused, "no H.264"),
        ("Demo!", GOOD, BadInput, "show id"),
    ],
)
async def test_bad_offers_get_their_number_and_leave_nothing(show: str, body: str, error: Any, reason: str) -> None:
    async with open_stage() as stage:
        with pytest.raises(error, match=reason):
            await stage.control.publish(show, body, "host")
        assert stage.plane.streams == {}
        assert stage.plane.peers == {}


async def test_an_enormous_offer_is_cut_off() -> None:
    async with open_stage() as stage, _raw(stage) as client:
        headers = {"Content-Type": "application/sdp"}
        async with client.post("http://relay/whip/demo", data=b"v" * 200_000, headers=headers) as response:
            assert response.status == 413
        async with client.post("http://relay/whip/demo", data=b"\xff\xfe", headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["error"]["number"] == 1010
        async with client.post("http://relay/whip/demo", data=b"{}") as response:
            assert response.status == 400


def _raw(stage: Stage) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=stage.control.address))


async def test_created_sessions_say_where_they_are_and_end_once() -> None:
    async with open_stage() as stage, _raw(stage) as client:
        headers = {"Content-Type": "application/sdp", "X-Publisher": "host"}
        async with client.post("http://relay/whip/demo", data=GOOD, headers=headers) as response:
            assert response.status == 201
            assert response.content_type == "application/sdp"
            location = response.headers["Location"]
            assert re.fullmatch(r"/whip/demo/[A-Za-z0-9_-]{24}", location)
            assert response.headers["ETag"].startswith('"')
            assert response.headers["Accept-Patch"] == FRAGMENT_TYPE
        async with client.delete("http://relay" + location) as response:
            assert response.status == 200
        async with client.delete("http://relay" + location) as response:
            assert response.status == 404
        async with client.delete("http://relay" + location.replace("whip", "whep")) as response:
            assert response.status == 404


async def test_restart_of_ice_while_media_flows() -> None:
    packets: list[Any] = []
    async with open_stage() as stage, stage.host(), stage.packets(on_packet=packets.append) as client:
        (viewer,) = stage.stream.viewers.values()
        before = viewer.etag
        patched = await stage.control.patch("whep", "demo", viewer.session, FRAGMENT.format(user="fresh"), "*")
        assert patched.status == 200
        assert patched.etag == viewer.etag != before
        found = re.search(r"a=ice-ufrag:(\S+)\r\na=ice-pwd:(\S+)", patched.fragment)
        assert found is not None
        assert found.groups() == (viewer.credentials[-1].username, viewer.credentials[-1].password)
        checks = stage.plane.mux.counters.checks
        client.check()
        await until(lambda: stage.plane.mux.counters.checks > checks, "the old credentials still work")
        count = len(packets)
        await until(lambda: len(packets) > count + 20, "media goes on")


@pytest.mark.parametrize(
    ("if_match", "status", "number"), [(None, 428, EntityTagMissing.number), ('"stale"', 412, EntityTagStale.number)]
)
async def test_patch_needs_to_know_what_it_patches(if_match: str | None, status: int, number: int) -> None:
    async with open_stage() as stage:
        session = await stage.control.publish("demo", GOOD, "host")
        body = FRAGMENT.format(user="fresh")
        with pytest.raises(LiveCommerceError) as refusal:
            await stage.control.patch("whip", "demo", session.session, body, if_match)
        assert (refusal.value.http_status, refusal.value.number) == (status, number)
        assert (await stage.control.patch("whip", "demo", session.session, body, "*")).status == 200


async def test_trickled_candidates_need_no_answer() -> None:
    async with open_stage() as stage:
        session = await stage.control.publish("demo", GOOD, "host")
        same = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\na=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n"
        patched = await stage.control.patch("whip", "demo", session.session, same, session.etag)
        assert (patched.status, patched.etag) == (204, "")
        with pytest.raises(NotFound):
            await stage.control.patch("whip", "demo", "unknown", same, "*")


async def test_a_relay_that_is_gone_is_a_value_to_handle() -> None:
    async with open_stage() as stage:
        address = stage.control.address
        assert await stage.control.health()
    control = RelayControl(address)
    assert not await control.health()
    with pytest.raises(Unavailable) as caught:
        await control.play("demo", GOOD)
    assert caught.value.retry_after_ms == 1_000
    await control.close()


async def test_the_studio_sees_its_viewers_lines() -> None:
    async with open_stage() as stage, stage.host(), viewing(stage, 2) as viewers:
        for viewer in viewers:
            await viewer.more_frames(10)
        await until(
            lambda: all(viewer.round_trip_ms is not None for viewer in stage.stream.viewers.values()), "reports"
        )
        listed = await stage.control.viewers("demo")
        assert len(listed) == 2
        assert all(each["transport"] == "udp" and each["packets"] > 10 and each["rtt_ms"] < 5_000 for each in listed)
        together = (await stage.control.streams())["relay"]
        assert (together["viewers_lossy"], together["hosts_loss_worst"]) == (0, 0)
        assert together["viewers_round_trip_ms_p50"] < 5_000
        assert together["ingest_kbps"] > 20
        with pytest.raises(StreamUnknown):
            await stage.control.viewers("another")


async def test_a_page_tells_how_often_its_picture_froze() -> None:
    async with open_stage() as stage, stage.host(), stage.packets(), stage.packets():
        troubled, calm = stage.stream.viewers.values()
        troubled.connected_at -= 60
        await stage.control.freezes("demo", troubled.session, FreezeReport(2, 1_300))
        await stage.control.freezes("demo", troubled.session, FreezeReport(3, 1_900))
        first, second = await stage.control.viewers("demo")
        assert (first["session"], first["freezes"], first["frozen_ms"]) == (troubled.session[:6], 3, 1_900)
        assert (second["session"], second["freezes"]) == (calm.session[:6], 0)
        shown = await stage.control.streams()
        assert shown["streams"]["demo"]["freezes"] == shown["relay"]["viewer_freezes_total"] == 3
        assert shown["relay"]["viewer_frozen_seconds_total"] == 1.9
        with pytest.raises(NotFound):
            await stage.control.freezes("demo", "unknown", FreezeReport(1, 1))


async def test_over_tcp_the_door_asks_for_the_secret() -> None:
    from livecommerce.media.relay import RelayPlace, serve_relay

    stop, ready = asyncio.Event(), asyncio.Event()
    port = 0

    def opened(_plane: Any) -> None:
        ready.set()

    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    relay = asyncio.create_task(
        serve_relay(
            Media(),
            RelayPlace("relay-0", f"tcp://127.0.0.1:{port}", 0, secret="between nodes"),
            stop=stop,
            on_stream_event=lambda *_: None,
            on_ready=opened,
        )
    )
    await asyncio.wait_for(ready.wait(), 10)
    stranger = RelayControl(f"http://127.0.0.1:{port}", secret="guess")
    friend = RelayControl(f"http://127.0.0.1:{port}", secret="between nodes")
    assert await friend.health()
    with pytest.raises(Exception, match="Log in"):
        await stranger.publish("demo", GOOD, "host")
    await stranger.close()
    await friend.close()
    stop.set()
    await relay


def test_candidates_are_what_viewers_can_reach() -> None:
    assert candidate_addresses(Media(external_addresses=("203.0.113.5", "2001:db8::5"))) == [
        "203.0.113.5",
        "2001:db8::5",
    ]
    assert candidate_addresses(Media(host="127.0.0.1")) == ["127.0.0.1"]
    assert candidate_addresses(Media())
    with pytest.raises(ValueError, match="IPv4 or IPv6"):
        candidate_addresses(Media(external_addresses=("live.example",)))


async def test_a_viewer_that_changes_its_network_keeps_the_stream() -> None:
    packets: list[Any] = []
    async with open_stage() as stage, stage.host(), stage.packets(on_packet=packets.append) as client:
        await until(lambda: len(packets) > 20, "packets")
        (viewer,) = stage.stream.viewers.values()
        assert viewer.path is not None
        before = viewer.path.address
        client.move()
        await until(lambda: viewer.path is not None and viewer.path.address != before, "the move is believed")
        count = len(packets)
        await until(lambda: len(packets) > count + 20, "packets at the new address")


async def test_a_vanished_viewer_is_let_go() -> None:
    async with open_stage() as stage, stage.host():
        client = WhepClient(Identity(), host="127.0.0.1")
        session = await stage.control.play("demo", client.offer())
        await client.connect(local(session.answer))
        client.close(goodbye=False)
        (viewer,) = stage.stream.viewers.values()
        await asyncio.sleep(0.1)  # its last check may be on the way
        viewer.heard_at -= 16
        await until(lambda: not stage.stream.viewers, "the silence is noticed")
        assert viewer.close_reason == "silent"
        await until(lambda: session.session not in stage.plane.peers, "its place is free")
        assert stage.plane.mux.address_count == 1


async def test_viewers_keep_their_session_while_the_relay_is_busy_with_others() -> None:
    async with open_stage() as stage, stage.host(), viewing(stage, 2) as viewers:
        for viewer in viewers:
            await viewer.more_frames(5)
        offers = [GOOD.replace("sendonly", "recvonly").replace("abcd", f"user{index:04d}") for index in range(100)]
        for offer in offers:
            await stage.control.play("demo", offer)
        for viewer in viewers:
            await viewer.more_frames(15)
        assert stage.plane.metrics()["joins_total"] == 103
