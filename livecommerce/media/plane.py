"""The media plane of one relay process: publish, play, patch, stop, and the clock that drives them.

It decides who may be host of a show; whether a person may try was decided before (the web role).
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from livecommerce.errors import Busy, NotFound
from livecommerce.media.errors import HostAlreadyLive, PictureClosed, StreamUnknown
from livecommerce.media.ingest.host import Host, HostPlan
from livecommerce.media.ingest.origin import OriginPull
from livecommerce.media.ingest.source import Publisher, Source
from livecommerce.media.stream import Event, Stream, StreamState
from livecommerce.media.transport.dtls import HandshakePool, Identity
from livecommerce.media.transport.mux import Mux
from livecommerce.media.transport.peer import Peer, PeerState
from livecommerce.media.viewers.viewer import Viewer, ViewerPlan
from livecommerce.media.wire import sdp
from livecommerce.media.wire.freezes import FreezeReport, Freezes
from livecommerce.media.wire.layer_wish import LayerWish, check_wish

log = logging.getLogger(__name__)

# One core sends to about 1,500 reference viewers; the margin is for low bitrates.
VIEWERS_MAX = 4_000
STREAMS_MAX = 200
# Lost packets are asked for again after 40 ms: a tick has to come twice as often.
TICK_SECONDS = 0.02
# In the studio's list, worst lines first.
VIEWERS_LISTED_MAX = 200
# A deaf encoder makes a keyframe each ten seconds or never.
CLOSED_RETRY_MS = 3_000
# A join by way of the origin takes one more handshake and at most one keyframe.
PULL_SECONDS_MAX = 4.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted session: what WHIP and WHEP answer with 201."""

    session: str
    answer: str
    etag: str


def may_take_over(publisher: Publisher, current: Source, now: float) -> bool:
    """Whether one may replace the host that is there: its own session, one of lower rank, one that is silent."""
    is_same = bool(publisher.name) and current.publisher.name == publisher.name
    return is_same or publisher.rank > current.publisher.rank or current.is_silent(now)


class MediaPlane:
    """All streams of one process.

    Args:
        addresses: IP addresses put into candidates, most likely first.
        on_event: (show, event) on each change of a stream's state; must not block.
    """

    def __init__(
        self,
        mux: Mux,
        addresses: Sequence[str],
        *,
        bitrate_max_kbps: int,
        on_event: Callable[[str, Event], None],
        tcp_port: int | None = None,
        origin_secret: str = "",
    ) -> None:
        self.mux = mux
        self.candidates = sdp.candidate_lines(addresses, mux.port, tcp_port=tcp_port)
        self.bitrate_max_kbps = bitrate_max_kbps
        self.streams: dict[str, Stream] = {}
        self.peers: dict[str, Peer] = {}
        self.origin_secret = origin_secret
        self.joins = self.refused = 0
        self.freezes = Freezes()
        self.tick_late_seconds = 0.0
        self.more_metrics: list[Callable[[], dict[str, float]]] = []
        self._on_event = on_event
        self._tick_timer: asyncio.TimerHandle | None = None
        self._second_at = 0.0
        self._tick_due = 0.0

    def start(self) -> None:
        self.mux.start()
        self._tick_due = asyncio.get_running_loop().time()
        self._tick()

    def close(self) -> None:
        """Says goodbye to everyone and closes the port."""
        if self._tick_timer is not None:
            self._tick_timer.cancel()
        for stream in self.streams.values():
            stream.close()
        for peer in list(self.peers.values()):
            peer.close("the relay is stopping")
        self.mux.handshakes.close()
        self.mux.close()

    def publish(self, show: str, offer_text: str, publisher: Publisher) -> Accepted:
        """A host's offer. One that may take over does so when it is connected: an offer alone stops nobody.

        Raises:
            SdpRefused, HostAlreadyLive, Busy.
        """
        offer = sdp.parse_offer(offer_text)
        plan = HostPlan(offer, self.bitrate_max_kbps)
        now = time.monotonic()
        stream = self.streams.get(show)
        current = stream.host if stream is not None else None
        if current is not None and not may_take_over(publisher, current, now):
            raise HostAlreadyLive
        self._check_room(is_host=True)
        if stream is None:
            stream = self._new_stream(show, self._on_event)
        else:
            stream.on_event = self._on_event  # a copy of another relay's stream becomes the original
        host = Host(self.mux, stream, offer, plan, publisher=publisher, now=now)
        host.on_closed = lambda _: stream.host_gone(host, time.monotonic())
        # One that is connected is let go by nothing less; one that still connects has nothing to lose.
        if current is None or (current.media_at is None and not current.is_connected):
            stream.take_host(host)
        else:
            host.on_connected = lambda: self._take_over(stream, host)
            stream.await_host(host)
        return self._accept(host, offer, plan.answered)

    def _take_over(self, stream: Stream, host: Host) -> None:
        """A host that was awaited is connected; meanwhile another one may have come that it may not replace."""
        current = stream.host
        if current is not None and not may_take_over(host.publisher, current, time.monotonic()):
            host.close("another host is live")
        elif self.streams.get(stream.show) is not stream:
            host.close("the stream is over")
        else:
            stream.take_host(host)

    def rights(self) -> set[str]:
        """What streams that run or come (`Publisher.right`) and viewers of rehearsals stand on."""
        both = (source for stream in self.streams.values() for source in (stream.host, stream.coming))
        publishing = {source.publisher.right for source in both if source is not None}
        return (publishing | {peer.right for peer in self._viewers()}) - {""}

    def _viewers(self) -> Iterator[Viewer]:
        """Those who still connect too."""
        return (peer for peer in self.peers.values() if isinstance(peer, Viewer))

    def end_rights(self, lost: Collection[str]) -> None:
        """Ends what stands on a right that is none any more."""
        for stream in self.streams.values():
            if stream.coming is not None and stream.coming.publisher.right in lost:
                stream.coming.close("the right to publish has ended")
            if stream.host is not None and stream.host.publisher.right in lost:
                self._end_host(stream, "the right to publish has ended")
        self._let_go([viewer for viewer in self._viewers() if viewer.right in lost], "the right to watch has ended")

    def end_watchers(self, show: str, banned: Collection[str]) -> None:
        """Lets go who may not watch this show any more."""
        gone = [viewer for viewer in self._viewers() if viewer.show == show and viewer.watcher in banned]
        self._let_go(gone, "banned")

    def _let_go(self, viewers: Sequence[Viewer], reason: str) -> None:
        for viewer in viewers:
            viewer.close(reason)
            self.peers.pop(viewer.session, None)

    def _end_host(self, stream: Stream, reason: str) -> None:
        """Where another host is about to connect, it goes on with that one."""
        if stream.coming is not None:
            stream.take_host(stream.coming)
        else:
            stream.end(reason, time.monotonic())

    def end_show(self, show: str) -> None:
        """The show has ended: host and viewers are let go at once, nothing is left to join."""
        stream = self.streams.pop(show, None)
        if stream is not None:
            stream.end("the show has ended", time.monotonic())
            stream.close()
        for peer in [peer for peer in self.peers.values() if peer.show == show]:  # those still connecting too
            peer.close("the show has ended")
            del self.peers[peer.session]

    def clocks(self, now: float) -> dict[str, int]:
        """Canonical RTP timestamp of the picture that arrives now, for each show on air whose host is here."""
        arriving = {
            show: stream.top.track.timestamp_at(now)
            for show, stream in self.streams.items()
            if isinstance(stream.host, Host) and stream.state is StreamState.LIVE
        }
        return {show: timestamp for show, timestamp in arriving.items() if timestamp is not None}

    def play(self, show: str, offer_text: str, *, watcher: str = "", right: str = "") -> Accepted:
        """A viewer's offer. `watcher` is whose it is, `right` what it stands on ("": everybody may see the show).

        Raises:
            SdpRefused, StreamUnknown, PictureClosed, Busy.
        """
        stream = self.streams.get(show)
        if stream is None or not stream.can_play():
            raise StreamUnknown(retry_after_ms=2_000)
        offer = sdp.parse_offer(offer_text)
        if offer.video is not None and stream.is_dark(time.monotonic()):
            raise PictureClosed(retry_after_ms=CLOSED_RETRY_MS)
        plan = ViewerPlan(offer, stream.tracks, stream.repair_ssrc)
        self._check_room(is_host=False)
        viewer = Viewer(self.mux, stream, offer, plan, self.mux.socket.counters, time.monotonic())
        viewer.watcher, viewer.right = watcher, right
        return self._accept(viewer, offer, plan.answered)

    async def pull(self, show: str, origin: str) -> None:
        """Sees to it that `show` is fetched from the relay whose control door is `origin`, and waits for its pictures.

        Returns at once where the stream is here already. Its state is the origin's to tell, so no event is told here.

        Raises:
            StreamUnknown: where nothing came within PULL_SECONDS_MAX.
            Busy.
        """
        stream = self.streams.get(show)
        if stream is None or (stream.host is None and stream.state is not StreamState.LIVE):
            if stream is None:
                stream = self._new_stream(show, lambda *_: None)
            stream.take_host(OriginPull(stream, origin, self.origin_secret, self.mux.handshakes.identity))
        deadline = time.monotonic() + PULL_SECONDS_MAX
        while stream.state is not StreamState.LIVE:
            if time.monotonic() > deadline or stream.host is None:
                raise StreamUnknown(retry_after_ms=2_000)
            await asyncio.sleep(0.02)

    def _new_stream(self, show: str, on_event: Callable[[str, Event], None]) -> Stream:
        if len(self.streams) >= STREAMS_MAX:
            raise Busy("This relay carries as many shows as it can.", retry_after_ms=5_000)
        stream = self.streams[show] = Stream(show, self.mux.socket, on_event)
        return stream

    def _check_room(self, *, is_host: bool) -> None:
        # Hosts may use the last places: a show without a host helps nobody.
        if len(self.peers) >= VIEWERS_MAX + (STREAMS_MAX if is_host else 0) or (
            not is_host and self.mux.handshakes.is_full
        ):
            self.refused += 1
            raise Busy("The relay is full right now.", retry_after_ms=2_000)

    def _accept(self, peer: Peer, offer: sdp.Offer, answered: list[sdp.Answered]) -> Accepted:
        self.peers[peer.session] = peer
        self.joins += 1
        self.mux.register(peer)
        answer = sdp.write_answer(offer, answered, peer.local(self.candidates), str(int(time.time())))
        answered.clear()  # a browser's offer is 50 KiB of codecs, which nobody needs for the length of a show
        return Accepted(peer.session, answer, peer.etag)

    def session(self, show: str, session: str, role: str) -> Peer:
        """Raises NotFound where there is no such session."""
        peer = self.peers.get(session)
        if peer is None or peer.show != show or peer.role != role:
            raise NotFound("There is no such session; it may have ended.")
        return peer

    def patch(self, show: str, session: str, role: str, fragment: str) -> tuple[str, str]:
        """ICE restart (RFC 9725 section 4.3.3): (our fragment, new ETag); ("", ETag) for mere candidates.

        Raises:
            SdpRefused, NotFound.
        """
        peer = self.session(show, session, role)
        wanted = sdp.parse_fragment(fragment)
        if wanted.ice_username == peer.remote_username and wanted.ice_password == peer.remote_password:
            return "", peer.etag  # trickled candidates: a lite agent learns addresses from the checks themselves
        peer.restart_ice(wanted.ice_username, wanted.ice_password)
        return sdp.write_fragment(peer.local(self.candidates)), peer.etag

    def choose_layer(self, show: str, session: str, wish: LayerWish) -> None:
        """What a viewer's page shows, or the layer it chose itself; the line may allow less.

        Raises:
            NotFound, BadInput.
        """
        viewer = self.session(show, session, "viewer")
        if isinstance(viewer, Viewer):
            layers = self.streams[show].layers if show in self.streams else []
            check_wish(wish, viewer.plan.video_mid, [layer.rid for layer in layers if layer.rid])
            viewer.show_at_most(wish.max_height, wish.encoding_id, time.monotonic())

    def stop(self, show: str, session: str, role: str) -> None:
        """Ends a session at its owner's wish; a host's DELETE ends the stream.

        Raises:
            NotFound.
        """
        stream = self.streams.get(show)
        is_last_host = role == "host" and stream is not None and stream.host_session == session
        if stream is not None and is_last_host and stream.state is not StreamState.ENDED:
            # Also when its connection closed just before the DELETE came: the wish counts, not the order of packets.
            host = stream.host
            self._end_host(stream, "the host ended the stream")
            if host is not None:
                host.close("the host ended the stream")
            self.peers.pop(session, None)
            return
        self.session(show, session, role).close("deleted")
        self.peers.pop(session, None)

    def note_freezes(self, show: str, session: str, report: FreezeReport) -> None:
        """A viewer's page says how often and how long its picture has frozen since it connected.

        Raises:
            NotFound.
        """
        viewer = self.session(show, session, "viewer")
        if isinstance(viewer, Viewer) and viewer.keys is not None:
            grown = viewer.freezes.note(report, time.monotonic() - viewer.connected_at)
            if (stream := self.streams.get(show)) is not None:
                stream.freezes.add(*grown)
            self.freezes.add(*grown)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        self.tick_late_seconds = max(self.tick_late_seconds * 0.99, loop.time() - self._tick_due)
        try:
            for stream in self.streams.values():
                stream.tick(now)
            if now - self._second_at >= 1.0:
                self._second_at = now
                self._second(now)
        except Exception:
            log.exception("tick")
        self._tick_due = loop.time() + TICK_SECONDS
        self._tick_timer = loop.call_later(TICK_SECONDS, self._tick)

    def _second(self, now: float) -> None:
        for peer in list(self.peers.values()):
            if peer.is_dead(now):
                peer.close("silent")
            elif isinstance(peer, Viewer):
                peer.release_association(now)
            if peer.state is PeerState.CLOSED:
                self.peers.pop(peer.session, None)
        self.mux.handshakes.tidy()
        for show, stream in list(self.streams.items()):
            stream.second(now)
            if stream.is_over(now):
                del self.streams[show]
                stream.close()

    def statistics(self) -> dict[str, Any]:
        """{"streams": {show: figures}, "relay": counters}; bounded by the number of streams."""
        now = time.monotonic()
        return {
            "streams": {show: stream.statistics(now) for show, stream in self.streams.items()},
            "relay": self.metrics(),
        }

    def viewers(self, show: str) -> list[dict[str, Any]]:
        """The viewers of a show with the worst lines first, at most 200 of them: what the studio's table can show.

        Raises:
            StreamUnknown.
        """
        stream = self.streams.get(show)
        if stream is None:
            raise StreamUnknown
        worst = heapq.nlargest(
            VIEWERS_LISTED_MAX,
            stream.viewers.values(),
            key=lambda viewer: (viewer.fraction_lost, viewer.freezes.milliseconds),
        )
        return [viewer.statistics() for viewer in worst]

    def _layer_metrics(self) -> dict[str, float]:
        """Viewers by what they get: the top layer of their show, a smaller one, sound alone."""
        found = {"viewers_top_layer": 0, "viewers_lower_layers": 0, "viewers_sound_only": 0}
        for stream in self.streams.values():
            top = stream.top
            found["viewers_sound_only"] += stream.paused_count
            for layer in stream.layers:
                found["viewers_top_layer" if layer is top else "viewers_lower_layers"] += layer.fan_out.lane_count
        return {name: float(count) for name, count in found.items()}

    def _line_metrics(self) -> dict[str, float]:
        """How the lines are, of all shows together: what comes in, and what viewers report."""
        viewers = [viewer for stream in self.streams.values() for viewer in stream.viewers.values()]
        trips = [viewer.round_trip_ms for viewer in viewers if viewer.round_trip_ms is not None]
        receptions = [
            kind for stream in self.streams.values() if stream.host for kind in stream.host.receptions.values()
        ]
        return {
            "ingest_kbps": round(sum(stream.kbps + stream.audio_kbps for stream in self.streams.values()), 1),
            "hosts_loss_worst": max((reception.fraction_lost for reception in receptions), default=0.0),
            "viewers_lossy": float(sum(viewer.is_lossy for viewer in viewers)),
            "viewers_round_trip_ms_p50": round(statistics.median(trips), 1) if trips else 0.0,
            "viewer_freezes_total": self.freezes.count,
            "viewer_frozen_seconds_total": self.freezes.milliseconds / 1_000,
        }

    def metrics(self) -> dict[str, float]:
        """Counters and gauges for Prometheus; names are stable."""
        sent, received = self.mux.socket.counters, self.mux.counters
        live = [stream for stream in self.streams.values() if stream.state is StreamState.LIVE]
        return {
            "streams_live": len(live),
            "peers": len(self.peers),
            "viewers": sum(len(stream.viewers) for stream in self.streams.values()),
            **self._layer_metrics(),
            "joins_total": self.joins,
            "joins_refused_total": self.refused,
            "handshakes_running": len(self.mux.handshakes.running),
            "packets_sent_total": sent.packets,
            "send_calls_total": sent.calls,
            "octets_sent_total": sent.octets,
            "packets_refused_total": sent.refused,
            "repairs_total": sent.repairs,
            "probes_total": sent.probes,
            "segmentation_offload": float(self.mux.socket.has_gso),
            "compiled_sending": float(self.mux.socket.core is not None),
            "datagrams_received_total": received.received,
            "checks_total": received.checks,
            "strangers_total": received.stranger,
            "unsigned_checks_total": received.unsigned,
            "malformed_total": received.malformed,
            "addresses": self.mux.address_count,
            **self._line_metrics(),
            "tick_late_seconds": round(self.tick_late_seconds, 6),
            **{name: value for more in self.more_metrics for name, value in more().items()},
        }


def new_handshake_pool() -> HandshakePool:
    """A pool with a fresh certificate: one a process."""
    return HandshakePool(Identity())
