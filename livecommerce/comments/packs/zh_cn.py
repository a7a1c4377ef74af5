"""Mainland China: "1", "扣1" and "666" are applause, and "+1" alone is agreement as often as an order."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.packs import zh
from livecommerce.comments.packs.pack import Pack

PACK: Final = Pack(
    name="zh-CN",
    words=(
        (kinds.NEGATION, "asks at the end", "不"),
        *zh.WORDS,
        (kinds.IGNORE, None, "么么哒|么么|亲们|宝|宝子|家人们|老铁|小助理|姐妹|姐妹们|主播姐姐"),
        (kinds.ASK, None, "啥价|咋卖|咋买|几号链接|什么价|有优惠吗|有券吗"),
        (kinds.TOPIC, None, "发货|包邮|优惠券|链接|券|赠品|运费险|七天无理由|偏码|码数|正码|断码"),
        (kinds.QUESTION, None, "咋|咋样|么"),
        (kinds.CLAIM, "strong", "给我来一件|给我来一个|我来一件|我来一个|给我来"),
        (kinds.PROSE, None, "链接已拍|拍下|点赞|刷屏|打call|双击"),
    ),
    bare_plus_binds=False,
)
