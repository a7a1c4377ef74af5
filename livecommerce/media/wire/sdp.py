"""SDP (RFC 8866) as far as WHIP and WHEP need it: an offer becomes an `Offer`, chosen codecs become an answer. Pure.

Whatever cannot be used is refused with a reason that names the line, before any state exists for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes

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
DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}


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


def _section(value: str) -> Section:
    parts = value.split()
    if len(parts) < 4 or not parts[1].partition("/")[0].isdigit():
        raise SdpRefused("The offer has a damaged m= line.")
    kind, port, protocol, *formats = parts
    numbers = [int(word) for word in formats if word.isdigit() and int(word) < 128]
    return Section(kind, protocol, int(port.partition("/")[0][:6]), numbers)


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name.lower(): value for name, _, value in pairs if name}


def _codec_line(section: Section, name: str, value: str) -> None:
    number, _, rest = value.partition(" ")
    if name == "rtcp-fb" and number == "*":
        for codec in section.codecs.values():
            codec.feedback.add(rest.strip())
        return
    if not number.isdigit() or int(number) not in section.payload_types:
        return
    if name == "rtpmap":
        coding, _, tail = rest.partition("/")
        clock, _, channels = tail.partition("/")
        if clock.isdigit() and len(clock) < 8:
            section.codecs[int(number)] = Codec(
                int(number), coding.upper(), int(clock), int(channels) if channels in ("1", "2") else 1
            )
    elif (known := section.codecs.get(int(number))) is not None:
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
        identity, _, uri = value.partition(" ")
        identity = identity.partition("/")[0]
        if identity.isdigit() and 0 < int(identity) < 15:
            section.extensions[uri.split(" ")[0].strip()] = int(identity)
    elif name == "rid":
        word, _, rest = value.partition(" ")
        if rest.startswith("send") and len(section.rids) < RIDS_MAX and re.fullmatch(r"[A-Za-z0-9_-]{1,16}", word):
            section.rids.append(word)
    elif name == "simulcast":
        section.simulcast = _simulcast(value)


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
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "v=0":
        raise SdpRefused("The body is not an SDP offer: it does not begin with v=0.")
    if len(lines) > LINES_MAX:
        raise SdpRefused("The offer has more than 2,000 lines.")
    return [(line[0], line[2:]) for line in lines if len(line) > 2 and line[1] == "="]


def parse_offer(text: str) -> Offer:
    """Reads an offer.

    Raises:
        SdpRefused: with the reason, where it is garbage or lacks what a WebRTC transport needs.
    """
    sections: list[Section] = []
    transport = _Transport()
    # Firefox writes a codec's parameters before its name (a=fmtp before a=rtpmap), so these wait for the end.
    about_codecs: list[tuple[Section, str, str]] = []
    for kind, value in _lines(text):
        if kind == "m":
            if len(sections) >= SECTIONS_MAX:
                raise SdpRefused("The offer has more than 16 media sections.")
            sections.append(_section(value))
        elif kind == "a":
            name, _, rest = value.partition(":")
            transport.take(name, rest)
            if sections and name in ("fmtp", "rtcp-fb"):
                about_codecs.append((sections[-1], name, rest))
            elif sections:
                _attribute(sections[-1], name.strip(), rest)
    for section, name, value in about_codecs:
        _codec_line(section, name, value)
    return _checked(sections, transport)


def _checked(sections: list[Section], transport: _Transport) -> Offer:
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
    )


def _profile_rank(profile: str) -> int:
    """Constrained baseline first, plain baseline after it; anything else cannot be decoded everywhere."""
    if not re.fullmatch(r"[0-9a-fA-F]{6}", profile) or profile[:2] != "42":
        return 9
    return 0 if int(profile[2:4], 16) & 0x40 else 1


def choose_video(section: Section) -> Codec:
    """The H.264 payload every browser decodes: packetization-mode 1, (constrained) baseline.

    Raises:
        SdpRefused: where there is none; names what was offered.
    """
    usable = [
        (rank, section.payload_types.index(codec.payload_type), codec)
        for codec in section.codecs.values()
        if codec.name == "H264"
        and codec.clock == VIDEO_CLOCK
        and codec.parameters.get("packetization-mode", "0") == "1"
        and (rank := _profile_rank(codec.parameters.get("profile-level-id", "42e01f"))) < 9
    ]
    if not usable:
        names = ", ".join(sorted({codec.name for codec in section.codecs.values()})) or "nothing"
        raise SdpRefused(
            f"The video section offers {names[:120]} but no H.264 constrained baseline with packetization-mode 1. "
            "In OBS choose x264 with profile baseline."
        )
    return min(usable, key=lambda entry: entry[:2])[2]


def choose_audio(section: Section) -> Codec:
    """Opus, 48 kHz.

    Raises:
        SdpRefused: where there is none.
    """
    for number in section.payload_types:
        codec = section.codecs.get(number)
        if codec is not None and codec.name == "OPUS" and codec.clock == AUDIO_CLOCK:
            return codec
    raise SdpRefused("The audio section offers no Opus.")


def retransmission_of(section: Section, codec: Codec) -> Codec | None:
    """The RTX payload (RFC 4588) for a codec, where offered."""
    for candidate in section.codecs.values():
        if candidate.name == "RTX" and candidate.parameters.get("apt") == str(codec.payload_type):
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
    if bundle:
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
