"""Words that every show understands: sizes, English thanks, multiplication signs."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.packs.pack import Pack

PACK: Final = Pack(
    name="common",
    words=(
        (kinds.IGNORE, None, "thanks|thank you|thank u|thx|thnx|tks|tnx|ty|tysm|pls|plz|please|ok|okay|orz|tq"),
        (kinds.OPTION, None, "xs|s|m|l|xl|xxl|xxxl|2xl|3xl|4xl|5xl|2l|3l|4l|free size|freesize|one size"),
        (kinds.TIMES, None, "x"),
        (kinds.AGREE, None, "xd|xdd|xddd|lol|lmao|rofl"),
        (kinds.TIMES, None, "qty|quantity"),
    ),
)
