"""One layer of a show's picture: its track, who gets it, when its keyframe was asked for, and what it measures.

A host without simulcast feeds one layer; one with it feeds up to three, each known by its rid (RFC 8852).
"""

from __future__ import annotations

import asyncio
from typing import Any

from livecommerce.media.ingest.hints import KEYFRAME_AGE_SECONDS, KEYFRAME_WAIT_SECONDS
from livecommerce.media.ingest.source import SourceName
from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.transport.udp import Socket
from livecommerce.media.viewers.ladder import Rung

# One keyframe a second and layer serves all who asked meanwhile: it costs ten times a normal frame.
KEYFRAME_REQUEST_SECONDS = 1.0
# An encoder under pressure drops a layer without a word; a shared screen at rest still sends a frame a second.
ALIVE_SECONDS = 1.2
# Pictures that come, and none to enter by for so long: that is no first picture that was lost.
CLOSED_SECONDS = 5.0
# Of the rate that decides about layers: one large keyframe in a second must not look like a new rate.
NEW_SHARE = 0.3


class Layer:
    """One layer of the picture.

    Attributes:
        source: by which name the present host feeds it; None where it does not.
        sounds: sound lanes of those who get this layer, so that sounds can travel with its pictures.
        opened: the keyframe (its first packet's number) by which those who waited were let in last.
        entered: no live packet below this number is sent on: lanes that changed to this layer here have used the
            indices below for another one. Those who miss such a packet ask for it.
        keyframe_wanted_since: when somebody asked for the keyframe that has not come yet.
        keyframe_slow_at: when the last one came that somebody had waited long for.
    """

    def __init__(self, track: Track, sound: Track, socket_: Socket) -> None:
        self.source: SourceName | None = None
        self.track = track
        self.fan_out = FanOut(track, socket_)
        self.sounds = FanOut(sound, socket_)
        self.opened = -1
        self.entered = 0
        self.heard_at = self.fed_since = float("-inf")
        self.keyframe_asked_at = float("-inf")
        self.keyframe_wanted_since: float | None = None
        self.keyframe_slow_at: float | None = None
        self.flush_timer: asyncio.TimerHandle | None = None
        self.kbps = self.usual_kbps = 0.0
        self.frames_per_second = 0.0
        self._window = (0, 0)

    @property
    def rid(self) -> str:
        """The host's name for it; empty where the picture has one layer only."""
        return self.source.rid if self.source is not None else ""

    @property
    def height(self) -> int:
        """Lines of the picture, 0 before the first keyframe."""
        return self.track.picture.height if self.track.picture is not None else 0

    def feed(self, source: SourceName | None, now: float) -> None:
        """Another host, or none, feeds this layer from now on."""
        self.source, self.fed_since = source, now
        self.heard_at = float("-inf")

    def note(self, now: float) -> None:
        self.heard_at = now

    def take_pending(self, now: float) -> list[CanonicalPacket]:
        if self.flush_timer is not None:
            self.flush_timer.cancel()
            self.flush_timer = None
        return self.track.flush(now)

    def live(self, packets: list[CanonicalPacket]) -> list[CanonicalPacket]:
        """Those of the flushed packets that may be sent to all live lanes."""
        if not packets or packets[0].number >= self.entered:
            return packets
        return [packet for packet in packets if packet.number >= self.entered]

    def is_alive(self, newest_at: float) -> bool:
        """Fed with pictures that can be entered, lately (`newest_at`: when any layer was last heard)."""
        return (
            self.source is not None
            and self.track.keyframe_at >= self.fed_since
            and newest_at - self.heard_at < ALIVE_SECONDS
        )

    def is_flowing(self, now: float) -> bool:
        """Pictures come, whether they can be entered or not."""
        return self.source is not None and now - self.heard_at < ALIVE_SECONDS

    def is_closed(self, now: float) -> bool:
        """Pictures come, and nobody can enter: they never could, or the encoder is deaf and its last keyframe gone."""
        if not self.is_flowing(now):
            return False
        begun_at, wanted_since = self.track.source_at, self.keyframe_wanted_since
        if self.track.lacks_keyframe():
            return begun_at is not None and now - begun_at > CLOSED_SECONDS
        is_deaf = wanted_since is not None and now - wanted_since > KEYFRAME_AGE_SECONDS
        return is_deaf and not self.track.has_keyframe()

    @property
    def rung(self) -> Rung:
        return Rung(self.rid, self.height, self.usual_kbps)

    def measure(self, elapsed: float) -> None:
        """Rates since the last call, `elapsed` seconds ago."""
        octets, pictures = self._window
        self.kbps = (self.track.octet_count - octets) * 0.008 / elapsed
        self.frames_per_second = (self.track.pictures - pictures) / elapsed
        self.usual_kbps += (self.kbps - self.usual_kbps) * (NEW_SHARE if self.usual_kbps else 1.0)
        self._window = (self.track.octet_count, self.track.pictures)

    def may_ask(self, now: float, *, can_ask: bool) -> bool:
        """Notes that a keyframe is wanted. True, once a second, where the host is to be asked for it now."""
        if self.keyframe_wanted_since is None:
            self.keyframe_wanted_since = now
        if not can_ask or now - self.keyframe_asked_at < KEYFRAME_REQUEST_SECONDS:
            return False
        self.keyframe_asked_at = now
        return True

    def note_keyframe(self) -> None:
        """A keyframe younger than the last request satisfies all who asked."""
        wanted, came_at = self.keyframe_wanted_since, self.track.keyframe_at
        if wanted is None or came_at <= self.keyframe_asked_at:
            return
        if came_at - wanted > KEYFRAME_WAIT_SECONDS:
            self.keyframe_slow_at = came_at
        self.keyframe_wanted_since = None

    def statistics(self) -> dict[str, Any]:
        """Figures of this layer: size in pixels, kbit/s, frames and viewers."""
        picture = self.track.picture
        return {
            "rid": self.rid,
            "width": picture.width if picture is not None else 0,
            "height": self.height,
            "kbps": round(self.kbps),
            "fps": round(self.frames_per_second),
            "viewers": self.fan_out.lane_count,
        }
