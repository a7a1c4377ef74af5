"""Taiwan, Hong Kong: "+1" on the item shown is an order."""

from __future__ import annotations

from typing import Final

from livecommerce.comments.packs import zh
from livecommerce.comments.packs.pack import Pack

PACK: Final = Pack(
    name="zh-TW",
    words=zh.WORDS,
)
