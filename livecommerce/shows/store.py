"""The store of live shows: creates them, reads them at one moment, writes decisions, appends chat. The IO shell."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Awaitable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple, cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from livecommerce.comments import PACKS
from livecommerce.errors import BadInput, Busy, Conflict, IdReused, ShowUnknown, TooMuch
from livecommerce.ops.store_faults import storage_error
from livecommerce.shows.decision import Decision, Told, Write, not_sold
from livecommerce.shows.errors import Banned
from livecommerce.shows.gathering import Gathering
from livecommerce.shows.kind import Stored
from livecommerce.shows.kinds.audit import AUDIT_SHOWN_MAX
from livecommerce.shows.kinds.buyer import addresses_barred
from livecommerce.shows.kinds.chat import CHAT_MAX
from livecommerce.shows.kinds.claims import TICKETS_MAX, ticket_of_claim
from livecommerce.shows.kinds.media import told
from livecommerce.shows.kinds.name import named
from livecommerce.shows.lookups import Lookups
from livecommerce.shows.model import KEY_NAMES, SNAPSHOT_PARTS, Keys, ShowSetup, checked_item
from livecommerce.shows.moderation import Place
from livecommerce.shows.packing import decoded, pack, pack_for_lua, unpack
from livecommerce.shows.projection import Projector
from livecommerce.shows.registry import Registry
from livecommerce.shows.shop_words import KeptWords, words_of, words_shape
from livecommerce.shows.state import AuditEntry, Event, State, TicketRecord
from livecommerce.shows.supply import SUPPLY_DONE, counters_shape, named_pieces, setup_reason
from livecommerce.shows.words import fold_word
from livecommerce.stock import showlog
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.outcomes import Outcome

log = structlog.get_logger(__name__)

LIBRARY = files("livecommerce.shows").joinpath("library.lua").read_text("utf-8")
CHAT_BATCH_MAX = 256  # lines in one call: some 2 ms of Valkey's time
CHAT_QUEUE_MAX = 20_000  # lines waiting in one process; beyond it a viewer is told `busy`
READ_ENTRIES_MAX = 2_000  # log entries read at once; a page that is further behind takes a snapshot
INTRODUCED_AT_ONCE = 200  # names and newcomers in one call
CLOSE_SECONDS_MAX = 5.0


FAULTS = (RedisError, RedisClusterException)  # redis-py's own words for "no node has this slot" are no RedisError
# The pieces of a show that is made are set before it where the caller named what it saw: done then, or refused because
# something was sold in that moment. The caller is told; the show is made.
SET_BEFORE = frozenset((Outcome.STOCK_CHANGED, Outcome.ID_REUSED))


class ChatLine(msgspec.Struct, frozen=True):
    """A chat line on its way to the log: `event` as packed, `triage` packed or empty, `answer` for repeats.
    `spoke`: everyone is shown it, and it is no order."""

    id: str
    viewer: str
    name: str
    place: Place
    answer: bytes
    event: bytes = b""
    triage: bytes = b""
    spoke: bool = False


Entry = tuple[bytes, dict[bytes, bytes]]


class Person(NamedTuple):
    """A viewer as others of the show see them: the name they chose, "" without one, and their handle."""

    name: str
    by: str


class ShowStore:
    """Shows in Valkey. One per process; safe for concurrent use within its event loop."""

    def __init__(self, redis: Redis, engine: StockEngine, kinds: Registry) -> None:
        self.redis = redis
        self.engine = engine
        self.kinds = kinds
        self._key_numbers = {name: number for number, name in enumerate((*KEY_NAMES, *kinds.hashes), start=1)}
        self._lookups = Lookups(self._read_shops)
        self._chat = Gathering("chat", self._write_chat, at_once=CHAT_BATCH_MAX, waiting=CHAT_QUEUE_MAX)
        self._introduced = Gathering(
            "introductions", self._write_introductions, at_once=INTRODUCED_AT_ONCE, waiting=CHAT_QUEUE_MAX
        )
        # to the steady clock, not to the wall clock: that one may be set at any moment
        self._clock_offset_ms = (time.time() - time.monotonic()) * 1000

    async def start(self) -> None:
        """Loads the Lua library; safe to call in every process.

        Raises:
            Unavailable: Valkey does not answer.
        """
        await self._answer(self.redis.function_load(LIBRARY, replace=True))

    async def close(self) -> None:
        """Waits for what is in flight."""
        for one in (self._chat, self._introduced, self._lookups):
            await one.settle(CLOSE_SECONDS_MAX)

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
        return await self._lookups.shop_of(show)

    async def _read_shops(self, shows: list[str]) -> list[bytes | None]:
        found = await self._answer(cast("Awaitable[Any]", self.redis.hmget(Keys.SHOWS, shows)))
        return cast("list[bytes | None]", found)

    async def keys_of(self, show: str) -> Keys:
        return Keys(await self.shop_of(show), show, self.kinds.hashes)

    async def exists(self, show: str) -> bool:
        try:
            await self.shop_of(show)
        except ShowUnknown:
            return False
        return True

    async def create(self, setup: ShowSetup) -> str:
        """Creates the show with its products and supply, and returns its epoch. Repeating it changes nothing.

        Raises:
            BadInput: the set-up contradicts itself. Conflict: another shop has this id. Busy: stock cannot answer now.
            NotSold: stock refuses the supply.
        """
        items = [checked_item(item, setup.currency) for item in setup.items]
        if len({item.code for item in items}) != len(items):
            raise BadInput("A show lists each product once.")
        unknown = [name for name in setup.packs if name not in PACKS]
        if unknown:
            raise BadInput(f"There is no grammar pack {unknown[0]!r}; there are {', '.join(sorted(PACKS))}.")
        if any(item.currency != setup.currency for item in items):
            raise BadInput(f"All products of this show are priced in {setup.currency}.")
        await self._answer(cast("Awaitable[Any]", self.redis.hsetnx(Keys.SHOWS, setup.id, setup.shop)))
        self._lookups.is_made(setup.id)
        if await self.shop_of(setup.id) != setup.shop:
            raise Conflict("Another shop has a show under this id.")
        keys = await self.keys_of(setup.id)
        meta = {
            "id": setup.id, "title": setup.title, "shop": setup.shop, "shop_name": setup.shop_name,
            "currency": setup.currency, "locale": setup.locale, "hold_seconds": setup.hold_seconds,
            "packs": list(setup.packs), "limits": msgspec.to_builtins(setup.limits),
        }  # fmt: skip
        fields: list[Any] = ["show", pack(meta), "stage", "scheduled"]
        for name, value in {**self.kinds.first, **setup.first()}.items():
            fields += [name, pack(value)]
        for item in items:
            fields += [f"item:{item.code}", pack(item.public())]
        epoch, salt = secrets.token_hex(6), secrets.token_hex(16)
        fields += ["network_salt", await self._network_salt(setup.shop)]
        first = pack({"t": "created", "at": self.now_ms()})
        words = sorted({fold_word(word) for word in setup.words} - {""})
        if words and not await self._answer(self.redis.exists(keys.state)):  # before the show can be seen
            await self._answer(cast("Awaitable[Any]", self.redis.sadd(keys.words, *words)))
        _, epoch_bytes = await self._call("lc_show_create", keys.all(), setup.id, epoch, salt, first, *fields)
        for item in items:
            for sku in item.skus():
                pieces = named_pieces(setup.shop, setup.id, sku, item.supply.get(sku), setup_reason(setup.id))
                answer = await self.engine.submit(pieces)
                if answer.retry_after_ms:
                    raise Busy(f"Stock answered {answer.outcome}. Try again.", retry_after_ms=answer.retry_after_ms)
                if answer.outcome not in SUPPLY_DONE and answer.outcome not in SET_BEFORE:
                    raise not_sold(answer)
        return cast("str", epoch_bytes.decode())

    async def _network_salt(self, shop: str) -> str:
        key = Keys.network_salt_of_shop(shop)
        await self._answer(self.redis.set(key, secrets.token_hex(16), nx=True))
        return decoded(await self._answer(self.redis.get(key)))

    async def load(self, show: str, *, chat: int = CHAT_MAX, whole: bool = True) -> State:
        """The state at one moment. `whole` adds stock counters and tickets: stock's own reads, made after it. Changes
        in between are events after the offset that carry last values, so folding them ends at the same state.

        Raises:
            ShowUnknown, Unavailable.
        """
        keys = await self.keys_of(show)
        raw = await self._call("lc_show_snapshot", keys.all(), chat, AUDIT_SHOWN_MAX, read_only=True)
        if not raw:
            raise ShowUnknown()
        state = state_of(raw, self.kinds)
        self.compare_clock(state["now"])
        if whole:
            state["stock"], state["tickets"] = await self._stock_of(keys.shop, show, state)
        return state

    async def _stock_of(
        self, shop: str, show: str, state: State
    ) -> tuple[dict[str, list[int]], dict[str, TicketRecord]]:
        skus = [sku for code in state["order"] for sku in state["items"][code]["skus"]]
        counters = await self.engine.counters(shop, skus)
        claims = await self.engine.claims(shop, show=show)
        newest = sorted(claims[:TICKETS_MAX], key=lambda claim: claim.at_ms)
        return counters_shape(counters), {claim.reservation: ticket_of_claim(claim) for claim in newest}

    async def read(self, show: str, offset: str) -> list[tuple[str, list[Event]]]:
        """Log entries after an offset: [(offset, events)], at most READ_ENTRIES_MAX."""
        entries = await self.entries(show, offset, READ_ENTRIES_MAX)
        return [(decoded(entry), events_of(fields)) for entry, fields in entries]

    async def entries(self, show: str, after: str, count: int) -> list[Entry]:
        """At most `count` log entries after an offset as they are stored, for `events_of` in a thread.

        Raises:
            ShowUnknown, Unavailable.
        """
        keys = await self.keys_of(show)
        found = await self._answer(self.redis.xrange(keys.log, f"({after}", "+", count=count))
        return cast("list[Entry]", found)

    async def commit(
        self, keys: Keys, command_id: str, version: str, decision: Decision, audit: AuditEntry | None
    ) -> Told | None:
        """Writes a decision: its outcome, or the first one for a repeated id; None where the state moved on meanwhile.

        `version` is that of the state it was made of; "" for what holds in whatever state the show is, and then the
        decisions that others are making stay valid too.

        Raises:
            ShowUnknown, Unavailable, StorageFull. TooMuch: a write's `most` is reached; nothing was written.
        """
        events = list(decision.events)
        audit_id, audit_bytes = "", b""
        if audit is not None:
            audit_id, audit_bytes = audit["id"], pack(audit)
            events.append({"t": "audit", **audit})
        writes = [[self._key_numbers[write.key], *write[1:]] for write in decision.writes]
        answer = await self._call(
            "lc_show_commit", keys.all(), command_id, version, pack(decision.outcome), pack_for_lua(writes),
            audit_id, audit_bytes, *(pack(event) for event in events),
        )  # fmt: skip
        status = decoded(answer[0])
        if status == "gone":
            raise ShowUnknown()
        if status == "full":
            raise TooMuch("There are as many of these in this show as it can keep.")
        if status == "conflict":
            return None
        return cast("Told", unpack(answer[1])) if status == "done" else decision.outcome

    async def publish(self, show: str, events: Sequence[Event], writes: Sequence[Write] = ()) -> None:
        """Writes what no person commanded (media state, names), in whatever state the show is.

        Raises:
            ShowUnknown, Unavailable, StorageFull.
        """
        await self.commit(await self.keys_of(show), "", "", Decision(list(events), list(writes)), None)

    async def append_if_at(self, show: str, offset: str, event: bytes) -> bool:
        """Adds an event (msgpack) that was read elsewhere while the log ended at `offset`; False where it has gone on.

        Raises:
            ShowUnknown, Unavailable, StorageFull.
        """
        keys = await self.keys_of(show)
        return bool(await self._call("lc_show_append", [keys.log], offset, event))

    async def media(self, show: str, state: str, **details: Any) -> None:
        """What the relay tells: `live`, `lost` or `ended`, with figures for staff."""
        decision = told(state, self.now_ms(), details)
        await self.publish(show, decision.events, decision.writes)

    async def name(self, show: str, viewer: str, name: str) -> None:
        """A viewer's name, for tickets and the lists of staff; who comes after the last one kept is a guest there.

        Raises:
            ShowUnknown, Unavailable, StorageFull.
        """
        await self.introduce(show, named(viewer, name, self.now_ms()))

    async def introduce(self, show: str, decision: Decision) -> None:
        """Writes who a viewer is (name, network), together with all who come in the same moment: each is a write that
        waits for the disk, and a crowd of them must not stand before the claims. Where the show keeps as many as it
        can, nothing is written.

        Raises:
            Busy, ShowUnknown, Unavailable, StorageFull.
        """
        await self._introduced.ask(show, decision)

    async def _write_introductions(self, show: str, decisions: list[Decision]) -> list[None]:
        events = [event for decision in decisions for event in decision.events]
        writes = [write for decision in decisions for write in decision.writes]
        try:
            await self.publish(show, events, writes)
        except TooMuch:  # the last place has gone since our mirror's moment: whoever is known already, is still written
            for decision in decisions:
                with contextlib.suppress(TooMuch):
                    await self.publish(show, decision.events, decision.writes)
        return [None] * len(decisions)

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
            decision = addresses_barred(state, viewer, marks)
            if decision is None or await self.commit(keys, "", state["version"], decision, None) is not None:
                return

    async def append_chat(self, show: str, line: ChatLine) -> bytes:
        """Appends a line; b"" when it was written now, else the answer stored when its id first came.

        Natural batching: one call in flight a show, the next fills meanwhile.

        Raises:
            Busy: CHAT_QUEUE_MAX lines wait. IdReused, ShowUnknown, Unavailable, StorageFull.
        """
        return await self._chat.ask(show, line)

    async def _write_chat(self, show: str, lines: list[ChatLine]) -> list[bytes]:
        keys = await self.keys_of(show)
        args: list[bytes] = []
        for line in lines:
            head = {
                "id": line.id, "viewer": line.viewer, "name": line.name, "place": line.place, "answer": line.answer,
                "spoke": line.spoke,
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

    async def recall_command(self, keys: Keys, command: str) -> Told | None:
        """The outcome of a command that was executed before."""
        found = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.done, command)))
        return None if found is None else cast("Told", unpack(found))

    async def people(self, show: str, viewers: Sequence[str]) -> dict[str, Person]:
        """What viewers of a show go by there. One that the live store has forgotten gives no names.

        Raises:
            Unavailable.
        """
        if not viewers:
            return {}
        try:
            keys = await self.keys_of(show)
        except ShowUnknown:
            return {viewer: Person("", Projector("").by(viewer)) for viewer in viewers}
        salt = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.state, "salt")))
        names = await self._answer(cast("Awaitable[Any]", self.redis.hmget(keys.names, list(viewers))))
        projector = Projector(decoded(salt) if salt else "")
        return {
            viewer: Person(decoded(name) if name else "", projector.by(viewer))
            for viewer, name in zip(viewers, names, strict=True)
        }

    async def stages(self, shop: str, shows: Sequence[str]) -> dict[str, tuple[str, int]]:
        """{show: (stage, started_ms)} of those that the live store has; all in one round trip.

        Raises:
            Unavailable.
        """
        async with self.redis.pipeline(transaction=False) as pipe:
            for show in shows:
                pipe.hmget(Keys(shop, show).state, "stage", "started_ms")
            answers = await self._answer(pipe.execute()) if shows else []
        found = zip(shows, answers, strict=True)
        return {show: (decoded(stage), int(started or 0)) for show, (stage, started) in found if stage}

    async def epoch_of(self, shop: str, show: str) -> str:
        """Which log the show has now; "" where the live store has none.

        Raises:
            Unavailable.
        """
        epoch = await self._answer(cast("Awaitable[Any]", self.redis.hget(Keys(shop, show).state, "epoch")))
        return decoded(epoch) if epoch else ""

    async def place_of(self, show: str) -> tuple[str, str]:
        """(shop, stage) of a show; asked for each picture that somebody wants to see.

        Raises:
            ShowUnknown, Unavailable.
        """
        keys = await self.keys_of(show)
        stage = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.state, "stage")))
        if not stage:
            raise ShowUnknown()
        return keys.shop, decoded(stage)

    async def ended_of(self, shows: Sequence[str]) -> list[str]:
        """Those of these shows that have ended; one that nobody knows has not.

        Raises:
            Unavailable.
        """
        by_shop: dict[str, list[str]] = {}
        for show in shows:
            with contextlib.suppress(ShowUnknown):
                by_shop.setdefault(await self.shop_of(show), []).append(show)
        ended: list[str] = []
        for shop, asked in by_shop.items():
            ended += [show for show, (stage, _) in (await self.stages(shop, asked)).items() if stage == "ended"]
        return ended

    async def refuse_banned(self, show: str, viewer: str) -> None:
        """
        Raises:
            Banned, ShowUnknown, Unavailable.
        """
        keys = await self.keys_of(show)
        record = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.buyers, viewer)))
        if record and unpack(record)["banned"]:
            raise Banned()

    async def banned_since(self, show: str, version: str) -> tuple[str, list[str]]:
        """The show's version now, and its banned viewers where it is another one than `version`; else none.

        Raises:
            ShowUnknown, Unavailable.
        """
        keys = await self.keys_of(show)
        found = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.state, "version")))
        now = decoded(found or b"")
        if now == version:
            return now, []
        records = await self._answer(cast("Awaitable[Any]", self.redis.hgetall(keys.buyers)))
        return now, [decoded(viewer) for viewer, record in records.items() if unpack(record)["banned"]]

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

    async def audit_entry(self, keys: Keys, command: str) -> AuditEntry | None:
        found = await self._answer(cast("Awaitable[Any]", self.redis.hget(keys.audit, command)))
        return None if found is None else cast("AuditEntry", unpack(found))

    async def audit_page(self, show: str, count: int = 200) -> list[AuditEntry]:
        """The last entries of the audit trail, newest first."""
        keys = await self.keys_of(show)
        order = await self._answer(cast("Awaitable[Any]", self.redis.lrange(keys.audit_order, -count, -1)))
        if not order:
            return []
        found = await self._answer(cast("Awaitable[Any]", self.redis.hmget(keys.audit, order)))
        return [unpack(entry) for entry in reversed(found) if entry is not None]


def events_of(fields: dict[bytes, bytes]) -> list[Event]:
    """The events of one log entry."""
    return showlog.events(fields)


def kept_words(fields: dict[bytes, bytes]) -> KeptWords:
    """The shop's words out of an entry of their stream."""
    return KeptWords(int(fields[b"r"]), words_of(unpack(fields[b"w"])))


def _pairs(flat: list[bytes]) -> dict[str, bytes]:
    return {decoded(flat[index]): flat[index + 1] for index in range(0, len(flat), 2)}


def state_of(raw: list[Any], kinds: Registry) -> State:
    """The state out of what `lc_show_snapshot` returned; stock's part is empty."""
    parts = dict(zip((*SNAPSHOT_PARTS, *kinds.hashes), raw, strict=True))
    fields = _pairs(parts["state"])
    stored = Stored(
        fields=fields,
        maps={
            name: _pairs(parts[name]) for name in ("buyers", "hidden", "names", "addresses", "spoken", *kinds.hashes)
        },
        lists={name: parts[name] for name in ("tail", "triage", "words", "audit", "held")},
    )
    show = {
        **unpack(fields["show"]), "stage": decoded(fields["stage"]),
        "started_ms": int(fields.get("started_ms", b"0")), "ended_ms": int(fields.get("ended_ms", b"0")),
    }  # fmt: skip
    clock = decoded(parts["clock"]).split(":") if parts["clock"] else None
    state = {
        "epoch": decoded(fields["epoch"]), "offset": decoded(parts["offset"]), "now": int(parts["now"]),
        "salt": decoded(fields["salt"]), "network_salt": decoded(fields.get("network_salt", fields["salt"])),
        "version": decoded(fields["version"]), "show": show, "stock": {},
        "tickets": {}, "clock": [int(part) for part in clock] if clock else None, **kinds.load(stored),
    }  # fmt: skip
    return cast("State", state)
