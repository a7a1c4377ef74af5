"""What the bots say: a seeded, endless stream of chatter and orders as people write them. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator

from livecommerce.demo.catalogue import DemoProduct

NAMES = ("小魚", "阿凱", "Mina", "大頭", "Joy", "阿珠", "Nana", "小光", "阿玲", "Ken", "糖糖", "美玲姐")

CHATTER = (
    "主播今天氣色好好", "晚安～", "哈囉大家", "這個顏色好看", "剛下班來了", "音樂好聽", "主播加油", "好想要全部",
    "上次買的很滿意", "推推", "哈哈哈哈", "外面在下雨", "第一次看直播", "聲音很清楚", "笑死", "晚餐吃什麼",
    "+1 好笑", "樓上+1", "先不要+1，我再想想",
)  # fmt: skip
QUESTIONS = (
    "這件會縮水嗎？", "158 穿 S 可以嗎", "什麼時候出貨？", "還有貨嗎", "可以面交嗎？", "{code}多少錢？", "有實體店嗎",
)  # fmt: skip
UNCLEAR = ("上一件 +1 還來得及嗎", "咖色那件我要", "{code}", "{code} {code2}+1+1", "我要那個兩百的")
BARE = ("+1", "＋1", "+1 謝謝", "+2", "我要+1")
CODED = ("{code}+1", "{code} +1", "{lower}+1", "{code}+2", "{name}+1", "{code}+1 謝謝主播")
OPTIONED = ("{code}{options}+1", "{code} {spaced} +1", "{options}+1", "{name} {spaced} +1", "{code}{options}+2")
CHANGES = ("{code}取消", "{code}-1", "{code}改1")


def _order(chance: random.Random, pinned: DemoProduct) -> str:
    if pinned.options:
        values = [chance.choice([(name, *shorts)[-1] for name, shorts in axis.items()]) for _, axis in pinned.options]
        form = chance.choice(OPTIONED)
        return form.format(code=pinned.code, name=pinned.names[0], options="".join(values), spaced=" ".join(values))
    form = chance.choice(BARE if chance.random() < 0.5 else CODED)
    return form.format(code=pinned.code, lower=pinned.code.lower(), name=pinned.names[0])


def remark(chance: random.Random, pinned: DemoProduct | None, others: tuple[DemoProduct, ...]) -> str:
    """One comment's text while `pinned` is on screen: about half are orders, as in a good show."""
    draw = chance.random()
    if pinned is not None and draw < 0.5:
        return _order(chance, pinned)
    code, code2 = (item.code for item in chance.sample(others, 2))
    if draw < 0.56:
        return chance.choice(CHANGES).format(code=code)
    if draw < 0.66:
        return chance.choice(QUESTIONS).format(code=code)
    if draw < 0.72:
        return chance.choice(UNCLEAR).format(code=code, code2=code2)
    return chance.choice(CHATTER)


def bot_turns(seed: int, bots: int, comments_per_second: float) -> Iterator[tuple[int, float, random.Random]]:
    """Endless (bot, seconds to wait, its source of chance): pauses are exponential, as arrivals are."""
    chance = random.Random(seed)
    while True:
        yield chance.randrange(bots), min(10.0, chance.expovariate(comments_per_second)), chance
