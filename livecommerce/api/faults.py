"""Faults of the stores we stand on, and aiohttp's own refusals, as numbered errors."""

from __future__ import annotations

import errno

from aiohttp import web
from redis.exceptions import RedisError

from livecommerce.api.errors import MethodWrong, RequestRefused
from livecommerce.errors import LiveCommerceError, NotFound, StorageFull, Unavailable
from livecommerce.http.errors import BodyTooLarge
from livecommerce.ops.store_faults import storage_error
from livecommerce.stock.engine import StockUnavailable


def _of_http(error: web.HTTPException) -> LiveCommerceError:
    """aiohttp's own refusals (routing, parsing) as ours."""
    if error.status == 404:
        return NotFound()
    if error.status == 405:
        return MethodWrong()
    if error.status == 413:
        return BodyTooLarge()
    return RequestRefused() if error.status < 500 else LiveCommerceError()


def as_known(error: Exception) -> LiveCommerceError | None:
    """The numbered error behind a fault of a store we depend on; None for what nobody foresaw."""
    if isinstance(error, LiveCommerceError):
        return error
    if isinstance(error, web.RequestPayloadError):  # its body broke off, or is not what its headers say
        return RequestRefused()
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    if isinstance(error, StockUnavailable):
        return Unavailable(retry_after_ms=1_000)
    if isinstance(error, RedisError):
        told = storage_error(error)
        return told if isinstance(told, LiveCommerceError) else None
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(retry_after_ms=5_000)
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return Unavailable("The server has no room for more connections.", retry_after_ms=5_000)
    return None
