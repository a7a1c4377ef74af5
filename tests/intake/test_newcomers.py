"""What new viewers of one network may hold together: a part of each product, whatever they try."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from livecommerce.intake import newcomers
from livecommerce.intake.answers import SpeechAnswer
from livecommerce.intake.errors import NetworkShareTaken
from livecommerce.intake.newcomers import OLD_ENOUGH_MS, newcomer_mark
from livecommerce.intake.speech import Press, Speech
from livecommerce.shows.state import part
from tests.intake.demo_show import SHOW, Person, Stage, new_id

NETWORK = "a" * 20


async def press(stage: Stage, viewer: str, code: str = "B01", quantity: int = 1, network: str = NETWORK) -> str:
    one = Press(show=SHOW, speaker=Person(viewer, viewer), id=new_id(), code=code, quantity=quantity, newcomer=network)
    try:
        return (await stage.path.claim(stage.mirror, one))["reason"]
    except NetworkShareTaken:
        return "share"


async def say(stage: Stage, viewer: str, text: str) -> SpeechAnswer:
    speech = Speech(show=SHOW, speaker=Person(viewer, viewer), id=new_id(), text=text, newcomer=NETWORK)
    return await stage.path.comment(stage.mirror, speech)


async def held(stage: Stage, sku: str) -> int:
    return (await stage.engine.counters("shop", [sku]))[sku].held


async def test_a_thousand_cookies_of_one_network_leave_half_of_a_product(stage: Stage) -> None:
    """One address held 600 of 600 pieces."""
    await stage.command("start")
    answers = await asyncio.gather(*(press(stage, f"new-{n}", quantity=3) for n in range(100)))
    assert answers.count("reserved") == 16, "of a hundred pieces fifty, three each"
    assert answers.count("share") == 84
    assert await press(stage, "new-100", quantity=2) == "reserved", "the rest of the share"
    assert await press(stage, "elsewhere", network="b" * 20) == "reserved"
    assert await press(stage, "regular", network="") == "reserved"
    assert await held(stage, "B01") == 52
    await stage.catch_up()
    noted = part(stage.mirror.state, "newcomers")
    assert set(noted.values()) == {NETWORK, "b" * 20}
    assert "regular" not in noted


async def test_each_of_a_mobile_networks_crowd_may_have_one(stage: Stage) -> None:
    await stage.command("start")
    answers = await asyncio.gather(*(press(stage, f"new-{n}") for n in range(50)))
    assert answers == ["reserved"] * 50


async def test_of_a_few_pieces_a_network_may_have_what_one_viewer_may(stage: Stage) -> None:
    await stage.command("start")
    assert [await press(stage, f"new-{n}", "A01") for n in range(6)] == ["reserved"] * 5 + ["share"]


async def test_a_show_for_one_address_counts_nobody(stage: Stage) -> None:
    """A fair, an office: of five pieces all go to one network, and the next one waits in line."""
    await stage.command("start")
    stage.mirror.state["show"]["limits"]["newcomers_percent"] = 100
    assert [await press(stage, f"new-{n}", "A01") for n in range(6)] == ["reserved"] * 5 + ["waiting"]


async def test_places_in_line_count_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "LEAST", 1)
    await stage.command("start")
    for number in range(5):
        await press(stage, f"regular-{number}", "A01", network="")
    assert [await press(stage, f"new-{n}", "A01") for n in range(4)] == ["waiting", "waiting", "share", "share"]


async def test_a_new_quantity_or_another_product_is_no_way_around(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "LEAST", 1)
    await stage.command("start")
    assert (await say(stage, "new-1", "A01+1"))["reason"] == "reserved"
    await stage.catch_up()
    with pytest.raises(NetworkShareTaken):
        await say(stage, "new-1", "A01改4")
    assert await held(stage, "A01") == 1
    assert await press(stage, "new-2", "A01") == "reserved"
    with pytest.raises(NetworkShareTaken):
        await say(stage, "new-3", "A01+1")
    assert await press(stage, "new-3", "B01") == "reserved"
    await stage.catch_up()
    with pytest.raises(NetworkShareTaken):
        await say(stage, "new-3", "B01改A01")


async def test_what_was_not_had_and_what_has_lapsed_counts_no_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.command("start")
    assert await press(stage, "new-1", "B01", 50) == "over_limit", "three a person"
    answers = [await press(stage, f"new-{n}", "B01", 3) for n in range(2, 18)]
    assert answers == ["reserved"] * 16, "the refused fifty were given back"
    keys = [key async for key in stage.store.redis.scan_iter("*:share:" + NETWORK)]
    for charge in await stage.store.redis.zrange(keys[0], 0, -1):
        await stage.store.redis.zadd(keys[0], {charge: 1})
    assert await press(stage, "new-20", "B01", 3) == "reserved"


async def test_sent_again_it_is_counted_once(stage: Stage) -> None:
    await stage.command("start")
    one = Press(show=SHOW, speaker=Person("new-1", "new-1"), id=new_id(), code="A01", quantity=2, newcomer=NETWORK)
    for _ in range(3):
        answer = await stage.path.claim(stage.mirror, replace(one, again=True))
        assert answer["reason"] == "reserved"
    assert await held(stage, "A01") == 2


def test_a_cookie_of_before_the_show_is_no_newcomers(stage: Stage) -> None:
    state = stage.mirror.state
    state = {**state, "show": {**state["show"], "started_ms": 10 * OLD_ENOUGH_MS}}
    assert newcomer_mark(state, 0, NETWORK) == ""
    assert newcomer_mark(state, 9 * OLD_ENOUGH_MS, NETWORK) == ""
    assert newcomer_mark(state, 9 * OLD_ENOUGH_MS + 1, NETWORK) == NETWORK
    assert newcomers.share_of(state, "B01") == 50
    assert newcomers.share_of(state, "unknown") == newcomers.LEAST


@pytest.mark.parametrize("is_behind", [False, True], ids=["known", "since our moment"])
async def test_a_show_that_keeps_no_more_names_and_newcomers_still_sells(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, is_behind: bool
) -> None:
    await stage.command("start")
    assert await press(stage, "new-1") == "reserved"
    for where in ("livecommerce.shows.kinds.name.NAMES_MAX", "livecommerce.shows.kinds.newcomers.NEWCOMERS_MAX"):
        monkeypatch.setattr(where, 1)
    monkeypatch.setattr("livecommerce.intake.comment_path.NEWCOMERS_MAX", 1)
    if not is_behind:
        await stage.catch_up()
    assert await press(stage, "new-2") == "reserved"
    assert (await say(stage, "new-3", "B01+1"))["reason"] == "reserved"
    await stage.catch_up()
    assert set(part(stage.mirror.state, "newcomers")) == {"new-1"}
    assert await held(stage, "B01") == 3
