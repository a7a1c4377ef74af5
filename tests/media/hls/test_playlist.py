"""Playlists: what low-latency players need to know, whatever the window holds."""

from __future__ import annotations

import re

import pytest

from livecommerce.media.hls.playlist import media_playlist, multivariant_playlist
from livecommerce.media.hls.window import (
    DISCONTINUITIES_FIRST_MAX,
    OPUS,
    HlsStream,
)
from tests.media.broadcast import encode_pictures
from tests.media.hls.test_window import FIRST, on_air, parts, segments, value
from tests.media.studio import Studio


def test_a_playlist_has_what_low_latency_players_need():
    window, _ = on_air()
    playlist = media_playlist(window, OPUS)
    assert playlist.startswith("#EXTM3U\n")
    assert value(playlist, "EXT-X-TARGETDURATION") == "4"
    assert value(playlist, "EXT-X-PART-INF") == "PART-TARGET=0.334"
    assert "CAN-BLOCK-RELOAD=YES" in value(playlist, "EXT-X-SERVER-CONTROL")
    assert float(re.search(r"PART-HOLD-BACK=([\d.]+)", playlist)[1]) >= 3 * 0.334
    assert float(re.search(r",HOLD-BACK=([\d.]+)", playlist)[1]) >= 3 * 4
    assert value(playlist, "EXT-X-MEDIA-SEQUENCE") == str(FIRST)
    assert value(playlist, "EXT-X-MAP") == f'URI="init-{FIRST}-0.mp4"'
    assert value(playlist, "EXT-X-PROGRAM-DATE-TIME") == "2023-11-14T22:13:20.000Z"
    last = parts(playlist)[-1][1]
    number, index = last.removesuffix(".m4s").split(".")
    assert value(playlist, "EXT-X-PRELOAD-HINT") == f'TYPE=PART,URI="{number}.{int(index) + 1}.m4s"'


def test_the_discontinuity_sequence_counts_those_that_left():
    studio = Studio()
    frames = []
    for index in range(12):
        start = index * 4.0
        frames += encode_pictures(2.0, keys_at={0}, size=(160, 90), start=start)
    window, _ = on_air(frames, studio)
    playlist = media_playlist(window, OPUS)
    first = FIRST // 60 % DISCONTINUITIES_FIRST_MAX
    before = first + int(value(playlist, "EXT-X-MEDIA-SEQUENCE")) - FIRST - 1
    listed = playlist.count("#EXT-X-DISCONTINUITY\n")
    assert int(value(playlist, "EXT-X-DISCONTINUITY-SEQUENCE")) == before
    assert listed == len(window.listed(OPUS))


def test_an_ended_stream_says_so_and_hints_at_nothing():
    window, _ = on_air()
    window.end()
    playlist = media_playlist(window, OPUS)
    assert playlist.endswith("#EXT-X-ENDLIST\n")
    assert "PRELOAD-HINT" not in playlist
    assert sum(duration for duration, _ in segments(playlist)) == pytest.approx(12.0, abs=0.01)


def test_the_multivariant_playlist_names_opus_first_and_both_codecs():
    window, _ = on_air()
    text = multivariant_playlist(window)
    assert text.index("opus/index.m3u8") < text.index("aac/index.m3u8")
    assert re.search(r'CODECS="avc1\.42c0[0-9a-f]{2},opus",RESOLUTION=320x180', text)
    assert re.search(r'CODECS="avc1\.42c0[0-9a-f]{2},mp4a\.40\.2"', text)
    assert multivariant_playlist(HlsStream(lambda ticks: 0, lambda now: None)) == ""
