"""Two relays, one stream: the second fetches it once from the first and serves its own viewers."""

from __future__ import annotations

import pytest

from livecommerce.media.errors import StreamUnknown
from livecommerce.media.ingest.origin import OriginPull
from tests.media.stage import DecodingViewer, open_stage, until
from tests.media.wire.test_sdp import GOOD

WATCH = GOOD.replace("sendonly", "recvonly")


async def test_viewers_of_another_relay_share_one_copy() -> None:
    async with open_stage() as origin, open_stage() as edge, origin.host():
        viewers = [DecodingViewer() for _ in range(2)]
        for viewer in viewers:
            await viewer.join(edge.control, origin=origin.control.address)
        for viewer in viewers:
            await viewer.more_frames(20)
            await until(lambda viewer=viewer: viewer.sounds > 10, "sound")
        assert len(origin.stream.viewers) == 1
        assert len(edge.stream.viewers) == 2
        assert edge.states() == []  # what happens to the show is the origin's to tell
        for viewer in viewers:
            await viewer.leave()


async def test_a_host_that_comes_back_to_the_origin_is_seen_at_the_edge() -> None:
    async with open_stage() as origin, open_stage() as edge:
        viewer = DecodingViewer()
        async with origin.host(should_delete=False):
            await viewer.join(edge.control, origin=origin.control.address)
            await viewer.more_frames(10)
        async with origin.host():
            await viewer.more_frames(20)
        await viewer.leave()


async def test_without_a_stream_at_the_origin_the_viewer_is_told() -> None:
    async with open_stage() as origin, open_stage() as edge:
        with pytest.raises(StreamUnknown):
            await edge.control.play("demo", WATCH, origin=origin.control.address)
        await until(lambda: edge.stream.host is None, "the fetching has stopped")


async def test_a_real_host_takes_the_place_of_a_copy() -> None:
    async with open_stage() as origin, open_stage() as edge, origin.host():
        viewer = DecodingViewer()
        await viewer.join(edge.control, origin=origin.control.address)
        await viewer.more_frames(5)
        assert isinstance(edge.stream.host, OriginPull)
        async with edge.host():
            assert not isinstance(edge.stream.host, OriginPull)
            await viewer.more_frames(20)
        await until(lambda: not origin.stream.viewers, "the copy is given back")
        await viewer.leave()


async def test_when_nobody_watches_the_copy_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.media.ingest.origin.IDLE_SECONDS", 0.5)
    async with open_stage() as origin, open_stage() as edge, origin.host():
        viewer = DecodingViewer()
        await viewer.join(edge.control, origin=origin.control.address)
        await viewer.more_frames(5)
        await viewer.leave()
        await until(lambda: not origin.stream.viewers, "the origin is left alone")
        await until(lambda: edge.stream.state.value == "ended", "the copy has ended")
