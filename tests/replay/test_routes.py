"""Replays and downloads: who may, ranges as browsers ask for them, nothing while the show is on air."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest

from livecommerce.media.recording import files
from livecommerce.replay.archive import EventArchiver
from tests.media.recording.test_recording import SHOW, record
from tests.media.studio import ORIGIN_MS
from tests.site import Site


@pytest.fixture
async def replayed(site: Site) -> Site:
    """A show that was recorded from a second before its start to half a second after its end, 4.5 s later."""
    await site.login()
    await site.make_show()
    shows = site.shows
    await command(site, "start", "start-0001")
    begun = shows.now_ms()
    record(files.folder_of(site.settings.data_folder, "demo"), SHOW, later_ms=begun - 1_000 - ORIGIN_MS)
    await command(site, "end", "end-000001")
    await shows.publish(
        "demo",
        [
            {
                "t": "chat",
                "id": "early-01",
                "viewer": "v",
                "name": "小美",
                "text": "試音",
                "at": begun - 500,
                "kind": "viewer",
            },
            {
                "t": "chat",
                "id": "later-01",
                "viewer": "v",
                "name": "小美",
                "text": "晚上好",
                "at": begun + 2_000,
                "kind": "viewer",
            },
            {"t": "pin", "pin": "p1", "code": "A01", "at": begun + 3_000, "media_timestamp": None},
            {"t": "stage", "stage": "ended", "at": begun + 4_500},
        ],
    )
    await EventArchiver(shows, site.settings.data_folder).look()
    return site


async def command(site: Site, do: str, identity: str, **fields):
    status, shape = await site.told("POST", "/api/shows/demo/commands", {"id": identity, "do": do, **fields})
    assert status == 200, shape


async def test_the_page_plays_what_was_recorded(replayed: Site) -> None:
    replayed.leave()
    answer = await replayed.client.get("/replay/demo", headers={"Accept": "text/html"})
    text = await answer.text()
    assert answer.status == 200, text
    assert "週三夜場" in text
    assert "/replay/demo/video.mp4?v=" in text


async def test_the_watch_page_of_an_ended_show_leads_to_its_replay(replayed: Site) -> None:
    assert '"replay": "/replay/demo"' in await (await replayed.client.get("/live/demo")).text()


async def test_events_are_on_the_recordings_time(replayed: Site) -> None:
    answer = await replayed.client.get("/replay/demo/events.json")
    shape = await answer.json()
    assert shape["duration_ms"] == pytest.approx(
        4_000, abs=600
    )  # key pictures: a second before, one after, three after
    assert [chapter["code"] for chapter in shape["chapters"]] == ["A01"]
    assert shape["chapters"][0]["at"] == pytest.approx(2_000, abs=100)
    assert [line["text"] for line in shape["chat"]] == ["晚上好"]
    assert {product["code"] for product in shape["products"]} == {"A01", "B02"}


async def test_the_video_is_a_movie_whatever_ranges_are_asked(replayed: Site) -> None:
    whole = await (await replayed.client.get("/replay/demo/video.mp4")).read()
    with av.open(io.BytesIO(whole)) as container:
        times = {"video": [], "audio": []}
        for packet in container.demux():
            times[packet.stream.type] += [frame.time for frame in packet.decode()]
    # What was seen before the start and after the end is not in it, and it begins at its own zero.
    assert times["video"][0] == pytest.approx(0, abs=0.001)
    assert times["audio"][0] == pytest.approx(0, abs=0.03)
    assert 3.4 < times["video"][-1] < 4.1
    assert abs(times["video"][-1] - times["audio"][-1]) < 0.1
    size = len(whole)
    for asked, start, end in [
        ("bytes=0-", 0, size),
        ("bytes=0-99", 0, 100),
        ("bytes=5000-", 5_000, size),
        ("bytes=-500", size - 500, size),
        (f"bytes=10-{size * 2}", 10, size),
    ]:
        answer = await replayed.client.get("/replay/demo/video.mp4", headers={"Range": asked})
        assert answer.status == 206, asked
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert await answer.read() == whole[start:end]


async def test_other_ranges_and_conditions(replayed: Site) -> None:
    video = "/replay/demo/video.mp4"
    plain = await replayed.client.head(video)
    etag, size = plain.headers["ETag"], int(plain.headers["Content-Length"])
    assert plain.headers["Accept-Ranges"] == "bytes"
    beyond = await replayed.client.get(video, headers={"Range": f"bytes={size}-"})
    assert beyond.status == 416
    several = await replayed.client.get(video, headers={"Range": "bytes=0-1,5-9"})
    assert several.status == 200
    same = await replayed.client.get(video, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert same.status == 206
    other = await replayed.client.get(video, headers={"Range": "bytes=0-9", "If-Range": '"old"'})
    assert other.status == 200
    known = await replayed.client.get(video, headers={"If-None-Match": etag})
    assert known.status == 304
    for spelled in (f"W/{etag}", f'"other", {etag}', "*"):
        assert (await replayed.client.get(video, headers={"If-None-Match": spelled})).status == 304, spelled


async def test_a_show_that_was_not_recorded_has_no_replay(site: Site) -> None:
    assert await site.refused("GET", "/replay/nobody/video.mp4") == (404, 3041)
    assert await site.refused("GET", "/replay/nobody/events.json") == (404, 3041)


async def test_while_the_show_is_live_the_replay_leads_to_it(site: Site) -> None:
    await site.login()
    await site.make_show()
    await command(site, "start", "start-0001")
    record(files.folder_of(site.settings.data_folder, "demo"))
    answer = await site.ask("GET", "/replay/demo")
    assert (answer.status, answer.headers["Location"]) == (303, "/live/demo")
    assert await site.refused("GET", "/replay/demo/video.mp4") == (404, 3041)
    download = await site.ask("GET", "/api/shows/demo/recording.mp4")  # the shop may have it already
    assert download.status == 200


async def test_the_download_is_for_the_shops_staff(replayed: Site) -> None:
    answer = await replayed.ask("GET", "/api/shows/demo/recording.mp4")
    assert answer.status == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="demo.mp4"'
    assert answer.headers["Cache-Control"].startswith("private")
    with av.open(io.BytesIO(await answer.read())) as container:
        assert sum(1 for _ in container.decode(video=0)) == 180  # the shop gets the rehearsal too
    replayed.leave()
    assert (await replayed.refused("GET", "/api/shows/demo/recording.mp4"))[0] == 401


async def test_a_download_is_a_line_in_the_trail_and_a_look_at_its_length_none(replayed: Site) -> None:
    download = "/api/shows/demo/recording.mp4"

    async def downloads() -> int:
        _, shape = await replayed.told("GET", "/api/audit")
        return sum(entry["do"] == "recording_downloaded" for entry in shape["audit"])

    looked = await replayed.ask("HEAD", download)
    assert (looked.status, int(looked.headers["Content-Length"]) > 0) == (200, True)
    assert await downloads() == 0
    await (await replayed.ask("GET", download)).read()
    assert await downloads() == 1
    for asked, lines in (("bytes=0-99", 2), ("bytes=100-", 2)):
        await (await replayed.ask("GET", download, headers={"Range": asked})).read()
        assert await downloads() == lines, asked


@pytest.mark.parametrize("asked", ["bytes=1-", "bytes=00-", "bytes=-100000000", "bytes=1-100000000", "bytes=5-90"])
async def test_no_spelling_of_a_range_takes_a_recording_past_the_trail(replayed: Site, asked: str) -> None:
    download = "/api/shows/demo/recording.mp4"
    for _ in range(2):
        await (await replayed.ask("GET", download, headers={"Range": asked})).read()
        _, shape = await replayed.told("GET", "/api/audit")
        assert sum(entry["do"] == "recording_downloaded" for entry in shape["audit"]) >= 1, asked


async def test_a_damaged_recording_is_a_missing_one(site: Site) -> None:
    await site.login()
    await site.make_show()
    folder = files.folder_of(site.settings.data_folder, "demo")
    record(folder)
    Path(folder / "take-0001.mp4").write_bytes(b"\0" * 20)
    assert await site.refused("GET", "/replay/demo/video.mp4") == (404, 3041)


async def test_hls_without_a_stream_is_told_by_number(site: Site) -> None:
    await site.login()
    await site.make_show()
    assert await site.refused("GET", "/live/demo/hls/index.m3u8") == (404, 3004)
    assert await site.refused("GET", "/live/demo/hls/opus/index.m3u8?_HLS_msn=3") == (404, 3004)
    assert await site.refused("GET", "/live/demo/hls/opus/12.3.m4s") == (404, 3004)
    assert (await site.ask("GET", "/live/demo/hls/opus/../secret")).status == 404
