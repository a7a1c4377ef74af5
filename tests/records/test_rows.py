"""Rows and structs, and the statement that both databases write differently."""

from __future__ import annotations

import pytest
from msgspec import Struct
from sqlalchemy import select

from livecommerce.accounts.tables import shops
from livecommerce.records.database import Database
from livecommerce.records.rows import as_struct, as_values, chunks, upsert, upsert_many


class Row(Struct, frozen=True):
    id: str
    name: str
    currency: str = "TWD"
    locale: str = "en"
    packs: tuple[str, ...] = ("en",)
    created_ms: int = 1


@pytest.mark.parametrize(
    ("count", "length", "expected"), [(0, 3, []), (1, 3, [1]), (3, 3, [3]), (4, 3, [3, 1]), (7, 3, [3, 3, 1])]
)
def test_lists_are_cut_into_what_a_statement_takes(count: int, length: int, expected: list[int]) -> None:
    values = list(range(count))
    cut = list(chunks(values, length))
    assert [len(part) for part in cut] == expected
    assert [value for part in cut for value in part] == values


def test_tuples_become_lists_and_what_is_left_out_is_left_out() -> None:
    assert as_values(Row("a", "A"), without=["currency", "locale"]) == {
        "id": "a", "name": "A", "packs": ["en"], "created_ms": 1,
    }  # fmt: skip


async def test_an_upsert_changes_all_but_the_keys_and_what_is_kept(database: Database) -> None:
    async with database.write() as connection:
        await upsert(connection, shops, as_values(Row("a", "A")), ["id"], keep=["created_ms"])
        rows = [as_values(Row("a", "Z", packs=("th", "en"), created_ms=9)), as_values(Row("b", "B", created_ms=9))]
        await upsert_many(connection, shops, rows, ["id"], keep=["created_ms"])
        await upsert_many(connection, shops, [], ["id"])
    async with database.read() as connection:
        found = [as_struct(row, Row) for row in await connection.execute(select(shops).order_by(shops.c.id))]
    assert found == [Row("a", "Z", packs=("th", "en"), created_ms=1), Row("b", "B", created_ms=9)]
