"""How a person types one of our commands here: the program as it was started, on the same data folder and file."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from livecommerce.configuration.tree import Settings
from livecommerce.settings import environment_name


def program() -> list[str]:
    """`livecommerce` where that is on PATH, the path it was started by, or `python -m livecommerce`."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return [sys.executable, "-m", "livecommerce"]
    return [str(started)]


def config_flags() -> list[str]:
    """`--config FILE` as this process was given it."""
    words = sys.argv[1:]
    for place, word in enumerate(words):
        if word == "--config" and place + 1 < len(words):
            return ["--config", str(Path(words[place + 1]).resolve())]
        if word.startswith("--config="):
            return ["--config", str(Path(word.partition("=")[2]).resolve())]
    return []


def own_command(settings: Settings, *words: str) -> str:
    """A line that can be pasted: with the data folder where another was chosen than a plain call would take.

    Addresses of stores are left out: they may hold a password. Who sets them by flags alone has to repeat them.
    """
    name = environment_name("data_folder")
    chosen = Path(settings.data_folder).expanduser().resolve()
    by_itself = Path(os.environ.get(name, Settings().data_folder)).expanduser().resolve()
    where = [] if chosen == by_itself else ["--set", f"data_folder={chosen}"]
    command, *rest = words
    return shlex.join([*program(), command, *config_flags(), *where, *rest])
