"""What the path of a comment looks at is as new as the log that was read."""

from __future__ import annotations

import pytest

from livecommerce.comments import ShopWords
from livecommerce.intake import mirror as module
from livecommerce.intake.mirror import ShowMirror
from livecommerce.shows.shop_words import KeptWords
from tests.intake.demo_show import ANNA, SHOP, SHOW, Stage, new_id


async def test_a_mirror_that_moves_on_is_as_one_just_opened(stage: Stage) -> None:
    await stage.say(ANNA, "hello")
    await stage.say(ANNA, "A01+2")
    await stage.command("words", add=["bargain"])
    await stage.command("close_item", code="A02")
    await stage.command("pin", code="B01")
    fresh = await ShowMirror.opened(stage.store, SHOW)
    left_out = ("now", "version")  # of the moment of reading
    for key in fresh.state.keys() - set(left_out):
        assert stage.mirror.state[key] == fresh.state[key], key
    assert stage.mirror.words.find("a bargain") == fresh.words.find("a bargain") is not None


async def test_a_removed_product_is_no_longer_understood(stage: Stage) -> None:
    await stage.command("remove_item", code="B01")
    answer = await stage.say(ANNA, "B01+1")
    assert (answer["verdict"], answer["reason"]) == ("unclear", "unknown_code")


async def test_a_price_behind_a_claim_is_the_price_as_it_is_now(stage: Stage) -> None:
    await stage.command("price", code="A01", price_minor=149)
    answer = await stage.say(ANNA, "我要A01 149")
    assert [(line["item"], line["reserved"]) for line in answer["lines"]] == [("A01", 1)]
    await stage.command("price", code="A01", price_minor=199)
    assert (await stage.say(ANNA, "我要A01 149"))["verdict"] == "unclear"


async def test_the_index_is_made_anew_for_words_alone(stage: Stage) -> None:
    """It takes longer than a tick should, and a host changes prices and closes products all the time."""
    index = stage.mirror.index
    await stage.command("price", code="A01", price_minor=1)
    await stage.command("close_item", code="B01")
    await stage.command("pin", code="A01")
    assert stage.mirror.index is index
    assert stage.mirror.state["items"]["A01"]["price_minor"] == 1
    bag = {"code": "A01", "names": ["帆布包", "大包"], "price_minor": 1, "supply": {"A01": 0}}
    await stage.command("add_item", item=bag)
    assert (await stage.say(ANNA, "大包+1"))["lines"][0]["item"] == "A01"


async def test_the_words_of_the_shop_are_used_from_the_next_comment_on(stage: Stage) -> None:
    words = ShopWords(aliases={"大包": "A01"})
    stage.mirror.use_words(words)
    assert (await stage.say(ANNA, "大包+1"))["lines"][0]["item"] == "A01"
    assert await stage.store.put_shop_words(SHOP, 0, KeptWords(1, words))
    stage.mirror = await ShowMirror.opened(stage.store, SHOW)
    assert (await stage.say(ANNA, "大包+1"))["lines"][0]["item"] == "A01", "and by who opens it then"


async def test_who_spoke_elsewhere_counts_before_it_is_folded(stage: Stage) -> None:
    now = stage.store.now_ms()
    line = {"t": "chat", "id": new_id(), "viewer": "anna", "name": "Anna", "text": "hi", "at": now, "kind": "viewer"}
    pressed = {"op": "reserve", "source": "button", "viewer": "anna", "id": new_id()}
    said = {**pressed, "source": "comment", "id": new_id()}  # its line of chat is counted
    stage.mirror.heard([line, {"t": "claims", "at": now, "claims": [pressed, said]}])
    assert stage.mirror.rate.wait_ms("anna", 2, now) > 0
    assert stage.mirror.rate.wait_ms("anna", 3, now) <= 0
    assert stage.mirror.last_chat_ms == {}
    stage.mirror.move_on([line], "9999999999999-0")
    assert (stage.mirror.last_chat_ms, stage.mirror.state["offset"]) == ({"anna": now}, "9999999999999-0")


async def test_who_spoke_long_ago_is_forgotten_first(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_CHATS_MAX", 2)
    for at, viewer in enumerate(("anna", "ben", "anna", "cleo")):
        stage.mirror.note_chat(viewer, at)
    assert stage.mirror.last_chat_ms == {"anna": 2, "cleo": 3}
