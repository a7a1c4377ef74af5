"""What new viewers of one network may hold together: a part of each product, whatever they try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.exceptions import ConnectionError

from livecommerce.errors import Unavailable
from livecommerce.intake import newcomers
from livecommerce.intake.answers import SpeechAnswer
from livecommerce.intake.comment_path import CommentPath
from livecommerce.intake.customers import Customers
from livecommerce.intake.errors import NetworkShareTaken
from livecommerce.intake.newcomers import Charge, still_counted
from livecommerce.intake.speech import Press, Speech, Withdrawal
from livecommerce.ops.redis_client import connect_store
from livecommerce.shows.model import Keys
from livecommerce.shows.state import part
from livecommerce.stock.engine import Standing
from livecommerce.stock.operations import Confirm, Restock, Unconfirm
from livecommerce.stock.outcomes import ACTIVE_STATES
from tests.intake.demo_show import SHOP, SHOW, Person, Stage, new_id, opened_stage
from tests.stock.cluster import Cluster

NETWORK = "a" * 20


async def press(stage: Stage, viewer: str, code: str = "B01", quantity: int = 1, network: str = NETWORK) -> str:
    one = Press(show=SHOW, speaker=Person(viewer, viewer), id=new_id(), code=code, quantity=quantity, network=network)
    try:
        return (await stage.path.claim(stage.mirror, one))["reason"]
    except NetworkShareTaken:
        return "share"


async def say(stage: Stage, viewer: str, text: str) -> SpeechAnswer:
    speech = Speech(show=SHOW, speaker=Person(viewer, viewer), id=new_id(), text=text, network=NETWORK)
    return await stage.path.comment(stage.mirror, speech)


async def clock_ms(stage: Stage) -> int:
    seconds, microseconds = await stage.store.redis.time()
    return seconds * 1000 + microseconds // 1000


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


async def test_a_place_in_line_counts_for_the_evening_and_a_piece_for_its_hold(stage: Stage) -> None:
    """A place has no deadline: counted as a hold is, a network had the whole line after a few minutes."""
    await stage.command("start")
    for number in range(4):
        await press(stage, f"regular-{number}", "A01", network="")
    before_ms = await clock_ms(stage)
    assert [await press(stage, f"new-{n}", "A01") for n in range(2)] == ["reserved", "waiting"]
    after_ms = await clock_ms(stage)
    keys = [key async for key in stage.store.redis.scan_iter("*:share:" + NETWORK)]
    counted = await stage.store.redis.zrange(keys[0], 0, -1, withscores=True)
    ends = {name.decode().split("/")[1]: ends_ms for name, ends_ms in counted}
    hold_ms = stage.mirror.state["show"]["hold_seconds"] * 1000
    assert before_ms + hold_ms <= ends["new-0"] <= after_ms + hold_ms
    evening_ms = 12 * 3_600_000
    assert before_ms - 1000 + evening_ms < ends["new-1"] <= after_ms + evening_ms, "to the second"


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
    one = Press(show=SHOW, speaker=Person("new-1", "new-1"), id=new_id(), code="A01", quantity=2, network=NETWORK)
    for _ in range(3):
        answer = await stage.path.claim(stage.mirror, replace(one, again=True))
        assert answer["reason"] == "reserved"
    assert await held(stage, "A01") == 2


async def test_an_old_cookie_counts_like_a_young_one_until_its_viewer_has_bought(stage: Stage) -> None:
    """Eight cookies of one address, fetched the day before, took forty of forty: nothing but a sale makes known."""
    await stage.command("start")
    await stage.engine.submit(Restock(id=new_id(), shop=SHOP, show=SHOW, item="A01", quantity=35))
    await stage.catch_up()
    await stage.store.redis.hset(Keys.customers_of_shop(SHOP), mapping={"regular": "last-week", "patron": "last-week"})
    await stage.store.redis.hset(Keys.customers_of_shop("another"), mapping={"old-9": "last-week"})
    assert [await press(stage, f"old-{n}", "A01", 5) for n in range(8)] == ["reserved"] * 4 + ["share"] * 4
    assert await press(stage, "old-9", "A01") == "share", "another shop's customer is nobody's here"
    assert await press(stage, "regular", "A01", 5) == "reserved"
    assert (await say(stage, "patron", "A01+5"))["reason"] == "reserved"
    assert await press(stage, "elsewhere", "A01", 5, network="b" * 20) == "reserved"
    await stage.catch_up()
    assert not {"regular", "patron"} & set(part(stage.mirror.state, "newcomers"))


async def test_a_customer_changes_and_takes_without_being_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "LEAST", 1)
    await stage.command("start")
    await stage.store.redis.hset(Keys.customers_of_shop(SHOP), mapping={"regular": "last-week"})
    assert (await say(stage, "regular", "A01+1"))["reason"] == "reserved"
    await stage.catch_up()
    assert (await say(stage, "regular", "A01改4"))["reason"] == "reserved"
    assert await held(stage, "A01") == 4


async def test_the_store_is_asked_once_a_viewer_for_a_while(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    customers, hexists = Customers(stage.store.redis), stage.store.redis.hexists

    async def counted(key: str, viewer: str) -> bool:
        asked.append(viewer)
        return bool(await hexists(key, viewer))

    monkeypatch.setattr(stage.store.redis, "hexists", counted)
    await stage.store.redis.hset(Keys.customers_of_shop(SHOP), mapping={"regular": "last-week"})
    for _ in range(3):
        assert [await customers.has(SHOP, viewer) for viewer in ("regular", "new")] == [True, False]
    assert asked == ["regular", "new"]
    monkeypatch.setattr("livecommerce.intake.customers.KEPT_MAX", 2)
    assert not await customers.has(SHOP, "another")
    assert await customers.has(SHOP, "regular")
    assert asked == ["regular", "new", "another", "regular"], "who asked longest ago was forgotten"


async def test_a_store_that_is_away_is_said_in_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> bool:
        raise ConnectionError("gone")

    monkeypatch.setattr(stage.store.redis, "hexists", away)
    with pytest.raises(Unavailable):
        await Customers(stage.store.redis).has(SHOP, "regular")


def test_a_share_is_of_the_pieces_and_never_less_than_a_family_takes(stage: Stage) -> None:
    assert newcomers.share_of(stage.mirror.state, "B01") == 50
    assert newcomers.share_of(stage.mirror.state, "unknown") == newcomers.LEAST


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


async def reservation_of(stage: Stage, viewer: str, sku: str = "A01") -> str:
    claims = await stage.engine.claims(SHOP, show=SHOW, viewer=viewer)
    return next(claim.reservation for claim in claims if claim.item == sku and claim.state in ACTIVE_STATES)


async def cancel(stage: Stage, viewer: str) -> None:
    person = Person(viewer, viewer)
    one = Withdrawal(show=SHOW, speaker=person, id=new_id(), reservation=await reservation_of(stage, viewer))
    assert (await stage.path.cancel(stage.mirror, one))["reason"] == "cancelled"


async def says_less(stage: Stage, viewer: str) -> None:
    assert (await say(stage, viewer, "A01改1"))["reason"] == "reduced"


async def gives_up_by_word(stage: Stage, viewer: str) -> None:
    assert (await say(stage, viewer, "取消A01"))["reason"] == "cancelled"


async def staff_release(stage: Stage, viewer: str) -> None:
    await stage.catch_up()
    await stage.command("cancel", reservation=await reservation_of(stage, viewer))


async def hold_lapses(stage: Stage, viewer: str) -> None:
    """Its time is over before that of its charge: the promise to pay was taken back."""
    claim = {"shop": SHOP, "show": SHOW, "reservation": await reservation_of(stage, viewer)}
    assert (await stage.engine.submit(Confirm(id=new_id(), **claim))).outcome == "confirmed"
    await stage.engine.submit(Unconfirm(id=new_id(), seconds=1, **claim))
    while any(one.state == "held" for one in await stage.engine.claims(SHOP, show=SHOW, viewer=viewer)):
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("end", [cancel, says_less, gives_up_by_word, staff_release, hold_lapses])
async def test_what_has_ended_is_given_back_to_the_network_once(
    stage: Stage, end: Callable[[Stage, str], Awaitable[None]]
) -> None:
    """A share that was taken stayed taken until the first hold would have ended, whatever was given back."""
    await stage.command("start")
    await stage.engine.submit(Restock(id=new_id(), shop=SHOP, show=SHOW, item="A01", quantity=5))
    assert await press(stage, "new-1", "A01", 2) == "reserved"
    assert [await press(stage, f"new-{n}", "A01") for n in range(2, 6)] == ["reserved"] * 3 + ["share"]
    await end(stage, "new-1")
    back = 1 if end is says_less else 2
    answers = await asyncio.gather(*(press(stage, f"more-{n}", "A01") for n in range(6)))
    assert sorted(answers) == ["reserved"] * back + ["share"] * (6 - back)
    assert await held(stage, "A01") == 5


async def test_a_place_that_was_left_is_given_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "LEAST", 1)
    await stage.command("start")
    for number in range(5):
        await press(stage, f"regular-{number}", "A01", network="")
    assert [await press(stage, f"new-{n}", "A01") for n in range(3)] == ["waiting", "waiting", "share"]
    await cancel(stage, "new-0")
    assert [await press(stage, f"more-{n}", "A01") for n in range(2)] == ["waiting", "share"]


async def test_two_processes_give_back_once(stage: Stage) -> None:
    await stage.command("start")
    other = CommentPath(stage.store, stage.engine, 1_000)
    for number in range(5):
        assert await press(stage, f"new-{number}", "A01") == "reserved"
    await cancel(stage, "new-0")

    async def elsewhere(viewer: str) -> str:
        one = Press(show=SHOW, speaker=Person(viewer, viewer), id=new_id(), code="A01", network=NETWORK)
        try:
            return (await other.claim(stage.mirror, one))["reason"]
        except NetworkShareTaken:
            return "share"

    both = [call for n in range(10) for call in (press(stage, f"here-{n}", "A01"), elsewhere(f"there-{n}"))]
    answers = await asyncio.gather(*both)
    assert sorted(answers) == ["reserved"] + ["share"] * 19


async def test_what_is_sold_counts_and_what_is_on_its_way_stays() -> None:
    """Stock does not know the operation yet: it may come in a moment."""
    charges = [
        Charge("demo/new/first/A01", 2, 10.0),
        Charge("demo/new/second/A01", 3, 20.0),
        Charge("demo/new/third/A01", 1, 30.0),
    ]
    standing = Standing({"first": {"A01": 2}, "second": {"A01": 1, "B01": 9}})
    assert still_counted(charges, standing, "A01") == {"demo/new/second/A01": 1}
    grown = Standing({"first": {"A01": 5}, "second": {}})
    assert still_counted(charges, grown, "A01") == {}
    assert still_counted(charges, Standing({"first": {}, "second": {}, "third": {}}), "A01") == {
        one.name: 0 for one in charges
    }


async def test_claims_of_others_and_room_ask_stock_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.command("start")

    async def never(*_: object) -> dict[str, Standing]:
        raise AssertionError("stock was asked")

    monkeypatch.setattr(stage.engine, "standings", never)
    for number in range(5):
        assert await press(stage, f"new-{number}", "A01") == "reserved"
    await cancel(stage, "new-0")
    assert await press(stage, "regular", "A01", network="") == "reserved"
    await cancel(stage, "regular")


async def test_the_shares_on_a_cluster(tmp_path: Path) -> None:
    """The keys of a share lie in one slot, and another node than the one we know has it."""
    cluster = Cluster("valkey", tmp_path)
    try:
        await cluster.start()
        redis = await connect_store(f"redis://127.0.0.1:{cluster.ports[0]}")
        async with redis, opened_stage(redis, per_window=1_000) as stage:
            await stage.command("start")
            answers = await asyncio.gather(*(press(stage, f"new-{n}", "A01") for n in range(8)))
            assert sorted(answers) == ["reserved"] * 5 + ["share"] * 3
            for number in range(8):
                if answers[number] == "reserved":
                    await cancel(stage, f"new-{number}")
            answers = await asyncio.gather(*(press(stage, f"more-{n}", "A01") for n in range(8)))
            assert sorted(answers) == ["reserved"] * 5 + ["share"] * 3
    finally:
        cluster.stop()


async def test_what_was_sold_is_answered_as_sold_though_the_share_could_not_be_settled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.command("start")

    async def away(*_: object) -> None:
        raise ConnectionError("Valkey went in between")

    monkeypatch.setattr(newcomers.NewcomerShares, "_settled", away)
    assert await press(stage, "new-1", "A01") == "reserved"
    assert await held(stage, "A01") == 1
