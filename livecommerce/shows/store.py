"""The store of live shows: creates them, reads them at one moment, writes decisions, appends chat. The IO shell."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Sequence
from importlib.resources import files
from typing import Any, cast

import msgpack
import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from livecommerce.comments import PACKS
from livecommerce.errors import BadInput, Busy, Conflict, IdReused, ShowUnknown, StorageFull, Unavailable
from livecommerce.shows.decide import Decision, buyer_of, pack, pack_for_lua
from livecommerce.shows.model import Keys, ShowSetup, checked_item
from livecommerce.shows.shop_words import KeptWords, words_of, words_shape
from livecommerce.shows.state import AUDIT_MAX, CHAT_MAX, TICKETS_MAX, Event, State, ticket_record
from livecommerce.shows.words import fold_word
from livecommerce.stock import showlog
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Restock

log = structlog.get_logger(__name__)

LIBRARY = files("livecommerce.shows").joinpath("library.lua").read_text("utf-8")
CHAT_BATCH_MAX = 256  # lines in one call: some 2 ms of Valkey's time
CHAT_QUEUE_MAX = 20_000  # lines waiting in one process; beyond it a viewer is told `busy`
READ_ENTRIES_MAX = 2_000  # log entries read at once; a page that is further behind takes a snapshot
FULL = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "CLOSED")
AWAY = ("LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MOVED")  # until a node has started, or a replica is voted in
SHOP_CACHE_MAX = 10_000  # shows whose shop is remembered; the entry never changes


FAULTS = (RedisError, RedisClusterException)  # redis-py's own words for "no node has this slot" are no RedisError


def storage_error(error: Exception) -> Exception:
    """What a person is told when Valkey refuses or does not answer."""
    text = str(error)
    # redis-py takes the code off the words of some errors and makes a class of it
    if isinstance(error, OutOfMemoryError | ReadOnlyError) or text.startswith(FULL):
        return StorageFull(retry_after_ms=5_000)
    if isinstance(error, RedisConnectionError | RedisTimeoutError | RedisClusterException) or text.startswith(AWAY):
        return Unavailable(retry_after_ms=1_000)
    return error


class ChatLine(msgspec.Struct, frozen=True):
    """A chat line on its way to the log: `event` as packed, `triage` packed or empty, `answer` for repeats."""

    id: str
    viewer: str
    name: str
    place: str
    answer: bytes
    event: bytes = b""
    triage: bytes = b""


class _ChatBatch:
    """Lines of one show that wait for the call in flight."""

    __slots__ = ("lines", "running")

    def __init__(self) -> None:
        self.lines: list[tuple[ChatLine, asyncio.Future[bytes]]] = []
        self.running = False


class ShowStore:
    """Shows in Valkey. One per process; safe for concurrent use within its event loop."""

    def __init__(self, redis: Redis, engine: StockEngine) -> None:
        self.redis = redis
        self.engine = engine
        self._shops: dict[str, str] = {}
        self._chat: dict[str, _ChatBatch] = {}
        self._chat_waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        # to the steady clock, not to the wall clock: that one may be set at any moment
        self._clock_offset_ms = (time.time() - time.monotonic()) * 1000

    async def start(self) -> None:
        """Loads the Lua library; safe to call in every process.

        Raises:
            Unavailable: Valkey does not answer.
        """
        await self._answer(self.redis.function_load(LIBRARY, replace=True))

    async def close(self) -> None:
        """Waits for chat lines in flight."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def now_ms(self) -> int:
        """The Valkey server's clock as last compared (every snapshot compares it)."""
        return int(time.monotonic() * 1000 + self._clock_offset_ms)

    def compare_clock(self, server_ms: float) -> None:
        """What the server's clock shows now."""
        self._clock_offset_ms = server_ms - time.monotonic() * 1000

    async def _answer(self, call: Awaitable[Any]) -> Any:
        try:
            return await call
        except FAULTS as error:
            raise storage_error(error) from error

    async def _call(self, function: str, keys: Sequence[str], *args: Any, read_only: bool = False) -> Any:
        """One FCALL; loads the library when the server lost it (a fresh or flushed server)."""
        run = self.redis.fcall_ro if read_only else self.redis.fcall
        try:
            return await run(function, len(keys), *keys, *args)
        except ResponseError as error:
            if "Function not found" not in str(error):
                raise storage_error(error) from error
        except FAULTS as error:
            raise storage_error(error) from error
        await self.start()
        return await self._answer(run(function, len(keys), *keys, *args))

    async def shop_of(self, show: str) -> str:
        """
        Raises:
            ShowUnknown: there is no such show.
        """
        shop = self._shops.get(show)
        if shop is None:
            found = await self._answer(cast("Awaitable[Any]", self.redis.hget(Keys.SHOWS, show)))
            if found is None:
                raise ShowUnknown()
            shop = found.decode() if isinstance(found, bytes) else str(found)
            if len(self._shops) >= SHOP_CACHE_MAX:
                self._shops.clear()
            self._shops[show] = shop
        return shop

    async def keys_of(self, show: str) -> Keys:
        return Keys(await self.shop_of(show), show)

    async def exists(self, show: str) -> bool:
        try:
            await self.shop_of(show)
        except ShowUnknown:
            return False
        return True

    async def create(self, setup: ShowSetup) -> str:
        """Creates the show with its products and supply, and returns its epoch. Repeating it changes nothing.

        Raises:
            BadInput: the set-up contradicts itself. Conflict: another shop has this id.
        """
        items = [checked_item(item) for item in setup.items]
        if len({item.code for item in items}) != len(items):
            raise BadInput("A show lists each product once.")
        unknown = [name for name in setup.packs if name not in PACKS]
        if unknown:
            raise BadInput(f"There is no grammar pack {unknown[0]!r}; there are {', '.join(sorted(PACKS))}.")
        if any(item.currency != setup.currency for item in items):
            raise BadInput(f"All products of this show are priced in {setup.currency}.")
        await self._answer(cast("Awaitable[Any]", self.redis.hsetnx(Keys.SHOWS, setup.id, setup.shop)))
        if await self.shop_of(setup.id) != setup.shop:
            raise Conflict("Another shop has a show under this id.")
        keys = Keys(setup.shop, setup.id)
        meta = {
            "id": setup.id, "title": setup.title, "shop": setup.shop, "shop_name": setup.shop_name,
            "currency": setup.currency, "locale": setup.locale, "hold_seconds": setup.hold_seconds,
            "packs": list(setup.packs), "limits": msgspec.to_builtins(setup.limits),
        }  # fmt: skip
        fields: list[Any] = ["show", pack(meta), "stage", "scheduled", "order", pack([item.code for item in items])]
        fields += ["settings", pack(msgspec.to_builtins(setup.settings)), "pins", pack([]), "notice", pack(None)]
        fields += ["media", pack({"state": "none"})]
        for item in items:
            fields += [f"item:{item.code}", pack(item.public())]
        epoch, salt = secrets.token_hex(6), secrets.token_hex(16)
        first = pack({"t": "created", "at": self.now_ms()})
        words = sorted({fold_word(word) for word in setup.words} - {""})
        if words and not await self._answer(self.redis.exists(keys.state)):  # before the show can be seen
            await self._answer(cast("Awaitable[Any]", self.redis.sadd(keys.words, *words)))
        _, epoch_bytes = await self._call("lc_show_create", keys.all(), setup.id, epoch, salt, first, *fields)
        for item in items:
            for sku in item.skus():
                await self.supply(setup.shop, setup.id, sku, item.supply.get(sku, 0), f"setup {setup.id}")
        return cast("str", epoch_bytes.decode())

    async def supply(self, shop: str, show: str, sku: str, quantity: int, reason: str) -> None:
        """First pieces of a sku; the id is made of the reason, so that repeating adds nothing."""
        digest = hashlib.blake2b(f"{reason} {sku}".encode(), digest_size=16).hexdigest()
        answer = await self.engine.submit(
            Restock(id=f"supply-{digest}", shop=shop, show=show, item=sku, quantity=quantity)
        )
        if answer.retry_after_ms:
            raise Busy(f"Stock answered {answer.outcome}. Try again.", retry_after_ms=answer.retry_after_ms)

    async def load(self, show: str, *, chat: int = CHAT_MAX, whole: bool = True) -> State:
        """The state at one moment. `whole` adds stock counters and tickets: stock's own reads, made after it. Changes
        in between are events after the offset that carry last values, so folding them ends at the same state.

        Raises:
            ShowUnknown, Unavailable.
        """
        keys = await self.keys_of(show)
        tickets: dict[str, Any] = {}
        stock: dict[str, list[int]] = {}
        raw = await self._call("lc_show_snapshot", keys.all(), chat, AUDIT_MAX, read_only=True)
        if not raw:
            raise ShowUnknown()
        state = _state_from(raw)
        self.compare_clock(state["now"])
        if whole:
            stock, tickets = await self._stock_of(keys.shop, show, state)
        state["stock"], state["tickets"] = stock, tickets
        return state

    async def _stock_of(self, shop: str, show: str, state: State) -> tuple[dict[str, list[int]], dict[str, Any]]:
        skus = [sku for code in state["order"] for sku in state["items"][code]["skus"]]
        counters = await self.engine.counters(shop, skus)
        stock = {sku: [c.available, c.held, c.sold, c.waiting, c.supplied] for sku, c in counters.items()}
        claims = await self.engine.claims(shop, show=show)
        tickets = {}
        for claim in sorted(claims[:TICKETS_MAX], key=lambda claim: claim.at_ms):
            tickets[claim.reservation] = ticket_of_claim(claim)
        return stock, tickets

    async def read(self, show: str, offset: str) -> list[tuple[str, list[Event]]]:
        """Log entries after an offset: [(offset, events)], at most READ_ENTRIES_MAX."""
        keys = await self.keys_of(show)
        entries = await self._answer(self.redis.xrange(keys.log, f"({offset}", "+", count=READ_ENTRIES_MAX))
        return [(decoded(entry), events_of(fields)) for entry, fields in entries]

    async def commit(
        self, keys: Keys, command_id: str, version: str, decision: Decision, audit: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """Writes a decision: its outcome, or the first one for a repeated id; None where the state moved on meanwhile.

        Raises:
            ShowUnknown, Unavailable, StorageFull.
        """
        events = list(decision.events)
        audit_id, audit_bytes = "", b""
        if audit is not None:
            audit_id, audit_bytes = audit["id"], pack(audit)
            events.append({"t": "audit", **audit})
        answer = await self._call(
            "lc_show_commit", keys.all(), command_id, version, pack(decision.outcome), pack_for_lua(decision.writes),
            audit_id, audit_bytes, *(pack(event) for event in events),
        )  # fmt: skip
        status = decoded(answer[0])
        if status == "gone":
            raise ShowUnknown()
        if status == "conflict":
            return None
        return cast("dict[str, Any]", unpack(answer[1])) if status == "done" else decision.outcome

    async def publish(self, show: str, events: Sequence[Event], writes: Sequence[list[Any]] = ()) -> None:
        """Appends events that no person commanded (media state, names)."""
        await self.commit(await self.keys_of(show), "", "", Decision(list(events), list(writes)), None)

    async def media(self, show: str, state: str, **details: Any) -> None:
        """What the relay tells: `live`, `lost` or `ended`, with figures for staff."""
        event = {"t": "media", "state": state, "at": self.now_ms(), **details}
        kept = {key: value for key, value in event.items() if key != "t"}
        await self.publish(show, [event], [[1, "hset", "media", pack(kept)]])

    async def media_clock(self, show: str, timestamp: int) -> None:
        """What the relay tells every few seconds: the picture that arrives now has this RTP timestamp (90 kHz).

        Raises:
            ShowUnknown, Unavailable, StorageFull.
        """
        keys = await self.keys_of(show)
        await self._call("lc_show_clock", [keys.clock], str(timestamp))

    async def bar_addresses(self, show: str, viewer: str, marks: Sequence[str]) -> None:
        """The addresses that a banned viewer watches from join the ban, unless it was lifted meanwhile.

        Raises:
            Unavailable, StorageFull.
        """
        keys = await self.keys_of(show)
        for _ in range(3):  # the state moves on only by commands of people
            state = await self.load(show, chat=0, whole=False)
            record = buyer_of(state, viewer)
            if not record["banned"]:
                return
            event = {
                "t": "buyer", "viewer": viewer, **record, "at": state["now"], "addresses_added": list(marks),
            }  # fmt: skip
            decision = Decision([event], [[10, "hset", mark, viewer] for mark in marks])
            if await self.commit(keys, "", state["version"], decision, None) is not None:
                return

    async def name(self, show: str, viewer: str, name: str) -> None:
        event = {"t": "name", "viewer": viewer, "name": name, "at": self.now_ms()}
        await self.publish(show, [event], [[9, "hset", viewer, name]])

    async def append_chat(self, show: str, line: ChatLine) -> bytes:
        """Appends a line; b"" when it was written now, else the answer stored when its id first came.

        Natural batching: one call in flight a show, the next fills meanwhile.

        Raises:
            Busy: CHAT_QUEUE_MAX lines wait. IdReused, ShowUnknown, Unavailable, StorageFull.
        """
        if self._chat_waiting >= CHAT_QUEUE_MAX:
            raise Busy(retry_after_ms=1_000)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        batch = self._chat.setdefault(show, _ChatBatch())
        batch.lines.append((line, future))
        self._chat_waiting += 1
        if not batch.running:
            batch.running = True
            task = asyncio.create_task(self._drain_chat(show, batch), name=f"chat {show}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _drain_chat(self, show: str, batch: _ChatBatch) -> None:
        while batch.lines:
            lines, batch.lines = batch.lines[:CHAT_BATCH_MAX], batch.lines[CHAT_BATCH_MAX:]
            sent = len(lines)
            self._chat_waiting -= sent
            try:
                answers = await self._write_chat(show, [line for line, _ in lines])
            except Exception as error:
                if isinstance(error, Unavailable):  # who came meanwhile has waited as long: nobody waits for two calls
                    lines, batch.lines = [*lines, *batch.lines], []
                    self._chat_waiting -= len(lines) - sent
                for _, future in lines:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(lines, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        batch.running = False
        self._chat.pop(show, None)

    async def _write_chat(self, show: str, lines: list[ChatLine]) -> list[bytes]:
        keys = await self.keys_of(show)
        args: list[bytes] = []
        for line in lines:
            head = {
                "id": line.id, "viewer": line.viewer, "name": line.name, "place": line.place, "answer": line.answer,
            }  # fmt: skip
            args += [pack_for_lua(head), line.event, line.triage]
        try:
            return cast("list[bytes]", await self._call("lc_show_chat", keys.all(), *args))
        except ResponseError as error:
            if str(error).startswith("GONE"):
                raise ShowUnknown() from error
            raise

    async def recall(self, show: str, comment: str, viewer: str) -> bytes | None:
        """The answer stored for a chat line that came before.

        Raises:
            IdReused: the id belongs to somebody else's line.
        """
        keys = await self.keys_of(show)
        found = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.done, comment)))
        if found is None:
            return None
        answer = unpack(found)
        if not isinstance(answer, dict) or answer.get("viewer") != viewer:
            raise IdReused()
        return cast("bytes", found)

    async def recall_command(self, keys: Keys, command: str) -> dict[str, Any] | None:
        """The outcome of a command that was executed before."""
        found = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.done, command)))
        return None if found is None else cast("dict[str, Any]", unpack(found))

    async def shop_words(self, shop: str) -> KeptWords:
        """The shop's own words as they are now.

        Raises:
            Unavailable.
        """
        entries = await self._answer(self.redis.xrevrange(Keys.words_of_shop(shop), count=1))
        return kept_words(entries[0][1]) if entries else KeptWords()

    async def put_shop_words(self, shop: str, before: int, after: KeptWords) -> bool:
        """Keeps the words for every show of the shop; False when the revision is not `before` any more.

        Raises:
            Unavailable, StorageFull.
        """
        key, packed = Keys.words_of_shop(shop), pack(words_shape(after.words))
        return bool(await self._call("lc_shop_words", [key], str(before), str(after.revision), packed))

    async def audit_entry(self, keys: Keys, command: str) -> dict[str, Any] | None:
        found = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.audit, command)))
        return None if found is None else cast("dict[str, Any]", unpack(found))

    async def audit_page(self, show: str, count: int = 200) -> list[dict[str, Any]]:
        """The last entries of the audit trail, newest first."""
        keys = await self.keys_of(show)
        order = await self._answer(cast("Awaitable[Any]", self.redis.lrange(keys.audit_order, -count, -1)))
        if not order:
            return []
        found = await self._answer(cast("Awaitable[Any]", self.redis.hmget(keys.audit, order)))
        return [unpack(entry) for entry in reversed(found) if entry is not None]


def ticket_of_claim(claim: Any) -> dict[str, Any]:
    """The ticket record of a `stock` Claim, as `state.ticket_record` makes it of an event."""
    event = {
        "reservation": claim.reservation, "viewer": claim.viewer, "item": claim.item, "number": claim.number,
        "quantity": claim.quantity, "waiting": claim.waiting, "position": claim.position, "id": claim.id,
        "price": claim.unit_price_minor, "currency": claim.currency, "state": claim.state, "text": claim.text,
        "deadline": claim.deadline_ms,
    }  # fmt: skip
    return ticket_record(event, claim.at_ms)


def unpack(blob: bytes) -> Any:
    return msgpack.unpackb(blob, raw=False, strict_map_key=False)


def decoded(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def events_of(fields: dict[bytes, bytes]) -> list[Event]:
    """The events of one log entry."""
    return showlog.events(fields)


def kept_words(fields: dict[bytes, bytes]) -> KeptWords:
    """The shop's words out of an entry of their stream."""
    return KeptWords(int(fields[b"r"]), words_of(unpack(fields[b"w"])))


def _pairs(flat: list[bytes]) -> dict[str, bytes]:
    return {decoded(flat[index]): flat[index + 1] for index in range(0, len(flat), 2)}


def _state_from(raw: list[Any]) -> State:
    """The state out of what `lc_show_snapshot` returned."""
    fields = _pairs(raw[0])
    hidden = {comment: decoded(login) for comment, login in _pairs(raw[5]).items()}
    chat = [event for blob in reversed(raw[3]) for event in unpack(blob) if event["t"] == "chat"]
    show = {
        **unpack(fields["show"]), "stage": decoded(fields["stage"]),
        "started_ms": int(fields.get("started_ms", b"0")), "ended_ms": int(fields.get("ended_ms", b"0")),
    }  # fmt: skip
    triage = sorted((unpack(blob) for blob in raw[6]), key=lambda event: event["at"])
    order = unpack(fields["order"])
    return {
        "epoch": decoded(fields["epoch"]), "offset": decoded(raw[1]), "now": int(raw[2]),
        "salt": decoded(fields["salt"]), "version": decoded(fields["version"]), "show": show,
        "order": order, "items": {code: unpack(fields[f"item:{code}"]) for code in order},
        "pins": unpack(fields["pins"]), "chat": _latest_chat(chat), "hidden": hidden,
        "held": {event["id"]: event for event in map(unpack, raw[11])},
        "settings": unpack(fields["settings"]), "notice": unpack(fields["notice"]), "media": unpack(fields["media"]),
        "buyers": {viewer: unpack(blob) for viewer, blob in _pairs(raw[4]).items()},
        "addresses": {mark: decoded(viewer) for mark, viewer in _pairs(raw[10]).items()},
        "names": {viewer: decoded(name) for viewer, name in _pairs(raw[9]).items()},
        "triage": {event["comment"]: event for event in triage},
        "words": sorted(decoded(word) for word in raw[7]),
        "audit": [{key: value for key, value in unpack(blob).items() if key != "t"} for blob in raw[8] if blob],
        "clock": [int(part) for part in decoded(raw[12]).split(":")] if raw[12] else None,
    }  # fmt: skip


def _latest_chat(events: list[Event]) -> list[Event]:
    """The tail as folding would have left it: a line let through counts where it was let through."""
    latest: dict[str, Event] = {}
    for event in events:
        if event["id"] in latest and latest[event["id"]].get("held"):
            del latest[event["id"]]
        latest[event["id"]] = event
    return list(latest.values())[-CHAT_MAX:]
