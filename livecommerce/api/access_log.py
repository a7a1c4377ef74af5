"""The access log: method, path without query, status, bytes, milliseconds. No cookie, no token, no address.

Session names in WHIP and WHEP paths work like keys to a stream, so the route's pattern stands for them.
"""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

log = structlog.get_logger("livecommerce.access")

PATH_LENGTH_MAX = 120
_QUIET = ("/static/", "/socket.io/")  # many and all alike: shown at debug level


class AccessLogger(AbstractAccessLogger):
    """`AppRunner(access_log_class=AccessLogger)`."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        line = log.debug if request.path.startswith(_QUIET) else log.info
        line(
            "request",
            method=request.method,
            path=logged_path(request),
            status=response.status,
            bytes=response.body_length,
            milliseconds=round(time * 1000, 1),
        )

    @property
    def enabled(self) -> bool:
        return True


def logged_path(request: web.BaseRequest) -> str:
    path = request.path[:PATH_LENGTH_MAX]
    if path.startswith(("/whip/", "/whep/")):
        return "/".join([*path.split("/")[:3], *(["*"] if path.count("/") > 2 else [])])
    return path
