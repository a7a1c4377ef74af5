"""Faults of the stores and of aiohttp as numbered errors; what nobody foresaw stays unknown."""

from __future__ import annotations

import pytest
from aiohttp import web
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from livecommerce.api.faults import as_known
from livecommerce.errors import Busy
from livecommerce.stock.engine import StockUnavailable


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (RedisConnectionError("gone"), 6001),
        (ResponseError("OOM command not allowed"), 6002),
        (ResponseError("MISCONF disk is full"), 6002),
        (OperationalError("SELECT 1", {}, Exception("database is locked")), 6001),
        (StockUnavailable("away"), 6001),
        (PoolTimeout("no connection in 30 s"), 6001),
        (web.HTTPNotFound(), 3000),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), 1043),
        (web.HTTPBadRequest(), 1045),
        (web.HTTPInternalServerError(), 6000),
        (Busy(), 5002),
        (web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2), 1040),
        (ResponseError("WRONGTYPE"), None),
        (KeyError("x"), None),
    ],
)
def test_faults_of_the_stores_have_names(fault: Exception, number: int | None) -> None:
    known = as_known(fault)
    assert (known.number if known else None) == number
