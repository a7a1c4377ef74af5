"""Strong orders and changes: the words around them do not matter, unless they speak against them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livecommerce.comments import Cancel, CatalogueIndex, Reserve, parse
from livecommerce.comments.scoring import indexes
from tests.comments.comment_table import written

CATALOGS = indexes(json.loads((Path(__file__).parent / "catalogs.json").read_text(encoding="utf-8")))

# By pack: a strong order of one A12, a strong cancellation of it, clauses whose words are on no list, and dangers in
# the clause of the order ("{}").
PACKS = {
    "zh-TW": (
        "A12+1",
        "A12取消",
        ("颱風天躲在棉被裡滑手機", "烏龜昨夜爬上了窗台", "鋼琴課延到七點", "巷口那攤蔥油餅收攤囉"),
        ("不要{}", "樓上{}", "如果有現貨{}", "{}還是B02+1", "他說{}", "昨天{}", "{}多少錢", "等領錢再{}"),
    ),
    "zh-CN": (
        "A12+1",
        "A12取消",
        ("外卖小哥刚敲门", "猫把键盘踩乱啦", "高铁误点一小时", "楼道灯昏暗一礼拜"),
        ("不要{}", "楼上{}", "如果补货{}", "{}还是B02+1", "他说{}", "昨天{}", "{}多少钱"),
    ),
    "en": (
        "A12 +1",
        "cancel A12",
        ("the cat walked over my keyboard", "sunburnt from the beach", "roast chicken is burning"),
        ("not {}", "if available {}", "{} or B7", "she said {}", "{} yesterday", "how much is {}", "maybe {}"),
    ),
    "th": (
        "A12 1 ตัว",
        "ยกเลิก A12",
        ("ฝนตกน้ำท่วมซอย", "แมวเหยียบคีย์บอร์ด", "กำลังทอดไข่เจียว"),
        ("ไม่เอา {}", "ถ้ามีโปร {}", "{} หรือ B7", "เมื่อวาน {}", "{} เท่าไหร่"),
    ),
    "fil": (
        "mine A12",
        "pa-cancel A12",
        ("umuulan dito sa Tondo", "tulog si bunso", "nagluluto ng sinigang"),
        ("ayaw ko {}", "kung meron {}", "{} o B7", "magkano {}", "siguro {}"),
    ),
    "vi": (
        "A12 1 cái",
        "hủy A12",
        ("mèo dẫm lên bàn phím", "trời mưa ngập hẻm", "nồi cơm sắp khét"),
        ("không lấy {}", "nếu giảm {}", "{} hay B7", "{} bao nhiêu", "hôm qua {}"),
    ),
    "ko": (
        "A12 1개요",
        "A12 취소요",
        ("고양이가 키보드를 밟았네요", "라면 물이 넘쳤어요", "지하철에서 졸았어요"),
        ("만약 세일하면 {}", "{} 얼마예요", "아마 {}"),
    ),
}
ORDER, CANCEL = Reserve("A12", (), 1), Cancel("A12", ())


def catalogue(pack: str) -> CatalogueIndex:
    return CATALOGS["apparel" if pack.startswith("zh") else "sea"]


@pytest.mark.parametrize("pack", PACKS)
def test_a_harmless_clause_before_or_after_changes_nothing(pack: str) -> None:
    order, cancel, harmless, _ = PACKS[pack]
    for clause in harmless:
        assert not parse(clause, catalogue(pack), [pack], None).intents
        for joint in ("，" if pack.startswith("zh") else ", ", "! ", "\n", " 😂 "):
            for strong, intent in ((order, ORDER), (cancel, CANCEL)):
                for text in (f"{clause}{joint}{strong}", f"{strong}{joint}{clause}"):
                    assert parse(text, catalogue(pack), [pack], None).intents == (intent,), text


@pytest.mark.parametrize("pack", PACKS)
def test_a_danger_in_its_clause_stops_it(pack: str) -> None:
    order, _, harmless, dangers = PACKS[pack]
    for danger in dangers:
        for text in (danger.format(order), f"{harmless[0]}! {danger.format(order)}"):
            assert not any(
                isinstance(intent, Reserve) for intent in parse(text, catalogue(pack), [pack], None).intents
            ), text


@pytest.mark.parametrize("pack", PACKS)
def test_a_danger_makes_no_order_of_nothing(pack: str) -> None:
    _, _, harmless, dangers = PACKS[pack]
    for danger in dangers:
        for clause in harmless:
            assert not parse(f"{danger.format('')}, {clause}", catalogue(pack), [pack], "A12").intents


# A text, and what it must be: each stands for a rule of cores.py, dangers.py or strong.py.
STORIES = {
    "a reason for cancelling is not a report": ("zh-TW", "apparel", None, "A12取消 冰箱壞了", "!A12"),
    "what is kept is not cancelled": ("zh-TW", "food", None, "我取消蘋果就好，草莓照舊", "!F2"),
    "a count for somebody is a remark": ("zh-TW", "food", None, "草莓三盒，兩盒要送公婆的", "F1*3"),
    "quantities may stand before": ("zh-TW", "food", None, "鳳梨酥 一盒原味 一盒蛋黃", "F3(原味)*1 F3(蛋黃)*1"),
    "the colour said once holds for the sizes after it": (
        "zh-TW", "apparel", None, "外套黑 S+1 M+1 L+2 合唱團要的", "A01(黑色,S)*1 A01(黑色,M)*1 A01(黑色,L)*2",
    ),
    "a pronoun cancels the latest": ("zh-TW", "apparel", "A12", "剛剛那個不要了", "!_"),
    "all of them is nobody's guess": ("zh-TW", "apparel", "A12", "全部取消", "unclear"),
    "a name inside a longer word is no name": ("zh-TW", "food", None, "草莓大福+1 下午茶吃", "unclear"),
    "a twin asks": ("zh-TW", "food", None, "草莓甜不甜", "question"),
    "what is offered to others is no order": ("zh-TW", "apparel", None, "想要A12的+1", "unclear"),
    "from one amount to another": ("zh-TW", "food", None, "F2從2盒改成4盒，外婆家也要送", "F2=4"),
    "a range is no quantity": ("fil", "sea", "A12", "mine 2-3 pcs", "unclear"),
    "dozens of an unknown size are none": ("zh-TW", "apparel", None, "襪子+10幾雙", "unclear"),
    "too late for it": ("th", "sea", None, "cf A12 ไม่ทัน 😭", "none"),
    "one less, said with taking out": ("ko", "sea", None, "A12 한 장 빼주세요", "A12-1"),
    "not this but that is an exchange": ("ko", "sea", None, "A1 빨강 말고 핑크로 바꿔주세요", "A1(red)>A1(pink)"),
    "a Korean verb at the end decides": ("ko", "sea", None, "A12 하나만 더 보여주세요", "unclear"),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_story(story: str) -> None:
    pack, catalog, pinned, text, answer = STORIES[story]
    assert written(parse(text, CATALOGS[catalog], [pack], pinned)) == answer
