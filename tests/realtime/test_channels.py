"""Shows are opened with their first viewer, once for all who ask, and closed some time after the last."""

from __future__ import annotations

import asyncio

import pytest

from livecommerce.errors import ShowUnknown
from livecommerce.realtime import channels as module
from livecommerce.shows.store import ShowStore
from tests.realtime.world import SHOW, World, setup


async def test_many_who_ask_at_once_wait_for_one_load(fast_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = fast_world.gateway.channels
    loads = []
    load = ShowStore.load

    async def counted(self: ShowStore, show: str, **more: object) -> object:
        loads.append(show)
        return await load(self, show, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ShowStore, "load", counted)
    found = await asyncio.gather(*(channels.open(SHOW) for _ in range(50)))
    assert (len(set(map(id, found))), loads) == (1, [SHOW])
    for channel in found:
        channels.release(channel)


async def test_a_show_that_is_unknown_leaves_nothing_behind(fast_world: World) -> None:
    channels = fast_world.gateway.channels
    answers = await asyncio.gather(*(channels.open("no-such-show") for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ShowUnknown] * 3
    await asyncio.sleep(0)
    assert (channels.get("no-such-show"), channels._users, channels._opening) == (None, {}, {})


async def test_an_idle_show_is_closed_and_one_in_use_is_not(fast_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await fast_world.store.create(setup("second"))
    channels = fast_world.gateway.channels
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    first, second = await channels.open(SHOW), await channels.open("second")
    channels.release(first)
    clock[0] += module.IDLE_SECONDS
    await channels._close_idle()
    assert channels.get(SHOW) is first, "a reload within the time finds it warm"
    again = await channels.open(SHOW)
    assert again is first
    clock[0] += 10 * module.IDLE_SECONDS
    await channels._close_idle()
    assert channels.get(SHOW) is first
    channels.release(again)
    clock[0] += module.IDLE_SECONDS + 1
    await channels._close_idle()
    assert (channels.get(SHOW), channels.get("second")) == (None, second)
    assert first._task is None, "its ticks have ended"
    assert await channels.open(SHOW) is not first
