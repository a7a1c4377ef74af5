"""How often a show is told what happened: as often as allowed while there is time, twice a second under load, and a
change of the pinned product or the stage at once."""

from __future__ import annotations

import pytest

from livecommerce.realtime.pace import HZ_MIN, LOOP_SHARE_MAX, Pace
from tests.realtime.world import SHOW, World


def test_the_tick_slows_down_with_its_cost_and_no_further_than_twice_a_second() -> None:
    pace = Pace(20.0)
    assert pace.interval() == 1 / 20
    pace.note("one viewer json", 0.001)
    assert pace.interval() == 1 / 20, "a cheap tick is as often as allowed"
    for _ in range(50):
        pace.note("one viewer json", 0.08)
        pace.note("two viewer json", 0.02)
    assert pace.interval() == pytest.approx(0.1 / LOOP_SHARE_MAX, rel=0.01), "all shows share the time of the process"
    for _ in range(50):
        pace.note("one viewer json", 3.0)
    assert pace.interval() == 1 / HZ_MIN
    pace.forget("one")
    assert pace.interval() == pytest.approx(0.02 / LOOP_SHARE_MAX, rel=0.01)


async def test_a_pin_and_the_stage_wait_for_no_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    host, anna = await world.connect(staff="host"), await world.connect("anna")
    channel = world.gateway.channels.get(SHOW)
    await anna.comment("before")
    await anna.event("chat", text="before")
    monkeypatch.setattr(channel._pace, "interval", lambda: 3_600.0)  # a process that has no time at all
    await anna.comment("the last tick for an hour")
    await anna.event("chat", text="the last tick for an hour")
    await anna.comment("waits")
    for do, fields, kind in (("start", {}, "stage"), ("pin", {"code": "A01"}, "pin"), ("unpin", {}, "pin")):
        assert (await host.command(do, **fields))["ok"]
        count = 2 if do == "unpin" else 1
        await anna.until(lambda kind=kind, count=count: len(anna.events(kind)) == count)
    assert "waits" in [event["text"] for event in anna.events("chat")], "what waited came along"
    anna.chain()
