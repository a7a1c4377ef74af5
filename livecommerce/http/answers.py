"""JSON answers, refusals among them."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec
from aiohttp import web

from livecommerce.errors import LiveCommerceError


def json_answer(shape: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(shape), status=status, content_type="application/json")


def error_answer(error: LiveCommerceError) -> web.Response:
    """`{"error": {number, code, reason, …}}` with the status, `Retry-After` and challenge that belong to it."""
    answer = json_answer({"error": error.as_dict()}, status=error.http_status)
    if error.retry_after_ms is not None:
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_ms / 1000)))
    if error.http_status == 401 and error.code == "token_wrong":
        answer.headers["WWW-Authenticate"] = 'Bearer realm="livecommerce"'  # RFC 6750 section 3
    return answer


_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


def is_known(request: web.Request, etag: str) -> bool:
    """Whether If-None-Match names `etag` (as we send it, in quotes): one of a list, `W/` or not, or `*`. Proxies that
    compress make our tags weak, and a weak comparison is what RFC 9110 section 13.1.2 asks for."""
    asked = ", ".join(request.headers.getall("If-None-Match", ())).strip()
    return asked == "*" or etag in _ENTITY_TAG.findall(asked)
