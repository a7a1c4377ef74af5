"""A past show read again: every line once, from log and archive, and only what reads otherwise is listed."""

from __future__ import annotations

from typing import Any

import pytest

from livecommerce.media.recording import files as recording_files
from livecommerce.replay.archive import EventArchiver
from livecommerce.shows import reparse
from livecommerce.shows.model import Keys
from tests.site import Site


def line(identity: str, text: str, verdict: str, intents: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    read = {"version": "1", "reason": "chatter", "pinned": more.pop("pinned", None), "intents": intents}
    return {
        "t": "chat", "id": identity, "viewer": "anna", "name": "Anna", "text": text, "at": 1_700_000_000_000,
        "kind": "viewer", "verdict": verdict, "read": read, **more,
    }  # fmt: skip


def mug(quantity: int) -> list[dict[str, Any]]:
    return [{"do": "reserve", "code": "B02", "options": [], "qty": quantity}]


@pytest.fixture
async def show(site: Site) -> Site:
    await site.login()
    await site.make_show()
    return site


async def log(site: Site, *lines: dict[str, Any]) -> None:
    for event in lines:
        await site.shows.publish("demo", [event])


async def test_only_what_reads_otherwise_is_listed(show: Site) -> None:
    await log(
        show,
        line("line-0001", "B02+2", "order", mug(2)),
        line("line-0002", "咖啡杯+1", "unclear", []),
        line("line-0003", "+1", "order", mug(1), pinned="B02"),
        line("line-0004", "B02+3", "order", mug(1)),
        line("line-0005", "大家好", "none", []),
        line("line-0006", "B02+1", "order", mug(1), held=True),
        line("line-0006", "B02+1", "order", mug(1)),
    )
    assert (await show.ask("PUT", "/api/words", {"aliases": {"咖啡杯": "B02"}})).status == 200
    status, answer = await show.told("GET", "/api/shows/demo/reparse")
    assert (status, answer["read"], answer["changed"], answer["next"]) == (200, 6, 2, None)
    missed, wrong = answer["differences"]
    assert (missed["text"], missed["name"], missed["before"]["verdict"]) == ("咖啡杯+1", "Anna", "unclear")
    assert (missed["after"]["verdict"], missed["after"]["intents"]) == ("order", mug(1))
    assert (wrong["before"]["intents"], wrong["after"]["intents"]) == (mug(1), mug(3))
    assert "viewer" not in missed


async def test_names_that_the_catalogue_has_learned_since_count(show: Site) -> None:
    await log(show, line("line-0001", "咖啡缸+1", "unclear", []))
    await show.ask("PUT", "/api/products/B02", {"names": ["馬克杯", "咖啡缸"], "price_minor": 250})
    _, answer = await show.told("GET", "/api/shows/demo/reparse")
    assert [found["after"]["intents"] for found in answer["differences"]] == [mug(1)]


async def test_lines_of_an_older_log_are_compared_by_their_verdict(show: Site) -> None:
    old = [line("line-0001", "B02+2", "order", []), line("line-0002", "B02+2", "unclear", [])]
    await log(show, *({key: value for key, value in event.items() if key != "read"} for event in old))
    _, answer = await show.told("GET", "/api/shows/demo/reparse")
    assert [found["comment"] for found in answer["differences"]] == ["line-0002"]


async def test_pages_follow_each_other(show: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await log(show, *(line(f"line-{number:04}", "B02+1", "none", []) for number in range(25)))
    monkeypatch.setattr(reparse, "DIFFERENCES_MAX", 10)
    found: list[str] = []
    after = "0-0"
    for _ in range(3):  # 10, 10 and 5
        _, answer = await show.told("GET", f"/api/shows/demo/reparse?after={after}")
        found += [entry["comment"] for entry in answer["differences"]]
        after = answer["next"]
        if after is None:
            break
    assert (found, after) == ([f"line-{number:04}" for number in range(25)], None)


async def test_what_the_log_has_dropped_comes_from_the_archive(show: Site) -> None:
    shows, data_folder = show.shows, show.settings.data_folder
    folder = recording_files.folder_of(data_folder, "demo")
    folder.mkdir(parents=True)
    (folder / "take-0001.mp4").write_bytes(b"")
    take = recording_files.Take("take-0001.mp4", shows.now_ms())
    recording_files.write_manifest(folder, recording_files.Manifest("demo", shows.now_ms(), [take]))
    await log(show, *(line(f"line-{number:04}", "B02+1", "none", []) for number in range(6)))
    await EventArchiver(shows, data_folder).look()
    await show.redis.xtrim(Keys("lingling", "demo").log, maxlen=3, approximate=False)
    await log(show, line("line-0006", "B02+1", "none", []))
    _, answer = await show.told("GET", "/api/shows/demo/reparse")
    assert [found["comment"] for found in answer["differences"]] == [f"line-{number:04}" for number in range(7)]
    assert len({found["by"] for found in answer["differences"]}) == 1


async def test_who_may_and_what_after_is(show: Site) -> None:
    assert await show.refused("GET", "/api/shows/demo/reparse?after=yesterday") == (400, 1000)
    await show.login("mei")
    assert (await show.ask("GET", "/api/shows/demo/reparse")).status == 200
    await show.login("rival")
    assert (await show.ask("GET", "/api/shows/demo/reparse")).status == 404
    show.leave()
    assert (await show.ask("GET", "/api/shows/demo/reparse")).status == 401
