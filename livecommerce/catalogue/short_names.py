"""Short names that viewers type for option values (`紅` for `紅色`, `M` for `Size M`), derived where nobody gave any.

Pure. Only what a market adds to a name without changing it is taken off: the word for colour, size or flavour. A short
name that another value of the product has, or would get, is nobody's: it would order the wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from livecommerce.comments.folding import fold

_BEFORE: Final = re.compile(
    r"(?:size|sz|color|colour|flavou?r|尺寸|尺碼|尺码|顏色|颜色|口味|สี|ไซส์|ไซซ์|ขนาด|màu|cỡ|사이즈|색상|컬러|kulay)"
    r"[ :：-]*(.+)",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(r"(.+?)[ -]*(?:色|號|号|碼|码|口味|味|색|호|사이즈|size)", re.IGNORECASE)
# "原色", "本色", "特號": what is left alone of these says nothing, or something else.
_NOT_ALONE: Final = frozenset("原本特雙双單单彩花純纯全大中小加")


def derived(values: Sequence[str], given: Sequence[str] = ()) -> dict[str, str]:
    """Value -> its short name, for the values that have one.

    Args:
        values: all values of one product, of every axis.
        given: short names that were given to some of them.
    """
    shorts = {value: short for value in values if (short := _shorter(value))}
    names = Counter(fold(name) for name in (*values, *shorts.values(), *given))
    return {value: short for value, short in shorts.items() if names[fold(short)] == 1}


def _shorter(value: str) -> str:
    """The value without its word for colour, size or flavour; empty where nothing meaningful is left."""
    found = _BEFORE.fullmatch(value) or _AFTER.fullmatch(value)
    short = found.group(1).strip() if found else ""
    return "" if short in _NOT_ALONE or fold(short) == fold(value) else short
