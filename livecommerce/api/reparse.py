"""A past show read again: what its comments would mean with today's grammar, catalogue and shop words.

Comments come from the show's log, and before the first entry that the log still has from the archive beside the
recording. Parsing runs in a thread, one request of a process at a time; nothing is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from livecommerce.api.bodies import json_answer
from livecommerce.api.context import Context, context_of
from livecommerce.api.shows import own_show
from livecommerce.api.words import catalogue_words
from livecommerce.comments import VERSION, CatalogueIndex, Difference, Intent, PastComment, Reason, Verdict, reparse
from livecommerce.errors import BadInput
from livecommerce.media import recording_files
from livecommerce.media.event_archive import offset_key, read_chat
from livecommerce.shows.catalogue import item_words
from livecommerce.shows.packing import decoded
from livecommerce.shows.projection import Projector
from livecommerce.shows.state import Event, State
from livecommerce.shows.store import Entry, events_of

COMMENTS_MAX = 20_000  # read in one request: half a second of a thread
DIFFERENCES_MAX = 500  # listed in one answer, a page of some 200 kB; the next request goes on from there
ENTRIES_MAX = 500  # of the log in one read: some megabytes at most
READING: web.AppKey[asyncio.Lock] = web.AppKey("livecommerce.api.reparse", asyncio.Lock)

Entries = Iterator[tuple[str, list[Event]]]


class Reading:
    """One request's worth of comments, until one of the limits is met. Pure but for its own counts."""

    def __init__(self, index: CatalogueIndex, packs: tuple[str, ...], projector: Projector) -> None:
        self.read = 0
        self.differences: list[dict[str, Any]] = []
        self.offset = ""  # of the last entry that was read
        self._index, self._packs, self._projector = index, packs, projector
        self._seen: set[str] = set()  # a held line that was let through is logged twice

    @property
    def is_full(self) -> bool:
        return self.read >= COMMENTS_MAX or len(self.differences) >= DIFFERENCES_MAX

    def take(self, entries: Entries) -> None:
        """Whole entries only, so that the next request begins behind the last."""
        for offset, events in entries:
            lines = {event["id"]: event for event in events if event["id"] not in self._seen}
            self._seen.update(lines)
            self.read += len(lines)
            past = [past_comment(event) for event in lines.values()]
            for found in reparse(past, self._index, self._packs):
                event = lines[found.id]
                if "read" in event or found.after.verdict != found.before.verdict:
                    self.differences.append(self._shape(event, found))
            self.offset = offset
            if self.is_full:
                return

    def _shape(self, event: Event, found: Difference) -> dict[str, Any]:
        by = event["by"] if "by" in event else self._projector.by(event["viewer"])
        return {
            "comment": found.id, "at": event["at"], "by": by, "name": event["name"], "text": found.text,
            "pinned": event.get("read", {}).get("pinned"), "before": _reading(found.before),
            "after": _reading(found.after),
        }  # fmt: skip


def _reading(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.verdict, "reason": str(verdict.reason.value), "version": verdict.version,
        "intents": msgspec.to_builtins(verdict.intents),
    }  # fmt: skip


def past_comment(event: Event) -> PastComment:
    """A logged line as the parser takes it; without `read` (an older log) only its verdict is known."""
    read = event.get("read") or {}
    verdict = Verdict(
        verdict=event.get("verdict", "none"),
        intents=msgspec.convert(read.get("intents", []), tuple[Intent, ...]),
        reason=Reason(read.get("reason", "chatter")),
        version=str(read.get("version", "")),
    )
    return PastComment(event["id"], event["text"], read.get("pinned"), verdict)


async def _index(context: Context, state: State) -> CatalogueIndex:
    """The show's products with the names that the catalogue gives them today, and the shop's words of today."""
    shop = state["show"]["shop"]
    today = {item.code: item for item in await catalogue_words(context, shop)}
    items = []
    for code in state["order"]:
        item = item_words(state["items"][code])
        names = (*item.names, *(today[code].names if code in today else ()))
        items.append(msgspec.structs.replace(item, names=tuple(dict.fromkeys(names))))
    words = (await context.shows.shop_words(shop)).words
    packs = tuple(state["show"]["packs"])
    return await asyncio.to_thread(CatalogueIndex.build, items, shop_words=words, packs=packs)


def _viewers_lines(entries: Iterable[Entry]) -> Entries:
    for entry, fields in entries:
        events = [event for event in events_of(fields) if event["t"] == "chat" and event["kind"] == "viewer"]
        yield decoded(entry), events


async def _read_log(context: Context, show: str, after: str, reading: Reading) -> bool:
    """True when the log was read to its end."""
    while not reading.is_full:
        entries = await context.shows.entries(show, after, ENTRIES_MAX)
        if not entries:
            return True
        await asyncio.to_thread(reading.take, _viewers_lines(entries))
        after = reading.offset
    return False


async def _read(context: Context, record: str, after: str, folder: Path) -> dict[str, Any]:
    state = await context.shows.load(record, chat=0, whole=False)
    reading = Reading(await _index(context, state), tuple(state["show"]["packs"]), Projector(state["salt"]))
    first = await context.shows.entries(record, "0-0", 1)
    start = decoded(first[0][0]) if first else after
    if offset_key(after) < offset_key(start):
        gone = read_chat(folder, offset_key(after), offset_key(start))
        await asyncio.to_thread(reading.take, gone)
    is_whole = not reading.is_full and await _read_log(context, record, reading.offset or after, reading)
    return {
        "read": reading.read, "changed": len(reading.differences), "differences": reading.differences,
        "version": VERSION, "next": None if is_whole else reading.offset,
    }  # fmt: skip


async def get_reparse(request: web.Request) -> web.Response:
    """
    Raises:
        ShowUnknown; BadInput for an `after` that no answer named; Unavailable.
    """
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    record = await own_show(context, staff, request.match_info["show"])
    after = request.query.get("after", "0-0")
    milliseconds, _, number = after.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 20 for part in (milliseconds, number)):
        raise BadInput("after is what the answer before named as `next`.", field="after")
    folder = recording_files.folder_of(context.settings.data_folder, record.id)
    async with request.app[READING]:
        answer = await _read(context, record.id, after, folder)
    return json_answer({"show": record.id, **answer})


def add_reparse(app: web.Application) -> None:
    app[READING] = asyncio.Lock()
