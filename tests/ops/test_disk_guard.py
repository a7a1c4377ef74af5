"""A disk that fills up closes writes by name before the server falls over, and opens them again."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from livecommerce.ops.disk_guard import DiskGuard, free_bytes
from livecommerce.ops.valkey import EmbeddedValkey

MEBIBYTE = 1024 * 1024


class Disk:
    """The free space as a value that the test sets."""

    def __init__(self) -> None:
        self.free = 1000 * MEBIBYTE

    def __call__(self, folder: Path) -> int:
        return self.free


def test_writes_close_below_the_reserve_and_open_with_room_to_spare(valkey_server: EmbeddedValkey) -> None:
    client = Redis.from_url(valkey_server.url)
    disk = Disk()
    guard = DiskGuard(valkey_server.url, valkey_server.folder, free=disk)
    try:
        assert guard.check()
        client.set("before", "kept")

        disk.free = 63 * MEBIBYTE
        assert not guard.check()
        with pytest.raises(OutOfMemoryError):
            client.set("during", "refused")
        assert client.get("before") == b"kept", "reading goes on"

        disk.free = 100 * MEBIBYTE
        assert not guard.check(), "a little more than the reserve is not enough: no flapping"
        disk.free = 200 * MEBIBYTE
        assert guard.check()
        client.set("after", "written")
    finally:
        client.config_set("maxmemory", 0)
        client.close()


def test_a_restarted_server_is_limited_again(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.start()
    disk = Disk()
    disk.free = 0
    guard = DiskGuard(server.url, tmp_path, free=disk)
    guard.check()
    server.kill()
    assert not guard.check(), "a server that is away is no error"
    server.start()
    guard.check()
    client = Redis.from_url(server.url)
    try:
        with pytest.raises(OutOfMemoryError):
            client.set("key", "refused")
    finally:
        client.close()
        server.stop()


def test_free_space_is_that_of_the_file_system(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
