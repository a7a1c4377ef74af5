"""`livecommerce shop`: the shop's name, currency and language, until a page of the studio has them."""

from __future__ import annotations

import argparse
import asyncio

import msgspec
from sqlalchemy import func, select

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.catalogue.currencies import CURRENCIES, exponent, iso_exponent
from livecommerce.catalogue.tables import products
from livecommerce.command_trail import note_command
from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.tree import Settings
from livecommerce.errors import Conflict, NotFound
from livecommerce.ops import folder as folders
from livecommerce.orders.tables import orders
from livecommerce.records.database import Database
from livecommerce.settings import LOCALES
from livecommerce.shows.tables import shows

NAME_LENGTH_MAX = 80


async def shop_of(all_shops: ShopRepository, asked: str | None) -> Shop:
    """The shop asked for, or the only one.

    Raises:
        NotFound: there is no such shop, none yet, or several and none was named.
    """
    shops = await all_shops.all()
    known = ", ".join(shop.id for shop in shops) or "none; start the server once"
    if asked is not None:
        found = next((shop for shop in shops if shop.id == asked), None)
        if found is None:
            raise NotFound(f"There is no shop {asked!r}. Shops: {known}.")
        return found
    if len(shops) != 1:
        raise NotFound(f"Say which shop: --shop NAME. Shops: {known}.")
    return shops[0]


async def _refuse_priced(database: Database, shop: Shop) -> None:
    """
    Raises:
        Conflict: amounts stand in the present currency.
    """
    async with database.read() as connection:
        for table in (orders, shows, products):
            statement = select(func.count()).select_from(table).where(table.c.shop == shop.id)
            counted = (await connection.execute(statement)).scalar_one()
            if counted:
                mend = "Delete them first." if table is products else "Use another data folder for another currency."
                raise Conflict(f"The shop has {counted} {table.name} priced in {shop.currency}. {mend}")


async def _has_shows(database: Database, shop: Shop) -> bool:
    async with database.read() as connection:
        statement = select(func.count()).select_from(shows).where(shows.c.shop == shop.id)
        return bool((await connection.execute(statement)).scalar_one())


def told(shop: Shop) -> list[str]:
    """Lines for a person; says where our decimals are not those of ISO 4217."""
    ours, iso = exponent(shop.currency), iso_exponent(shop.currency)
    decimals = f"{ours} decimals" if ours == iso else f"whole units; ISO 4217 has {iso} decimals that no till uses"
    return [f"shop      {shop.id}", f"name      {shop.name}", f"currency  {shop.currency} ({decimals})",
            f"locale    {shop.locale}"]  # fmt: skip


async def _run(settings: Settings, arguments: argparse.Namespace) -> list[str]:
    database = await Database.open(settings.database.url, settings.data_folder)
    shops = ShopRepository(database)
    try:
        shop = await shop_of(shops, arguments.shop)
        if arguments.action == "set":
            if arguments.currency is not None and arguments.currency != shop.currency:
                await _refuse_priced(database, shop)
            given = {
                name: value
                for name in ("name", "currency", "locale")
                if (value := getattr(arguments, name)) is not None
            }
            before, shop = shop, await shops.put(msgspec.structs.replace(shop, **given))
            await note_command(database, "shop_changed", shop.id, shops=[shop.id], **given)
            if shop.name != before.name and await _has_shows(database, shop):
                return [*told(shop), f"Shows that were made before keep {before.name!r}; new ones have the new name."]
        return told(shop)
    finally:
        await database.close()


def _name(text_given: str) -> str:
    name = " ".join(text_given.split())
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise argparse.ArgumentTypeError(f"1 to {NAME_LENGTH_MAX} characters")
    return name


def shop_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print it")
    change = actions.add_parser("set", help="change it; the currency only while nothing is priced in another")
    change.add_argument("--currency", choices=sorted(CURRENCIES), metavar="CODE", help="ISO 4217: TWD, USD, THB …")
    change.add_argument("--name", type=_name, help="as buyers see it")
    change.add_argument("--locale", choices=LOCALES)
    for action in (show, change):
        action.add_argument("--shop", help="where there are several")


def shop(arguments: argparse.Namespace) -> int:
    """Shows or changes the shop. Works while the server runs and while it does not."""
    settings = settings_from(arguments)
    folders.prepare(settings.data_folder)
    print("\n".join(asyncio.run(_run(settings, arguments))))
    return 0
