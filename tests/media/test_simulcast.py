"""Simulcast over real UDP: an encoder's three layers, viewers that decode, a page that grows and shrinks."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from pathlib import Path

import pytest

from livecommerce.errors import BadInput, NotFound
from livecommerce.media.ingest.source import SOUND, SourceName
from livecommerce.media.outputs import ShowOutput
from tests.media.layered_host import layered_host
from tests.media.recording.test_recording import times, whole
from tests.media.stage import DecodingViewer, LossyLine, Stage, open_stage, until, viewing


async def shows(stage: Stage, viewer: DecodingViewer, **wish: object) -> None:
    assert viewer.session is not None
    await stage.control.choose_layer("demo", viewer.session.session, json.dumps(wish))


async def test_a_viewer_is_moved_down_and_up_and_decodes_on() -> None:
    async with open_stage() as stage, layered_host(stage), viewing(stage, 2) as (viewer, other):
        await viewer.more_frames(5)
        await until(lambda: viewer.height == 360, "the largest layer")
        for lines, height in ((90, 90), (200, 180), (None, 360), (100, 90)):
            await shows(stage, viewer, maxHeight=lines)
            await until(lambda height=height: viewer.height == height, f"{height} lines for a page of {lines}")
            await viewer.more_frames(10)
        assert other.height == 360
        served = {each["height"]: each["layer"] for each in stage.plane.viewers("demo")}
        assert served == {360: "0", 90: "2"}
        layers = {layer["rid"]: layer for layer in stage.stream.statistics(0.0)["layers"]}
        assert [layers[rid]["viewers"] for rid in "012"] == [1, 0, 1]
        assert [layers[rid]["height"] for rid in "012"] == [360, 180, 90]
        steps = [later - earlier & 0xFFFFFFFF for earlier, later in itertools.pairwise(viewer.times)]
        assert all(0 < step < 90_000 for step in steps), str(steps)


async def test_a_layer_may_be_chosen_by_its_name() -> None:
    async with open_stage() as stage, layered_host(stage), viewing(stage) as (viewer,):
        await shows(stage, viewer, mediaId="0", encodingId="1")
        await until(lambda: viewer.height == 180, "the layer named")
        await shows(stage, viewer)
        await until(lambda: viewer.height == 360, "what the line carries")


async def test_a_page_out_of_sight_gets_sound_alone_and_its_picture_back_at_once() -> None:
    async with open_stage() as stage, layered_host(stage), viewing(stage) as (viewer,):
        await viewer.more_frames(5)
        await shows(stage, viewer, maxHeight=0)
        assert stage.stream.paused_count == 1
        frames, sounds = viewer.frames, viewer.sounds
        await until(lambda: viewer.sounds > sounds + 30, "sound goes on")
        assert viewer.frames <= frames + 2, "what was on the way"
        await shows(stage, viewer, maxHeight=360)
        await viewer.more_frames(10)
        assert stage.stream.paused_count == 0


async def test_an_encoder_under_pressure_drops_its_top_layer() -> None:
    async with open_stage() as stage, layered_host(stage) as host, viewing(stage) as (viewer,):
        await until(lambda: viewer.height == 360, "the largest layer")
        host.is_sending["0"] = False
        await until(lambda: viewer.height == 180, "the next one")
        host.is_sending["0"] = True
        await until(lambda: viewer.height == 360, "the largest again")


async def test_a_layer_whose_sender_changes_its_ssrc_goes_on() -> None:
    async with open_stage() as stage, layered_host(stage) as host, viewing(stage) as (viewer,):
        await until(lambda: viewer.height == 360, "the largest layer")
        changed = host.streams["0"]
        changed.ssrc, changed.repair_ssrc, changed.packets = changed.ssrc ^ 1, changed.repair_ssrc ^ 1, 0
        source = stage.stream.host
        assert source is not None
        await until(
            lambda: source.receptions[SourceName("video", "0")].ssrc == changed.ssrc, "the new SSRC is known by its rid"
        )
        await until(lambda: source.receptions[SourceName("video", "0")].repaired > 1, "and its repairs by theirs")
        await viewer.more_frames(10)
        assert viewer.height == 360


async def test_a_recording_goes_on_in_another_size_while_the_top_layer_is_away(tmp_path: Path) -> None:
    async with open_stage() as stage, layered_host(stage) as host:
        stage.stream.followed.look(stage.stream.alive(), 0.0)
        output = ShowOutput(stage.stream)
        output.record(tmp_path)
        recorded = output.recording
        assert recorded is not None
        await until(lambda: _seconds(output) > 1.0, "the largest layer is recorded")
        host.is_sending["0"] = False
        await until(lambda: stage.stream.followed.layer.height == 180, "the next one is")
        at = _seconds(output)
        await until(lambda: _seconds(output) > at + 1.0, "for a second")
        host.is_sending["0"] = True
        await until(lambda: stage.stream.followed.layer.height == 360, "the largest again")
        at = _seconds(output)
        await until(lambda: _seconds(output) > at + 1.0, "for a second")
        assert output.stream_ended() is recorded
        await asyncio.to_thread(recorded.writer.close)
        pictures, sounds, sizes = await asyncio.to_thread(times, whole(tmp_path))
    assert [size for size, _ in itertools.groupby(sizes)] == [(640, 360), (320, 180), (640, 360)]
    steps = [later - earlier for earlier, later in itertools.pairwise(pictures)]
    assert all(0 < step < 4.0 for step in steps), str(steps)
    assert abs(pictures[-1] - sounds[-1]) < 1.0


def _seconds(output: ShowOutput) -> float:
    """How far the pictures of a recording have come; its clock is driven from here."""
    output.tick(time.monotonic())
    return (output.packager.timeline._picture_time or 0) / 90_000


async def test_another_relay_takes_the_largest_layer_and_has_that_one_only() -> None:
    async with open_stage() as origin, open_stage() as edge, layered_host(origin):
        viewer = await DecodingViewer().join(edge.control, origin=origin.control.address)
        try:
            await until(lambda: viewer.height == 360, "the largest layer")
            await shows(edge, viewer, maxHeight=90)
            await viewer.more_frames(20)
            assert viewer.height == 360
            assert edge.stream.statistics(0.0)["layers"] == []
        finally:
            await viewer.leave()


async def test_each_layers_losses_are_repaired_on_their_own_ssrc() -> None:
    async with open_stage() as stage, layered_host(stage) as host:
        source = stage.stream.host
        assert source is not None
        names = {SourceName("video", "0"), SourceName("video", "1"), SourceName("video", "2")}
        await until(lambda: all(source.receptions[name].repaired > 1 for name in names), "repairs of every layer")
        assert host.repaired >= 6
        assert set(source.receptions) == {*names, SOUND}


async def test_a_line_that_loses_much_gets_a_smaller_picture_and_a_good_one_the_large_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("livecommerce.media.viewers.ladder.TRIAL_SECONDS", (2.0,))
    async with open_stage() as stage, layered_host(stage):
        line = LossyLine(stage.plane.mux.port, [False])
        try:
            async with viewing(stage, 1, line.rewrite) as (viewer,):
                await until(lambda: viewer.height == 360, "the largest layer")
                line.lose([True, False])
                (served,) = stage.stream.viewers.values()
                await until(lambda: served.statistics()["layer"] in ("1", "2", "sound"), "less of a picture")
                line.lose([False])
                await until(lambda: viewer.height == 360 and served.statistics()["layer"] == "0", "the largest again")
        finally:
            line.close()


WISHES = {
    "": "not JSON",
    "{": "not JSON",
    "[]": "expected form",
    '{"maxHeight": -1}': "maxHeight",
    '{"maxHeight": 1e9}': "maxHeight",
    '{"maxHeight": "360"}': "maxHeight",
    '{"spatialLayerId": 1}': "spatialLayerId",
    '{"encodingId": "7"}': "layers are 0, 1, 2",
    '{"mediaId": "audio"}': "mediaId is 0",
    '{"encodingId": "' + "x" * 2_000 + '"}': "1,000 bytes",
}


async def test_wishes_that_are_none_get_a_reason_and_change_nothing() -> None:
    async with open_stage() as stage, layered_host(stage), viewing(stage) as (viewer,):
        await viewer.more_frames(2)
        assert viewer.session is not None
        for body, reason in WISHES.items():
            with pytest.raises(BadInput, match=reason):
                await stage.control.choose_layer("demo", viewer.session.session, body)
        with pytest.raises(NotFound):
            await stage.control.choose_layer("demo", "nobody", "{}")
        (served,) = stage.stream.viewers.values()
        assert served.ladder.is_free
