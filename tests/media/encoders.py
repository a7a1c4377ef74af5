"""Pictures as encoders really write them (x264, 64 by 64), kept in encoder_pictures.json, and the packets they make.

`aud_first`, `sei_first`: each picture begins with a delimiter, or with timing. `sets_in_the_first_keyframe_alone`,
`sets_in_sdp_alone`: what its name says; the second keyframe, picture 4, is an IDR and nothing else. `sps_without_idr`:
parameter sets before picture 2, which is a P. `intra_refresh`: one IDR, then recovery points before pictures 8 and 16.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av

from livecommerce.media.packaging.access_units import nal_units
from livecommerce.media.wire import rtp
from tests.media.crowd import CrowdViewer

FRAME = 3_000
Picture = list[bytes]
_KEPT: dict[str, Any] = json.loads((Path(__file__).parent / "encoder_pictures.json").read_text("ascii"))


def _pictures(kept: list[list[str]]) -> list[Picture]:
    return [[bytes.fromhex(unit) for unit in picture] for picture in kept]


# Those of `sets_in_sdp_alone` come without; `SDP_SETS` are what its SDP says.
SDP_SETS = tuple(bytes.fromhex(unit) for unit in _KEPT["sets_in_sdp_alone"]["sets"])
PICTURES: dict[str, list[Picture]] = {
    name: _pictures(kept["pictures"] if isinstance(kept, dict) else kept) for name, kept in _KEPT.items()
}
# By which a second keyframe can be entered.
ENTERABLE = ("aud_first", "sei_first", "sets_in_the_first_keyframe_alone", "sets_in_sdp_alone")
SECOND_KEY = 4


class Camera:
    """Numbers and times of one encoder's packets: each NAL unit is one, as its pictures are small."""

    def __init__(self, sequence: int = 1_000, timestamp: int = 90_000, ssrc: int = 9) -> None:
        self.sequence, self.timestamp, self.ssrc = sequence, timestamp, ssrc

    def packets(self, picture: Picture) -> list[rtp.RtpPacket]:
        """The next picture, a thirtieth of a second after the one before."""
        found = []
        for index, unit in enumerate(picture):
            is_last = index == len(picture) - 1
            header = (102, is_last, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
            found.append(rtp.RtpPacket(*header, unit, 0, b""))
            self.sequence += 1
        self.timestamp += FRAME
        return found


def decoded(viewer: CrowdViewer) -> int:
    """Pictures that a decoder makes of what the viewer got, from its first packet on; a broken one raises."""
    viewer.look()
    decoder = av.CodecContext.create("h264", "r")
    count, pending = 0, b""
    for number in sorted(viewer.opened):
        packet = viewer.opened[number]
        for unit in nal_units([packet.payload]) or []:
            pending += b"\0\0\0\1" + unit
        if packet.marker:
            count += len(decoder.decode(av.Packet(pending)))
            pending = b""
    return count + len(decoder.decode(None))
