"""Names of keys: the Lua makes the same ones."""

from __future__ import annotations

import re

import pytest

from livecommerce.stock import keys
from tests.stock.lua_tables import pairs
from tests.stock.servers import lua_texts

SIDES = {
    "items": keys.items("s"),
    "viewers": keys.viewers("s", "show")[: -len("show")],
    "ids": keys.staff_ids("s", "show")[: -len("show")],
    "shows": keys.shows("s"),
    "offers": keys.offers("s"),
    "line": keys.line("s", "A01")[: -len("A01")],
    "wait": keys.waitlist("s", "A01")[: -len("A01")],
    "due": keys.due("s"),
    "ledger": keys.ledger("s"),
}


def test_the_lua_makes_the_same_keys() -> None:
    lua = pairs("KEYS")
    assert {name: "lc:{s}:" + part for name, part in lua.items() if name not in ("show", "log")} == SIDES
    assert "lc:{s}:" + lua["show"] + "live" + lua["log"] == keys.show_log("s", "live")


def test_the_fields_among_the_items_are_the_same() -> None:
    assert pairs("FIELDS") == {"fence": keys.FENCE, "epoch": keys.EPOCH, "closed": keys.CLOSED, "now": keys.NOW}


@pytest.mark.parametrize("text", lua_texts()[1:], ids=lambda text: text.splitlines()[0][:40])
def test_no_other_lua_file_names_a_key(text: str) -> None:
    code = re.sub(r"--.*", "", text)
    assert not re.search(r'"(stock:|lc:|ledger"|show:|#fence|#epoch|#closed|#now)', code)


def test_a_ledger_names_its_shop() -> None:
    assert keys.shop_of_ledger(keys.ledger("shop-1")) == "shop-1"
    assert re.fullmatch(re.escape(keys.LEDGERS).replace(r"\*", "(.*)"), keys.ledger("shop-1"))
