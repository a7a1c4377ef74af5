"""The state a ledger stands for: built again from its entries, compared with what is stored, written anew. Mostly pure.

Counters are not copied from the ledger but counted from claims and supplies, so that comparing finds a wrong counter as
well as a lost claim. `livecommerce stock verify|rebuild` and the check after a failover use it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from livecommerce.stock import keys
from livecommerce.stock.connection import Connection
from livecommerce.stock.encoding import decode_answer, id_text
from livecommerce.stock.ledger import Entry, StoredAnswer, StoredChange, decode
from livecommerce.stock.outcomes import CLAIM_STATES, Counters
from livecommerce.stock.records import (
    ACTIVE,
    CONFIRMED,
    StoredClaim,
    StoredOperation,
    pack_item,
    pack_record,
    parse_item,
    parse_record,
)
from livecommerce.stock.servers import Servers
from livecommerce.stock.stream_ids import stream_key
from livecommerce.stock.wire import OfferFields, unpack

READ_COUNT = 500  # hash fields a round trip
LEDGER_COUNT = 50  # ledger entries a round trip: each may hold a thousand operations
LINE_CHUNK = 128  # viewers in one field of an item's line, as in 20_world.lua
DIFFERENCES_MAX = 100  # sentences; past these there is no doubt left
SET_BACK_MS_MIN = 5000  # as in 80_run.lua
READS_MAX = 5  # attempts to read while nothing is written; a shop that sells all the time must be closed for it

NOT_COMPARED = "not compared, it sells all the time: try again, or close its sales while it is compared"


class NotCompared(Exception):
    """Entries came all the time while ledger and state were read: nothing is known to differ."""

    def __str__(self) -> str:
        return NOT_COMPARED


Record = dict[bytes, StoredOperation]


class State:
    """Everything stock keeps of a shop, in plain containers."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.staff: dict[tuple[str, bytes], bytes] = {}
        self.counters: dict[str, tuple[Counters, int, int]] = {}
        self.offers: dict[bytes, bytes] = {}
        self.lines: dict[str, dict[int, str]] = {}
        self.waiting: dict[str, dict[str, int]] = {}
        self.due: set[tuple[str, int]] = set()
        self.earlier_ms: dict[tuple[str, int], int] = {}  # of `due`: how far the clock was set back since
        self.closed = False
        self.last_id = "0-0"
        self.last_ms = 0


class Replay:
    """Applies ledger entries in order; `state()` gives what they lead to."""

    def __init__(self) -> None:
        self._state = State()
        self._supplied: dict[str, int] = {}
        self._shut: dict[str, bool] = {}
        self._places: dict[tuple[str, int], tuple[str, str, StoredClaim]] = {}
        self._due_of: dict[tuple[str, int], str] = {}
        self._earlier_ms: dict[tuple[str, int], int] = {}
        self.recorded: dict[str, tuple[Counters, int, int]] = {}

    def apply(self, entry: Entry) -> None:
        state = self._state
        if state.last_ms - entry.at_ms > SET_BACK_MS_MIN:
            for place in self._due_of:
                self._earlier_ms[place] = self._earlier_ms.get(place, 0) + state.last_ms - entry.at_ms
        state.offers.update(entry.offers)
        for show, viewer, item, operation in entry.plain:
            state.records.setdefault((show, viewer), {})[operation.id] = operation
            self._place(entry, show, viewer, item, operation.claims[0])
        for change in entry.changes:
            if isinstance(change, StoredChange):
                self._change(entry, change)
            else:
                self._answer(change)
        for supply in entry.supplies:
            if supply.item == "":
                state.closed = supply.cause == "close"
                continue
            if supply.cause in ("restock", "adjust"):
                self._supplied[supply.item] = self._supplied.get(supply.item, 0) + supply.quantity
            else:
                self._shut[supply.item] = supply.cause == "close"
        self.recorded.update(entry.counters)
        state.last_id, state.last_ms = entry.id, entry.at_ms

    def _place(self, entry: Entry, show: str, viewer: str, item: str, claim: StoredClaim) -> None:
        self._state.lines.setdefault(item, {})[claim.number] = viewer
        before = self._places.get((item, claim.number))
        if before is None or before[2].deadline != claim.deadline or (item, claim.number) not in self._due_of:
            self._due_of[item, claim.number] = entry.id
            self._earlier_ms.pop((item, claim.number), None)
        self._places[item, claim.number] = (show, viewer, claim)

    def _change(self, entry: Entry, change: StoredChange) -> None:
        record = self._state.records.setdefault((change.show, change.viewer), {})
        operation = record.get(change.operation)
        if operation is None:
            operation = record[change.operation] = StoredOperation(change.operation, b"", b"", 0, [])
        for place, claim in enumerate(operation.claims):
            known = self._places.get((change.item, claim.number))
            if claim.number == change.claim.number and known is not None and known[2] is claim:
                operation.claims[place] = change.claim
                break
        else:
            operation.claims.append(change.claim)
        self._place(entry, change.show, change.viewer, change.item, change.claim)

    def _answer(self, done: StoredAnswer) -> None:
        if done.staff:
            self._state.staff[done.show, done.operation] = done.digest + done.answer
        if done.viewer:
            record = self._state.records.setdefault((done.show, done.viewer), {})
            operation = record.setdefault(done.operation, StoredOperation(done.operation, b"", b"", 0, []))
            operation.digest, operation.answer = done.digest, done.answer
            operation.at = decode_answer("", done.answer).at_ms

    def state(self) -> State:
        """The state after all entries applied so far."""
        state = self._state
        sums: dict[str, list[int]] = {item: [0, 0, 0, 0] for item in self._supplied}
        state.waiting, state.due, state.earlier_ms = {}, set(), {}
        for (item, number), (show, viewer, claim) in self._places.items():
            held, sold, waiting, entries = sums.setdefault(item, [0, 0, 0, 0])
            if claim.state in ACTIVE:
                in_line = claim.waiting > 0
                sums[item] = [held + claim.held, sold, waiting + claim.waiting, entries + in_line]
                if in_line:
                    state.waiting.setdefault(item, {})[f"{number}/{show}/{viewer}"] = number
                if claim.held:
                    due = (self._due_of[item, number], claim.deadline)
                    state.due.add(due)
                    state.earlier_ms[due] = self._earlier_ms.get((item, number), 0)
            elif claim.state == CONFIRMED:
                sums[item] = [held, sold + claim.held, waiting, entries]
        for item, (held, sold, waiting, entries) in sums.items():
            supplied = self._supplied.get(item, 0)
            shut = self._shut.get(item, False)
            counters = Counters(supplied - held - sold, held, sold, waiting, supplied, shut)
            state.counters[item] = (counters, max(state.lines.get(item, {0: ""})) + 1, entries)
        return state


def replay(entries: Iterable[Entry]) -> State:
    """The state that ledger entries, all of them from the first, lead to."""
    steps = Replay()
    for entry in entries:
        steps.apply(entry)
    return steps.state()


# ---- reading


async def _hash(connection: Connection, key: str) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    cursor = b"0"
    while True:
        cursor, rows = await connection.call("HSCAN", key, cursor, "COUNT", READ_COUNT)
        found.update(zip(rows[::2], rows[1::2], strict=True))
        if cursor == b"0":
            return found


async def read_ledger(connection: Connection, shop: str) -> State:
    """Replays the shop's whole ledger.

    Raises:
        LedgerUnreadable: an entry cannot be read.
    """
    steps = Replay()
    last = "-"
    while True:
        rows = await connection.call("XRANGE", keys.ledger(shop), last, "+", "COUNT", LEDGER_COUNT)
        for entry_id, fields in rows:
            pairs = dict(zip(fields[::2], fields[1::2], strict=True))
            steps.apply(decode(entry_id, pairs, with_claims=False))
            await asyncio.sleep(0)  # an entry may hold a thousand claims; sockets are served meanwhile
        if len(rows) < LEDGER_COUNT:
            return steps.state()
        last = "(" + rows[-1][0].decode()


def _by_id(operations: Iterable[StoredOperation]) -> dict[bytes, StoredOperation]:
    """A viewer's operations as the ledger has them: staff who swap a claim under an id that the viewer has used before
    are one more operation of that id in the record, and its claims are told together."""
    found: dict[bytes, StoredOperation] = {}
    for operation in operations:
        before = found.get(operation.id)
        if before is not None:
            operation.claims[:0] = before.claims
        found[operation.id] = operation
    return found


async def read_stored(connection: Connection, shop: str) -> State:
    """What is stored of the shop, as a State."""
    state = State()
    for name, data in (await _hash(connection, keys.items(shop))).items():
        if name == keys.CLOSED.encode():
            state.closed = data == b"1"
        elif not name.startswith(b"#"):
            state.counters[name.decode()] = parse_item(data)
    state.offers = await _hash(connection, keys.offers(shop))
    items = {key: OfferFields(*unpack(data)).item.decode() for key, data in state.offers.items()}
    for show_name in await connection.call("SMEMBERS", keys.shows(shop)):
        show = show_name.decode()
        for viewer, data in (await _hash(connection, keys.viewers(shop, show))).items():
            state.records[show, viewer.decode()] = _by_id(parse_record(data, items))
        for operation, data in (await _hash(connection, keys.staff_ids(shop, show))).items():
            state.staff[show, operation] = data
    for item in state.counters:
        for chunk, viewers in (await _hash(connection, keys.line(shop, item))).items():
            first = int(chunk) * LINE_CHUNK + 1
            line = state.lines.setdefault(item, {})
            line.update(enumerate(viewers.decode().split(","), start=first))
        entries = await connection.call("ZRANGE", keys.waitlist(shop, item), 0, -1, "WITHSCORES")
        if entries:
            state.waiting[item] = {m.decode(): int(s) for m, s in zip(entries[::2], entries[1::2], strict=True)}
    for member in await connection.call("ZRANGE", keys.due(shop), 0, -1):
        entry_id, deadline = member.decode().split(":")
        state.due.add((entry_id, int(deadline)))
    return state


async def shops_of(servers: Servers) -> list[str]:
    """All shops that have a ledger, on whichever server."""
    found: set[str] = set()
    for connection in await servers.connections():
        cursor = b"0"
        while True:
            cursor, ledgers = await connection.call("SCAN", cursor, "MATCH", keys.LEDGERS, "COUNT", READ_COUNT)
            found.update(keys.shop_of_ledger(key.decode()) for key in ledgers)
            if cursor == b"0":
                break
    return sorted(found)


async def last_ledger_id(connection: Connection, shop: str) -> str:
    """Stream id of the newest ledger entry, "0-0" without any."""
    rows = await connection.call("XREVRANGE", keys.ledger(shop), "+", "-", "COUNT", 1)
    return rows[0][0].decode() if rows else "0-0"


async def read_both(connection: Connection, shop: str) -> tuple[State, State] | None:
    """(by the ledger, as stored) at one moment, or None when sales went on all the time."""
    for _ in range(READS_MAX):
        before = await last_ledger_id(connection, shop)
        told, stored = await read_ledger(connection, shop), await read_stored(connection, shop)
        if await last_ledger_id(connection, shop) == before:
            return told, stored
    return None


# ---- comparing


def _claim_words(claim: StoredClaim) -> str:
    return f"{CLAIM_STATES[claim.state - 1]}, {claim.held} held, {claim.waiting} waiting, until {claim.deadline}"


def _record_differences(where: str, told: Record, stored: Record) -> Iterator[str]:
    for raw in told.keys() | stored.keys():
        name = f"{where}, operation {id_text(raw)}"
        if raw not in stored:
            yield f"{name}: in the ledger, not stored"
        elif raw not in told:
            yield f"{name}: stored, not in the ledger"
        else:
            ours, theirs = told[raw], stored[raw]
            if (ours.digest, ours.answer) != (theirs.digest, theirs.answer):
                yield f"{name}: the stored answer is not the one in the ledger"
            claims = {(claim.offer, claim.number): claim for claim in theirs.claims}
            if claims.keys() != {(claim.offer, claim.number) for claim in ours.claims}:
                yield f"{name}: other claims than in the ledger"
                continue
            for claim in ours.claims:
                other = claims[claim.offer, claim.number]
                if claim != other:
                    yield f"{name}: claim #{claim.number} is {_claim_words(other)}; by the ledger {_claim_words(claim)}"


def differences(told: State, stored: State) -> Iterator[str]:
    """What differs between the ledger's state and the stored one, a sentence each."""
    if told.closed != stored.closed:
        yield f"the shop is {'closed' if stored.closed else 'open'}, by the ledger it is not"
    for item in sorted(told.counters.keys() | stored.counters.keys()):
        if item not in stored.counters or item not in told.counters:
            yield f"item {item}: {'not stored' if item in told.counters else 'stored, but not in the ledger'}"
            continue
        (ours, number, entries), (theirs, other_number, other_entries) = told.counters[item], stored.counters[item]
        for name in Counters.__struct_fields__:
            if getattr(ours, name) != getattr(theirs, name):
                yield f"item {item}: {name} is {getattr(theirs, name)}, by the ledger {getattr(ours, name)}"
        if (number, entries) != (other_number, other_entries):
            yield (
                f"item {item}: next number {other_number} and {other_entries} in line, "
                f"by the ledger {number} and {entries}"
            )
        if told.lines.get(item, {}) != stored.lines.get(item, {}):
            yield f"item {item}: the line of viewers differs"
        if told.waiting.get(item, {}) != stored.waiting.get(item, {}):
            yield f"item {item}: the waitlist differs"
    for show, viewer in sorted(told.records.keys() | stored.records.keys()):
        ours_of, theirs_of = told.records.get((show, viewer), {}), stored.records.get((show, viewer), {})
        yield from _record_differences(f"show {show}, viewer {viewer}", ours_of, theirs_of)
    for show, raw in sorted(told.staff.keys() | stored.staff.keys()):
        if told.staff.get((show, raw)) != stored.staff.get((show, raw)):
            yield f"show {show}, staff operation {id_text(raw)}: not the answer in the ledger"
    for entry_id, deadline in sorted(told.due - stored.due):
        yield f"holds of ledger entry {entry_id} have no deadline {deadline}: they would never expire"
    for key in sorted(told.offers.keys() - stored.offers.keys()):
        yield f"offer {told.offers[key]!r} is not stored"


async def verify(connection: Connection, shop: str, seen_id: str = "") -> list[str]:
    """Compares state and ledger; [] when they agree, else at most 100 sentences.

    `seen_id` is a ledger position somebody has (the orders' tables, a process that got answers): a ledger that ends
    before it has lost acknowledged entries.

    Raises:
        NotCompared: the shop sold all the time.
    """
    both = await read_both(connection, shop)
    if both is None:
        raise NotCompared
    found = []
    if seen_id and stream_key(both[0].last_id) < stream_key(seen_id):
        found.append(f"the ledger ends at {both[0].last_id}, but entry {seen_id} was acknowledged: entries are lost")
    for words in differences(*both):
        found.append(words)
        if len(found) >= DIFFERENCES_MAX:
            break
    return found


# ---- writing


def commands(shop: str, state: State) -> Iterator[tuple[Any, ...]]:
    """The commands that store a State where nothing is."""
    for item, (counters, number, entries) in state.counters.items():
        yield ("HSET", keys.items(shop), item, pack_item(counters, number, entries))
    if state.closed:
        yield ("HSET", keys.items(shop), keys.CLOSED, "1")
    yield ("HSET", keys.items(shop), keys.NOW, state.last_ms)
    for key, data in state.offers.items():
        yield ("HSET", keys.offers(shop), key, data)
    for (show, viewer), record in state.records.items():
        yield ("SADD", keys.shows(shop), show)
        yield ("HSET", keys.viewers(shop, show), viewer, pack_record(list(record.values())))
    for (show, raw), data in state.staff.items():
        yield ("SADD", keys.shows(shop), show)
        yield ("HSET", keys.staff_ids(shop, show), raw, data)
    for item, line in state.lines.items():
        for chunk in range((max(line) - 1) // LINE_CHUNK + 1):
            first = chunk * LINE_CHUNK + 1
            viewers = [line[number] for number in range(first, min(first + LINE_CHUNK, max(line) + 1))]
            yield ("HSET", keys.line(shop, item), chunk, ",".join(viewers))
    for item, members in state.waiting.items():
        for member, number in members.items():
            yield ("ZADD", keys.waitlist(shop, item), number, member)
    for entry_id, deadline in state.due:
        due_ms = deadline - state.earlier_ms.get((entry_id, deadline), 0)
        yield ("ZADD", keys.due(shop), due_ms, f"{entry_id}:{deadline}")


async def rebuild(connection: Connection, shop: str) -> list[str]:
    """Puts the stored state right by the ledger; returns what was wrong.

    The fence is set to a value no server has before anything is touched: every process is refused until the end, and
    after a crash in the middle until somebody rebuilds again.
    """
    items = keys.items(shop)
    await connection.call("HSET", items, keys.FENCE, keys.REBUILDING)
    told, stored = await read_ledger(connection, shop), await read_stored(connection, shop)
    found = [words for words, _ in zip(differences(told, stored), range(DIFFERENCES_MAX), strict=False)]
    gone = [keys.offers(shop), keys.due(shop)]
    for show in {show for show, _ in stored.records} | {show for show, _ in stored.staff}:
        gone += [keys.viewers(shop, show), keys.staff_ids(shop, show)]
    for item in stored.counters:
        gone += [keys.line(shop, item), keys.waitlist(shop, item)]
        await connection.call("HDEL", items, item)
    for key in gone:
        await connection.call("UNLINK", key)
    await connection.call("HDEL", items, keys.CLOSED)
    for command in commands(shop, told):
        await connection.call(*command)
    await connection.call("HSET", items, keys.FENCE, connection.run_id)
    await connection.call("HINCRBY", items, keys.EPOCH, 1)
    return found
