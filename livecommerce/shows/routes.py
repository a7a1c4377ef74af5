"""The routes of shows: set-up, lists, the public snapshot, staff commands, the shop's own words, reading again."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from livecommerce.accounts.rows import ShopRepository
from livecommerce.bounds import Count, HoldSeconds, Moment, Pieces, Title
from livecommerce.catalogue.catalogue import Catalogue
from livecommerce.catalogue.parser_words import parser_words
from livecommerce.comments import PACKS, ItemWords, PackUnknown
from livecommerce.errors import BadInput
from livecommerce.http.answers import json_answer
from livecommerce.http.bodies import read_json, takes
from livecommerce.http.identity import Staff
from livecommerce.http.site import need_staff
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms
from livecommerce.shows.commands import Actor, Sku
from livecommerce.shows.errors import ItemUnknown, SetupChanged, ShowIdTaken, ShowIsOnAir, ShowStageWrong, StockChanged
from livecommerce.shows.executor import Executor
from livecommerce.shows.kept_words import WordKeeper
from livecommerce.shows.kinds.buyer import Ban
from livecommerce.shows.kinds.supply import refuse
from livecommerce.shows.model import ITEMS_MAX, Id, OutsideId, ShowLimits, ShowSettings
from livecommerce.shows.past_shows import PastShows
from livecommerce.shows.publisher import Publisher
from livecommerce.shows.rows import ShowRecord, ShowRepository
from livecommerce.shows.setups import ItemWish, expected_of, items_of
from livecommerce.shows.shop_words import LISTS, KeptWords, check_words, words_of, words_shape
from livecommerce.shows.snapshots import Snapshots
from livecommerce.shows.store import ShowStore
from livecommerce.shows.supply import SUPPLY_DONE, named_pieces, setup_reason
from livecommerce.stock.engine import StockUnavailable
from livecommerce.stock.operations import Restock, SetAvailable
from livecommerce.stock.outcomes import Answer
from livecommerce.stock.stream_ids import stream_key

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike: the id is read out on air
ID_LENGTH = 7  # 31^7: two shows made at once do not meet, and if they do the shop is told to try again
STOCK_SHOW = "-"  # the show of operations that belong to the shop alone; ids of shows are read out, no shop has this
KEY_LENGTH_MAX = 255
REPEAT_SECONDS = 600  # a job or a person who heard no answer sends again within minutes; next week's show is another
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
    per_item: Pieces = PER_ITEM


class ShowBody(Struct, frozen=True, forbid_unknown_fields=True):
    title: Title
    items: Annotated[list[ItemWish], Meta(max_length=ITEMS_MAX)] = []
    id: Id | None = None
    hold_seconds: HoldSeconds | None = None
    packs: Annotated[list[Annotated[str, Meta(max_length=16)]], Meta(min_length=1, max_length=7)] | None = None
    limits: LimitsBody = LimitsBody()
    settings: ShowSettings = ShowSettings()
    starts_ms: Moment | None = None


class ItemsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A new list of products for a show that stands. With `revision` (as `GET` told it) nobody is overwritten.

    `limits` and `hold_seconds` only for a set-up that did not get on air yet.
    """

    items: Annotated[list[ItemWish], Meta(max_length=ITEMS_MAX)]
    limits: LimitsBody | None = None
    hold_seconds: HoldSeconds | None = None
    revision: Count | None = None


class StockBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The pieces left, counted. `expected`: what was left when the caller looked; another figure refuses it."""

    id: OutsideId
    sku: Sku
    available: Pieces
    expected: Count | None = None


class WordsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """All of the shop's words; a list left out is emptied. With `revision` (as `GET` told it) nobody is overwritten."""

    order: list[str] = []
    cancel: list[str] = []
    ignore: list[str] = []
    look_alikes: dict[str, str] = {}
    aliases: dict[str, str] = {}
    revision: Count | None = None


def show_id_of(*parts: object) -> str:
    number = int.from_bytes(hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest())
    letters = []
    for _ in range(ID_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


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
            "trouble": needs.publisher.trouble(record.id) if stage == "preparing" else None,
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


async def live_shape(needs: ShowsNeeds, record: ShowRecord) -> dict[str, Any]:
    """A show with its products as they are sold now: price and sale as set on air, the pieces the shop has left."""
    shape = show_shape(record)
    if record.published_ms is None:
        return shape
    state = await needs.store.load(record.id, chat=0, whole=False)
    products = [state["items"][code] for code in state["order"]]
    skus = [sku for product in products for sku in product["skus"]]
    left = {sku: found.available for sku, found in (await needs.store.engine.counters(record.shop, skus)).items()}
    shape["items"] = [
        {**product, "supply": {sku: left[sku] for sku in product["skus"] if sku in left}} for product in products
    ]
    return shape


async def left_shape(needs: ShowsNeeds, shop: str) -> dict[str, int]:
    """{sku: pieces left in the shop}; empty while stock cannot be read: a page stands without it."""
    try:
        return {sku: found.available for sku, found in (await needs.store.engine.counters(shop)).items()}
    except StockUnavailable:
        return {}


def ids_of_new_show(request: web.Request, shop: str, body: ShowBody) -> list[str]:
    """The ids that a show of this request has or, sent before, had; the first is for a new one.

    Named by the caller, else made of the header `Idempotency-Key`, else of the request itself and the time: who sends
    the same again without either within REPEAT_SECONDS means the show that stands.
    """
    if body.id is not None:
        return [body.id]
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > KEY_LENGTH_MAX:
        raise BadInput(f"Idempotency-Key has at most {KEY_LENGTH_MAX} characters.", field="Idempotency-Key")
    if key:
        return [show_id_of("key", shop, key)]
    content, slot = msgspec.json.encode(body).decode(), now_ms() // (REPEAT_SECONDS * 1000)
    return [show_id_of("body", shop, content, slot), show_id_of("body", shop, content, slot - 1)]


def is_same_setup(one: ShowRecord, other: ShowRecord) -> bool:
    """Whether a show that stands is what another request for its id asks for."""
    names = ["shop", "title", "currency", "packs", "limits", "hold_seconds", "settings", "starts_ms"]
    if other.revision == 1:
        names.append("items")
    return all(getattr(one, name) == getattr(other, name) for name in names)


async def check_expected(needs: ShowsNeeds, shop: str, expected: dict[str, int]) -> None:
    """
    Raises:
        StockChanged: other pieces are left of one of these skus than the caller saw.
    """
    counters = await needs.store.engine.counters(shop, list(expected)) if expected else {}
    for sku, seen in expected.items():
        left = counters[sku].available if sku in counters else 0
        if left != seen:
            raise StockChanged(f"{left} of {sku} are left now. Look again, then set the figure.", sku=sku, left=left)


async def get_shows(request: web.Request) -> web.Response:
    staff = await need_staff(request)
    return json_answer({"shows": await list_shape(request.app[SHOWS], staff.shop)})


async def post_show(request: web.Request) -> web.Response:
    """Keeps the set-up in SQL, then puts show and supply into the live store; a start makes good a crash in between.

    Sent again it answers the show that stands and changes nothing.

    Raises:
        StockChanged: nothing was made. ShowIdTaken: the id or key came before with another set-up.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    body = await read_json(request, ShowBody)
    shop = await needs.shops.get_or_plain(staff.shop)
    unknown = [pack for pack in body.packs or () if pack not in PACKS]
    if unknown:
        raise PackUnknown(f"There is no grammar pack {unknown[0]}. The packs are {', '.join(sorted(PACKS))}.")
    ids = ids_of_new_show(request, shop.id, body)
    wanted = ShowRecord(
        id=ids[0],
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
    await needs.publisher.checked(wanted)
    record = await _standing(needs, wanted, ids)
    if record is None:
        expected = expected_of(wanted.items, body.items)
        await check_expected(needs, shop.id, expected)
        record = await needs.setups.add(wanted) or await _standing(needs, wanted, ids)
        if record is None:
            raise ShowIdTaken
        details = {"title": record.title, "items": len(record.items)}
        await needs.audit.add(AuditEntry(shop.id, now_ms(), staff.login, "show_made", record.id, details))
    if record.published_ms is None:
        answers = await _set_as_seen(needs, record, expected_of(wanted.items, body.items))
        await needs.publisher.publish(record)
        for answer in answers:
            if answer.outcome not in SUPPLY_DONE:
                refuse(answer)
    return json_answer({"show": await live_shape(needs, await needs.setups.own(shop.id, record.id))}, status=201)


async def _set_as_seen(needs: ShowsNeeds, record: ShowRecord, expected: dict[str, int]) -> list[Answer]:
    """Sets the pieces whose figure the caller saw, by the ids under which publishing sets them: it then finds them
    done, or refused because something was sold in the very moment."""
    supply = {sku: pieces for item in record.items for sku, pieces in item.supply.items()}
    operations = [
        named_pieces(record.shop, record.id, sku, supply[sku], setup_reason(record.id), seen)
        for sku, seen in expected.items()
    ]
    return await needs.store.engine.submit_all(operations)


async def _standing(needs: ShowsNeeds, wanted: ShowRecord, ids: list[str]) -> ShowRecord | None:
    """The show that an earlier request of the same content made.

    Raises:
        ShowIdTaken: there is one of other content.
    """
    for known in ids:
        record = await needs.setups.get(known)
        if record is not None and not is_same_setup(wanted, record):
            raise ShowIdTaken
        if record is not None:
            return record
    return None


async def get_show(request: web.Request) -> web.Response:
    staff = await need_staff(request)
    needs = request.app[SHOWS]
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    return json_answer({"show": await live_shape(needs, record)})


async def put_show(request: web.Request) -> web.Response:
    """Changes products, prices and supply. The difference is done by the same commands a host gives on air.

    A price left out is that of the show, not the catalogue's: it may have been set on air.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    body = await read_json(request, ItemsBody)
    if body.revision is not None and body.revision != record.revision:
        raise SetupChanged
    if record.published_ms is None:
        return await _mended(needs, staff, record, body)
    if body.limits is not None or body.hold_seconds is not None:
        raise ShowStageWrong("Limits and hold_seconds stand once a show is on air.")
    live = (await needs.store.load(record.id, chat=0, whole=False))["items"]
    wishes = [
        msgspec.structs.replace(wish, price_minor=live[wish.code]["price_minor"])
        if wish.price_minor is None and wish.code in live
        else wish
        for wish in body.items
    ]
    items = items_of(await needs.catalogue.products(record.shop), wishes)
    expected = expected_of(items, wishes)
    await needs.publisher.change(record, live, items, expected, Actor(staff.login, staff.role, staff.name))
    if not await needs.setups.replace_items(record, items):
        raise SetupChanged
    details = {"items": [item.product["code"] for item in items], "revision": record.revision}
    await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "show_changed", record.id, details))
    return json_answer({"show": await live_shape(needs, await needs.setups.own(staff.shop, record.id))})


async def get_stock(request: web.Request) -> web.Response:
    """The shop's one figure of each sku, whatever its shows are."""
    needs = request.app[SHOWS]
    staff = await need_staff(request)
    counters = await needs.store.engine.counters(staff.shop)
    return json_answer({"stock": {sku: msgspec.to_builtins(found) for sku, found in sorted(counters.items())}})


async def put_stock(request: web.Request) -> web.Response:
    """Sets the pieces left of a sku, in no show; the shows that are open are told.

    Raises:
        StockChanged, IdReused; Unavailable: send the same id again.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    body = await read_json(request, StockBody)
    known = {sku for product in await needs.catalogue.products(staff.shop) for sku in product.skus()}
    if body.sku not in known and body.sku not in await needs.store.engine.counters(staff.shop, [body.sku]):
        raise ItemUnknown(f"The shop has no {body.sku}.")
    operation = SetAvailable(body.id, staff.shop, STOCK_SHOW, body.sku, body.available, body.expected)
    answer = await needs.executor.through_stock(operation)
    if answer.outcome not in SUPPLY_DONE:
        refuse(answer)
    await _tell_shows(needs, staff.shop, body.id, body.sku)
    counters = await needs.store.engine.counters(staff.shop, [body.sku])
    return json_answer({"sku": body.sku, "stock": msgspec.to_builtins(counters[body.sku])})


async def _tell_shows(needs: ShowsNeeds, shop: str, operation: str, sku: str) -> None:
    """Puts the figure into the log of each open show: no pieces, told as their restock."""
    stages = await needs.store.stages(shop, [record.id for record in await needs.setups.of_shop(shop)])
    digest = hashlib.blake2b(f"{operation} {sku}".encode(), digest_size=16).hexdigest()
    told = [Restock(f"told-{digest}", shop, show, sku, 0) for show, (stage, _) in stages.items() if stage != "ended"]
    await needs.store.engine.submit_all(told)


async def _mended(needs: ShowsNeeds, staff: Staff, record: ShowRecord, body: ItemsBody) -> web.Response:
    """A set-up that did not get on air, changed and tried again."""
    items = items_of(await needs.catalogue.products(record.shop), body.items)
    limits = record.limits if body.limits is None else msgspec.to_builtins(body.limits)
    changed = msgspec.structs.replace(
        record, items=items, limits=limits, hold_seconds=body.hold_seconds or record.hold_seconds
    )
    await needs.publisher.checked(changed)
    if not await needs.setups.mend(changed):
        raise SetupChanged
    details = {"items": [item.product["code"] for item in items], "revision": record.revision}
    await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "show_changed", record.id, details))
    record = await needs.setups.own(record.shop, record.id)
    await needs.publisher.publish(record)
    return json_answer({"show": show_shape(await needs.setups.own(record.shop, record.id))})


async def delete_show(request: web.Request) -> web.Response:
    """A set-up that never went on air, gone.

    Raises:
        ShowUnknown, ShowIsOnAir.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request, "owner", "host")
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    if not await needs.setups.remove_unpublished(record.id):
        raise ShowIsOnAir
    await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "show_deleted", record.id, {}))
    return json_answer({})


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
    outcome = await needs.executor.execute(record.id, command, Actor(staff.login, staff.role, staff.name))
    return json_answer({"outcome": outcome})


@takes("after")
async def get_reparse(request: web.Request) -> web.Response:
    """
    Raises:
        ShowUnknown; BadInput for an `after` that no answer named; Unavailable.
    """
    needs = request.app[SHOWS]
    staff = await need_staff(request)
    record = await needs.setups.own(staff.shop, request.match_info["show"])
    after = request.query.get("after", "0-0")
    try:
        stream_key(after)
    except ValueError:
        raise BadInput("after is what the answer before named as `next`.", field="after") from None
    if after == "0-0":  # once a reading, not with each of its pages
        await needs.audit.add(AuditEntry(staff.shop, now_ms(), staff.login, "comments_read_again", record.id))
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
    web.get("/api/stock", get_stock),
    web.put("/api/stock", put_stock),
    web.get("/api/shows", get_shows),
    web.post("/api/shows", post_show),
    web.get(_SHOW, get_show),
    web.put(_SHOW, put_show),
    web.delete(_SHOW, delete_show),
    web.get(f"{_SHOW}/snapshot", get_snapshot),
    web.get(f"{_SHOW}/reparse", get_reparse),
    web.post(f"{_SHOW}/commands", post_command),
]
