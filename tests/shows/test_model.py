"""Products as set up and as shown, and the names of people and keys."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.errors import BadInput
from livecommerce.shows.model import Keys, ShowItem, address_mark, checked_item, label_of, viewer_handle
from tests.shows.world import setup

HAT: dict[str, Any] = {"code": "C01", "names": ["帽子"], "price_minor": 300}
SIZES = {"axis": "尺寸", "values": [{"value": "M"}, {"value": "L"}]}
COAT = setup().items[1].public()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "a b"}, "code"),
        ({"code": "a#b"}, "code"),
        ({"code": "a\x7f"}, "code"),
        ({"names": []}, "names"),
        ({"names": ["x" * 81]}, "names"),
        ({"price_minor": -1}, "price_minor"),
        ({"price_minor": True}, "price_minor"),
        ({"limit_per_viewer": 10_001}, "limit_per_viewer"),
        ({"supply": {"C02": 1}}, "supply"),
        ({"supply": {"C01": -1}}, "supply.C01"),
        ({"closed": "no"}, "closed"),
        ({"picture": "javascript:alert(1)"}, "picture"),
        ({"picture": "data:text/html,x"}, "picture"),
        ({"picture": "//elsewhere.example/x.png"}, "picture"),
        ({"picture": "http://plain.example/x.png"}, "picture"),
        ({"description": "x" * 4_001}, "description"),
        ({"colour": "red"}, "colour"),
        ({"options": [SIZES], "supply": {"C01": 1}}, "supply"),
        ({"options": [SIZES, SIZES]}, "options"),
        ({"options": [{**SIZES, "values": [{"value": "M"}, {"value": "m"}]}]}, "options"),
        ({"options": [{**SIZES, "values": [{"value": "M", "short": ["x"] * 11}]}]}, "options"),
        ({"options": [{**SIZES, "values": [{"value": "M\u200b"}]}]}, "options"),
        ({"options": [{"axis": n, "values": ["v" * 40]} for n in "ab"], "code": "C" * 20}, "options"),
        ({"options": [{"axis": n, "values": [str(v) for v in range(15)]} for n in "ab"]}, "options"),
    ],
)
def test_a_show_takes_no_product_that_the_catalogue_refuses(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_item({**HAT, **changes}, "TWD")
    assert refused.value.details["field"] == field


def test_a_product_made_here_is_checked_alike() -> None:
    with pytest.raises(BadInput):
        checked_item(ShowItem(code="C01", names=("帽子",), price_minor=300, picture="javascript:alert(1)"), "TWD")
    coat = setup().items[1]
    assert checked_item(coat, "TWD") == coat
    assert checked_item({**COAT, "supply": 2}, "TWD").supply == dict.fromkeys(coat.skus(), 2)


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
