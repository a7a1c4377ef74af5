"""The state of a show: its typed parts, and what can be read out of them. Pure.

A snapshot is this state at an offset: snapshot before + events = snapshot after, for every command
(tests/shows/test_stories.py). How an event changes it stands with the event's kind in `kinds/`; the pages
have the same reducers in web/shared/kinds/ over the public form.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, cast

Event = dict[str, Any]

PIN_HISTORY_MS = 30_000
MEDIA_TICKS_PER_MS = 90  # the RTP clock of video (RFC 6184 section 5.1)


class ShowHead(TypedDict):
    """Times are Unix milliseconds, 0 for not yet."""

    id: str
    title: str
    shop: str
    shop_name: str
    stage: str
    started_ms: int
    ended_ms: int
    currency: str
    locale: str
    hold_seconds: int
    packs: list[str]
    limits: dict[str, int]


class PublicValue(TypedDict):
    value: str
    short: list[str]


class PublicAxis(TypedDict):
    axis: str
    values: list[PublicValue]


class PublicItem(TypedDict):
    """A product as pages see it."""

    code: str
    name: str
    name_en: str
    names: list[str]
    options: list[PublicAxis]
    price_minor: int
    compare_at_minor: int | None
    currency: str
    picture: str
    description: str
    limit_per_viewer: int
    skus: list[str]
    closed: bool


class PinRecord(TypedDict):
    """`code` is None where the pin before was taken away. `media_timestamp`: RTP, 32 bit, None without a relay."""

    pin: str
    code: str | None
    at: int
    media_timestamp: int | None


class ChatEvent(TypedDict):
    """A chat line as logged. `held`, `shadow` and `bare` (an order, and no other words) stand there only where true."""

    t: str
    id: str
    viewer: str
    name: str
    text: str
    at: int
    kind: str
    verdict: NotRequired[str]
    read: NotRequired[dict[str, Any]]
    bare: NotRequired[bool]
    held: NotRequired[bool]
    shadow: NotRequired[bool]
    refused: NotRequired[str]  # of an order: why nothing came of it, where stock was not asked


class Settings(TypedDict):
    slow_seconds: int
    links_off: bool
    first_hold: bool
    proof_of_work: NotRequired[bool]  # shows of before had none
    waitlist: bool
    repeat: Literal["add", "set", "once"]
    fill: Literal["any", "all"]


class BuyerRecord(TypedDict, total=False):
    """What moderators set for one viewer; a viewer without a record has nothing set."""

    muted_until: int
    muted_for_ms: int
    banned: bool
    restricted: bool
    hold_max: int
    shadow: bool
    network_until: int
    newcomers_held_until: int


class TriageEvent(TypedDict):
    """A line that waits for a moderator. `tries` to accept it came to nothing; `refused` is stock's last word."""

    t: str
    comment: str
    viewer: str
    name: str
    by: str
    text: str
    at: int
    verdict: str
    reason: str
    pin: str | None
    guess: list[dict[str, Any]]
    tries: NotRequired[int]
    refused: NotRequired[str]


class AuditEntry(TypedDict):
    id: str
    do: str
    actor: str
    at: int
    undone: bool
    about: dict[str, Any]
    inverse: dict[str, Any] | None
    undone_by: NotRequired[str]
    actor_name: NotRequired[str]
    host_only: NotRequired[bool]  # taking it back is for owner and host alone


class TicketRecord(TypedDict):
    """What is kept of a claim: the fields of a ticket that do not depend on the product, and the viewer."""

    id: str
    viewer: str
    sku: str
    number: int
    quantity: int
    waiting: int
    position: int
    price_minor: int
    currency: str
    state: str
    deadline_ms: int
    text: str
    source: str
    comment: str
    at_ms: int


class State(TypedDict):
    """A kind may add parts of its own beside these: see `part`.

    Attributes:
        now: server time of reading; `version` and `clock` are as read too, events do not move them on.
        stock: {sku: [available, held, sold, waiting, supplied]} of these products at least; `stock_of` leaves out what
            a claims event told of other shows of the shop.
        pins, chat, audit: newest last.
        network_salt: of `address_mark`; the shop's. A show made before shops had one marks with its own `salt`.
        hidden, addresses, names: {comment: staff login}, {mark: viewer}, {viewer: name}.
        spoken: viewers of whom everyone was shown a line that is no order.
        clock: [RTP timestamp, ms]: the picture that arrived at that time; None while no relay tells.
    """

    epoch: str
    offset: str
    now: int
    salt: str
    network_salt: str
    version: str
    show: ShowHead
    order: list[str]
    items: dict[str, PublicItem]
    stock: dict[str, list[int]]
    pins: list[PinRecord]
    chat: list[ChatEvent]
    hidden: dict[str, str]
    held: dict[str, ChatEvent]
    settings: Settings
    notice: str | None
    media: dict[str, Any]
    buyers: dict[str, BuyerRecord]
    addresses: dict[str, str]
    names: dict[str, str]
    spoken: dict[str, bool]
    triage: dict[str, TriageEvent]
    words: list[str]
    audit: list[AuditEntry]
    tickets: dict[str, TicketRecord]
    clock: list[int] | None


def part(state: State, name: str) -> Any:
    """A part that a kind has added to the state."""
    return cast("dict[str, Any]", state)[name]


class Draft:
    """A state while events are folded into it. Parts that an event touches are copied once, the given state stays."""

    __slots__ = ("_owned", "_parts", "state")

    def __init__(self, state: State) -> None:
        self.state = state.copy()
        self._parts = cast("dict[str, Any]", self.state)
        self._owned: set[str] = set()

    def own(self, name: str) -> Any:
        """The part of that name (a list or a dict), to be changed in place."""
        parts = self._parts
        if name not in self._owned:
            self._owned.add(name)
            parts[name] = parts[name].copy()
        return parts[name]

    def put(self, name: str, value: Any) -> None:
        """Another value for the part of that name: a text, a number, a list or dict made anew."""
        self._owned.add(name)
        self._parts[name] = value


def current_pin(state: State) -> PinRecord | None:
    """The last pin record, None where nothing is pinned (then its code is None or there never was one)."""
    pin = state["pins"][-1] if state["pins"] else None
    return pin if pin is not None and pin["code"] is not None else None


def stock_of(state: State) -> dict[str, list[int]]:
    """Counters of the show's own products."""
    stock = state["stock"]
    return {sku: stock[sku] for code in state["order"] for sku in state["items"][code]["skus"] if sku in stock}


def pinned_for(state: State, pin_id: str | None, now_ms: int) -> str | None:
    """The code a bare `+1` means: what its page showed, if that was current within 30 s or is shown again; what is
    pinned now for those who do not say what they saw. None: nothing, and it is asked back. Never another product than
    the one that somebody saw: a line that hung for a minute must not buy what has come since."""
    pin = current_pin(state)
    now = None if pin is None else str(pin["code"])
    if pin_id is None:
        return now
    pins = state["pins"]
    for index in range(len(pins) - 1, -1, -1):
        if pins[index]["pin"] == pin_id:
            seen = pins[index]["code"]
            replaced = pins[index + 1]["at"] if index + 1 < len(pins) else now_ms
            return seen if seen is not None and (seen == now or now_ms - replaced <= PIN_HISTORY_MS) else None
    return None


def media_timestamp(clock: list[int] | None, now_ms: int) -> int | None:
    """The RTP timestamp (32 bit) of the picture that arrives at `now_ms`, None while no relay tells. `clock` is the
    state's, which must be just read."""
    if clock is None:
        return None
    timestamp, at_ms = clock
    return (int(timestamp) + (now_ms - int(at_ms)) * MEDIA_TICKS_PER_MS) & 0xFFFFFFFF
