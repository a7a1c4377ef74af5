"""Offers as encoders and players outside of browsers write them: read as meant, or refused so that one can mend it."""

from __future__ import annotations

import contextlib

import pytest

from livecommerce.media.errors import SdpRefused
from livecommerce.media.ingest.host import HostPlan
from livecommerce.media.wire import sdp
from tests.media.wire.test_sdp import AUDIO, GOOD, HEAD, LOCAL, TRANSPORT, VIDEO, offer

# libdatachannel 0.21, as OBS 30 has it: one payload each, session-level nothing, `sendonly` and SSRCs.
OBS = offer(
    ["v=0", "o=rtc 3767197920 0 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=group:LS 0 1",
     "a=msid-semantic:WMS *", "a=setup:actpass", "a=ice-ufrag:zWnP", "a=ice-pwd:g5RBfFC5GnUGCdmYOaHlUa",
     "a=ice-options:ice2,trickle", TRANSPORT[2]],
    ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendonly", "a=ssrc:1 cname:x",
     "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"],
    ["m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendonly", "a=ssrc:2 cname:x",
     "a=rtcp-mux", "a=rtpmap:96 H264/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 goog-remb",
     "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"],
)  # fmt: skip
# GStreamer's webrtcbin as it is made: two m-lines with a transport each, no group.
UNBUNDLED = offer(
    [line for line in HEAD if "BUNDLE" not in line], AUDIO, TRANSPORT, VIDEO,
    [line.replace("abcd", "efgh") for line in TRANSPORT],
)  # fmt: skip


def answered(text: str) -> str:
    parsed = sdp.parse_offer(text)
    return sdp.write_answer(parsed, HostPlan(parsed, 2_500).answered, LOCAL, "7")


def test_obs_is_answered() -> None:
    answer = answered(OBS)
    assert "a=rtpmap:96 H264/90000" in answer
    assert "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;maxaveragebitrate=128000" in answer, "music stays stereo"
    assert "a=group:BUNDLE 0 1\r\n" in answer


def test_picture_and_sound_on_transports_of_their_own_are_refused_with_what_to_change() -> None:
    with pytest.raises(SdpRefused, match="max-bundle"):
        sdp.parse_offer(UNBUNDLED)


def test_one_section_needs_no_group_and_is_answered_without_one() -> None:
    answer = answered(offer([line for line in HEAD if "BUNDLE" not in line], VIDEO, TRANSPORT))
    assert "BUNDLE" not in answer
    assert "m=video 9 " in answer


def of_profile(*formats: str) -> str:
    """An offer of H.264 alone, a payload for each `fmtp`."""
    numbers = range(96, 96 + len(formats))
    lines = [f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}", "a=mid:1", "a=sendonly", "a=rtcp-mux"]
    for number, one in zip(numbers, formats, strict=True):
        lines += [f"a=rtpmap:{number} H264/90000", *([f"a=fmtp:{number} {one}"] if one else [])]
    return offer(HEAD, lines, TRANSPORT)


@pytest.mark.parametrize(
    ("formats", "profile", "chosen"),
    [
        (("packetization-mode=1;profile-level-id=640c1f",), "", 96),
        (("packetization-mode=1;profile-level-id=4d001f",), "", 96),
        (("packetization-mode=0;profile-level-id=42e01f",), "", 96),
        (("",), "", 96),
        (("profile-level-id=42e01f", "packetization-mode=1;profile-level-id=640c1f"), "", 97),
        (("packetization-mode=1;profile-level-id=640c1f", "packetization-mode=1;profile-level-id=42001f"), "", 97),
        (("packetization-mode=1;profile-level-id=42001f", "packetization-mode=1;profile-level-id=42e01f"), "", 97),
        (("packetization-mode=1;profile-level-id=42e01f", "packetization-mode=1;profile-level-id=64001f"), "64", 97),
        (("packetization-mode=1;profile-level-id=42e01f",), "64", 96),
    ],
)
def test_what_every_browser_decodes_is_taken(formats: tuple[str, ...], profile: str, chosen: int) -> None:
    section = sdp.parse_offer(of_profile(*formats)).video
    assert section is not None
    assert sdp.choose_video(section, profile=profile).payload_type == chosen


@pytest.mark.parametrize("mode", ["0", "1"])
def test_the_answer_repeats_the_packetization_mode(mode: str) -> None:
    answer = answered(of_profile(f"packetization-mode={mode};profile-level-id=42e01f"))
    assert f"packetization-mode={mode};" in answer


@pytest.mark.parametrize(
    "format", ["packetization-mode=2", "packetization-mode=1;profile-level-id=f4001f", "profile-level-id=zz", "=;=1"]
)
def test_what_some_browsers_cannot_decode_is_refused(format: str) -> None:
    section = sdp.parse_offer(of_profile(format)).video
    assert section is not None
    if format == "=;=1":  # says nothing: mode 0, baseline
        assert sdp.choose_video(section).payload_type == 96
        return
    with pytest.raises(SdpRefused, match=r"no H\.264"):
        sdp.choose_video(section)


@pytest.mark.parametrize(
    "change",
    [
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus/48000/2 "),
        ("a=rtpmap:102 H264/90000", "a=rtpmap:102 H264/90000\t"),
        ("packetization-mode=1;profile-level-id=42e01f", "packetization-mode = 1 ; profile-level-id = 42e01f ;"),
        ("a=mid:0", "a = mid:0"),
        ("a=mid:1", "a=mid: 1 "),
        ("v=0", "\ufeffv=0"),
        ("v=0", "\r\n\r\nv=0"),
        ("v=0", "v= 0"),
        ("\r\n", "\n"),
        ("s=-", "s="),
    ],
    ids=repr,
)
def test_lines_a_little_off_are_read_as_meant(change: tuple[str, str]) -> None:
    plan = HostPlan(sdp.parse_offer(GOOD), 2_500)
    off = HostPlan(sdp.parse_offer(GOOD.replace(*change)), 2_500)
    assert off.sources == plan.sources
    assert off.retransmissions == plan.retransmissions


NO_NUMBERS = ["²", "١٢", "9" * 5_000, "-1", "1e3", "", "0x60", "１１１"]


@pytest.mark.parametrize("word", NO_NUMBERS, ids=lambda word: word[:8])
@pytest.mark.parametrize(
    "place",
    [
        "m=audio # UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF #", "a=rtpmap:# opus/48000/2",
        "a=rtpmap:111 opus/#/2", "a=rtpmap:111 opus/48000/#", "a=fmtp:# x=1", "a=rtcp-fb:# nack", "a=extmap:# urn:x",
    ],
)  # fmt: skip
def test_numbers_that_are_none_are_refused_or_passed_by_and_never_a_fault(place: str, word: str) -> None:
    lines = [place.replace("#", word) if line.split(":")[0].split(" ")[0] == place.split(":")[0].split(" ")[0] else line
             for line in AUDIO]  # fmt: skip
    if place.replace("#", word) not in lines:
        lines.append(place.replace("#", word))
    with contextlib.suppress(SdpRefused):
        HostPlan(sdp.parse_offer(offer(HEAD, lines, TRANSPORT, VIDEO)), 2_500)
