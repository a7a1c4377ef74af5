"""A large crowd gets its ticks in parts, in turn: everyone gets everything, in order, whatever part they are in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.intake.rate import CommentRate
from livecommerce.realtime import channel as channel_module
from livecommerce.realtime import viewers as module
from livecommerce.realtime.channel import Channel
from tests.realtime.world import SHOW, Client, World, new_id


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_VIEWERS", 2)


async def crowd_in_parts(world: World, count: int, parts: int) -> tuple[Channel, list[Client]]:
    """Viewers that joined while the show went on, so that the crowd was divided."""
    crowd = [await world.connect(f"viewer-{number}") for number in range(count)]
    channel = world.gateway.channels.get(SHOW)
    assert channel is not None
    for number in range(20):  # each turn may divide one part
        if len(channel.parts) == parts:
            break
        await say_and_wait(world, crowd, f"warm {number}")
    assert len(channel.parts) == parts
    return channel, crowd


class AnyRate(CommentRate):
    """Also for lines that the log brings late: the rate of comments is another test's business."""

    def wait_ms(self, viewer: str, per_window: int, now_ms: int) -> int:
        return 0


def forget_rate(world: World) -> None:
    channel = world.gateway.channels.get(SHOW)
    assert channel is not None
    channel.mirror.rate = AnyRate()


async def say_and_wait(world: World, crowd: list[Client], text: str) -> None:
    forget_rate(world)
    assert (await crowd[0].comment(text))["ok"]
    for client in crowd:
        await client.event("chat", text=text)


def lines(client: Client) -> list[str]:
    return [event["text"] for event in client.events("chat") if not event["text"].startswith("warm")]


async def test_everyone_gets_every_line_once_and_in_order(world: World) -> None:
    _, crowd = await crowd_in_parts(world, 6, 3)
    spoken = [f"line {number}" for number in range(12)]
    for text in spoken:
        forget_rate(world)
        assert (await crowd[0].comment(text))["ok"]
    for client in crowd:
        await client.event("chat", text=spoken[-1])
        assert lines(client) == spoken
        client.chain()


async def test_parts_move_on_one_after_the_other_and_a_pin_goes_to_all_at_once(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    channel, crowd = await crowd_in_parts(fast_world, 5, 3)
    await channel.stop()  # from here on, the turns are ours
    before = channel.offset
    channel.pending.append(("9999999999998-0", [chat("by turns")]))
    for moved in (1, 2, 3):
        await channel.turn()
        assert sum(part.offset == channel.offset != before for part in channel.parts) == moved
        assert channel.parts[-1].offset == channel.offset  # where a joining viewer is put
    for client in crowd:
        await client.event("chat", text="by turns")
    assert channel._longest_waiting() is None
    channel.start()
    await host.command("pin", code="A01")
    for client in crowd:
        await client.event("pin", code="A01")
        client.chain()
    assert len({part.offset for part in channel.parts}) == 1


async def test_who_joins_or_resumes_between_two_turns_has_no_gap(world: World) -> None:
    channel, crowd = await crowd_in_parts(world, 5, 3)
    await channel.stop()
    channel.pending.append(("9999999999998-0", [chat("early")]))
    await channel.turn()
    late = await world.connect("late")
    assert late.snapshot["offset"] == channel.offset
    waiting = next(client for client in crowd if client.chain()[-1] != channel.offset)
    position, epoch = waiting.chain()[-1], waiting.snapshot["epoch"]
    assert await waiting.call("resume", {"epoch": epoch, "offset": position}) == {"ok": True, "resumed": True}
    channel.pending.append(("9999999999998-1", [chat("later")]))
    for _ in range(len(channel.parts)):
        await channel.turn()
    for client in (*crowd, late):
        await client.event("chat", text="later")
        client.chain()
    assert lines(waiting) == ["early", "later"]
    assert lines(late) == ["later"]


async def test_private_events_come_with_the_viewers_own_part(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    _, crowd = await crowd_in_parts(world, 5, 3)
    for client in crowd[:3]:
        await client.call("claim", {"id": new_id(), "code": "B01", "options": {}, "quantity": 1})
    for client in crowd[:3]:
        await client.until(lambda client=client: client.private("ticket"))
        assert len(client.private("ticket")) == 1
    assert all(client.private("ticket") == [] for client in crowd[3:])


async def test_parts_become_one_again_when_viewers_leave(fast_world: World) -> None:
    channel, crowd = await crowd_in_parts(fast_world, 8, 4)
    stay = crowd[:2]
    await asyncio.gather(*(client.close() for client in crowd[2:]))
    for number in range(10):  # each turn may join two parts
        await say_and_wait(fast_world, stay, f"less {number}")
        if len(channel.parts) <= 2:  # one more than wanted may stay: viewers come and go
            break
    assert len(channel.parts) == 2
    assert sorted(viewer.viewer for viewer in channel.everyone()) == ["viewer-0", "viewer-1"]
    for client in stay:
        client.chain()


async def test_turns_keep_their_cadence_and_never_make_up_for_lost_ones(
    fast_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, _ = await crowd_in_parts(fast_world, 5, 3)
    await channel.stop()
    clock = [1000.0]
    monkeypatch.setattr(channel_module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(channel._pace, "interval", lambda: 0.3)
    story = [  # when a turn begins, and from when the next one is counted
        (1000.0, 1000.0),
        (1000.101, 1000.1),  # a timer was late by a millisecond
        (1000.201, 1000.2),
        (1000.5, 1000.5),  # nothing to say for a while
        (1000.52, 1000.52),  # a pin: at once
    ]
    for now, counted_from in story:
        clock[0] = now
        assert channel._step() == pytest.approx(0.1)
        assert channel._turn_at == pytest.approx(counted_from)


def chat(text: str) -> dict[str, Any]:
    return {"t": "chat", "id": new_id(), "viewer": "x", "name": "x", "text": text, "at": 1, "kind": "viewer"}
