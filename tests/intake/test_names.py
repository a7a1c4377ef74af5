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
        "字" * NAME_LENGTH_MAX, "Ghost", "Annabel", "guest", "Guesten", "guests", "guestroom", "Guest of honour",
        "Augusta 12", "Gus-12", "來賓-ab12", "guestbook-lover",
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
        *(
            (name, "guest")
            for name in (
                "guest\u2010o4vr", "guest\u2011o4vr", "guest—o4vr", "guest–o4vr", "guest−o4vr", "guest:o4vr",
                "guest.o4vr",
                "guest~o4vr", "guest・o4vr", "guest\u3000o4vr", "guest一o4vr", "guestーo4vr", "guest✔o4vr",
                "guest-o4vr ✔",
                "⭐guest-o4vr", "guesto4vr", "guest12", "GUEST_O4VR", "ｇｕｅｓｔ－ｏ４ｖｒ", "gu\u0435st-o4vr",
                "gυest-o4vr",
                "ɡuest-o4vr", "𝗀𝗎𝖾𝗌𝗍-o4vr", "gu3st-o4vr", "gue5t-o4vr", "gúest-o4vr", "g.u.e.s.t-o4vr", "guest-о4vr",
                "ⓖⓤⓔⓢⓣ-o4vr",
            )
        ),
        ("guest\u200b-o4vr", "hidden"),
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
        "店主", "玲玲家店主", "店主 ✔", "店主1", "王店長", "王店长", "主播", "主播 ✔", "ㄓ主播", "系統", "系统",
        "系統 ✔", "系統通知",
        "系统消息", "管理員 ✔", "宫方", "宮方", "主恃人", "播主", "主㊗播", "賣家", "卖家", "好物賣家", "老闆娘",
        "場控", "小花選物店客服",
        "小花選物店旳", "System message", "SYSTEM MESSAGE", "Ｓｙｓｔｅｍ　ｍｅｓｓａｇｅ", "Sуstem",
        "System-notice", "Support team", "ADM1N",
        "adm!n", "@dmin", "$ystem", "0wner", "H0st", "Shop owner", "Customer Service", "スタッフ", "운영팀",
        "스태프", "직원", "판매자 ✔", "시스템",
        "ผู้ขาย", "แม่ค้า", "ทีมงาน", "Quản trị viên", "quan tri", "Chủ shop", "Người bán", "Nhân viên Lan",
        "Tindera", "May-ari ng shop",
        "Opisyal",
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
        "陳老闆",
        "書店主婦",
        "南宮方圓",
        "宮小姐",
        "玉玲",
        "賣家俱的",
        "商家莊",
        "王大明",
        "Systema",
        "Sup Porter",
        "Homeowner",
        "Staffan",
        "Modeste",
        "Lan Nguyen",
        "Mayari",
        "Adam1",
        "민지",
        "แม่ค้าขนม",
        "小幫手",
    ],
)
def test_other_names_are_free(name: str) -> None:
    assert not OUR_STAFF.takes(name)


def test_a_name_is_the_hosts_where_the_host_has_it() -> None:
    """玲玲 is a common name: taken in the shop where one of the staff is called so, free in all others."""
    assert OUR_STAFF.takes("玲玲")
    assert not Reserved("小花選物店", ["Anna"]).takes("玲玲")


def test_a_shop_is_not_taken_by_an_ideograph_that_looks_alike() -> None:
    shop = Reserved("我的小店", ["玉玲"])
    assert shop.takes("我旳小店")
    assert shop.takes("主玲 ✔")
    assert not shop.takes("我家小店")


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
