"""The routes of shows: set-up, lists, the public snapshot, staff commands, the shop's own words, reading again."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from livecommerce.accounts.rows import ShopRepository
from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.catalogue.parser_words import parser_words
from livecommerce.comments import PACKS, ItemWords, PackUnknown
from livecommerce.errors import BadInput, Conflict
from livecommerce.http.answers import json_answer
from livecommerce.http.bodies import read_json
from livecommerce.http.site import need_staff
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms
from livecommerce.shows.commands import Actor
from livecommerce.shows.errors import SetupChanged, ShowIdTaken
from livecommerce.shows.executor import Executor
from livecommerce.shows.kept_words import WordKeeper
from livecommerce.shows.kinds.buyer import Ban
from livecommerce.shows.model import ID_PATTERN, ITEMS_MAX, ShowLimits, ShowSettings
from livecommerce.shows.past_shows import PastShows
from livecommerce.shows.publisher import Publisher
from livecommerce.shows.rows import ShowRecord, ShowRepository
from livecommerce.shows.setups import ItemWish, items_of
from livecommerce.shows.shop_words import LISTS, KeptWords, check_words, words_of, words_shape
from livecommerce.shows.snapshots import Snapshots
from livecommerce.shows.store import ShowStore

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike: the id is read out on air
ID_LENGTH = 7  # 31^7: two shows made at once do not meet, and if they do the shop is told to try again
WORDS_BYTES_MAX = 200_000  # all lists full, in characters of four bytes


@dataclass(frozen=True)
class ShowsNeeds:
    """What these routes need.

    Attributes:
        hold_seconds: of a show that names none.
    """

    store: ShowStore
    executor: Executor
    setups: ShowRepository
    publisher: Publisher
    snapshots: Snapshots
    past: PastShows
    words: WordKeeper
    shops: ShopRepository
    catalogue: Catalogue
    audit: AuditRepository
    hold_seconds: int


SHOWS: web.AppKey[ShowsNeeds] = web.AppKey("livecommerce.shows", ShowsNeeds)


PER_ITEM = 5  # of a show that says nothing: enough for a family, and nobody takes a whole product in six comments


class LimitsBody(ShowLimits, frozen=True, forbid_unknown_fields=True):
    per_item: Annotated[int, Meta(ge=0)] = PER_ITEM


class ShowBody(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=120)]
    items: Annotated[list[ItemWish], Meta(max_length=ITEMS_MAX)] = []
    id: Annotated[str, Meta(pattern=ID_PATTERN)] | None = None
    hold_seconds: Annotated[int, Meta(ge=10, le=7 * 86_400)] | None = None
    packs: Annotated[list[Annotated[str, Meta(max_length=16)]], Meta(min_length=1, max_length=7)] | None = None
    limits: LimitsBody = LimitsBody()
    settings: ShowSettings = ShowSettings()
    starts_ms: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class ItemsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A new list of products for a show that stands. With `revision` (as `GET` told it) nobody is overwritten."""

    items: Annotated[list[ItemWish], Meta(max_length=ITEMS_MAX)]
    revision: int | None = None


class WordsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """All of the shop's words; a list left out is emptied. With `revision` (as `GET` told it) nobody is overwritten."""

    order: list[str] = []
    cancel: list[str] = []
    ignore: list[str] = []
    look_alikes: dict[str, str] = {}
    aliases: dict[str, str] = {}
    revision: int | None = None


def new_show_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(ID_LENGTH))


async def list_shape(needs: ShowsNeeds, shop: str) -> list[dict[str, Any]]:
    """The shop's shows, newest first, with the stage they are in now."""
    records = await needs.setups.of_shop(shop)
    counts = await needs.setups.item_counts(shop)
    live = await needs.store.stages(shop, [record.id for record in records])
    return [
        {
            "id": record.id,
            "title": record.title,
            "stage": stage,
            "started_ms": started_ms,
            "created_ms": record.created_ms,
            "starts_ms": record.starts_ms,
            "items": counts.get(record.id, 0),
        }
        for record in records
        for stage, started_ms in [live.get(record.id, ("preparing", 0))]
    ]


def show_shape(record: ShowRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "title": record.title,
        "currency": record.currency,
        "packs": list(record.packs),
        "limits": record.limits,
        "hold_seconds": record.hold_seconds,
        "settings": record.settings,
        "starts_ms": record.starts_ms,
        "created_ms": record.created_ms,
        "created_by": record.created_by,
        "is_published": record.published_ms is not None,
        "revision": record.revision,
        "items": [{**item.product, "supply": item.supply} for item in record.items],
    }


async def get_shows(request: web.Request) -> web.Response:
    staff = await need_staff(request)
    return json_answer({"shows": await list_shape(request.app[SHOWS], staff.shop)})


async def post_show(request: web.Request) -> web.Response:
    """Keeps the set-up in SQL, then puts show and supply into the live store; a start makes good a crash in between."""
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    body = await read_json(request, ShowBody)
    shop = await needs.shops.get_or_plain(staff.shop)
    unknown = [pack for pack in body.packs or () if pack not in PACKS]
    if unknown:
        raise PackUnknown(f"There is no grammar pack {unknown[0]}. The packs are {', '.join(sorted(PACKS))}.")
    record = await needs.setups.add(
        ShowRecord(
            id=body.id or new_show_id(),
            shop=shop.id,
            title=body.title,
            currency=shop.currency,
            packs=tuple(body.packs or shop.packs),
            limits=msgspec.to_builtins(body.limits),
            hold_seconds=body.hold_seconds or needs.hold_seconds,
            settings=msgspec.to_builtins(body.settings),
            created_by=staff.login,
            starts_ms=body.starts_ms,
            items=items_of(await needs.catalogue.products(shop.id), body.items),
        )
    )
    if record is None:
        raise ShowIdTaken
    await needs.publisher.publish(record)
    return json_answer({"show": show_shape(await needs.setups.own(shop.id, record.id))}, status=201)


async def get_show(request: web.Request) -> web.Response:
    staff = await need_staff(request)
    record = await request.app[SHOWS].setups.own(staff.shop, request.match_info["show"])
    return json_answer({"show": show_shape(record)})


async def put_show(request: web.Request) -> web.Response:
    """Changes products, prices and supply. The difference is done by the same commands a host gives on air."""
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    body = await read_json(request, ItemsBody)
    if body.revision is not None and body.revision != record.revision:
        raise SetupChanged
    if record.published_ms is None:
        raise Conflict("The show is not on air yet. Try again in a moment.", retry_after_ms=2_000)
    items = items_of(await needs.catalogue.products(record.shop), body.items)
    await needs.publisher.change(record, items, Actor(staff.login, staff.role))
    if not await needs.setups.replace_items(record, items):
        raise SetupChanged
    return json_answer({"show": show_shape(await needs.setups.own(staff.shop, record.id))})


async def get_snapshot(request: web.Request) -> web.Response:
    return json_answer(await request.app[SHOWS].snapshots.get(request.match_info["show"]))


async def post_command(request: web.Request) -> web.Response:
    """A staff command; `id` may be left out by simple clients, which then cannot repeat it safely."""
    needs = request.app[SHOWS]
    staff = await need_staff(request)
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    raw = await read_json(request, dict[str, Any])
    raw.setdefault("id", f"http-{time.time_ns():x}-{secrets.token_hex(6)}")
    command = needs.store.kinds.read_command(raw)
    if isinstance(command, Ban):  # address marks are the gateway's to add
        command = msgspec.structs.replace(command, addresses=())
    outcome = await needs.executor.execute(record.id, command, Actor(staff.login, staff.role))
    return json_answer({"outcome": outcome})


async def get_reparse(request: web.Request) -> web.Response:
    """
    Raises:
        ShowUnknown; BadInput for an `after` that no answer named; Unavailable.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request)
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    after = request.query.get("after", "0-0")
    milliseconds, _, number = after.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 20 for part in (milliseconds, number)):
        raise BadInput("after is what the answer before named as `next`.", field="after")
    today = await _words_of_catalogue(needs, record.shop)
    return json_answer({"show": record.id, **await needs.past.read(record.shop, record.id, after, today)})


async def _words_of_catalogue(needs: ShowsNeeds, shop: str) -> list[ItemWords]:
    return parser_words(await needs.catalogue.products(shop))


def words_answer(kept: KeptWords, warnings: list[dict[str, str]]) -> dict[str, Any]:
    return {"words": {**words_shape(kept.words), "revision": kept.revision}, "warnings": warnings}


async def get_words(request: web.Request) -> web.Response:
    """The words, and a sentence for each that the catalogue or the grammar has meanwhile made doubtful."""
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    shop = await needs.shops.get_or_plain(staff.shop)
    kept = await needs.words.of(shop.id)
    items = await _words_of_catalogue(needs, shop.id)
    warnings = await asyncio.to_thread(check_words, kept.words, kept.words, items, shop.packs)
    return json_answer(words_answer(kept, warnings))


async def put_words(request: web.Request) -> web.Response:
    """
    Raises:
        ShopWordRefused, WordsChanged; Unavailable, StorageFull.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    shop = await needs.shops.get_or_plain(staff.shop)
    body = await read_json(request, WordsBody, bytes_max=WORDS_BYTES_MAX)
    lists = {name: list(dict.fromkeys(getattr(body, name))) for name in LISTS}
    words = words_of({**lists, "look_alikes": body.look_alikes, "aliases": body.aliases})
    done = await needs.words.change(shop, words, body.revision, await _words_of_catalogue(needs, shop.id))
    if done.is_new:
        counts = {name: len(listed) for name, listed in words_shape(words).items()}
        revision = str(done.kept.revision)
        await needs.audit.add(AuditEntry(shop.id, now_ms(), staff.login, "words_changed", revision, counts))
    return json_answer(words_answer(done.kept, done.warnings))


_SHOW = "/api/shows/{show:[a-z0-9-]{1,40}}"
routes: list[web.RouteDef] = [
    web.get("/api/words", get_words),
    web.put("/api/words", put_words),
    web.get("/api/shows", get_shows),
    web.post("/api/shows", post_show),
    web.get(_SHOW, get_show),
    web.put(_SHOW, put_show),
    web.get(f"{_SHOW}/snapshot", get_snapshot),
    web.get(f"{_SHOW}/reparse", get_reparse),
    web.post(f"{_SHOW}/commands", post_command),
]
