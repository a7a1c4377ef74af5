"""Vendored browser code is what its manifest says, with its licence, and nothing else lies beside it."""

import gzip
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {name: ROOT / name for name in ("web/vendor", "tests/browser/vendor")}


def files(folder: str) -> list[dict[str, Any]]:
    return tomllib.loads((FOLDERS[folder] / "MANIFEST.toml").read_text(encoding="utf-8"))["file"]


ENTRIES = [pytest.param(folder, entry, id=entry["name"]) for folder in FOLDERS for entry in files(folder)]


@pytest.mark.parametrize(("folder", "entry"), ENTRIES)
def test_a_vendored_file_has_the_published_bytes_and_a_licence(folder, entry):
    assert hashlib.sha256((FOLDERS[folder] / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (FOLDERS[folder] / entry["licence_file"]).stat().st_size > 500


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_unlisted_is_vendored(folder):
    present = {path.relative_to(FOLDERS[folder]).as_posix() for path in FOLDERS[folder].rglob("*") if path.is_file()}
    listed = {entry[key] for entry in files(folder) for key in ("name", "licence_file")} | {"MANIFEST.toml"}
    assert present == listed


def test_what_a_phone_downloads_from_vendor_stays_below_30_kb():
    at_once = [entry["name"] for entry in files("web/vendor") if not entry.get("on_demand")]
    assert sum(len(gzip.compress((FOLDERS["web/vendor"] / name).read_bytes())) for name in at_once) < 30_000
