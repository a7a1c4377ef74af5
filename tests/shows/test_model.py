"""Products as set up and as shown, and the names of people and keys."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.errors import BadInput
from livecommerce.shows.model import Keys, address_mark, checked_item, label_of, viewer_handle
from tests.shows.world import setup

HAT: dict[str, Any] = {"code": "C01", "names": ["帽子"], "price_minor": 300}
SIZES = {"axis": "尺寸", "values": [{"value": "M"}, {"value": "L"}]}
MANY = [{"value": str(number)} for number in range(15)]
COAT = setup().items[1].public()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "a b"}, "product"),
        ({"code": "a#b"}, "product"),
        ({"names": []}, "product"),
        ({"price_minor": -1}, "product"),
        ({"supply": {"C02": 1}}, "supply for C02"),
        ({"options": [SIZES], "supply": {"C01": 1}}, "supply for C01"),
        ({"options": [SIZES, SIZES]}, "named twice"),
        ({"options": [{**SIZES, "values": [{"value": "M"}, {"value": "M"}]}]}, "names a value twice"),
        (
            {"options": [{"axis": n, "values": [{"value": str(v)} for v in range(15)]} for n in "ab"]},
            "225 combinations",
        ),
    ],
)
def test_what_is_no_product(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked_item({**HAT, **changes})


def test_what_a_person_reads() -> None:
    assert label_of("A02/紅色/M", COAT) == "A02 針織外套 紅色 M"
    assert label_of("Z99", None) == "Z99"


def test_handles_tell_viewers_apart_in_one_show_only() -> None:
    assert viewer_handle("salt", "anna") == viewer_handle("salt", "anna")
    assert len({viewer_handle(salt, viewer) for salt in ("salt", "other") for viewer in ("anna", "ben")}) == 4


def test_an_ipv6_address_is_marked_by_its_subscribers_block() -> None:
    assert address_mark("salt", "2001:db8:1:2::1") == address_mark("salt", "2001:db8:1:2:ffff::9")
    assert address_mark("salt", "2001:db8:1:3::1") != address_mark("salt", "2001:db8:1:2::1")
    assert address_mark("salt", "192.0.2.1") != address_mark("salt", "192.0.2.2")


def test_all_keys_of_a_show_are_in_its_shops_slot() -> None:
    keys = Keys("shop", "demo", ("votes",)).all()
    assert all(key.startswith("lc:{shop}:show:demo") for key in keys)
    assert len(set(keys)) == len(keys)
    assert keys[-1] == "lc:{shop}:show:demo:votes"
