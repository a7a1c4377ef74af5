"""One show's stream: the host feeds canonical tracks, the tracks feed every viewer, whoever comes and goes.

States: waiting → live ⇄ lost → ended. `lost` keeps the tracks and the viewers, so that a host who comes back within a
minute resumes the same stream; `ended` lets them go. A host may send sound alone, or its camera may come and go: then
the stream is live by its sound, and `has_picture` says what pages show in the picture's place.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable
from typing import Any, Literal

from livecommerce.media.ingest.feedback import Reception
from livecommerce.media.ingest.hints import MIXED_TOLD_SECONDS, Seen, hint_of
from livecommerce.media.ingest.source import PICTURE, SOUND, Source, SourceName
from livecommerce.media.tracks.agreement import Agreement
from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.transport.udp import Socket
from livecommerce.media.viewers.audience import REQUEST_PATIENCE_SECONDS, Audience
from livecommerce.media.viewers.follower import Follower
from livecommerce.media.viewers.layer import Layer
from livecommerce.media.wire import rtp
from livecommerce.media.wire.freezes import Freezes

log = logging.getLogger(__name__)

# A frame's packets are sent together; one whose marker is late waits no longer than this.
FLUSH_SECONDS = 0.003
# As many as go into one segmented send (tracks/track.py).
FLUSH_PACKETS_MAX = 32
# From this many viewers on, sounds wait for the next picture and share its send, or are sent together: a quarter of the
# relay's work saved. A picture comes every 33 ms and takes one sound along, so that two of five go in a pair of their
# own; with less patience it would be four. Smaller audiences get each sound at once.
SHARE_VIEWERS_MIN = 64
SHARE_SECONDS = 0.035
# A host on a bad line is silent for moments; after this long its viewers and pages are told.
LOST_SECONDS = 3.0
# As long for a camera that was announced, or that stops while the sound goes on. A shared screen at rest sends a
# picture a second, and browsers send sound some tenths of a second before their first picture is whole.
PICTURE_SECONDS = LOST_SECONDS
# For a reloaded page, another network, a restarted encoder; then the stream is over.
RESUME_SECONDS = 60.0


class StreamState(enum.Enum):
    WAITING = "waiting"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


Event = dict[str, Any]


def _can_be_entered(layer: Layer) -> bool:
    """The present host has sent a picture of this layer that a decoder can begin with."""
    return layer.track.keyframe_start >= 0 and layer.track.keyframe_at >= layer.fed_since


class Stream(Audience):
    """One show on this relay.

    Args:
        on_event: called with {"state": …} on each change of state, and where the camera of a live stream comes or goes.

    Attributes:
        has_picture: a camera sends pictures that can be entered.
    """

    def __init__(self, show: str, socket_: Socket, on_event: Callable[[str, Event], None]) -> None:
        super().__init__(show, socket_)
        self.host_session = ""
        self.coming: Source | None = None  # connects, and takes over when it has
        self.state = StreamState.WAITING
        self.ended_at: float | None = None
        self.taps: list[Callable[[str, list[Any], float], None]] = []
        self.on_event = on_event
        self.followed = Follower(self.layers[0])
        self._agreement = Agreement()
        self._fed: dict[SourceName, Layer] = {}
        self._sound_timer: asyncio.TimerHandle | None = None
        self._lost_at: float | None = None
        self._taken_at = float("-inf")
        self._window: tuple[float, int] = (time.monotonic(), 0)
        self.hint = "starting"
        self.has_picture = False
        self._heard_at: float | None = None  # the first media of the present host
        self.freezes = Freezes()

    # Host side

    def set_state(self, state: StreamState, reason: str = "") -> None:
        if state is self.state:
            return
        log.info("stream %s: %s -> %s %s", self.show, self.state.value, state.value, reason)
        self.state = state
        self.on_event(self.show, self.event(reason))

    def event(self, reason: str = "") -> Event:
        """The stream event: state with what the host's pages show beside it."""
        top = self.top
        picture = top.track.picture
        return {
            "state": self.state.value,
            "reason": reason,
            "kbps": round(self.kbps + self.audio_kbps),
            "fps": round(top.frames_per_second),
            "width": picture.width if picture is not None else 0,
            "height": picture.height if picture is not None else 0,
            "hint": self.hint,
            "picture": self.has_picture,
        }

    def await_host(self, host: Source) -> None:
        """A host was accepted that shall take over when it is connected; until then the one before goes on."""
        previous, self.coming = self.coming, host
        if previous is not None:
            previous.close("replaced")

    def take_host(self, host: Source) -> None:
        """A host begins; an earlier one is let go. Viewers notice nothing but new pictures."""
        previous, self.host = self.host, host
        if self.coming is host:
            self.coming = None
        self.host_session, self._heard_at, self._agreement = host.session, None, Agreement()
        if previous is not None:
            previous.close("replaced")
        self.ended_at = None
        now = self._lost_at = self._taken_at = time.monotonic()
        self._feed(host.layers, now)
        if self.state is StreamState.ENDED:
            self.set_state(StreamState.WAITING)

    def _feed(self, rids: tuple[str, ...], now: float) -> None:
        """Gives each of the host's layers one of ours: the one of the same name, else one that is free."""
        self.tracks["video"].base.begin()
        names = [SourceName("video", rid) for rid in rids] or [PICTURE]
        known = {layer.source: layer for layer in self.layers if layer.source in names}
        free = [layer for layer in self.layers if layer not in known.values()]
        self._fed = {name: known.get(name) or (free.pop(0) if free else self.add_layer()) for name in names}
        sources = {id(layer): name for name, layer in self._fed.items()}
        for layer in self.layers:
            layer.feed(sources.get(id(layer)), now)

    def host_gone(self, host: Source, now: float) -> None:
        if self.coming is host:
            self.coming = None
        if self.host is not host:
            return
        self.host = None
        if self.state is StreamState.LIVE:
            self._lost_at = now
            self.set_state(StreamState.LOST, host.close_reason)

    def end(self, reason: str, now: float) -> None:
        """The host said goodbye, or stayed away too long."""
        host, self.host = self.host, None
        self.ended_at = now
        if host is not None:
            host.close(reason)
        self.set_state(StreamState.ENDED, reason)

    @property
    def is_watched(self) -> bool:
        return bool(self.viewers)

    def begin_source(self, source: SourceName) -> None:
        """The next packet of this source comes from another sender."""
        track = self._track(source)
        if track is not None:
            track.begin_source(self.host.parameter_sets if self.host is not None and source.kind == "video" else ())

    def note_report(self, source: SourceName, ntp: int, timestamp: int, now: float) -> None:
        track = self._track(source)
        if track is not None:
            track.note_report(ntp, timestamp, now)

    def _track(self, source: SourceName) -> Track | None:
        if source.kind == "audio":
            return self.tracks["audio"]
        layer = self._fed.get(source)
        return None if layer is None else layer.track

    def take(self, source: SourceName, packet: rtp.RtpPacket, now: float) -> None:
        """A host packet: into its track, and out as soon as its frame is complete."""
        if source.kind == "audio":
            self._take_sound(packet, now)
        elif (layer := self._fed.get(source)) is not None:
            self._take_picture(layer, packet, now)

    def _take_sound(self, packet: rtp.RtpPacket, now: float) -> None:
        track = self.tracks["audio"]
        canonical = track.take(packet, now)
        if canonical is None:
            return
        is_late, are_few = canonical.number < track.highest, self._sound_lanes < SHARE_VIEWERS_MIN
        if is_late or are_few or track.pending_count >= FLUSH_PACKETS_MAX:
            self._flush_sound()
        elif self._sound_timer is None:
            self._sound_timer = asyncio.get_running_loop().call_later(SHARE_SECONDS, self._flush_sound)
        self._note_media(now)
        if self.state is not StreamState.LIVE and self._is_sound_alone(now):
            self._set_picture(False)
            self._came_live()

    def _take_picture(self, layer: Layer, packet: rtp.RtpPacket, now: float) -> None:
        track = layer.track
        canonical = track.take(packet, now)
        if canonical is None:
            return
        layer.note(now)
        self._note_media(now)
        # Before anything of it is sent: what begins with this picture (recordings) shall have the whole of it.
        if not self.has_picture and _can_be_entered(layer):
            self._set_picture(True)
        if self.state is not StreamState.LIVE and track.keyframe_start >= 0:
            self._came_live()
        is_late = canonical.number < track.highest
        if canonical.marker or is_late or track.pending_count >= FLUSH_PACKETS_MAX:
            self._flush_picture(layer)
        elif layer.flush_timer is None:
            layer.flush_timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush_picture, layer)

    def _note_media(self, now: float) -> None:
        if self._heard_at is None:
            self._heard_at = now

    def _is_sound_alone(self, now: float) -> bool:
        """No camera is announced, or none has sent a picture for so long that it is not waited for."""
        host = self.host
        if host is None or "video" not in host.kinds:
            return True
        shown = [layer.heard_at for layer in self.layers if _can_be_entered(layer)]
        return now - max([self._heard_at or now, *shown]) > PICTURE_SECONDS

    def _set_picture(self, has_picture: bool) -> None:
        if has_picture is self.has_picture:
            return
        log.info("stream %s: %s", self.show, "a picture" if has_picture else "sound alone")
        self.has_picture = has_picture
        if self.state is StreamState.LIVE:
            if not has_picture:
                self.hint = self._health(time.monotonic())
            self.on_event(self.show, self.event())

    def _came_live(self) -> None:
        if self.host is None:
            return
        self._lost_at = None
        self.followed.look(self.alive(), time.monotonic())
        self.set_state(StreamState.LIVE)

    @property
    def _sound_lanes(self) -> int:
        return self.sounds.lane_count + sum(layer.sounds.lane_count for layer in self.layers)

    def _stop_waiting(self) -> None:
        if self._sound_timer is not None:
            self._sound_timer.cancel()
            self._sound_timer = None

    def _flush_sound(self) -> None:
        self._stop_waiting()
        now = time.monotonic()
        self._send_sounds(self.tracks["audio"].flush(now), now)

    def _take_rider(self, layer: Layer, pictures: list[CanonicalPacket], now: float) -> CanonicalPacket | None:
        """The oldest sound that waits, where these pictures can take it along; younger ones wait on.

        Sounds travel with the layer that most viewers get; for the others they are sent alone.
        """
        audio = self.tracks["audio"]
        oldest = audio.oldest_pending
        if oldest is None or layer is not max(self.layers, key=lambda each: each.fan_out.lane_count):
            return None
        if not layer.fan_out.takes(pictures, oldest[0]):
            return None
        self._stop_waiting()
        (sound,) = audio.flush(now, 1)
        if (younger := audio.oldest_pending) is not None:
            patience = max(0.0, younger[1] + SHARE_SECONDS - now)
            self._sound_timer = asyncio.get_running_loop().call_later(patience, self._flush_sound)
        return sound

    def _send_sounds(self, sounds: list[CanonicalPacket], now: float, rode_with: Layer | None = None) -> None:
        """To everyone who has not had them with a picture of `rode_with`."""
        if not sounds:
            return
        self.sounds.send(sounds)
        for layer in self.layers:
            (layer.sounds.send_alone if layer is rode_with else layer.sounds.send)(sounds)
        self._tap("audio", sounds, now)

    def _flush_picture(self, layer: Layer) -> None:
        now = time.monotonic()
        packets = layer.take_pending(now)
        if not packets:
            return
        live = layer.live(packets)
        sound = self._take_rider(layer, live, now)
        if sound is not None:
            has_ridden = layer.fan_out.send(live, (self.tracks["audio"], sound))
            self._send_sounds([sound], now, layer if has_ridden else None)
        else:
            layer.fan_out.send(live)
        if self.taps:
            self._tap("video", self.followed.take(layer, packets), now)
        layer.note_keyframe()
        # A keyframe can be found after it was sent: when what was missing of it, or before it, has come.
        if layer.opened != layer.track.keyframe_start <= layer.track.head:
            layer.opened = layer.track.keyframe_start
            self.let_in(layer)

    def _tap(self, kind: str, packets: list[CanonicalPacket], now: float) -> None:
        if packets:
            for tap in self.taps:
                tap(kind, packets, now)

    def catch_up(self, tap: Callable[[str, list[Any], float], None]) -> None:
        """Gives a new tap what of a key picture that is just coming has gone out already."""
        layer = self.followed.layer
        if not _can_be_entered(layer):
            return
        begun = layer.track.between(layer.track.keyframe_start, layer.track.head)
        if begun and begun[-1].timestamp == begun[0].timestamp:
            tap("video", self.followed.take(layer, begun), time.monotonic())

    def parameter_sets(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """SPS and PPS of the picture that recording and HLS follow, as far as its sender has told them."""
        sets = self.followed.layer.track.sets
        return sets.sequence, sets.picture

    def request_keyframe(self, now: float) -> None:
        """For recording and HLS, which follow one layer."""
        self.ask_keyframe(self.followed.wanted, now)

    # Time

    def tick(self, now: float) -> None:
        """Every 20 ms."""
        host = self.host
        if host is not None:
            host.tick(now)
            if self.state is StreamState.LIVE and host.media_at is not None and now - host.media_at > LOST_SECONDS:
                self._lost_at = now
                self._heard_at = None  # its camera has as long as its microphone to come back
                self.set_state(StreamState.LOST, "no media from the host")
            elif self.state is StreamState.LIVE and self.has_picture and self._is_sound_alone(now):
                self._set_picture(False)
        self._ask_for_first_keyframes(now)
        self.tick_audience(now)

    def _ask_for_first_keyframes(self, now: float) -> None:
        """A sender's first picture can be lost before anybody is there to miss it; browsers send no other unasked."""
        for layer in self._fed.values():
            begun_at = layer.track.source_at
            is_overdue = begun_at is not None and now - begun_at > REQUEST_PATIENCE_SECONDS
            if is_overdue and layer.track.lacks_keyframe():
                self.ask_keyframe(layer, now)

    def second(self, now: float) -> None:
        """Once a second: rates, health, reports to viewers, the end of a host who stays away."""
        self._agreement.look(self.followed.layer.track, self.tracks["audio"])
        for track in (self.tracks["audio"], *(layer.track for layer in self.layers)):
            track.is_doubted = self._agreement.is_broken
        self._measure(now)
        self.begin_reports()
        self.followed.look(self.alive(), now)
        if self.state is not StreamState.LIVE and self.is_closed(now):
            self._came_live()  # so that its host hears why nobody sees it
        if self.taps and self.followed.wanted is not self.followed.layer:
            self.request_keyframe(now)
        if self.state is StreamState.LOST and self._lost_at is not None and now - self._lost_at > RESUME_SECONDS:
            self.end("the host did not come back", now)

    def is_over(self, now: float) -> bool:
        """True when the stream may be forgotten: ended for a minute, or a host was announced and never came."""
        if self.host is not None:
            return False
        if self.state is StreamState.WAITING:
            return self._lost_at is None or now - self._lost_at > RESUME_SECONDS
        return self.ended_at is not None and now - self.ended_at > RESUME_SECONDS

    def is_closed(self, now: float) -> bool:
        """Pictures come, and for seconds none by which anybody could enter; what the host is told is the hint."""
        flowing = [layer for layer in self._fed.values() if layer.is_flowing(now)]
        return bool(flowing) and all(layer.is_closed(now) for layer in flowing)

    def is_dark(self, now: float) -> bool:
        """Nothing for whoever comes: the picture is closed, and there is no sound to hear until it opens."""
        heard_at = self.tracks["audio"].last_at
        return self.is_closed(now) and (heard_at is None or now - heard_at > LOST_SECONDS)

    def can_play(self) -> bool:
        """Live now or within the last minute, or a host is just connecting."""
        return self.state in (StreamState.LIVE, StreamState.LOST, StreamState.ENDED) or self.host is not None

    def _measure(self, now: float) -> None:
        then, octets = self._window
        elapsed = now - then
        if elapsed <= 0:
            return
        sound = self.tracks["audio"].octet_count
        self.audio_kbps = (sound - octets) * 0.008 / elapsed
        for layer in self.layers:
            layer.measure(elapsed)
        self._window = (now, sound)
        self.hint = self._health(now)

    @property
    def kbps(self) -> float:
        """Of the picture, all layers together."""
        return sum(layer.kbps for layer in self.layers)

    @property
    def top(self) -> Layer:
        """The layer by which the stream is judged."""
        alive = self.alive()
        return alive[-1] if alive else self.followed.layer

    def _health(self, now: float) -> str:
        """The one thing the host should know first."""
        host, top = self.host, self.top
        if host is None or self.state is not StreamState.LIVE:
            return "starting" if self.state is StreamState.WAITING else "offline"
        reception = self._judged(host)
        wanted, slow, picture = top.keyframe_wanted_since, top.keyframe_slow_at, top.track.picture
        jumped_at = max(top.track.jumped_at, self.tracks["audio"].jumped_at)
        seen = Seen(
            picture=self._picture_word(host, now),
            is_closed=self.is_closed(now),
            lacks_sets=top.track.lacks_sets,
            is_renewed=top.track.is_renewed,
            is_mixed=now - max(host.mixed_at, top.track.mixed_at) < MIXED_TOLD_SECONDS,
            is_reordered=top.track.is_reordered(),
            loss=reception.fraction_lost if reception is not None else 0.0,
            keyframe_wanted=None if wanted is None else now - wanted,
            keyframe_slow=None if slow is None else now - slow,
            clock_jumped=now - jumped_at if jumped_at > self._taken_at else None,
            are_clocks_apart=self._agreement.is_broken,
            is_baseline=picture is None or picture.is_baseline,
            has_sound=SOUND in host.receptions and self.audio_kbps > 0,
            kbps=top.kbps,
            frames=top.frames_per_second,
            limit_kbps=host.limit_kbps,
        )
        return hint_of(seen)

    def _judged(self, host: Source) -> Reception | None:
        """By what its line is judged: its picture, its sound where there is none."""
        source = self.top.source
        found = host.receptions.get(source) if source is not None else None
        return host.receptions.get(SOUND) if found is None else found

    def _picture_word(self, host: Source, now: float) -> Literal["camera", "unasked", "missing"]:
        """ "camera", "unasked" where the host announced sound alone, "missing" where its camera sends nothing."""
        if "video" not in host.kinds:
            return "unasked"
        heard = max([self._heard_at or now, *(layer.heard_at for layer in self.layers)])
        return "missing" if now - heard > PICTURE_SECONDS else "camera"

    def statistics(self, now: float) -> dict[str, Any]:
        """Per-stream figures for the studio and metrics. Rates in kbit/s, ages in ms, loss 0..1."""
        host, top = self.host, self.top
        reception = self._judged(host) if host is not None else None
        round_trip = reception.round_trip_seconds if reception is not None else None
        fed = [layer for layer in self.layers if layer.rid]
        return {
            **self.event(),
            "bitrate_kbps": round(self.kbps + self.audio_kbps),
            "keyframe_age_ms": round((now - top.track.keyframe_at) * 1_000) if top.track.keyframes else None,
            "keyframes": top.track.keyframes,
            "loss": round(reception.fraction_lost, 4) if reception is not None else 0.0,
            "repaired": reception.repaired if reception is not None else 0,
            "abandoned": reception.abandoned if reception is not None else 0,
            "rtt_ms": None if round_trip is None else round(round_trip * 1_000, 1),
            "layers": [layer.statistics() for layer in sorted(fed, key=lambda each: each.height, reverse=True)],
            "viewers": len(self.viewers),
            "viewers_waiting": self.waiting_count if self.has_picture else 0,
            "viewers_sound_only": self.paused_count,
            "viewers_lossy": sum(viewer.is_lossy for viewer in self.viewers.values()),
            **self.freezes.figures(),
            "host": host.status if host is not None else None,
        }

    def close(self) -> None:
        """Stops timers and lets everyone go."""
        for timer in (*(layer.flush_timer for layer in self.layers), self._sound_timer, self._replay_timer):
            if timer is not None:
                timer.cancel()
        if self.host is not None:
            host, self.host = self.host, None
            host.close("the stream is over")
        if self.coming is not None:
            self.coming.close("the stream is over")
        for viewer in list(self.viewers.values()):
            viewer.close("the stream is over")
