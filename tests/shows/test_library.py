"""The Lua side names keys and parts of a snapshot as the Python side does."""

from __future__ import annotations

import re

import pytest

from livecommerce.shows.kinds.audit import AUDIT_SHOWN_MAX
from livecommerce.shows.kinds.chat import HELD_MAX, SPOKEN_MAX
from livecommerce.shows.kinds.name import NAMES_MAX
from livecommerce.shows.kinds.triage import TRIAGE_MAX
from livecommerce.shows.model import KEY_NAMES, SNAPSHOT_PARTS
from livecommerce.shows.store import LIBRARY


def test_lua_numbers_the_keys_as_python_orders_them() -> None:
    found = re.search(r"^local (STATE,[A-Z_, ]+)\n\s*= ([0-9, ]+)$", LIBRARY, re.MULTILINE)
    assert found, "library.lua begins with the names of its keys"
    names = [name.lower() for name in found[1].split(", ")]
    assert names == list(KEY_NAMES)
    assert [int(number) for number in found[2].split(", ")] == list(range(1, len(KEY_NAMES) + 1))
    assert not re.search(r"keys\[(?!1\])\d+\]", LIBRARY), "a key by its bare number"


LIMITS = {"HELD_MAX": HELD_MAX, "TRIAGE_MAX": TRIAGE_MAX, "NAMES_MAX": NAMES_MAX, "SPOKEN_MAX": SPOKEN_MAX}


@pytest.mark.parametrize("name", LIMITS)
def test_lua_keeps_as_many_as_python_folds(name: str) -> None:
    assert limit_of(name) == LIMITS[name]


def test_lua_keeps_more_of_the_trail_than_pages_are_shown() -> None:
    assert limit_of("AUDIT_MAX") >= AUDIT_SHOWN_MAX


def limit_of(name: str) -> int:
    found = re.search(rf"^local {name} = ([0-9]+)", LIBRARY, re.MULTILINE)
    assert found, name
    return int(found[1])


def test_lua_returns_a_snapshot_in_the_order_of_its_parts() -> None:
    body = LIBRARY[LIBRARY.index("SNAPSHOT_PARTS") :]
    returned = body[body.index("\n") : body.index("\n  }")]
    found = re.findall(r"keys\[([A-Z_]+)\]|\b(state|offset|now|tail|audit)\b", returned.replace("now_ms()", "now"))
    assert [(key or word).lower() for key, word in found] == list(SNAPSHOT_PARTS)
