"""The repositories of one process, bundled, so that rooms take one argument."""

from __future__ import annotations

from livecommerce.records.audit import AuditRepository
from livecommerce.records.database import Database
from livecommerce.records.orders import OrderRepository
from livecommerce.records.pictures import PictureRepository
from livecommerce.records.products import ProductRepository
from livecommerce.records.shop_words import ShopWordsRepository
from livecommerce.records.shops import IngestTokenRepository, ShopRepository, StaffRepository
from livecommerce.records.shows import ShowRepository
from livecommerce.settings import Settings


class Repositories:
    """`shops`, `staff`, `ingest_tokens`, `pictures`, `products`, `shop_words`, `shows`, `orders`, `audit`
    over one `database`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.shops = ShopRepository(database)
        self.staff = StaffRepository(database)
        self.ingest_tokens = IngestTokenRepository(database)
        self.pictures = PictureRepository(database)
        self.products = ProductRepository(database)
        self.shop_words = ShopWordsRepository(database)
        self.shows = ShowRepository(database)
        self.orders = OrderRepository(database)
        self.audit = AuditRepository(database)

    @classmethod
    async def open(cls, settings: Settings) -> Repositories:
        """Opens the configured database and migrates it."""
        database = Database.of(settings)
        await database.start()
        return cls(database)

    async def close(self) -> None:
        await self.database.close()
