"""A small show of three products, and what happens in it; for the tests of this room."""

from __future__ import annotations

import uuid
from typing import Any

from livecommerce.catalogue.products import Option, OptionValue
from livecommerce.shows.commands import Actor, Speaker
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.model import ShowItem, ShowSetup
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore

SHOP, SHOW = "shop", "demo"
OWNER = Actor("olga", "owner")
MODERATOR = Actor("momo", "moderator")
KINDS = Registry(SHOW_KINDS)


def setup(show: str = SHOW, **changes: Any) -> ShowSetup:
    colours = Option("顏色", (OptionValue("紅色", ("紅",)), OptionValue("黑色", ("黑",))))
    sizes = Option("尺寸", (OptionValue("M"), OptionValue("L")))
    coats = {"A02/紅色/M": 3, "A02/黑色/L": 2}
    items = (
        ShowItem(code="A01", names=("帆布包", "包包"), price_minor=590, supply={"A01": 5}),
        ShowItem(code="A02", names=("針織外套",), price_minor=990, options=(colours, sizes), supply=coats),
        ShowItem(code="B01", names=("襪子",), price_minor=100, supply={"B01": 100}, limit_per_viewer=3),
    )
    return ShowSetup(id=show, shop=SHOP, title="Demo", shop_name="Shop", items=items, **changes)


def new_id() -> str:
    return str(uuid.uuid4())


async def speak(store: ShowStore, viewer: str, do: str, **fields: Any) -> dict[str, Any]:
    """A viewer's command, decided on the state as it is; its outcome."""
    command = KINDS.read_viewer_command({"id": new_id(), "do": do, **fields})
    state = await store.load(SHOW)
    decision = KINDS.decide_for_viewer(state, command, Speaker(viewer, viewer), state["now"])
    outcome = await store.commit(await store.keys_of(SHOW), command.id, "", decision, None)
    assert outcome is not None
    return outcome


async def give(executor: Executor, do: str, *, actor: Actor = OWNER, **fields: Any) -> dict[str, Any]:
    """A command as a page sends it; its outcome."""
    command = KINDS.read_command({"id": new_id(), "do": do, **fields})
    return await executor.execute(SHOW, command, actor)
