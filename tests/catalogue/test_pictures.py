"""Pictures of products: taken by what they are, not by what they are called, and kept by browsers for good."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from aiohttp import ClientResponse

from livecommerce.catalogue import pictures
from livecommerce.catalogue.pictures import KeptPictures, Picture
from tests.site import MUG, Site

JPEG = b"\xff\xd8\xff\xe0" + b"j" * 2000
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 2000
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + b"w" * 2000


async def upload(site: Site, body: bytes, content_type: str) -> ClientResponse:
    headers = {"Origin": site.origin, "Content-Type": content_type}
    return await site.client.post("/api/pictures", data=body, headers=headers)


@pytest.mark.parametrize(
    ("body", "extension", "content_type"),
    [(JPEG, "jpg", "image/jpeg"), (PNG, "png", "image/png"), (WEBP, "webp", "image/webp")],
)
async def test_a_picture_goes_into_a_product_and_to_everybody(
    site: Site, body: bytes, extension: str, content_type: str
) -> None:
    await site.login("host")
    for _ in range(2):  # the same file twice is one picture
        answer = await upload(site, body, content_type)
        assert answer.status == 201
    address = (await answer.json())["picture"]
    assert address == f"/pictures/{hashlib.sha256(body).hexdigest()}.{extension}"
    status, _ = await site.told("POST", "/api/products", {**MUG, "picture": address})
    assert status == 201
    site.leave()
    shown = await site.client.get(address)
    assert await shown.read() == body
    assert shown.content_type == content_type
    assert shown.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    again = await site.client.get(address, headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        (b"<svg onload='alert(1)'/>", "image/svg+xml", (415, 1042)),
        (b"<svg onload='alert(1)'/>", "image/png", (415, 1042)),
        (b"<html><script>", "image/jpeg", (415, 1042)),
        (b"", "image/jpeg", (415, 1042)),
        (JPEG, "application/octet-stream", (415, 1042)),
        (JPEG * 1000, "image/jpeg", (413, 1040)),
    ],
)
async def test_what_is_no_picture_is_refused(
    site: Site, body: bytes, content_type: str, refusal: tuple[int, int]
) -> None:
    await site.login("host")
    answer = await upload(site, body, content_type)
    assert (answer.status, (await answer.json())["error"]["number"]) == refusal


async def test_a_name_tells_what_it_is(site: Site) -> None:
    await site.login("host")
    await upload(site, PNG, "image/jpeg")  # called a JPEG, is a PNG, is kept as one
    digest = hashlib.sha256(PNG).hexdigest()
    for name, status in (
        (f"{digest}.png", 200), (f"{digest}.jpg", 404), ("0" * 64 + ".png", 404), ("x.png", 404),
    ):  # fmt: skip
        assert (await site.client.get(f"/pictures/{name}")).status == status


async def test_moderators_and_strangers_upload_nothing(site: Site) -> None:
    assert (await upload(site, PNG, "image/png")).status == 401
    await site.login("mei")
    assert (await upload(site, PNG, "image/png")).status == 403


async def test_a_shop_keeps_so_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PICTURES_MAX", 1)
    await site.login("host")
    assert (await upload(site, PNG, "image/png")).status == 201
    answer = await upload(site, JPEG, "image/jpeg")
    assert (answer.status, (await answer.json())["error"]["number"]) == (409, 4043)


async def test_many_who_come_at_once_get_the_same_bytes(site: Site) -> None:
    await site.login("host")
    address = (await (await upload(site, PNG, "image/png")).json())["picture"]

    async def look() -> bytes:
        answer = await site.client.get(address)
        return await answer.read()

    assert set(await asyncio.gather(*(look() for _ in range(20)))) == {PNG}


def test_the_longest_unasked_picture_goes_first() -> None:
    kept = KeptPictures(bytes_max=20)
    for name in "abc":
        kept.put(Picture(name, "shop", "image/png", b"x" * 8))
        kept.get("a")
    assert [kept.get(name) is not None for name in "abc"] == [True, False, True]
