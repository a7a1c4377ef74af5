"""The routes of shows: set-up, lists, the public snapshot, staff commands."""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from livecommerce.accounts.identity import Staff
from livecommerce.api.bodies import json_answer, read_json
from livecommerce.api.context import Context, context_of
from livecommerce.api.errors import SetupChanged, ShowIdTaken
from livecommerce.api.products import shop_of
from livecommerce.api.publish import change_live, publish
from livecommerce.api.snapshots import SNAPSHOTS
from livecommerce.catalog.errors import ProductUnknown
from livecommerce.catalog.products import Product, as_public, limit, price, supply_of
from livecommerce.comments import PACKS, PackUnknown
from livecommerce.errors import BadInput, Conflict, ShowUnknown
from livecommerce.records.structs import ShowItemRecord, ShowRecord
from livecommerce.shows.commands import Actor
from livecommerce.shows.kinds.buyer import Ban
from livecommerce.shows.model import ID_PATTERN, ITEMS_MAX, ShowLimits, ShowSettings

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike: the id is read out on air
ID_LENGTH = 7  # 31^7: two shows made at once do not meet, and if they do the shop is told to try again


class ItemBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A product of the catalogue as this show sells it. `supply`: pieces per sku, or one number for each sku."""

    code: str
    price_minor: int | None = None
    compare_at_minor: int | None = None
    limit_per_viewer: int | None = None
    supply: dict[str, int] | int | None = None


class ShowBody(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=120)]
    items: Annotated[list[ItemBody], Meta(max_length=ITEMS_MAX)] = []
    id: Annotated[str, Meta(pattern=ID_PATTERN)] | None = None
    hold_seconds: Annotated[int, Meta(ge=10, le=7 * 86_400)] | None = None
    packs: Annotated[list[Annotated[str, Meta(max_length=16)]], Meta(min_length=1, max_length=7)] | None = None
    limits: ShowLimits = ShowLimits()
    settings: ShowSettings = ShowSettings()
    starts_ms: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class ItemsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A new list of products for a show that stands. With `revision` (as `GET` told it) nobody is overwritten."""

    items: Annotated[list[ItemBody], Meta(max_length=ITEMS_MAX)]
    revision: int | None = None


def new_show_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(ID_LENGTH))


async def own_show(context: Context, staff: Staff, show: str) -> ShowRecord:
    """The show, if it is this person's shop's.

    Raises:
        ShowUnknown: also for a show of another shop, so that ids cannot be probed.
    """
    record = await context.records.shows.get(show)
    if record is None or record.shop != staff.shop:
        raise ShowUnknown
    return record


async def snapshot_of(request: web.Request, show: str) -> dict[str, Any]:
    return await request.app[SNAPSHOTS].get(show)


def _item(position: int, product: Product, body: ItemBody) -> ShowItemRecord:
    changes: dict[str, Any] = {}
    if body.price_minor is not None:
        changes["price_minor"] = price(body.price_minor)
    if body.compare_at_minor is not None:
        changes["compare_at_minor"] = price(body.compare_at_minor, "compare_at_minor") or None
    if body.limit_per_viewer is not None:
        changes["limit_per_viewer"] = limit(body.limit_per_viewer)
    changed = msgspec.structs.replace(product, **changes)
    return ShowItemRecord(product.code, position, as_public(changed), supply_of(changed, body.supply))


async def _items(context: Context, shop: str, bodies: list[ItemBody]) -> tuple[ShowItemRecord, ...]:
    """Catalogue products with this show's price, limit and supply.

    Raises:
        ProductUnknown, PriceRefused, SupplyRefused; BadInput for a product named twice.
    """
    known = {product.code: product for product in await context.catalogue.products(shop)}
    items: list[ShowItemRecord] = []
    for position, body in enumerate(bodies):
        product = known.get(body.code)
        if product is None:
            raise ProductUnknown(f"The shop has no product {body.code[:20]}.")
        items.append(_item(position, product, body))
    if len({item.code for item in items}) != len(items):
        raise BadInput("A show lists each product once.")
    return tuple(items)


async def list_shape(context: Context, shop: str) -> list[dict[str, Any]]:
    """The shop's shows, newest first, with the stage they are in now."""
    records = await context.records.shows.of_shop(shop)
    counts = await context.records.shows.item_counts(shop)
    live = await context.shows.stages(shop, [record.id for record in records])
    return [
        {
            "id": record.id,
            "title": record.title,
            "stage": stage,
            "started_ms": started_ms,
            "created_ms": record.created_ms,
            "starts_ms": record.starts_ms,
            "items": counts.get(record.id, 0),
        }
        for record in records
        for stage, started_ms in [live.get(record.id, ("preparing", 0))]
    ]


def show_shape(record: ShowRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "title": record.title,
        "currency": record.currency,
        "packs": list(record.packs),
        "limits": record.limits,
        "hold_seconds": record.hold_seconds,
        "settings": record.settings,
        "starts_ms": record.starts_ms,
        "created_ms": record.created_ms,
        "created_by": record.created_by,
        "is_published": record.published_ms is not None,
        "revision": record.revision,
        "items": [{**item.product, "supply": item.supply} for item in record.items],
    }


async def get_shows(request: web.Request) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    return json_answer({"shows": await list_shape(context, staff.shop)})


async def post_show(request: web.Request) -> web.Response:
    """Keeps the set-up in SQL, then puts show and supply into the live store; a start makes good a crash in between."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    body = await read_json(request, ShowBody)
    shop = await shop_of(context, staff)
    unknown = [pack for pack in body.packs or () if pack not in PACKS]
    if unknown:
        raise PackUnknown(f"There is no grammar pack {unknown[0]}. The packs are {', '.join(sorted(PACKS))}.")
    record = await context.records.shows.add(
        ShowRecord(
            id=body.id or new_show_id(),
            shop=shop.id,
            title=body.title,
            currency=shop.currency,
            packs=tuple(body.packs or shop.packs),
            limits=msgspec.to_builtins(body.limits),
            hold_seconds=body.hold_seconds or context.settings.stock.hold_seconds,
            settings=msgspec.to_builtins(body.settings),
            created_by=staff.login,
            starts_ms=body.starts_ms,
            items=await _items(context, shop.id, body.items),
        )
    )
    if record is None:
        raise ShowIdTaken
    await publish(context, record)
    kept = await own_show(context, staff, record.id)
    return json_answer({"show": show_shape(kept)}, status=201)


async def get_show(request: web.Request) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    return json_answer({"show": show_shape(await own_show(context, staff, request.match_info["show"]))})


async def put_show(request: web.Request) -> web.Response:
    """Changes products, prices and supply. The difference is done by the same commands a host gives on air."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    record = await own_show(context, staff, request.match_info["show"])
    body = await read_json(request, ItemsBody)
    if body.revision is not None and body.revision != record.revision:
        raise SetupChanged
    if record.published_ms is None:
        raise Conflict("The show is not on air yet. Try again in a moment.", retry_after_ms=2_000)
    items = await _items(context, record.shop, body.items)
    await change_live(context, record, items, Actor(staff.login, staff.role))
    if not await context.records.shows.replace_items(record, items):
        raise SetupChanged
    return json_answer({"show": show_shape(await own_show(context, staff, record.id))})


async def get_snapshot(request: web.Request) -> web.Response:
    return json_answer(await snapshot_of(request, request.match_info["show"]))


async def post_command(request: web.Request) -> web.Response:
    """A staff command; `id` may be left out by simple clients, which then cannot repeat it safely."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    record = await own_show(context, staff, request.match_info["show"])
    raw = await read_json(request, dict[str, Any])
    raw.setdefault("id", f"http-{time.time_ns():x}-{secrets.token_hex(6)}")
    command = context.shows.kinds.read_command(raw)
    if isinstance(command, Ban):  # address marks are the gateway's to add
        command = msgspec.structs.replace(command, addresses=())
    outcome = await context.executor.execute(record.id, command, Actor(staff.login, staff.role))
    return json_answer({"outcome": outcome})
