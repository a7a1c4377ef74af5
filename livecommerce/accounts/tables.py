"""Shops, their staff and the tokens of encoders."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, String, Table

from livecommerce.records.metadata import metadata

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
