"""Numbers nobody meant: past 2^53, below zero, no number at all. Each is refused by number, none becomes a fault."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from livecommerce.shows import tables
from tests.site import MUG, Site

ODD = (
    *("9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551615"),
    *("18446744073709551616", "-1", "-9223372036854775809", "1e400", "NaN", "Infinity", "9" * 5_000, "1.5", "true"),
    *('"5"', "[]", "{}"),
)
BIG = tuple(text for text in ODD if text not in ("-1",))

SHOW = '{"title": "x", "items": [%s]%s}'
ITEM = '{"code": "B02", %s}'
BODIES: dict[str, tuple[str, str, str]] = {
    "limits.per_item": ("POST", "/api/shows", SHOW % ("", ', "limits": {"per_item": #}')),
    "limits.per_show": ("POST", "/api/shows", SHOW % ("", ', "limits": {"per_show": #}')),
    "limits.per_comment": ("POST", "/api/shows", SHOW % ("", ', "limits": {"per_comment": #}')),
    "hold_seconds": ("POST", "/api/shows", SHOW % ("", ', "hold_seconds": #')),
    "starts_ms": ("POST", "/api/shows", SHOW % ("", ', "starts_ms": #')),
    "slow_seconds": ("POST", "/api/shows", SHOW % ("", ', "settings": {"slow_seconds": #}')),
    "item.price": ("POST", "/api/shows", SHOW % (ITEM % '"price_minor": #', "")),
    "item.compare": ("POST", "/api/shows", SHOW % (ITEM % '"compare_at_minor": #', "")),
    "item.limit": ("POST", "/api/shows", SHOW % (ITEM % '"limit_per_viewer": #', "")),
    "item.supply": ("POST", "/api/shows", SHOW % (ITEM % '"supply": {"B02": #}', "")),
    "put.revision": ("PUT", "/api/shows/demo", '{"items": [], "revision": #}'),
    "put.limits": ("PUT", "/api/shows/demo", '{"items": [], "limits": {"per_item": #}}'),
    "words.revision": ("PUT", "/api/words", '{"revision": #}'),
    "product.price": ("POST", "/api/products", '{"code": "C1", "names": ["c"], "price_minor": #}'),
    "product.limit": ("PUT", "/api/products/B02", '{"names": ["c"], "price_minor": 1, "limit_per_viewer": #}'),
    "restock": ("POST", "/api/shows/demo/commands", '{"do": "restock", "sku": "B02", "quantity": #}'),
    "price": ("POST", "/api/shows/demo/commands", '{"do": "price", "code": "B02", "price_minor": #}'),
    "mute": ("POST", "/api/shows/demo/commands", '{"do": "mute", "viewer": "v", "seconds": #}'),
    "restrict": ("POST", "/api/shows/demo/commands", '{"do": "restrict", "viewer": "v", "hold_max": #}'),
    "slow": ("POST", "/api/shows/demo/commands", '{"do": "settings", "slow_seconds": #}'),
    "extend": ("POST", "/api/shows/demo/commands", '{"do": "extend", "reservation": "B02#1", "seconds": #}'),
}
QUERIES = (
    "/api/shows/demo/orders?after=",
    "/api/shows/demo/orders?limit=",
    "/api/audit?before=",
    "/api/shows/demo/reparse?after=0-",
)


async def test_no_odd_number_is_taken_or_becomes_a_fault(site: Site) -> None:
    await site.login()
    await site.make_show()
    wrong = []
    for field, (method, path, template) in BODIES.items():
        for odd in ODD:
            answer = await site.client.request(
                method,
                path,
                data=template.replace("#", odd).encode(),
                headers={"Origin": site.origin, "Content-Type": "application/json"},
            )
            shape = json.loads(await answer.read())
            if answer.status != 400 or not 1000 <= shape["error"]["number"] < 2000:
                wrong.append((field, odd[:20], answer.status))
    assert wrong == []
    _, shape = await site.told("GET", "/api/shows")
    assert len(shape["shows"]) == 1, "nothing was made on the way"


@pytest.mark.parametrize("path", QUERIES)
async def test_no_odd_number_in_a_query_becomes_a_fault(site: Site, path: str) -> None:
    await site.login()
    await site.make_show()
    for odd in (
        "18446744073709551616",
        "9" * 20,
        "9" * 5_000,
        "-1",
        "1e3",
        "NaN",
        "",
        "1.5",
        "１",
        "0x1",
        "%00",
        "1%0A",
    ):
        assert await site.refused("GET", path + odd) == (400, 1000), odd[:20]


async def test_a_set_up_that_cannot_go_on_air_says_why_and_can_be_mended_or_deleted(
    site: Site, make_site: Callable[..., Awaitable[Site]]
) -> None:
    await site.login()
    await site.ask("POST", "/api/products", MUG)
    for show in ("one", "two"):
        body = {"id": show, "title": "x", "items": [{"code": "B02", "supply": 3}]}
        assert (await site.ask("POST", "/api/shows", body)).status == 201
    async with site.database.write() as connection:  # as an earlier version kept it
        odd: dict[str, Any] = {"per_item": 2**64, "per_show": 0, "per_comment": 0}
        await connection.execute(update(tables.shows).values(limits=odd, published_ms=None))
    await site.redis.flushall()
    with capture_logs() as logs:
        again = await make_site()
        publisher = again.needs().publisher
        for _ in range(3):
            await publisher.publish_waiting()
    said = [line for line in logs if line["event"] == "a show could not be published"]
    assert [line["show"] for line in said] == ["one", "two"], "once each, not at every round"
    assert not any(line.get("exc_info") for line in said), "no traceback"
    await again.login()
    _, shape = await again.told("GET", "/api/shows")
    assert {show["trouble"]["code"] for show in shape["shows"]} == {"setup_broken"}
    mended = {"items": [{"code": "B02", "supply": 3}], "limits": {"per_item": 2}}
    status, shape = await again.told("PUT", "/api/shows/one", mended)
    assert (status, shape["show"]["is_published"]) == (200, True)
    assert await again.told("DELETE", "/api/shows/two") == (200, {})
    assert await again.refused("DELETE", "/api/shows/two") == (404, 3001)
    assert await again.refused("DELETE", "/api/shows/one") == (409, 4175)
    _, shape = await again.told("GET", "/api/shows")
    assert [(show["id"], show["trouble"]) for show in shape["shows"]] == [("one", None)]
