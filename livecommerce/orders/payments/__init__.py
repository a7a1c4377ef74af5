"""Payments: one port, one file a provider. A provider says how money comes; the till turns it into sold pieces."""
