"""What a visible name and a visible line are, and which names pass for the people of the show: a row each."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from livecommerce.intake.errors import CommentNotText, CommentTooLong, NameRefused
from livecommerce.intake.reserved import Reserved, key_of
from livecommerce.intake.text import MARKS_MAX, NAME_LENGTH_MAX, checked_name, checked_text, drawn_width, graphemes

FAMILY = "👩\u200d👩\u200d👧\u200d👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
ZALGO = "\u0300\u0301\u0302\u0303\u0304\u0305\u0306"
OUR_STAFF = Reserved("小花選物店", ["玲玲", "Anna", "José"])


@pytest.mark.parametrize(
    "name",
    [
        "小花", FAMILY, "🇹🇼", ENGLAND, "1️⃣", "❤️", "👍🏽", "🏳️\u200d🌈", f"{FAMILY}小花",
        FAMILY * NAME_LENGTH_MAX,
        "می\u200cخواهم", "क\u094d\u200dष", "葛\U000e0100城", "Nguyễn Văn Á", "ผู้ดี", "שָׁלוֹם",
        "हिन्दी", "각", "O'Brien", "-",
        "字" * NAME_LENGTH_MAX, "Ghost", "Annabel", "guest",
    ],
)  # fmt: skip
def test_a_name_that_is_seen_is_kept_as_it_is(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "hidden"),
        (" \u3000\u00a0", "hidden"),
        ("\u200b\u200d\ufeff", "hidden"),
        ("\u3164", "hidden"),
        ("\u115f\u1160\uffa0", "hidden"),
        ("\u2800\u2800", "hidden"),
        ("\U000e0041\U000e0042", "hidden"),
        ("\ufe0f\ufe0f", "hidden"),
        ("\u0301\u0302", "hidden"),
        ("\ufffc", "hidden"),
        ("\U0001d159", "hidden"),
        ("小\u200b花", "hidden"),
        ("小\u3164花", "hidden"),
        ("a\u200db", "hidden"),
        ("小花\U000e0041", "hidden"),
        ("小\u00ad花", "hidden"),
        ("a\ufe0f", "hidden"),
        *((f"a{chr(code)}b", "hidden") for code in BIDI),
        (f"z{ZALGO}", "marks"),
        ("z\u0301\u0301", "marks"),
        ("小\u20dd\u20de\u20df\u20e0\u20e2", "marks"),
        ("字" * (NAME_LENGTH_MAX + 1), "length"),
        (FAMILY * (NAME_LENGTH_MAX + 1), "length"),
        ("\ufdfd" * 6, "length"),
        ("guest-ab12", "guest"),
        ("Guest ab12", "guest"),
    ],
)  # fmt: skip
def test_a_name_that_hides_or_breaks_is_refused_and_told_why(name: str, why: str) -> None:
    with pytest.raises(NameRefused) as refused:
        checked_name(name)
    assert refused.value.details["why"] == why


@pytest.mark.parametrize(
    "name",
    [
        "玲玲", "玲 玲", "⭐玲玲⭐", "玲玲 ☑", "玲玲1", "\u73b2\uf9ad", "玲\u2027玲", "Anna",
        "ANNA ✔", "Аnna", "Αnna", "Ａｎｎａ", "𝓐𝓷𝓷𝓪",
        "Jose", "JOSÉ", "小花選物店", "小花选物店", "小花選物店Line", "小花選物店 2", "主持人",
        "主持人 ✔", "主持人✓", "主㊗持人", "小美（主持人）",
        "官方", "官⽅", "官方🅥", "客服", "客服🅥", "線上客服", "管理员", "host", "Host", "hоst",
        "h0st", "𝗁ost", "ʜost", "Ⓗⓞⓢⓣ", "🅷🅾🆂🆃", "Ⓗost🅥",
        "h.o.s.t", "h o s t", "hóst", "host1", "host_1", "The Host", "moderator", "rnoderator",
        "Moderator ✔", "ᴀᴅᴍɪɴ", "Admin", "official",
    ],
)  # fmt: skip
def test_a_name_that_passes_for_the_people_of_the_show_is_taken(name: str) -> None:
    assert OUR_STAFF.takes(name)


@pytest.mark.parametrize(
    "name",
    [
        "小花",
        "Ghost",
        "Hostess",
        "Annabel",
        "Anne",
        "Modesty",
        "林小姐",
        FAMILY,
        "🇹🇼",
        "Node 節點",
        "guest",
        "系統家具迷",
        "小店",
        "玲",
        "Ben ✔",
    ],
)
def test_other_names_are_free(name: str) -> None:
    assert not OUR_STAFF.takes(name)


def test_a_shop_of_a_short_name_takes_that_name_alone() -> None:
    shop = Reserved("花店")
    assert shop.takes("花店 ✔")
    assert not shop.takes("花店迷")


def test_names_reserved_are_compared_by_what_they_look_like() -> None:
    assert Reserved("Shop", ["Anna"]) == Reserved("shop", ["АNNA"])
    assert Reserved("Shop", ["Anna"]) != Reserved("Shop")
    # the same names, and of one it is the shop's, which is found within others too
    shop, person = Reserved("小花選物店"), Reserved("", ["小花選物店"])
    assert shop.takes("小花選物店小幫手")
    assert not person.takes("小花選物店小幫手")
    assert shop != person
    assert key_of("") == key_of("✔") == ""
    assert not Reserved("", ["", "✔"]).takes("小花")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"z{ZALGO}!", f"z{ZALGO[:MARKS_MAX]}!"),
        ("\u202e.moc\u202c", ".moc"),
        ("\u2067abc\u2069", "abc"),
        ("+\u200b1", "+1"),
        ("小\u3164花", "小花"),
        (f"{FAMILY}+1", f"{FAMILY}+1"),
        (f"hi {ENGLAND} 🇹🇼 1️⃣", f"hi {ENGLAND} 🇹🇼 1️⃣"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("hi\U000e0041\U000e0042", "hi"),
        ("ผู้ดี ế", "ผู้ดี ế"),
    ],
)
def test_a_line_is_made_fit(text: str, shown: str) -> None:
    assert unicodedata.normalize("NFC", checked_text(text, 200)) == unicodedata.normalize("NFC", shown)


@pytest.mark.parametrize(
    "text", ["\u200b", "\u3164", "\u2800 \u2800", "\u202e", "\U000e0041", "\u0301", "\ufe0f", "\ufffc"]
)
def test_a_line_that_shows_nothing_is_none(text: str) -> None:
    with pytest.raises(CommentNotText):
        checked_text(text, 200)


@pytest.mark.parametrize(
    ("text", "length_max", "error"),
    [
        (FAMILY * 5, 10, None),
        ("👍🏽" * 11, 10, CommentTooLong),
        ("🇹🇼" * 10, 10, None),
        ("🇹🇼" * 11, 10, CommentTooLong),
        ("\ufdfd" * 10, 10, CommentTooLong),
    ],
)
def test_lines_are_measured_as_people_count(text: str, length_max: int, error: Any) -> None:
    if error is None:
        assert checked_text(text, length_max) == text
    else:
        with pytest.raises(error):
            checked_text(text, length_max)


def test_what_a_person_counts() -> None:
    assert (len(graphemes(f"{FAMILY}🇹🇼é각")), drawn_width("字a"), drawn_width(FAMILY)) == (4, 3, 2)
