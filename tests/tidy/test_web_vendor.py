"""Vendored browser code is what its manifest says, with its licence, and nothing else lies beside it."""

import gzip
import hashlib
import tomllib
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[2] / "web" / "vendor"
FILES = tomllib.loads((VENDOR / "MANIFEST.toml").read_text(encoding="utf-8"))["file"]


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["name"])
def test_a_vendored_file_has_the_published_bytes_and_a_licence(entry):
    assert hashlib.sha256((VENDOR / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (VENDOR / entry["licence_file"]).stat().st_size > 500


def test_nothing_unlisted_is_vendored():
    present = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    listed = {entry["name"] for entry in FILES} | {entry["licence_file"] for entry in FILES} | {"MANIFEST.toml"}
    assert present == listed


def test_what_a_phone_downloads_from_vendor_stays_below_30_kb():
    assert sum(len(gzip.compress((VENDOR / entry["name"]).read_bytes())) for entry in FILES) < 30_000
