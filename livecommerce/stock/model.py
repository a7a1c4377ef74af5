"""The reference: what stock does, one operation at a time, in plain Python. Pure.

It says the rules a second time, as simply as they can be said, and shares no code with the Lua. Tests run it beside the
real server and compare every answer. Time is a number that the test moves; ids, shops and batches are left out because
they change nothing of the rules: `Model` is one shop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from livecommerce.stock.encoding import Refused, Templates
from livecommerce.stock.operations import (
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
from livecommerce.stock.outcomes import ACTIVE_STATES, Answer, Counters, LineAnswer, Outcome, limit_words
from livecommerce.stock.skus import product_of

WAITLIST_MAX = 10_000
RECORD_OPERATIONS_MAX = 1_000
NOT_STORED = (Outcome.ID_REUSED, Outcome.INPUT_BAD, Outcome.QUANTITY_BAD, Outcome.TOO_MANY_OPERATIONS)


@dataclass(frozen=True)
class Over:
    """The limit that refuses: its kind (LIMIT_KINDS), how many it allows, how many the viewer has."""

    kind: str
    limit: int
    had: int


@dataclass(frozen=True)
class Plan:
    """How a line goes: units held, waiting and given back; `over` where a limit refuses it."""

    outcome: Outcome
    held: int = 0
    waits: int = 0
    back: int = 0
    over: Over | None = None

    @property
    def added(self) -> int:
        return self.held + self.waits - self.back


@dataclass
class ModelClaim:
    show: str
    viewer: str
    line: Line
    number: int
    state: str
    held: int
    waiting: int
    whole: bool = False
    extended: bool = False
    deadline: int = 0

    @property
    def item(self) -> str:
        return self.line.item

    @property
    def active(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def units(self) -> int:
        return self.held + self.waiting


@dataclass
class ModelItem:
    supplied: int = 0
    closed: bool = False
    claims: list[ModelClaim] = field(default_factory=list)

    @property
    def held(self) -> int:
        return sum(claim.held for claim in self.claims if claim.active)

    @property
    def sold(self) -> int:
        return sum(claim.held for claim in self.claims if claim.state == "confirmed")

    @property
    def line(self) -> list[ModelClaim]:
        return [claim for claim in self.claims if claim.active and claim.waiting]

    @property
    def available(self) -> int:
        return self.supplied - self.held - self.sold

    def counters(self) -> Counters:
        waiting = sum(claim.waiting for claim in self.line)
        return Counters(self.available, self.held, self.sold, waiting, self.supplied, self.closed)


def _content(operation: Operation) -> object:
    """What makes an id the same request: everything but price, limits, times and policy."""
    lines = getattr(operation, "lines", None) or ((operation.line,) if isinstance(operation, Swap) else ())
    return (
        type(operation),
        [(line.item, line.quantity) for line in lines],
        getattr(operation, "reservation", ""),
        "" if isinstance(operation, Cancel) and operation.reservation else getattr(operation, "item", ""),
        operation.available if isinstance(operation, SetAvailable) else getattr(operation, "quantity", 0),
        getattr(operation, "reason", ""),
    )


class Model:
    """One shop. `submit(operation, now)` gives the answer the server must give."""

    def __init__(self, offer_seconds: int = 300) -> None:
        self.items: dict[str, ModelItem] = {}
        self.claims: list[ModelClaim] = []  # in the order they were made
        self.closed = False
        self._offer_ms = offer_seconds * 1000
        self._answers: dict[tuple[str, str, str], tuple[object, Answer]] = {}
        self._done_of: dict[tuple[str, str], int] = {}
        self._templates = Templates()
        self._reason = ""  # of the operation at hand, about the first line past a limit

    # ---- the frame around every operation

    def submit(self, operation: Operation, now: int) -> Answer:
        try:
            self._templates.of(operation)
        except Refused as refusal:
            return Answer(operation.id, refusal.outcome, (), 0, reason=refusal.reason)
        self.expire_due(now)
        viewer = getattr(operation, "viewer", "")
        key = (operation.show, viewer, operation.id)
        before = self._answers.get(key)
        if before is not None:
            return before[1] if before[0] == _content(operation) else Answer(operation.id, Outcome.ID_REUSED, (), now)
        if viewer and self._done_of.get(key[:2], 0) >= RECORD_OPERATIONS_MAX:
            return Answer(operation.id, Outcome.TOO_MANY_OPERATIONS, (), now)
        self._reason = ""
        outcome, lines = self._apply(operation, viewer, now)
        answer = Answer(operation.id, outcome, tuple(lines), now, reason=self._reason)
        if outcome not in NOT_STORED:
            self._keep(key, operation, answer)
            if not viewer and outcome is Outcome.SWAPPED and len(lines) > 1:
                self._keep((operation.show, self._owner_of(lines[1]), operation.id), operation, answer)
        return answer

    def _keep(self, key: tuple[str, str, str], operation: Operation, answer: Answer) -> None:
        """Among the viewer's; the first operation of an id is the one that is told again."""
        self._answers.setdefault(key, (_content(operation), answer))
        self._done_of[key[:2]] = self._done_of.get(key[:2], 0) + 1

    def _owner_of(self, line: LineAnswer) -> str:
        """Whose the claim is that staff made by a swap: it stands among the operations of that viewer."""
        return self.items[line.item].claims[line.number - 1].viewer

    def expire_due(self, now: int) -> None:
        touched = []
        for item in self.items.values():
            for claim in item.claims:
                if claim.active and claim.held and claim.deadline <= now:
                    claim.state = "expired"
                    touched.append(item)
        for item in touched:
            self._promote(item, now)

    def _promote(self, item: ModelItem, now: int) -> None:
        for claim in item.line:
            if self.closed or item.closed or item.available <= 0:
                return
            granted = min(item.available, claim.waiting)
            if claim.whole and granted < claim.waiting:
                return
            until = now + self._offer_ms
            claim.deadline = max(claim.deadline, until) if claim.held else until
            claim.held, claim.waiting = claim.held + granted, claim.waiting - granted
            if claim.state == "waiting":
                claim.state = "offered"

    def _apply(self, operation: Operation, viewer: str, now: int) -> tuple[Outcome, list[LineAnswer]]:
        if isinstance(operation, Reserve):
            return self._reserve(operation, now)
        if isinstance(operation, Restock | Adjust):
            return self._supply(operation, now)
        if isinstance(operation, SetAvailable):
            return self._set_available(operation, now)
        if isinstance(operation, Close | Open):
            return self._gate(operation, now)
        if isinstance(operation, Cancel) and not operation.reservation:
            return self._cancel_all(operation, now)
        if isinstance(operation, Reduce) and not operation.reservation:
            return self._reduce_item(operation, now)
        claim = self._find(operation.show, operation.reservation)
        if claim is None:
            return Outcome.RESERVATION_UNKNOWN, []
        if viewer and claim.viewer != viewer:
            return Outcome.NOT_YOURS, []
        return self._on_claim(operation, claim, now)

    def _find(self, show: str, reservation: str) -> ModelClaim | None:
        name, _, number = reservation.rpartition("#")
        for claim in self.items.get(name, ModelItem()).claims:
            if claim.number == int(number) and claim.show == show:
                return claim
        return None

    def _of_viewer(self, show: str, viewer: str) -> list[ModelClaim]:
        return [claim for claim in self.claims if (claim.show, claim.viewer) == (show, viewer)]

    def _tell(self, outcome: Outcome, claim: ModelClaim, position: int = 0) -> LineAnswer:
        counted = claim.active or claim.state == "confirmed"
        return LineAnswer(
            item=claim.item,
            outcome=outcome,
            reservation=f"{claim.item}#{claim.number}",
            reserved=claim.held if counted else 0,
            waiting=claim.waiting if claim.active else 0,
            number=claim.number,
            position=position,
            deadline_ms=claim.deadline if claim.active and claim.held else 0,
            available=self.items[claim.item].available,
        )

    def _nothing(self, outcome: Outcome, name: str) -> LineAnswer:
        item = self.items.get(name)
        return LineAnswer(name, outcome, None, 0, 0, 0, 0, 0, item.available if item else 0)

    def _past(self, line: LineAnswer, over: Over | None) -> LineAnswer:
        """The line again, with the limit that refused it."""
        if over is None:
            return line
        self._reason = self._reason or limit_words(over.kind, over.limit, over.had)
        return replace(line, limit=over.limit, had=over.had)

    # ---- reserve

    def _over(
        self, limits: Limits, product: tuple[str, int], claims: list[ModelClaim], before: list[tuple[Line, Plan]],
        more_of_product: int, more_of_show: int,
    ) -> Over | None:  # fmt: skip
        """The limit that so many more pieces would pass. `product` is (code, its own limit); `before` was planned."""
        code, own = product
        of_product = min((limit for limit in (limits.per_item, own) if limit), default=0)
        counted = [claim for claim in claims if claim.active or claim.state == "confirmed"]
        planned = sum(plan.added for _, plan in before)
        had = {
            "product": sum(claim.units for claim in counted if product_of(claim.item) == code)
            + sum(plan.added for line, plan in before if product_of(line.item) == code),
            "show": sum(claim.units for claim in counted) + planned,
            "unpaid": sum(claim.units for claim in counted if claim.active) + planned,
        }
        rules = (
            ("product", of_product, more_of_product),
            ("show", limits.per_show, more_of_show),
            ("unpaid", limits.hold_max, more_of_show),
        )
        for kind, limit, more in rules:
            if limit and more > 0 and had[kind] + more > limit:
                return Over(kind, limit, had[kind])
        return None

    def _plan(
        self, operation: Reserve, line: Line, before: list[tuple[Line, Plan]], mine: list[ModelClaim]
    ) -> Plan:  # fmt: skip
        """How a line goes, after the lines before it."""
        item = self.items.get(line.item)
        if item is None:
            return Plan(Outcome.ITEM_UNKNOWN)
        if self.closed or item.closed:
            return Plan(Outcome.SALES_CLOSED)
        counted = [c for c in mine if c.item == line.item and (c.active or c.state == "confirmed")]
        active = sum(claim.units for claim in counted if claim.active)
        earlier = [plan for other, plan in before if other.item == line.item]
        want = line.quantity
        if operation.repeat == "once" and (counted or any(plan.added for plan in earlier)):
            return Plan(Outcome.ALREADY_CLAIMED)
        if operation.repeat == "set":
            if earlier or active == want:
                return Plan(Outcome.UNCHANGED)
            if active > want:
                return Plan(Outcome.REDUCED, back=active - want)
            want -= active
        product = (product_of(line.item), line.limit_per_viewer)
        over = self._over(operation.limits, product, mine, before, want, want)
        if over:
            return Plan(Outcome.OVER_LIMIT, over=over)
        in_line = len(item.line) + sum(1 for plan in earlier if plan.waits)
        held = 0 if in_line else min(want, item.available - sum(plan.held for plan in earlier))
        if operation.fill == "all" and held < want:
            held = 0
        may_wait = operation.waitlist and (operation.fill == "any" or len(operation.lines) == 1)
        waits = want - held if may_wait and in_line < WAITLIST_MAX else 0
        if held == want:
            return Plan(Outcome.RESERVED, held)
        return Plan(Outcome.PARTLY if held else Outcome.WAITING if waits else Outcome.SOLD_OUT, held, waits)

    def _reserve(self, operation: Reserve, now: int) -> tuple[Outcome, list[LineAnswer]]:
        per_comment = operation.limits.per_comment
        if 0 < per_comment < sum(line.quantity for line in operation.lines):
            over = Over("comment", per_comment, 0)
            refused = [self._nothing(Outcome.OVER_LIMIT, line.item) for line in operation.lines]
            return Outcome.OVER_LIMIT, [self._past(line, over) for line in refused]
        mine = self._of_viewer(operation.show, operation.viewer)
        plans: list[tuple[Line, Plan]] = []
        for line in operation.lines:
            plans.append((line, self._plan(operation, line, plans, mine)))
        if operation.fill == "all" and len(operation.lines) > 1:
            good = (Outcome.RESERVED, Outcome.REDUCED, Outcome.UNCHANGED)
            failed = [plan.outcome for _, plan in plans if plan.outcome not in good]
            if failed:
                told = []
                for line, plan in plans:
                    outcome = Outcome.UNCHANGED if plan.outcome in good else plan.outcome
                    told.append(self._past(self._nothing(outcome, line.item), plan.over))
                return failed[0], told
        lines = [self._do_plan(operation, line, plan, now) for line, plan in plans]
        first = lines[0].outcome
        if all(line.outcome == first for line in lines):
            return first, lines
        if any(line.reserved for line in lines):
            return Outcome.PARTLY, lines
        return (Outcome.WAITING if any(line.waiting for line in lines) else first), lines

    def _do_plan(self, operation: Reserve, line: Line, plan: Plan, now: int) -> LineAnswer:
        if plan.back:
            back, last = plan.back, None
            for claim in reversed(self._of_viewer(operation.show, operation.viewer)):
                if back and claim.item == line.item and claim.active:
                    back -= self._give_back(claim, back)
                    last = claim
            assert last is not None
            self._promote(self.items[line.item], now)
            return self._tell(plan.outcome, last)
        if not plan.held and not plan.waits:
            return self._past(self._nothing(plan.outcome, line.item), plan.over)
        item = self.items[line.item]
        claim = ModelClaim(
            show=operation.show,
            viewer=operation.viewer,
            line=line,
            number=len(item.claims) + 1,
            state="held" if plan.held else "waiting",
            held=plan.held,
            waiting=plan.waits,
            whole=operation.fill == "all" and plan.waits > 0,
            deadline=now + operation.hold_seconds * 1000 if plan.held else 0,
        )
        item.claims.append(claim)
        self.claims.append(claim)
        return self._tell(plan.outcome, claim, len(item.line) if plan.waits else 0)

    # ---- claims that exist

    def _give_back(self, claim: ModelClaim, quantity: int) -> int:
        waiting = min(claim.waiting, quantity)
        held = min(claim.held, quantity - waiting)
        if waiting + held == claim.units:
            claim.state = "cancelled"
        else:
            claim.waiting, claim.held = claim.waiting - waiting, claim.held - held
        return waiting + held

    def _cancel_all(self, operation: Cancel, now: int) -> tuple[Outcome, list[LineAnswer]]:
        mine = self._of_viewer(operation.show, operation.viewer)
        ended = [c for c in reversed(mine) if c.active and (not operation.item or c.item == operation.item)]
        for claim in ended:
            claim.state = "cancelled"
        lines = []
        for claim in ended:
            self._promote(self.items[claim.item], now)
            lines.append(self._tell(Outcome.CANCELLED, claim))
        return (Outcome.CANCELLED if lines else Outcome.UNCHANGED), lines

    def _reduce_item(self, operation: Reduce, now: int) -> tuple[Outcome, list[LineAnswer]]:
        if operation.item not in self.items:
            return Outcome.ITEM_UNKNOWN, []
        left, changed = operation.quantity, []
        mine = [c for c in self._of_viewer(operation.show, operation.viewer) if c.item == operation.item and c.active]
        told = []
        for claim in reversed(mine):
            if left:
                left -= self._give_back(claim, left)
                outcome = Outcome.REDUCED if claim.active else Outcome.CANCELLED
                changed.append(claim)
                told.append(self._tell(outcome, claim))
        self._promote(self.items[operation.item], now)
        available = self.items[operation.item].available
        lines = [_with_available(line, available) for line in told]
        if not lines:
            return Outcome.UNCHANGED, []
        return (Outcome.REDUCED if any(claim.active for claim in mine) else Outcome.CANCELLED), lines

    def _resize(self, claim: ModelClaim, quantity: int, limits: Limits, own_limit: int) -> Outcome | Over | None:
        item, more = self.items[claim.item], quantity - claim.units
        if more <= 0:
            if more:
                self._give_back(claim, -more)
            return None
        if self.closed or item.closed:
            return Outcome.SALES_CLOSED
        mine, product = self._of_viewer(claim.show, claim.viewer), (product_of(claim.item), own_limit)
        over = self._over(limits, product, mine, [], more, more)
        if over:
            return over
        if item.line or item.available < more:
            return Outcome.SOLD_OUT
        claim.held += more
        return None

    def _on_claim(self, operation: Operation, claim: ModelClaim, now: int) -> tuple[Outcome, list[LineAnswer]]:
        if isinstance(operation, Expire):
            outcome = Outcome.EXPIRED if claim.state == "expired" else Outcome.NOT_ACTIVE
            return self._same(Outcome.UNCHANGED if claim.active else outcome, claim)
        if isinstance(operation, Confirm) and claim.state == "confirmed":
            return self._same(Outcome.UNCHANGED, claim)
        if isinstance(operation, Unconfirm):
            if claim.state != "confirmed":
                return self._same(Outcome.UNCHANGED if claim.active else Outcome.NOT_ACTIVE, claim)
            claim.state, claim.extended, claim.deadline = "held", False, now + operation.seconds * 1000
            return self._done(Outcome.CHANGED, claim, now)
        if isinstance(operation, Release) and claim.state == "confirmed":
            claim.state = "released"
            return self._done(Outcome.RELEASED, claim, now)
        if not claim.active or (isinstance(operation, Confirm | Extend) and not claim.held):
            return self._same(Outcome.NOT_ACTIVE, claim)
        if isinstance(operation, Cancel | Release):
            claim.state = "cancelled" if isinstance(operation, Cancel) else "released"
            return self._done(Outcome(claim.state), claim, now)
        if isinstance(operation, Reprice):
            price, before = operation.line.unit_price_minor, claim.line.unit_price_minor
            fits = price < before
            if operation.expected_minor is not None:
                fits = before == operation.expected_minor != price
            if operation.line.item != claim.item or not fits:
                return self._same(Outcome.UNCHANGED, claim)
            claim.line = operation.line
            return self._done(Outcome.CHANGED, claim, now)
        if isinstance(operation, Confirm):
            claim.state, claim.waiting = "confirmed", 0
            return self._done(Outcome.CONFIRMED, claim, now)
        if isinstance(operation, Extend):
            if claim.state == "offered":  # taking it is no extension
                claim.state = "held"
            elif operation.only_offered:
                return self._same(Outcome.NOT_ACTIVE, claim)
            elif claim.extended:
                return self._same(Outcome.ALREADY_EXTENDED, claim)
            else:
                claim.extended = True
            claim.deadline = max(claim.deadline, now + operation.seconds * 1000)
            return self._done(Outcome.EXTENDED, claim, now)
        if isinstance(operation, Reduce):
            self._give_back(claim, operation.quantity)
            return self._done(Outcome.REDUCED if claim.active else Outcome.CANCELLED, claim, now)
        if isinstance(operation, SetQuantity):
            if claim.units == operation.quantity:
                return self._same(Outcome.UNCHANGED, claim)
            failed = self._resize(claim, operation.quantity, operation.limits, operation.limit_per_viewer)
            return self._same(failed, claim) if failed else self._done(Outcome.CHANGED, claim, now)
        assert isinstance(operation, Swap)
        return self._swap(operation, claim, now)

    def _same(self, outcome: Outcome | Over, claim: ModelClaim) -> tuple[Outcome, list[LineAnswer]]:
        if isinstance(outcome, Over):
            return Outcome.OVER_LIMIT, [self._past(self._tell(Outcome.OVER_LIMIT, claim), outcome)]
        return outcome, [self._tell(outcome, claim)]

    def _done(self, outcome: Outcome, claim: ModelClaim, now: int) -> tuple[Outcome, list[LineAnswer]]:
        told = self._tell(outcome, claim)
        self._promote(self.items[claim.item], now)
        return outcome, [_with_available(told, self.items[claim.item].available)]

    def _swap(self, operation: Swap, claim: ModelClaim, now: int) -> tuple[Outcome, list[LineAnswer]]:
        line = operation.line
        if line.item == claim.item:
            failed = self._resize(claim, line.quantity, operation.limits, line.limit_per_viewer)
            if failed:
                return self._same(failed, claim)
            claim.line = line
            return self._done(Outcome.SWAPPED, claim, now)
        item, mine = self.items.get(line.item), self._of_viewer(claim.show, claim.viewer)
        if item is None:
            return self._same(Outcome.ITEM_UNKNOWN, claim)
        if self.closed or item.closed:
            return self._same(Outcome.SALES_CLOSED, claim)
        product, more = (product_of(line.item), line.limit_per_viewer), line.quantity - claim.units
        more_of_product = more if product_of(claim.item) == product[0] else line.quantity
        over = self._over(operation.limits, product, mine, [], more_of_product, more)
        if over:
            return self._same(over, claim)
        if item.line or item.available < line.quantity:
            return self._same(Outcome.SOLD_OUT, claim)
        new = ModelClaim(claim.show, claim.viewer, line, len(item.claims) + 1, "held", line.quantity, 0)
        new.deadline = now + operation.hold_seconds * 1000
        item.claims.append(new)
        self.claims.append(new)
        claim.state = "cancelled"
        _, lines = self._done(Outcome.CANCELLED, claim, now)
        return Outcome.SWAPPED, [*lines, self._tell(Outcome.RESERVED, new)]

    # ---- supply

    def _supply(self, operation: Restock | Adjust, now: int) -> tuple[Outcome, list[LineAnswer]]:
        if isinstance(operation, Restock):
            item = self.items.setdefault(operation.item, ModelItem())
        elif operation.item not in self.items:
            return Outcome.ITEM_UNKNOWN, []
        else:
            item = self.items[operation.item]
            if item.available + operation.quantity < 0:
                return Outcome.ADJUST_TOO_LOW, [self._nothing(Outcome.ADJUST_TOO_LOW, operation.item)]
        if item.supplied + operation.quantity > SUPPLY_MAX:
            return Outcome.QUANTITY_BAD, []
        item.supplied += operation.quantity
        self._promote(item, now)
        outcome = Outcome.RESTOCKED if isinstance(operation, Restock) else Outcome.ADJUSTED
        return outcome, [self._nothing(outcome, operation.item)]

    def _set_available(self, operation: SetAvailable, now: int) -> tuple[Outcome, list[LineAnswer]]:
        known = self.items.get(operation.item)
        available = known.available if known else 0
        if operation.expected not in (None, available):
            return Outcome.STOCK_CHANGED, [self._nothing(Outcome.STOCK_CHANGED, operation.item)]
        more = operation.available - available
        item = known or ModelItem()
        if item.supplied + more > SUPPLY_MAX:
            return Outcome.QUANTITY_BAD, []
        self.items[operation.item] = item
        item.supplied += more
        self._promote(item, now)
        return Outcome.ADJUSTED, [self._nothing(Outcome.ADJUSTED, operation.item)]

    def _gate(self, operation: Close | Open, now: int) -> tuple[Outcome, list[LineAnswer]]:
        close = isinstance(operation, Close)
        outcome = Outcome.CLOSED if close else Outcome.OPENED
        if not operation.item:
            if self.closed == close:
                return Outcome.UNCHANGED, []
            self.closed = close
            for item in self.items.values():
                self._promote(item, now)
            return outcome, []
        if operation.item not in self.items:
            return Outcome.ITEM_UNKNOWN, []
        item = self.items[operation.item]
        if item.closed == close:
            return Outcome.UNCHANGED, [self._nothing(Outcome.UNCHANGED, operation.item)]
        item.closed = close
        self._promote(item, now)
        return outcome, [self._nothing(outcome, operation.item)]


def _with_available(line: LineAnswer, available: int) -> LineAnswer:
    return replace(line, available=available)
