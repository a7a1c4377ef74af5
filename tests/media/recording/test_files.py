"""Where a recording lies and what its manifest says: whole, or not there."""

from __future__ import annotations

import pytest

from livecommerce.media.packaging.access_units import ParameterSets
from livecommerce.media.recording import files
from livecommerce.media.recording.reader import read_recording


@pytest.mark.parametrize("show", ["../escape", "", "A", "a/b", "x" * 41])
def test_a_folder_is_named_by_show_ids_alone(tmp_path, show):
    with pytest.raises(ValueError):
        files.folder_of(tmp_path, show)


def test_without_a_recording_there_is_none(tmp_path):
    assert read_recording(tmp_path / "nothing") is None
    (tmp_path / "manifest.json").write_text("{")
    assert read_recording(tmp_path) is None


GOOD = files.Manifest("demo", 1_700_000_000_000, [files.Take("take-0001.mp4", 1_700_000_000_000, 5)])


def test_what_is_written_is_read(tmp_path):
    sets = ParameterSets((b"\x67abc",), (b"\x68d", b"\x68e"))
    manifest = files.Manifest("demo", 7, [files.Take("take-0001.mp4", 7)], [files.description(sets)])
    files.write_manifest(tmp_path, manifest)
    read = files.read_manifest(tmp_path)
    assert read == manifest
    assert read.parameters() == [sets]
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"], "nothing lies beside it"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"show": "demo"}',
        b'{"show": "demo", "origin_ms": "yesterday"}',
        b'{"show": "demo", "origin_ms": 7, "takes": [{}]}',
        b'{"show": "demo", "origin_ms": 7, "takes": [{"file": 7, "started_ms": 7}]}',
        b'{"show": "demo", "origin_ms": 7, "descriptions": [{"sequence": ["abc"], "picture": []}]}',
        b'{"show": "demo", "origin_ms": 7, "takes": []}'[:30],
    ],
    ids=[
        "empty",
        "cut off",
        "null",
        "a list",
        "not UTF-8",
        "no origin",
        "an origin in words",
        "a take of nothing",
        "a take by a number",
        "parameter sets that are no base64",
        "half",
    ],
)
def test_a_damaged_manifest_is_none(tmp_path, body):
    (tmp_path / "manifest.json").write_bytes(body)
    assert files.read_manifest(tmp_path) is None
    assert read_recording(tmp_path) is None


def test_a_refused_manifest_leaves_the_old_one(tmp_path, monkeypatch):
    files.write_manifest(tmp_path, GOOD)

    def refuse(file):
        raise OSError(28, "no space left")

    monkeypatch.setattr(files.os, "fsync", refuse)
    with pytest.raises(OSError, match="no space"):
        files.write_manifest(tmp_path, files.Manifest("demo", 9))
    assert files.read_manifest(tmp_path) == GOOD
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
