"""A past show's comments read again: what they would mean with today's grammar, catalogue and shop words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from livecommerce.comments import CatalogueIndex, Difference, Intent, ItemWords, PastComment, Reason, Verdict, reparse
from livecommerce.shows.catalogue import item_words
from livecommerce.shows.projection import Projector
from livecommerce.shows.state import Event, State

COMMENTS_MAX = 20_000  # read in one request: half a second of a thread
DIFFERENCES_MAX = 500  # listed in one answer, a page of some 200 kB; the next request goes on from there

Entries = Iterator[tuple[str, list[Event]]]  # (offset, viewers' lines) of the log or the archive


def items_today(state: State, today: Sequence[ItemWords]) -> list[ItemWords]:
    """The show's products with the names that the catalogue gives them today."""
    known = {item.code: item for item in today}
    items = []
    for code in state["order"]:
        item = item_words(state["items"][code])
        names = (*item.names, *(known[code].names if code in known else ()))
        items.append(msgspec.structs.replace(item, names=tuple(dict.fromkeys(names))))
    return items


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
