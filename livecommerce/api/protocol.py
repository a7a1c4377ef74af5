"""HTTP that cannot be read at all: answered by number, without the names of what we are made of, and not shouted about.

aiohttp answers such requests itself, before any application of it; so this stands below the application.
"""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from livecommerce.api.errors import RequestRefused
from livecommerce.api.middlewares import PLAIN_HEADERS, SERVER
from livecommerce.errors import LiveCommerceError
from livecommerce.http.answers import error_answer

log = structlog.get_logger(__name__)


class NumberedHandler(RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """
        Raises:
            ConnectionError: a part of an answer is on its way; the line is cut.
        """
        if status >= 500 and not isinstance(exc, ConnectionError):
            log.error("a request failed below the application", exc_info=exc)
        else:
            log.debug("a request could not be read", why=repr(exc)[:200])
        if request.writer.output_size > 0:
            raise ConnectionError("a part of an answer is on its way")
        answer = error_answer(RequestRefused() if status < 500 else LiveCommerceError())
        answer.headers.update({**PLAIN_HEADERS, "Server": SERVER})
        answer.force_close()
        return answer


class NumberedServer(Server):
    def __call__(self) -> NumberedHandler:
        return NumberedHandler(self, loop=self._loop, **self._kwargs)


class NumberedRunner(web.AppRunner):
    """`AppRunner` whose connections answer as above."""

    __slots__ = ()

    async def _make_server(self) -> Server:
        server = await super()._make_server()
        server.__class__ = NumberedServer  # aiohttp makes its own and takes no other class
        return server
