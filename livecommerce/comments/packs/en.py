"""English: "sold A12", "I'll take A12"."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.packs import english
from livecommerce.comments.packs.pack import Pack

PACK: Final = Pack(
    name="en",
    words=(
        (
            kinds.CLAIM,
            "strong",
            (
                "cf|mine|mine please|dibs|dibs on|sold|i want|i'll take|ill take|i will take|i'd like|i would like"
                "|i'll buy|i will buy|i'll have"
                "|i'll get|i want to buy|i want to order|i'd like to buy|i'd like to order|i would like to order"
                "|i wanna buy|i wanna order|i'd love|sold to me|i'm buying|i will get|i'll order|i also want"
                "|i'd like to get|i want to get|put me down for"
            ),
        ),
        (
            kinds.CLAIM,
            "attached",
            (
                "buy|buying|order|ordering|purchase|claim|claiming|give me|gimme|want|want to buy|want to order"
                "|please reserve|reserve|wanna buy|reserve me|kindly book|please book|book me|pls book|book for me"
            ),
        ),
        *english.WORDS,
        (
            kinds.PROSE,
            None,
            (
                "of mine|friend of mine|dress code|promo code|discount code|voucher code|zip code"
                "|sold it|i sold|we sold|you sold|just sold|they sold|she sold|he sold|who sold|got sold"
                "|i want to know|i want to see|i want to sleep|in order|order number|in order to|buy me|sold my"
                "|i want to go|i'd like to know|i'd like to see|i want to watch"
            ),
        ),
    ),
)
