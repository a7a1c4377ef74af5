"""The catalogue of a shop: products kept in SQL, each checked on its way in."""

from __future__ import annotations

import msgspec

from livecommerce.catalogue.errors import CatalogueFull, CodeTaken, ProductUnknown
from livecommerce.catalogue.products import Option, Product, fold_code
from livecommerce.catalogue.rows import PRODUCTS_MAX, ProductRecord, ProductRepository
from livecommerce.records.database import Database


def _to_record(shop: str, product: Product) -> ProductRecord:
    return ProductRecord(
        shop=shop,
        code=product.code,
        code_folded=fold_code(product.code),
        position=0,
        names=list(product.names),
        name_en=product.name_en,
        options=msgspec.to_builtins(product.options),
        price_minor=product.price_minor,
        compare_at_minor=product.compare_at_minor,
        currency=product.currency,
        picture=product.picture,
        description=product.description,
        limit_per_viewer=product.limit_per_viewer,
    )


def _to_product(record: ProductRecord) -> Product:
    return Product(
        code=record.code,
        names=tuple(record.names),
        price_minor=record.price_minor,
        currency=record.currency,
        name_en=record.name_en,
        options=msgspec.convert(record.options, tuple[Option, ...]),
        compare_at_minor=record.compare_at_minor,
        picture=record.picture,
        description=record.description,
        limit_per_viewer=record.limit_per_viewer,
    )


class Catalogue:
    def __init__(self, database: Database) -> None:
        self._products = ProductRepository(database)

    async def products(self, shop: str) -> list[Product]:
        """All products of the shop, in its order."""
        return [_to_product(record) for record in await self._products.of_shop(shop)]

    async def product(self, shop: str, code: str) -> Product:
        """The product whose code reads the same as this one, however it is written.

        Raises:
            ProductUnknown
        """
        record = await self._products.by_folded(shop, fold_code(code))
        if record is None:
            raise ProductUnknown
        return _to_product(record)

    async def has(self, shop: str, product: Product) -> bool:
        """Whether the shop has this product, alike in everything."""
        record = await self._products.by_folded(shop, fold_code(product.code))
        return record is not None and _to_product(record) == product

    async def add(self, shop: str, product: Product) -> Product:
        """Raises: CodeTaken, CatalogueFull."""
        if await self._products.count(shop) >= PRODUCTS_MAX:
            raise CatalogueFull(f"A shop has at most {PRODUCTS_MAX} products.")
        if await self._products.add(_to_record(shop, product)) is None:
            raise CodeTaken
        return product

    async def replace(self, shop: str, product: Product) -> Product:
        """Changes the product that has this code. Shows keep the copy they were made with.

        Raises:
            ProductUnknown
        """
        if not await self._products.replace(_to_record(shop, product)):
            raise ProductUnknown
        return product

    async def remove(self, shop: str, code: str) -> None:
        """Raises: ProductUnknown."""
        if not await self._products.remove(shop, code):
            raise ProductUnknown
