"""SDP (RFC 8866) as far as WHIP and WHEP need it: an offer becomes an `Offer`, chosen codecs become an answer. Pure.

Whatever cannot be used is refused with a reason that names the line, before any state exists for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from livecommerce.media.errors import SdpRefused
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

# A Chromium offer with every codec is about 9 KB; OBS sends 2 KB.
OFFER_BYTES_MAX = 64 * 1024
LINES_MAX = 2_000
SECTIONS_MAX = 16
# Three sizes serve every page and line there is; an offer may name more, of which the first ones are taken.
LAYERS_MAX, RIDS_MAX = 3, 8

TRANSPORT_SEQUENCE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MEDIA_ID = "urn:ietf:params:rtp-hdrext:sdes:mid"
LAYER_ID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_LAYER_ID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

# RFC 8839 section 5.4: ice-char; a user name has 4 to 256 of them, a password 22 to 256.
_ICE_WORD = re.compile(r"[A-Za-z0-9+/]{4,256}")
_ICE_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")


# Of certificates, by their names in a=fingerprint (RFC 8122 section 5); weaker ones are as good as none.
DIGESTS: dict[str, str] = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
# H.264 profiles that every browser decodes, by profile_idc: the first ones also on old phones without hardware.
PROFILES: dict[str, int] = {"42": 1, "4d": 2, "64": 3}
# With the marker set, these are what RTCP packets begin with on the same port (RFC 5761 section 4).
CONTROL_TYPES = range(64, 96)
PORT_MAX, PAYLOAD_TYPE_MAX, EXTENSION_ID_MAX, CLOCK_MAX = 65_535, 127, 14, 9_999_999
_LINE = re.compile(r"([a-z])\s*=[ \t]*(.+)")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`a=fingerprint` of an SDP (RFC 8122): lower-case algorithm and upper-case hex with colons."""

    algorithm: str
    value: str


@dataclass(slots=True)
class Codec:
    """One payload type of an m-line."""

    payload_type: int
    name: str
    clock: int
    channels: int = 1
    parameters: dict[str, str] = field(default_factory=dict)
    feedback: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Section:
    """One m-line with its attributes. `extensions` maps URI to id.

    `is_bundle_only`: port 0 means "within the bundle or not at all", not "refused" (RFC 9143 section 6); Firefox offers
    all but the first section so.
    """

    kind: str
    protocol: str
    port: int
    payload_types: list[int]
    mid: str = ""
    direction: str = "sendrecv"
    codecs: dict[int, Codec] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    rids: list[str] = field(default_factory=list)
    simulcast: list[str] = field(default_factory=list)
    has_layers_by_ssrc: bool = False
    has_rtcp_mux: bool = False
    is_bundle_only: bool = False

    @property
    def layers(self) -> tuple[str, ...]:
        """The rids of an offered simulcast (RFC 8853), as many as we take; empty for a plain picture."""
        found = [rid for rid in self.simulcast if rid in self.rids][:LAYERS_MAX]
        return tuple(dict.fromkeys(found)) if len(set(found)) > 1 and LAYER_ID in self.extensions else ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A usable offer: one ICE and DTLS transport, at most one video and one audio section.

    Attributes:
        sections: all m-lines in order; those that are neither `video` nor `audio` are answered with port 0.
        setup: the offerer's DTLS role: actpass, active or passive.
    """

    sections: tuple[Section, ...]
    video: Section | None
    audio: Section | None
    ice_username: str
    ice_password: str = field(repr=False)
    fingerprints: tuple[Fingerprint, ...]
    setup: str
    has_bundle: bool = True


def number_of(text: str, most: int) -> int | None:
    """A whole number from 0 to `most` in ASCII digits; None for anything else (`²` is a digit to Python, and five
    thousand digits are a number)."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)):
        return None
    return number if (number := int(text)) <= most else None


def _section(value: str) -> Section:
    parts = value.split()
    port = number_of(parts[1].partition("/")[0], PORT_MAX) if len(parts) >= 4 else None
    if port is None:
        raise SdpRefused("The offer has a damaged m= line.")
    kind, _, protocol, *formats = parts
    numbers = [number for word in formats if (number := number_of(word, PAYLOAD_TYPE_MAX)) is not None]
    return Section(kind, protocol, port, numbers)


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _codec_line(section: Section, name: str, value: str) -> None:
    word, _, rest = value.strip().partition(" ")
    if name == "rtcp-fb" and word == "*":
        for codec in section.codecs.values():
            codec.feedback.add(rest.strip())
        return
    number = number_of(word, PAYLOAD_TYPE_MAX)
    if number is None or number not in section.payload_types:
        return
    if name == "rtpmap":
        coding, _, tail = rest.strip().partition("/")
        clock_word, _, channels = tail.partition("/")
        if (clock := number_of(clock_word.strip(), CLOCK_MAX)) is not None:
            section.codecs[number] = Codec(number, coding.upper(), clock, 2 if channels.strip() == "2" else 1)
    elif (known := section.codecs.get(number)) is not None:
        if name == "fmtp":
            known.parameters.update(_parameters(rest))
        else:
            known.feedback.add(rest.strip())


def _attribute(section: Section, name: str, value: str) -> None:
    if name == "rtpmap":
        _codec_line(section, name, value)
    elif name in ("sendrecv", "sendonly", "recvonly", "inactive"):
        section.direction = name
    elif name == "mid":
        section.mid = value.strip()[:64]
    elif name == "rtcp-mux":
        section.has_rtcp_mux = True
    elif name == "bundle-only":
        section.is_bundle_only = True
    elif name == "extmap":
        word, _, uri = value.strip().partition(" ")
        if identity := number_of(word.partition("/")[0], EXTENSION_ID_MAX):
            section.extensions[uri.strip().split(" ")[0]] = identity
    elif name == "rid":
        word, _, rest = value.partition(" ")
        if rest.startswith("send") and len(section.rids) < RIDS_MAX and re.fullmatch(r"[A-Za-z0-9_-]{1,16}", word):
            section.rids.append(word)
    elif name == "simulcast":
        section.simulcast = _simulcast(value)
    elif name == "ssrc-group":
        meaning, *sources = value.split() or [""]
        section.has_layers_by_ssrc = section.has_layers_by_ssrc or (meaning.upper() == "SIM" and len(sources) > 1)


def _simulcast(value: str) -> list[str]:
    """The rids to be sent, most important first: of alternatives the first one, paused ones too (RFC 8853)."""
    words = value.split()
    if "send" not in words[:-1]:
        return []
    streams = words[words.index("send") + 1].split(";")[:RIDS_MAX]
    return [stream.partition(",")[0].lstrip("~") for stream in streams]


@dataclass(slots=True)
class _Transport:
    """ICE and DTLS attributes: of the session, or of the first m-line that has them (BUNDLE)."""

    username: str = ""
    password: str = ""
    setup: str = ""
    fingerprints: list[Fingerprint] = field(default_factory=list)

    def take(self, name: str, value: str) -> None:
        value = value.strip()
        if name == "ice-ufrag":
            self.username = self.username or value
        elif name == "ice-pwd":
            self.password = self.password or value
        elif name == "setup":
            self.setup = self.setup or value
        elif name == "fingerprint" and len(self.fingerprints) < 8:
            algorithm, _, digest = value.partition(" ")
            found = Fingerprint(algorithm.lower(), digest.strip().upper())
            if found not in self.fingerprints:
                self.fingerprints.append(found)


def _lines(text: str) -> list[tuple[str, str]]:
    if len(text) > OFFER_BYTES_MAX:
        raise SdpRefused("The offer is longer than 64 KiB.")
    # As encoders write it: a byte-order mark, blank lines, blanks at the ends and around the sign are read as meant.
    found = [line.strip() for line in text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")]
    lines = [line for line in found if line]
    if not lines or lines[0].replace(" ", "") != "v=0":
        raise SdpRefused("The body is not an SDP offer: it does not begin with v=0.")
    if len(lines) > LINES_MAX:
        raise SdpRefused("The offer has more than 2,000 lines.")
    return [(parts[1], parts[2]) for line in lines if (parts := _LINE.fullmatch(line)) is not None]


def parse_offer(text: str) -> Offer:
    """Reads an offer.

    Raises:
        SdpRefused: with the reason, where it is garbage or lacks what a WebRTC transport needs.
    """
    sections: list[Section] = []
    transport = _Transport()
    bundled: set[str] = set()
    # Firefox writes a codec's parameters before its name (a=fmtp before a=rtpmap), so these wait for the end.
    about_codecs: list[tuple[Section, str, str]] = []
    for kind, value in _lines(text):
        if kind == "m":
            if len(sections) >= SECTIONS_MAX:
                raise SdpRefused("The offer has more than 16 media sections.")
            sections.append(_section(value))
        elif kind == "a":
            name, _, rest = value.partition(":")
            name = name.strip()
            transport.take(name, rest)
            if name == "group" and rest.split()[:1] == ["BUNDLE"]:
                bundled.update(rest.split()[1:])
            elif sections and name in ("fmtp", "rtcp-fb"):
                about_codecs.append((sections[-1], name, rest))
            elif sections:
                _attribute(sections[-1], name, rest)
    for section, name, value in about_codecs:
        _codec_line(section, name, value)
    return _checked(sections, transport, bundled)


def _checked(sections: list[Section], transport: _Transport, bundled: set[str]) -> Offer:
    used: dict[str, Section] = {}
    for section in sections:
        if section.kind not in ("audio", "video") or (section.port == 0 and not section.is_bundle_only):
            continue
        if section.kind in used:
            raise SdpRefused(f"The offer has more than one {section.kind} section; send one video and one audio.")
        if "SAVPF" not in section.protocol:
            raise SdpRefused(f"The {section.kind} section is not UDP/TLS/RTP/SAVPF (WebRTC).")
        used[section.kind] = section
    if not used:
        raise SdpRefused("The offer has neither a video nor an audio section.")
    names = [section.mid for section in used.values() if section.mid]
    if len(set(names)) < len(names):
        raise SdpRefused("Picture and sound have the same name (a=mid). Give each section its own.")
    # One transport carries all: an m-line for itself would wait for a connection of its own for ever.
    has_bundle = all(section.mid in bundled for section in used.values())
    if len(used) > 1 and not has_bundle:
        raise SdpRefused(
            "The offer does not bundle picture and sound (a=group:BUNDLE). Bundle them; GStreamer: "
            "webrtcbin bundle-policy=max-bundle."
        )
    if not _ICE_WORD.fullmatch(transport.username) or not _ICE_PASSWORD.fullmatch(transport.password):
        raise SdpRefused("The offer has no usable ICE credentials (a=ice-ufrag, a=ice-pwd).")
    if not any(each.algorithm in DIGESTS for each in transport.fingerprints):
        raise SdpRefused("The offer has no DTLS fingerprint (a=fingerprint:sha-256 …).")
    if transport.setup not in ("actpass", "active", "passive"):
        raise SdpRefused("The offer has no DTLS role (a=setup:actpass).")
    return Offer(
        tuple(sections),
        used.get("video"),
        used.get("audio"),
        transport.username,
        transport.password,
        tuple(transport.fingerprints),
        transport.setup,
        has_bundle,
    )


def _profile_rank(profile: str) -> int | None:
    """Constrained baseline first, what is decoded everywhere after it; None for what some browsers cannot decode."""
    rank = PROFILES.get(profile[:2].lower()) if re.fullmatch(r"[0-9a-fA-F]{6}", profile) else None
    return 0 if rank == 1 and int(profile[2:4], 16) & 0x40 else rank


def is_single_nal(codec: Codec) -> bool:
    """Packetization mode 0, which is also what an encoder means that does not say it (RFC 6184 section 8.1)."""
    return codec.parameters.get("packetization-mode", "0") == "0"


def choose_video(section: Section, *, profile: str = "") -> Codec:
    """The H.264 payload that fits best: packetization mode 1 before 0, constrained baseline before main and high.

    Args:
        profile: profile_idc of the pictures that will come, two hex digits; a payload of it comes before all others,
            so that its label is true.

    Raises:
        SdpRefused: where there is none; names what was offered.
    """
    usable = [
        (
            codec.parameters.get("profile-level-id", "42e01f")[:2].lower() != profile if profile else False,
            is_single_nal(codec),
            rank,
            section.payload_types.index(codec.payload_type),
            codec,
        )
        for codec in section.codecs.values()
        if codec.name == "H264"
        and codec.clock == VIDEO_CLOCK
        and codec.payload_type not in CONTROL_TYPES
        and codec.parameters.get("packetization-mode", "0") in ("0", "1")
        and (rank := _profile_rank(codec.parameters.get("profile-level-id", "42e01f"))) is not None
    ]
    if usable:
        return min(usable, key=lambda entry: entry[:4])[4]
    _refuse_control_types(section, "H264")
    modes = {
        codec.parameters.get("packetization-mode", "0") for codec in section.codecs.values() if codec.name == "H264"
    }
    if modes and not modes & {"0", "1"}:
        raise SdpRefused("The video section offers no H.264 in packetization mode 0 or 1. Set packetization-mode=1.")
    names = ", ".join(sorted({codec.name for codec in section.codecs.values()})) or "nothing"
    raise SdpRefused(f"The video section offers {names[:120]}, but no H.264 of profile baseline, main or high.")


def _refuse_control_types(section: Section, name: str) -> None:
    if any(codec.name == name and codec.payload_type in CONTROL_TYPES for codec in section.codecs.values()):
        raise SdpRefused(
            f"The {section.kind} section offers {name} under a payload type from 64 to 95; those are RTCP's. "
            "Use one from 96 to 127 (RFC 5761)."
        )


def choose_audio(section: Section) -> Codec:
    """Opus, 48 kHz.

    Raises:
        SdpRefused: where there is none.
    """
    for number in section.payload_types:
        codec = section.codecs.get(number)
        is_opus = codec is not None and codec.name == "OPUS" and codec.clock == AUDIO_CLOCK
        if codec is not None and is_opus and number not in CONTROL_TYPES:
            return codec
    _refuse_control_types(section, "OPUS")
    raise SdpRefused("The audio section offers no Opus.")


def retransmission_of(section: Section, codec: Codec) -> Codec | None:
    """The RTX payload (RFC 4588) for a codec, where offered."""
    for candidate in section.codecs.values():
        is_of_codec = candidate.name == "RTX" and candidate.parameters.get("apt") == str(codec.payload_type)
        if is_of_codec and candidate.payload_type not in CONTROL_TYPES:
            return candidate
    return None


@dataclass(frozen=True, slots=True)
class Answered:
    """How one m-line is answered.

    Attributes:
        lines: attribute lines after the transport ones, without "a=".
    """

    section: Section
    codecs: tuple[Codec, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of the transport. `candidates` are values of a=candidate lines."""

    ice_username: str
    ice_password: str = field(repr=False)
    fingerprint: Fingerprint
    setup: str
    candidates: tuple[str, ...]


def candidate_lines(addresses: Sequence[str], port: int, *, tcp_port: int | None) -> tuple[str, ...]:
    """Host candidates (RFC 8839 section 5.1), UDP before TCP (RFC 6544: passive)."""
    lines = []
    for index, address in enumerate(addresses[:16]):
        preference = 65_535 - index
        # RFC 8445 section 5.1.2.1: type preference of a host candidate, local preference, 256 less component 1.
        priority = 126 << 24 | preference << 8 | 255
        lines.append(f"{index + 1} 1 udp {priority} {address} {port} typ host")
    if tcp_port is not None:
        for index, address in enumerate(addresses[:16]):
            # RFC 6544 section 4.2: direction preference 4 (passive) in the top 3 bits of the local preference.
            priority = 90 << 24 | (4 << 13 | 8_191 - index) << 8 | 255
            lines.append(f"{index + 17} 1 tcp {priority} {address} {tcp_port} typ host tcptype passive")
    return tuple(lines)


def _codec_lines(codec: Codec) -> list[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    name = {"OPUS": "opus", "RTX": "rtx"}.get(codec.name, codec.name)
    lines = [f"rtpmap:{codec.payload_type} {name}/{codec.clock}{channels}"]
    if codec.parameters:
        pairs = ";".join(f"{key}={value}" for key, value in codec.parameters.items())
        lines.append(f"fmtp:{codec.payload_type} {pairs}")
    lines.extend(f"rtcp-fb:{codec.payload_type} {feedback}" for feedback in sorted(codec.feedback))
    return lines


def write_answer(offer: Offer, answered: Sequence[Answered], local: Local, session: str) -> str:
    """The answer, m-lines in the order of the offer; those not in `answered` get port 0."""
    by_section = {id(each.section): each for each in answered}
    # The first of the group owns the transport, so the group keeps the offer's order (RFC 9143 section 7.3.1).
    bundle = " ".join(section.mid for section in offer.sections if id(section) in by_section and section.mid)
    lines = ["v=0", f"o=livecommerce {session} 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
    if bundle and offer.has_bundle:  # a group that was not offered is none (RFC 9143 section 7.3)
        lines.append(f"a=group:BUNDLE {bundle}")
    lines.append("a=msid-semantic:WMS *")
    is_first = True
    for section in offer.sections:
        chosen = by_section.get(id(section))
        if chosen is None:
            formats = " ".join(map(str, section.payload_types)) or "0"
            formats = "webrtc-datachannel" if section.kind == "application" else formats
            lines += [f"m={section.kind} 0 {section.protocol} {formats}", "c=IN IP4 0.0.0.0", "a=inactive"]
            if section.mid:
                lines.append(f"a=mid:{section.mid}")
            continue
        formats = " ".join(str(codec.payload_type) for codec in chosen.codecs)
        lines += [f"m={section.kind} 9 {section.protocol} {formats}", "c=IN IP4 0.0.0.0"]
        attributes = [f"mid:{section.mid}"] if section.mid else []
        attributes += [f"ice-ufrag:{local.ice_username}", f"ice-pwd:{local.ice_password}"]
        attributes += [f"fingerprint:{local.fingerprint.algorithm} {local.fingerprint.value}", f"setup:{local.setup}"]
        attributes += ["rtcp-mux", "rtcp-rsize"]
        for codec in chosen.codecs:
            attributes += _codec_lines(codec)
        bandwidth = [line for line in chosen.lines if line.startswith("b=")]
        lines += bandwidth
        attributes += [line for line in chosen.lines if not line.startswith("b=")]
        if is_first:  # candidates of the bundle's transport belong to its first m-line
            attributes += [f"candidate:{candidate}" for candidate in local.candidates]
            attributes.append("end-of-candidates")
            is_first = False
        lines += [f"a={attribute}" for attribute in attributes]
    return "\r\n".join(lines) + "\r\n"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A trickle-ice-sdpfrag body (RFC 8840): new credentials on restart, or only candidates."""

    ice_username: str
    ice_password: str = field(repr=False)


def parse_fragment(text: str) -> Fragment:
    """Credentials of a PATCH body. Candidates are not needed: a lite agent answers where checks come from.

    Raises:
        SdpRefused: where there are none, or they are damaged.
    """
    if len(text) > OFFER_BYTES_MAX:
        raise SdpRefused("The fragment is longer than 64 KiB.")
    transport = _Transport()
    for line in text.replace("\r\n", "\n").split("\n")[:LINES_MAX]:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            transport.take(name, value)
    if not _ICE_WORD.fullmatch(transport.username) or not _ICE_PASSWORD.fullmatch(transport.password):
        raise SdpRefused("The fragment has no ICE credentials (a=ice-ufrag, a=ice-pwd).")
    return Fragment(transport.username, transport.password)


def write_fragment(local: Local) -> str:
    """Our new credentials and candidates after an ICE restart."""
    lines = [
        "a=ice-lite",
        f"a=ice-ufrag:{local.ice_username}",
        f"a=ice-pwd:{local.ice_password}",
        *(f"a=candidate:{candidate}" for candidate in local.candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"
