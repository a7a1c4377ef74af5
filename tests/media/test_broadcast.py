"""One host, several viewers that decode, over real UDP: what a show needs from the relay."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from fractions import Fraction
from typing import Any

import av
import pytest
from aiortc.rtcdtlstransport import SRTP_AES128_CM_SHA1_80

from livecommerce.media.transport.srtp import CmOutbound
from tests.media.stage import TINY, DecodingViewer, LossyLine, open_stage, until, viewing


async def test_viewers_see_and_hear_the_host() -> None:
    async with open_stage() as stage, stage.host():
        async with viewing(stage, 3) as viewers:
            for viewer in viewers:
                await viewer.more_frames(15)
                await until(lambda viewer=viewer: viewer.sounds > 10, "sound")
            await until(lambda: stage.stream.hint == "good", "a good stream")
            figures = (await stage.control.streams())["streams"]["demo"]
            assert (figures["state"], figures["width"], figures["height"]) == ("live", 320, 240)
            assert figures["viewers"] == 3
        await until(lambda: not stage.stream.viewers, "the viewers' goodbye is noticed")
    assert stage.states() == ["live", "ended"]


async def test_with_a_large_audience_sounds_share_the_pictures_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.media.stream.SHARE_VIEWERS_MIN", 1)
    async with open_stage() as stage, stage.host(), viewing(stage, 2) as viewers:
        for viewer in viewers:
            await viewer.more_frames(30)
            sounds = viewer.sounds
            await until(lambda viewer=viewer, sounds=sounds: viewer.sounds > sounds + 50, "sound")
        assert all(viewer.lanes["video"].rider is not None for viewer in stage.stream.viewers.values())


async def test_a_late_viewer_enters_at_the_last_keyframe_without_a_new_one() -> None:
    async with open_stage() as stage, stage.host():
        track = stage.stream.tracks["video"]
        keyframes = track.keyframes
        await until(lambda: track.keyframes > keyframes, "a keyframe of the host's own rhythm")
        await until(lambda: track.head > track.keyframe_start + 4, "pictures after it")
        keyframes = track.keyframes
        async with viewing(stage) as (viewer,):
            await viewer.more_frames(1)
            assert track.keyframes == keyframes
            await viewer.more_frames(30)


async def test_viewers_decode_on_when_the_host_is_killed_and_comes_back() -> None:
    async with open_stage() as stage, viewing_after_host(stage) as viewer:
        assert viewer.session is not None
        ssrc = stage.stream.tracks["video"].ssrc
        await until(lambda: stage.stream.state.value == "lost", "the loss is noticed")
        async with stage.host() as host:
            await viewer.more_frames(30)
            assert host.publications == 1
        assert stage.stream.tracks["video"].ssrc == ssrc
    assert stage.states() == ["live", "lost", "live", "ended"]


class viewing_after_host:
    """A viewer who has seen pictures of a host that then vanished without a word."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self._viewer = DecodingViewer()

    async def __aenter__(self) -> DecodingViewer:
        async with self._stage.host(should_delete=False):
            await self._viewer.join(self._stage.control)
            await self._viewer.more_frames(15)
        return self._viewer

    async def __aexit__(self, *_: object) -> None:
        await self._viewer.leave()


async def test_the_synthetic_host_comes_back_when_the_relay_restarts() -> None:
    async with open_stage() as stage, stage.host() as host:
        assert stage.stream.host is not None
        stage.stream.host.close("as if the process had been killed")
        await until(lambda: host.publications == 2, "a second publication")
        await until(lambda: stage.stream.state.value == "live", "live again")


LOSSES = {
    "one in ten": [False] * 9 + [True],
    "bursts of five": [False] * 95 + [True] * 5,
    "every third": [False, False, True],
    "the start": [True] * 30 + [False] * 100_000,
}


@pytest.mark.parametrize("name", LOSSES)
async def test_lost_packets_are_asked_for_and_sent_again(name: str) -> None:
    async with open_stage() as stage, stage.host():
        line = LossyLine(stage.plane.mux.port, LOSSES[name])
        try:
            async with viewing(stage, 1, line.rewrite) as (viewer,):
                await viewer.more_frames(40)
                assert line.lost > 0
        finally:
            line.close()


@pytest.mark.nightly
async def test_a_hopeless_line_gets_sound_alone_and_pictures_when_it_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livecommerce.media.viewers.ladder.TRIAL_SECONDS", (2.0,))
    async with open_stage() as stage, stage.host():
        line = LossyLine(stage.plane.mux.port, [True, False])
        try:
            async with viewing(stage, 1, line.rewrite) as (viewer,):
                await until(lambda: stage.stream.statistics(0)["viewers_sound_only"] == 1, "sound only")
                (served,) = stage.stream.viewers.values()
                video = served.lanes["video"]
                sent, sounds = video.packets, viewer.sounds
                line.lose([False])
                await until(lambda: viewer.sounds > sounds + 20, "sound goes on")
                assert video.packets == sent
                assert served.statistics()["layer"] == "sound"
                await viewer.more_frames(20)
                assert served.statistics()["layer"] == "picture"
        finally:
            line.close()


async def test_a_viewer_without_gcm_is_served_by_the_older_profile() -> None:
    async with open_stage() as stage, stage.host():
        viewer = DecodingViewer()
        await _join_with_profiles(viewer, stage, [SRTP_AES128_CM_SHA1_80])
        try:
            await viewer.more_frames(30)
            (served,) = stage.stream.viewers.values()
            assert isinstance(served.lanes["video"].outbound, CmOutbound)
        finally:
            await viewer.leave()


async def _join_with_profiles(viewer: DecodingViewer, stage: Any, profiles: list[Any]) -> None:
    import aiortc.rtcdtlstransport as module

    before = module.SRTP_PROFILES
    module.SRTP_PROFILES = profiles
    try:
        await viewer.join(stage.control)
    finally:
        module.SRTP_PROFILES = before


def _push_by_ffmpeg(url: str, role: str, certificate: str, key: str, stop: Any) -> None:
    """An encoder that shares no line of code with ours: FFmpeg's WHIP muxer."""
    options = {"authorization": "token", "cert_file": certificate, "key_file": key} | (
        {"whip_flags": role} if role else {}
    )
    with av.open(url, "w", format="whip", options=options) as container:
        video: Any = container.add_stream("libx264", rate=15)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "15"}
        audio: Any = container.add_stream("libopus", rate=48_000)
        audio.layout = "stereo"
        began = time.monotonic()
        for index in range(600):
            if stop.is_set():
                break
            frame = av.VideoFrame(320, 240, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((index * 5 % 200 + 20,)) * plane.buffer_size)
            frame.pts, frame.time_base = index, Fraction(1, 15)
            container.mux(video.encode(frame))
            sound = av.AudioFrame(format="s16", layout="stereo", samples=3_200)
            sound.planes[0].update(bytes(3_200 * 4))
            sound.sample_rate, sound.pts, sound.time_base = 48_000, index * 3_200, Fraction(1, 48_000)
            container.mux(audio.encode(sound))
            time.sleep(max(0.0, began + index / 15 - time.monotonic()))


@pytest.mark.parametrize("role", ["", "dtls_active"], ids=["ffmpeg answers DTLS", "ffmpeg begins DTLS"])
async def test_an_independent_encoder_publishes(role: str, certificate_files: tuple[str, str]) -> None:
    async with open_stage() as stage:
        context = multiprocessing.get_context("spawn")
        stop = context.Event()
        process = context.Process(
            target=_push_by_ffmpeg, args=(f"{stage.url}/whip/demo", role, *certificate_files, stop)
        )
        process.start()
        try:
            await until(lambda: "live" in stage.states(), "live")
            async with viewing(stage) as (viewer,):
                await viewer.more_frames(20)
            stop.set()
            await until(lambda: "ended" in stage.states(), "the muxer's DELETE ends the stream")
        finally:
            stop.set()
            await asyncio.to_thread(process.join, 10)
            if process.is_alive():
                process.kill()


async def test_reports_let_viewers_keep_lips_and_voice_together() -> None:
    from livecommerce.media.wire import rtcp

    reports: list[rtcp.Item] = []
    async with open_stage() as stage, stage.host(quality=TINY), stage.packets(on_reports=reports.extend) as client:
        await until(lambda: len([r for r in reports if isinstance(r, rtcp.SenderReport)]) >= 4, "sender reports")
        assert client.remote is not None
        by_ssrc = {r.ssrc: r for r in reports if isinstance(r, rtcp.SenderReport)}
        assert set(by_ssrc) == set(client.remote.ssrcs)
        video, audio = (by_ssrc[ssrc] for ssrc in client.remote.ssrcs)
        # one compound, one wall clock: both tracks speak of the same moment, to a fraction of a second
        assert abs(video.ntp - audio.ntp) < 1 << 32
