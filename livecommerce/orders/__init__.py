"""Orders: what the shop is owed and owes, a projection of the stock ledger into SQL.

In: ledger entries, read in order from the position kept in SQL; staff who say that money came. Out: orders, CSV files.
Position and rows change in one SQL transaction, so each ledger entry counts exactly once, however often it is read.
It may not change a quantity but by asking stock (confirm, extend), and never decides what is sold: the ledger did.
`payments/` has one file a provider behind one port.
"""
