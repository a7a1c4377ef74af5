"""The catalogue's routes. Reading needs a login; changing needs the owner or a host. Pictures are for everybody."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.catalogue.errors import CatalogueFull, CodeRefused, CodeTaken, PicturesFull
from livecommerce.catalogue.parser_words import new_warnings
from livecommerce.catalogue.picture_sizes import MASTER_EDGE, WIDTHS, PictureSizes, Redrawer
from livecommerce.catalogue.pictures import EXTENSIONS, SENT_TYPES, Picture, PictureRepository
from livecommerce.catalogue.products import Product, as_public, product_of
from livecommerce.errors import NotFound
from livecommerce.http.answers import is_known, json_answer
from livecommerce.http.bodies import read_body, read_json, takes
from livecommerce.http.errors import MediaTypeWrong
from livecommerce.http.identity import Staff
from livecommerce.http.site import need_staff
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms

PICTURE_BYTES_MAX = 12_000_000  # a photo as a phone took it


@dataclass(frozen=True)
class CatalogueNeeds:
    """What these routes need."""

    catalogue: Catalogue
    pictures: PictureRepository
    shops: ShopRepository
    audit: AuditRepository
    redrawer: Redrawer = field(default_factory=Redrawer)
    sizes: PictureSizes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", PictureSizes(self.redrawer))


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
    """Its code is its id: the same product again, as after an answer that was lost, gets the first answer."""
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    shop = await needs.shops.get_or_plain(staff.shop)
    product = product_of(await read_json(request, dict[str, Any]), currency=shop.currency)
    try:
        await needs.catalogue.add(shop.id, product)
    except (CodeTaken, CatalogueFull):
        if not await needs.catalogue.has(shop.id, product):
            raise
    else:
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
    return await _deleted(request, request.match_info["code"])


@takes("code")
async def delete_product_named(request: web.Request) -> web.Response:
    """For a code that no path can hold: browsers make another address of `/api/products/..`."""
    return await _deleted(request, request.query.get("code", ""))


async def _deleted(request: web.Request, code: str) -> web.Response:
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    known = await needs.catalogue.product(staff.shop, code)
    await needs.catalogue.remove(staff.shop, known.code)
    await _audit(needs, staff, "product_removed", known.code)
    return json_answer({})


async def post_picture(request: web.Request) -> web.Response:
    """Draws the body anew, keeps it as WebP and answers the address to put into a product."""
    needs = request.app[CATALOGUE]
    staff = await need_staff(request, "owner", "host")
    # SVG is not among them: it can run script. What is inside decides, and some browsers know no name for HEIC.
    if request.content_type not in SENT_TYPES:
        raise MediaTypeWrong(f"Send one of {', '.join(sorted(SENT_TYPES))}.")
    sent = await read_body(request, PICTURE_BYTES_MAX)
    body = await needs.redrawer.redraw(sent, MASTER_EDGE)
    picture = Picture(hashlib.sha256(body).hexdigest(), staff.shop, "image/webp", body)
    if not await needs.pictures.add(picture):
        raise PicturesFull
    await _audit(needs, staff, "picture_added", picture.sha256)
    return json_answer({"picture": f"/pictures/{picture.sha256}.webp"}, status=201)


async def _sent_picture(needs: CatalogueNeeds, sha256: str, width: int) -> Picture | None:
    ready = needs.sizes.get(sha256, width)
    if ready is not None:
        return ready
    picture = await needs.pictures.get(sha256)
    return None if picture is None else await needs.sizes.draw(picture, width)


async def get_picture(request: web.Request) -> web.Response:
    """A picture by its content's name, also in one of its widths. It never changes, so nobody asks twice."""
    sha256, size = request.match_info["sha256"], request.match_info["size"]
    picture = await _sent_picture(request.app[CATALOGUE], sha256, int(size[1:] or 0))
    if picture is None or EXTENSIONS.get(picture.content_type) != request.match_info["extension"]:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{sha256[:16]}{size}"'}
    if is_known(request, headers["ETag"]):
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.body, content_type=picture.content_type, headers=headers)


_SIZE = f"(-({'|'.join(map(str, WIDTHS))}))?"
routes: list[web.RouteDef] = [
    web.get("/api/products", get_products),
    web.post("/api/products", post_product),
    web.post("/api/products/check", check_product),
    web.delete("/api/products", delete_product_named),
    web.put("/api/products/{code:[^/]+}", put_product),  # aiohttp's own pattern takes no braces
    web.delete("/api/products/{code:[^/]+}", delete_product),
    web.post("/api/pictures", post_picture),
    web.get(f"/pictures/{{sha256:[0-9a-f]{{64}}}}{{size:{_SIZE}}}.{{extension:jpg|png|webp}}", get_picture),
]
