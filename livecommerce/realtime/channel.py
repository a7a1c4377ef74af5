"""One show on this process: a mirror of its state at the offset that its viewers have, and the tick that moves both on.

The reader puts log entries in; a tick folds them into the mirror, projects them, and sends one frame. The mirror is
always at the offset of the last frame, so a page that joins gets snapshot and next frame without gap or overlap. A
large crowd is divided into parts that have their ticks in turn (`viewers.py`); who joins comes to the part that had the
last one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import structlog

from livecommerce.intake.mirror import ShowMirror
from livecommerce.realtime.broadcast import broadcast
from livecommerce.realtime.frames import SERIALIZERS, OpenMap, Serializer, event_frame
from livecommerce.realtime.metrics import METRICS
from livecommerce.realtime.pace import Pace
from livecommerce.realtime.presence import Presence
from livecommerce.realtime.ring import Ring
from livecommerce.realtime.tasks import end
from livecommerce.realtime.viewers import Audience, GroupKey, Part, Viewer, parts_wanted
from livecommerce.shows.kinds.buyer import unwatched
from livecommerce.shows.kinds.claims import counters, lines_moved
from livecommerce.shows.moderation import barred
from livecommerce.shows.projection import Projector, Wire, WireEvent
from livecommerce.shows.registry import Registry
from livecommerce.shows.state import Event, State, TicketRecord

log = structlog.get_logger(__name__)

COUNT_SECONDS = 2.0  # a frame without events, only because the viewer count moved, at most this often
OFFSETS_KEPT_MAX = 64  # offsets that resuming pages stand at, between two ticks: a cut of all leaves one a part


TicketRecords = dict[str, TicketRecord]  # by reservation, as `shows.kinds.claims.ticket_record` makes them


class Job(NamedTuple):
    """One frame to one group of viewers who stand at the same offset."""

    group: GroupKey
    members: list[Viewer]
    full: bytes
    lean: Callable[[], bytes]
    before: str


class Channel:
    """The viewers of a show on this process and what they are told."""

    def __init__(
        self, state: State, kinds: Registry, pace: Pace, presence: Presence,
        on_banned: Callable[[Channel, str, list[str]], None], on_lines: Callable[[Channel, set[str]], None],
    ) -> None:  # fmt: skip
        self.kinds = kinds
        self.show: str = state["show"]["id"]
        self.shop: str = state["show"]["shop"]
        # In the order of their turns: the last one stands at the offset of the mirror, joining viewers come to it.
        self.parts: list[Part] = [Part(state["offset"])]
        self.by_viewer: dict[str, set[Viewer]] = {}  # the audience; staff have no tickets and no limits
        self._people = 0
        self._moved: set[str] = set()
        self.wake = asyncio.Event()
        self.on_banned = on_banned
        self.on_lines = on_lines
        self._urgent = asyncio.Event()
        self._pace = pace
        self._presence = presence
        self._task: asyncio.Task[None] | None = None
        self._ticking = asyncio.Lock()
        self._turn_at = 0.0  # when the last turn was due
        self.mirror = ShowMirror(state, kinds)
        self._start_from(state)

    def load(self, state: State) -> None:
        """Starts from a snapshot again, after a gap."""
        self.mirror.load(state)
        self._start_from(state)

    def _start_from(self, state: State) -> None:
        self.projector = Projector(state["salt"])
        self.ring = Ring(state["offset"])
        self.read_offset: str = state["offset"]
        self.pending: list[tuple[str, list[Event]]] = []
        for part in self.parts:
            part.offset, part.events = state["offset"], []
        self._snapshots: dict[GroupKey, OpenMap] = {}
        self._resumes: dict[tuple[str, GroupKey], bytes] = {}
        self._missed_since: dict[str, tuple[list[Event], Wire]] = {}

    @property
    def offset(self) -> str:
        return str(self.mirror.state["offset"])

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"ticks of {self.show}")

    async def stop(self) -> None:
        self._pace.forget(self.show)
        task, self._task = self._task, None
        await end(task)

    def viewer_count(self) -> int:
        """People (by viewer id) on this process, staff left out."""
        return self._people

    def take_moved(self) -> set[str]:
        """Viewers who came or went since the last call, for presence."""
        moved, self._moved = self._moved, set()
        return moved

    def socket_count(self) -> int:
        return sum(part.size() for part in self.parts)

    def everyone(self) -> list[Viewer]:
        return [viewer for part in self.parts for group in part.groups.values() for viewer in group.values()]

    # --- in: log entries -------------------------------------------------------------------------------------------

    def feed(self, entries: list[tuple[str, list[Event]]]) -> None:
        """Entries of the log after `read_offset`, in order."""
        for offset, events in entries:
            self.pending.append((offset, events))
            if any(event["t"] in self.kinds.urgent for event in events):
                self._urgent.set()
            self.mirror.heard(events)
        self.read_offset = entries[-1][0]
        self.wake.set()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COUNT_SECONDS):
                    await self.wake.wait()
            self.wake.clear()
            urgent = self._urgent.is_set()
            self._urgent.clear()
            step = self._step()
            try:
                await (self.tick() if urgent else self.turn())
            except Exception:
                # One bad event must not silence a show: the entry is lost for pages until they reload, the log has it.
                log.exception("tick failed", show=self.show)
            if self._longest_waiting() is not None:
                self.wake.set()
            rest = self._turn_at + step - time.monotonic()
            if rest > 0 and not self._urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(rest):
                        await self._urgent.wait()

    def _step(self) -> float:
        """Seconds from this turn to the next; notes when this one was due. Timers are late by a little each time: the
        cadence is kept, or five turns a second would be four and a half."""
        now = time.monotonic()
        step = self._pace.interval() / len(self.parts)
        due = self._turn_at + step
        self._turn_at = due if due <= now < due + step / 4 else now
        return step

    # --- the tick --------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Folds what is pending and sends one frame to everyone."""
        async with self._ticking:
            await self._send_parts(list(self.parts))

    async def turn(self) -> None:
        """Folds what is pending and sends one frame to the part that has waited longest."""
        async with self._ticking:
            part = self._longest_waiting()
            if part is None:
                return
            turn = [part]
            if len(self.parts) > parts_wanted(self.socket_count()) + 1:  # one more than wanted may come and go
                turn.append(next(other for other in self.parts if other is not part))
            await self._send_parts(turn)
            self._divide(turn)

    def _longest_waiting(self) -> Part | None:
        """The first part in the order of turns for which there is something new."""
        count, now = self._count(), time.monotonic()
        return next((p for p in self.parts if self.pending or p.events or _tells_count(p, count, now)), None)

    def _divide(self, turn: list[Part]) -> None:
        """Parts that had their turn stand at the same offset: they may become one, or one may become two."""
        part, *others = turn
        for other in others:
            part.take(other)
            self.parts.remove(other)
        sockets = self.socket_count()
        if len(self.parts) < parts_wanted(sockets) and part.size() * len(self.parts) >= sockets:
            self.parts.append(part.split())

    def _count(self) -> int:
        return self._presence.count(self.show, self.viewer_count())

    async def _send_parts(self, parts: list[Part]) -> None:
        """Parts at the same offset get the same frame."""
        entries, self.pending = self.pending, []
        count, now = self._count(), time.monotonic()
        events = [event for _, batch in entries for event in batch]
        if entries:
            self._move_on(entries, events, entries[-1][0])
        standing: dict[str, list[Part]] = {}
        for part in parts:
            if part.offset != self.offset or _tells_count(part, count, now):
                standing.setdefault(part.offset, []).append(part)
        if not standing:
            return
        # All made before the first await: who joins meanwhile stands at the mirror's offset and is in none of them.
        jobs: list[Job] = []
        private: list[tuple[Viewer, list[WireEvent]]] = []
        for before, same in standing.items():
            for part in same:
                news = part.news(self.offset)
                part.count, part.count_at = count, now
                self.parts.remove(part)
                self.parts.append(part)
            wire = self.kinds.project(self.projector, news, self.mirror.state)
            stock = self._stock_event(news)
            jobs += self._jobs("viewer", same, [*wire.public, *stock], before, count)
            jobs += self._jobs("staff", same, [*wire.staff, *stock], before, count)
            for viewer, told in wire.private.items():
                private += [(socket, told) for socket in self.by_viewer.get(viewer, ()) if socket.part in same]
        for job in jobs:
            await self._send(job)
        for socket, told in private:
            socket.send("private", {"ev": told})
        self._after_tick(events)
        METRICS.ticks.inc()
        METRICS.tick_seconds.observe(time.monotonic() - now)

    def _move_on(self, entries: list[tuple[str, list[Event]]], events: list[Event], after: str) -> None:
        self.mirror.move_on(events, after)
        for offset, batch in entries:
            self.ring.append(offset, batch)
        for part in self.parts:
            part.events += events
        self._snapshots.clear()
        self._resumes.clear()
        self._missed_since.clear()

    def _stock_event(self, events: list[Event]) -> list[WireEvent]:
        changed = counters(events, self.mirror.state)
        return [{"t": "stock", "items": changed}] if changed else []

    def _frame(self, serializer: Serializer, events: list[WireEvent], before: str, after: str, count: int) -> bytes:
        frame = {
            "e": self.mirror.state["epoch"],
            "f": before,
            "t": after,
            "ev": events,
            "n": count,
            "now": self.now_ms(),
        }
        return event_frame(serializer, "frame", frame)

    def now_ms(self) -> int:
        return self._presence.now_ms()

    def _jobs(
        self, audience: Audience, parts: list[Part], events: list[WireEvent], before: str, count: int
    ) -> list[Job]:
        """A job for each group of an audience that has members in these parts, which all stood at `before`."""
        jobs: list[Job] = []
        for serializer in SERIALIZERS:
            members = [viewer for part in parts for viewer in part.members((audience, serializer))]
            if members:
                full = self._frame(serializer, events, before, self.offset, count)
                kept = [event for event in events if event["t"] not in self.kinds.chatter]
                lean = cache(partial(self._frame, serializer, kept, before, self.offset, count))
                jobs.append(Job((audience, serializer), members, full, lean, before))
        return jobs

    async def _send(self, job: Job) -> None:
        done = await broadcast(job.members, job.full, job.lean, job.before, self._catch_up)
        everyone = sum(len(part.groups[job.group]) for part in self.parts)
        self._pace.note(f"{self.show} {job.group}", done.seconds * everyone / len(job.members))
        METRICS.note(done, len(job.full))

    def _catch_up(self, viewer: Viewer) -> bytes | None:
        """One frame with all that a slow viewer missed but chat; a snapshot when that is no longer kept."""
        frame = self.missed_frame(viewer, viewer.behind or "", lean=True)
        if frame is None:
            viewer.send("snapshot", self.snapshot(viewer, []))
        return frame

    def _after_tick(self, events: list[Event]) -> None:
        lines = lines_moved(events)
        if lines:
            self.on_lines(self, lines)
        for event in events:
            ban = self.kinds.bars(event)
            if ban is None or not ban.network:
                continue
            marks = {viewer.address for viewer in self.by_viewer.get(ban.viewer, ())}
            unknown = unwatched(self.mirror.state, ban.viewer, sorted(marks))
            if unknown:
                self.on_banned(self, ban.viewer, unknown)

    def is_barred(self, viewer: Viewer) -> bool:
        """Whether this viewer is banned: the socket stays and tells, but what it sends is refused."""
        return barred(self.mirror.state, viewer.viewer)

    def neighbours(self, viewer: str) -> int:
        """How many other viewers watch from the networks of this one, on this process."""
        marks = {socket.address for socket in self.by_viewer.get(viewer, ())}
        others = {one.viewer for one in self.everyone() if one.audience == "viewer" and one.address in marks}
        return len(others - {viewer})

    def take_places(self, places: Mapping[str, int]) -> None:
        """Where who waits stands now, {reservation: place from 1}: each buyer and the staff hear what has changed.

        Private to each, beside the frames: a place is a figure of the moment and no event of the log.
        """
        moved: dict[str, dict[str, int]] = {}
        tickets = dict(self.mirror.state["tickets"])
        for reservation, place in places.items():
            record = tickets.get(reservation)
            if record is not None and record["waiting"] and record["position"] != place:
                tickets[reservation] = {**record, "position": place}
                moved.setdefault(record["viewer"], {})[reservation] = place
        if not moved:
            return
        self.mirror.state["tickets"] = tickets
        self._snapshots.clear()
        for viewer, own in moved.items():
            for socket in self.by_viewer.get(viewer, ()):
                socket.send("private", {"ev": [{"t": "places", "places": own}]})
        everyone = {reservation: place for own in moved.values() for reservation, place in own.items()}
        for staff in (one for one in self.everyone() if one.audience == "staff"):
            staff.send("private", {"ev": [{"t": "places", "places": everyone}]})

    # --- joining, resuming, leaving --------------------------------------------------------------------------------

    def add(self, viewer: Viewer) -> None:
        """A viewer who stands at the mirror's offset."""
        self.parts[-1].add(viewer)
        if viewer.audience == "viewer":
            sockets = self.by_viewer.setdefault(viewer.viewer, set())
            if not sockets:
                self._people += 1
                self._moved.add(viewer.viewer)
            sockets.add(viewer)
        self.wake.set()

    def remove(self, viewer: Viewer) -> None:
        if viewer.part is not None:
            viewer.part.remove(viewer)
        sockets = self.by_viewer.get(viewer.viewer)
        if sockets is not None and viewer in sockets:
            sockets.discard(viewer)
            if not sockets:
                del self.by_viewer[viewer.viewer]
                self._people -= 1
                self._moved.add(viewer.viewer)
        self.wake.set()

    def stands_at_mirror(self, viewer: Viewer) -> None:
        """A joined viewer was told everything up to the mirror's offset: its next frame must go on from there."""
        if viewer.part is not None:
            viewer.part.remove(viewer)
            self.parts[-1].add(viewer)

    def snapshot_frame(self, viewer: Viewer, tickets: list[WireEvent], staff: dict[str, str] | None = None) -> bytes:
        """The snapshot event for one viewer; all but `me` is encoded once per offset."""
        if viewer.audience == "staff":  # few, and different for each
            return event_frame(viewer.serializer, "snapshot", self.snapshot(viewer, tickets, staff))
        key = (viewer.audience, viewer.serializer)
        prepared = self._snapshots.get(key)
        if prepared is None:
            prepared = OpenMap(viewer.serializer, "snapshot", self._shared_snapshot(viewer.audience), "me")
            self._snapshots[key] = prepared
        return prepared.frame(self.me(viewer, tickets))

    def snapshot(self, viewer: Viewer, tickets: list[WireEvent], staff: dict[str, str] | None = None) -> dict[str, Any]:
        snapshot = {**self._shared_snapshot(viewer.audience), "me": self.me(viewer, tickets)}
        return snapshot if staff is None else {**snapshot, "staff": staff}

    def _shared_snapshot(self, audience: Audience) -> dict[str, Any]:
        count = self._count()
        snapshot = self.kinds.snapshot(self.mirror.state, self.projector, count, staff=audience == "staff")
        return {**snapshot, "now": self.now_ms()}

    def me(self, viewer: Viewer, tickets: list[WireEvent]) -> dict[str, Any]:
        buyer = self.mirror.state["buyers"].get(viewer.viewer, {})
        return {
            "by": self.projector.by(viewer.viewer), "name": viewer.name, "muted_until": buyer.get("muted_until", 0),
            "banned": self.is_barred(viewer), "tickets": tickets,
            **self.kinds.mine(self.mirror.state, self.projector, viewer.viewer),
        }  # fmt: skip

    def own_tickets(self, viewer: str, records: Mapping[str, TicketRecord]) -> list[WireEvent]:
        """A viewer's tickets: stock's answer, overlaid with what the mirror knows at its offset."""
        mirrored = {
            reservation: record
            for reservation, record in self.mirror.state["tickets"].items()
            if record["viewer"] == viewer
        }
        newest_first = sorted({**records, **mirrored}.values(), key=lambda record: -record["at_ms"])
        return [self.projector.ticket(record, self.mirror.state) for record in newest_first]

    def _missed(self, offset: str) -> tuple[list[Event], Wire] | None:
        """What came after an offset, as log events and projected; None when that is not kept.

        After a cut of all, thousands ask for the same few offsets: each is projected once a tick.
        """
        kept = self._missed_since.get(offset)
        if kept is None:
            events = self.ring.after(offset)
            if events is None:
                return None
            kept = (events, self.kinds.project(self.projector, events, self.mirror.state))
            if len(self._missed_since) < OFFSETS_KEPT_MAX:
                self._missed_since[offset] = kept
        return kept

    def missed_frame(self, viewer: Viewer, offset: str, *, lean: bool = False) -> bytes | None:
        """One frame with all after an offset, None when that is not kept (then a snapshot is due)."""
        group: GroupKey = (viewer.audience, viewer.serializer)
        key = (f"{offset} {lean}", group)
        kept = self._resumes.get(key)
        if kept is not None:
            return kept
        missed = self._missed(offset)
        if missed is None:
            return None
        events, wire = missed
        listed = wire.staff if viewer.audience == "staff" else wire.public
        if lean:
            listed = [event for event in listed if event["t"] not in self.kinds.chatter]
        listed = [*listed, *self._stock_event(events)]
        frame = self._frame(viewer.serializer, listed, offset, self.offset, self._count())
        if len(self._resumes) < OFFSETS_KEPT_MAX:
            self._resumes[key] = frame
        return frame

    def missed_private(self, viewer: Viewer, offset: str) -> list[WireEvent]:
        missed = self._missed(offset)
        return [] if missed is None else missed[1].private.get(viewer.viewer, [])

    def can_resume(self, epoch: object, offset: object) -> bool:
        return epoch == self.mirror.state["epoch"] and isinstance(offset, str) and self._missed(offset) is not None


def _tells_count(part: Part, count: int, now: float) -> bool:
    """Whether a part gets a frame without events, because the number of viewers moved."""
    return count != part.count and now - part.count_at >= COUNT_SECONDS
