"""The shop's own words for its comments: order words, cancel words, ignored words, look-alikes, aliases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from msgspec import Struct

from livecommerce.api.bodies import json_answer, read_json
from livecommerce.api.context import Context, context_of
from livecommerce.api.errors import WordsChanged
from livecommerce.api.kept_words import keep_words_of
from livecommerce.api.products import shop_of
from livecommerce.catalogue.products import parser_items
from livecommerce.comments import Axis, ItemWords, ShopWords
from livecommerce.records.rows import now_ms
from livecommerce.records.structs import AuditEntry
from livecommerce.shows.shop_words import KeptWords, check_words, words_of, words_shape

WORDS_BYTES_MAX = 200_000  # all lists full, in characters of four bytes


class WordsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """All of the shop's words; a list left out is emptied. With `revision` (as `GET` told it) nobody is overwritten."""

    order: list[str] = []
    cancel: list[str] = []
    ignore: list[str] = []
    look_alikes: dict[str, str] = {}
    aliases: dict[str, str] = {}
    revision: int | None = None


def parser_words(items: Sequence[dict[str, Any]]) -> list[ItemWords]:
    """Products in `catalogue.products.parser_items`' shape as the comment parser takes them."""
    return [
        ItemWords(
            code=item["code"],
            names=tuple(item["names"]),
            options=tuple(
                Axis(axis["axis"], tuple((value, tuple(short)) for value, short in axis["values"].items()))
                for axis in item["options"]
            ),
        )
        for item in items
    ]


async def catalogue_words(context: Context, shop: str) -> list[ItemWords]:
    return parser_words(parser_items(await context.catalogue.products(shop)))


def _shape(kept: KeptWords, warnings: list[dict[str, str]]) -> dict[str, Any]:
    return {"words": {**words_shape(kept.words), "revision": kept.revision}, "warnings": warnings}


async def get_words(request: web.Request) -> web.Response:
    """The words, and a sentence for each that the catalogue or the grammar has meanwhile made doubtful."""
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    shop = await shop_of(context, staff)
    kept = await keep_words_of(context.shows, context.records, shop.id)
    items = await catalogue_words(context, shop.id)
    warnings = await asyncio.to_thread(check_words, kept.words, kept.words, items, shop.packs)
    return json_answer(_shape(kept, warnings))


async def put_words(request: web.Request) -> web.Response:
    """Keeps the words for every show of the shop, running ones too.

    Raises:
        ShopWordRefused, WordsChanged; Unavailable, StorageFull.
    """
    context = context_of(request)
    staff = await context.accounts.need_staff(request, "owner", "host")
    shop = await shop_of(context, staff)
    body = await read_json(request, WordsBody, bytes_max=WORDS_BYTES_MAX)
    words: ShopWords = words_of(
        {
            "order": list(dict.fromkeys(body.order)), "cancel": list(dict.fromkeys(body.cancel)),
            "ignore": list(dict.fromkeys(body.ignore)), "look_alikes": body.look_alikes, "aliases": body.aliases,
        }
    )  # fmt: skip
    before = await keep_words_of(context.shows, context.records, shop.id)
    if body.revision is not None and body.revision != before.revision:
        raise WordsChanged
    items = await catalogue_words(context, shop.id)
    warnings = await asyncio.to_thread(check_words, words, before.words, items, shop.packs)
    after = KeptWords(before.revision + 1, words)
    if words == before.words:
        after = before
    elif not await context.shows.put_shop_words(shop.id, before.revision, after):
        raise WordsChanged
    else:
        await keep_words_of(context.shows, context.records, shop.id)
        counts = {name: len(listed) for name, listed in words_shape(words).items()}
        await context.records.audit.add(
            AuditEntry(shop.id, now_ms(), staff.login, "words_changed", str(after.revision), counts)
        )
    return json_answer(_shape(after, warnings))
