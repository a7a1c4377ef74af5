"""npm's socket.io-client works against the server unchanged, with and without its msgpack parser; so do our pages."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.realtime.world import World

NODE = Path(__file__).parent / "node"
STEP_SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the locked client beside it."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.fail("This test needs Node and npm: apt-get install nodejs npm, or https://nodejs.org")
    if not (NODE / "node_modules" / "socket.io-client").exists():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=NODE, check=True, timeout=150)
    return program


class Script:
    """A running script and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.met: list[tuple[str, Any]] = []

    async def until(self, what: str, holds: Any = lambda data: True) -> Any:
        """The next thing of this kind for which `holds`."""
        async with asyncio.timeout(STEP_SECONDS_MAX):
            while True:
                line = await self.process.stdout.readline()  # type: ignore[union-attr]
                assert line, f"the script ended; it met {[name for name, _ in self.met]}"
                entry = json.loads(line)
                self.met.append((entry["what"], entry["data"]))
                if entry["what"] == what and holds(entry["data"]):
                    return entry["data"]

    async def heard(self, what: str, data: Any) -> None:
        """Waits for this, unless it has come already: a frame may be faster than the answer to a comment."""
        if (what, data) not in self.met:
            await self.until(what, lambda found: found == data)

    def tell(self, **order: Any) -> None:
        self.process.stdin.write((json.dumps(order) + "\n").encode())  # type: ignore[union-attr]


@asynccontextmanager
async def running(program: str, script: str, *arguments: str) -> AsyncIterator[Script]:
    process = await asyncio.create_subprocess_exec(
        program, str(NODE / script), *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**22,
    )  # fmt: skip
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.mark.parametrize("parser", ["default", "msgpack"])
async def test_the_stock_client_joins_orders_and_hears_everything(world: World, node: str, parser: str) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    async with running(node, "client.mjs", world.url, parser, "nora") as script:
        snapshot = await script.until("snapshot")
        assert snapshot["show"]["title"] == "Demo"
        assert snapshot["me"]["name"] == "Node 節點"
        comment = await script.until("comment")
        assert (comment["ok"], comment["reason"], comment["lines"][0]["reserved"]) == (True, "reserved", 2)
        unknown = await script.until("unknown")
        assert unknown["error"]["code"] == "event_unknown"
        await host.event("claim", code="A01")
        await world.gateway.close()
        assert (await script.until("bye"))["code"] == "moving"
        await script.until("disconnect")
        names = [name for name, _ in script.met]
        assert names.index("connect") < names.index("snapshot") < names.index("comment")
        refused = next(data for name, data in script.met if name == "refused")
        assert refused["data"]["code"] == "show_unknown"
        assert any(event["t"] == "stock" for name, data in script.met if name == "frame" for event in data["ev"])
        assert any(event["t"] == "ticket" for name, data in script.met if name == "private" for event in data["ev"])


async def test_the_pages_modules_resume_and_send_again_once(fast_world: World, node: str) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    async with running(node, "page.mjs", fast_world.url, "paula") as script:
        await script.until("snapshot")
        script.tell(do="send", event="comment", payload={"id": "page-line-1", "text": "first"})
        assert (await script.until("answer"))["ok"]
        await script.heard("seen", ["first"])
        script.tell(do="cut", payload={"id": "page-line-2", "text": "A01+1"})
        assert (await script.until("answer"))["reason"] == "reserved"
        await script.heard("seen", ["first", "A01+1"])
        await host.command("say", text="after the cut")
        await script.heard("seen", ["first", "A01+1", "after the cut"])
        assert [name for name, _ in script.met].count("snapshot") == 1, "the cut was resumed"
        script.tell(do="state")
        state = await script.until("state")
        assert state["stock"]["A01"] == [4, 1, 0, 0, 5]
        assert [ticket["id"] for ticket in state["me"]["tickets"]] == ["A01#1"]
        assert state["me"]["name"] == "Page"
        script.tell(do="end")


async def test_the_pages_reducer_ends_where_a_fresh_snapshot_does(fast_world: World, node: str) -> None:
    """Everything staff do, folded by state.js on a viewer's page, against the snapshot of one who joins after."""
    host = await fast_world.connect(staff="host")
    async with running(node, "page.mjs", fast_world.url, "paula") as script:
        await script.until("snapshot")
        await host.go_live()
        hat = {"code": "C01", "names": ["帽子"], "price_minor": 300, "supply": {"C01": 4}}
        for do, fields in (
            ("pin", {"code": "A01"}),
            ("price", {"code": "A01", "price_minor": 450}),
            ("restock", {"sku": "A01", "quantity": 5}),
            ("add_item", {"item": hat}),
            ("remove_item", {"code": "B01"}),
            ("close_item", {"code": "A02"}),
            ("settings", {"slow_seconds": 3}),
            ("notice", {"text": "免運"}),
            ("say", {"text": "哈囉"}),
            ("pin", {"code": "C01"}),
        ):
            assert (await host.command(do, **fields))["ok"], do
        await script.until("seen", lambda seen: seen == ["哈囉"])
        await host.event("pin", code="C01")
        ben = await fast_world.connect("ben")
        fresh = ben.snapshot

        def settled(state: dict[str, Any]) -> bool:
            return bool(state["pin"] and state["pin"]["code"] == "C01")

        for _ in range(50):
            script.tell(do="state")
            state = await script.until("state")
            if settled(state):
                break
            await asyncio.sleep(0.05)
        for key in ("show", "items", "pin", "settings", "notice", "media"):
            assert state[key] == fresh[key], key
        assert {sku: state["stock"][sku] for sku in fresh["stock"]} == fresh["stock"]
        assert [line["text"] for line in state["chat"]] == [line["text"] for line in fresh["chat"]]
        script.tell(do="end")
