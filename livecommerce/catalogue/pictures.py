"""Pictures of products, kept by their content: the same file twice is one row."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from livecommerce.catalogue import tables
from livecommerce.ops.logs import logger
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, chunks, now_ms

log = logger(__name__)

PICTURES_MAX = 5_000  # of one shop: at 300 kB each 1.5 GB, and no catalogue has more products on show
KEPT_BYTES_MAX = 48_000_000  # of one process: a show's pictures, so that ten thousand viewers ask SQL once each
UNUSED_MS_MIN = 86_400_000  # a day: so long a picture may wait for its product, and an open page for one taken away
SENT_TYPES = frozenset(
    ("application/octet-stream", "image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic",
     "image/heif")
)  # fmt: skip
_OURS = re.compile(r"/pictures/([0-9a-f]{64})")  # in an address, with or without a width, a path or a host before it
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Picture(Struct, frozen=True):
    sha256: str
    shop: str
    content_type: str
    body: bytes
    created_ms: int = 0


Addresses = Callable[[AsyncConnection], Awaitable[Iterable[str]]]
"""The addresses of pictures that another room keeps: pictures it shows are not forgotten."""


class PictureRepository:
    def __init__(self, database: Database, shown_elsewhere: Addresses | None = None) -> None:
        self._database = database
        self._shown_elsewhere = shown_elsewhere

    async def add(self, picture: Picture) -> bool:
        """Keeps a picture; False when the shop has as many as it may have, and shows all of them. One that is there
        already is fine."""
        table = tables.pictures
        values = {**as_values(picture), "created_ms": now_ms()}
        own = select(func.count()).select_from(table).where(table.c.shop == picture.shop)
        same = update(table).where(table.c.shop == picture.shop, table.c.sha256 == picture.sha256)
        try:
            async with self._database.write() as connection:
                if (await connection.execute(same.values(created_ms=now_ms()))).rowcount:  # it is waited for anew
                    return True
                if (await connection.execute(own)).scalar_one() >= PICTURES_MAX:
                    await self._forget_unshown(connection, picture.shop)
                    if (await connection.execute(own)).scalar_one() >= PICTURES_MAX:
                        return False
                await connection.execute(insert(table).values(values))
        except IntegrityError:  # the same at the same moment
            return True
        return True

    async def _forget_unshown(self, connection: AsyncConnection, shop: str) -> None:
        """Each photo that was tried and each that was replaced is a row. Nobody could tell them apart by their names,
        so no page asks: what neither a product nor a show names goes when its place is needed."""
        table, products = tables.pictures, tables.products
        # of any shop: whoever copied an address shows the picture
        named = (await connection.execute(select(products.c.picture).where(products.c.picture != ""))).scalars()
        elsewhere = await self._shown_elsewhere(connection) if self._shown_elsewhere else ()
        shown = {found[1] for address in (*named, *elsewhere) if (found := _OURS.search(address))}
        old = select(table.c.sha256).where(table.c.shop == shop, table.c.created_ms < now_ms() - UNUSED_MS_MIN)
        unshown = [name for name in (await connection.execute(old)).scalars() if name not in shown]
        for chunk in chunks(unshown):
            await connection.execute(delete(table).where(table.c.shop == shop, table.c.sha256.in_(chunk)))
        if unshown:
            log.info("pictures that nothing shows were forgotten", shop=shop, pictures=len(unshown))

    async def get(self, sha256: str) -> Picture | None:
        """The picture with this content, whichever shop it is of: its name is its content, and pages are public."""
        table = tables.pictures
        async with self._database.read() as connection:
            row = (await connection.execute(select(table).where(table.c.sha256 == sha256).limit(1))).first()
        return as_struct(row, Picture) if row else None


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
