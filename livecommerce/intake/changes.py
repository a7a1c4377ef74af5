"""Change intents (cancel, reduce, set, swap) → stock operations on the speaker's own claims."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from livecommerce.comments.verdict import Cancel as CancelIntent
from livecommerce.comments.verdict import Intent
from livecommerce.comments.verdict import Reduce as ReduceIntent
from livecommerce.comments.verdict import SetQuantity as SetIntent
from livecommerce.comments.verdict import Swap as SwapIntent
from livecommerce.intake.answers import AnswerLine, answer_lines
from livecommerce.intake.errors import NotYours
from livecommerce.intake.mirror import Mirror
from livecommerce.intake.newcomers import NewcomerShares
from livecommerce.intake.orders import done, reserve_operation
from livecommerce.intake.speech import Act, Speech, Withdrawal
from livecommerce.shows.errors import ReservationUnknown
from livecommerce.shows.model import options_of
from livecommerce.shows.offers import choose, limits_of, offer_line
from livecommerce.shows.state import State
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Cancel, Line, Operation, Reduce, Reserve, Swap, step_id
from livecommerce.stock.outcomes import ACTIVE_STATES, Answer, Claim, Outcome
from livecommerce.stock.skus import product_of

CANCELS_MAX = 16  # claims that one comment may end: as many as one comment may make (`stock.operations.LINES_MAX`)


class Changed(Struct, frozen=True):
    """What came of a comment's changes. `line_written`: the line of chat went with the first operation."""

    lines: list[AnswerLine]
    reason: str
    line_written: bool


class ChangeMaker:
    def __init__(self, engine: StockEngine, shares: NewcomerShares) -> None:
        self._engine = engine
        self._shares = shares

    async def cancel(self, state: State, withdrawal: Withdrawal) -> Answer:
        """
        Raises:
            NotYours, ReservationUnknown, and what `orders.done` raises.
        """
        answer = await done(self._engine, cancel_operation(state, withdrawal, withdrawal.reservation))
        if answer.outcome is Outcome.NOT_YOURS:
            raise NotYours()
        if answer.outcome is Outcome.RESERVATION_UNKNOWN:
            raise ReservationUnknown()
        return answer

    async def make(self, mirror: Mirror, speech: Speech, intents: Sequence[Intent], chat: bytes) -> Changed:
        """Each step is idempotent by the comment's id, and looks at the claims as the step before left them.

        Raises:
            What `orders.done` raises.
        """
        lines: list[AnswerLine] = []
        reason, steps = "reservation_unknown", 0
        for intent in intents:
            claims = await self._active(mirror.state, speech)
            wanted = operations_of(mirror.state, speech, intent, claims)
            if isinstance(wanted, str):
                reason = wanted
                continue
            for operation in wanted:
                step = numbered(operation, steps, chat)
                answer = await self._shares.done(mirror.state, speech, step, added_by(operation, claims))
                steps += 1
                reason = str(answer.outcome)
                lines += answer_lines(answer, mirror.state)
        return Changed(lines, reason, steps > 0)

    async def _active(self, state: State, speech: Speech) -> list[Claim]:
        claims = await self._engine.claims(state["show"]["shop"], show=speech.show, viewer=speech.speaker.viewer)
        return [claim for claim in claims if claim.state in ACTIVE_STATES]  # newest first


Step = Cancel | Reduce | Reserve | Swap


def added_by(step: Step, claims: Sequence[Claim]) -> list[Line]:
    """What a step adds to what the speaker has: a new quantity less the one before, all of another product."""
    if isinstance(step, Reserve):
        lines: Sequence[Line] = step.lines
    elif isinstance(step, Swap):
        before = product_of(step.reservation.partition("#")[0])
        lines = [] if product_of(step.line.item) == before else [step.line]
    else:
        lines = []
    added: list[Line] = []
    for line in lines:
        had = sum(claim.quantity for claim in claims if claim.item == line.item) if isinstance(step, Reserve) else 0
        if line.quantity > had:
            added.append(replace(line, quantity=line.quantity - had))
    return added


def numbered(operation: Step, step: int, chat: bytes) -> Operation:
    """The operations of a comment have ids of their own; the first has the comment's, and takes the line along."""
    return replace(operation, chat=chat) if step == 0 else replace(operation, id=step_id(operation.id, step))


def operations_of(state: State, speech: Speech, intent: Intent, claims: Sequence[Claim]) -> list[Step] | str:
    """Operations, none where the speaker has no such claim; or the reason why it cannot be said which."""
    match intent:
        case CancelIntent(code=None):
            latest = [claim for claim in claims if set(intent.options) <= set(options_of(claim.item))][:1]
            return [cancel_operation(state, speech, claim.reservation) for claim in latest]
        case CancelIntent():
            mine = matching(claims, str(intent.code), intent.options)[:CANCELS_MAX]
            return [cancel_operation(state, speech, claim.reservation) for claim in mine]
        case ReduceIntent():
            items = {claim.item for claim in matching(claims, intent.code, intent.options)}
            if len(items) > 1:
                return "which_one"
            return [_reduce(state, speech, item, intent.qty) for item in items]
        case SetIntent():
            mine = matching(claims, str(intent.code), intent.options)
            items = {claim.item for claim in mine}
            if len(items) > 1:
                return "which_one"
            # More of a product that is closed is a sale of it; fewer, or as many, is nobody's loss.
            wants_more = intent.qty > sum(claim.quantity for claim in mine)
            if items and wants_more and state["items"][intent.code]["closed"]:
                return "sales_closed"
            return [_set(state, speech, item, intent) for item in items]
        case SwapIntent():
            return _swap(state, speech, intent, claims)
        case _:
            return "not_a_change"


def cancel_operation(state: State, act: Act, reservation: str) -> Cancel:
    return Cancel(
        id=act.id, shop=state["show"]["shop"], show=act.show, viewer=act.speaker.viewer, reservation=reservation,
        source=act.source,
    )  # fmt: skip


def _reduce(state: State, speech: Speech, item: str, quantity: int) -> Reduce:
    return Reduce(
        id=speech.id, shop=state["show"]["shop"], show=speech.show, viewer=speech.speaker.viewer, item=item,
        quantity=quantity, source=speech.source,
    )  # fmt: skip


def _set(state: State, speech: Speech, item: str, intent: SetIntent) -> Reserve:
    line = offer_line(state, state["items"][intent.code], item, intent.qty)
    return reserve_operation(state, speech, [line], b"", repeat="set")


def _swap(state: State, speech: Speech, intent: SwapIntent, claims: Sequence[Claim]) -> list[Step] | str:
    mine = matching(claims, intent.code, intent.options)
    product = state["items"].get(intent.to_code)
    if product is None:
        return "item_unknown"
    if product["closed"]:
        return "sales_closed"
    if len(mine) > 1:
        return "which_one"
    if not mine:
        return []
    # What the swap does not name stays: "M改L" keeps the colour.
    kept = options_of(mine[0].item) if intent.to_code == intent.code else []
    sku, missing = choose(product, [*intent.to_options, *kept], {})
    if sku is None:
        return "need_options" if missing else "item_unknown"
    show, viewer = state["show"], speech.speaker.viewer
    return [
        Swap(
            id=speech.id, shop=show["shop"], show=speech.show, viewer=viewer, reservation=mine[0].reservation,
            line=offer_line(state, product, sku, mine[0].quantity), hold_seconds=show["hold_seconds"],
            limits=limits_of(state, state["buyers"].get(viewer, {})), source=speech.source,
        )
    ]  # fmt: skip


def matching(claims: Sequence[Claim], code: str, options: Sequence[str]) -> list[Claim]:
    """Claims on a product whose options include those named."""
    return [claim for claim in claims if product_of(claim.item) == code and set(options) <= set(options_of(claim.item))]
