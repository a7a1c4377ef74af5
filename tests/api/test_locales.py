"""Which locale a request gets, and which texts a page takes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from livecommerce.api.locales import Texts, choose_locale


@pytest.mark.parametrize(
    ("cookie", "accepted", "locale"),
    [
        (None, None, "zh-TW"),
        ("en", "zh-TW", "en"),
        ("xx", "en-US,en;q=0.9", "en"),
        (None, "fr,zh-CN;q=0.5,en;q=0.3", "zh-TW"),
        (None, "zh;q=0.1,en;q=0.9", "en"),
        (None, "en;q=0", "zh-TW"),
        (None, "en;q=x", "zh-TW"),
        (None, ";;;,,,", "zh-TW"),
    ],
)
def test_the_locale(cookie: str | None, accepted: str | None, locale: str) -> None:
    assert choose_locale(cookie, accepted, "zh-TW") == locale


def test_a_page_takes_its_own_texts_and_sees_them_change(tmp_path: Path) -> None:
    for name, texts_of_file in {"shared": {"common.ok": "Fine"}, "watch": {"watch.title": "Live"}, "shop": {}}.items():
        (tmp_path / "en").mkdir(exist_ok=True)
        (tmp_path / "en" / f"{name}.json").write_text(json.dumps(texts_of_file))
    texts = Texts(tmp_path)
    assert texts.of("en", "watch") == {"common.ok": "Fine", "watch.title": "Live"}
    with pytest.raises(KeyError):
        texts.of("en", "shop")["watch.title"]
    file = tmp_path / "en" / "watch.json"
    file.write_text(json.dumps({"watch.title": "On air"}))
    os.utime(file, ns=(1, 1))
    texts._fresh.clear()  # a second later
    assert texts.of("en", "watch")["watch.title"] == "On air"
