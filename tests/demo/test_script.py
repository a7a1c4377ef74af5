"""The demo's comments are repeatable and fit the product on screen."""

from __future__ import annotations

import random

from livecommerce.demo.catalogue import PRODUCTS
from livecommerce.demo.script import NAMES, bot_turns, remark


def test_the_same_seed_says_the_same_things() -> None:
    def said(seed: int) -> list[str]:
        chance = random.Random(seed)
        return [remark(chance, PRODUCTS[index % len(PRODUCTS)], PRODUCTS) for index in range(50)]

    assert said(7) == said(7)
    assert said(7) != said(8)


def test_every_product_has_a_code_a_price_and_its_skus() -> None:
    assert len(PRODUCTS) >= 8
    assert len({product.code for product in PRODUCTS}) == len(PRODUCTS)
    coat = PRODUCTS[0]
    assert coat.skus()[:4] == ["A01/紅色/S", "A01/紅色/M", "A01/紅色/L", "A01/黑色/S"]
    assert all(product.price_minor > 0 and product.supply_each > 0 and product.name_en for product in PRODUCTS)


def test_turns_name_every_bot_and_wait_a_bounded_time() -> None:
    turns = bot_turns(1, len(NAMES), 0.7)
    first = [next(turns) for _ in range(300)]
    assert {bot for bot, _, _ in first} == set(range(len(NAMES)))
    assert all(0 < pause <= 10 for _, pause, _ in first)
