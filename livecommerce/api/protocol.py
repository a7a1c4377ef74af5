"""HTTP that cannot be read at all: answered by number, without the names of what we are made of, and not shouted about;
connections that bring no request: counted, and cut.

aiohttp answers such requests itself, before any application of it; so this stands below the application.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from livecommerce.api.errors import RequestRefused
from livecommerce.api.middlewares import PLAIN_HEADERS, SERVER
from livecommerce.errors import LiveCommerceError
from livecommerce.http.answers import error_answer
from livecommerce.http.connections import Connections

log = structlog.get_logger(__name__)


class NumberedHandler(RequestHandler):
    __slots__ = ("_connections",)

    def __init__(self, manager: Server, *, connections: Connections, **options: Any) -> None:
        super().__init__(manager, **options)
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        # Nothing of a unix socket; a pair of TCP, which is empty where the other end has gone already.
        if not self._connections.admit(self, peer[0] if isinstance(peer, tuple) else None):
            cast("asyncio.Transport", transport).abort()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._connections.has_head(self)
        elif self._waiter is not None and not self._upgraded:  # idle until now, and no whole head has come
            self._connections.begins(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.left(self)
        super().connection_lost(exc)

    def cut(self) -> None:
        """Before its request has come: there is nobody to answer."""
        if self.transport is not None:
            self.transport.abort()
        self.force_close()

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
    """`AppRunner` whose connections answer as above, and are counted."""

    __slots__ = ("_connections",)

    def __init__(self, app: web.Application, connections: Connections, **options: Any) -> None:
        super().__init__(app, connections=connections, **options)
        self._connections = connections

    async def cleanup(self) -> None:
        await super().cleanup()
        self._connections.close()

    async def _make_server(self) -> Server:
        server = await super()._make_server()
        server.__class__ = NumberedServer  # aiohttp makes its own and takes no other class
        return server
