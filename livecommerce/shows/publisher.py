"""From the set-up in SQL to the live show in Valkey, and what a crash between the two left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from livecommerce.accounts.rows import ShopRepository
from livecommerce.errors import LiveCommerceError, TooMuch, Unavailable
from livecommerce.shows.commands import Actor
from livecommerce.shows.errors import ShowNotReady
from livecommerce.shows.executor import Executor
from livecommerce.shows.rows import ShowItemRecord, ShowRecord, ShowRepository
from livecommerce.shows.setups import changes, setup_of
from livecommerce.shows.state import PublicItem
from livecommerce.shows.store import ShowStore

log = structlog.get_logger(__name__)


class Publisher:
    """Args:
    locale: of a shop whose row is missing.
    """

    def __init__(self, store: ShowStore, setups: ShowRepository, shops: ShopRepository, locale: str) -> None:
        self._store = store
        self._executor = Executor(store)
        self._setups = setups
        self._shops = shops
        self._locale = locale

    async def publish(self, record: ShowRecord) -> None:
        """Creates the live show with its supply and notes that it stands. Every step may be repeated.

        Raises:
            ShowNotReady: the store did not answer. The set-up is kept; `publish_waiting` finishes it.
        """
        shop = await self._shops.get(record.shop)
        setup = setup_of(record, shop.name if shop else record.shop, shop.locale if shop else self._locale)
        try:
            await self._store.create(setup)
        except (Unavailable, TooMuch) as error:
            raise ShowNotReady(retry_after_ms=error.retry_after_ms or 2_000) from error
        await self._setups.mark_published(record.id)

    async def publish_waiting(self) -> int:
        """Publishes what a crash or an absent store left behind; several processes may at once. Returns how many."""
        done = 0
        for record in await self._setups.unpublished():
            try:
                await self.publish(record)
                done += 1
            except LiveCommerceError as error:
                log.warning("a show could not be published", show=record.id, code=error.code)
            except Exception:  # one show that cannot be made must not keep the site from starting
                log.exception("a show could not be published", show=record.id)
        return done

    async def change(
        self,
        record: ShowRecord,
        live: Mapping[str, PublicItem],
        items: Sequence[ShowItemRecord],
        expected: Mapping[str, int],
        actor: Actor,
    ) -> None:
        """Does the difference to the `live` products. Repeated after a failure half-way, it finishes the rest.

        Raises:
            LiveCommerceError: the first command that was refused; earlier ones stand.
        """
        for command in changes(record, live, items, expected):
            await self._executor.execute(record.id, command, actor)
