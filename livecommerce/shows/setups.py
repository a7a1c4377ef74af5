"""A show's set-up as values: which products at which price, and which commands turn one set-up into another. Pure.

Every command has a stable id, so doing it twice is doing it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from livecommerce.bounds import in_words
from livecommerce.catalogue.errors import ProductUnknown
from livecommerce.catalogue.products import Product, as_public, limit, price, supply_of
from livecommerce.errors import BadInput
from livecommerce.shows.commands import Command
from livecommerce.shows.errors import SetupBroken
from livecommerce.shows.kinds.item import AddItem, RemoveItem
from livecommerce.shows.kinds.supply import SetStock
from livecommerce.shows.model import ShowSetup
from livecommerce.shows.rows import ShowItemRecord, ShowRecord
from livecommerce.shows.state import PublicItem


class ItemWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A product of the catalogue as this show sells it.

    `supply`: the pieces left, per sku or one number for each sku; left out, they stay as the shop has them. `expected`,
    in the same form: what was left when the caller looked; another figure refuses the supply.
    """

    code: str
    price_minor: int | None = None
    compare_at_minor: int | None = None
    limit_per_viewer: int | None = None
    supply: dict[str, int] | int | None = None
    expected: dict[str, int] | int | None = None


def _item(position: int, product: Product, wish: ItemWish) -> ShowItemRecord:
    changes: dict[str, Any] = {}
    if wish.price_minor is not None:
        changes["price_minor"] = price(wish.price_minor)
    if wish.compare_at_minor is not None:
        changes["compare_at_minor"] = price(wish.compare_at_minor, "compare_at_minor") or None
    if wish.limit_per_viewer is not None:
        changes["limit_per_viewer"] = limit(wish.limit_per_viewer)
    changed = msgspec.structs.replace(product, **changes)
    return ShowItemRecord(product.code, position, as_public(changed), supply_of(changed, wish.supply))


def items_of(products: Sequence[Product], wishes: Sequence[ItemWish]) -> tuple[ShowItemRecord, ...]:
    """Catalogue products with this show's price, limit and supply, in the order of the wishes.

    Raises:
        ProductUnknown, PriceRefused, SupplyRefused; BadInput for a product named twice.
    """
    known = {product.code: product for product in products}
    items: list[ShowItemRecord] = []
    for position, wish in enumerate(wishes):
        product = known.get(wish.code)
        if product is None:
            raise ProductUnknown(f"The shop has no product {wish.code[:20]}.")
        items.append(_item(position, product, wish))
    if len({item.code for item in items}) != len(items):
        raise BadInput("A show lists each product once.")
    return tuple(items)


def expected_of(items: Sequence[ShowItemRecord], wishes: Sequence[ItemWish]) -> dict[str, int]:
    """What the caller saw left, of the skus whose supply is set."""
    seen: dict[str, int] = {}
    for item, wish in zip(items, wishes, strict=True):
        told = wish.expected
        if isinstance(told, dict):
            seen |= {sku: told[sku] for sku in item.supply if sku in told}
        elif told is not None:
            seen |= dict.fromkeys(item.supply, told)
    return seen


def live_item(item: ShowItemRecord) -> dict[str, Any]:
    """The product as shows take it: what a page needs, and the pieces that were named."""
    kept = {key: value for key, value in item.product.items() if key not in ("name", "skus", "closed")}
    return {**kept, "supply": item.supply}


def setup_of(record: ShowRecord, shop_name: str, locale: str) -> ShowSetup:
    """
    Raises:
        SetupBroken: a value is outside its bounds, as an earlier version may have kept it.
    """
    raw = {
        "id": record.id,
        "shop": record.shop,
        "title": record.title,
        "shop_name": shop_name,
        "currency": record.currency,
        "locale": locale,
        "packs": record.packs,
        "items": [live_item(item) for item in record.items],
        "limits": record.limits,
        "hold_seconds": record.hold_seconds,
        "settings": record.settings,
    }
    try:
        return msgspec.convert(raw, ShowSetup)
    except (msgspec.ValidationError, OverflowError) as error:
        raise SetupBroken(f"The set-up cannot go on air: {in_words(str(error))}. Change it, or delete it.") from error


def _command_id(record: ShowRecord, *parts: object) -> str:
    """Stable within one revision of the set-up: a repeated PUT finds its own commands done."""
    text = "\0".join(map(str, (record.id, record.revision, *parts)))
    return "setup-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _supply_changes(record: ShowRecord, item: ShowItemRecord, expected: Mapping[str, int]) -> Iterator[Command]:
    for sku, available in sorted(item.supply.items()):
        seen = expected.get(sku)
        yield SetStock(id=_command_id(record, "supply", sku, available), sku=sku, available=available, expected=seen)


def changes(
    record: ShowRecord,
    live: Mapping[str, PublicItem],
    items: Sequence[ShowItemRecord],
    expected: Mapping[str, int] | None = None,
) -> Iterator[Command]:
    """The staff commands that turn the show into one with `items`: removed, new and changed, then supply.

    `live` are its products now, with what was changed on air: what is set up again stands against that, not against
    what was set up before.
    """
    after = {item.code: item for item in items}
    for code in live.keys() - after.keys():
        yield RemoveItem(id=_command_id(record, "remove", code), code=code)
    for code, item in after.items():
        known = live.get(code)
        is_same_form = known is not None and known["skus"] == item.product["skus"]
        if known is not None and not is_same_form:
            yield RemoveItem(id=_command_id(record, "reshape", code), code=code)
        closed = known is not None and known["closed"]
        bare = {**live_item(item), "supply": {}, "closed": closed}
        if not is_same_form or {**item.product, "closed": closed} != known:
            fingerprint = msgspec.json.encode(bare).decode()
            yield AddItem(id=_command_id(record, "change", fingerprint), item=bare)
        yield from _supply_changes(record, item, expected or {})
