"""Chromium behind an interface of its own: its address changes, its UDP is dropped, its cable is pulled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

from livecommerce.media.settings import Media
from tests.browser.chromium import FLAGS, chromium_path
from tests.media.namespaces import CAN_MAKE_NAMESPACES, Namespace, namespace
from tests.media.stage import Stage, open_stage, until
from tests.media.test_chromium import WATCH, decodes, opened

pytestmark = [pytest.mark.browser, pytest.mark.nightly]


@contextlib.asynccontextmanager
async def apart() -> AsyncIterator[tuple[Stage, Namespace, Page]]:
    """A page in a namespace that watches a show of this machine."""
    assert CAN_MAKE_NAMESPACES, "network namespaces need root and iproute2 (apt-get install iproute2)"
    with namespace() as (there, folder):
        media = Media(host="0.0.0.0", external_addresses=(there.gateway,))
        async with (
            open_stage(media, door_host=there.gateway) as stage,
            stage.host(),
            async_playwright() as playwright,
        ):
            program = there.program(chromium_path(), folder)
            browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
            try:
                page = await opened(browser, stage, WATCH)
                await decodes(page, 20)
                yield stage, there, page
            finally:
                await browser.close()


async def served_from(stage: Stage, address: str) -> None:
    await until(
        lambda: any(it.path is not None and it.path.address[0] == address for it in stage.stream.viewers.values()),
        f"a viewer at {address}",
    )


async def test_a_viewer_whose_address_changes_watches_on() -> None:
    async with apart() as (stage, there, page):
        await served_from(stage, there.address)
        moved_at = asyncio.get_running_loop().time()
        there.move(20)
        await served_from(stage, there.address)
        await decodes(page, 20)
        print(f"watches on {asyncio.get_running_loop().time() - moved_at:.1f} s after its address changed")
        await until(lambda: len(stage.stream.viewers) == 1, "the session at the old address is gone")


async def test_a_viewer_whose_network_begins_to_drop_udp_goes_on_by_tcp() -> None:
    async with apart() as (stage, there, page):
        dropped_at = asyncio.get_running_loop().time()
        there.drop_udp()
        await until(
            lambda: any(it.statistics()["transport"] == "tcp" for it in stage.stream.viewers.values()),
            "a viewer by TCP",
        )
        await decodes(page, 20)
        print(f"goes on by TCP {asyncio.get_running_loop().time() - dropped_at:.1f} s after its UDP was dropped")


async def test_a_pulled_cable_is_noticed_and_a_plugged_one_heals() -> None:
    async with apart() as (stage, there, page):
        there.inside("link", "set", there.interface, "down")
        await until(lambda: not stage.stream.viewers, "the silent viewer is let go", seconds=20)
        there.inside("link", "set", there.interface, "up")
        there.inside("route", "replace", "default", "via", there.gateway)
        await asyncio.wait_for(decodes(page, 20), 20)
