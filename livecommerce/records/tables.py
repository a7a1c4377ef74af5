"""The tables of the facts (what happened, and how far each reader has come), and the marks of the database itself."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table

from livecommerce.records.metadata import metadata

facts = Table(
    "facts",
    metadata,
    Column("shop", String(40), primary_key=True),  # "" for what belongs to no shop; it is counted as a shop of its own
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … of its shop, from fact_numbers
    Column("kind", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)

fact_numbers = Table(
    "fact_numbers",
    metadata,
    Column("shop", String(40), primary_key=True),
    Column("last", BigInteger, nullable=False),  # its row lock makes a shop's appending transactions take turns
)

fact_readers = Table(
    "fact_readers",
    metadata,
    Column("reader", String(40), primary_key=True),
    Column("registered_ms", BigInteger, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("reader", ForeignKey("fact_readers.reader", ondelete="CASCADE"), primary_key=True),
    Column("shop", String(40), primary_key=True),
    Column("position", BigInteger, nullable=False),  # id of the last fact that this reader has counted
    Column("updated_ms", BigInteger, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(40), primary_key=True),  # names stand in marks.py
    Column("value", String(400), nullable=False),
)
