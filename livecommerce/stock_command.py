"""`livecommerce stock`: compares the stock of shops with their ledger, and puts it right by the ledger.

`verify` exits 0 when everything agrees, else 1 with a sentence a difference. `rebuild` closes the shop for all while
it works; afterwards the state is what the ledger says.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from livecommerce.command_trail import note_command
from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.tree import Settings
from livecommerce.errors import NotFound
from livecommerce.ops.redis_client import connect
from livecommerce.records.database import Database
from livecommerce.staff import store_url
from livecommerce.stock.connection import address_of
from livecommerce.stock.ledger import LedgerUnreadable
from livecommerce.stock.rebuild import rebuild, shops_of, verify
from livecommerce.stock.servers import Servers


def stock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("verify", "rebuild"))
    parser.add_argument("--shop", help="one shop; without it: all shops that have a ledger")
    parser.add_argument(
        "--seen", default="", metavar="POSITION", help="ledger position that is known elsewhere, e.g. in the orders"
    )


async def _note_rebuilt(settings: Settings, shop: str, differences: int) -> None:
    """In the shop's trail."""
    database = Database.of(settings.database.url, settings.data_folder, by_command=True)
    try:
        await note_command(database, "stock_rebuilt", shop, shops=[shop], put_right=differences)
    finally:
        await database.close()


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with store_url(settings) as url:
        redis = connect(url)
        servers = Servers(address_of(redis))
        try:
            shops = [arguments.shop] if arguments.shop else await shops_of(servers)
            if not shops:
                raise NotFound("No shop has a ledger yet.")
            differing = 0
            for shop in shops:
                connection = await servers.connection_of(shop)
                if arguments.action == "verify":
                    found = await verify(connection, shop, arguments.seen)
                    differing += bool(found)
                    print(f"{shop}: {'differs from its ledger:' if found else 'agrees with its ledger'}")
                else:
                    found = await rebuild(connection, shop)
                    await _note_rebuilt(settings, shop, len(found))
                    print(f"{shop}: rebuilt from its ledger{', which put right:' if found else '; nothing differed'}")
                for words in found:
                    print(f"  {words}")
            return 1 if differing else 0
        finally:
            servers.close()
            await redis.aclose()


def stock(arguments: argparse.Namespace) -> int:
    """Compare stock with its ledger (verify), or put it right by the ledger (rebuild)."""
    try:
        return asyncio.run(_run(arguments, settings_from(arguments)))
    except LedgerUnreadable as error:
        print(f"livecommerce: {error}", file=sys.stderr)
        return 1
