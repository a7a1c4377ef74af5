"""Between operations and the bytes of the stock call. Pure.

A batch is sent as *templates* (what many operations have in common, encoded once and remembered) and, an operation,
template number, id and viewer. stock/wire.py names the fields; stock/lua/10_codec.lua is the other side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import islice
from struct import Struct as Layout
from typing import Any

from msgspec.structs import replace

from livecommerce.stock.operations import (
    HOLD_SECONDS_MAX,
    ITEM_LENGTH_MAX,
    LINES_MAX,
    OFFER_TEXT_LENGTH_MAX,
    PRICE_MINOR_MAX,
    QUANTITY_MAX,
    SUPPLY_MAX,
    Adjust,
    Cancel,
    Close,
    Confirm,
    Expire,
    Extend,
    Limits,
    Line,
    Open,
    Operation,
    Reduce,
    Release,
    Reprice,
    Reserve,
    Restock,
    SetAvailable,
    SetQuantity,
    Swap,
    Unconfirm,
)
from livecommerce.stock.outcomes import LIMIT_KINDS, OUTCOMES, Answer, LineAnswer, Outcome, limit_words
from livecommerce.stock.wire import TemplateFields, pack

ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
RESERVATION = re.compile(rf"[^#]{{1,{ITEM_LENGTH_MAX}}}#[1-9][0-9]{{0,9}}")
HEX_LOWER = b"0123456789abcdef"
UUID_HEAD = "b101"  # in hex: msgpack's head of a string of 17 bytes, and the byte that marks a UUID
TEMPLATES_MAX = 4096  # remembered encodings; an item, its quantities and its prices make a few each
REASON_LENGTH_MAX = 200

ANSWER_HEAD = Layout("<BIHB")  # outcome, time (4 low and 2 high bytes), lines
ANSWER_LINE = Layout("<BIHHIIHIB")  # outcome, number, reserved, waiting, position, deadline low, high, available, name
ANSWER_LIMIT = Layout("<BBII")  # after the lines, of each that was over a limit: which line, kind, limit, had


class Refused(Exception):
    """The operation can never be applied: `outcome` names why, the message says it."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class Template:
    """The encoded common part of operations.

    Attributes:
        data: bytes for the call.
        item: of a Reserve of one line: the sku; else "".
        quantity, hold_ms: of that line.
    """

    __slots__ = ("data", "hold_ms", "item", "quantity")

    def __init__(self, data: bytes, items: tuple[str, ...], quantity: int = 0, hold_ms: int = 0) -> None:
        self.data = data
        self.item = items[0] if len(items) == 1 else ""
        self.quantity = quantity
        self.hold_ms = hold_ms


def whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def check_item(item: Any) -> None:
    if not isinstance(item, str) or not 1 <= len(item) <= ITEM_LENGTH_MAX or "#" in item or not item.isprintable():
        raise Refused(Outcome.INPUT_BAD, f"an item is 1-{ITEM_LENGTH_MAX} printable characters without #")


def check_name(value: Any, what: str) -> None:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Refused(Outcome.INPUT_BAD, f"{what} is not of the form [a-z0-9-]{{1,40}}")


def check_quantity(value: Any, low: int = 1, high: int = QUANTITY_MAX) -> None:
    if not whole(value, low, high):
        raise Refused(Outcome.QUANTITY_BAD, f"a quantity here is a whole number from {low} to {high}")


def check_reservation(value: Any) -> None:
    if not isinstance(value, str) or not RESERVATION.fullmatch(value):
        raise Refused(Outcome.RESERVATION_UNKNOWN, "a reservation is <item>#<number>")


def _limited(fields: TemplateFields, limits: Limits, *product_limits: int) -> TemplateFields:
    values = (limits.per_item, limits.per_show, limits.per_comment, limits.hold_max)
    if not all(whole(value, 0, SUPPLY_MAX) for value in (*values, *product_limits)):
        raise Refused(Outcome.INPUT_BAD, "limits are whole numbers from 0")
    per_item, per_show, per_comment, hold_max = values
    return fields._replace(
        per_item=per_item,
        per_show=per_show,
        per_comment=per_comment,
        hold_max=hold_max,
        product_limits=product_limits,
    )


def _seconds(seconds: Any) -> int:
    if not whole(seconds, 1, HOLD_SECONDS_MAX):
        raise Refused(Outcome.INPUT_BAD, f"seconds are whole, from 1 to {HOLD_SECONDS_MAX}")
    return int(seconds)


def offer_bytes(line: Line, source: str) -> tuple[bytes, bytes]:
    """The promise of a line, and its key: (key of 6 bytes, msgpack [item, price, currency, text, source])."""
    check_item(line.item)
    check_quantity(line.quantity)
    if not whole(line.unit_price_minor, 0, PRICE_MINOR_MAX):
        raise Refused(Outcome.INPUT_BAD, f"a price is whole minor units from 0 to {PRICE_MINOR_MAX}")
    if not isinstance(line.currency, str) or not re.fullmatch("[A-Z]{3}", line.currency):
        raise Refused(Outcome.INPUT_BAD, "a currency is three capital letters")
    if not isinstance(line.text, str) or len(line.text) > OFFER_TEXT_LENGTH_MAX:
        raise Refused(Outcome.INPUT_BAD, f"an offer text has at most {OFFER_TEXT_LENGTH_MAX} characters")
    data: bytes = pack([line.item, line.unit_price_minor, line.currency, line.text, source])
    return blake2b(data, digest_size=6).digest(), data


def _fields(operation: Operation) -> TemplateFields:
    """What every operation has."""
    kind: str = operation.__struct_config__.tag  # type: ignore[assignment]
    return TemplateFields(kind, operation.show, operation.source)


def _template(fields: TemplateFields, lines: Sequence[Line] = ()) -> Template:
    content = [
        fields.kind,
        fields.show,
        [[line.item, line.quantity] for line in lines],
        fields.reservation,
        fields.item,
        fields.quantity,
        fields.reason,
    ]
    digest = blake2b(pack(content), digest_size=4).digest()
    flat: list[Any] = []
    for line in lines:
        flat += (line.item, line.quantity, *offer_bytes(line, fields.source))
    items = tuple(line.item for line in lines)
    data: bytes = pack(fields._replace(digest=digest, lines=tuple(flat)))
    return Template(data, items, lines[0].quantity if lines else 0, fields.seconds * 1000)


def _reserve(operation: Reserve) -> Template:
    lines = operation.lines
    if not isinstance(lines, tuple) or not 1 <= len(lines) <= LINES_MAX:
        raise Refused(Outcome.INPUT_BAD, f"a reserve has 1 to {LINES_MAX} lines")
    if operation.fill not in ("any", "all") or operation.repeat not in ("add", "set", "once"):
        raise Refused(Outcome.INPUT_BAD, "fill is any or all; repeat is add, set or once")
    fields = _fields(operation)._replace(
        seconds=_seconds(operation.hold_seconds),
        fill_all=operation.fill == "all",
        repeat_policy=("add", "set", "once").index(operation.repeat),
        waitlist=bool(operation.waitlist),
    )
    return _template(_limited(fields, operation.limits, *(line.limit_per_viewer for line in lines)), lines)


def _of_claim(
    operation: Cancel | Reduce | SetQuantity | Swap | Reprice | Confirm | Unconfirm | Release | Extend | Expire,
) -> Template:
    if operation.reservation or not isinstance(operation, Cancel | Reduce):
        check_reservation(operation.reservation)
    fields = _fields(operation)._replace(reservation=operation.reservation)
    if isinstance(operation, Cancel | Reduce):
        return _template(_of_reservation_or_item(operation, fields))
    if isinstance(operation, SetQuantity):
        check_quantity(operation.quantity)
        fields = fields._replace(quantity=operation.quantity)
        return _template(_limited(fields, operation.limits, operation.limit_per_viewer))
    if isinstance(operation, Swap):
        fields = fields._replace(seconds=_seconds(operation.hold_seconds))
        return _template(_limited(fields, operation.limits, operation.line.limit_per_viewer), (operation.line,))
    if isinstance(operation, Reprice):
        fields = _limited(fields, Limits(), 0)
        if operation.expected_minor is not None:
            if not whole(operation.expected_minor, 0, PRICE_MINOR_MAX):
                raise Refused(Outcome.INPUT_BAD, f"a price is whole minor units from 0 to {PRICE_MINOR_MAX}")
            fields = fields._replace(expected=operation.expected_minor)
        return _template(fields, (operation.line,))
    if isinstance(operation, Extend | Unconfirm):
        fields = fields._replace(seconds=_seconds(operation.seconds))
        is_offer = isinstance(operation, Extend) and operation.only_offered
        return _template(fields._replace(expected=1) if is_offer else fields)
    return _template(fields)


def _of_reservation_or_item(operation: Cancel | Reduce, fields: TemplateFields) -> TemplateFields:
    if operation.item:
        check_item(operation.item)
    if not operation.reservation and not operation.viewer:
        raise Refused(Outcome.INPUT_BAD, "name a reservation or a viewer")
    if isinstance(operation, Cancel):
        return fields if operation.reservation else fields._replace(item=operation.item)
    check_quantity(operation.quantity)
    if not operation.reservation:
        check_item(operation.item)
    return fields._replace(item=operation.item, quantity=operation.quantity)


def _of_supply(operation: Restock | Adjust | SetAvailable | Close | Open) -> Template:
    if operation.item or isinstance(operation, Restock | Adjust | SetAvailable):
        check_item(operation.item)
    fields = _fields(operation)._replace(item=operation.item)
    if isinstance(operation, SetAvailable):
        check_quantity(operation.available, 0, SUPPLY_MAX)
        if operation.expected is None:
            return _template(fields._replace(quantity=operation.available))
        check_quantity(operation.expected, 0, SUPPLY_MAX)
        return _template(fields._replace(quantity=operation.available, expected=operation.expected))
    if isinstance(operation, Restock):
        check_quantity(operation.quantity, 0, SUPPLY_MAX)
        return _template(fields._replace(quantity=operation.quantity))
    if isinstance(operation, Adjust):
        check_quantity(operation.quantity, -SUPPLY_MAX, SUPPLY_MAX)
        if not isinstance(operation.reason, str) or not 1 <= len(operation.reason) <= REASON_LENGTH_MAX:
            raise Refused(Outcome.INPUT_BAD, f"a correction has a reason of 1-{REASON_LENGTH_MAX} characters")
        return _template(fields._replace(quantity=operation.quantity, reason=operation.reason))
    return _template(fields)


def alike(operations: Sequence[Operation], start: int) -> int:
    """End of the row of operations from `start` that share shop and template. Who keeps `lines` shares it cheaply."""
    first = operations[start]
    if type(first) is not Reserve:
        return start + 1
    shop, show, lines, limits, source = first.shop, first.show, first.lines, first.limits, first.source
    fill, repeat, waitlist, hold_seconds = first.fill, first.repeat, first.waitlist, first.hold_seconds
    stop = start
    for operation in islice(operations, start, None):
        if (
            type(operation) is not Reserve
            or operation.lines is not lines
            or operation.limits is not limits
            or operation.shop != shop
            or operation.show != show
            or operation.hold_seconds != hold_seconds
            or operation.fill != fill
            or operation.repeat != repeat
            or operation.waitlist is not waitlist
            or operation.source != source
        ):
            break
        stop += 1
    return stop


class Templates:
    """Remembers encodings. `of` raises Refused for what can never be applied."""

    def __init__(self) -> None:
        self._known: dict[Any, Template] = {}
        self._last: Reserve | None = None
        self._last_template = Template(b"", ())

    def of(self, operation: Operation) -> Template:
        if type(operation) is Reserve:
            last = self._last
            if (
                last is not None
                and operation.lines is last.lines  # who keeps the lines of an offer saves hashing them
                and operation.limits is last.limits
                and operation.show == last.show
                and operation.hold_seconds == last.hold_seconds
                and operation.fill == last.fill
                and operation.repeat == last.repeat
                and operation.waitlist is last.waitlist
                and operation.source == last.source
            ):
                return self._last_template
            self._last_template = self._remembered(operation)
            self._last = operation
            return self._last_template
        return self._make(operation)

    def _remembered(self, operation: Reserve) -> Template:
        key = (
            operation.lines,
            operation.show,
            operation.fill,
            operation.repeat,
            operation.waitlist,
            operation.limits,
            operation.hold_seconds,
            operation.source,
        )
        try:
            found = self._known.get(key)
        except TypeError:  # lines as a list, numbers as objects: the checks below say what is wrong
            found = None
        if found is not None:
            return found
        made = self._make(operation)
        if len(self._known) >= TEMPLATES_MAX:
            self._known.clear()
        self._known[key] = made
        return made

    def _make(self, operation: Operation) -> Template:
        check_name(operation.show, "show")
        check_name(operation.shop, "shop")
        if not isinstance(operation.source, str) or len(operation.source) > 40:
            raise Refused(Outcome.INPUT_BAD, "source has at most 40 characters")
        try:
            if isinstance(operation, Reserve):
                return _reserve(operation)
            if isinstance(operation, Restock | Adjust | SetAvailable | Close | Open):
                return _of_supply(operation)
            return _of_claim(operation)
        except (AttributeError, TypeError, ValueError) as error:  # wrong kinds of things where the types say otherwise
            raise Refused(Outcome.INPUT_BAD, f"not of the expected form: {error}") from error


def packed_uuids(ids: list[str]) -> bytes:
    """The msgpack array of ids as stored, when all are canonical UUIDs (which browsers make); else empty.

    Made from the hex digits in one go, heads of strings included: a string of 17 bytes (0xb1), byte 1, 16 bytes.
    """
    count = len(ids)
    try:
        joined = UUID_HEAD + UUID_HEAD.join(ids)
    except TypeError:
        return b""
    if set(map(len, ids)) != {36} or not joined.isascii():
        return b""
    dashes = "-" * count
    digits = joined.replace("-", "").encode()
    if len(digits) != 36 * count or digits.translate(None, HEX_LOWER):
        return b""
    if not joined[12::40] == joined[17::40] == joined[22::40] == joined[27::40] == dashes:
        return b""
    return array_head(count) + bytes.fromhex(digits.decode())


def array_head(count: int) -> bytes:
    return bytes((0x90 + count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")


def raw_ids(ids: list[str]) -> list[bytes]:
    """Ids as stored: a canonical UUID as byte 1 and its 16 bytes, any other text as it is.

    Ids of a rush do not come here, see `packed_uuids`.
    """
    return [b"\1" + bytes.fromhex(one.replace("-", "")) if UUID.fullmatch(one) else one.encode() for one in ids]


def id_text(raw: bytes) -> str:
    """The id again from its stored form."""
    if raw[:1] != b"\1":
        return raw.decode()
    digits = raw[1:].hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def decode_answer(operation_id: str, data: bytes) -> Answer:
    """An Answer from its stored bytes."""
    outcome, low, high, count = ANSWER_HEAD.unpack_from(data)
    at = ANSWER_HEAD.size
    lines = []
    for _ in range(count):
        line, number, reserved, waiting, position, deadline, deadline_high, available, size = ANSWER_LINE.unpack_from(
            data, at
        )
        at += ANSWER_LINE.size
        item = data[at : at + size].decode()
        at += size
        reservation = f"{item}#{number}" if number else None
        due = deadline + (deadline_high << 32)
        lines.append(
            LineAnswer(item, OUTCOMES[line - 1], reservation, reserved, waiting, number, position, due, available)
        )
    reason = _read_limits(data, at, lines) if at < len(data) else ""
    return Answer(operation_id, OUTCOMES[outcome - 1], tuple(lines), low + (high << 32), reason=reason)


def _read_limits(data: bytes, at: int, lines: list[LineAnswer]) -> str:
    """Puts limits into the lines they refused; says the first in words."""
    reason = ""
    for place, kind, limit, had in ANSWER_LIMIT.iter_unpack(data[at:]):
        lines[place - 1] = replace(lines[place - 1], limit=limit, had=had)
        reason = reason or limit_words(LIMIT_KINDS[kind - 1], limit, had)
    return reason
