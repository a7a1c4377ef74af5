"""Shops, their staff and the ingest tokens of their shows: rows as structs, and who reads and writes them."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from livecommerce.accounts import tables
from livecommerce.http.identity import Role
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, now_ms, upsert

STAFF_MAX = 200  # people of one shop; a list is shown whole in the studio
INGEST_TOKENS_MAX = 20  # live tokens of one show: more than any number of encoders; older ones are revoked


class Shop(Struct, frozen=True):
    id: str
    name: str
    currency: str = "TWD"
    locale: str = "zh-TW"
    packs: tuple[str, ...] = ("zh-TW", "en")
    created_ms: int = 0


class StaffRecord(Struct, frozen=True):
    """A person who works for the shop. `password_hash` is an argon2id string and never leaves this process."""

    id: str
    shop: str
    login: str
    name: str
    role: Role
    password_hash: str
    created_ms: int = 0
    disabled_ms: int | None = None


class IngestTokenRecord(Struct, frozen=True):
    sha256: str
    shop: str
    show: str
    made_by: str
    created_ms: int
    revoked_ms: int | None = None


class ShopRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, shop: Shop) -> Shop:
        """Creates the shop or changes its name, currency, locale and packs."""
        shop = msgspec.structs.replace(shop, created_ms=shop.created_ms or now_ms())
        async with self._database.write() as connection:
            await upsert(connection, tables.shops, as_values(shop), ["id"], keep=["created_ms"])
        return shop

    async def get(self, shop: str) -> Shop | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(tables.shops).where(tables.shops.c.id == shop))).first()
        return as_struct(row, Shop) if row else None

    async def get_or_plain(self, shop: str) -> Shop:
        """The shop; one with the defaults under this id where the row is missing."""
        return await self.get(shop) or Shop(id=shop, name=shop)

    async def all(self, limit: int = 1000) -> list[Shop]:
        """Shops by id, at most `limit`: the worker asks for all of them, and one installation carries hundreds."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(tables.shops).order_by(tables.shops.c.id).limit(limit))
            return [as_struct(row, Shop) for row in rows]


class StaffRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: StaffRecord) -> bool:
        """Stores a new person; False when the login is taken."""
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(tables.staff).values(as_values(record)))
        except IntegrityError:
            return False
        return True

    async def by_login(self, login: str) -> StaffRecord | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(tables.staff).where(tables.staff.c.login == login))).first()
        return as_struct(row, StaffRecord) if row else None

    async def of_shop(self, shop: str) -> list[StaffRecord]:
        statement = select(tables.staff).where(tables.staff.c.shop == shop).order_by(tables.staff.c.login)
        async with self._database.read() as connection:
            return [as_struct(row, StaffRecord) for row in await connection.execute(statement.limit(STAFF_MAX))]

    async def count(self) -> int:
        async with self._database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(tables.staff))).scalar_one()

    async def _change(self, staff_id: str, **values: str | int | None) -> bool:
        async with self._database.write() as connection:
            done = await connection.execute(update(tables.staff).where(tables.staff.c.id == staff_id).values(**values))
        return done.rowcount == 1

    async def set_password_hash(self, staff_id: str, password_hash: str) -> bool:
        return await self._change(staff_id, password_hash=password_hash)

    async def set_role(self, staff_id: str, role: Role) -> bool:
        return await self._change(staff_id, role=role)

    async def set_disabled(self, staff_id: str, disabled: bool) -> bool:
        return await self._change(staff_id, disabled_ms=now_ms() if disabled else None)


class IngestTokenRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: IngestTokenRecord) -> None:
        """Stores a token's hash; the oldest live ones of the show past the limit are revoked in the same act."""
        table = tables.ingest_tokens
        live = (table.c.show == record.show) & table.c.revoked_ms.is_(None)
        async with self._database.write() as connection:
            await connection.execute(insert(table).values(as_values(record)))
            newest = select(table.c.sha256).where(live).order_by(table.c.created_ms.desc()).limit(INGEST_TOKENS_MAX)
            keep = list((await connection.execute(newest)).scalars())
            await connection.execute(update(table).where(live, table.c.sha256.not_in(keep)).values(revoked_ms=now_ms()))

    async def get(self, sha256: str) -> IngestTokenRecord | None:
        table = tables.ingest_tokens
        async with self._database.read() as connection:
            row = (await connection.execute(select(table).where(table.c.sha256 == sha256))).first()
        return as_struct(row, IngestTokenRecord) if row else None

    async def revoke_former(self, show: str, made_by: str) -> int:
        """Revokes what a person has made for a show before. Returns how many were live."""
        table = tables.ingest_tokens
        live = (table.c.show == show) & (table.c.made_by == made_by) & table.c.revoked_ms.is_(None)
        async with self._database.write() as connection:
            return (await connection.execute(update(table).where(live).values(revoked_ms=now_ms()))).rowcount

    async def revoke(self, show: str, sha256: str | None = None) -> int:
        """Revokes one token of a show, or all of them. Returns how many were live."""
        table = tables.ingest_tokens
        statement = update(table).where(table.c.show == show, table.c.revoked_ms.is_(None))
        if sha256 is not None:
            statement = statement.where(table.c.sha256 == sha256)
        async with self._database.write() as connection:
            return (await connection.execute(statement.values(revoked_ms=now_ms()))).rowcount

    async def revoked_of(self, show: str) -> list[str]:
        """Hashes of the show's tokens that are revoked, newest first: those a stream may still run by."""
        table = tables.ingest_tokens
        statement = select(table.c.sha256).where(table.c.show == show, table.c.revoked_ms.is_not(None))
        async with self._database.read() as connection:
            newest = statement.order_by(table.c.revoked_ms.desc()).limit(2 * INGEST_TOKENS_MAX)
            return list((await connection.execute(newest)).scalars())

    async def revoke_made_by(self, login: str) -> list[str]:
        """Revokes what a person has made, in all shows. Returns the hashes, those revoked before too."""
        table = tables.ingest_tokens
        made = table.c.made_by == login
        async with self._database.write() as connection:
            await connection.execute(
                update(table).where(made, table.c.revoked_ms.is_(None)).values(revoked_ms=now_ms())
            )
            newest = (
                select(table.c.sha256).where(made).order_by(table.c.created_ms.desc()).limit(50 * INGEST_TOKENS_MAX)
            )
            return list((await connection.execute(newest)).scalars())
