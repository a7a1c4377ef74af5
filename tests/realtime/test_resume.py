"""A cut line, a reload, a second process: a page gets exactly what it missed, or is told to start anew."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from livecommerce.intake.rate import CommentRate
from tests.realtime.world import SHOW, Client, World, new_id, serving


def lines(client: Client) -> list[str]:
    return [event["text"] for event in client.events("chat")]


async def quiet(client: Client, text: str) -> None:
    """Waits until this line has arrived."""
    await client.event("chat", text=text)


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_what_was_missed_comes_in_one_frame_without_gap_or_duplicate(world: World, serializer: str) -> None:
    ben = await world.connect("ben")
    anna = await world.connect("anna", serializer=serializer)
    await ben.comment("one")
    await quiet(anna, "one")
    position = anna.chain()[-1]
    epoch = anna.snapshot["epoch"]
    await anna.close()
    await ben.comment("two")
    await ben.comment("three")
    await quiet(ben, "three")

    back = await world.connect("anna", serializer=serializer, epoch=epoch, offset=position)
    assert back.all("snapshot") == []
    assert back.all("frame")[0]["f"] == position
    assert lines(back) == ["two", "three"]
    await ben.comment("four")
    await quiet(back, "four")
    assert lines(back) == ["two", "three", "four"]
    back.chain()


async def test_private_events_of_the_gap_come_too(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("anna")
    await anna.call("claim", {"id": new_id(), "code": "A01", "options": {}, "quantity": 1})
    await anna.until(lambda: anna.private("ticket"))
    position, epoch = anna.chain()[-1], anna.snapshot["epoch"]
    await anna.close()
    await host.command("cancel", reservation="A01#1")
    await host.until(lambda: [e for e in host.events("ticket") if e["state"] == "cancelled"])
    back = await world.connect("anna", epoch=epoch, offset=position)
    ticket = await back.until(lambda: back.private("ticket"))
    assert (ticket[0]["id"], ticket[0]["state"]) == ("A01#1", "cancelled")


@pytest.mark.parametrize(
    ("epoch", "offset"),
    [("other", None), (None, "99999999999999-0"), (None, "1-0"), (None, "no offset"), (None, 7), (None, "9" * 50)],
    ids=["another epoch", "from the future", "long gone", "no offset", "a number", "too long"],
)
async def test_what_cannot_be_resumed_starts_with_a_snapshot(
    fast_world: World, epoch: str | None, offset: object
) -> None:
    first = await fast_world.connect("anna")
    known = first.snapshot
    back = await fast_world.connect("anna", epoch=epoch or known["epoch"], offset=offset or known["offset"])
    assert back.all("snapshot")[0]["offset"] == known["offset"]
    answer = await back.call("resume", {"epoch": epoch or known["epoch"], "offset": offset or known["offset"]})
    assert answer == {"ok": True, "resumed": False}
    await back.until(lambda: len(back.all("snapshot")) == 2)


async def test_all_viewers_cut_at_once_resume_in_order(fast_world: World) -> None:
    speaker = await fast_world.connect("speaker", serializer="json")
    crowd = [await fast_world.connect(f"viewer-{number}") for number in range(40)]
    spoken: list[str] = []

    async def talk(count: int) -> None:
        for _ in range(count):
            spoken.append(f"line {len(spoken)}")
            await fast_world.store.name(SHOW, "speaker", f"n{len(spoken)}")
            assert (await say(speaker, spoken[-1]))["ok"]

    async def say(client: Client, text: str) -> dict[str, object]:
        channel = fast_world.gateway.channels.get(SHOW)
        channel.mirror.rate = CommentRate()  # the rate of comments is another test's business
        return dict(await client.comment(text))

    await talk(10)
    for client in crowd:
        await quiet(client, "line 9")
    talking = asyncio.create_task(talk(20))
    for client in crowd:
        client.websocket._response.connection.transport.abort()  # no goodbye, as a lost network
    positions = [(client.snapshot["epoch"], client.chain()[-1]) for client in crowd]
    returned = await asyncio.gather(
        *(
            fast_world.connect(f"viewer-{number}", epoch=epoch, offset=offset)
            for number, (epoch, offset) in enumerate(positions)
        )
    )
    await talking
    for old, new in zip(crowd, returned, strict=True):
        await quiet(new, spoken[-1])
        assert new.all("snapshot") == []
        assert [*lines(old), *lines(new)][: len(spoken)] == spoken
        assert len(lines(old)) + len(lines(new)) == len(spoken)
        new.chain()


async def test_a_comment_sent_again_after_the_cut_counts_once(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("anna")
    for text in ("hello", "A01+1", "A01取消", "外套嗎???", "A02+1"):
        comment = {"id": new_id(), "text": text}
        first = await anna.call("comment", comment)
        again = await anna.call("comment", {**comment, "again": True})
        assert again == first, text
    counters = await world.engine.counters("shop", ["A01"])
    assert counters["A01"].held == 0
    await quiet(anna, "A02+1")
    texts = lines(anna)
    assert len(texts) == len(set(texts)) == 5


async def test_somebody_elses_comment_id_is_refused(world: World) -> None:
    anna = await world.connect("anna")
    ben = await world.connect("ben")
    comment = {"id": new_id(), "text": "mine"}
    assert (await anna.call("comment", comment))["ok"]
    for more in ({}, {"again": True}):
        answer = await ben.call("comment", {**comment, **more})
        assert answer["error"]["code"] == "id_reused"


async def test_hidden_lines_of_the_gap_do_not_come_back(fast_world: World) -> None:
    moderator = await fast_world.connect(staff="moderator")
    anna = await fast_world.connect("anna")
    position, epoch = anna.chain()[-1], anna.snapshot["epoch"]
    await anna.close()
    ben = await fast_world.connect("ben")
    comment = {"id": new_id(), "text": "a secret"}
    await ben.call("comment", comment)
    await quiet(ben, "a secret")
    await moderator.command("hide", comment=comment["id"])
    await ben.event("hidden", comment=comment["id"])
    back = await fast_world.connect("anna", epoch=epoch, offset=position)
    assert lines(back) == []
    assert back.events("hidden")[0]["comment"] == comment["id"]
    fresh = await fast_world.connect("clara")
    assert fresh.snapshot["chat"] == []


async def test_two_web_processes_share_a_show(valkey: Redis) -> None:
    """Two gateways with nothing in common but Valkey (separate operating-system processes: test_two_processes.py)."""
    async with serving(valkey) as one, serving(valkey, create=False) as two:
        host = await one.connect(staff="host")
        anna, ben = await one.connect("anna"), await two.connect("ben")
        await host.go_live()
        await ben.event("stage", stage="live")
        await host.command("pin", code="A01")
        pin = await ben.event("pin", code="A01")
        assert (await ben.comment("+1", pin=pin["pin"]))["reason"] == "reserved"
        assert (await anna.event("claim", code="A01"))["reserved"] == 1
        await quiet(anna, "+1")
        position, epoch = anna.chain()[-1], anna.snapshot["epoch"]
        await anna.close()
        await ben.comment("on the other side")
        await quiet(ben, "on the other side")
        moved = await two.connect("anna", epoch=epoch, offset=position)
        assert moved.all("snapshot") == []
        assert lines(moved) == ["on the other side"]
        clara = await two.connect("clara")
        await clara.until(lambda: any(frame["n"] == 3 for frame in clara.all("frame")))
