"""The nouns of a show: products as shown, set-up, settings, and the names of its keys in Valkey."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct

from livecommerce.bounds import (
    ID_PATTERN,
    OUTSIDE_ID_PATTERN,
    HoldSeconds,
    Pieces,
    Title,
)
from livecommerce.catalogue.errors import ProductRefused
from livecommerce.catalogue.products import CODE_PATTERN, Product, as_public, product_of, supply_of
from livecommerce.http.addresses import network_of
from livecommerce.shows.errors import ItemUnknown
from livecommerce.shows.state import PublicItem
from livecommerce.stock import keys as stock_keys
from livecommerce.stock.skus import options_of as values_of_sku
from livecommerce.stock.skus import product_of as code_of

Id = Annotated[str, Meta(pattern=ID_PATTERN)]
OutsideId = Annotated[str, Meta(pattern=OUTSIDE_ID_PATTERN)]
Code = Annotated[str, Meta(pattern=rf"^{CODE_PATTERN}\Z")]

ITEMS_MAX = 500
WORDS_MAX = 1_000


class ShowItem(Product, frozen=True):
    """A product as a show sells it. `supply` is pieces per sku at the start; later changes go through stock."""

    supply: dict[str, int] = msgspec.field(default_factory=dict)
    closed: bool = False

    def public(self) -> PublicItem:
        """The product as pages see it (catalogue.md, "Product")."""
        return cast("PublicItem", {**as_public(self), "closed": self.closed})


class ShowLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces one viewer may hold; 0 is no limit. `per_item`: of each product over all its options.

    newcomers_percent: of each product, what viewers of one network who never bought here may hold together; 100: all.
    """

    per_item: Pieces = 0
    per_show: Pieces = 0
    per_comment: Pieces = 0
    newcomers_percent: Annotated[int, Meta(ge=1, le=100)] = 50


class ShowSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Chat rules of a show.

    slow_seconds: seconds between two comments of one viewer, 0 is off. links_off: comments with links are refused.
    first_hold: the first comment of a viewer waits for a moderator. waitlist: a sold-out claim may wait.
    proof_of_work: an order of a viewer who never bought in the shop carries one (docs/intake.md).
    repeat: what a second claim of the same sku does (`add`, `set`, `once`). fill: `any` or `all` of the pieces.
    """

    slow_seconds: Annotated[int, Meta(ge=0, le=600)] = 0
    links_off: bool = False
    first_hold: bool = False
    proof_of_work: bool = False
    waitlist: bool = True
    repeat: Annotated[str, Meta(pattern=r"^(add|set|once)\Z")] = "add"
    fill: Annotated[str, Meta(pattern=r"^(any|all)\Z")] = "any"


class ShowSetup(Struct, frozen=True):
    id: Id
    shop: Id
    title: Title
    shop_name: Annotated[str, Meta(max_length=120)] = ""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")] = "TWD"
    locale: Annotated[str, Meta(max_length=16)] = "zh-TW"
    packs: Annotated[tuple[str, ...], Meta(min_length=1, max_length=7)] = ("zh-TW", "en")
    items: Annotated[tuple[ShowItem, ...], Meta(max_length=ITEMS_MAX)] = ()
    limits: ShowLimits = ShowLimits()
    hold_seconds: HoldSeconds = 900
    settings: ShowSettings = ShowSettings()
    words: Annotated[tuple[str, ...], Meta(max_length=WORDS_MAX)] = ()

    def first(self) -> dict[str, Any]:
        """The values that this show begins with, where they are other than its kinds have them."""
        return {"order": [item.code for item in self.items], "settings": msgspec.to_builtins(self.settings)}


def checked_item(raw: dict[str, Any] | ShowItem, currency: str) -> ShowItem:
    """A product that the catalogue would take, with its supply. `currency` stands where none is given.

    Raises:
        BadInput: of the catalogue; `details["field"]` names the field.
    """
    given = msgspec.to_builtins(raw) if isinstance(raw, ShowItem) else raw
    closed = given.get("closed", False)
    if not isinstance(closed, bool):
        raise ProductRefused("closed is true or false.", field="closed")
    product = product_of(given, currency=str(given.get("currency") or currency))
    supply = supply_of(product, given.get("supply"))
    return ShowItem(**msgspec.structs.asdict(product), supply=supply, closed=closed)


def known_product(items: Mapping[str, PublicItem], code: str) -> PublicItem:
    """
    Raises:
        ItemUnknown: the show has no such product.
    """
    product = items.get(code)
    if product is None:
        raise ItemUnknown(f"This show has no product {code}.")
    return product


def options_of(sku: str) -> list[str]:
    return values_of_sku(sku)


def label_of(sku: str, product: PublicItem | None) -> str:
    """`A01 針織外套 紅色 M`: what a person reads."""
    name = product["name"] if product else ""
    return " ".join(part for part in (code_of(sku), name, *options_of(sku)) if part)


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

    @staticmethod
    def network_salt_of_shop(shop: str) -> str:
        """What all shows of the shop mark networks with: pieces are the shop's, so one network is one in all shows."""
        return f"lc:{{{shop}}}:network-salt"

    @staticmethod
    def customers_of_shop(shop: str) -> str:
        """The hash of who has bought in the shop, written by orders and read by intake."""
        return f"lc:{{{shop}}}:customers"

    def all(self) -> list[str]:
        """In the order that library.lua names them, then the kinds' own."""
        return [*(getattr(self, name) for name in KEY_NAMES), *self._hashes]


KEY_NAMES: tuple[str, ...] = tuple(Keys.__annotations__)

# Of the state's hash, beside the values that kinds keep in it.
HEAD_FIELDS = ("version", "epoch", "salt", "network_salt", "show", "stage", "started_ms", "ended_ms")

# What `lc_show_snapshot` returns, in its order; then the kinds' own hashes.
SNAPSHOT_PARTS = (
    "state", "offset", "now", "tail", "buyers", "hidden", "triage", "words", "audit", "names", "addresses", "held",
    "clock", "spoken",
)  # fmt: skip
