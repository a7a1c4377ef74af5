"""Change intents (cancel, reduce, set, swap) → stock operations on the viewer's own claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from livecommerce.comments.verdict import Cancel as CancelIntent
from livecommerce.comments.verdict import Intent
from livecommerce.comments.verdict import Reduce as ReduceIntent
from livecommerce.comments.verdict import SetQuantity as SetIntent
from livecommerce.comments.verdict import Swap as SwapIntent
from livecommerce.errors import NotYours, ReservationUnknown
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.orders import OrderMaker, answer_lines, choose, raise_refusal
from livecommerce.realtime.viewer import Viewer
from livecommerce.shows.model import options_of
from livecommerce.shows.offers import limits_of, offer_line
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Cancel, Operation, Reduce, Swap
from livecommerce.stock.outcomes import Answer, Claim, Outcome

ACTIVE = frozenset(("held", "waiting", "offered"))
CANCELS_MAX = 16  # claims that one comment may end


class ChangeMaker:
    def __init__(self, engine: StockEngine) -> None:
        self._engine = engine
        self._orders = OrderMaker(engine)

    async def cancel(self, channel: Channel, viewer: Viewer, cancel_id: str, reservation: str) -> Answer:
        """
        Raises:
            NotYours, ReservationUnknown, and what `raise_refusal` raises.
        """
        answer = await self._engine.submit(
            Cancel(
                id=cancel_id, shop=channel.shop, show=channel.show, viewer=viewer.viewer, reservation=reservation,
                source="button",
            )
        )  # fmt: skip
        raise_refusal(answer)
        if answer.outcome is Outcome.NOT_YOURS:
            raise NotYours()
        if answer.outcome is Outcome.RESERVATION_UNKNOWN:
            raise ReservationUnknown()
        return answer

    async def make(
        self, channel: Channel, viewer: Viewer, comment_id: str, intents: Sequence[Intent], chat: bytes
    ) -> tuple[list[dict[str, Any]], str, bool]:
        """(answer lines, reason, whether the chat line went along). Each step is idempotent by the comment's id."""
        lines: list[dict[str, Any]] = []
        reason, steps = "reservation_unknown", 0
        for intent in intents:
            claims = await self._active(channel, viewer)
            operations, why = self._operations(channel, viewer, intent, claims)
            if why:
                reason = why
            for operation in operations:
                answer = await self._submit(channel, viewer, operation, comment_id, steps, chat)
                raise_refusal(answer)
                steps += 1
                reason = str(answer.outcome)
                lines += answer_lines(answer, channel.state["items"])
        return lines, reason, steps > 0

    async def _active(self, channel: Channel, viewer: Viewer) -> list[Claim]:
        claims = await self._engine.claims(channel.shop, show=channel.show, viewer=viewer.viewer)
        return [claim for claim in claims if claim.state in ACTIVE]  # newest first

    async def _submit(
        self,
        channel: Channel,
        viewer: Viewer,
        operation: Operation | SetIntent,
        comment_id: str,
        step: int,
        chat: bytes,
    ) -> Answer:
        operation_id = comment_id if step == 0 else f"{comment_id[:60]}-{step}"
        carried = chat if step == 0 else b""
        if isinstance(operation, SetIntent):
            product = channel.state["items"][operation.code]
            line = offer_line(channel.state, product, "/".join((operation.code, *operation.options)), operation.qty)
            return await self._orders.reserve(
                channel.state, viewer, operation_id, [line], carried, "comment", repeat="set"
            )
        return await self._engine.submit(replace(operation, id=operation_id, chat=carried))

    def _operations(
        self, channel: Channel, viewer: Viewer, intent: Intent, claims: list[Claim]
    ) -> tuple[list[Operation | SetIntent], str]:
        """Operations without their ids; or none and a reason."""
        where: dict[str, Any] = {"id": "", "shop": channel.shop, "show": channel.show, "viewer": viewer.viewer}
        match intent:
            case CancelIntent(code=None):
                mine = [claim for claim in claims if set(intent.options) <= set(options_of(claim.item))][:1]
                return [Cancel(**where, reservation=claim.reservation) for claim in mine], ""
            case CancelIntent():
                mine = matching(claims, str(intent.code), intent.options)[:CANCELS_MAX]
                return [Cancel(**where, reservation=claim.reservation) for claim in mine], ""
            case ReduceIntent():
                items = {claim.item for claim in matching(claims, intent.code, intent.options)}
                if len(items) > 1:
                    return [], "which_one"
                return [Reduce(**where, item=item, quantity=intent.qty) for item in items], ""
            case SetIntent():
                items = {claim.item for claim in matching(claims, intent.code, intent.options)}
                if len(items) > 1:
                    return [], "which_one"
                return [SetIntent(intent.code, tuple(options_of(item)), intent.qty) for item in items], ""
            case SwapIntent():
                return self._swap(channel, viewer, intent, claims, where)
            case _:
                return [], "not_a_change"

    def _swap(
        self, channel: Channel, viewer: Viewer, intent: SwapIntent, claims: list[Claim], where: dict[str, Any]
    ) -> tuple[list[Operation | SetIntent], str]:
        mine = matching(claims, intent.code, intent.options)
        product = channel.state["items"].get(intent.to_code)
        if product is None:
            return [], "item_unknown"
        if product["closed"]:
            return [], "sales_closed"
        if len(mine) > 1:
            return [], "which_one"
        if not mine:
            return [], ""
        # What the swap does not name stays: "M改L" keeps the colour.
        kept = options_of(mine[0].item) if intent.to_code == intent.code else []
        sku, missing = choose(product, [*intent.to_options, *kept], {})
        if sku is None:
            return [], "need_options" if missing else "item_unknown"
        line = offer_line(channel.state, product, sku, mine[0].quantity)
        buyer = channel.state["buyers"].get(viewer.viewer, {})
        hold_seconds = channel.state["show"]["hold_seconds"]
        return [
            Swap(
                **where, reservation=mine[0].reservation, line=line, hold_seconds=hold_seconds,
                limits=limits_of(channel.state, buyer, product),
            )
        ], ""  # fmt: skip


def matching(claims: list[Claim], code: str, options: Sequence[str]) -> list[Claim]:
    """Claims on a product whose options include those named."""
    return [
        claim for claim in claims if claim.item.split("/")[0] == code and set(options) <= set(options_of(claim.item))
    ]
