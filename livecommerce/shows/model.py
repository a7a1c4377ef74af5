"""The nouns of a show: products as shown, set-up, settings, and the names of its keys in Valkey."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import product as cartesian_product
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from livecommerce.errors import BadInput
from livecommerce.http.addresses import network_of
from livecommerce.shows.errors import ItemUnknown
from livecommerce.shows.state import PublicItem
from livecommerce.stock import keys as stock_keys
from livecommerce.stock.skus import options_of as values_of_sku
from livecommerce.stock.skus import product_of, sku_of_parts

ID_PATTERN = r"^[a-z0-9-]{1,40}$"
OUTSIDE_ID_PATTERN = r"^[A-Za-z0-9_-]{8,64}$"
# A code has no "/" and no "#": they join a sku and a reservation id.
CODE_PATTERN = r"^[^\s/#\x00-\x1f]{1,20}$"
VALUE_PATTERN = r"^[^/#\x00-\x1f]{1,40}$"

Id = Annotated[str, Meta(pattern=ID_PATTERN)]
OutsideId = Annotated[str, Meta(pattern=OUTSIDE_ID_PATTERN)]
Code = Annotated[str, Meta(pattern=CODE_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=80)]
Minor = Annotated[int, Meta(ge=0, le=10**12)]
Pieces = Annotated[int, Meta(ge=0, le=1_000_000)]

# 4 axes of 30 values are more than any shop says aloud; the product of all is what a page must list.
AXES_MAX = 4
VALUES_MAX = 30
SKUS_MAX = 200
ITEMS_MAX = 500
WORDS_MAX = 1_000


class OptionValue(Struct, frozen=True):
    """One value of an axis: `紅色`, with the short names viewers type (`紅`)."""

    value: Annotated[str, Meta(pattern=VALUE_PATTERN)]
    short: tuple[Annotated[str, Meta(min_length=1, max_length=40)], ...] = ()


class OptionAxis(Struct, frozen=True):
    axis: Annotated[str, Meta(min_length=1, max_length=40)]
    values: Annotated[tuple[OptionValue, ...], Meta(min_length=1, max_length=VALUES_MAX)]


class ShowItem(Struct, frozen=True):
    """A product in a show. `supply` is pieces per sku at the start; later changes go through stock."""

    code: Code
    names: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=20)]
    price_minor: Minor
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "TWD"
    name_en: Annotated[str, Meta(max_length=80)] = ""
    options: Annotated[tuple[OptionAxis, ...], Meta(max_length=AXES_MAX)] = ()
    compare_at_minor: Minor | None = None
    picture: Annotated[str, Meta(max_length=500)] = ""
    description: Annotated[str, Meta(max_length=4_000)] = ""
    limit_per_viewer: Annotated[int, Meta(ge=0, le=10_000)] = 0
    supply: dict[str, Pieces] = {}
    closed: bool = False

    def skus(self) -> list[str]:
        """All skus in axis order: `code`, or `code/value/value`."""
        axes = [[value.value for value in axis.values] for axis in self.options]
        return [sku_of_parts(self.code, values) for values in cartesian_product(*axes)]

    def public(self) -> PublicItem:
        """The product as pages see it (catalogue.md, "Product")."""
        return {
            "code": self.code,
            "name": self.names[0],
            "name_en": self.name_en,
            "names": list(self.names),
            "options": [
                {"axis": axis.axis, "values": [{"value": v.value, "short": list(v.short)} for v in axis.values]}
                for axis in self.options
            ],
            "price_minor": self.price_minor,
            "compare_at_minor": self.compare_at_minor,
            "currency": self.currency,
            "picture": self.picture,
            "description": self.description,
            "limit_per_viewer": self.limit_per_viewer,
            "skus": self.skus(),
            "closed": self.closed,
        }


class ShowLimits(Struct, frozen=True):
    """Pieces one viewer may hold; 0 is no limit. `per_item`: of each product over all its options.

    newcomers_percent: of each product, what viewers of one network whose cookie is young may hold together; 100: all.
    """

    per_item: Annotated[int, Meta(ge=0)] = 0
    per_show: Annotated[int, Meta(ge=0)] = 0
    per_comment: Annotated[int, Meta(ge=0)] = 0
    newcomers_percent: Annotated[int, Meta(ge=1, le=100)] = 50


class ShowSettings(Struct, frozen=True):
    """Chat rules of a show.

    slow_seconds: seconds between two comments of one viewer, 0 is off. links_off: comments with links are refused.
    first_hold: the first comment of a viewer waits for a moderator. waitlist: a sold-out claim may wait.
    repeat: what a second claim of the same sku does (`add`, `set`, `once`). fill: `any` or `all` of the pieces.
    """

    slow_seconds: Annotated[int, Meta(ge=0, le=600)] = 0
    links_off: bool = False
    first_hold: bool = False
    waitlist: bool = True
    repeat: Annotated[str, Meta(pattern="^(add|set|once)$")] = "add"
    fill: Annotated[str, Meta(pattern="^(any|all)$")] = "any"


class ShowSetup(Struct, frozen=True):
    id: Id
    shop: Id
    title: Annotated[str, Meta(min_length=1, max_length=120)]
    shop_name: Annotated[str, Meta(max_length=120)] = ""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "TWD"
    locale: Annotated[str, Meta(max_length=16)] = "zh-TW"
    packs: Annotated[tuple[str, ...], Meta(min_length=1, max_length=7)] = ("zh-TW", "en")
    items: Annotated[tuple[ShowItem, ...], Meta(max_length=ITEMS_MAX)] = ()
    limits: ShowLimits = ShowLimits()
    hold_seconds: Annotated[int, Meta(ge=10, le=7 * 86_400)] = 900
    settings: ShowSettings = ShowSettings()
    words: Annotated[tuple[str, ...], Meta(max_length=WORDS_MAX)] = ()


def checked_item(raw: dict[str, Any] | ShowItem) -> ShowItem:
    """A `ShowItem` whose skus and supply agree.

    Raises:
        BadInput: names the field and what is allowed.
    """
    try:
        item = raw if isinstance(raw, ShowItem) else msgspec.convert(raw, ShowItem, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"product: {error}") from error
    for axis in item.options:
        values = [value.value for value in axis.values]
        if len(set(values)) != len(values):
            raise BadInput(f"product {item.code}: axis {axis.axis} names a value twice")
    if len({axis.axis for axis in item.options}) != len(item.options):
        raise BadInput(f"product {item.code}: an axis is named twice")
    skus = item.skus()
    if len(skus) > SKUS_MAX:
        raise BadInput(f"product {item.code}: {len(skus)} combinations of options, at most {SKUS_MAX}")
    unknown = sorted(set(item.supply) - set(skus))
    if unknown:
        raise BadInput(f"product {item.code}: supply for {unknown[0]}, which is none of its skus")
    return item


def known_product(items: Mapping[str, PublicItem], code: str) -> PublicItem:
    """
    Raises:
        ItemUnknown: the show has no such product.
    """
    product = items.get(code)
    if product is None:
        raise ItemUnknown(f"This show has no product {code}.")
    return product


def sku_of(product: PublicItem, options: dict[str, str] | list[str]) -> str | None:
    """The sku of a public product and chosen options (by axis, or a list in any order); None while one is missing."""
    values: list[str] = []
    chosen = set(options.values()) if isinstance(options, dict) else set(options)
    for axis in product["options"]:
        names = [value["value"] for value in axis["values"]]
        if isinstance(options, dict) and axis["axis"] in options:
            value = options[axis["axis"]] if options[axis["axis"]] in names else None
        else:
            value = next((name for name in names if name in chosen), None)
        if value is None:
            return None
        values.append(value)
    return sku_of_parts(product["code"], values)


def options_of(sku: str) -> list[str]:
    return values_of_sku(sku)


def label_of(sku: str, product: PublicItem | None) -> str:
    """`A01 針織外套 紅色 M`: what a person reads."""
    name = product["name"] if product else ""
    return " ".join(part for part in (product_of(sku), name, *options_of(sku)) if part)


def viewer_handle(salt: str, viewer: str) -> str:
    """`by`: ten characters that tell viewers of one show apart without telling who they are elsewhere."""
    digest = hashlib.blake2b(viewer.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return base64.b32encode(digest).decode().lower()[:10]


def address_mark(salt: str, address: str) -> str:
    """A network as kept for bans and shares: keyed hash of its key (an IPv6 address by its /64)."""
    return hashlib.blake2b(
        network_of(address).encode(), key=b"address" + salt.encode()[:32], digest_size=10
    ).hexdigest()


def valid_id(text: object, pattern: str = OUTSIDE_ID_PATTERN) -> bool:
    return isinstance(text, str) and re.match(pattern, text) is not None


class Keys:
    """Names of one show's keys. `{shop}` is the hash tag: all of a shop is one slot."""

    # library.lua names them in this order; writes name them by these words.
    state: str
    log: str
    buyers: str
    hidden: str
    triage: str
    words: str
    audit: str
    audit_order: str
    names: str
    addresses: str
    done: str
    done_order: str
    held: str
    clock: str
    spoken: str

    SHOWS = "lc:shows"

    def __init__(self, shop: str, show: str, hashes: Sequence[str] = ()) -> None:
        """`hashes` are those that kinds have of their own."""
        base = f"lc:{{{shop}}}:show:{show}"
        self.shop, self.show = shop, show
        for name in KEY_NAMES:
            setattr(self, name, base if name == "state" else f"{base}:{name.replace('_', '-')}")
        self.log = stock_keys.show_log(shop, show)  # stock writes there too, in the call that sells
        self._hashes = [f"{base}:{name}" for name in hashes]

    @staticmethod
    def words_of_shop(shop: str) -> str:
        """The stream of the shop's own words: not of one show."""
        return f"lc:{{{shop}}}:words"

    def all(self) -> list[str]:
        """In the order that library.lua names them, then the kinds' own."""
        return [*(getattr(self, name) for name in KEY_NAMES), *self._hashes]


KEY_NAMES: tuple[str, ...] = tuple(Keys.__annotations__)

# What `lc_show_snapshot` returns, in its order; then the kinds' own hashes.
SNAPSHOT_PARTS = (
    "state", "offset", "now", "tail", "buyers", "hidden", "triage", "words", "audit", "names", "addresses", "held",
    "clock", "spoken",
)  # fmt: skip
