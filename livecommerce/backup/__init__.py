"""Backup, restore, and the move from SQLite to PostgreSQL: everything a shop cannot be made again from.

In: the settings, a folder. Out: a folder with the secret, Valkey's snapshot, every SQL table and, where asked, the
recordings; or a shop made of one. SQL is read before Valkey: SQL is a projection of the ledger and catches up, while a
ledger that ends before what SQL has of it would be refused.
It may not overwrite: what it writes to is empty, or it refuses.
"""
