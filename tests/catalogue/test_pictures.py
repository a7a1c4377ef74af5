"""Pictures of products: drawn anew on their way in, so that nothing but pixels of a bounded number is ever sent."""

from __future__ import annotations

import asyncio
import hashlib
import io
import struct
import zlib

import pillow_heif
import pytest
from aiohttp import ClientResponse
from PIL import Image, ImageCms

from livecommerce.catalogue import pictures
from livecommerce.catalogue.picture_sizes import MASTER_EDGE
from livecommerce.catalogue.pictures import KeptPictures, Picture, PictureRepository
from tests.site import MUG, Site

pillow_heif.register_heif_opener()
RED, BLUE = (200, 30, 20), (20, 30, 200)


def drawn(form: str, size: tuple[int, int] = (640, 480), color: tuple[int, ...] = RED, **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(out, form, **more)
    return out.getvalue()


def with_place() -> bytes:
    """A photo on its side, with where it was taken."""
    picture = Image.new("RGB", (400, 200), BLUE)
    picture.paste(RED, (0, 0, 100, 200))  # red on the left: above, once it stands upright
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn right
    exif.get_ifd(0x8825).update({1: "N", 2: (25.0, 2.0, 0.0), 3: "E", 4: (121.0, 30.0, 0.0)})
    exif[0x010F] = "CameraOfSomebody"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, all alike: a few kilobytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    deflated = zlib.compressobj(9)
    rows = b"".join(deflated.compress(bytes(width + 1)) for _ in range(height)) + deflated.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PNG, JPEG = drawn("PNG"), drawn("JPEG")


async def upload(site: Site, body: bytes, content_type: str) -> ClientResponse:
    headers = {"Origin": site.origin, "Content-Type": content_type}
    return await site.client.post("/api/pictures", data=body, headers=headers)


async def shown(site: Site, address: str) -> Image.Image:
    answer = await site.client.get(address)
    assert answer.status == 200, address
    picture = Image.open(io.BytesIO(await answer.read()))
    picture.load()
    return picture


def is_about(pixel: object, color: tuple[int, ...]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 25 for a, b in zip(pixel, color, strict=False))


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif"),
        ("AVIF", "image/avif"), ("HEIF", "image/heic"), ("HEIF", "application/octet-stream"),
    ],
)  # fmt: skip
async def test_a_picture_goes_into_a_product_and_to_everybody(site: Site, form: str, content_type: str) -> None:
    await site.login("host")
    for _ in range(2):  # the same file twice is one picture
        answer = await upload(site, drawn(form), content_type)
        assert answer.status == 201
    address = (await answer.json())["picture"]
    status, _ = await site.told("POST", "/api/products", {**MUG, "picture": address})
    assert status == 201
    site.leave()
    picture = await shown(site, address)
    assert (picture.format, picture.size) == ("WEBP", (640, 480))
    assert is_about(picture.getpixel((9, 9)), RED)
    answer = await site.client.get(address)
    assert hashlib.sha256(await answer.read()).hexdigest() in address
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    again = await site.client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    for width in (320, 640, 1280):
        small = await shown(site, address.replace(".webp", f"-{width}.webp"))
        assert small.width == min(width, 640), "never larger than it is"
    assert (await site.client.get(address.replace(".webp", "-321.webp"))).status == 404


async def test_nothing_but_pixels_comes_along_and_it_stands_upright(site: Site) -> None:
    await site.login("host")
    sent = with_place()
    assert b"CameraOfSomebody" in sent
    address = (await (await upload(site, sent, "image/jpeg")).json())["picture"]
    body = await (await site.client.get(address)).read()
    assert not any(word in body for word in (b"EXIF", b"Exif", b"XMP", b"CameraOfSomebody"))
    picture = await shown(site, address)
    assert dict(picture.getexif()) == {}
    assert picture.size == (200, 400)
    assert is_about(picture.getpixel((100, 20)), RED)
    assert is_about(picture.getpixel((100, 380)), BLUE)


async def test_a_picture_kept_by_an_earlier_version_is_sent_without_its_place(site: Site) -> None:
    sent = with_place()
    sha256 = hashlib.sha256(sent).hexdigest()
    await PictureRepository(site.database).add(Picture(sha256, "lingling", "image/jpeg", sent))
    answer = await site.client.get(f"/pictures/{sha256}.jpg")
    assert (answer.status, answer.content_type) == (200, "image/jpeg")
    assert b"CameraOfSomebody" not in await answer.read()
    fake = b"\xff\xd8\xff\xe0" + b"j" * 2000
    sha256 = hashlib.sha256(fake).hexdigest()
    await PictureRepository(site.database).add(Picture(sha256, "lingling", "image/jpeg", fake))
    assert (await site.client.get(f"/pictures/{sha256}.jpg")).status == 404


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        (b"<svg onload='alert(1)'/>", "image/svg+xml", (415, 1042)),
        (b"<svg onload='alert(1)'/>", "image/png", (400, 1035)),
        (b"<html><script>", "image/jpeg", (400, 1035)),
        (b"", "image/jpeg", (400, 1035)),
        (b"\xff\xd8\xff\xe0" + b"j" * 2000, "image/jpeg", (400, 1035)),
        (JPEG[: len(JPEG) // 2], "image/jpeg", (400, 1035)),
        (PNG[: len(PNG) // 2], "image/png", (400, 1035)),
        (drawn("WEBP")[:-20], "image/webp", (400, 1035)),
        (drawn("AVIF")[:-20], "image/avif", (400, 1035)),
        (drawn("BMP"), "image/png", (400, 1035)),
        (b"<svg onload='alert(1)'/>", "application/octet-stream", (400, 1035)),
        (JPEG, "text/plain", (415, 1042)),
        (b"x" * 12_000_001, "image/jpeg", (413, 1040)),
    ],
)
async def test_what_is_no_whole_picture_is_refused(
    site: Site, body: bytes, content_type: str, refusal: tuple[int, int]
) -> None:
    await site.login("host")
    answer = await upload(site, body, content_type)
    assert (answer.status, (await answer.json())["error"]["number"]) == refusal


async def test_few_bytes_that_are_many_pixels_are_refused_before_they_are_decoded(site: Site) -> None:
    await site.login("host")
    for width, height in ((20_000, 3_000), (60_000, 1_000)):
        body = bomb(width, height)
        assert len(body) < 100_000
        answer = await upload(site, body, "image/png")
        assert (answer.status, (await answer.json())["error"]["number"]) == (413, 1036)


async def test_a_large_one_is_made_as_large_as_a_page_shows(site: Site) -> None:
    await site.login("host")
    sent = drawn("JPEG", (6000, 4000))
    address = (await (await upload(site, sent, "image/jpeg")).json())["picture"]
    assert (await shown(site, address)).size == (MASTER_EDGE, 1280)


async def test_an_animation_is_its_first_frame(site: Site) -> None:
    await site.login("host")
    frames = [Image.new("RGB", (64, 64), color) for color in (RED, BLUE)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    address = (await (await upload(site, out.getvalue(), "image/gif")).json())["picture"]
    picture = await shown(site, address)
    assert getattr(picture, "n_frames", 1) == 1
    assert is_about(picture.getpixel((9, 9)), RED)


async def test_other_color_spaces_and_depths_come_out_as_srgb(site: Site) -> None:
    await site.login("host")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sixteen = io.BytesIO()
    Image.new("I;16", (64, 64), 32_768).save(sixteen, "PNG")
    cmyk = io.BytesIO()
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(cmyk, "JPEG")
    for body, content_type, color in (
        (drawn("PNG", icc_profile=profile), "image/png", RED),
        (sixteen.getvalue(), "image/png", (128, 128, 128)),
        (cmyk.getvalue(), "image/jpeg", (254, 0, 0)),
    ):
        address = (await (await upload(site, body, content_type)).json())["picture"]
        picture = await shown(site, address)
        assert "icc_profile" not in picture.info
        assert is_about(picture.convert("RGB").getpixel((9, 9)), color)


async def test_a_name_tells_what_it_is(site: Site) -> None:
    await site.login("host")
    address = (await (await upload(site, PNG, "image/jpeg")).json())["picture"]
    for name, status in (
        (address, 200), (address.replace(".webp", ".png"), 404), (address.replace(".webp", "-320.jpg"), 404),
        (f"/pictures/{'0' * 64}.webp", 404), ("/pictures/x.webp", 404),
    ):  # fmt: skip
        assert (await site.client.get(name)).status == status


async def test_moderators_and_strangers_upload_nothing(site: Site) -> None:
    assert (await upload(site, PNG, "image/png")).status == 401
    await site.login("mei")
    assert (await upload(site, PNG, "image/png")).status == 403


async def test_a_shop_keeps_so_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PICTURES_MAX", 1)
    await site.login("host")
    assert (await upload(site, PNG, "image/png")).status == 201
    answer = await upload(site, drawn("PNG", color=BLUE), "image/png")
    assert (answer.status, (await answer.json())["error"]["number"]) == (409, 4043)


async def test_a_full_shop_forgets_what_nothing_shows_and_never_what_is_shown(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop at its 5,000 was stuck: nobody could take a picture away."""
    await site.login("host")

    async def sent(color: tuple[int, int, int]) -> str:
        return str((await (await upload(site, drawn("PNG", color=color), "image/png")).json())["picture"])

    product, old_product, in_show, nobodys = [await sent((number * 40, 0, 0)) for number in range(4)]
    code = MUG["code"]
    show = {"id": "kept", "title": "Wednesday", "items": [{"code": code, "supply": 3}]}
    for method, path, body in (
        ("POST", "/api/products", {**MUG, "picture": in_show}),
        ("POST", "/api/shows", show),
        ("PUT", f"/api/products/{code}", {**MUG, "picture": old_product}),
        ("PUT", f"/api/products/{code}", {**MUG, "picture": product.replace(".webp", "-640.webp")}),
    ):
        assert (await site.ask(method, path, body)).status in (200, 201), path
    monkeypatch.setattr(pictures, "PICTURES_MAX", 4)
    answer = await upload(site, drawn("PNG", color=BLUE), "image/png")
    assert (answer.status, (await answer.json())["error"]["number"]) == (409, 4043), "all are younger than a day"
    monkeypatch.setattr(pictures, "UNUSED_MS_MIN", -60_000)
    fresh = await sent(BLUE)
    states = {name: (await site.client.get(address.replace(".webp", "-320.webp"))).status for name, address in (
        ("product", product), ("replaced", old_product), ("show", in_show), ("nobody", nobodys), ("fresh", fresh),
    )}  # fmt: skip
    assert states == {"product": 200, "replaced": 404, "show": 200, "nobody": 404, "fresh": 200}
    assert (await upload(site, drawn("PNG", color=BLUE), "image/png")).status == 201, "there already"


async def test_many_who_come_at_once_get_the_same_bytes(site: Site) -> None:
    await site.login("host")
    address = (await (await upload(site, PNG, "image/png")).json())["picture"].replace(".webp", "-320.webp")

    async def look() -> bytes:
        answer = await site.client.get(address)
        return await answer.read()

    assert len(set(await asyncio.gather(*(look() for _ in range(20))))) == 1


def test_the_longest_unasked_picture_goes_first() -> None:
    kept = KeptPictures(bytes_max=20)
    for name in "abc":
        kept.put(Picture(name, "shop", "image/png", b"x" * 8))
        kept.get("a")
    assert [kept.get(name) is not None for name in "abc"] == [True, False, True]
