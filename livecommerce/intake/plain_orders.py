"""Whether an order is an order and no more: its words are then no matter for the rules of the chat. Pure."""

from __future__ import annotations

import re

from livecommerce.comments import fold
from livecommerce.shows.state import PublicItem, State

# What orders and changes are written with beside the words of the catalogue: quantities, measures, verbs, thanks.
_ORDER_WORDS = re.compile(
    r"我|要|想|買|买|訂|订|加|退|取消|改|換|换|成|不|了|謝謝|谢谢|感謝|麻煩|請|请|的|這|这|個|个|件|組|组|份|包|雙|双|條|条|瓶|盒|套|支"
    r"|顆|颗|台|隻|只|號|号|款|尺寸|顏色|颜色|色|碼|码|各|兩|两|[一二三四五六七八九十]"
    r"|\b(?:i|want|take|buy|order|cancel|change|to|pcs?|pieces?|please|pls|thanks?|thank|you|the|size|each|and|for|me|one"
    r"|two|three|x)\b"
)
_NO_WORDS = re.compile(r"[\W\d_x]*")
_LONG_NUMBER = re.compile(r"\d{5}")  # of a phone or an account, not of pieces


def is_bare(text: str, state: State) -> bool:
    """Whether nothing is left of an order's text without the catalogue's words and those that orders are written with.

    In doubt it is not: the order counts all the same, only its words are not shown.
    """
    left = fold(text).casefold()
    for word in sorted({word for item in state["items"].values() for word in _words(item)}, key=len, reverse=True):
        left = left.replace(word, " ")
    if _LONG_NUMBER.search(left):
        return False
    return _NO_WORDS.fullmatch(_ORDER_WORDS.sub(" ", left)) is not None


def _words(item: PublicItem) -> list[str]:
    values = [value for axis in item["options"] for value in axis["values"]]
    named = [item["code"], item["name_en"], *item["names"]]
    named += [word for value in values for word in (value["value"], *value["short"])]
    return [folded for word in named if (folded := fold(word).casefold().strip())]
