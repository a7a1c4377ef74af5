"""A machine is lost: what was acknowledged before the backup is there after the restore, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.backup.command import make_backup, move, restore_backup
from livecommerce.backup.folder import MANIFEST
from livecommerce.catalogue.pictures import Picture, PictureRepository
from livecommerce.command_trail import note_command
from livecommerce.configuration.tree import Settings
from livecommerce.ops.errors import BackupRefused
from livecommerce.ops.settings import Redis as RedisSettings
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.orders.projector import Projector
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.database import Database
from livecommerce.records.errors import DatabaseMoved
from livecommerce.records.settings import Database as DatabaseSettings
from livecommerce.stock.connection import address_of
from livecommerce.stock.engine import StockEngine
from livecommerce.stock.operations import Line, Reserve, Restock
from livecommerce.stock.rebuild import verify
from livecommerce.stock.servers import Servers
from tests.browser.live_server import LiveServer
from tests.faults.buyers_under_load import Crowd
from tests.faults.test_processes import (
    SHOW,
    check_everything_acknowledged_is_there,
    make_show,
    orders_match,
    processes,
    running,
)

SHOP = "shop"
DAY_MS = 86_400_000


@pytest.mark.timeout(240)
async def test_everything_acknowledged_before_the_backup_is_there_after_the_machine_was_lost(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    await asyncio.to_thread(server.start)
    kept = tmp_path / "kept"
    recording = server.folder / "recordings" / SHOW / "take-0001.mp4"
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b"a picture")
    try:
        await asyncio.to_thread(make_show, server)
        crowd = Crowd(server.address, SHOW, 6, seed=7)
        await crowd.open()
        try:
            await crowd.answered(20)
            before = msgspec.json.decode(msgspec.json.encode(crowd.acknowledged.reserved))
            # under load, typed as docs/operations.md prints it
            made = await asyncio.create_subprocess_exec(
                *server._command("backup", str(kept), "--recordings"), env=server._environment()
            )
            assert await asyncio.wait_for(made.wait(), 60) == 0
        finally:
            await crowd.close()
        cookie = (server.folder / "secret").read_text()
        for pid in [running(server)["pid"], *processes(server).values()]:
            with contextlib.suppress(ProcessLookupError):  # the children die with the first of them
                os.kill(pid, signal.SIGKILL)
    finally:
        await asyncio.to_thread(server.stop)
    shutil.rmtree(server.folder)
    restored = await asyncio.create_subprocess_exec(
        *server._command("restore", str(kept)), env=server._environment(), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(restored.communicate(), 60)
    assert restored.returncode == 0, said.decode()
    assert (server.folder / "secret").read_text() == cookie, "buyers keep their tickets"
    assert (server.folder / "recordings" / SHOW / "take-0001.mp4").read_bytes() == b"a picture"
    await asyncio.to_thread(server.start)
    try:
        crowd.acknowledged.chat.clear()  # what came after the backup is not promised
        crowd.acknowledged.reserved = before
        held = await asyncio.to_thread(held_now, server)
        assert before.items() <= held.items()
        crowd.acknowledged.reserved = held
        await asyncio.to_thread(check_everything_acknowledged_is_there, server, crowd.acknowledged)
        await orders_match(server, crowd.acknowledged)
    finally:
        await asyncio.to_thread(server.stop)
    again = await asyncio.create_subprocess_exec(
        *server._command("stock", "verify"), env=server._environment(), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await again.communicate()
    assert again.returncode == 0, printed.decode()


def held_now(server: LiveServer) -> dict[str, int]:
    from tests.faults.test_processes import log_of

    _, claims = log_of(server)
    return {name: claim["reserved"] for name, claim in claims.items() if claim["reserved"]}


class Small:
    """A shop without a server: a store with claims, a database that has them, a secret."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def make(self, redis: Redis) -> None:
        database = await Database.open(self.settings.database.url, self.settings.data_folder)
        engine = StockEngine(redis, self.settings.stock)
        await ShopRepository(database).put(Shop(SHOP, "小店"))
        await AuditRepository(database).add(AuditEntry(SHOP, 1, "ling", "try", "a", {"emoji": "🙂", "none": None}))
        await PictureRepository(database).add(
            Picture(sha256="0" * 64, shop=SHOP, content_type="image/png", body=b"\xff\x00")
        )
        await engine.submit(Restock(id="restock-1", shop=SHOP, show="demo", item="A01", quantity=9))
        line = Line("A01", 2, 100, "TWD", "A01！")
        await engine.submit(Reserve("claim-0001", SHOP, "demo", "anna", (line,)))
        projector = Projector(redis, database)
        while await projector.step(SHOP):
            pass
        await engine.close()
        await database.close()

    async def rows(self) -> dict[str, list[Any]]:
        database = Database.of(self.settings.database.url, self.settings.data_folder)
        found = {}
        async with database.read() as connection:
            for name in ("shops", "orders", "order_lines", "ledger_position", "audit", "pictures"):
                rows = (await connection.execute(text(f"SELECT * FROM {name} ORDER BY 1"))).mappings().all()
                found[name] = [{key: _plain(value) for key, value in row.items()} for row in rows]
        await database.close()
        # What the commands themselves note is no part of what they carry: see `trail`.
        found["audit"] = [entry for entry in found["audit"] if not entry["actor"].startswith("cli:")]
        return found

    async def trail(self) -> list[str]:
        """What was done to the shop on the command line."""
        database = Database.of(self.settings.database.url, self.settings.data_folder)
        entries = await AuditRepository(database).newest(SHOP)
        await database.close()
        return [entry.do for entry in reversed(entries) if entry.actor.startswith("cli:")]


def _plain(value: Any) -> Any:
    """JSON columns come as text from SQLite and as maps from PostgreSQL when asked without their type."""
    if isinstance(value, str) and value[:1] in "{[":
        return json.loads(value)
    return value.hex() if isinstance(value, bytes) else value


def settings_for(folder: Path, kind: str, url: str) -> Settings:
    database = DatabaseSettings(url=url if kind == "postgresql" else "")
    return Settings(data_folder=str(folder), database=database)


async def emptied(url: str) -> str:
    database = Database(url)
    async with database.write() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await database.close()
    return url


@pytest.fixture
async def small(tmp_path: Path) -> Small:
    """On SQLite and an embedded store that does not run any more."""
    made = Small(Settings(data_folder=str(tmp_path / "data")))
    server = EmbeddedValkey(tmp_path / "data")
    server.start()
    redis = Redis.from_url(server.url)
    await made.make(redis)
    await redis.aclose()
    server.stop()
    return made


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_backup_of_one_database_is_restored_into_either(
    small: Small, tmp_path: Path, postgres_url: str, kind: str
) -> None:
    manifest = await make_backup(small.settings, tmp_path / "kept")
    assert manifest.rows["orders"] == 1
    other = settings_for(tmp_path / "other", kind, await emptied(postgres_url))
    await restore_backup(other, tmp_path / "kept")
    assert await Small(other).rows() == await small.rows()
    assert await small.trail() == ["backed_up"]
    assert await Small(other).trail() == ["restored"]
    server = EmbeddedValkey(tmp_path / "other")
    server.start()
    redis = Redis.from_url(server.url)
    servers = Servers(address_of(redis))
    try:
        assert await verify(await servers.connection_of(SHOP), SHOP, "") == []
    finally:
        servers.close()
        await redis.aclose()
        server.stop()
    # and back again from there
    await make_backup(other, tmp_path / "again")
    third = settings_for(tmp_path / "third", "sqlite", "")
    await restore_backup(third, tmp_path / "again")
    assert await Small(third).rows() == await small.rows()


async def test_a_backup_is_restored_into_a_given_store(small: Small, tmp_path: Path) -> None:
    store = EmbeddedValkey(tmp_path / "data")
    store.start()
    redis = Redis.from_url(store.url)
    await redis.set("session", b"who", px=DAY_MS)
    await redis.set("for good", b"what")
    await redis.aclose()
    store.stop()
    await make_backup(small.settings, tmp_path / "kept")
    given = EmbeddedValkey(tmp_path / "given")
    given.start()
    redis = Redis.from_url(given.url)
    try:
        other = Settings(data_folder=str(tmp_path / "other"), redis=RedisSettings(given.url))
        await restore_backup(other, tmp_path / "kept")
        servers = Servers(address_of(redis))
        assert await verify(await servers.connection_of(SHOP), SHOP, "") == []
        servers.close()
        assert (await redis.get("session"), await redis.get("for good")) == (b"who", b"what")
        assert 0 < await redis.pttl("session") <= DAY_MS, "what had an end keeps it"
        assert await redis.pttl("for good") == -1
        with pytest.raises(BackupRefused, match="not empty"):
            await restore_backup(Settings(data_folder=str(tmp_path / "more"), redis=other.redis), tmp_path / "kept")
    finally:
        await redis.aclose()
        given.stop()


async def test_nothing_is_written_over_and_nothing_half(small: Small, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    await make_backup(small.settings, kept)
    assert kept.stat().st_mode & 0o077 == 0
    with pytest.raises(BackupRefused, match="is there already"):
        await make_backup(small.settings, kept)
    with pytest.raises(BackupRefused, match="has a store already"):
        await restore_backup(small.settings, kept)
    fresh = Settings(data_folder=str(tmp_path / "fresh"), secret="other words than the backup has")
    with pytest.raises(BackupRefused, match="lose their tickets"):
        await restore_backup(fresh, kept)
    for damage in ("valkey-0.rdb", "sql/orders.jsonl", "secret"):
        broken = tmp_path / f"broken-{damage.replace('/', '-')}"
        shutil.copytree(kept, broken)
        (broken / damage).write_bytes((broken / damage).read_bytes()[:-1])
        with pytest.raises(BackupRefused, match="not as it was written"):
            await restore_backup(Settings(data_folder=str(tmp_path / "fresh")), broken)
    (kept / MANIFEST).unlink()
    with pytest.raises(BackupRefused, match="no backup"):
        await restore_backup(Settings(data_folder=str(tmp_path / "fresh")), kept)


async def test_the_database_moves_to_postgresql_counted(small: Small, tmp_path: Path, postgres_url: str) -> None:
    url = (await emptied(postgres_url)).replace("postgresql+asyncpg", "postgresql")
    rows = await move(small.settings, url)
    moved = Settings(data_folder=small.settings.data_folder, database=DatabaseSettings(url=url))
    assert rows["orders"] == 1
    assert await Small(moved).rows() == await small.rows()
    assert await Small(moved).trail() == ["database_moved"]
    database = await Database.open(url, moved.data_folder)
    await AuditRepository(database).add(
        AuditEntry(SHOP, 2, "ling", "try", "again", {})
    )  # numbered after those that came
    await database.close()
    with pytest.raises(DatabaseMoved, match=r"moved to postgresql.*Set LIVECOMMERCE_DATABASE_URL"):
        await move(small.settings, url)
    with pytest.raises(DatabaseMoved):  # a new shell without the variable
        await Database.open("", small.settings.data_folder)
    with pytest.raises(BackupRefused, match="in use"):
        await move(moved, url)


async def test_a_finished_command_is_not_spoiled_by_its_line_in_the_trail(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database.of(small.settings.database.url, small.settings.data_folder)
    await note_command(database, "backed_up", "/" + "deep/" * 100)
    assert await small.trail() == ["backed_up"]
    assert capsys.readouterr().err == ""
    database.is_open = False
    await note_command(database, "backed_up", "x")
    assert "done, but not noted" in capsys.readouterr().err
    await database.close()
    nowhere = Database.of("postgresql://nobody:x@127.0.0.1:1/none", "")
    await note_command(nowhere, "stock_rebuilt", "x", shops=["lingling"])
    assert "done, but not noted" in capsys.readouterr().err
    await nowhere.close()


async def test_a_backup_inside_the_data_folder_is_refused(small: Small) -> None:
    inside = Path(small.settings.data_folder) / "copies" / "inside"
    with pytest.raises(BackupRefused, match="inside the data folder"):
        await make_backup(small.settings, inside)
    assert not inside.parent.exists()
