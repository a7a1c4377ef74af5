"""A catalogue on both databases; routes on a real site."""

from __future__ import annotations

import pytest

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.records.database import Database
from tests.site import make_site, relay, site, site_settings

__all__ = ["make_site", "relay", "site", "site_settings"]


@pytest.fixture
async def catalogue(database: Database) -> Catalogue:
    """Two shops without products."""
    shops = ShopRepository(database)
    await shops.put(Shop(id="lingling", name="玲玲的小舖"))
    await shops.put(Shop(id="other", name="別家"))
    return Catalogue(database)
