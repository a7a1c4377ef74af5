"""Keeps what a replay shows beside the recording: the show's log is trimmed, the file is not.

`events.jsonl` has one line a log entry: {"o": offset, "ev": [public events]}. The first line is the show as it was when
the archive began. Appending resumes after the last whole line, so a crash repeats nothing and loses nothing that the
log still has. Only what everyone could read is kept; lines that a moderator hides later are left out when it is read.
A line of a viewer also carries how it was understood (`verdict`, `read`), for the shop to read it again; a replay
leaves that out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from livecommerce.errors import LiveCommerceError
from livecommerce.media.recording import files
from livecommerce.shows.projection import Projector
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.stream_ids import stream_key

log = logging.getLogger(__name__)

# The log keeps 20,000 entries; even at 20 a second they stay for a quarter of an hour.
LOOK_SECONDS = 1.0
# After a recording the show's end, last words and late moderation still arrive; much later hardly anything.
BUSY_AFTER_SECONDS = 120.0
QUIET_LOOK_SECONDS = 30.0
# Of the newest recordings; older ones have been read to their end long ago.
SHOWS_MAX = 200
# Reads of 2,000 entries a look: a backlog of a whole log is done in ten seconds.
READS_MAX = 2
TAIL_BYTES = 1 << 20
FIRST = "0-0"

Event = dict[str, Any]


class _Entry(msgspec.Struct):
    """A line of the archive: the log's offset and the public events of one entry."""

    o: str
    ev: list[Event]


_encoder = msgspec.json.Encoder()


def public_events(events: Iterable[Event], projector: Projector, kinds: Registry) -> list[Event]:
    """What a replay shows of log events: chat everyone could read, pins, products, stage, notices, hidings, and the
    moments that kinds keep."""
    found: list[Event] = []
    for event in events:
        kind = event["t"]
        if kind == "chat":
            if not (event.get("held") or event.get("shadow")):
                kept: Event = {name: event[name] for name in ("verdict", "read") if name in event}
                found.append({**projector.chat_line(event, staff=False), **kept})
        elif kind == "pin":
            found.append({key: event[key] for key in ("t", "pin", "code", "at")})
        elif kind in ("item", "item_gone", "notice", "stage"):
            found.append(
                {key: value for key, value in event.items() if key in ("t", "item", "code", "text", "stage", "at")}
            )
        elif kind == "hidden":
            found.append({"t": "hidden", "comment": event["comment"], "hidden": event["hidden"]})
        elif (moment := kinds.moment(event)) is not None:
            found.append(moment)
    return found


class ShowArchive:
    """The archive file of one show. Blocking calls; the file is opened for each append."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / files.EVENTS
        self.offset: str | None = None

    def resume(self) -> str | None:
        """The offset of the last whole line, cutting off half a line that a crash left; None without an archive.

        Raises:
            OSError: the file cannot be read or cut.
        """
        if not self._path.exists():
            return None
        with self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - TAIL_BYTES)
            file.seek(start)
            tail = file.read()
            end = tail.rfind(b"\n") + 1
            if start + end < size:
                file.truncate(start + end)
            lines = tail[:end].splitlines()
        for line in reversed(lines):
            with contextlib.suppress(msgspec.DecodeError, KeyError, TypeError):
                self.offset = str(msgspec.json.decode(line)["o"])
                return self.offset
        return None

    def append(self, entries: Iterable[tuple[str, list[Event]]]) -> None:
        """
        Raises:
            OSError: the disk refuses; half a line may be left, which `resume` cuts off.
        """
        lines = [_encoder.encode({"o": offset, "ev": events}) + b"\n" for offset, events in entries]
        if lines:
            with self._path.open("ab") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(b"".join(lines))


class EventArchiver:
    """Looks at the recordings and appends their shows' events. One of the worker's tasks."""

    def __init__(self, shows: ShowStore, data_folder: str | Path) -> None:
        self._shows = shows
        self._folder = files.recordings_folder(data_folder)
        self._archives: dict[str, tuple[ShowArchive, Projector]] = {}
        self._due: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a fault with one show leaves the others alone."""
        while not stop.is_set():
            await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        await self.look()

    async def look(self) -> None:
        """Brings the archives of all recordings up to now."""
        now = time.monotonic()
        for show, is_busy in await asyncio.to_thread(self._recordings):
            if not is_busy and now < self._due.get(show, 0.0):
                continue
            self._due[show] = now + QUIET_LOOK_SECONDS
            try:
                await self._bring_up(show)
            except (LiveCommerceError, OSError) as error:
                self._archives.pop(show, None)  # what is on disk decides where to go on
                log.warning("events of %s are not archived now: %s", show, error)

    def _recordings(self) -> list[tuple[str, bool]]:
        """(show, whether it is being recorded or was a moment ago), newest first."""
        try:
            folders = [entry for entry in os.scandir(self._folder) if entry.is_dir()]
        except OSError:
            return []
        folders.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
        found = []
        for entry in folders[:SHOWS_MAX]:
            manifest = files.read_manifest(Path(entry.path))
            if manifest is not None and manifest.takes:
                # The file's own time, not the manifest's word: a killed relay has not said that it ended.
                with contextlib.suppress(OSError):
                    age_seconds = time.time() - (Path(entry.path) / manifest.takes[-1].file).stat().st_mtime
                    found.append((manifest.show, age_seconds < BUSY_AFTER_SECONDS))
        return found

    async def _bring_up(self, show: str) -> None:
        archive, projector = self._archives.get(show) or await self._open(show)
        for _ in range(READS_MAX):
            entries = await self._shows.read(show, archive.offset or FIRST)
            if not entries:
                return
            kept = [
                (offset, public)
                for offset, events in entries
                if (public := public_events(events, projector, self._shows.kinds))
            ]
            await asyncio.to_thread(archive.append, kept)
            archive.offset = entries[-1][0]

    async def _open(self, show: str) -> tuple[ShowArchive, Projector]:
        state = await self._shows.load(show, whole=False)
        projector = Projector(state["salt"])
        archive = ShowArchive(files.folder_of(self._folder.parent, show))
        if await asyncio.to_thread(archive.resume) is None:
            archive.offset = FIRST
            first: list[Event] = [{"t": "show", "show": _public_show(state["show"])}]
            first += [{"t": "item", "item": state["items"][code]} for code in state["order"]]
            await asyncio.to_thread(archive.append, [(FIRST, first)])
        self._archives[show] = (archive, projector)
        return archive, projector


def _public_show(show: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "title", "shop", "shop_name", "currency", "locale", "started_ms")
    return {key: show[key] for key in keys}


class Replay(msgspec.Struct):
    """What happened in a recorded show, on the recording's own time (milliseconds from its origin).

    chapters: [{"code", "at", "until"}], a product while it was pinned. chat: [{"at", "by", "name", "text", "kind"}].
    moments: [{"kind", "id", "at", …}], what a kind of the show leads to; the rest is the kind's.
    """

    show: dict[str, Any]
    products: list[dict[str, Any]]
    chapters: list[dict[str, Any]]
    chat: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    moments: list[dict[str, Any]]


# Twelve hours of a lively chat; the page holds them all, so it must stay some megabytes.
CHAT_MAX = 40_000


def air_times(folder: Path) -> tuple[int, int | None]:
    """When the show went on air and when it ended (wall clock; None while it has not): what is before and after is
    nobody's business but the host's. (0, None) where nothing is known. Blocking."""
    first, last = 0, None
    for event in _archived(folder):
        if event.get("t") == "show":
            first = event["show"].get("started_ms", 0)
        elif event.get("t") == "stage":
            is_live = event["stage"] == "live"
            first = first or (event["at"] if is_live else 0)
            last = event["at"] if event["stage"] == "ended" else None if is_live else last
    return first, last


def read_replay(folder: Path, origin_ms: int, duration_ms: int) -> Replay:
    """The archive as a replay needs it; empty where there is none. Blocking."""
    show: dict[str, Any] = {}
    items: dict[str, dict[str, Any]] = {}
    chat: dict[tuple[str, str], dict[str, Any]] = {}  # by author and id
    hidden: set[str] = set()
    pins: list[Event] = []
    notices: list[dict[str, Any]] = []
    moments: dict[tuple[str, str], Event] = {}
    for event in _archived(folder):
        kind = event.get("t")
        if kind == "show":
            show = event["show"]
        elif kind == "item":
            items[event["item"]["code"]] = event["item"]
        elif kind == "pin":
            pins.append(event)
        elif kind == "hidden":
            (hidden.add if event["hidden"] else hidden.discard)(event["comment"])
        elif kind == "notice":
            notices.append({"at": event.get("at", origin_ms) - origin_ms, "text": event["text"]})
        elif kind == "moment":
            moments[event["kind"], event["id"]] = event
        elif kind == "chat":
            chat[event["by"], event["id"]] = event
    lines = [
        {
            "at": line["at"] - origin_ms,
            "by": line["by"],
            "name": line["name"],
            "text": line["text"],
            "kind": line["kind"],
        }
        for (_, identity), line in chat.items()
        if identity not in hidden and origin_ms <= line["at"] <= origin_ms + duration_ms
    ]
    lines.sort(key=lambda line: line["at"])
    return Replay(
        show, list(items.values()), chapters(pins, origin_ms, duration_ms), lines[-CHAT_MAX:], notices,
        shown_moments(moments.values(), origin_ms, duration_ms),
    )  # fmt: skip


def shown_moments(moments: Iterable[Event], origin_ms: int, duration_ms: int) -> list[dict[str, Any]]:
    """Those within the recording, on its time, in order; the last word about each counts."""
    found = [
        {**{key: value for key, value in moment.items() if key != "t"}, "at": moment["at"] - origin_ms}
        for moment in moments
        if moment["at"] is not None and origin_ms <= moment["at"] <= origin_ms + duration_ms
    ]
    return sorted(found, key=lambda moment: int(moment["at"]))


def chapters(pins: list[Event], origin_ms: int, duration_ms: int) -> list[dict[str, Any]]:
    """When each product was pinned, within the recording."""
    found: list[dict[str, Any]] = []
    for pin, following in zip(pins, [*pins[1:], None], strict=False):
        until = duration_ms if following is None else following["at"] - origin_ms
        start = max(0, pin["at"] - origin_ms)
        end = min(until, duration_ms)
        if pin["code"] is not None and end > start:
            found.append({"code": pin["code"], "at": start, "until": end})
    return found


def read_chat(folder: Path, after: tuple[int, int], before: tuple[int, int]) -> Iterator[tuple[str, list[Event]]]:
    """(offset, viewers' lines) between two offsets, in order: of a part that the log has dropped. Blocking."""
    for offset, events in _entries(folder):
        at = stream_key(offset)
        if at >= before:
            return
        if at > after:
            yield offset, [event for event in events if event.get("t") == "chat" and event.get("kind") == "viewer"]


def _archived(folder: Path) -> Iterable[Event]:
    for _, events in _entries(folder):
        yield from events


def _entries(folder: Path) -> Iterator[tuple[str, list[Event]]]:
    try:
        with (folder / files.EVENTS).open("rb") as file:
            for line in file:
                with contextlib.suppress(msgspec.DecodeError):
                    entry = msgspec.json.decode(line, type=_Entry)
                    yield entry.o, entry.ev
    except OSError:
        return
