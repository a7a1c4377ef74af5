"""The catalogue side: set-up warnings, a shop's own words, aliases learned, past shows read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livecommerce.comments import (
    Alias,
    Axis,
    CatalogueIndex,
    ItemWords,
    PackUnknown,
    PastComment,
    Reason,
    Reserve,
    ShopWords,
    Verdict,
    check_catalogue,
    fold_for_match,
    parse,
    reparse,
    suggest_alias,
)
from livecommerce.comments.scoring import item_words

HERE = Path(__file__).parent
APPAREL = item_words(json.loads((HERE / "catalogs.json").read_text(encoding="utf-8"))["apparel"])
COLOURS = Axis("顏色", (("紅色", ("紅",)), ("M", ())))


@pytest.mark.parametrize(
    ("items", "reason", "clash"),
    [
        ([ItemWords("A01"), ItemWords("ａ０１")], "same_code", "A01"),
        ([ItemWords("12")], "all_digits", "+12"),
        ([ItemWords("590")], "all_digits", "$590"),
        ([ItemWords("A1"), ItemWords("A1X2")], "reads_as_quantity", "A1 x 2"),
        ([ItemWords("M", ("外套",), (COLOURS,))], "reads_as_option", "M"),
        ([ItemWords("XL")], "reads_as_option", "xl"),
        ([ItemWords("RED")], "reads_as_option", "red"),
        ([ItemWords("MINE")], "reads_as_word", "mine"),
        ([ItemWords("CFA1"), ItemWords("A1")], "touches_claim", "cf A1"),
        ([ItemWords("LUCKY")], "game_keyword", "lucky"),
        ([ItemWords("A1", ("抽獎",))], "game_keyword", "抽獎"),
        ([ItemWords("A1", ("外套",)), ItemWords("A2", ("外套",))], "same_name", "A1"),
        ([ItemWords("A1", ("B2",)), ItemWords("B2")], "same_name", "B2"),
        ([ItemWords("\u041001")], "look_alike", "\u043001"),
    ],
)
def test_a_risky_code_is_named_with_what_it_clashes_with(items: list[ItemWords], reason: str, clash: str) -> None:
    warnings = check_catalogue(items, ["zh-TW", "en", "fil", "th"], ["lucky", "抽獎"])
    assert (reason, clash) in {(warning.reason, warning.clash) for warning in warnings}
    assert all(warning.clash in warning.text for warning in warnings)


def test_ordinary_codes_raise_no_warning() -> None:
    assert check_catalogue([item for item in APPAREL if item.code != "12"], ["zh-TW"]) == []


def test_a_shared_name_is_never_guessed() -> None:
    index = CatalogueIndex.build([ItemWords("A1", ("外套",)), ItemWords("A2", ("外套",))])
    assert parse("外套+1", index, ["zh-TW"], None).reason == Reason.SHARED_NAME


def test_a_code_that_looks_like_a_multiple_wins_over_the_multiple() -> None:
    plain = CatalogueIndex.build([ItemWords("A1")])
    both = CatalogueIndex.build([ItemWords("A1"), ItemWords("A1X2"), ItemWords("CFA1")])
    assert parse("A1x2+1", both, ["th"], None).intents == (Reserve("A1X2", (), 1),)
    assert parse("A1x2", both, ["th"], None).verdict == "unclear"
    assert parse("CFA1", both, ["th"], None).verdict == "unclear"
    assert parse("A1x2", plain, ["th"], None).intents == (Reserve("A1", (), 2),)
    assert parse("CFA1", plain, ["th"], None).intents == (Reserve("A1", (), 1),)


def test_codes_with_dashes_and_numeric_sizes() -> None:
    shoes = ItemWords("S-1", ("球鞋",), (Axis("尺寸", (("38", ()), ("39", ()))),))
    index = CatalogueIndex.build([shoes, ItemWords("S-12")])
    assert parse("S-1 38+1", index, ["zh-TW"], None).intents == (Reserve("S-1", ("38",), 1),)
    assert parse("S-12+1", index, ["zh-TW"], None).intents == (Reserve("S-12", (), 1),)
    assert parse("38+1", index, ["zh-TW"], "S-1").intents == (Reserve("S-1", ("38",), 1),)
    assert parse("S-1 38", index, ["zh-TW"], None).verdict == "unclear"
    assert parse("S-1 40+1", index, ["zh-TW"], None).verdict == "unclear"


def test_a_shop_adds_its_own_words() -> None:
    words = ShopWords(
        order=("喊",),
        cancel=("棄",),
        ignore=("小魚老闆",),
        look_alikes={"囗": "口"},
        aliases={"毛毛外套": "A01", "口罩": "B02"},
    )
    index = CatalogueIndex.build(APPAREL, shop_words=words, packs=["zh-TW"])
    read = lambda text: parse(text, index, ["zh-TW"], None).intents  # noqa: E731
    assert read("喊A12") == (Reserve("A12", (), 1),)
    assert parse("A12棄", index, ["zh-TW"], None).verdict == "change"
    assert read("小魚老闆 A12+1") == (Reserve("A12", (), 1),)
    assert read("囗罩+1") == (Reserve("B02", (), 1),)
    assert read("毛毛外套 黑M+1") == (Reserve("A01", ("黑色", "M"), 1),)


def test_an_accepted_correction_becomes_an_alias_and_then_an_order() -> None:
    index = CatalogueIndex.build(APPAREL)
    accepted = Reserve("A01", (), 1)
    assert parse("毛毛+1", index, ["zh-TW"], None).verdict != "order"
    learned = suggest_alias("毛毛+1 謝謝", accepted, index, ["zh-TW"])
    assert learned == Alias("毛毛", "A01")
    wiser = CatalogueIndex.build(APPAREL, shop_words=ShopWords(aliases={learned.alias: learned.code}))
    assert parse("毛毛+1", wiser, ["zh-TW"], None).intents == (accepted,)


@pytest.mark.parametrize(
    "text",
    [
        "+1",
        "A01+1",
        "洋裝+1",
        "毛毛 +1 或是 好嗎",
        "\u041001+1",
        "不要毛毛+1",
        "一句很長很長很長很長很長很長很長很長的話+1",
    ],
)
def test_no_alias_is_learned_where_nothing_or_too_much_is_unknown(text: str) -> None:
    assert suggest_alias(text, Reserve("A01", (), 1), CatalogueIndex.build(APPAREL), ["zh-TW"]) is None


def test_a_past_show_is_read_again_and_only_the_differences_are_listed() -> None:
    index = CatalogueIndex.build(APPAREL)
    old = Verdict("unclear", (), Reason.UNKNOWN_WORDS, version="0")
    past = [
        PastComment("c1", "A12+1", None, old),
        PastComment("c2", "晚安", None, Verdict("none", (), Reason.CHATTER, version="0")),
        PastComment("c3", "+1", "B02", Verdict("order", (Reserve("B02", (), 1),), Reason.ORDER, version="0")),
    ]
    differences = list(reparse(past, index, ["zh-TW"]))
    assert [(each.id, each.before.verdict, each.after.verdict) for each in differences] == [("c1", "unclear", "order")]


def test_unclear_comments_carry_a_best_guess_for_the_moderator() -> None:
    index = CatalogueIndex.build(APPAREL)
    assert parse("A01 黑 M", index, ["zh-TW"], None).guess == (Reserve("A01", ("黑色", "M"), 1),)
    assert parse("A12+2 應該吧", index, ["zh-TW"], None).guess == (Reserve("A12", (), 2),)
    assert parse("還有嗎", index, ["zh-TW"], "B02").guess == (Reserve("B02", (), 1),)
    assert parse("晚安", index, ["zh-TW"], "B02").guess == ()


def test_blocked_words_match_through_disguises() -> None:
    assert fold_for_match("Ｖ\u200bｉａɡｒａ") == "viaɡra"
    assert fold_for_match("\u0421ASINO") == fold_for_match("c\u200basino") == "casino"
    assert fold_for_match("詐騙") == fold_for_match("诈骗")


def test_an_unknown_pack_is_refused_by_name() -> None:
    with pytest.raises(PackUnknown, match="klingon"):
        parse("+1", CatalogueIndex.build(APPAREL), ["klingon"], None)
