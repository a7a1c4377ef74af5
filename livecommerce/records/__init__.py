"""Records: the SQL side of the shop, SQLite by default and PostgreSQL by URL.

In: a database URL. Out: connections to look through, transactions to write in, rows as structs.
It holds the one line of migrations (run under a lock at start), the metadata that every room hangs its own tables on,
the facts with their readers' positions, and the audit trail.
It may not: know about HTTP, Valkey or stock, decide business rules, or import any other room.
Quantities on sale never live in SQL: they are the stock engine's; orders are a projection of its ledger.
"""
