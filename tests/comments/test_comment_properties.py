"""What must hold for every text, not only for those somebody thought of. Failing texts are kept as @example."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livecommerce.comments import Cancel, CatalogueIndex, Reserve, fold, fold_for_match, parse
from livecommerce.comments.masking import mask
from livecommerce.comments.scoring import indexes

HERE = Path(__file__).parent
CATALOGS: dict[str, CatalogueIndex] = indexes(json.loads((HERE / "catalogs.json").read_text(encoding="utf-8")))
CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (HERE / "cases.jsonl").read_text(encoding="utf-8").split("\n") if line
]
PACKS = ("zh-TW", "zh-CN", "en", "th", "fil", "vi", "ko")
ACTING = [case for case in CASES if case["verdict"] in ("order", "change") and "\n" not in case["text"]]
ORDERING = [case for case in CASES if case["verdict"] == "order"]
PIECES = sorted(
    {word for case in CASES for word in (*case["text"].split(), case["text"])}
    | set("+-*x ,、\n?~1234567890紅黑換改各幫")
    | {
        "A01",
        "+1",
        "12",
        "不要",
        "取消",
        "A12+1",
        "１",
        "\u200b",
        "①",
        "\u0301",
        "e\u0301",
        "💕",
        "0912345678",
        "$5",
        "Ａ",
        "1/2",
    }
)
anything = st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
packs = st.lists(st.sampled_from(PACKS), min_size=1, max_size=3, unique=True).map(tuple)
pins = st.sampled_from(["A01", "A12", "12", "A1", "1", "123", "F3", "gone", None])
QUICK = settings(max_examples=400, deadline=None)


@QUICK
@given(text=anything, chosen=packs, pinned=pins, name=st.sampled_from(sorted(CATALOGS)))
@example(text="", chosen=("ko",), pinned=None, name="sea")
@example(text="\ud800+1", chosen=("zh-TW",), pinned="A12", name="apparel")
@example(text="한\u1100", chosen=("ko",), pinned="A12", name="sea")
@example(text="+" * 200, chosen=("en",), pinned="A12", name="sea")
def test_never_raises_and_never_names_an_item_outside_the_catalogue(
    text: str, chosen: tuple[str, ...], pinned: str | None, name: str
) -> None:
    index = CATALOGS[name]
    verdict = parse(text, index, chosen, pinned)
    assert parse(text, index, chosen, pinned) == verdict
    for intent in (*verdict.intents, *verdict.guess):
        codes = [intent.code] + ([intent.to_code] if hasattr(intent, "to_code") else [])
        assert all(code in index.items or (code is None and isinstance(intent, Cancel)) for code in codes)
        if intent.code is not None:
            values = {value for axis in index.items[intent.code].axes for value in axis}
            assert set(intent.options) <= values
        if isinstance(intent, Reserve):
            assert 1 <= intent.qty <= 99


@QUICK
@given(text=st.text(max_size=200) | anything)
@example(text="Å\u0301")
@example(text="Ａ\u0301")
@example(text="\u0e4d\u0e32")
@example(text="\u212b K\u0301")
@example(text="ﾟ가\u11a8")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_for_match(fold_for_match(text)) == fold_for_match(text)


@QUICK
@given(text=anything)
def test_masking_is_about_digits_only_once(text: str) -> None:
    assert not any("0" <= sign <= "9" for sign in mask("0912345678"))
    assert len(mask(fold(text))) <= 3 * len(fold(text)) + 3


POLITE = {
    "zh-TW": ["謝謝", "麻煩", "不好意思", "感謝老闆"],
    "zh-CN": ["谢谢", "麻烦"],
    "en": ["please", "thank you", "hi"],
    "th": ["ค่ะ", "ครับ", "ขอบคุณค่ะ"],
    "fil": ["po", "salamat po"],
    "vi": ["nha", "ạ", "cảm ơn shop"],
    "ko": ["감사합니다", "안녕하세요"],
}


@QUICK
@given(case=st.sampled_from(ACTING), data=st.data())
def test_politeness_emoji_and_spaces_never_change_the_intents(case: dict[str, Any], data: st.DataObject) -> None:
    extra = data.draw(st.sampled_from([*POLITE[case["packs"][0]], "🙏", "😍😍", "❤️", "🙋‍♀️", "👍🏻", "~~", "!!", "  "]))
    blank = data.draw(st.sampled_from([" ", "  ", "\u3000"]))
    before = data.draw(st.booleans())
    text = f"{extra}{blank}{case['text']}" if before else f"{case['text']}{blank}{extra}"
    verdict = parse(text, CATALOGS[case["catalog"]], case["packs"], case["pinned"])
    plain = parse(case["text"], CATALOGS[case["catalog"]], case["packs"], case["pinned"])
    assert verdict.intents == plain.intents, text


@QUICK
@given(case=st.sampled_from(ACTING), blank=st.sampled_from([" ", "  ", "\u3000", "\t"]))
def test_wider_blanks_never_change_the_intents(case: dict[str, Any], blank: str) -> None:
    text = case["text"].replace(" ", blank)
    verdict = parse(text, CATALOGS[case["catalog"]], case["packs"], case["pinned"])
    assert json.dumps(verdict.intents, default=repr) == json.dumps(
        parse(case["text"], CATALOGS[case["catalog"]], case["packs"], case["pinned"]).intents, default=repr
    )


NEGATIONS = {
    "zh-TW": ["不要", "先不要", "別", "沒有要", "不想"],
    "zh-CN": ["不要", "别", "不想要"],
    "en": ["don't want ", "not ", "I do not want "],
    "th": ["ไม่เอา ", "ไม่ ", "อย่า "],
    "fil": ["ayaw ko ng ", "wag ", "hindi "],
    "vi": ["không ", "đừng ", "chưa "],
    "ko": ["안 "],
}


@QUICK
@given(case=st.sampled_from(ORDERING), data=st.data())
def test_a_negated_order_never_reserves(case: dict[str, Any], data: st.DataObject) -> None:
    negation = data.draw(st.sampled_from(NEGATIONS[case["packs"][0]]))
    verdict = parse(negation + case["text"], CATALOGS[case["catalog"]], case["packs"], case["pinned"])
    assert verdict.verdict != "order", negation + case["text"]


@QUICK
@given(
    case=st.sampled_from(ACTING), place=st.integers(0, 60), sign=st.sampled_from("\u200b\u200d\u202e\u2060\ufeff①１")
)
def test_a_hidden_character_inside_never_makes_another_order(case: dict[str, Any], place: int, sign: str) -> None:
    if sign == "１":
        return  # full-width digits fold, they do not hide
    text = case["text"][:place] + sign + case["text"][place:]
    index = CATALOGS[case["catalog"]]
    verdict = parse(text, index, case["packs"], case["pinned"])
    plain = parse(case["text"], index, case["packs"], case["pinned"])
    assert not verdict.intents or verdict.intents == plain.intents, text


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_unicode_composition_does_not_matter(form: Any) -> None:
    for case in CASES:
        if form == "NFKC" and case["class"] not in ("plain", "claim", "counter", "fullwidth"):
            continue
        text = unicodedata.normalize(form, case["text"])
        index = CATALOGS[case["catalog"]]
        assert parse(text, index, case["packs"], case["pinned"]) == parse(
            case["text"], index, case["packs"], case["pinned"]
        ), case["text"]


@pytest.mark.nightly
@settings(max_examples=20_000, deadline=None)
@given(text=anything, chosen=packs, pinned=pins)
def test_a_long_round_of_anything(text: str, chosen: tuple[str, ...], pinned: str | None) -> None:
    for index in CATALOGS.values():
        parse(text, index, chosen, pinned)
    assert fold(fold(text)) == fold(text)
