"""`livecommerce backup DIR`, `restore DIR` and `move-database --to URL`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import msgspec

from livecommerce import __version__
from livecommerce.accounts.secret import load_secret, secret_text
from livecommerce.backup import snapshot, tables
from livecommerce.backup.folder import FORMAT, MANIFEST, Manifest, digests, read_manifest
from livecommerce.command_trail import note_command
from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.problems import refuse
from livecommerce.configuration.tree import Settings
from livecommerce.ops import folder as folders
from livecommerce.ops.errors import BackupRefused
from livecommerce.ops.redaction import redact_text
from livecommerce.ops.redis_client import connect_store
from livecommerce.ops.store_promise import read_facts
from livecommerce.ops.valkey import AOF_FOLDER
from livecommerce.records.database import Database, database_url
from livecommerce.records.marks import GENERATION, MOVED_TO, put_mark
from livecommerce.records.rows import now_ms
from livecommerce.records.settings import Database as DatabaseSettings
from livecommerce.staff import embedded_url, store_url

RECORDINGS = "recordings"


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that is not there yet")
    parser.add_argument("--recordings", action="store_true", help="the recordings too (they may be many gigabytes)")


async def _note(settings: Settings, do: str, subject: str) -> None:
    """In the trail of every shop: all of them were in it."""
    database = Database.of(settings.database.url, settings.data_folder, by_command=True)
    try:
        await note_command(database, do, subject)
    finally:
        await database.close()


async def make_backup(settings: Settings, folder: Path, *, recordings: bool = False) -> Manifest:
    """Writes a backup of the shop, running or not, into `folder`, which appears when it is whole.

    Raises:
        BackupRefused: `folder` is there already, or a store does not let us. LiveCommerceError, OSError.
    """
    draft = _draft(settings, folder)
    database = Database.of(settings.database.url, settings.data_folder, by_command=True)
    try:
        await database.start()
        async with tables.still(database) as connection:
            revision = await tables.revision_of(connection)
            rows = await tables.dump(connection, draft / "sql")
    finally:
        await database.close()
    stores, version = await _snapshots(settings, draft)
    has_recordings = recordings and await asyncio.to_thread(_copy_recordings, Path(settings.data_folder), draft)
    manifest = Manifest(
        format=FORMAT, livecommerce=__version__, made_at_ms=int(time.time() * 1000), revision=revision, rows=rows,
        stores=stores, store_version=version, has_recordings=has_recordings, files=digests(draft),
    )  # fmt: skip
    path = draft / MANIFEST
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    os.sync()  # a backup that a power cut takes is none
    draft.rename(folder)
    await _note(settings, "backed_up", str(folder))
    return manifest


def _draft(settings: Settings, folder: Path) -> Path:
    """The folder in which a backup grows, with the secret in it."""
    if folder.exists():
        raise BackupRefused(f"{folder} is there already. Give a folder that is not: a backup is never written over.")
    data = Path(settings.data_folder).expanduser().resolve()
    if folder.resolve().is_relative_to(data):
        raise BackupRefused(f"{folder} is inside the data folder {data}, and would be lost with it. Give another disk.")
    draft = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        (draft / "sql").mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise BackupRefused(f"{draft} cannot be made: {error.strerror}. Give a folder on a disk with room.") from error
    draft.chmod(0o700)
    secret = draft / "secret"
    load_secret(settings.secret, settings.data_folder)  # made on first use
    secret.touch(0o600)
    secret.write_text(secret_text(settings.secret, settings.data_folder))
    return draft


def _copy_recordings(source: Path, target: Path) -> bool:
    """Whether there were any."""
    recordings = source.expanduser() / RECORDINGS
    if not recordings.is_dir():
        return False
    shutil.copytree(recordings, target / RECORDINGS, dirs_exist_ok=True)
    return True


async def _snapshots(settings: Settings, folder: Path) -> tuple[list[str], str]:
    async with store_url(settings) as url:
        redis = await connect_store(url)
        try:
            facts = await read_facts(redis)
            names = []
            for number, address in enumerate(snapshot.addresses_of(redis)):
                name = f"valkey-{number}.rdb"
                await asyncio.to_thread(snapshot.fetch, address, folder / name)
                names.append(name)
        finally:
            await redis.aclose()
    return names, f"{facts[0].product} {facts[0].version}"


def backup(arguments: argparse.Namespace) -> int:
    """Writes everything a shop cannot be made again from into a new folder, while the server runs or not."""
    settings = settings_from(arguments)
    manifest = asyncio.run(make_backup(settings, arguments.folder, recordings=arguments.recordings))
    print(
        f"{arguments.folder}: secret, {sum(manifest.rows.values())} rows of {len(manifest.rows)} tables, "
        f"{len(manifest.stores)} snapshot(s) of {manifest.store_version}"
        f"{', recordings' if manifest.has_recordings else '; recordings not (--recordings)'}."
    )
    print("It holds names, phone numbers and the secret: keep it where only you can read it.")
    return 0


def restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a backup made by `livecommerce backup`")


async def restore_backup(settings: Settings, folder: Path) -> Manifest:
    """Makes the shop of a backup: in an empty data folder and database, or an empty Valkey/Redis given by redis.url.

    Raises:
        BackupRefused: the backup is not whole, or something is in the way; nothing was changed then.
        AlreadyRunning: a server runs on this data folder. LiveCommerceError, OSError.
    """
    manifest = read_manifest(folder)
    target = folders.prepare(settings.data_folder)
    lock = folders.FolderLock(target)
    lock.acquire()
    database = Database.of(settings.database.url, settings.data_folder, by_command=True)
    try:
        await _refuse_full_store(settings, target)
        _check_secret(settings, folder, target)
        await database.start(manifest.revision)
        async with database.write() as connection:
            found = await tables.tables_of(connection)
            await tables.refuse_full(
                connection, found, redact_text(database_url(settings.database.url, settings.data_folder))
            )
            if await tables.revision_of(connection) != manifest.revision:
                raise BackupRefused("The database is of a newer release. Give one that was never used.")
            rows = await tables.load(connection, folder / "sql")
            if rows != manifest.rows:
                raise BackupRefused(f"Rows loaded {rows}, rows in the backup {manifest.rows}. Nothing was kept.")
        await database.start()
        async with database.write() as connection:  # a process may have started between the two halves of the backup
            await put_mark(connection, GENERATION, str(now_ms()))
        await _restore_store(settings, folder, manifest, target)
        if not settings.secret:
            _write_secret(folder, target)
        if manifest.has_recordings:
            await asyncio.to_thread(_copy_recordings, folder, target)
        await note_command(database, "restored", str(folder))
    finally:
        await database.close()
        lock.release()
    return manifest


def _check_secret(settings: Settings, folder: Path, target: Path) -> None:
    wanted = (folder / "secret").read_text().strip()
    path = target / "secret"
    there = settings.secret or (path.read_text().strip() if path.exists() else "")
    if there and there != wanted:
        where = "The setting `secret`" if settings.secret else str(path)
        raise BackupRefused(
            f"{where} is not the backup's: buyers would lose their tickets. Nothing was changed. "
            f"Set it to the words in {folder / 'secret'}, or take it away."
        )


def _write_secret(folder: Path, target: Path) -> None:
    path = target / "secret"
    if not path.exists():
        path.touch(0o600)
        path.write_text((folder / "secret").read_text())


async def _refuse_full_store(settings: Settings, target: Path) -> None:
    if not settings.redis.url:
        if (target / AOF_FOLDER).exists():
            raise BackupRefused(f"{target} has a store already ({AOF_FOLDER}). Give another data folder.")
        return
    redis = await connect_store(settings.redis.url)
    try:
        async for key in redis.scan_iter(match="lc:*", count=1000):
            raise BackupRefused(f"The Valkey/Redis at redis.url is not empty ({key.decode()} is there). Give another.")
    finally:
        await redis.aclose()


async def _restore_store(settings: Settings, folder: Path, manifest: Manifest, target: Path) -> None:
    if not settings.redis.url and len(manifest.stores) == 1:
        snapshot.place(folder / manifest.stores[0], target)
        return
    async with contextlib.AsyncExitStack() as stack:
        url = settings.redis.url or await stack.enter_async_context(embedded_url(target))
        redis = await connect_store(url)
        stack.push_async_callback(redis.aclose)
        for name in manifest.stores:
            with tempfile.TemporaryDirectory(prefix="livecommerce-restore-") as place:
                await snapshot.copy_keys(folder / name, Path(place), redis)


def restore(arguments: argparse.Namespace) -> int:
    """Makes the shop of a backup, in an empty data folder and database. The server must not run."""
    settings = settings_from(arguments)
    manifest = asyncio.run(restore_backup(settings, arguments.folder))
    print(
        f"restored {sum(manifest.rows.values())} rows of {len(manifest.rows)} tables and the store; start the server,"
    )
    print("then `livecommerce stock verify` compares every shop with its ledger.")
    return 0


def move_database_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="URL", help="postgresql://user:password@host/name, empty")


async def move(settings: Settings, url: str) -> dict[str, int]:
    """Copies every table into the empty database `url`. The one of the settings is marked: no server opens it again.

    Raises:
        BackupRefused: the target is not empty, or the counts do not agree afterwards; nothing is kept there then.
        AlreadyRunning: a server runs on this data folder and writes meanwhile. SettingsError, LiveCommerceError.
    """
    moved = msgspec.structs.replace(settings, database=DatabaseSettings(url=url))
    refuse(moved)
    if database_url(moved.database.url, moved.data_folder) == database_url(settings.database.url, settings.data_folder):
        raise BackupRefused("--to is the database that is in use. Give another.")
    lock = folders.FolderLock(folders.prepare(settings.data_folder))
    lock.acquire()
    source, target = (
        Database.of(settings.database.url, settings.data_folder),
        Database.of(moved.database.url, moved.data_folder),
    )
    try:
        await source.start()
        await target.start()
        async with tables.still(source) as reading, target.write() as writing:
            await tables.refuse_full(writing, await tables.tables_of(writing), redact_text(url))
            copied = await tables.copy(reading, writing)
        async with source.write() as connection:
            await put_mark(connection, MOVED_TO, target.url.render_as_string())
        await note_command(target, "database_moved", target.url.render_as_string())
        return copied
    finally:
        await source.close()
        await target.close()
        lock.release()


def move_database(arguments: argparse.Namespace) -> int:
    """Copies the database into another, empty one: from SQLite to PostgreSQL, or back. The server must not run."""
    rows = asyncio.run(move(settings_from(arguments), arguments.to))
    for name, counted in rows.items():
        print(f"{name:<24} {counted}")
    print(f"{sum(rows.values())} rows copied and counted. Now set LIVECOMMERCE_DATABASE_URL to the address and start.")
    print("The old database is marked as moved: no server opens it again. Keep it until you have seen the shop.")
    return 0
