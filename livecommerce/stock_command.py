"""`livecommerce stock`: compares the stock of shops with their ledger, and puts it right by the ledger.

`verify` exits 0 when everything agrees, 1 with a sentence a difference, 3 where a shop sold all the time and could not
be compared. `rebuild` closes the shop for all while
it works; afterwards the state is what the ledger says.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from livecommerce.command_trail import note_command
from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.tree import Settings
from livecommerce.errors import NotFound
from livecommerce.ops.redis_client import connect
from livecommerce.records.database import Database
from livecommerce.staff import store_url
from livecommerce.stock.connection import Connection, address_of
from livecommerce.stock.ledger import LedgerUnreadable
from livecommerce.stock.rebuild import NotCompared, rebuild, shops_of, verify
from livecommerce.stock.servers import Servers

EXIT_NOT_COMPARED = 3  # neither agrees nor differs; 2 is argparse's
TRIES_MAX = 5  # each reads a few times over; a shop in the middle of a rush has pauses of a second
TRY_AGAIN_SECONDS = 0.5


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


async def compared(connection: Connection, shop: str, seen: str) -> list[str]:
    """
    Raises:
        NotCompared: it sold all through several tries.
    """
    for _ in range(TRIES_MAX - 1):
        with contextlib.suppress(NotCompared):
            return await verify(connection, shop, seen)
        await asyncio.sleep(TRY_AGAIN_SECONDS)
    return await verify(connection, shop, seen)


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with store_url(settings) as url:
        redis = connect(url)
        servers = Servers(address_of(redis))
        try:
            shops = [arguments.shop] if arguments.shop else await shops_of(servers)
            if not shops:
                raise NotFound("No shop has a ledger yet.")
            differing = unknown = 0
            for shop in shops:
                connection = await servers.connection_of(shop)
                if arguments.action == "verify":
                    try:
                        found = await compared(connection, shop, arguments.seen)
                    except NotCompared as busy:
                        unknown += 1
                        print(f"{shop}: {busy}")
                        continue
                    differing += bool(found)
                    print(f"{shop}: {'differs from its ledger:' if found else 'agrees with its ledger'}")
                else:
                    found = await rebuild(connection, shop)
                    await _note_rebuilt(settings, shop, len(found))
                    print(f"{shop}: rebuilt from its ledger{', which put right:' if found else '; nothing differed'}")
                for words in found:
                    print(f"  {words}")
            return 1 if differing else EXIT_NOT_COMPARED if unknown else 0
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
