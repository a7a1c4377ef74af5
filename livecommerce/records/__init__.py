"""Records: the SQL side of the shop, SQLite by default and PostgreSQL by URL.

In: typed structs and a database URL. Out: the same structs, read back; one transaction per call.
It holds tables, migrations (run under a lock at start), repositories, and the facts with their readers' positions.
It may not: know about HTTP, Valkey or stock, decide business rules, or import any other room.
Quantities on sale never live here: they are the stock engine's; orders are a projection of its ledger.
"""
