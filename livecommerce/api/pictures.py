"""Product pictures: uploaded by the shop, shown to everybody, named by their content and so kept by browsers."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from aiohttp import web

from livecommerce.api.bodies import json_answer, read_body
from livecommerce.api.context import context_of
from livecommerce.api.errors import MediaTypeWrong, PicturesFull
from livecommerce.errors import NotFound
from livecommerce.records.pictures import Picture
from livecommerce.records.rows import now_ms
from livecommerce.records.structs import AuditEntry

PICTURE_BYTES_MAX = 2_000_000  # a phone's photo at the size a product card needs; larger ones are the page's to shrink
KEPT_BYTES_MAX = 48_000_000  # of one process: a show's pictures, so that ten thousand viewers ask SQL once each
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def kind_of(body: bytes) -> str | None:
    """The type that the first bytes say; what the sender says is not believed. SVG is not taken: it can run script."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return None


class KeptPictures:
    """Pictures lately asked for, the longest unasked ones going first."""

    def __init__(self, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[str, Picture] = OrderedDict()

    def get(self, sha256: str) -> Picture | None:
        picture = self._kept.get(sha256)
        if picture is not None:
            self._kept.move_to_end(sha256)
        return picture

    def put(self, picture: Picture) -> None:
        if picture.sha256 in self._kept:
            return
        self._kept[picture.sha256] = picture
        self._bytes += len(picture.body)
        while self._bytes > self._bytes_max:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)


PICTURES: web.AppKey[KeptPictures] = web.AppKey("livecommerce.api.pictures", KeptPictures)


async def post_picture(request: web.Request) -> web.Response:
    """Keeps the body (JPEG, PNG or WebP) and answers the address to put into a product."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    if request.content_type not in EXTENSIONS:
        raise MediaTypeWrong("Send image/jpeg, image/png or image/webp.")
    body = await read_body(request, PICTURE_BYTES_MAX)
    kind = kind_of(body)
    if kind is None:
        raise MediaTypeWrong("This is no JPEG, PNG or WebP picture.")
    picture = Picture(hashlib.sha256(body).hexdigest(), staff.shop, kind, body)
    if not await context.records.pictures.add(picture):
        raise PicturesFull
    await context.records.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "picture_added", picture.sha256))
    return json_answer({"picture": f"/pictures/{picture.sha256}.{EXTENSIONS[kind]}"}, status=201)


async def get_picture(request: web.Request) -> web.Response:
    """A picture by its content's name. It never changes, so nobody asks twice."""
    sha256 = request.match_info["sha256"]
    kept = request.app[PICTURES]
    picture = kept.get(sha256)
    if picture is None:
        picture = await context_of(request).records.pictures.get(sha256)
        if picture is None:
            raise NotFound
        kept.put(picture)
    if EXTENSIONS.get(picture.content_type) != request.match_info["extension"]:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{sha256[:16]}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.body, content_type=picture.content_type, headers=headers)
