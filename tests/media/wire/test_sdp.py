"""Offers: those of browsers and encoders are answered, all others are refused with a reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.errors import SdpRefused
from livecommerce.media.ingest.host import HostPlan
from livecommerce.media.ingest.source import PICTURE, SOUND
from livecommerce.media.wire import sdp
from livecommerce.media.wire.sdp import Fingerprint

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
HEAD = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
TRANSPORT = ["a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl", f"a=fingerprint:{FINGERPRINT}", "a=setup:actpass"]
AUDIO = ["m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "a=mid:0", "a=sendonly", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2"]
VIDEO = [
    "m=video 9 UDP/TLS/RTP/SAVPF 96 102 103 104",
    "a=mid:1",
    "a=sendonly",
    "a=rtcp-mux",
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:102 H264/90000",
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    "a=rtcp-fb:102 transport-cc",
    "a=rtcp-fb:102 nack",
    "a=rtcp-fb:102 nack pli",
    "a=rtpmap:103 rtx/90000",
    "a=fmtp:103 apt=102",
    "a=rtpmap:104 H264/90000",
    "a=fmtp:104 packetization-mode=1;profile-level-id=640c1f",
]
LOCAL = sdp.Local("ours", "password", Fingerprint("sha-256", "CD"), "passive", ("1 1 udp 1 192.0.2.1 8189 typ host",))


def offer(*parts: list[str]) -> str:
    return "\r\n".join(line for part in parts for line in part) + "\r\n"


GOOD = offer(HEAD, AUDIO, TRANSPORT, VIDEO)


def without(text: str, pattern: str) -> str:
    return "\r\n".join(line for line in text.split("\r\n") if not re.match(pattern, line))


class TestAnswer:
    def test_a_browsers_offer_is_answered_in_its_order_with_one_codec_each(self) -> None:
        parsed = sdp.parse_offer(GOOD)
        plan = HostPlan(parsed, 2_500)
        answer = sdp.write_answer(parsed, plan.answered, LOCAL, "7")
        assert re.findall(r"^m=(\S+) (\d+) \S+ (.*)\r$", answer, re.M) == [
            ("audio", "9", "111"),
            ("video", "9", "102 103"),
        ]
        assert "a=group:BUNDLE 0 1\r\n" in answer
        assert answer.count("a=setup:passive") == 2
        assert answer.count("a=candidate:") == 1
        assert "a=ice-lite\r\n" in answer
        assert "b=AS:2700" in answer
        assert plan.sequence_extension == 3
        assert plan.sources == {111: SOUND, 102: PICTURE}
        assert plan.retransmissions == {103: 102}

    def test_a_codecs_parameters_may_come_before_its_name_as_firefox_writes_them(self) -> None:
        names = [line for line in VIDEO if line.startswith("a=rtpmap:")]
        turned = [line for line in VIDEO if line not in names] + names
        parsed = sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, turned))
        known = sdp.parse_offer(GOOD)
        assert parsed.video is not None
        assert known.video is not None
        assert parsed.video.codecs == known.video.codecs
        assert HostPlan(parsed, 2_500).retransmissions == {103: 102}

    @pytest.mark.parametrize(("more", "is_used"), [(["a=bundle-only"], True), ([], False)])
    def test_port_0_refuses_a_section_except_within_a_bundle(self, more: list[str], is_used: bool) -> None:
        parsed = sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, [VIDEO[0].replace(" 9 ", " 0 "), *more, *VIDEO[1:]]))
        assert (parsed.video is not None) is is_used
        answer = sdp.write_answer(parsed, HostPlan(parsed, 2_500).answered, LOCAL, "7")
        assert ("m=video 9 " in answer) is is_used
        assert ("a=group:BUNDLE 0 1\r\n" in answer) is is_used

    def test_a_data_channel_is_declined_not_fatal(self) -> None:
        text = GOOD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n"
        parsed = sdp.parse_offer(text)
        answer = sdp.write_answer(parsed, HostPlan(parsed, 2_500).answered, LOCAL, "7")
        assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in answer
        assert "a=group:BUNDLE 0 1\r\n" in answer

    def test_candidates_are_udp_before_tcp(self) -> None:
        lines = sdp.candidate_lines(["192.0.2.1", "2001:db8::1"], 8189, tcp_port=8189)
        assert [line.split()[2] for line in lines] == ["udp", "udp", "tcp", "tcp"]
        priorities = [int(line.split()[3]) for line in lines]
        assert priorities == sorted(priorities, reverse=True)
        assert lines[2].endswith("tcptype passive")


LAYERED = [
    *VIDEO,
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
]


class TestSimulcast:
    @pytest.mark.parametrize(
        ("lines", "layers"),
        [
            (["a=rid:l send", "a=rid:m send", "a=rid:h send", "a=simulcast:send l;m;h"], ("l", "m", "h")),
            (["a=simulcast:send 0;1", "a=rid:0 send", "a=rid:1 send"], ("0", "1")),
            (["a=rid:a send pt=102", "a=rid:b send max-width=640", "a=simulcast:recv x send a,b;~b"], ("a", "b")),
            ([f"a=rid:{rid} send" for rid in "abcde"] + ["a=simulcast:send a;b;c;d;e"], ("a", "b", "c")),
            (["a=rid:h send", "a=simulcast:send h"], ()),
            (["a=rid:l send", "a=rid:h send"], ()),
            (["a=rid:l recv", "a=rid:h recv", "a=simulcast:recv l;h"], ()),
            (["a=simulcast:send l;h"], ()),
            (["a=rid:l send", "a=rid:l send", "a=simulcast:send l;l"], ()),
            (["a=rid:l send", "a=rid:h send", "a=simulcast:send"], ()),
            (["a=rid:l\tx send", "a=rid:h send", "a=simulcast:send l\tx;h"], ()),
        ],
        ids=str,
    )
    def test_layers_are_answered_as_many_as_we_take(self, lines: list[str], layers: tuple[str, ...]) -> None:
        parsed = sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, LAYERED, lines))
        plan = HostPlan(parsed, 2_500)
        answer = sdp.write_answer(parsed, plan.answered, LOCAL, "7")
        assert plan.layers == layers
        assert re.findall(r"^a=rid:(\S+) recv\r$", answer, re.M) == list(layers)
        assert (f"a=simulcast:recv {';'.join(layers)}\r\n" in answer) is bool(layers)
        assert ("a=extmap:10 " in answer, "a=extmap:11 " in answer) == (bool(layers), bool(layers))

    def test_all_layers_together_may_be_more_than_one_picture(self) -> None:
        lines = ["a=rid:l send", "a=rid:h send", "a=simulcast:send l;h"]
        parsed = sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, LAYERED, lines))
        answer = sdp.write_answer(parsed, HostPlan(parsed, 2_000).answered, LOCAL, "7")
        assert "b=AS:2800" in answer
        assert "x-google-max-bitrate=2600" in answer

    def test_without_a_way_to_tell_them_apart_there_are_no_layers(self) -> None:
        lines = ["a=rid:l send", "a=rid:h send", "a=simulcast:send l;h"]
        plan = HostPlan(sdp.parse_offer(offer(HEAD, AUDIO, TRANSPORT, VIDEO, lines)), 2_500)
        assert plan.layers == ()


REFUSED = {
    "empty": ("", "v=0"),
    "html": ("<html>", "v=0"),
    "no media": (offer(HEAD, TRANSPORT), "neither a video nor an audio"),
    "two videos": (GOOD + offer(VIDEO), "more than one video"),
    "no ICE user": (without(GOOD, "a=ice-ufrag"), "ICE credentials"),
    "short ICE password": (GOOD.replace("0123456789abcdefghijkl", "short"), "ICE credentials"),
    "hostile ICE user": (GOOD.replace("a=ice-ufrag:abcd", "a=ice-ufrag:ab\tcd"), "ICE credentials"),
    "no fingerprint": (without(GOOD, "a=fingerprint"), "fingerprint"),
    "old fingerprint": (GOOD.replace("sha-256", "md5"), "fingerprint"),
    "no role": (without(GOOD, "a=setup"), "DTLS role"),
    "one name for both": (GOOD.replace("a=mid:1", "a=mid:0"), "same name"),
    "plain RTP": (GOOD.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "WebRTC"),
    "damaged m-line": (GOOD.replace("m=video 9", "m=video"), "damaged m="),
    "too long": ("v=0\r\n" + "a=x\r\n" * 20_000, "64 KiB"),
    "too many lines": ("v=0\r\n" + "a=\r\n" * 2_500, "2,000 lines"),
    "too many sections": ("v=0\r\n" + "m=audio 0 X 0\r\n" * 17, "16 media sections"),
}
REFUSED_HOSTS = {
    "VP8 only": (without(GOOD, "a=(rtpmap|fmtp|rtcp-fb):10[2-4]"), "VP8, but no H.264"),
    "packetization-mode 2": (GOOD.replace("packetization-mode=1", "packetization-mode=2"), "no H.264"),
    "G.711 only": (without(GOOD, "a=rtpmap:111"), "no Opus"),
    "sends nothing": (GOOD.replace("a=sendonly", "a=recvonly"), "sends nothing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_unusable_offers_are_refused_with_the_reason(name: str) -> None:
    text, reason = REFUSED[name]
    with pytest.raises(SdpRefused, match=re.escape(reason)):
        sdp.parse_offer(text)


@pytest.mark.parametrize("name", REFUSED_HOSTS)
def test_hosts_that_cannot_be_shown_everywhere_are_refused_with_the_reason(name: str) -> None:
    text, reason = REFUSED_HOSTS[name]
    with pytest.raises(SdpRefused, match=re.escape(reason)):
        HostPlan(sdp.parse_offer(text), 2_500)


def _plan(text: str) -> None:
    try:
        parsed = sdp.parse_offer(text)
        sdp.write_answer(parsed, HostPlan(parsed, 2_500).answered, LOCAL, "7")
    except SdpRefused:
        pass


@given(st.text(max_size=400))
def test_noise_is_refused(noise: str) -> None:
    _plan(noise)
    _plan("v=0\r\n" + noise)


@given(st.lists(st.tuples(st.integers(0, 40), st.text(max_size=12)), max_size=8))
def test_a_damaged_offer_is_answered_or_refused(damages: list[tuple[int, str]]) -> None:
    lines = GOOD.split("\r\n")
    for place, junk in damages:
        line = lines[place % len(lines)]
        lines[place % len(lines)] = line[: len(line) // 2] + junk
    _plan("\r\n".join(lines))


@given(st.text(max_size=200))
def test_an_answer_never_repeats_what_the_offer_smuggled_in(junk: str) -> None:
    """A mid or codec line cannot bring a new line into our answer."""
    text = GOOD.replace("a=mid:0", "a=mid:0" + junk.replace("\r", "").replace("\n", ""))
    try:
        parsed = sdp.parse_offer(text)
        answer = sdp.write_answer(parsed, HostPlan(parsed, 2_500).answered, LOCAL, "7")
    except SdpRefused:
        return
    assert answer.count("m=audio") + answer.count("m=video") >= 2
    assert all(re.match(r"[a-z]=", line) for line in answer.split("\r\n")[:-1])


def test_fragments() -> None:
    text = "a=ice-ufrag:efgh\r\na=ice-pwd:0123456789abcdefghijkl\r\na=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n"
    assert sdp.parse_fragment(text).ice_username == "efgh"
    with pytest.raises(SdpRefused):
        sdp.parse_fragment("a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n")
