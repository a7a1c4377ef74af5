"""`limit_per_viewer` of a product holds for every way a viewer gets pieces of it."""

from __future__ import annotations

import pytest

from tests.realtime.world import Client, World, new_id

SCARF = {
    "code": "S01", "names": ["圍巾"], "price_minor": 300, "limit_per_viewer": 2,
    "options": [{"axis": "顏色", "values": [{"value": "紅色", "short": ["紅"]}, {"value": "藍色", "short": ["藍"]}]}],
    "supply": {"S01/紅色": 5, "S01/藍色": 5},
}  # fmt: skip


@pytest.fixture
async def host(fast_world: World) -> Client:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    assert (await host.command("add_item", item=SCARF))["ok"]
    await host.until(lambda: host.events("item"))
    return host


async def outcomes(client: Client, text: str) -> list[tuple[str, str, int, int]]:
    answer = await client.comment(text)
    return [(line["item"], line["outcome"], line.get("limit", 0), line.get("had", 0)) for line in answer["lines"]]


async def test_lines_of_one_comment_share_the_limit(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    assert await outcomes(anna, "S01紅+1 S01藍+2") == [
        ("S01/紅色", "reserved", 0, 0),
        ("S01/藍色", "over_limit", 2, 1),
    ]
    assert await outcomes(anna, "S01藍+1 B01+4") == [("S01/藍色", "reserved", 0, 0), ("B01", "over_limit", 3, 0)]
    assert await outcomes(anna, "S01紅+1") == [("S01/紅色", "over_limit", 2, 2)]


async def test_what_a_moderator_accepts_counts(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    await outcomes(anna, "S01紅+1")
    line = {"id": new_id(), "text": "A99+1"}
    await anna.call("comment", line)
    await host.event("triage", comment=line["id"])
    accepted = await host.command(
        "accept", comment=line["id"], lines=[{"code": "S01", "options": ["藍色"], "quantity": 2}]
    )
    assert accepted["error"]["details"]["why"] == "over_limit"
    assert accepted["error"]["reason"] == "Limit 2 a person of this product; you have 1."
    assert (await host.event("triage", comment=line["id"], refused="over_limit"))["tries"] == 1, "it stays in the queue"


async def test_the_button_and_a_change_count(fast_world: World, host: Client) -> None:
    anna = await fast_world.connect("anna")
    claim = {"id": new_id(), "code": "S01", "options": {"顏色": "紅色"}, "quantity": 3}
    assert (await anna.call("claim", claim))["lines"][0]["outcome"] == "over_limit"
    claim = {"id": new_id(), "code": "S01", "options": {"顏色": "紅色"}, "quantity": 2}
    assert (await anna.call("claim", claim))["lines"][0]["outcome"] == "reserved"
    swapped = await outcomes(anna, "S01紅改藍")
    assert [outcome for _, outcome, _, _ in swapped] == ["cancelled", "reserved"], swapped
