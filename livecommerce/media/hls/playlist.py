"""Playlists of a window (RFC 8216bis section 4.4): text out of what the window holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from livecommerce.media.hls.window import AAC, OPUS, PART_TICKS, TARGET_SECONDS, HlsStream, Segment
from livecommerce.media.packaging.fragmented_mp4 import codec_name
from livecommerce.media.wire import h264
from livecommerce.media.wire.rtp import VIDEO_CLOCK

# Three parts are the least that the standard asks for (section 4.4.3.8), and the rest is for the way.
PART_HOLD_BACK_SECONDS = 1.2
# Finished segments at the live edge whose parts are listed too: those further than three target durations from the
# end are to leave (section 4.4.4.9).
SEGMENTS_WITH_PARTS = 3
_SOUND_CODECS = {OPUS: "opus", AAC: "mp4a.40.2"}


def media_playlist(window: HlsStream, variant: str) -> str:
    """The media playlist (RFC 8216bis section 4.4.3)."""
    listed = window.listed(variant)
    first = listed[0].number if listed else window.next_number
    dropped = sum(segment.is_discontinuous for segment in window.segments if segment.number < first)
    control = f"CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={PART_HOLD_BACK_SECONDS},HOLD-BACK={3 * TARGET_SECONDS}"
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        f"#EXT-X-TARGETDURATION:{TARGET_SECONDS}",
        f"#EXT-X-SERVER-CONTROL:{control}",
        f"#EXT-X-PART-INF:PART-TARGET={PART_TICKS / VIDEO_CLOCK:.3f}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{window.discontinuities + dropped}",
    ]
    previous = ""
    for index, segment in enumerate(listed):
        if segment.is_discontinuous:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.initialization != previous:
            lines.append(f'#EXT-X-MAP:URI="{segment.initialization}"')
            previous = segment.initialization
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date(segment.wall_ms)}")
        if index >= len(listed) - 1 - SEGMENTS_WITH_PARTS:
            lines += _part_lines(segment)
        if segment.is_done:
            lines += [f"#EXTINF:{segment.ticks / VIDEO_CLOCK:.5f},", f"{segment.number}.m4s"]
    if window.is_ended:
        lines.append("#EXT-X-ENDLIST")
    elif listed:
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{_hint(listed[-1])}"')
    return "\n".join(lines) + "\n"


def _hint(last: Segment) -> str:
    return f"{last.number + 1}.0.m4s" if last.is_done else f"{last.number}.{len(last.parts)}.m4s"


def multivariant_playlist(window: HlsStream) -> str:
    """The multivariant playlist, Opus first. Empty before the first picture."""
    if window.parameters is None:
        return ""
    picture = h264.parse_sequence_parameters(window.parameters.sequence[0])
    lines = ["#EXTM3U", "#EXT-X-VERSION:9"]
    for variant in (OPUS, AAC):
        rate = max((_rate(segment, OPUS) for segment in window.segments if segment.parts), default=0)
        attributes = [
            f"BANDWIDTH={max(rate, 200_000) + 128_000 * (variant == AAC)}",
            f'CODECS="{codec_name(window.parameters)},{_SOUND_CODECS[variant]}"',
        ]
        if picture is not None:
            attributes.append(f"RESOLUTION={picture.width}x{picture.height}")
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", f"{variant}/index.m3u8"]
    return "\n".join(lines) + "\n"


def _part_lines(segment: Segment) -> Iterable[str]:
    for index, part in enumerate(segment.parts):
        independent = ",INDEPENDENT=YES" if part.is_independent else ""
        yield f'#EXT-X-PART:DURATION={part.ticks / VIDEO_CLOCK:.5f},URI="{segment.number}.{index}.m4s"{independent}'


def _rate(segment: Segment, variant: str) -> int:
    """Bits per second of a segment."""
    octets = sum(len(part.bodies.get(variant, b"")) for part in segment.parts)
    return octets * 8 * VIDEO_CLOCK // max(1, segment.ticks)


def _date(wall_ms: int) -> str:
    moment = datetime.fromtimestamp(wall_ms / 1_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1_000:03d}Z"
