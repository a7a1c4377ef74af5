"""The catalogue's routes. Reading needs a login; changing needs the owner or a host. Pictures are for everybody."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.catalogue.errors import CodeRefused, PicturesFull
from livecommerce.catalogue.parser_words import new_warnings
from livecommerce.catalogue.pictures import EXTENSIONS, KeptPictures, Picture, PictureRepository, kind_of
from livecommerce.catalogue.products import Product, as_public, product_of
from livecommerce.errors import NotFound
from livecommerce.http.answers import json_answer
from livecommerce.http.bodies import read_body, read_json
from livecommerce.http.errors import MediaTypeWrong
from livecommerce.http.identity import Staff
from livecommerce.http.site import need_staff
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms

PICTURE_BYTES_MAX = 2_000_000  # a phone's photo at the size a product card needs; larger ones are the page's to shrink


@dataclass(frozen=True)
class CatalogueNeeds:
    """What these routes need."""

    catalogue: Catalogue
    pictures: PictureRepository
    shops: ShopRepository
    audit: AuditRepository
    kept: KeptPictures = field(default_factory=KeptPictures)


CATALOGUE: web.AppKey[CatalogueNeeds] = web.AppKey("livecommerce.catalogue", CatalogueNeeds)


async def products_shape(catalogue: Catalogue, shop: str) -> list[dict[str, Any]]:
    return [as_public(product) for product in await catalogue.products(shop)]


async def _shown(needs: CatalogueNeeds, shop: Shop, product: Product) -> dict[str, Any]:
    known = await needs.catalogue.products(shop.id)
    # In a thread: sockets of this process must not wait for it.
    warnings = await asyncio.to_thread(new_warnings, known, product, shop.packs)
    return {"product": as_public(product), "warnings": warnings}


async def _audit(needs: CatalogueNeeds, staff: Staff, do: str, subject: str, **details: Any) -> None:
    await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, do, subject, details))


async def get_products(request: web.Request) -> web.Response:
    staff = await need_staff(request)
    return json_answer({"products": await products_shape(request.app[CATALOGUE].catalogue, staff.shop)})


async def post_product(request: web.Request) -> web.Response:
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    shop = await needs.shops.get_or_plain(staff.shop)
    product = product_of(await read_json(request, dict[str, Any]), currency=shop.currency)
    await needs.catalogue.add(shop.id, product)
    await _audit(needs, staff, "product_added", product.code, price_minor=product.price_minor)
    return json_answer(await _shown(needs, shop, product), status=201)


async def check_product(request: web.Request) -> web.Response:
    """What `POST /api/products` would say, with nothing kept."""
    needs = request.app[CATALOGUE]
    staff = await need_staff(request)
    shop = await needs.shops.get_or_plain(staff.shop)
    product = product_of(await read_json(request, dict[str, Any]), currency=shop.currency)
    return json_answer(await _shown(needs, shop, product))


async def put_product(request: web.Request) -> web.Response:
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    shop = await needs.shops.get_or_plain(staff.shop)
    known = await needs.catalogue.product(shop.id, request.match_info["code"])
    raw = await read_json(request, dict[str, Any])
    product = product_of({"code": known.code, **raw}, currency=shop.currency)
    if product.code != known.code:
        raise CodeRefused("The code of a product stays; make a new product for another code.", field="code")
    await needs.catalogue.replace(shop.id, product)
    await _audit(needs, staff, "product_changed", product.code, price_minor=product.price_minor)
    return json_answer(await _shown(needs, shop, product))


async def delete_product(request: web.Request) -> web.Response:
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    known = await needs.catalogue.product(staff.shop, request.match_info["code"])
    await needs.catalogue.remove(staff.shop, known.code)
    await _audit(needs, staff, "product_removed", known.code)
    return json_answer({})


async def post_picture(request: web.Request) -> web.Response:
    """Keeps the body (JPEG, PNG or WebP) and answers the address to put into a product."""
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    if request.content_type not in EXTENSIONS:
        raise MediaTypeWrong("Send image/jpeg, image/png or image/webp.")
    body = await read_body(request, PICTURE_BYTES_MAX)
    kind = kind_of(body)
    if kind is None:
        raise MediaTypeWrong("This is no JPEG, PNG or WebP picture.")
    picture = Picture(hashlib.sha256(body).hexdigest(), staff.shop, kind, body)
    if not await needs.pictures.add(picture):
        raise PicturesFull
    await _audit(needs, staff, "picture_added", picture.sha256)
    return json_answer({"picture": f"/pictures/{picture.sha256}.{EXTENSIONS[kind]}"}, status=201)


async def get_picture(request: web.Request) -> web.Response:
    """A picture by its content's name. It never changes, so nobody asks twice."""
    needs, sha256 = request.app[CATALOGUE], request.match_info["sha256"]
    picture = needs.kept.get(sha256)
    if picture is None:
        picture = await needs.pictures.get(sha256)
        if picture is None:
            raise NotFound
        needs.kept.put(picture)
    if EXTENSIONS.get(picture.content_type) != request.match_info["extension"]:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{sha256[:16]}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.body, content_type=picture.content_type, headers=headers)


routes: list[web.RouteDef] = [
    web.get("/api/products", get_products),
    web.post("/api/products", post_product),
    web.post("/api/products/check", check_product),
    web.put("/api/products/{code}", put_product),
    web.delete("/api/products/{code}", delete_product),
    web.post("/api/pictures", post_picture),
    web.get("/pictures/{sha256:[0-9a-f]{64}}.{extension:jpg|png|webp}", get_picture),
]
