"""Pictures of products, kept by their content: the same file twice is one row."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from livecommerce.catalogue import tables
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms

PICTURES_MAX = 5_000  # of one shop: at 300 kB each 1.5 GB, and no catalogue has more products on show
KEPT_BYTES_MAX = 48_000_000  # of one process: a show's pictures, so that ten thousand viewers ask SQL once each
SENT_TYPES = frozenset(("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic", "image/heif"))
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Picture(Struct, frozen=True):
    sha256: str
    shop: str
    content_type: str
    body: bytes
    created_ms: int = 0


class PictureRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, picture: Picture) -> bool:
        """Keeps a picture; False when the shop has as many as it may have. One that is there already is fine."""
        table = tables.pictures
        values = {**as_values(picture), "created_ms": now_ms()}
        own = select(func.count()).select_from(table).where(table.c.shop == picture.shop)
        try:
            async with self._database.write() as connection:
                if (await connection.execute(own)).scalar_one() >= PICTURES_MAX:
                    return False
                await connection.execute(insert(table).values(values))
        except IntegrityError:
            return True
        return True

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
