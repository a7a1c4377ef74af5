"""From the set-up in SQL to the live show in Valkey. Every step has a stable id, so doing it twice is doing it once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import structlog

from livecommerce.api.context import Context
from livecommerce.api.errors import ShowNotReady
from livecommerce.errors import LiveCommerceError, TooMuch, Unavailable
from livecommerce.records.structs import ShowItemRecord, ShowRecord
from livecommerce.shows.commands import Actor, Command
from livecommerce.shows.kinds.item import AddItem, RemoveItem
from livecommerce.shows.kinds.supply import Adjust, Restock
from livecommerce.shows.model import ShowItem, ShowLimits, ShowSettings, ShowSetup

log = structlog.get_logger(__name__)


def live_item(item: ShowItemRecord) -> dict[str, Any]:
    """The product as shows take it: what a page needs, and the first supply."""
    kept = {key: value for key, value in item.product.items() if key not in ("name", "skus", "closed")}
    return {**kept, "supply": item.supply}


def setup_of(record: ShowRecord, shop_name: str, locale: str) -> ShowSetup:
    return ShowSetup(
        id=record.id,
        shop=record.shop,
        title=record.title,
        shop_name=shop_name,
        currency=record.currency,
        locale=locale,
        packs=record.packs,
        items=tuple(msgspec.convert(live_item(item), ShowItem) for item in record.items),
        limits=msgspec.convert(record.limits, ShowLimits),
        hold_seconds=record.hold_seconds,
        settings=msgspec.convert(record.settings, ShowSettings),
    )


async def publish(context: Context, record: ShowRecord) -> None:
    """Creates the live show with its supply and notes that it stands.

    Raises:
        ShowNotReady: the store did not answer. The set-up is kept; `publish_waiting` finishes it.
    """
    shop = await context.records.shops.get(record.shop)
    setup = setup_of(record, shop.name if shop else record.shop, shop.locale if shop else context.settings.locale)
    try:
        await context.shows.create(setup)
    except (Unavailable, TooMuch) as error:
        raise ShowNotReady(retry_after_ms=error.retry_after_ms or 2_000) from error
    await context.records.shows.mark_published(record.id)


async def publish_waiting(context: Context) -> int:
    """Publishes what a crash or an absent store left behind; several processes may do so at once. Returns how many."""
    done = 0
    for record in await context.records.shows.unpublished():
        try:
            await publish(context, record)
            done += 1
        except LiveCommerceError as error:
            log.warning("a show could not be published", show=record.id, code=error.code)
        except Exception:  # one show that cannot be made must not keep the site from starting
            log.exception("a show could not be published", show=record.id)
    return done


def _command_id(record: ShowRecord, *parts: object) -> str:
    """Stable within one revision of the set-up: a repeated PUT finds its own commands done."""
    text = "\0".join(map(str, (record.id, record.revision, *parts)))
    return "setup-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _supply_changes(record: ShowRecord, before: dict[str, int], after: dict[str, int]) -> Iterator[Command]:
    for sku in sorted(set(before) | set(after)):
        change = after.get(sku, before.get(sku, 0)) - before.get(sku, 0)
        if change > 0:
            yield Restock(id=_command_id(record, "more", sku, change), sku=sku, quantity=change)
        elif change < 0:
            yield Adjust(id=_command_id(record, "less", sku, change), sku=sku, quantity=change, reason="set-up")


def changes(record: ShowRecord, items: Sequence[ShowItemRecord]) -> Iterator[Command]:
    """The staff commands that turn the show as recorded into one with `items`: removed, new and changed, supply."""
    before = {item.code: item for item in record.items}
    after = {item.code: item for item in items}
    for code in before.keys() - after.keys():
        yield RemoveItem(id=_command_id(record, "remove", code), code=code)
    for code, item in after.items():
        known = before.get(code)
        is_same_form = known is not None and known.product["skus"] == item.product["skus"]
        if known is not None and not is_same_form:
            yield RemoveItem(id=_command_id(record, "reshape", code), code=code)
        if known is None or not is_same_form:
            fingerprint = msgspec.json.encode(live_item(item)).decode()
            yield AddItem(id=_command_id(record, "add", fingerprint), item=live_item(item))
            continue
        if known.product != item.product:
            bare = {**live_item(item), "supply": {}}
            fingerprint = msgspec.json.encode(bare).decode()
            yield AddItem(id=_command_id(record, "change", fingerprint), item=bare)
        yield from _supply_changes(record, known.supply, item.supply)


async def change_live(context: Context, record: ShowRecord, items: Sequence[ShowItemRecord], actor: Actor) -> None:
    """Does the difference on the live show. Repeated after a failure half-way, it finishes the rest.

    Raises:
        LiveCommerceError: the first command that was refused; earlier ones stand.
    """
    for command in changes(record, items):
        await context.executor.execute(record.id, command, actor)
