"""The tables, as SQLAlchemy Core metadata. Migrations create them; a test compares both.

Money is integer minor units (BIGINT) beside its ISO 4217 currency. Times are Unix milliseconds (BIGINT).
JSON columns hold lists and maps that are always read and written whole.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# Fixed names for constraints, so that migrations on PostgreSQL and SQLite can address them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

shops = Table(
    "shops",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("locale", String(16), nullable=False),
    Column("packs", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("shop", ForeignKey("shops.id"), nullable=False, index=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(40), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger, nullable=True),
)

ingest_tokens = Table(
    "ingest_tokens",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("shop", ForeignKey("shops.id"), nullable=False),
    Column("show", String(40), nullable=False, index=True),
    Column("made_by", String(40), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger, nullable=True),
)

products = Table(
    "products",
    metadata,
    Column("shop", ForeignKey("shops.id"), primary_key=True),
    Column("code", String(24), primary_key=True),
    Column("code_folded", String(48), nullable=False),
    Column("position", Integer, nullable=False),
    Column("names", JSON, nullable=False),
    Column("name_en", String(120), nullable=False),
    Column("options", JSON, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("compare_at_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=False),
    Column("picture", String(500), nullable=False),
    Column("description", Text, nullable=False),
    Column("limit_per_viewer", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    UniqueConstraint("shop", "code_folded"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("shop", ForeignKey("shops.id"), primary_key=True),
    Column("content_type", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

shop_words = Table(
    "shop_words",
    metadata,
    Column("shop", ForeignKey("shops.id"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("words", JSON, nullable=False),  # lists and maps as livecommerce.comments.ShopWords has them
    Column("updated_ms", BigInteger, nullable=False),
)

shows = Table(
    "shows",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("shop", ForeignKey("shops.id"), nullable=False, index=True),
    Column("title", String(120), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("packs", JSON, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("hold_seconds", Integer, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("starts_ms", BigInteger, nullable=True),
    Column("created_by", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    # Null until the show and its supply stand in Valkey; a start finishes what a crash left half done.
    Column("published_ms", BigInteger, nullable=True),
    Column("revision", Integer, nullable=False),  # grows with every change of the items
)

show_items = Table(
    "show_items",
    metadata,
    Column("show", ForeignKey("shows.id", ondelete="CASCADE"), primary_key=True),
    Column("code", String(24), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("product", JSON, nullable=False),  # the product as it was when put into the show, prices included
    Column("supply", JSON, nullable=False),  # sku -> pieces asked for at set-up; the live figure is the engine's
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("shop", ForeignKey("shops.id"), nullable=False),
    Column("show", String(40), nullable=False),
    Column("viewer", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(16), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("confirmed_minor", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    UniqueConstraint("shop", "show", "viewer"),
    UniqueConstraint("shop", "show", "number"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("shop", String(40), primary_key=True),
    Column("reservation", String(240), primary_key=True),
    Column("order", ForeignKey("orders.id"), nullable=False, index=True),
    Column("sku", String(200), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("text", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("deadline_ms", BigInteger, nullable=False),
    Column("claimed_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

payments = Table(
    "payments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("order", ForeignKey("orders.id"), nullable=False, index=True),
    Column("provider", String(16), nullable=False),
    Column("method", String(24), nullable=False),
    Column("state", String(16), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reference", String(80), nullable=False),
    Column("reservations", JSON, nullable=False),
    Column("by_staff", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

ledger_position = Table(
    "ledger_position",
    metadata,
    Column("shop", ForeignKey("shops.id"), primary_key=True),
    Column("position", String(48), nullable=False),  # stream id of the last ledger entry that is in these tables
    Column("updated_ms", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    # SQLite only numbers a plain INTEGER by itself.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("shop", String(40), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("do", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("details", JSON, nullable=False),
    Index("ix_audit_shop_id", "shop", "id"),
)

__all__ = [
    "audit",
    "ingest_tokens",
    "ledger_position",
    "metadata",
    "order_lines",
    "orders",
    "payments",
    "pictures",
    "products",
    "shop_words",
    "shops",
    "show_items",
    "shows",
    "staff",
]
