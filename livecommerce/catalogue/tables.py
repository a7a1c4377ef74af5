"""Products and their pictures."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from livecommerce.records.metadata import metadata

products = Table(
    "products",
    metadata,
    Column("shop", String(40), ForeignKey("shops.id"), primary_key=True),
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
    Column("shop", String(40), ForeignKey("shops.id"), primary_key=True),
    Column("content_type", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
