"""The rooms of a web process: what the routes of each need, and their routes, on one application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from livecommerce.accounts import routes as accounts_routes
from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.failed_logins import FailedLogins
from livecommerce.accounts.rows import ShopRepository
from livecommerce.api import pages
from livecommerce.api.build import build_api
from livecommerce.api.web_folder import WEB_FOLDER, WebFolder, find_web_folder
from livecommerce.catalogue import routes as catalogue_routes
from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.catalogue.pictures import PictureRepository
from livecommerce.configuration.tree import Settings
from livecommerce.http.site import SITE, Site
from livecommerce.media import routes as media_routes
from livecommerce.media.client.control import RelayControl
from livecommerce.media.client.hls_door import HlsDoor
from livecommerce.media.client.places import Places
from livecommerce.media.recording.files import folder_of
from livecommerce.orders import routes as orders_routes
from livecommerce.orders.providers import providers_of
from livecommerce.orders.rows import OrderRepository
from livecommerce.orders.till import Till
from livecommerce.orders.zones import export_zone
from livecommerce.realtime.presence import count_viewers
from livecommerce.records.audit import AuditRepository
from livecommerce.records.database import Database
from livecommerce.replay import routes as replay_routes
from livecommerce.replay.archive import read_chat
from livecommerce.replay.recordings import Recordings
from livecommerce.roles.stores import Stores
from livecommerce.shows import routes as shows_routes
from livecommerce.shows.executor import Executor
from livecommerce.shows.kept_words import ShopWordsRepository, WordKeeper
from livecommerce.shows.past_shows import Archive, PastShows
from livecommerce.shows.publisher import Publisher
from livecommerce.shows.reparse import Entries
from livecommerce.shows.rows import ShowRepository, pictures_of_shows
from livecommerce.shows.snapshots import Snapshots
from livecommerce.stock.stream_ids import stream_key

ROUTES = (
    accounts_routes.routes,
    catalogue_routes.routes,
    shows_routes.routes,
    media_routes.routes,
    orders_routes.routes,
    replay_routes.routes,
)


@dataclass(frozen=True)
class Foundation:
    """What the rooms of a web process stand on.

    Attributes:
        relay_for: the control door of the relay that carries (or shall carry) a show. Raises Unavailable.
    """

    settings: Settings
    stores: Stores
    database: Database
    accounts: Accounts
    relay_for: Callable[[str], Awaitable[RelayControl]]


def _archive(data_folder: str) -> Archive:
    def archived(show: str, after: str, before: str) -> Entries:
        first, last = stream_key(after), stream_key(before)
        return read_chat(folder_of(data_folder, show), first, last) if first < last else iter(())

    return archived


def _shows(foundation: Foundation, catalogue: Catalogue) -> shows_routes.ShowsNeeds:
    store, database, settings = foundation.stores.shows, foundation.database, foundation.settings
    setups, shops = ShowRepository(database), ShopRepository(database)

    async def viewers(show: str) -> int:
        return await count_viewers(foundation.stores.redis, show)

    return shows_routes.ShowsNeeds(
        store=store,
        executor=Executor(store),
        setups=setups,
        publisher=Publisher(store, setups, shops, settings.locale),
        snapshots=Snapshots(store, viewers),
        past=PastShows(store, _archive(settings.data_folder)),
        words=WordKeeper(store, ShopWordsRepository(database), shops),
        shops=shops,
        catalogue=catalogue,
        audit=AuditRepository(database),
        hold_seconds=settings.stock.hold_seconds,
    )


def _media(foundation: Foundation, setups: ShowRepository) -> media_routes.MediaNeeds:
    return media_routes.MediaNeeds(
        settings=foundation.settings.media,
        relay_for=foundation.relay_for,
        hls=HlsDoor(foundation.relay_for),
        place_of=Places(foundation.stores.shows.place_of).get,
        refuse_banned=foundation.stores.shows.refuse_banned,
        own_show=setups.own,
        ingest_tokens=foundation.accounts.ingest_tokens,
        rate_limit=foundation.accounts.crowd_limit,
        audit=AuditRepository(foundation.database),
    )


def put_rooms(app: web.Application, foundation: Foundation) -> shows_routes.ShowsNeeds:
    """Puts every room's needs and routes on `app`.

    Returns:
        What keeps shows and words published (see `publish_and_keep`).
    """
    settings, database = foundation.settings, foundation.database
    audit, shops = AuditRepository(database), ShopRepository(database)
    catalogue = Catalogue(database)
    shows = _shows(foundation, catalogue)
    orders = OrderRepository(database)
    till = Till(database, foundation.stores.engine, providers_of(settings.orders.payments))
    identify = accounts_routes.identify_by(foundation.accounts, settings.http.trusted_proxies)
    app[SITE] = Site(settings.http, identify, foundation.accounts.staff_now, pages.render)
    app[WEB_FOLDER] = WebFolder.of(find_web_folder(), settings.locale)
    failed_logins = FailedLogins(foundation.accounts, audit)
    app[accounts_routes.ACCOUNTS] = accounts_routes.AccountsNeeds(foundation.accounts, audit, failed_logins)
    app.on_cleanup.append(lambda _: failed_logins.settle())
    app[catalogue_routes.CATALOGUE] = catalogue_routes.CatalogueNeeds(
        catalogue, PictureRepository(database, pictures_of_shows), shops, audit
    )
    app[shows_routes.SHOWS] = shows
    app[media_routes.MEDIA] = _media(foundation, shows.setups)

    async def locale_of(shop: str) -> str:
        kept = await shops.get(shop)
        return kept.locale if kept else settings.locale

    zone = export_zone(settings.orders.time_zone, settings.locale)
    app[orders_routes.ORDERS] = orders_routes.OrdersNeeds(
        orders, till, shows.setups, shows.store, audit, zone, locale_of
    )
    app[replay_routes.RECORDINGS] = Recordings(settings.data_folder)
    build_api(app, ROUTES)
    return shows


async def publish_and_keep(shows: shows_routes.ShowsNeeds) -> None:
    """Puts shows on air whose set-up found Valkey away, and keeps the shops' words on both sides.

    Raises:
        RedisError, LiveCommerceError: what is not there yet stays for the next round.
    """
    await shows.publisher.publish_waiting()
    await shows.words.keep_all()
