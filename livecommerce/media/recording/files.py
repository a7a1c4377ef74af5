"""The files of one show's recording: what the manifest says, where things lie, and how they are written whole.

<data>/recordings/<show>/manifest.json      wall-clock origin, takes, picture set-ups
                         take-0001.mp4 …    fragmented MP4; one for each time a relay began to record
                         events.jsonl       the show's public events, one log entry a line (replay/archive.py)
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from livecommerce.media.packaging.access_units import ParameterSets

MANIFEST, EVENTS = "manifest.json", "events.jsonl"
_SHOW = re.compile(r"[a-z0-9-]{1,40}")


class Take(Struct):
    """`started_ms`: wall clock of the first picture. `ended_ms` is 0 while it runs, and after a crash.

    Attributes: `jumps_ms` are moments (wall clock) at which a clock of the host was set anew; sound and picture lie as
        they arrived there.
    """

    file: str
    started_ms: int
    ended_ms: int = 0
    jumps_ms: list[int] = []


class Description(Struct, frozen=True):
    """Parameter sets in base64; fragments name them by their place in the list, from 1."""

    sequence: tuple[str, ...]
    picture: tuple[str, ...]


class Manifest(Struct):
    """Attributes: `origin_ms` is the wall clock at time 0 of all takes."""

    show: str
    origin_ms: int
    takes: list[Take] = []
    descriptions: list[Description] = []
    version: int = 1

    def parameters(self) -> list[ParameterSets]:
        return [ParameterSets(_bytes(one.sequence), _bytes(one.picture)) for one in self.descriptions]


def _bytes(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(text) for text in texts)


def description(parameters: ParameterSets) -> Description:
    def texts(units: tuple[bytes, ...]) -> tuple[str, ...]:
        return tuple(base64.b64encode(unit).decode() for unit in units)

    return Description(texts(parameters.sequence), texts(parameters.picture))


def recordings_folder(data_folder: str | Path) -> Path:
    return Path(data_folder) / "recordings"


def folder_of(data_folder: str | Path, show: str) -> Path:
    """
    Raises:
        ValueError: `show` is no show id (it would name another folder).
    """
    if not _SHOW.fullmatch(show):
        raise ValueError(f"not a show id: {show!r}")
    return recordings_folder(data_folder) / show


def read_manifest(folder: Path) -> Manifest | None:
    """None where there is no recording, or its manifest is not readable."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        manifest.parameters()  # what is no base64 is found here, not by whoever asks for it later
    except (OSError, msgspec.DecodeError, ValueError):
        return None
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replaces the manifest in one step: a reader or a crash sees the old one or the new one.

    Raises:
        OSError: it could not be written; the old one stands.
    """
    beside = folder / f".{MANIFEST}.{os.getpid()}"
    try:
        with beside.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / MANIFEST)
    finally:
        beside.unlink(missing_ok=True)
