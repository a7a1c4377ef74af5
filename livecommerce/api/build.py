"""Puts the rooms' routes, and those of the pages, on an aiohttp application, behind one guard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiohttp import web

from livecommerce.api import pages
from livecommerce.api.description import description
from livecommerce.api.middlewares import add_headers, guard
from livecommerce.api.web_folder import get_static


async def get_openapi(request: web.Request) -> web.Response:
    return web.Response(text=description(), content_type="application/yaml")


own_routes: list[web.RouteDef] = [
    *pages.routes,
    web.get("/static/{path:.+}", get_static),
    web.get("/api/openapi.yaml", get_openapi),
]


def build_api(app: web.Application, rooms: Iterable[Sequence[web.RouteDef]]) -> None:
    """Adds the guard, the signals and all routes to `app`; the root puts what each room's routes need there."""
    app.middlewares.append(guard)
    app.on_response_prepare.append(add_headers)
    app.add_routes(own_routes)
    for routes in rooms:
        app.add_routes(routes)
