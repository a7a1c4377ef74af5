"""Faults of the stores and of aiohttp as numbered errors; what nobody foresaw stays unknown."""

from __future__ import annotations

import pytest
from aiohttp import web
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from livecommerce.api.faults import as_known
from livecommerce.errors import Busy, DatabaseAway
from livecommerce.stock.engine import StockUnavailable


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (RedisConnectionError("gone"), 6001),
        (ResponseError("OOM command not allowed"), 6002),
        (ResponseError("MISCONF disk is full"), 6002),
        (DatabaseAway(), 6003),
        (OSError(28, "No space left on device"), 6002),
        (OSError(24, "Too many open files"), 6001),
        (StockUnavailable("away"), 6001),
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
