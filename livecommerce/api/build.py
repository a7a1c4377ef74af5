"""Puts the routes on an aiohttp application. `app.py` composes the context and runs it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from livecommerce.api import (
    account_routes,
    hls,
    orders,
    pages,
    pictures,
    products,
    reparse,
    replay,
    shows,
    streams,
    words,
)
from livecommerce.api.assets import ASSETS, Assets, get_static
from livecommerce.api.context import CONTEXT, Context
from livecommerce.api.locales import TEXTS, Texts
from livecommerce.api.middlewares import add_headers, guard
from livecommerce.api.pictures import PICTURES, KeptPictures
from livecommerce.api.publish import publish_waiting
from livecommerce.api.snapshots import SNAPSHOTS, Snapshots

OPENAPI = Path(__file__).with_name("openapi.yaml")
SHOW = "{show:[a-z0-9-]{1,40}}"
STREAM = "/{kind:whip|whep}/" + SHOW
SESSION = STREAM + "/{session:[A-Za-z0-9_-]{1,80}}"
FREEZES = SESSION.replace("{kind:whip|whep}", "whep") + "/freezes"
LAYER = "/whep/" + SHOW + "/{session:[A-Za-z0-9_-]{1,80}}/layer"


async def get_openapi(request: web.Request) -> web.Response:
    return web.Response(text=OPENAPI.read_text("utf-8"), content_type="application/yaml")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", pages.get_home),
        web.get("/studio", pages.get_home),
        web.get("/login", pages.get_login),
        web.get(f"/live/{SHOW}", pages.get_watch),
        web.get(f"/studio/{SHOW}", pages.get_studio),
        web.get(f"/control/{SHOW}", pages.get_control),
        web.get("/static/{path:.+}", get_static),
        web.get("/api/openapi.yaml", get_openapi),
        web.post("/api/login", account_routes.post_login),
        web.post("/api/logout", account_routes.post_logout),
        web.get("/api/me", account_routes.get_me),
        web.get("/api/audit", account_routes.get_audit),
        web.get("/api/products", products.get_products),
        web.post("/api/products", products.post_product),
        web.post("/api/products/check", products.check_product),
        web.put("/api/products/{code}", products.put_product),
        web.delete("/api/products/{code}", products.delete_product),
        web.post("/api/pictures", pictures.post_picture),
        web.get("/pictures/{sha256:[0-9a-f]{64}}.{extension:jpg|png|webp}", pictures.get_picture),
        web.get("/api/words", words.get_words),
        web.put("/api/words", words.put_words),
        web.get("/api/shows", shows.get_shows),
        web.post("/api/shows", shows.post_show),
        web.get(f"/api/shows/{SHOW}", shows.get_show),
        web.put(f"/api/shows/{SHOW}", shows.put_show),
        web.get(f"/api/shows/{SHOW}/snapshot", shows.get_snapshot),
        web.get(f"/api/shows/{SHOW}/reparse", reparse.get_reparse),
        web.post(f"/api/shows/{SHOW}/commands", shows.post_command),
        web.post(f"/api/shows/{SHOW}/ingest-token", streams.post_ingest_token),
        web.delete(f"/api/shows/{SHOW}/ingest-token", streams.delete_ingest_token),
        web.get(f"/api/shows/{SHOW}/ice-servers", streams.get_ice_servers),
        web.get(f"/api/shows/{SHOW}/stream", streams.get_stream),
        web.get(f"/api/shows/{SHOW}/orders", orders.get_orders),
        web.get(f"/api/shows/{SHOW}/orders.csv", orders.get_orders_csv),
        web.get("/api/orders/{order}", orders.get_order),
        web.post("/api/orders/{order}/payments", orders.post_payment),
        web.post("/api/payments/{payment}/paid", orders.post_paid),
        web.route("OPTIONS", STREAM, streams.options_stream),
        web.post(STREAM, streams.post_stream),
        web.route("OPTIONS", SESSION, streams.options_stream),
        web.patch(SESSION, streams.patch_stream),
        web.delete(SESSION, streams.delete_stream),
        web.post(FREEZES, streams.post_freezes),
        web.route("OPTIONS", LAYER, streams.options_stream),
        web.post(LAYER, streams.post_layer),
        *hls.routes,
        *replay.routes,
    ]


def build_api(app: web.Application, context: Context) -> None:
    """Adds routes, middlewares and signals to `app`, and finishes half-made shows when it starts."""
    app[CONTEXT] = context
    app[ASSETS] = Assets(context.web_folder)
    app[PICTURES] = KeptPictures()
    app[TEXTS] = Texts(context.web_folder / "locales")
    app[SNAPSHOTS] = Snapshots(context.shows, context.viewers)
    app[pages.TEMPLATES] = pages.make_environment(context.web_folder)
    hls.add_hls(app, context)
    replay.add_replay(app, context)
    reparse.add_reparse(app)
    app.middlewares.append(guard)
    app.on_response_prepare.append(add_headers)
    app.add_routes(routes())

    async def started(_: web.Application) -> None:
        await publish_waiting(context)

    app.on_startup.append(started)
