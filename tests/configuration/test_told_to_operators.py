"""What an operator is told when a store is away, refuses us, is newer or full: a number, the cause, the address."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from sqlalchemy import text

from livecommerce import cli
from livecommerce.configuration.tree import fields
from livecommerce.errors import DatabaseAway, LiveCommerceError, StorageFull, Unavailable, in_words
from livecommerce.ops import folder as folders
from livecommerce.ops import log_limit
from livecommerce.ops.health import Degraded, Health, Heartbeat
from livecommerce.ops.log_limit import LogLimit
from livecommerce.ops.store_faults import storage_error
from livecommerce.orders import worker as orders_worker
from livecommerce.records.database import Database
from livecommerce.roles.sql import _sql_storage_check
from livecommerce.settings import environment_name
from tests.stock.cluster import free_ports


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for dotted, *_ in fields():
        monkeypatch.delenv(environment_name(dotted), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ["staff", "list"],
        ["shop", "show"],
        ["backup", "copy"],
        ["move-database", "--to", "sqlite+aiosqlite:///elsewhere.db"],
    ],
)
def test_a_database_that_is_away_is_told_with_its_address_and_cause(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = free_ports(1)
    url = f"postgresql://shop:right-words@127.0.0.1:{port}/shop"
    assert cli.main([*words, "--set", f"database.url={url}"]) == 1
    told = capsys.readouterr().err
    assert f"6003 (database_away): postgresql+asyncpg://shop:[hidden]@127.0.0.1:{port}/shop is away: " in told
    assert "correct LIVECOMMERCE_DATABASE_URL" in told
    assert "right-words" not in told
    assert len(told.splitlines()) == 1


def test_a_database_that_refuses_us_is_told_by_name(postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = postgres_url.replace("/postgres?", "/nope?")
    assert url != postgres_url
    assert cli.main(["staff", "list", "--set", f"database.url={url}"]) == 1
    told = capsys.readouterr().err
    assert 'refuses us: database "nope" does not exist' in told
    assert len(told.splitlines()) == 1


def test_a_valkey_that_is_away_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    (port,) = free_ports(1)
    assert cli.main(["stock", "verify", "--set", f"redis.url=redis://127.0.0.1:{port}"]) == 1
    told = capsys.readouterr().err
    assert "error 6001 (unavailable): Valkey/Redis does not answer" in told
    assert str(port) in told
    assert len(told.splitlines()) == 1


def test_a_backup_that_cannot_be_made_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["backup", str(tmp_path / "file" / "copy")]) == 1
    told = capsys.readouterr().err
    assert "6016 (backup_refused)" in told
    assert "cannot be made: Not a directory" in told


def test_check_config_and_doctor_refuse_the_database_of_a_newer_version(capsys: pytest.CaptureFixture[str]) -> None:
    async def make() -> None:
        database = await Database.open("", "data")
        async with database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await database.close()

    asyncio.run(make())
    assert cli.main(["check-config"]) == 78
    assert "revision 9999" in capsys.readouterr().err
    assert cli.main(["staff", "list"]) == 1
    told = capsys.readouterr().err
    assert "6211 (database_newer)" in told
    assert '"Upgrading"' in told


def answered_in_words(fault: Exception) -> str:
    """As a room that stands on the store turns its fault into a numbered one."""
    try:
        raise storage_error(fault) from fault
    except LiveCommerceError as error:
        return in_words(error)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), "No space left on device"),
        (ConnectionError("Error 111 connecting to db:6379. Connection refused."), "db:6379. Connection refused"),
        (TimeoutError("no answer within 5 s"), "no answer within 5 s"),
    ],
)
def test_the_cause_behind_a_numbered_error_is_told_and_not_the_words_of_a_page(fault: Exception, words: str) -> None:
    told = answered_in_words(fault)
    assert words in told
    assert words in in_words(fault), "the repr of a Redis error has no words at all"
    assert StorageFull.reason not in told
    assert Unavailable.reason not in told


def test_no_line_for_operators_is_a_repr_of_a_fault() -> None:
    package = Path(cli.__file__).parent
    lines = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"(why|error|reason)=repr\((error|away|fault|refusal)", line)
    ]
    assert lines == []


async def test_a_loop_works_again_only_after_a_fault_that_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are told once a minute; a disk that is full now and then made three lines of relief without a fault."""
    lines: list[str] = []
    monkeypatch.setattr(orders_worker.log, "info", lambda event, **_: lines.append(event))
    monkeypatch.setattr(orders_worker.log, "warning", lambda event, **_: lines.append(event))
    monkeypatch.setattr(orders_worker, "BACKOFF_SECONDS", (0.0,))
    monkeypatch.setattr(log_limit, "_of_process", LogLimit())
    stop, steps = asyncio.Event(), iter([True, False, True, False, True])  # does it fail

    async def once() -> bool:
        fails = next(steps, None)
        if fails is None:
            stop.set()
        elif fails:
            raise StorageFull
        return True

    worker = object.__new__(orders_worker.Worker)
    worker._figures = {"faults": 0.0}
    async with asyncio.timeout(10):
        await worker._repeat("orders", once, 0.0, stop)
    assert worker.figures() == {"faults": 3.0}
    assert lines == ["fault in the worker", "works again"]


async def test_readiness_names_the_cause_and_not_the_words_of_a_page() -> None:
    away = DatabaseAway()
    away.cause = "postgresql://db/shop is away: sorry, too many clients already"

    async def check() -> str | None:
        raise away

    health = Health(Heartbeat(), {"sql": check})
    health.started = True
    _, wrong = await health.ready()
    assert "too many clients" in wrong["sql"]
    assert "books" not in wrong["sql"]


async def test_a_database_without_room_is_told_as_that_until_it_stores_again(tmp_path: Path) -> None:
    database = await Database.open("", str(tmp_path))
    check = _sql_storage_check(database)
    async with database.write() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    async def fill() -> None:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE big (words TEXT)"))
            await connection.execute(text("INSERT INTO big VALUES (:words)"), {"words": "x" * 100_000})

    with pytest.raises(StorageFull) as full:
        await fill()
    assert "cannot store more: " in full.value.cause
    told = await check()
    assert isinstance(told, Degraded), "what is only read goes on"
    assert "shop.db cannot store more" in told
    async with database.write() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1000000"))
    assert await check() is None
    await database.close()


def test_a_full_disk_keeps_nobody_from_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert folders.prepare(str(tmp_path)) == tmp_path
    lock = folders.FolderLock(tmp_path)
    monkeypatch.setattr(os, "write", full)
    lock.acquire()
    lock.release()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("http.host=nohost.invalid", "http.host: nohost.invalid is no name of this machine"),
        ("http.internal_host=192.0.2.1", "http.internal_host: 192.0.2.1 is not an address of this machine"),
        ("data_folder=/proc/nothing", "data_folder: The data folder /proc/nothing cannot be made"),
    ],
)
def test_what_this_machine_has_not_is_refused_by_a_look_at_the_settings(
    setting: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--set", f"data_folder={tmp_path}/data"]
    assert cli.main(["check-config", *folder, "--set", setting]) == 78
    assert words in capsys.readouterr().err
    assert cli.main(["check-config", *folder]) == 0
    assert not (tmp_path / "data").exists(), "a look makes nothing"
