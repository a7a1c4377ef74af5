"""What the repositories take and give: frozen structs, one a table row (or a small tree of rows).

Units are in the names: `_minor` integer minor units of `currency`, `_ms` Unix milliseconds.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Role = Literal["owner", "host", "moderator"]
LineState = Literal["held", "waiting", "offered", "confirmed", "cancelled", "expired", "released"]
OrderState = Literal["open", "confirmed", "cancelled"]
PaymentState = Literal["pending", "paid", "refunded"]


class Shop(Struct, frozen=True):
    id: str
    name: str
    currency: str = "TWD"
    locale: str = "zh-TW"
    packs: tuple[str, ...] = ("zh-TW", "en")
    created_ms: int = 0


class StaffRecord(Struct, frozen=True):
    """A person who works for the shop. `password_hash` is an argon2id string and never leaves this process."""

    id: str
    shop: str
    login: str
    name: str
    role: Role
    password_hash: str
    created_ms: int = 0
    disabled_ms: int | None = None


class IngestTokenRecord(Struct, frozen=True):
    sha256: str
    shop: str
    show: str
    made_by: str
    created_ms: int
    revoked_ms: int | None = None


class ProductRecord(Struct, frozen=True):
    """A product row. `options` is a list of {"axis", "values": [{"value", "short": […]}]}, as catalogue reads it."""

    shop: str
    code: str
    code_folded: str
    position: int
    names: list[str]
    name_en: str
    options: list[dict[str, Any]]
    price_minor: int
    compare_at_minor: int | None
    currency: str
    picture: str
    description: str
    limit_per_viewer: int
    created_ms: int = 0
    updated_ms: int = 0


class ShowItemRecord(Struct, frozen=True):
    """A product inside a show: `product` as it stood at set-up, `supply` pieces per sku asked for."""

    code: str
    position: int
    product: dict[str, Any]
    supply: dict[str, int]


class ShowRecord(Struct, frozen=True):
    id: str
    shop: str
    title: str
    currency: str
    packs: tuple[str, ...]
    limits: dict[str, int]
    hold_seconds: int
    settings: dict[str, Any]
    created_by: str
    starts_ms: int | None = None
    created_ms: int = 0
    published_ms: int | None = None
    revision: int = 1
    items: tuple[ShowItemRecord, ...] = ()


class OrderLine(Struct, frozen=True):
    """One claim. `quantity` pieces reserved (0 when only waiting), `waiting` pieces in the waitlist."""

    shop: str
    reservation: str
    order: str
    sku: str
    number: int
    quantity: int
    waiting: int
    unit_price_minor: int
    currency: str
    text: str
    state: LineState
    deadline_ms: int
    claimed_ms: int
    updated_ms: int


class Payment(Struct, frozen=True):
    """Money expected or received for an order; `reservations` are the claims it confirms once paid."""

    id: str
    order: str
    provider: str
    method: str
    state: PaymentState
    amount_minor: int
    currency: str
    reference: str
    reservations: list[str]
    by_staff: str
    created_ms: int
    updated_ms: int


class Order(Struct, frozen=True):
    """All claims of one viewer in one show. `total_minor` counts held and confirmed pieces."""

    id: str
    shop: str
    show: str
    viewer: str
    number: int
    currency: str
    state: OrderState
    total_minor: int
    confirmed_minor: int
    created_ms: int
    updated_ms: int
    lines: tuple[OrderLine, ...] = ()
    payments: tuple[Payment, ...] = ()


class ShopWordsRecord(Struct, frozen=True):
    """A shop's own words for its comments, whole; `revision` as the live store counts it."""

    shop: str
    revision: int
    words: dict[str, Any]
    updated_ms: int = 0


class AuditEntry(Struct, frozen=True):
    shop: str
    at_ms: int
    actor: str
    do: str
    subject: str
    details: dict[str, Any] = {}
    id: int = 0
