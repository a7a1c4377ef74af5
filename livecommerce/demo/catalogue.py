"""The demo shop's products: clothes with colours and sizes, food with flavours, and things for the table."""

from __future__ import annotations

from itertools import product as every_combination

from msgspec import Struct

from livecommerce.stock.skus import sku_of_parts

SHOP_ID = "demo"
SHOP_NAME = "玲玲的小舖"
SHOW_ID = "demo"
SHOW_TITLE = "週三夜場"
CURRENCY = "TWD"


class DemoProduct(Struct, frozen=True):
    """One product as `POST /api/products` takes it, and how many of each sku the show starts with."""

    code: str
    names: tuple[str, ...]
    name_en: str
    price_minor: int
    compare_at_minor: int
    picture: str
    description: str
    supply_each: int
    limit_per_viewer: int = 0
    options: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = ()

    def skus(self) -> list[str]:
        """`code/value/value` for every combination of option values, in axis order."""
        if not self.options:
            return [self.code]
        axes = [list(values) for _, values in self.options]
        return [sku_of_parts(self.code, values) for values in every_combination(*axes)]


PRODUCTS: tuple[DemoProduct, ...] = (
    DemoProduct(
        code="A01",
        names=("針織外套", "外套"),
        name_en="Knit cardigan",
        price_minor=590,
        compare_at_minor=780,
        picture="knit-coat",
        description="柔軟不扎，辦公室冷氣房也剛好。",
        supply_each=9,
        limit_per_viewer=3,
        options=(
            ("顏色", {"紅色": ("紅",), "黑色": ("黑",), "白色": ("白", "米白")}),
            ("尺寸", {"S": (), "M": (), "L": ()}),
        ),
    ),
    DemoProduct(
        code="A02",
        names=("寬褲", "褲子"),
        name_en="Wide trousers",
        price_minor=390,
        compare_at_minor=0,
        picture="wide-trousers",
        description="垂墜感好，158 到 172 公分都能穿。",
        supply_each=17,
        limit_per_viewer=3,
        options=(("顏色", {"黑色": ("黑",), "灰色": ("灰",), "卡其色": ("卡其",)}),),
    ),
    DemoProduct(
        code="A12",
        names=("洋裝",),
        name_en="Linen dress",
        price_minor=780,
        compare_at_minor=980,
        picture="dress",
        description="亞麻混紡，有口袋。",
        supply_each=24,
        limit_per_viewer=2,
    ),
    DemoProduct(
        code="B02",
        names=("帆布包", "包包"),
        name_en="Canvas bag",
        price_minor=250,
        compare_at_minor=0,
        picture="canvas-bag",
        description="裝得下 14 吋筆電，內有暗袋。",
        supply_each=30,
        limit_per_viewer=5,
    ),
    DemoProduct(
        code="B05",
        names=("襪子", "羊毛襪"),
        name_en="Wool socks",
        price_minor=100,
        compare_at_minor=0,
        picture="socks",
        description="一雙一百，厚而不悶。",
        supply_each=60,
        limit_per_viewer=10,
    ),
    DemoProduct(
        code="F1",
        names=("草莓", "大湖草莓"),
        name_en="Strawberries",
        price_minor=320,
        compare_at_minor=0,
        picture="strawberries",
        description="當天現採，一盒 600 公克。",
        supply_each=12,
        limit_per_viewer=2,
    ),
    DemoProduct(
        code="F3",
        names=("鳳梨酥", "土鳳梨酥"),
        name_en="Pineapple cakes",
        price_minor=450,
        compare_at_minor=0,
        picture="pineapple-cakes",
        description="一盒十入，三天內出爐。",
        supply_each=8,
        limit_per_viewer=4,
        options=(("口味", {"原味": (), "蛋黃": ("蛋黃口味",)}),),
    ),
    DemoProduct(
        code="T1",
        names=("茶具組", "茶具"),
        name_en="Tea set",
        price_minor=1280,
        compare_at_minor=1580,
        picture="tea-set",
        description="鶯歌窯燒，一壺四杯。",
        supply_each=5,
        limit_per_viewer=1,
    ),
    DemoProduct(
        code="T2",
        names=("馬克杯", "杯子"),
        name_en="Mug",
        price_minor=220,
        compare_at_minor=0,
        picture="mug",
        description="350 毫升，可微波。",
        supply_each=40,
        limit_per_viewer=6,
        options=(("顏色", {"霧藍": ("藍",), "奶白": ("白",)}),),
    ),
)
