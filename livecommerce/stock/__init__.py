"""Stock: the only place that changes a quantity.

In: operations (reserve, cancel, restock ...), each with an id. Out: an Answer for each, counters, claims, the ledger.
One FCALL a batch holds idempotency, limits, stock, waitlist, expiry, ledger entry and show events: all or nothing.
It may not know what a comment, a page or an order is, and nothing outside may write its keys.
Time is the Valkey server's; money is integer minor units; from the ledger alone the state can be built again.
"""
