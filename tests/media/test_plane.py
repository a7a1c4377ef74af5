"""The plane's table: who may publish and play, how many, and what is said of sessions that are not there."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator

import pytest

from livecommerce.errors import BadInput, Busy, LiveCommerceError, NotFound
from livecommerce.media import plane as module
from livecommerce.media.errors import HostAlreadyLive, SdpRefused, StreamUnknown
from livecommerce.media.ingest.host import Host
from livecommerce.media.ingest.source import Publisher
from livecommerce.media.plane import MediaPlane
from livecommerce.media.stream import StreamState
from livecommerce.media.transport.dtls import HandshakePool, Identity
from livecommerce.media.transport.mux import Mux
from livecommerce.media.transport.peer import UNVERIFIED_SECONDS_MAX
from livecommerce.media.wire.freezes import FreezeReport
from livecommerce.media.wire.layer_wish import LayerWish
from tests.media.ingest.test_host import KEYS
from tests.media.wire.test_sdp import GOOD

HOST, VIEWER = GOOD, GOOD.replace("sendonly", "recvonly")


@pytest.fixture
async def plane() -> AsyncIterator[MediaPlane]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.bind(("127.0.0.1", 0))
    mux = Mux(udp, HandshakePool(Identity()), None)
    plane = MediaPlane(mux, ["127.0.0.1"], bitrate_max_kbps=2_500, on_event=lambda *_: None)
    mux.start()
    yield plane
    plane.close()


async def test_a_host_and_its_viewers(plane: MediaPlane) -> None:
    with pytest.raises(StreamUnknown):
        plane.play("demo", VIEWER)
    host = plane.publish("demo", HOST, Publisher("ling"))
    viewer = plane.play("demo", VIEWER)
    assert set(plane.peers) == {host.session, viewer.session}
    assert host.answer.startswith("v=0")
    assert host.etag != viewer.etag
    plane.stop("demo", viewer.session, "viewer")
    assert set(plane.peers) == {host.session}


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [("ling", "ling", True), ("ling", "mei", False), ("", "", False), ("ling", "", False)],
    ids=["the same one", "another", "nobody knows who", "nobody after somebody"],
)
async def test_a_shows_place_is_taken_once(plane: MediaPlane, first: str, second: str, is_taken: bool) -> None:
    before = plane.publish("demo", HOST, Publisher(first))
    if is_taken:
        after = plane.publish("demo", HOST, Publisher(second))
        stream = plane.streams["demo"]
        assert stream.host is plane.peers[after.session]
        assert plane.peers[before.session].close_reason == "replaced"
        return
    with pytest.raises(HostAlreadyLive):
        plane.publish("demo", HOST, Publisher(second))
    assert set(plane.peers) == {before.session}


@pytest.mark.parametrize("offer", ["", "v=0", "hello", GOOD.replace("H264", "VP9"), GOOD.replace("ice-pwd", "ice-x")])
async def test_a_bad_offer_leaves_nothing(plane: MediaPlane, offer: str) -> None:
    with pytest.raises(SdpRefused):
        plane.publish("demo", offer, Publisher("ling"))
    assert (plane.streams, plane.peers, plane.joins) == ({}, {}, 0)


async def test_a_full_relay_says_so_and_keeps_places_for_hosts(
    plane: MediaPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VIEWERS_MAX", 1)
    monkeypatch.setattr(module, "STREAMS_MAX", 2)
    plane.publish("demo", HOST, Publisher("ling"))
    with pytest.raises(Busy):
        plane.play("demo", VIEWER)
    plane.publish("other", HOST, Publisher("mei"))
    assert plane.refused == 1
    with pytest.raises(Busy, match="as many shows"):
        plane.publish("third", HOST, Publisher("hua"))
    assert set(plane.streams) == {"demo", "other"}


@pytest.mark.parametrize(
    ("show", "session", "role"),
    [("demo", "nobody", "viewer"), ("other", "known", "viewer"), ("demo", "known", "host"), ("demo", "", "viewer")],
    ids=["no such session", "of another show", "of another role", "none"],
)
async def test_who_is_not_there_is_not_found(plane: MediaPlane, show: str, session: str, role: str) -> None:
    plane.publish("demo", HOST, Publisher("ling"))
    known = plane.play("demo", VIEWER).session
    session = session.replace("known", known)
    for ask in (
        lambda: plane.stop(show, session, role),
        lambda: plane.patch(show, session, role, "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n"),
    ):
        with pytest.raises(NotFound):
            ask()
    if role == "viewer":
        with pytest.raises(NotFound):
            plane.choose_layer(show, session, LayerWish())
        with pytest.raises(NotFound):
            plane.note_freezes(show, session, FreezeReport(1, 1))
    assert known in plane.peers


@pytest.mark.parametrize(
    ("fragment", "fault"),
    [
        ("", SdpRefused),
        ("a=ice-ufrag:abcd", SdpRefused),
        ("a=ice-ufrag:a\r\na=ice-pwd:b", SdpRefused),
        ("x" * 70_000, SdpRefused),
        ("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n", None),
        ("a=ice-ufrag:efgh\r\na=ice-pwd:0123456789abcdefghijkl\r\n", None),
    ],
    ids=["nothing", "half", "too short", "too long", "candidates alone", "a restart"],
)
async def test_a_restart_of_ice(plane: MediaPlane, fragment: str, fault: type[LiveCommerceError] | None) -> None:
    plane.publish("demo", HOST, Publisher("ling"))
    viewer = plane.play("demo", VIEWER)
    if fault is not None:
        with pytest.raises(fault):
            plane.patch("demo", viewer.session, "viewer", fragment)
        assert plane.peers[viewer.session].etag == viewer.etag
        return
    answer, etag = plane.patch("demo", viewer.session, "viewer", fragment)
    is_restart = "ufrag:efgh" in fragment
    assert bool(answer) is is_restart
    assert (etag != viewer.etag) is is_restart


async def test_a_wish_and_freezes_are_the_viewers_own(plane: MediaPlane) -> None:
    plane.publish("demo", HOST, Publisher("ling"))
    viewer = plane.play("demo", VIEWER)
    plane.choose_layer("demo", viewer.session, LayerWish(max_height=360))
    with pytest.raises(BadInput, match="mediaId"):
        plane.choose_layer("demo", viewer.session, LayerWish("7"))
    plane.note_freezes("demo", viewer.session, FreezeReport(5, 500))
    assert plane.freezes.count == 0, "who is not connected has watched nothing"


async def test_the_hosts_goodbye_ends_the_stream_and_a_later_one_is_none(plane: MediaPlane) -> None:
    host = plane.publish("demo", HOST, Publisher("ling"))
    plane.stop("demo", host.session, "host")
    assert plane.streams["demo"].state is StreamState.ENDED
    with pytest.raises(NotFound):
        plane.stop("demo", host.session, "host")


TOKEN, HOST_OF_SHOP, OWNER = Publisher("token-1", 0, "token 1"), Publisher("staff-1", 1), Publisher("staff-2", 2)


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [
        (TOKEN, HOST_OF_SHOP, True),
        (TOKEN, OWNER, True),
        (HOST_OF_SHOP, OWNER, True),
        (HOST_OF_SHOP, TOKEN, False),
        (OWNER, HOST_OF_SHOP, False),
        (OWNER, TOKEN, False),
        (TOKEN, Publisher("token-2", 0, "token 2"), False),
        (HOST_OF_SHOP, Publisher("staff-3", 1), False),
    ],
)
async def test_the_shops_own_people_take_over_from_those_below_them(
    plane: MediaPlane, first: Publisher, second: Publisher, is_taken: bool
) -> None:
    plane.publish("demo", HOST, first)
    if is_taken:
        after = plane.publish("demo", HOST, second)
        assert plane.streams["demo"].host is plane.peers[after.session]
    else:
        with pytest.raises(HostAlreadyLive):
            plane.publish("demo", HOST, second)


async def test_an_offer_alone_stops_nobody(plane: MediaPlane) -> None:
    """The host on air goes on until the one who takes over is connected; offers that come to nothing do not pile up."""
    running = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    assert isinstance(running, Host)
    running.media_at = time.monotonic()
    first = plane.peers[plane.publish("demo", HOST, OWNER).session]
    second = plane.peers[plane.publish("demo", HOST, OWNER).session]
    stream = plane.streams["demo"]
    assert (stream.host, stream.coming, first.close_reason) == (running, second, "replaced")
    assert isinstance(second, Host)
    assert second.on_connected is not None
    second.on_connected()
    assert (stream.host, stream.coming, running.close_reason) == (second, None, "replaced")


async def test_a_host_who_has_connected_and_sends_nothing_yet_is_stopped_by_no_offer_either(plane: MediaPlane) -> None:
    """The same token posts an offer and never connects; the encoder has shaken hands and begins a moment later."""
    running = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    assert isinstance(running, Host)
    running.connected(KEYS)
    idle = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    stream = plane.streams["demo"]
    assert (stream.host, stream.coming, running.close_reason) == (running, idle, "")
    plane._second(time.monotonic() + UNVERIFIED_SECONDS_MAX + 1.0)
    assert (idle.close_reason, stream.coming) == ("silent", None)


async def test_of_two_who_both_still_connect_the_later_one_counts(plane: MediaPlane) -> None:
    first = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    second = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    assert (plane.streams["demo"].host, first.close_reason) == (second, "replaced")


async def test_who_may_take_over_is_asked_again_when_it_is_connected(plane: MediaPlane) -> None:
    running = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    assert isinstance(running, Host)
    running.media_at = time.monotonic()
    late = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    assert isinstance(late, Host)
    assert late.on_connected is not None
    owner = plane.peers[plane.publish("demo", HOST, OWNER).session]
    assert isinstance(owner, Host)
    assert owner.on_connected is not None
    owner.on_connected()
    late.on_connected()
    assert plane.streams["demo"].host is owner


async def test_a_lost_right_ends_what_stands_on_it_and_nothing_else(plane: MediaPlane) -> None:
    token = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    other = plane.peers[plane.publish("other", HOST, Publisher("token-2", 0, "token 2")).session]
    assert plane.rights() == {"token 1", "token 2"}
    plane.end_rights({"token 1"})
    assert token.close_reason == "the right to publish has ended"
    assert plane.streams["demo"].state is StreamState.ENDED
    assert not other.close_reason
    assert plane.rights() == {"token 2"}


async def test_the_end_of_a_show_lets_host_and_viewers_go(plane: MediaPlane) -> None:
    host = plane.peers[plane.publish("demo", HOST, TOKEN).session]
    viewer = plane.peers[plane.play("demo", VIEWER).session]
    plane.end_show("demo")
    assert (host.close_reason, viewer.close_reason) == ("the show has ended", "the show has ended")
    with pytest.raises(StreamUnknown):
        plane.play("demo", VIEWER)
