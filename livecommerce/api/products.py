"""The catalogue's routes. Reading needs a login; changing needs the owner or a host."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from livecommerce.accounts.identity import Staff
from livecommerce.api.bodies import json_answer, read_json
from livecommerce.api.context import Context, context_of
from livecommerce.catalogue.errors import CodeRefused
from livecommerce.catalogue.products import Product, as_public, fold_code, parser_items, product_of
from livecommerce.records.rows import now_ms
from livecommerce.records.structs import AuditEntry, Shop


async def shop_of(context: Context, staff: Staff) -> Shop:
    found = await context.records.shops.get(staff.shop)
    return found or Shop(id=staff.shop, name=staff.shop)


async def products_shape(context: Context, shop: str) -> list[dict[str, Any]]:
    return [as_public(product) for product in await context.catalogue.products(shop)]


async def new_warnings(context: Context, shop: Shop, product: Product) -> list[dict[str, Any]]:
    """What the comment parser would stumble over because of this product, and did not before."""
    others = [
        known for known in await context.catalogue.products(shop.id) if fold_code(known.code) != fold_code(product.code)
    ]

    def compare() -> list[dict[str, Any]]:
        before = list(context.check_catalogue(parser_items(others), shop.packs))
        return [
            warning
            for warning in context.check_catalogue(parser_items([*others, product]), shop.packs)
            if warning not in before
        ]

    return await asyncio.to_thread(compare)  # tens of milliseconds: sockets of this process must not wait for it


async def _audit(context: Context, staff: Staff, do: str, code: str, **details: Any) -> None:
    await context.records.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, do, code, details))


async def get_products(request: web.Request) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    return json_answer({"products": await products_shape(context, staff.shop)})


async def post_product(request: web.Request) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    shop = await shop_of(context, staff)
    product = product_of(await read_json(request, dict[str, Any]), currency=shop.currency)
    await context.catalogue.add(shop.id, product)
    await _audit(context, staff, "product_added", product.code, price_minor=product.price_minor)
    warnings = await new_warnings(context, shop, product)
    return json_answer({"product": as_public(product), "warnings": warnings}, status=201)


async def check_product(request: web.Request) -> web.Response:
    """What `POST /api/products` would say, with nothing kept."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request)
    shop = await shop_of(context, staff)
    product = product_of(await read_json(request, dict[str, Any]), currency=shop.currency)
    return json_answer({"product": as_public(product), "warnings": await new_warnings(context, shop, product)})


async def put_product(request: web.Request) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    shop = await shop_of(context, staff)
    known = await context.catalogue.product(shop.id, request.match_info["code"])
    raw = await read_json(request, dict[str, Any])
    product = product_of({"code": known.code, **raw}, currency=shop.currency)
    if product.code != known.code:
        raise CodeRefused("The code of a product stays; make a new product for another code.", field="code")
    await context.catalogue.replace(shop.id, product)
    await _audit(context, staff, "product_changed", product.code, price_minor=product.price_minor)
    return json_answer({"product": as_public(product), "warnings": await new_warnings(context, shop, product)})


async def delete_product(request: web.Request) -> web.Response:
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    known = await context.catalogue.product(staff.shop, request.match_info["code"])
    await context.catalogue.remove(staff.shop, known.code)
    await _audit(context, staff, "product_removed", known.code)
    return json_answer({})
