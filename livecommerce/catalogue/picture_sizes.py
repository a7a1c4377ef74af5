"""Pictures in the sizes that pages show them in, drawn when first asked for; new ones are drawn on their way in."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import OrderedDict

from livecommerce.catalogue.errors import PictureTooLarge, PictureUnreadable
from livecommerce.catalogue.pictures import KeptPictures, Picture
from livecommerce.errors import Busy

MASTER_EDGE = 1920  # of what is kept: twice a phone's width, and a full screen of most
WIDTHS = (320, 640, 1280)  # a card, a card on a dense screen, a product looked at closely
REDRAW_SECONDS_MAX = 20.0  # a phone's photo takes one second
AT_ONCE = 1  # each takes a core; video and stock need the others
WAITING_MAX = 64  # pictures in line; a page of products asks for some tens at once
TOO_MANY_PIXELS = 4  # exit code of redrawing.py
BROKEN_MAX = 1_000  # names of stored pictures that could not be drawn, so that they are not tried again and again
FORMS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


class Redrawer:
    """One per process. Every picture is decoded in a process of its own, a few at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def redraw(self, body: bytes, edge: int, form: str = "WEBP") -> bytes:
        """
        Raises:
            PictureUnreadable, PictureTooLarge, Busy
        """
        if self._waiting >= WAITING_MAX:
            raise Busy(retry_after_ms=2_000)
        self._waiting += 1
        try:
            async with self._turns:
                return await _redrawn_outside(body, edge, form)
        finally:
            self._waiting -= 1


async def _redrawn_outside(body: bytes, edge: int, form: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "livecommerce.catalogue.redrawing", str(edge), form),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(REDRAW_SECONDS_MAX):
            drawn, _ = await process.communicate(body)
    except TimeoutError as error:
        raise PictureUnreadable("Reading this picture takes too long.") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == TOO_MANY_PIXELS:
        raise PictureTooLarge
    if process.returncode != 0 or not drawn:
        raise PictureUnreadable
    return drawn


def has_metadata(picture: Picture) -> bool:
    """Whether it was kept as it came, by a version that drew nothing anew."""
    return picture.content_type != "image/webp" or b"EXIF" in picture.body or b"XMP " in picture.body


class PictureSizes:
    """Stored pictures as they are sent: without metadata, and in `WIDTHS`."""

    def __init__(self, redrawer: Redrawer, kept: KeptPictures | None = None) -> None:
        self._redrawer = redrawer
        self._kept = kept or KeptPictures()
        self._broken: OrderedDict[str, None] = OrderedDict()
        self._drawing: dict[str, asyncio.Lock] = {}

    def get(self, sha256: str, width: int) -> Picture | None:
        """One that is ready to be sent."""
        return self._kept.get(f"{sha256}-{width}")

    async def draw(self, picture: Picture, width: int) -> Picture | None:
        """The stored picture `width` pixels wide, as WebP; 0: as large as it is, in the form it has. None: unreadable.

        Raises:
            Busy
        """
        name = f"{picture.sha256}-{width}"
        if name in self._broken:
            return None
        lock = self._drawing.setdefault(name, asyncio.Lock())
        try:
            async with lock:  # a crowd asks for the same one at the same moment
                return self._kept.get(name) or await self._drawn(picture, width, name)
        finally:
            if not lock.locked():
                self._drawing.pop(name, None)

    async def _drawn(self, picture: Picture, width: int, name: str) -> Picture | None:
        content_type = "image/webp" if width else picture.content_type
        body = picture.body
        if width or has_metadata(picture):
            try:
                body = await self._redrawer.redraw(body, width or MASTER_EDGE, FORMS[content_type])
            except (PictureUnreadable, PictureTooLarge):
                self._broken[name] = None
                if len(self._broken) > BROKEN_MAX:
                    self._broken.popitem(last=False)
                return None
        drawn = Picture(name, picture.shop, content_type, body)
        self._kept.put(drawn)
        return drawn
