"""What all tables hang on. Each room has its own in its `tables.py`; migrations create them, a test compares both.

Money is integer minor units (BIGINT) beside its ISO 4217 currency. Times are Unix milliseconds (BIGINT).
JSON columns hold lists and maps that are always read and written whole. A column that points into another room's
table names it by text and says its own type, so that no room needs the other to be there.
"""

from __future__ import annotations

from sqlalchemy import MetaData

# Fixed names for constraints, so that migrations on PostgreSQL and SQLite can address them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
