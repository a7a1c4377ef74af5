"""Orders for the shop: lists, a CSV file, and money marked as received."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta, Struct

from livecommerce.bounds import Reference
from livecommerce.errors import in_words
from livecommerce.http.answers import json_answer
from livecommerce.http.bodies import read_json, takes, whole_number
from livecommerce.http.site import need_staff, still_staff
from livecommerce.orders.errors import OrderUnknown
from livecommerce.orders.export import Workbook, csv_lines, header, rows
from livecommerce.orders.history import history
from livecommerce.orders.model import Order
from livecommerce.orders.rows import ORDERS_PAGE_MAX, OrderRepository
from livecommerce.orders.sheet_words import sheet_words
from livecommerce.orders.till import Till
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms
from livecommerce.shows.model import OutsideId
from livecommerce.shows.rows import ShowRepository
from livecommerce.shows.store import ShowStore

log = structlog.get_logger(__name__)

PAGE_DEFAULT = 100
PART_BYTES = 256_000
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class OrdersNeeds:
    """What these routes need."""

    orders: OrderRepository
    till: Till
    setups: ShowRepository
    shows: ShowStore
    audit: AuditRepository
    zone: tzinfo
    locale_of: Callable[[str], Awaitable[str]]  # the language of a shop


ORDERS: web.AppKey[OrdersNeeds] = web.AppKey("livecommerce.orders", OrdersNeeds)


class PaymentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` is made by the caller: sent again it does nothing twice."""

    id: OutsideId
    method: Annotated[str, Meta(max_length=24)]
    reference: Reference = ""


class PaidBody(Struct, frozen=True, forbid_unknown_fields=True):
    reference: Reference = ""


class UndoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is said with it."""


async def _names(shows: ShowStore, show: str, orders: list[Order]) -> tuple[dict[str, str], dict[str, str]]:
    """(chat names, public handles) of the buyers, as the show knows them."""
    people = await shows.people(show, [order.viewer for order in orders])
    names = {viewer: person.name for viewer, person in people.items() if person.name}
    return names, {viewer: person.by for viewer, person in people.items()}


def method_shapes(till: Till) -> dict[str, Any]:
    """The ways to pay there are, by name: what people call them and what the buyer does, by locale."""
    return {name: {"names": one.names, "instructions": one.instructions} for name, one in till.methods.items()}


def order_shape(order: Order, methods: list[str], names: dict[str, str], handles: dict[str, str]) -> dict[str, Any]:
    """An order for staff. The viewer's private id is left out; the handle is what the chat shows. `methods`: how it may
    be paid."""
    shape: dict[str, Any] = msgspec.to_builtins(order)
    del shape["shop"], shape["viewer"]
    shape["methods"] = methods
    shape["by"] = handles.get(order.viewer, "")
    shape["name"] = names.get(order.viewer, "")
    shape["history"] = msgspec.to_builtins(history(order.payments))
    for line in shape["lines"]:
        del line["shop"], line["order"]
    return shape


@takes("after", "limit")
async def get_orders(request: web.Request) -> web.Response:
    """A page of orders by number: `?after=` the last number seen, `?limit=` how many; `next` is null at the end."""
    needs = request.app[ORDERS]
    staff = await need_staff(request)
    show = await needs.setups.own(staff.shop, request.match_info["show"])
    after = whole_number(request, "after", 0, 10**9)
    limit = whole_number(request, "limit", PAGE_DEFAULT, ORDERS_PAGE_MAX, least=1)
    orders = await needs.orders.of_show(show.shop, show.id, after=after, limit=limit)
    names, handles = await _names(needs.shows, show.id, orders)
    following = orders[-1].number if len(orders) == limit else None
    shapes = [order_shape(order, needs.till.methods_for(order), names, handles) for order in orders]
    return json_answer({"orders": shapes, "methods": method_shapes(needs.till), "next": following})


async def get_orders_csv(request: web.Request) -> web.StreamResponse:
    """All orders of the show as a file, written page by page: a large show never stands in memory whole."""
    needs = request.app[ORDERS]
    staff = await need_staff(request)
    show = await needs.setups.own(staff.shop, request.match_info["show"])
    await needs.audit.add(AuditEntry(show.shop, now_ms(), staff.login, "orders_exported", show.id))
    answer = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="orders-{show.id}.csv"',
        }
    )
    page = await needs.orders.of_show(show.shop, show.id)
    await answer.prepare(request)
    words = sheet_words(await needs.locale_of(show.shop), needs.till.methods)
    await answer.write(header(words).encode())
    try:
        while page:
            await still_staff(request)
            names, handles = await _names(needs.shows, show.id, page)
            await answer.write(csv_lines(page, names, handles, needs.zone, words).encode())
            page = await needs.orders.of_show(show.shop, show.id, after=page[-1].number)
    except Exception as error:
        # Half a file is on its way: cut the line, so that nobody takes it for the whole.
        log.warning("orders.csv broke off", show=show.id, error=in_words(error))
        if request.transport is not None:
            request.transport.abort()
        return answer
    await answer.write_eof()
    return answer


async def get_orders_xlsx(request: web.Request) -> web.StreamResponse:
    """The same rows as a workbook. It is whole before the first byte leaves: a fault is an answer with a number."""
    needs = request.app[ORDERS]
    staff = await need_staff(request)
    show = await needs.setups.own(staff.shop, request.match_info["show"])
    await needs.audit.add(AuditEntry(show.shop, now_ms(), staff.login, "orders_exported", show.id))
    book = Workbook(sheet_words(await needs.locale_of(show.shop), needs.till.methods))
    try:
        page = await needs.orders.of_show(show.shop, show.id)
        while page:
            await still_staff(request)
            names, handles = await _names(needs.shows, show.id, page)
            await asyncio.to_thread(book.add, list(rows(page, names, handles, needs.zone)))
            page = await needs.orders.of_show(show.shop, show.id, after=page[-1].number)
        file = await asyncio.to_thread(book.finish)
        await still_staff(request)
        answer = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="orders-{show.id}.xlsx"'})
        answer.content_type = XLSX_TYPE
        await answer.prepare(request)
        while part := await asyncio.to_thread(file.read, PART_BYTES):
            await answer.write(part)
        await answer.write_eof()
        return answer
    finally:
        book.close()


async def get_order(request: web.Request) -> web.Response:
    needs = request.app[ORDERS]
    staff = await need_staff(request)
    order = await needs.orders.get(staff.shop, request.match_info["order"])
    if order is None:
        raise OrderUnknown
    names, handles = await _names(needs.shows, order.show, [order])
    shape = order_shape(order, needs.till.methods_for(order), names, handles)
    return json_answer({"order": shape, "methods": method_shapes(needs.till)})


async def post_payment(request: web.Request) -> web.Response:
    """Notes how an order will be paid; what that does to its claims, its provider says."""
    needs = request.app[ORDERS]
    staff = await need_staff(request, "owner", "host")
    body = await read_json(request, PaymentBody)
    payment, started = await needs.till.begin(
        staff.shop, request.match_info["order"], body.id, body.method, body.reference, staff.login
    )
    answer = {
        "payment": payment,
        "instructions": started.instructions,
        "held_until_ms": started.held_until_ms,
    }
    return json_answer(answer, status=201)


async def post_paid(request: web.Request) -> web.Response:
    """The money came: the claims of this payment become sold."""
    needs = request.app[ORDERS]
    staff = await need_staff(request, "owner", "host")
    body = await read_json(request, PaidBody)
    payment = await needs.till.paid(staff.shop, request.match_info["payment"], staff.login, body.reference)
    return json_answer({"payment": payment})


async def post_undo(request: web.Request) -> web.Response:
    """Back to unpaid: what was sold by this payment is held again."""
    needs = request.app[ORDERS]
    staff = await need_staff(request, "owner", "host")
    await read_json(request, UndoBody)
    payment = await needs.till.undo(staff.shop, request.match_info["payment"], staff.login)
    return json_answer({"payment": payment})


_SHOW = "/api/shows/{show:[a-z0-9-]{1,40}}"
routes: list[web.RouteDef] = [
    web.get(f"{_SHOW}/orders", get_orders),
    web.get(f"{_SHOW}/orders.csv", get_orders_csv),
    web.get(f"{_SHOW}/orders.xlsx", get_orders_xlsx),
    web.get("/api/orders/{order}", get_order),
    web.post("/api/orders/{order}/payments", post_payment),
    web.post("/api/payments/{payment}/paid", post_paid),
    web.post("/api/payments/{payment}/undo", post_undo),
]
