"""Whose ids these are: what was done under an id of a show stays its author's. Pure.

Ids of lines are on every page, so anybody can send them again. The answers kept with the show refuse that for lines of
chat; an order goes through stock, which knows ids by viewer, and a button leaves no line: this knows all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from livecommerce.errors import IdReused
from livecommerce.shows.state import State

IDS_MAX = 50_000  # some hours of a busy show, 10 MB; the oldest is forgotten first, and pages still tell authors apart


class Authors:
    """Ids of one show and who first sent each, on any process: what this one takes, and what the log brings."""

    def __init__(self, state: State) -> None:
        self._authors: OrderedDict[str, str] = OrderedDict()
        for ticket in state["tickets"].values():
            self._note(ticket["comment"], ticket["viewer"])
        self.heard([*state["held"].values(), *state["chat"]])

    def heard(self, events: Iterable[Mapping[str, Any]]) -> None:
        for event in events:
            if event["t"] == "chat":
                self._note(event["id"], event["viewer"])
            elif event["t"] == "claims":
                for claim in event["claims"]:
                    if claim["op"] == "reserve":  # others happen to a claim, under ids of whoever did them
                        self._note(claim["id"], claim["viewer"])
            elif "command" in event:
                self._note(event["command"], event["viewer"])

    def own(self, identity: str, author: str) -> None:
        """The id becomes this author's.

        Raises:
            IdReused: it is somebody else's.
        """
        if self._note(identity, author) != author:
            raise IdReused()

    def _note(self, identity: str, author: str) -> str:
        """Who has the id; the first one keeps it."""
        first = self._authors.setdefault(identity, author)
        if len(self._authors) > IDS_MAX:
            self._authors.popitem(last=False)
        return first
