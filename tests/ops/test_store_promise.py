"""Promise 1 is asked of the store before anything is sold from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from livecommerce.configuration.connections import try_connections
from livecommerce.configuration.tree import Settings
from livecommerce.doctor.stores import valkey
from livecommerce.ops import valkey as room
from livecommerce.ops.errors import StoreUnsuitable
from livecommerce.ops.findings import Level
from livecommerce.ops.health import Degraded
from livecommerce.ops.settings import Redis as RedisSettings
from livecommerce.ops.store_promise import (
    LOSSES,
    StoreFacts,
    breaches,
    check_promise,
    facts_of,
    replicas_lacking,
)
from livecommerce.ops.valkey import EmbeddedValkey, FolderNewer, Version, find_binary, folder_writer
from livecommerce.roles.process import Frame
from livecommerce.roles.stores import open_stores
from livecommerce.stock.settings import Stock
from tests.stock.servers import binary, server

GOOD = StoreFacts("Valkey", "9.0.1", "master", True, "always", "noeviction")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"append_only": False}, "appendonly"),
        ({"fsync": "everysec"}, "appendfsync"),
        ({"fsync": "no"}, "appendfsync"),
        ({"fsync": ""}, "does not tell"),
        ({"policy": "allkeys-lru"}, "noeviction"),
        ({"role": "slave"}, "primary"),
        ({"version": "6.2.14"}, "7.0"),
    ],
)
def test_each_weakness_is_refused_by_name(change: dict[str, object], named: str) -> None:
    assert breaches(GOOD, "none") == []
    [words] = breaches(GOOD._replace(**change), "none")
    assert named in words


@pytest.mark.parametrize(
    ("change", "loss"), [({}, "none"), ({"fsync": "everysec"}, "second"), ({"fsync": ""}, "second"),
                         ({"fsync": "no"}, "all"), ({"append_only": False}, "all")]
)  # fmt: skip
def test_a_loss_is_taken_only_where_the_setting_says_so(change: dict[str, object], loss: str) -> None:
    facts = GOOD._replace(**change)
    for accept in LOSSES:
        assert (breaches(facts, accept) == []) == (LOSSES.index(accept) >= LOSSES.index(loss))


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_a_server_without_an_append_only_file_is_refused_at_the_start(tmp_path: Path, kind: str) -> None:
    weak = server(kind, tmp_path / "store", fsync="off")
    weak.start()
    try:
        settings = Settings(data_folder=str(tmp_path), secret="words that sign cookies", redis=RedisSettings(weak.url))
        for role in ("web", "worker", "relay"):
            with pytest.raises(StoreUnsuitable, match="appendonly is no"):
                async with open_stores(Frame(settings, role, 0)):
                    pass
        accepted = msgspec.structs.replace(settings, redis=RedisSettings(weak.url, "all"))
        async with open_stores(Frame(accepted, "worker", 0)):
            pass
        client = Redis.from_url(weak.url)
        [words] = await check_promise(client, "all")
        assert "appendonly" in words
        await client.aclose()
    finally:
        weak.stop()


def test_only_replicas_that_are_online_count() -> None:
    info = {"connected_slaves": 2, "slave0": {"state": "online"}, "slave1": {"state": "wait_bgsave"}}
    facts = facts_of(info, "always")
    assert facts.replicas == 1
    assert replicas_lacking([facts], 1) == replicas_lacking([GOOD], 0) == ""
    assert "has 1 replicas online and stock.replicas_wait is 2" in replicas_lacking([facts], 2)


async def test_too_few_replicas_are_told_by_ready_check_config_and_doctor(tmp_path: Path) -> None:
    alone = server("valkey", tmp_path / "store")
    alone.start()
    try:
        settings = Settings(
            data_folder=str(tmp_path), secret="words that sign cookies", redis=RedisSettings(alone.url),
            stock=Stock(replicas_wait=1),
        )  # fmt: skip
        frame = Frame(settings, "web", 0)
        async with open_stores(frame):
            told = await frame.health.checks["replicas"]()
            assert isinstance(told, Degraded)
        [tried] = await try_connections(settings)
        assert "stock.replicas_wait is 1" in tried.words
        assert not tried.refused, "watching and chat go on without them"
        found = {finding.check: finding.level for finding in valkey(alone.url, (), replicas_wait=1)}
        assert found["valkey replicas"] is Level.fail
    finally:
        alone.stop()


VALKEY_9, VALKEY_8 = Version("Valkey", (9, 0, 1)), Version("Valkey", (8, 1, 0))
REDIS_70, REDIS_72, REDIS_74 = (Version("Redis", (7, minor, 0)) for minor in (0, 2, 4))


@pytest.mark.parametrize(
    ("reader", "writer", "can"),
    [
        (VALKEY_9, VALKEY_9, True),
        (VALKEY_9, VALKEY_8, True),
        (VALKEY_8, VALKEY_9, False),
        (VALKEY_9, REDIS_70, True),
        (VALKEY_9, REDIS_74, False),
        (REDIS_70, VALKEY_9, False),
        (REDIS_72, VALKEY_8, True),
        (REDIS_70, VALKEY_8, False),
        (REDIS_74, REDIS_72, True),
        (REDIS_72, REDIS_74, False),
    ],
)
def test_which_server_reads_whose_files(reader: Version, writer: Version, can: bool) -> None:
    assert reader.reads(writer) is can


def test_the_wheels_server_comes_before_one_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = binary("redis")
    monkeypatch.setattr(room.shutil, "which", lambda name: installed if name == "redis-server" else None)
    assert find_binary() == binary("valkey")


@pytest.mark.parametrize("noted", [True, False], ids=["by our note", "by the file's header"])
def test_an_older_server_is_never_started_on_a_newer_ones_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    newer = server("valkey", tmp_path)
    newer.start()
    newer.stop()
    if not noted:
        (tmp_path / room.WRITER_NAME).unlink()
    before = {path: path.read_bytes() for path in (tmp_path / room.AOF_FOLDER).iterdir()}
    writer = folder_writer(tmp_path)
    assert writer is not None
    assert writer.product == "Valkey"
    monkeypatch.setattr(room, "_packaged_binary", lambda: None)
    installed = binary("redis")
    monkeypatch.setattr(room.shutil, "which", lambda name: installed if name == "redis-server" else None)
    with pytest.raises(FolderNewer, match=f"written by {writer}.*Redis 7.* cannot read"):
        EmbeddedValkey(tmp_path).start()
    assert {path: path.read_bytes() for path in (tmp_path / room.AOF_FOLDER).iterdir()} == before


def test_an_older_folder_is_taken_over_by_the_newer_server(tmp_path: Path) -> None:
    older = server("redis", tmp_path)
    older.start()
    older.stop()
    assert str(folder_writer(tmp_path)).startswith("Redis 7")
    newer = EmbeddedValkey(tmp_path)
    newer.start()
    newer.stop()
    assert str(folder_writer(tmp_path)).startswith("Valkey")


def test_advice_to_cut_the_file_is_not_handed_on(tmp_path: Path) -> None:
    broken = server("valkey", tmp_path)
    broken.start()
    broken.stop()
    [incremental] = (tmp_path / room.AOF_FOLDER).glob("*.incr.aof")
    incremental.write_bytes(b"not a command\r\n" + incremental.read_bytes())
    with pytest.raises(room.ValkeyFailed) as caught:
        server("valkey", tmp_path).start()
    assert "--fix" not in str(caught.value)
    assert "livecommerce restore" in str(caught.value)
