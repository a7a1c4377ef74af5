"""From the set-up in SQL to the live show in Valkey, and what a crash between the two left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from livecommerce.accounts.rows import ShopRepository
from livecommerce.errors import LiveCommerceError, TooMuch, Unavailable
from livecommerce.shows.commands import Actor
from livecommerce.shows.errors import SetupBroken, ShowNotReady
from livecommerce.shows.executor import Executor
from livecommerce.shows.model import ShowSetup
from livecommerce.shows.rows import ShowItemRecord, ShowRecord, ShowRepository
from livecommerce.shows.setups import changes, setup_of
from livecommerce.shows.state import PublicItem
from livecommerce.shows.store import ShowStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Trouble:
    """Why the set-up of this revision did not go on air."""

    revision: int
    error: LiveCommerceError


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
        self._troubles: dict[str, Trouble] = {}

    async def publish(self, record: ShowRecord) -> None:
        """Creates the live show with its supply and notes that it stands. Every step may be repeated.

        Raises:
            ShowNotReady: the store did not answer. The set-up is kept; `publish_waiting` finishes it.
            LiveCommerceError: the set-up can never go on air as it is.
        """
        setup = await self.checked(record)
        try:
            await self._store.create(setup)
        except (Unavailable, TooMuch) as error:
            raise ShowNotReady(retry_after_ms=error.retry_after_ms or 2_000) from error
        await self._setups.mark_published(record.id)
        self._troubles.pop(record.id, None)

    async def checked(self, record: ShowRecord) -> ShowSetup:
        """Raises: SetupBroken."""
        shop = await self._shops.get(record.shop)
        return setup_of(record, shop.name if shop else record.shop, shop.locale if shop else self._locale)

    def trouble(self, show: str) -> dict[str, Any] | None:
        """Why a show is not on air yet, as this process found when it tried: the shape of an error, or None."""
        known = self._troubles.get(show)
        return known.error.as_dict() if known is not None else None

    async def publish_waiting(self) -> int:
        """Publishes what a crash or an absent store left behind; several processes may at once. Returns how many."""
        done = 0
        waiting = await self._setups.unpublished()
        self._troubles = {record.id: self._troubles[record.id] for record in waiting if record.id in self._troubles}
        for record in waiting:
            try:
                await self.publish(record)
                done += 1
            except LiveCommerceError as error:
                self._note(record, error)
            except Exception as fault:  # one show that cannot be made must not keep the site from starting
                self._note(record, SetupBroken(), fault)
        return done

    def _note(self, record: ShowRecord, error: LiveCommerceError, fault: Exception | None = None) -> None:
        """Said once for a set-up and a reason, however often it is tried."""
        trouble = Trouble(record.revision, error)
        known = self._troubles.get(record.id)
        self._troubles[record.id] = trouble
        if known is None or (known.revision, known.error.text) != (record.revision, error.text):
            log.warning(
                "a show could not be published", show=record.id, code=error.code, why=error.text, exc_info=fault
            )

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
