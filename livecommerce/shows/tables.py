"""Shows as they were set up, and the copy of the shops' own words. What is live is in Valkey."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table

from livecommerce.records.metadata import metadata

shows = Table(
    "shows",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("shop", String(40), ForeignKey("shops.id"), nullable=False, index=True),
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

shop_words = Table(
    "shop_words",
    metadata,
    Column("shop", String(40), ForeignKey("shops.id"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("words", JSON, nullable=False),  # lists and maps as livecommerce.comments.ShopWords has them
    Column("updated_ms", BigInteger, nullable=False),
)
