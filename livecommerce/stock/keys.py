"""Names of stock's keys. Pure. `{shop}` is the hash tag: all of a shop is one slot of a cluster.

What each key holds stands in docs/stock.md. The Lua makes the same names from its table KEYS, beginning with the
key of the items, the only one that a call is given.
"""

from __future__ import annotations

FENCE, EPOCH, CLOSED, NOW = "#fence", "#epoch", "#closed", "#now"  # fields among the items; no sku has a #
REBUILDING = "rebuilding"  # a fence that no server has, so that nobody sells while a shop is rebuilt
LEDGERS = "lc:{*}:ledger"  # pattern: the ledger of every shop


def _base(shop: str) -> str:
    return f"lc:{{{shop}}}:"


def items(shop: str) -> str:
    return _base(shop) + "stock:items"


def viewers(shop: str, show: str) -> str:
    return f"{_base(shop)}stock:viewers:{show}"


def staff_ids(shop: str, show: str) -> str:
    return f"{_base(shop)}stock:ids:{show}"


def shows(shop: str) -> str:
    return _base(shop) + "stock:shows"


def offers(shop: str) -> str:
    return _base(shop) + "stock:offers"


def line(shop: str, item: str) -> str:
    return f"{_base(shop)}stock:line:{item}"


def waitlist(shop: str, item: str) -> str:
    return f"{_base(shop)}stock:wait:{item}"


def due(shop: str) -> str:
    return _base(shop) + "stock:due"


def ledger(shop: str) -> str:
    return _base(shop) + "ledger"


def show_log(shop: str, show: str) -> str:
    return f"{_base(shop)}show:{show}:log"


def shop_of_ledger(key: str) -> str:
    """The shop whose ledger has this key."""
    return key.removeprefix("lc:{").removesuffix("}:ledger")
