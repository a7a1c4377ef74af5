"""A show on a real Valkey without a single socket: who speaks here does so as any door would."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from redis.asyncio import Redis

from livecommerce.catalogue.products import Option, OptionValue
from livecommerce.intake.answers import SpeechAnswer
from livecommerce.intake.comment_path import CommentPath
from livecommerce.intake.mirror import ShowMirror
from livecommerce.intake.speech import Press, Speech
from livecommerce.shows.commands import Actor
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.model import ShowItem, ShowSetup
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.settings import Stock

KINDS = Registry(SHOW_KINDS)


SHOP, SHOW = "shop", "demo"
HOST = Actor("host1", "host")


def setup(show: str = SHOW, **changes: Any) -> ShowSetup:
    colours = Option("顏色", (OptionValue("紅色", ("紅",)), OptionValue("黑色", ("黑",))))
    sizes = Option("尺寸", (OptionValue("M"), OptionValue("L")))
    items = (
        ShowItem(code="A01", names=("帆布包", "包包"), price_minor=590, supply={"A01": 5}),
        ShowItem(
            code="A02", names=("針織外套", "外套"), price_minor=990, options=(colours, sizes),
            supply={"A02/紅色/M": 3, "A02/黑色/L": 2},
        ),
        ShowItem(code="B01", names=("襪子",), price_minor=100, supply={"B01": 100}, limit_per_viewer=3),
    )  # fmt: skip
    return ShowSetup(id=show, shop=SHOP, title="Demo", shop_name="Shop", items=items, **changes)


def new_id() -> str:
    return str(uuid.uuid4())


class Person(NamedTuple):
    """A speaker who is no socket."""

    viewer: str
    name: str


ANNA, BEN = Person("anna", "Anna"), Person("ben", "Ben")


class Stage:
    """The demo show, its mirror, and the path of what is said."""

    def __init__(self, store: ShowStore, mirror: ShowMirror, per_window: int) -> None:
        self.store = store
        self.engine = store.engine
        self.mirror = mirror
        self.path = CommentPath(store, store.engine, per_window)

    async def command(self, do: str, **fields: Any) -> dict[str, Any]:
        """As staff; the mirror knows of it after that."""
        command = KINDS.read_command({"id": new_id(), "do": do, **fields})
        outcome = await Executor(self.store).execute(SHOW, command, HOST)
        await self.catch_up()
        return outcome

    async def catch_up(self) -> None:
        """Reads the log as a reader does."""
        while entries := await self.store.read(SHOW, self.mirror.state["offset"]):
            for offset, events in entries:
                self.mirror.heard(events)
                self.mirror.move_on(events, offset)

    async def say(self, who: Person, text: str, **more: Any) -> SpeechAnswer:
        speech = Speech(**{"show": SHOW, "speaker": who, "id": new_id(), "text": text, **more})
        return await self.path.comment(self.mirror, speech)

    async def press(self, who: Person, code: str, **more: Any) -> SpeechAnswer:
        press = Press(**{"show": SHOW, "speaker": who, "id": new_id(), "code": code, **more})
        return await self.path.claim(self.mirror, press)

    async def held(self) -> dict[str, int]:
        found = await self.engine.counters(SHOP)
        return {sku: counters.held for sku, counters in found.items() if counters.held}

    async def log(self, kind: str) -> list[dict[str, Any]]:
        """All events of a kind that the log has."""
        entries = await self.store.read(SHOW, "0-0")
        return [event for _, events in entries for event in events if event["t"] == kind]


@asynccontextmanager
async def opened_stage(valkey: Redis, per_window: int = 8) -> AsyncIterator[Stage]:
    """The demo show before it starts."""
    engine = StockEngine(valkey, Stock())
    store = ShowStore(valkey, engine, KINDS)
    await store.start()
    await store.create(setup())
    try:
        yield Stage(store, await ShowMirror.opened(store, SHOW), per_window)
    finally:
        await store.close()
        await engine.close()
