"""Orders, their lines and payments, and how far the ledger has been read into them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table, UniqueConstraint

from livecommerce.records.metadata import metadata

orders = Table(
    "orders",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("shop", String(40), ForeignKey("shops.id"), nullable=False),
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
    Column("paid_ms", BigInteger, nullable=False, server_default="0"),  # 0: its money was never noted as received
    Column("paid_by", String(64), nullable=False, server_default=""),
    Column("voided_ms", BigInteger, nullable=False, server_default="0"),
    Column("voided_by", String(64), nullable=False, server_default=""),
)

ledger_position = Table(
    "ledger_position",
    metadata,
    Column("shop", String(40), ForeignKey("shops.id"), primary_key=True),
    Column("position", String(48), nullable=False),  # stream id of the last ledger entry that is in these tables
    Column("updated_ms", BigInteger, nullable=False),
)
