"""When a pin is shown on a viewer's page: the pages' own moment.js in Node, one row a story."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "node" / "moment.mjs"
SECOND = 90_000


def pin(name: str, timestamp: int | None = None, at: int = 0, code: str | None = "A01") -> dict[str, Any]:
    return {"pin": name, "code": code, "at": at, "media_timestamp": timestamp}


def rtp(timestamp: int) -> dict[str, int]:
    return {"timestamp": timestamp}


def run(stories: list[Any], distances: list[Any]) -> dict[str, list[Any]]:
    node = shutil.which("node")
    assert node, "This test needs Node: apt-get install nodejs, or https://nodejs.org"
    given = json.dumps({"stories": stories, "distances": distances})
    done = subprocess.run([node, str(SCRIPT)], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


TICK = [[at, "picture", rtp(90 * at)] for at in range(0, 20_000, 500)]
# What happens (milliseconds, what, with), and what is on the screen from when on.
STORIES: dict[str, tuple[list[Any], list[Any]]] = {
    "with its picture": (
        [[0, "pin", pin("p1", 2 * SECOND)], *TICK],
        [[2000, "p1"]],
    ),
    "its picture is there already": (
        [[500, "pin", pin("p1", 45_000)], *TICK[1:]],
        [[500, "p1"]],
    ),
    "no later than three seconds": (
        [[0, "pin", pin("p1", 9 * SECOND)], *TICK],
        [[3000, "p1"]],
    ),
    "no picture plays": (
        [[0, "plays", False], [0, "pin", pin("p1", SECOND)]],
        [[0, "p1"]],
    ),
    "the picture stands still": (
        [[0, "pin", pin("p1", 2 * SECOND)], [300, "picture", rtp(9)], [5000, "picture", rtp(10)]],
        [[3300, "p1"]],
    ),
    "the pin knows no media clock": (
        [[0, "pin", pin("p1")], [20, "picture", rtp(9)]],
        [[20, "p1"]],
    ),
    "the browser does not say which picture": (
        [[0, "pin", pin("p1", SECOND)], [20, "picture", None]],
        [[20, "p1"]],
    ),
    "another stream's clock": (
        [[0, "pin", pin("p1", 2_000_000_000)], [20, "picture", rtp(9)]],
        [[20, "p1"]],
    ),
    "hidden while it waits": (
        [[0, "pin", pin("p1", 2 * SECOND)], [100, "hide", None], *TICK[1:]],
        [[100, "p1"]],
    ),
    "unpinned while it waits: it is never shown": (
        [[0, "pin", pin("p1", 2 * SECOND)], [100, "pin", pin("p2", 3 * SECOND, code=None)], *TICK[1:]],
        [[100, "p2"]],
    ),
    "two, each with its own picture": (
        [[0, "pin", pin("p1", SECOND)], [100, "pin", pin("p2", 2 * SECOND)], *TICK[1:]],
        [[1000, "p1"], [2000, "p2"]],
    ),
    "two in one picture: the last one": (
        [[0, "pin", pin("p1", SECOND)], [100, "pin", pin("p2", SECOND + 90)], [900, "picture", rtp(2 * SECOND)]],
        [[900, "p2"]],
    ),
    "the same pin in a snapshot": (
        [[0, "pin", pin("p1", SECOND)], [100, "pin", pin("p1", SECOND)], *TICK[1:]],
        [[100, "p1"]],
    ),
    "nothing was ever pinned": (
        [[0, "pin", None]],
        [[0, None]],
    ),
    "eight seconds late by HLS": (
        [[0, "pin", pin("p1", at=8000)], *[[at, "picture", {"date": at}] for at in range(0, 20_000, 500)]],
        [[8000, "p1"]],
    ),
    "by HLS no later than ten seconds": (
        [[0, "pin", pin("p1", at=18_000)], *[[at, "picture", {"date": at}] for at in range(0, 20_000, 500)]],
        [[10_000, "p1"]],
    ),
}  # fmt: skip


def test_a_pin_is_shown_with_its_picture_and_never_long_after() -> None:
    found = run([steps for steps, _ in STORIES.values()], [])["shown"]
    for (name, (_, expected)), shown in zip(STORIES.items(), found, strict=True):
        assert shown == expected, name


@pytest.mark.parametrize(
    ("media", "picture", "distance"),
    [
        (SECOND, rtp(0), 1000),
        (0, rtp(SECOND), -1000),
        (SECOND // 2, rtp(2**32 - SECOND // 2), 1000),
        (2**32 - SECOND // 2, rtp(SECOND // 2), -1000),
        (None, rtp(0), None),
        (SECOND, None, None),
        (SECOND, {"timestamp": None}, None),
        (SECOND, {"date": 400}, 100),
        (SECOND, {"date": None}, None),
    ],
)
def test_the_distance_between_pin_and_picture(media: int | None, picture: Any, distance: int | None) -> None:
    assert run([], [[pin("p1", media, at=500), picture]])["distances"] == [distance]
