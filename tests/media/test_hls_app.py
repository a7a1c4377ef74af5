"""LL-HLS over HTTP without a relay: what is asked for is begun, what cannot be is a numbered error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from livecommerce.media.control_app import ControlApp
from livecommerce.media.hls_app import AHEAD_MAX, PART_MAX, HlsApp
from livecommerce.media.outputs import Outputs
from livecommerce.media.stream import Stream, StreamState
from livecommerce.media.transport.udp import Socket
from tests.media.broadcast import encode_pictures, encode_sound, interleaved
from tests.media.crowd import Wire
from tests.media.studio import Studio

SHOW = interleaved(encode_pictures(7.0, keys_at={0, 45, 90, 135, 180}), encode_sound(7.0))


class Door:
    """A control app over one stream; `client` asks it."""

    def __init__(self, client: TestClient, outputs: Outputs, stream: Stream) -> None:
        self.client, self.outputs, self.stream = client, outputs, stream

    async def get(self, path: str) -> tuple[int, str, str]:
        """(status, body or the error's code, Cache-Control)."""
        async with self.client.get(path) as answer:
            if answer.content_type == "application/json":
                return answer.status, (await answer.json())["error"]["code"], ""
            return answer.status, (await answer.read()).decode("latin-1"), answer.headers.get("Cache-Control", "")

    def play(self) -> None:
        """Seven seconds of a show into the window that was asked for."""
        window = self.outputs.output("demo").play(0.0)
        studio = Studio()
        studio.packager.sinks.append(window)
        studio.send(SHOW)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    stream = Stream("demo", Socket(Wire().udp, None), lambda *_: None)
    outputs = Outputs({"demo": stream}, None)
    app = web.Application(middlewares=ControlApp(None).app().middlewares)  # type: ignore[arg-type]
    app.add_routes(HlsApp(outputs).routes())
    async with TestClient(TestServer(app)) as client:
        yield Door(client, outputs, stream)
    await outputs.close()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/hls/nobody/index.m3u8", 404, "stream_unknown"),
        ("/hls/demo/opus/index.m3u8", 404, "stream_unknown"),
        ("/hls/DEMO/index.m3u8", 404, ""),
        ("/hls/demo/mp3/index.m3u8", 404, ""),
    ],
    ids=["no such show", "a show that is not live", "no show id", "no such variant"],
)
async def test_what_is_not_live_cannot_be_played(door: Door, path: str, status: int, code: str) -> None:
    answered, body, _ = await door.get(path)
    assert answered == status
    assert code in body
    assert door.outputs.metrics()["hls_shows"] == 0


async def test_a_window_is_played_by_name(door: Door) -> None:
    door.stream.state = StreamState.LIVE
    door.play()
    status, text, age = await door.get("/hls/demo/index.m3u8")
    assert (status, "opus/index.m3u8" in text, age) == (200, True, "public, max-age=1")
    status, playlist, age = await door.get("/hls/demo/opus/index.m3u8")
    assert (status, age) == (200, "public, max-age=1")
    names = [line for line in playlist.splitlines() if line.endswith(".m4s")]
    names += [playlist.partition('#EXT-X-MAP:URI="')[2].partition('"')[0]]
    names += [playlist.partition(',URI="')[2].partition('"')[0]]
    for name in names:
        status, body, age = await door.get(f"/hls/demo/opus/{name}")
        assert (status, age) == (200, "public, max-age=3600, immutable"), name
        assert body[4:8] in ("ftyp", "moof")
    number = int(names[0].partition(".")[0])
    status, _, age = await door.get(f"/hls/demo/opus/index.m3u8?_HLS_msn={number}&_HLS_part=0")
    assert (status, age) == (200, "public, max-age=24")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_HLS_part=0", 400),
        ("_HLS_msn=x", 400),
        ("_HLS_msn=-1", 400),
        ("_HLS_msn=1e3", 400),
        ("_HLS_msn=9999999999999", 400),
        (f"_HLS_msn=LAST+{AHEAD_MAX + 1}", 400),
        (f"_HLS_msn=LAST&_HLS_part={PART_MAX + 1}", 400),
        ("_HLS_msn=LAST&_HLS_part=", 400),
        ("_HLS_msn=0", 200),
        ("_HLS_msn=FIRST", 200),
    ],
)
async def test_a_question_no_player_asks_gets_a_reason(door: Door, query: str, status: int) -> None:
    door.stream.state = StreamState.LIVE
    door.play()
    window = door.outputs.output("demo").play(0.0)
    last = window.last_number("opus")
    query = query.replace("FIRST", str(window.segments[0].number))
    query = query.replace(f"LAST+{AHEAD_MAX + 1}", str(last + AHEAD_MAX + 1)).replace("LAST", str(last))
    answered, body, _ = await door.get(f"/hls/demo/opus/index.m3u8?{query}")
    assert answered == status, body
    if status == 400:
        assert body == "bad_input"


@pytest.mark.parametrize(
    "file", ["1.m4s", "9999999999999.m4s", "1.2.3.m4s", "init-1-1.mp4", "..%2Fkey", "x", "1.m4s.gz"]
)
async def test_what_is_not_in_the_window_is_not_found(door: Door, file: str) -> None:
    door.stream.state = StreamState.LIVE
    door.play()
    status, _, _ = await door.get(f"/hls/demo/opus/{file}")
    assert status == 404


async def test_a_show_with_a_recording_and_no_player_costs_no_window(door: Door, tmp_path: Path) -> None:
    outputs = Outputs({"demo": door.stream}, tmp_path)
    outputs.note("demo", {"state": "live"})
    assert outputs.metrics()["recordings"] == 1
    assert outputs.metrics()["hls_shows"] == 0
    outputs.note("demo", {"state": "lost"})
    outputs.note("unknown", {"state": "live"})
    outputs.note("demo", {})
    assert outputs.metrics()["recordings"] == 1, "what is no event of a show changes nothing"
    outputs.note("demo", {"state": "ended"})
    assert outputs.metrics()["recordings"] == 0
    await outputs.close()
