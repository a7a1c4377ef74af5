"""The archive beside a recording: what everyone could read, once each, whatever crashes in between."""

from __future__ import annotations

import json

import pytest

from livecommerce.media.recording import files
from livecommerce.replay.archive import EventArchiver, ShowArchive, chapters, public_events, read_replay
from livecommerce.shows.commands import Actor, Speaker
from livecommerce.shows.executor import Executor
from livecommerce.shows.kinds import SHOW_KINDS
from livecommerce.shows.model import ShowItem, ShowSetup
from livecommerce.shows.projection import Projector
from livecommerce.shows.registry import Registry
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.settings import Stock

STAFF = Actor("ling", "owner")
ITEMS = tuple(ShowItem(code, (name,), 590, supply={code: 5}) for code, name in [("A01", "針織外套"), ("B02", "馬克杯")])


@pytest.fixture
async def shows(valkey):
    engine = StockEngine(valkey, Stock())
    await engine.start()
    store = ShowStore(valkey, engine, Registry(SHOW_KINDS))
    await store.start()
    await store.create(ShowSetup(id="demo", shop="moon", title="週三夜場", shop_name="月光", items=ITEMS))
    yield store
    await store.close()
    await engine.close()


@pytest.fixture
def folder(tmp_path, shows):
    folder = files.folder_of(tmp_path, "demo")
    folder.mkdir(parents=True)
    (folder / "take-0001.mp4").write_bytes(b"")
    files.write_manifest(folder, files.Manifest("demo", shows.now_ms(), [files.Take("take-0001.mp4", shows.now_ms())]))
    return folder


def chat(identity, text, at, viewer="viewer-1", **more):
    return {
        "t": "chat",
        "id": identity,
        "viewer": viewer,
        "name": "小美",
        "text": text,
        "at": at,
        "kind": "viewer",
        **more,
    }


async def say(shows, identity, text, **more):
    await shows.publish("demo", [chat(identity, text, shows.now_ms(), **more)])


async def do(shows, number, **command):
    await Executor(shows).execute("demo", shows.kinds.read_command({"id": f"command-{number}", **command}), STAFF)


def lines(folder):
    return [json.loads(line) for line in (folder / files.EVENTS).read_text().splitlines()]


async def test_chat_pins_and_products_are_kept_on_the_recordings_time(shows, folder, tmp_path):
    await do(shows, 1, do="pin", code="A01")
    await say(shows, "comment-1", "這件好看")
    await do(shows, 2, do="pin", code="B02")
    await do(shows, 3, do="unpin")
    await EventArchiver(shows, tmp_path).look()
    replay = read_replay(folder, files.read_manifest(folder).origin_ms - 1, 60_000)
    assert replay.show["title"] == "週三夜場"
    assert [product["code"] for product in replay.products] == ["A01", "B02"]
    assert [chapter["code"] for chapter in replay.chapters] == ["A01", "B02"][-len(replay.chapters) :]
    assert [line["text"] for line in replay.chat] == ["這件好看"]
    assert 0 <= replay.chat[0]["at"] < 10_000


async def test_nothing_private_and_nothing_hidden_is_in_a_replay(shows, folder, tmp_path):
    await say(shows, "comment-1", "hello")
    await say(shows, "comment-2", "bad words")
    await say(shows, "comment-3", "waits for a moderator", held=True)
    await say(shows, "comment-4", "nobody sees this", shadow=True)
    await do(shows, 1, do="hide", comment="comment-2")
    await EventArchiver(shows, tmp_path).look()
    text = (folder / files.EVENTS).read_text()
    assert "viewer-1" not in text
    assert "moderator" not in text
    assert "nobody sees" not in text
    replay = read_replay(folder, 0, 1 << 60)
    assert [line["text"] for line in replay.chat] == ["hello"]


async def test_the_moment_of_an_answer_is_a_place_to_jump_to(shows, folder, tmp_path):
    for number in (1, 2):
        command = {"id": f"question-{number}", "do": "ask_question", "text": f"問題 {number}"}
        state = await shows.load("demo")
        asked = shows.kinds.read_viewer_command(command)
        decision = shows.kinds.decide_for_viewer(state, asked, Speaker("viewer-1", "小美"), state["now"])
        await shows.commit(await shows.keys_of("demo"), asked.id, "", decision, None)
        await do(shows, number, do="answer_question", question=f"question-{number}")
    await do(shows, 3, do="hide_question", question="question-2")
    await EventArchiver(shows, tmp_path).look()
    assert "viewer-1" not in (folder / files.EVENTS).read_text()
    replay = read_replay(folder, 0, 1 << 60)
    assert [(moment["kind"], moment["text"]) for moment in replay.moments] == [("question", "問題 1")]
    assert read_replay(folder, 0, 1_000).moments == [], "outside of the recording"


async def test_a_restarted_archiver_repeats_and_loses_nothing(shows, folder, tmp_path):
    for number in range(30):
        await say(shows, f"comment-{number:03d}", f"line {number}")
        if number % 7 == 0:
            await EventArchiver(shows, tmp_path).look()
    path = folder / files.EVENTS
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])  # a crash within the last line
    await EventArchiver(shows, tmp_path).look()
    said = [event["text"] for line in lines(folder) for event in line["ev"] if event["t"] == "chat"]
    assert said == [f"line {number}" for number in range(30)]


async def test_a_show_that_is_not_recorded_has_no_archive(shows, tmp_path):
    await say(shows, "comment-1", "hello")
    await EventArchiver(shows, tmp_path).look()
    assert not files.recordings_folder(tmp_path).exists()


async def test_a_recording_of_a_forgotten_show_leaves_the_others_alone(shows, folder, tmp_path):
    gone = files.folder_of(tmp_path, "forgotten")
    gone.mkdir()
    (gone / "take-0001.mp4").write_bytes(b"")
    files.write_manifest(gone, files.Manifest("forgotten", 1, [files.Take("take-0001.mp4", 1)]))
    await say(shows, "comment-1", "hello")
    await EventArchiver(shows, tmp_path).look()
    assert lines(folder)
    assert not (gone / files.EVENTS).exists()


def test_half_a_line_is_cut_off_and_garbage_is_passed_over(tmp_path):
    archive = ShowArchive(tmp_path)
    assert archive.resume() is None
    archive.append([("1-0", [{"t": "notice", "text": "a"}]), ("2-0", [])])
    path = tmp_path / files.EVENTS
    path.write_bytes(path.read_bytes() + b"garbage\n" + b'{"o": "3-0"')
    assert ShowArchive(tmp_path).resume() == "2-0"
    assert path.read_bytes().endswith(b"garbage\n")
    assert [notice["text"] for notice in read_replay(tmp_path, 0, 1_000).notices] == ["a"]


def test_a_chapter_ends_with_the_next_pin_the_unpin_or_the_recording():
    pins = [("A01", 500), ("B02", 3_000), (None, 4_000), ("A01", 8_000), ("B02", 99_000)]
    events = [{"t": "pin", "pin": str(at), "code": code, "at": 1_000 + at} for code, at in pins]
    events.insert(0, {"t": "pin", "pin": "before", "code": "C03", "at": 200})
    kept = public_events(events, Projector("salt"), Registry(SHOW_KINDS))
    assert chapters(kept, 1_000, 10_000) == [
        {"code": "C03", "at": 0, "until": 500},
        {"code": "A01", "at": 500, "until": 3_000},
        {"code": "B02", "at": 3_000, "until": 4_000},
        {"code": "A01", "at": 8_000, "until": 10_000},
    ]
