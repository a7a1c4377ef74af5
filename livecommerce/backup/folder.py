"""What a backup's folder holds, and whether it is whole.

manifest.json        written last: without it the folder is no backup
secret               signs viewers' cookies: without it buyers lose their tickets
sql/<table>.jsonl    every row of every table
valkey-<n>.rdb       a snapshot of the store; of a cluster one a primary
recordings/          where asked for
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from livecommerce.ops.errors import BackupRefused

MANIFEST = "manifest.json"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True):
    """`files`: SHA-256 by path within the folder, recordings left out."""

    format: int
    livecommerce: str
    made_at_ms: int
    revision: str
    rows: dict[str, int]
    stores: list[str]
    store_version: str
    has_recordings: bool
    files: dict[str, str]


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(folder: Path) -> dict[str, str]:
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    named = ((str(path.relative_to(folder)), path) for path in found)
    return {name: digest(path) for name, path in named if not name.startswith("recordings/")}


def read_manifest(folder: Path) -> Manifest:
    """
    Raises:
        BackupRefused: this is no backup, a newer release's, or a file is missing or changed.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupRefused(f"{folder} is no backup, or one that was not finished: {error}") from error
    if manifest.format != FORMAT:
        raise BackupRefused(f"{folder} is a backup of format {manifest.format}; this release reads {FORMAT}.")
    for name, wanted in manifest.files.items():
        try:
            found = digest(folder / name)
        except OSError as error:
            raise BackupRefused(f"{folder / name} cannot be read: {error.strerror}. Take another backup.") from error
        if found != wanted:
            raise BackupRefused(f"{folder / name} is not as it was written. Take another backup.")
    return manifest
