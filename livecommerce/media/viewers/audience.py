"""The viewers of one stream: who gets which layer, who catches up, who waits for a keyframe, who gets sound alone."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from livecommerce.media.ingest.source import Source
from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.retransmission import distinct_ssrc
from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.transport.udp import Socket
from livecommerce.media.viewers.ladder import Line
from livecommerce.media.viewers.layer import Layer
from livecommerce.media.viewers.viewer import REPLAY_AGAIN_SECONDS, Viewer
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK, signed

# Joining inside a younger GOP replays it; an older one would burst too much at a viewer, so a keyframe is asked for.
REPLAY_SECONDS_MAX = 2.5
# Hosts that ignore requests (hardware encoders) make keyframes when they like: then replay up to the ring's end.
REQUEST_PATIENCE_SECONDS = 0.5
# 48 packets each 4 ms are about 110 Mbit/s: fast for the viewer, gentle for queues on the way.
REPLAY_PACKETS = 48
REPLAY_STEP_SECONDS = 0.004
# Reports to all viewers once a second, a share of them each tick, so that no picture waits for a thousand reports.
REPORT_TICKS = 45
# After an outage a whole audience wants more at once. Eight at a time, three seconds each with the answer, are 160
# probes a minute and at most some 20 Mbit/s more than the pictures: a fraction of a core and of the relay's own line.
PROBES_MAX = 8


class Audience:
    """The viewers of one show and what they get; `Stream` adds the host's side.

    Attributes:
        layers: of the picture; all go to viewers under the SSRC of `tracks["video"]`, which is the first one's track.
        sounds: sound lanes of those who get no picture at the moment.
    """

    def __init__(self, show: str, socket_: Socket) -> None:
        self.show = show
        self.host: Source | None = None
        self.tracks = {"video": Track("video", VIDEO_CLOCK), "audio": Track("audio", AUDIO_CLOCK)}
        # One key seals all that a viewer gets, so each SSRC means one thing.
        self.tracks["audio"].ssrc = distinct_ssrc([self.tracks["video"].ssrc])
        self.repair_ssrc = distinct_ssrc([track.ssrc for track in self.tracks.values()])
        self.sounds = FanOut(self.tracks["audio"], socket_)
        self.layers = [Layer(self.tracks["video"], self.tracks["audio"], socket_)]
        self.viewers: dict[str, Viewer] = {}
        self.audio_kbps = 0.0
        self._socket = socket_
        # Who enters with a layer's next keyframe. Before the first keyframe of a show a viewer waits for several.
        self._waiting: dict[Layer, set[Viewer]] = {self.layers[0]: set()}
        self._paused: set[Viewer] = set()
        self._probing: set[Viewer] = set()
        self._replaying: dict[Lane, Viewer] = {}
        self._replay_timer: asyncio.TimerHandle | None = None
        self._to_report: list[Viewer] = []
        self._report_share = 0

    def add_layer(self) -> Layer:
        """One more layer of the same picture."""
        track = Track("video", VIDEO_CLOCK)
        track.join(self.tracks["video"])
        layer = Layer(track, self.tracks["audio"], self._socket)
        self.layers.append(layer)
        self._waiting[layer] = set()
        return layer

    def alive(self) -> list[Layer]:
        """Layers that can be entered, from the smallest to the largest."""
        newest_at = max(layer.heard_at for layer in self.layers)
        found = [layer for layer in self.layers if layer.is_alive(newest_at)]
        return sorted(found, key=lambda layer: (layer.height, layer.usual_kbps))

    def layer_of(self, lane: Lane) -> Layer:
        return next(layer for layer in self.layers if layer.track is lane.track)

    # Coming and going

    def admit(self, viewer: Viewer) -> None:
        """A viewer's keys are there: audio begins with the next packet, video with the newest keyframe."""
        self.viewers[viewer.session] = viewer
        viewer.on_closed = self._viewer_gone
        audio = viewer.lanes.get("audio")
        if audio is not None:
            audio.start(self.tracks["audio"].head + 1)
        self.place(viewer)
        now = time.monotonic()
        if "video" in viewer.lanes:
            self.choose(viewer, self.alive(), now)
        viewer.send_reports(now)

    def _viewer_gone(self, peer: Any) -> None:
        viewer: Viewer = peer
        self.viewers.pop(viewer.session, None)
        self._forget_wait(viewer)
        self._paused.discard(viewer)
        self._probing.discard(viewer)
        self.withdraw(viewer)
        for lane in viewer.lanes.values():
            self._replaying.pop(lane, None)

    def withdraw(self, viewer: Viewer) -> None:
        """Takes the viewer's lanes out of the fan-outs."""
        for kind, lane in viewer.lanes.items():
            if kind == "video":
                self.layer_of(lane).fan_out.discard(lane)
            elif viewer.sound_place is not None:
                viewer.sound_place.discard(lane)
            lane.halt()
            lane.rider = None

    def place(self, viewer: Viewer) -> None:
        """Puts the viewer's live lanes into the fan-outs, sound with picture where they can share sends."""
        video, audio = viewer.lanes.get("video"), viewer.lanes.get("audio")
        is_video_live = video is not None and video.is_started and video.cursor is None and viewer not in self._paused
        is_audio_live = audio is not None and audio.is_started
        can_share = video is not None and audio is not None and video.is_fast and audio.is_fast
        is_shared = is_video_live and is_audio_live and can_share
        layer = self.layer_of(video) if video is not None and is_video_live else None
        if is_audio_live and audio is not None:
            viewer.sound_place = self.sounds if layer is None else layer.sounds
            viewer.sound_place.add(audio, is_riding=is_shared)
            audio.is_live = True
        if layer is not None and video is not None:
            video.rider = audio if is_shared else None
            layer.fan_out.add(video)
            video.is_live = True

    def send_again(self, lane: Lane, packets: list[CanonicalPacket]) -> None:
        """Repairs, by the lane that sent them first (RFC 4585): the same numbers, the same bytes."""
        fan_out = self.sounds if lane.track is self.tracks["audio"] else self.layer_of(lane).fan_out
        fan_out.send_to(packets, lane)

    # Which layer

    def choose(self, viewer: Viewer, alive: list[Layer], now: float) -> None:
        """Moves the viewer to the layer that its line and its page ask for. `alive` as by `alive()`."""
        lane = viewer.lanes.get("video")
        if lane is None:
            return
        if not alive:
            if not lane.is_started and not self._waits(viewer):
                self._await_any(viewer, now)
            return
        rungs = [layer.rung for layer in alive]
        rung = viewer.ladder.choose(rungs, Line(viewer.estimate_kbps, viewer.can_probe), now)
        if (wanted_kbps := viewer.ladder.wanted_kbps(rungs)) is not None:
            viewer.probe(wanted_kbps, now)
        if rung is None:
            self.pause_picture(viewer)
            return
        layer = next(layer for layer in alive if layer.rid == rung.name)
        if lane.is_started and lane.track is layer.track and viewer not in self._paused:
            self._forget_wait(viewer)
        elif lane.is_started and viewer not in self._paused:
            self._await(viewer, layer, now)
        elif (entrance := self._entrance(lane, [layer, *alive], now)) is not None:
            self._enter(viewer, entrance)
        else:
            self._await(viewer, layer, now)

    def _entrance(self, lane: Lane, layers: list[Layer], now: float) -> Layer | None:
        """The first layer by which a lane without pictures may come in at once."""
        for layer in layers:
            track, asked_at = layer.track, layer.keyframe_asked_at
            is_host_deaf = now - asked_at < 10 and track.keyframe_at < asked_at < now - REQUEST_PATIENCE_SECONDS
            is_young = now - track.keyframe_at < REPLAY_SECONDS_MAX
            if track.has_keyframe() and (is_young or is_host_deaf) and self._goes_on(lane, track):
                return layer
        return None

    @staticmethod
    def _goes_on(lane: Lane, track: Track) -> bool:
        """The track's keyframe is later than what the lane has sent."""
        begin = track.packet(track.keyframe_start)
        if not lane.is_started or lane.reached_timestamp is None:
            return True
        return begin is not None and signed(begin.timestamp - lane.reached_timestamp - lane.time_shift) > 0

    def _waits(self, viewer: Viewer) -> bool:
        return any(viewer in waiting for waiting in self._waiting.values())

    def _forget_wait(self, viewer: Viewer) -> None:
        for waiting in self._waiting.values():
            waiting.discard(viewer)

    def _await(self, viewer: Viewer, layer: Layer, now: float) -> None:
        if viewer not in self._waiting[layer]:
            self._forget_wait(viewer)
            self._waiting[layer].add(viewer)
        self.ask_keyframe(layer, now)

    def _await_any(self, viewer: Viewer, now: float) -> None:
        """Before the first keyframe of a show nobody knows which layer it will come from."""
        for layer in [each for each in self.layers if each.source is not None] or self.layers:
            self._waiting[layer].add(viewer)
            self.ask_keyframe(layer, now)

    def pause_picture(self, viewer: Viewer) -> None:
        """Sound alone for this viewer, until a layer is chosen again."""
        self._forget_wait(viewer)
        if viewer in self._paused:
            return
        self.withdraw(viewer)
        self._paused.add(viewer)
        if (lane := viewer.lanes.get("video")) is not None and self._replaying.pop(lane, None) is not None:
            lane.cursor = None
        self.place(viewer)

    def is_paused(self, viewer: Viewer) -> bool:
        """True where this viewer gets sound alone."""
        return viewer in self._paused

    # Catching up

    def _enter(self, viewer: Viewer, layer: Layer) -> None:
        """Begins with the layer's keyframe in the ring, then joins the live lanes."""
        lane, track = viewer.lanes["video"], layer.track
        entry = None
        self._forget_wait(viewer)
        self.withdraw(viewer)
        if not lane.is_started:
            lane.track, entry = track, track.entry
            lane.start(track.keyframe_start, entry)
        elif lane.track is not track or viewer in self._paused:
            entry = track.entry
            lane.change(track, track.keyframe_start, entry)
            layer.entered = max(layer.entered, track.keyframe_start)
        self._paused.discard(viewer)
        if entry is not None:
            # Who comes below it late would take the index that the parameter sets have.
            layer.entered = max(layer.entered, track.keyframe_start)
            layer.fan_out.send_to([entry], lane)
        self._replay(viewer, lane)

    def _replay(self, viewer: Viewer, lane: Lane) -> None:
        """Sends the GOP from its keyframe with its own numbers. The lane is withdrawn."""
        viewer.replayed_at = time.monotonic()
        # Its start may have come late, below where this lane has entered: the indices there are used.
        lane.cursor = max(lane.track.keyframe_start, lane.first)
        self.place(viewer)
        self._replaying[lane] = viewer
        if self._replay_timer is None:
            self._replay_step()

    def _replay_step(self) -> None:
        self._replay_timer = None
        for lane in list(self._replaying):
            track = lane.track
            cursor = lane.cursor if lane.cursor is not None else track.head + 1
            last = min(track.head, cursor + REPLAY_PACKETS - 1)
            packets = track.between(cursor, last)
            self.layer_of(lane).fan_out.send_to(packets, lane)
            if packets:
                lane.reach(packets[-1])
            lane.cursor = last + 1
            if last >= track.head:
                viewer = self._replaying.pop(lane)
                self.withdraw(viewer)
                lane.cursor = None
                self.place(viewer)
        if self._replaying:
            self._replay_timer = asyncio.get_running_loop().call_later(REPLAY_STEP_SECONDS, self._replay_step)

    def let_in(self, layer: Layer) -> None:
        """A keyframe of this layer has come: those who waited for it enter."""
        layer.keyframe_wanted_since = None
        for viewer in list(self._waiting[layer]):
            self._enter(viewer, layer)

    def take_probe_place(self, viewer: Viewer) -> bool:
        """True where the viewer may probe its line now; it is driven by the ticks until its answer is there."""
        if len(self._probing) >= PROBES_MAX:
            return False
        self._probing.add(viewer)
        return True

    # Keyframes

    def keyframe_wanted_by(self, viewer: Viewer, now: float) -> None:
        """A PLI: a fresh viewer gets the GOP again (the same bytes), the others one shared request to the host."""
        lane = viewer.lanes.get("video")
        if lane is None or not lane.is_started or viewer in self._paused:
            return
        layer = self.layer_of(lane)
        is_young = now - layer.track.keyframe_at < REPLAY_SECONDS_MAX and layer.track.has_keyframe()
        if is_young and now - viewer.replayed_at > REPLAY_AGAIN_SECONDS and lane.cursor is None:
            self.withdraw(viewer)
            self._replay(viewer, lane)
        self.ask_keyframe(layer, now)

    def ask_keyframe(self, layer: Layer, now: float) -> None:
        """Merged and throttled: at most one request a second and layer reaches the host."""
        host = self.host
        if layer.may_ask(now, can_ask=host is not None) and host is not None and layer.source is not None:
            host.request_keyframe(layer.source)

    # Time

    def tick_audience(self, now: float) -> None:
        """Every 20 ms: a share of the reports and choices, and keyframes that were asked for."""
        share = min(self._report_share, len(self._to_report))
        alive = self.alive() if share else []
        for _ in range(share):
            viewer = self._to_report.pop()
            viewer.send_reports(now)
            if viewer.session in self.viewers:
                self.choose(viewer, alive, now)
        if self._probing:
            self._probing = {viewer for viewer in self._probing if viewer.continue_probe(now)}
        for layer in self.layers:
            if layer.keyframe_wanted_since is None:
                continue
            self.ask_keyframe(layer, now)
            is_deaf = now - layer.keyframe_wanted_since > REQUEST_PATIENCE_SECONDS
            if self._waiting[layer] and is_deaf and layer.track.has_keyframe():
                # The host does not answer requests: the ring's keyframe, though old, is better than black.
                for viewer in list(self._waiting[layer]):
                    lane = viewer.lanes["video"]
                    if not lane.is_started or (viewer in self._paused and self._goes_on(lane, layer.track)):
                        self._enter(viewer, layer)

    def begin_reports(self) -> None:
        """Once a second: everybody's turn comes within the next one."""
        self._to_report = list(self.viewers.values())
        self._report_share = -(-len(self._to_report) // REPORT_TICKS)

    @property
    def waiting_count(self) -> int:
        """Viewers who see nothing until a keyframe comes."""
        waiting = {viewer for viewers in self._waiting.values() for viewer in viewers}
        return sum(not viewer.lanes["video"].is_live for viewer in waiting)

    @property
    def paused_count(self) -> int:
        return len(self._paused)
