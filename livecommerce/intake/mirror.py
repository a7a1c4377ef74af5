"""A show as intake looks at it: its state, and what is derived from the state once and not for every comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from livecommerce.comments import CatalogueIndex, ShopWords
from livecommerce.intake.authors import Authors
from livecommerce.intake.rate import CommentRate
from livecommerce.intake.reserved import Reserved
from livecommerce.shows.catalogue import catalogue_index, prices, product_words
from livecommerce.shows.model import viewer_handle
from livecommerce.shows.moderation import may_introduce, name_is_free
from livecommerce.shows.projection import guest_name
from livecommerce.shows.registry import Registry
from livecommerce.shows.state import Event, State
from livecommerce.shows.store import ShowStore
from livecommerce.shows.words import WordFilter

# Slow mode lasts ten minutes at most; more people than this do not speak in that time.
LAST_CHATS_MAX = 10_000
NAMES_RULED_MAX = 10_000  # names whose ruling is remembered; whoever speaks again is not judged again


class Mirror(Protocol):
    """What the path of a comment needs to know of a show."""

    @property
    def state(self) -> State: ...

    @property
    def index(self) -> CatalogueIndex:
        """The words of its products and of its shop."""

    @property
    def words(self) -> WordFilter:
        """What is blocked in its chat."""

    @property
    def rate(self) -> CommentRate: ...

    @property
    def authors(self) -> Authors: ...

    @property
    def last_chat_ms(self) -> Mapping[str, int]:
        """When each viewer last spoke, for slow mode; those of long ago are left out."""

    def note_chat(self, viewer: str, at_ms: int) -> None: ...

    def public_name(self, viewer: str, name: str, *, shy: bool = False) -> str:
        """The name if everyone may read it now, else a guest's; `shy`: not before a line of theirs was shown."""

    def is_free(self, name: str) -> bool:
        """Whether a name keeps to the rules of this show and passes for nobody who runs it."""


class ShowMirror:
    """A snapshot of a show and the events after it. Whoever reads the log says `heard`, then `move_on`."""

    def __init__(self, state: State, kinds: Registry, shop_words: ShopWords | None = None) -> None:
        self._kinds = kinds
        self._shop_words = shop_words or ShopWords()
        self.reserved = Reserved(state["show"]["shop_name"])
        self.load(state)

    @classmethod
    async def opened(cls, store: ShowStore, show: str) -> ShowMirror:
        """The show as it is now, with the words of its shop.

        Raises:
            ShowUnknown, Unavailable.
        """
        state = await store.load(show)
        kept = await store.shop_words(state["show"]["shop"])
        return cls(state, store.kinds, kept.words)

    def load(self, state: State) -> None:
        """Starts from a snapshot (again, after a gap in the log)."""
        self.state = state
        self.words = WordFilter(state["words"])
        self._free: dict[str, bool] = {}
        self.rate = CommentRate()
        self.authors = Authors(state)
        self.last_chat_ms: dict[str, int] = {}
        self.heard(state["chat"])
        self._product_words = product_words(state)
        self._build_index()

    def _build_index(self) -> None:
        self.index = catalogue_index(self.state, self._shop_words)

    def use_words(self, words: ShopWords) -> None:
        """The shop's own words, from the next comment on."""
        self._shop_words = words
        self._build_index()

    def use_staff_names(self, names: Sequence[str]) -> None:
        """The display names of the shop's staff, from the next comment on."""
        reserved = Reserved(self.state["show"]["shop_name"], names)
        if reserved != self.reserved:
            self.reserved = reserved
            self._free = {}

    def is_free(self, name: str) -> bool:
        free = self._free.get(name)
        if free is None:
            if len(self._free) >= NAMES_RULED_MAX:
                self._free.clear()
            free = name_is_free(self.state, self.words, name) and not self.reserved.takes(name)
            self._free[name] = free
        return free

    def public_name(self, viewer: str, name: str, *, shy: bool = False) -> str:
        guest = guest_name(viewer_handle(self.state["salt"], viewer))
        if name == guest or (not shy and may_introduce(self.state, viewer) and self.is_free(name)):
            return name
        return guest

    def heard(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Who spoke, as soon as it is read: neither the rate of comments nor whose an id is may wait for `move_on`."""
        self.authors.heard(events)
        for event in events:
            if event["t"] == "chat" and event["viewer"]:
                self.rate.seen(event["viewer"], event["id"], event["at"])
            elif event["t"] == "claims":
                for claim in event["claims"]:
                    if claim["op"] == "reserve" and claim.get("source") == "button":  # others have a line of chat
                        self.rate.seen(claim["viewer"], claim["id"], event["at"])
            elif "command" in event:  # a viewer's, see viewer_commands.py
                self.rate.seen(event["viewer"], event["command"], event["at"])

    def move_on(self, events: Sequence[Event], offset: str) -> None:
        """Folds the events up to `offset` into the state."""
        before, self.state = self.state, self._kinds.fold(self.state, events)
        self.state["offset"] = offset
        # What events leave alone is the same object as before. A price, or a product closed, changes no word of it, and
        # to make the index of a large show takes longer than a tick should.
        if self.state["items"] is not before["items"] or self.state["order"] is not before["order"]:
            self._new_products()
        if self.state["words"] is not before["words"]:
            self.words = WordFilter(self.state["words"])
        if self.state["words"] is not before["words"] or self.state["settings"] is not before["settings"]:
            self._free = {}
        for event in events:
            if event["t"] == "chat" and event["viewer"] and not event.get("bare"):
                self.note_chat(event["viewer"], event["at"])

    def _new_products(self) -> None:
        words = product_words(self.state)
        if words != self._product_words:
            self._product_words = words
            self._build_index()
        else:
            self.index.reprice(prices(self.state))

    def note_chat(self, viewer: str, at_ms: int) -> None:
        """Remembers when a viewer last spoke, on any process: slow mode counts from it."""
        self.last_chat_ms.pop(viewer, None)  # put at the end: the oldest is dropped first
        self.last_chat_ms[viewer] = at_ms
        while len(self.last_chat_ms) > LAST_CHATS_MAX:
            del self.last_chat_ms[next(iter(self.last_chat_ms))]
