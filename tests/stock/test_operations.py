"""Bounds of what can be asked: the Lua, which trusts nobody, has the same."""

from __future__ import annotations

import pytest

from livecommerce.stock import model, operations, rebuild, records
from tests.stock.lua_tables import number

BOUNDS = {
    "QUANTITY_MAX": operations.QUANTITY_MAX,
    "SUPPLY_MAX": operations.SUPPLY_MAX,
    "LINES_MAX": operations.LINES_MAX,
    "WAITLIST_MAX": model.WAITLIST_MAX,
    "RECORD_OPERATIONS_MAX": model.RECORD_OPERATIONS_MAX,
    "LINE_CHUNK": rebuild.LINE_CHUNK,
    "EXTENDED": records.EXTENDED,
    "CONFIRMED": records.CONFIRMED,
}


@pytest.mark.parametrize("name", BOUNDS)
def test_lua_and_python_have_the_same_bounds(name: str) -> None:
    assert number(name) == BOUNDS[name]


def test_a_claim_of_the_most_units_fits_its_two_bytes_and_a_hold_its_three() -> None:
    assert operations.QUANTITY_MAX < 1 << 16
    assert operations.HOLD_SECONDS_MAX < 1 << 24
    assert operations.SUPPLY_MAX < 1 << 32
