"""One show's stream: the host feeds two canonical tracks, the tracks feed every viewer, whoever comes and goes.

States: waiting → live ⇄ lost → ended. `lost` keeps the tracks and the viewers, so that a host who comes back within a
minute resumes the same stream; `ended` lets them go.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from livecommerce.media.fanout import FanOut, Socket
from livecommerce.media.feedback import Reception
from livecommerce.media.lane import Lane
from livecommerce.media.sdp import AUDIO_CLOCK, VIDEO_CLOCK
from livecommerce.media.track import CanonicalPacket, Track
from livecommerce.media.viewer import REPLAY_AGAIN_SECONDS, Viewer

log = logging.getLogger(__name__)

# A frame's packets are sent together; one whose marker is late waits no longer than this.
FLUSH_SECONDS = 0.003
FLUSH_PACKETS_MAX = 32
# From this many viewers on, sounds wait for the next picture and share its send, or are sent together: a quarter of the
# relay's work saved. A picture comes every 33 ms and takes one sound along, so that two of five go in a pair of their
# own; with less patience it would be four. Smaller audiences get each sound at once.
SHARE_VIEWERS_MIN = 64
SHARE_SECONDS = 0.035
# Keyframes cost ten times a normal frame: one request a second serves all viewers who asked meanwhile.
KEYFRAME_REQUEST_SECONDS = 1.0
# Joining inside a younger GOP replays it; an older one would burst too much at a viewer, so a keyframe is asked for.
REPLAY_SECONDS_MAX = 2.5
# Hosts that ignore requests (hardware encoders) make keyframes when they like: then replay up to the ring's end.
REQUEST_PATIENCE_SECONDS = 0.5
# 48 packets each 4 ms are about 110 Mbit/s: fast for the viewer, gentle for queues on the way.
REPLAY_PACKETS = 48
REPLAY_STEP_SECONDS = 0.004
LOST_SECONDS = 3.0
RESUME_SECONDS = 60.0
# Reports to all viewers once a second, a share of them each tick, so that no picture waits for a thousand reports.
REPORT_TICKS = 45
# Keyframe age that tells the host something is wrong: no viewer may join for that long.
KEYFRAME_AGE_WARN_SECONDS = 12.0


class Source(Protocol):
    """What feeds a stream: a host's session (`Host`) or the copy of another relay's stream (`OriginPull`)."""

    session: str
    publisher: str
    close_reason: str
    media_at: float | None
    receptions: dict[str, Reception]

    @property
    def kinds(self) -> frozenset[str]: ...

    @property
    def status(self) -> str: ...

    def is_silent(self, now: float) -> bool: ...

    def tick(self, now: float) -> None: ...

    def request_keyframe(self) -> None: ...

    def close(self, reason: str) -> None: ...


class StreamState(enum.Enum):
    WAITING = "waiting"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


Event = dict[str, Any]


class Stream:
    """One show on this relay.

    Args:
        on_event: called with {"state": …} on each change of state.
    """

    def __init__(self, show: str, socket_: Socket, on_event: Callable[[str, Event], None]) -> None:
        self.show = show
        self.tracks = {"video": Track("video", VIDEO_CLOCK), "audio": Track("audio", AUDIO_CLOCK)}
        self.fan_outs = {kind: FanOut(track, socket_) for kind, track in self.tracks.items()}
        self.viewers: dict[str, Viewer] = {}
        self.host: Source | None = None
        self.host_session = ""
        self.state = StreamState.WAITING
        self.ended_at: float | None = None
        self.taps: list[Callable[[str, list[Any], float], None]] = []
        self.on_event = on_event
        self._waiting: set[Viewer] = set()
        self._paused: set[Viewer] = set()
        self._replaying: dict[Lane, Viewer] = {}
        self._replay_timer: asyncio.TimerHandle | None = None
        self._to_report: list[Viewer] = []
        self._report_share = 0
        self._flush_timers: dict[str, asyncio.TimerHandle] = {}
        self._keyframe_asked_at = float("-inf")
        self._keyframe_wanted_since: float | None = None
        self._lost_at: float | None = None
        self._window: tuple[float, int, int, int] = (time.monotonic(), 0, 0, 0)
        self._markers = 0
        self.kbps = 0.0
        self.audio_kbps = 0.0
        self.frames_per_second = 0.0
        self.hint = "starting"

    # Host side

    def set_state(self, state: StreamState, reason: str = "") -> None:
        if state is self.state:
            return
        log.info("stream %s: %s -> %s %s", self.show, self.state.value, state.value, reason)
        self.state = state
        self.on_event(self.show, self.event(reason))

    def event(self, reason: str = "") -> Event:
        """The stream event: state with what the host's pages show beside it."""
        picture = self.tracks["video"].picture
        return {
            "state": self.state.value,
            "reason": reason,
            "kbps": round(self.kbps + self.audio_kbps),
            "fps": round(self.frames_per_second),
            "width": picture.width if picture is not None else 0,
            "height": picture.height if picture is not None else 0,
            "hint": self.hint,
        }

    def take_host(self, host: Source) -> None:
        """A host was accepted; an earlier one is let go. Viewers notice nothing but new pictures."""
        previous, self.host = self.host, host
        self.host_session = host.session
        if previous is not None:
            previous.close("replaced")
        self.ended_at = None
        self._lost_at = time.monotonic()
        if self.state is StreamState.ENDED:
            self.set_state(StreamState.WAITING)

    def host_gone(self, host: Source, now: float) -> None:
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

    def begin_source(self, kind: str) -> None:
        self.tracks[kind].begin_source()

    def note_report(self, kind: str, ntp: int, timestamp: int, now: float) -> None:
        self.tracks[kind].note_report(ntp, timestamp, now)

    def take(self, kind: str, packet: Any, now: float) -> None:
        """A host packet (`RtpPacket`): into the track, and out as soon as its frame is complete."""
        track = self.tracks[kind]
        canonical = track.take(packet, now)
        if canonical is None:
            return
        if canonical.marker and kind == "video":
            self._markers += 1
        is_late = canonical.number < track.highest
        if kind == "audio":
            few = self.fan_outs["audio"].lane_count < SHARE_VIEWERS_MIN
            is_due = few or track.pending_count >= FLUSH_PACKETS_MAX
        else:
            is_due = canonical.marker or track.pending_count >= FLUSH_PACKETS_MAX
        if is_due or is_late:
            self._flush(kind)
        elif kind not in self._flush_timers:
            patience = SHARE_SECONDS if kind == "audio" else FLUSH_SECONDS
            self._flush_timers[kind] = asyncio.get_running_loop().call_later(patience, self._flush, kind)
        if self.state is not StreamState.LIVE and (kind == "audio" or track.keyframe_start >= 0):
            self._came_live(kind)

    def _came_live(self, kind: str) -> None:
        host = self.host
        if host is None or (kind == "audio" and "video" in host.kinds):
            return
        self._lost_at = None
        self.set_state(StreamState.LIVE)

    def _take_pending(self, kind: str, now: float) -> list[CanonicalPacket]:
        self._stop_waiting(kind)
        return self.tracks[kind].flush(now)

    def _stop_waiting(self, kind: str) -> None:
        timer = self._flush_timers.pop(kind, None)
        if timer is not None:
            timer.cancel()

    def _take_rider(self, pictures: list[CanonicalPacket], now: float) -> CanonicalPacket | None:
        """The oldest sound that waits, where these pictures can take it along; younger ones wait on."""
        audio = self.tracks["audio"]
        oldest = audio.oldest_pending
        if oldest is None or not self.fan_outs["video"].takes(pictures, oldest[0]):
            return None
        self._stop_waiting("audio")
        (sound,) = audio.flush(now, 1)
        if (younger := audio.oldest_pending) is not None:
            patience = max(0.0, younger[1] + SHARE_SECONDS - now)
            self._flush_timers["audio"] = asyncio.get_running_loop().call_later(patience, self._flush, "audio")
        return sound

    def _flush(self, kind: str) -> None:
        track = self.tracks[kind]
        now = time.monotonic()
        packets = self._take_pending(kind, now)
        if not packets:
            return
        sound = self._take_rider(packets, now) if kind == "video" else None
        if sound is not None:
            has_ridden = self.fan_outs["video"].send(packets, (self.tracks["audio"], sound))
            (self.fan_outs["audio"].send_alone if has_ridden else self.fan_outs["audio"].send)([sound])
            self._tap("audio", [sound], now)
        else:
            self.fan_outs[kind].send(packets)
        self._tap(kind, packets, now)
        if kind == "video" and self._waiting and any(packet.starts_keyframe for packet in packets):
            self._keyframe_wanted_since = None
            for viewer in list(self._waiting):
                self._replay(viewer)
        elif (
            kind == "video" and self._keyframe_wanted_since is not None and track.keyframe_at > self._keyframe_asked_at
        ):
            self._keyframe_wanted_since = None

    def _tap(self, kind: str, packets: list[CanonicalPacket], now: float) -> None:
        for tap in self.taps:
            tap(kind, packets, now)

    # Viewer side

    def admit(self, viewer: Viewer) -> None:
        """A viewer's keys are there: audio begins with the next packet, video with the newest keyframe."""
        self.viewers[viewer.session] = viewer
        viewer.on_closed = self._viewer_gone
        audio = viewer.lanes.get("audio")
        if audio is not None:
            audio.start(self.tracks["audio"].head + 1)
        self.place(viewer)
        if "video" not in viewer.lanes:
            return
        now = time.monotonic()
        track = self.tracks["video"]
        is_host_deaf = now - self._keyframe_asked_at < 10 and (
            track.keyframe_at < self._keyframe_asked_at < now - REQUEST_PATIENCE_SECONDS
        )
        is_young = now - track.keyframe_at < REPLAY_SECONDS_MAX
        if track.has_keyframe() and (is_young or is_host_deaf):
            self._replay(viewer)
        else:
            self._waiting.add(viewer)
            self.request_keyframe(now)
        viewer.send_reports(now)

    def _viewer_gone(self, peer: Any) -> None:
        viewer: Viewer = peer
        self.viewers.pop(viewer.session, None)
        self._waiting.discard(viewer)
        self._paused.discard(viewer)
        self.withdraw(viewer)
        for lane in viewer.lanes.values():
            self._replaying.pop(lane, None)

    def withdraw(self, viewer: Viewer) -> None:
        """Takes the viewer's lanes out of the fan-outs."""
        for kind, lane in viewer.lanes.items():
            self.fan_outs[kind].discard(lane)
            lane.rider = None

    def place(self, viewer: Viewer) -> None:
        """Puts the viewer's live lanes into the fan-outs, sound with picture where they can share sends."""
        video, audio = viewer.lanes.get("video"), viewer.lanes.get("audio")
        is_video_live = video is not None and video.is_started and video.cursor is None and viewer not in self._paused
        is_audio_live = audio is not None and audio.is_started
        can_share = video is not None and audio is not None and video.is_fast and audio.is_fast
        is_shared = is_video_live and is_audio_live and can_share
        if is_audio_live and audio is not None:
            self.fan_outs["audio"].add(audio, is_riding=is_shared)
        if is_video_live and video is not None:
            video.rider = audio if is_shared else None
            self.fan_outs["video"].add(video)

    def pause_picture(self, viewer: Viewer) -> None:
        """Sound alone for this viewer, until its `paused_until`."""
        self.withdraw(viewer)
        self._paused.add(viewer)
        self._waiting.discard(viewer)
        if (lane := viewer.lanes.get("video")) is not None and self._replaying.pop(lane, None) is not None:
            lane.cursor = None
        self.place(viewer)

    def _return_pictures(self, now: float) -> None:
        for viewer in [each for each in self._paused if each.paused_until is not None and now >= each.paused_until]:
            self._paused.discard(viewer)
            viewer.return_picture(now)
            self._waiting.add(viewer)
            self.request_keyframe(now)

    def _replay(self, viewer: Viewer) -> None:
        """Sends the GOP from its keyframe with its own numbers, then joins the live lanes."""
        lane = viewer.lanes["video"]
        track = self.tracks["video"]
        self._waiting.discard(viewer)
        if not lane.is_started:
            lane.start(track.keyframe_start)
        viewer.replayed_at = time.monotonic()
        self.withdraw(viewer)
        lane.cursor = track.keyframe_start
        self.place(viewer)
        self._replaying[lane] = viewer
        if self._replay_timer is None:
            self._replay_step()

    def _replay_step(self) -> None:
        self._replay_timer = None
        fan_out, track = self.fan_outs["video"], self.tracks["video"]
        for lane in list(self._replaying):
            cursor = lane.cursor if lane.cursor is not None else track.head + 1
            last = min(track.head, cursor + REPLAY_PACKETS - 1)
            fan_out.send_to(track.between(cursor, last), lane)
            lane.cursor = last + 1
            if last >= track.head:
                viewer = self._replaying.pop(lane)
                self.withdraw(viewer)
                lane.cursor = None
                self.place(viewer)
        if self._replaying:
            self._replay_timer = asyncio.get_running_loop().call_later(REPLAY_STEP_SECONDS, self._replay_step)

    def keyframe_wanted_by(self, viewer: Viewer, now: float) -> None:
        """A PLI: a fresh viewer gets the GOP again (the same bytes), the others one shared request to the host."""
        lane = viewer.lanes.get("video")
        track = self.tracks["video"]
        if lane is None or not lane.is_started or viewer in self._waiting or viewer in self._paused:
            return
        is_young = now - track.keyframe_at < REPLAY_SECONDS_MAX and track.has_keyframe()
        if is_young and now - viewer.replayed_at > REPLAY_AGAIN_SECONDS and lane.cursor is None:
            self._replay(viewer)
        self.request_keyframe(now)

    def request_keyframe(self, now: float) -> None:
        """Merged and throttled: at most one request a second reaches the host."""
        if self._keyframe_wanted_since is None:
            self._keyframe_wanted_since = now
        if self.host is None or now - self._keyframe_asked_at < KEYFRAME_REQUEST_SECONDS:
            return
        self._keyframe_asked_at = now
        self.host.request_keyframe()

    # Time

    def tick(self, now: float) -> None:
        """Every 20 ms."""
        for _ in range(min(self._report_share, len(self._to_report))):
            self._to_report.pop().send_reports(now)
        host = self.host
        if host is not None:
            host.tick(now)
            if self.state is StreamState.LIVE and host.media_at is not None and now - host.media_at > LOST_SECONDS:
                self._lost_at = now
                self.set_state(StreamState.LOST, "no media from the host")
        if self._keyframe_wanted_since is not None:
            self.request_keyframe(now)
        waited = self._keyframe_wanted_since
        is_deaf = waited is not None and now - waited > REQUEST_PATIENCE_SECONDS
        if self._waiting and is_deaf and self.tracks["video"].has_keyframe():
            # The host does not answer requests: the ring's keyframe, though old, is better than black.
            for viewer in list(self._waiting):
                self._replay(viewer)

    def second(self, now: float) -> None:
        """Once a second: rates, health, reports to viewers, the end of a host who stays away."""
        self._measure(now)
        self._return_pictures(now)
        self._to_report = list(self.viewers.values())
        self._report_share = -(-len(self._to_report) // REPORT_TICKS)
        if self.state is StreamState.LOST and self._lost_at is not None and now - self._lost_at > RESUME_SECONDS:
            self.end("the host did not come back", now)

    def is_over(self, now: float) -> bool:
        """True when the stream may be forgotten: ended for a minute, or a host was announced and never came."""
        if self.host is not None:
            return False
        if self.state is StreamState.WAITING:
            return self._lost_at is None or now - self._lost_at > RESUME_SECONDS
        return self.ended_at is not None and now - self.ended_at > RESUME_SECONDS

    def can_play(self) -> bool:
        """Live now or within the last minute, or a host is just connecting."""
        return self.state in (StreamState.LIVE, StreamState.LOST, StreamState.ENDED) or self.host is not None

    def _measure(self, now: float) -> None:
        then, video, audio, markers = self._window
        elapsed = now - then
        if elapsed <= 0:
            return
        video_now, audio_now = self.tracks["video"].octet_count, self.tracks["audio"].octet_count
        self.kbps = (video_now - video) * 0.008 / elapsed
        self.audio_kbps = (audio_now - audio) * 0.008 / elapsed
        self.frames_per_second = (self._markers - markers) / elapsed
        self._window = (now, video_now, audio_now, self._markers)
        self.hint = self._health(now)

    def _health(self, now: float) -> str:
        """The one thing the host should know first."""
        host, video = self.host, self.tracks["video"]
        if host is None or self.state is not StreamState.LIVE:
            return "starting" if self.state is StreamState.WAITING else "offline"
        reception = host.receptions.get("video")
        if reception is None:
            return "no_video"
        if reception.fraction_lost > 0.05:
            return "packet_loss"
        if now - video.keyframe_at > KEYFRAME_AGE_WARN_SECONDS and self._keyframe_wanted_since is not None:
            return "no_keyframes"
        if video.picture is not None and not video.picture.is_baseline:
            return "profile_not_baseline"
        if "audio" not in host.receptions or self.audio_kbps == 0:
            return "no_audio"
        if self.kbps < 300 or self.frames_per_second < 10:
            return "bitrate_low"
        return "good"

    def statistics(self, now: float) -> dict[str, Any]:
        """Per-stream figures for the studio and metrics. Rates in kbit/s, ages in ms, loss 0..1."""
        host, video = self.host, self.tracks["video"]
        reception = host.receptions.get("video") if host is not None else None
        round_trip = reception.round_trip_seconds if reception is not None else None
        losses = [viewer.fraction_lost for viewer in self.viewers.values()]
        return {
            **self.event(),
            "bitrate_kbps": round(self.kbps + self.audio_kbps),
            "keyframe_age_ms": round((now - video.keyframe_at) * 1_000) if video.keyframes else None,
            "keyframes": video.keyframes,
            "loss": round(reception.fraction_lost, 4) if reception is not None else 0.0,
            "repaired": reception.repaired if reception is not None else 0,
            "abandoned": reception.abandoned if reception is not None else 0,
            "rtt_ms": None if round_trip is None else round(round_trip * 1_000, 1),
            "viewers": len(self.viewers),
            "viewers_waiting": len(self._waiting),
            "viewers_sound_only": len(self._paused),
            "viewers_lossy": sum(loss > 0.05 for loss in losses),
            "host": host.status if host is not None else None,
        }

    def close(self) -> None:
        """Stops timers and lets everyone go."""
        for timer in (*self._flush_timers.values(), self._replay_timer):
            if timer is not None:
                timer.cancel()
        self._flush_timers.clear()
        if self.host is not None:
            host, self.host = self.host, None
            host.close("the stream is over")
        for viewer in list(self.viewers.values()):
            viewer.close("the stream is over")
