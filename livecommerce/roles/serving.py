"""`serve` without what the rooms do: data folder, lock, ports, the plan of all processes, addresses, the supervisor.

Children are this same program (`python -m livecommerce web …`) with the settings in their environment. Ports given as
0 are made real here, once, so that a restarted child comes back under the same number.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from livecommerce.configuration.connections import refuse_connections
from livecommerce.configuration.problems import open_internal_ports
from livecommerce.configuration.tree import Settings, as_environment
from livecommerce.errors import StorageFull, in_words
from livecommerce.ops import folder as folders
from livecommerce.ops import ports
from livecommerce.ops.children import Plan
from livecommerce.ops.descriptors import allowed, needed
from livecommerce.ops.disk_guard import DiskGuard
from livecommerce.ops.errors import StartFailed
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.ops.supervisor import Supervisor
from livecommerce.ops.valkey import EmbeddedValkey, ValkeyNotFound
from livecommerce.roles.agreement import refuse_apart
from livecommerce.roles.process import STOP_SECONDS_MAX as ROLE_STOP_SECONDS_MAX
from livecommerce.settings import PREFIX

log = logger(__name__)

ROLES_STAGE = 1  # after Valkey (0)
ROOM_AGAIN_SECONDS = 2.0  # between two tries of a write that found no room
KILL_GRACE_SECONDS = 0.4  # a role gives up its own stop a moment before we kill it
VALKEY_STOP_SECONDS = 3.0  # everything is fsynced already; it only closes its file

Prepare = Callable[[Settings], Awaitable[list[str]]]
"""Runs before the roles: migrations, first login. Returns lines to print once (a password must not be logged)."""


@dataclass(frozen=True)
class Ground:
    """What stands before the first child: the folder, the lock on it, real ports, the settings all children get."""

    folder: Path
    settings: Settings
    lock: folders.FolderLock
    held_ports: tuple[socket.socket, ...]
    valkey: EmbeddedValkey | None

    def release(self) -> None:
        for held in self.held_ports:
            held.close()
        self.lock.release()


def _real_http_ports(settings: Settings) -> tuple[Settings, tuple[socket.socket, ...]]:
    http = settings.http
    if http.port:
        ports.refuse_taken(http.host, http.port, socket.SOCK_STREAM, "http.port")
    held = [ports.reserve(http.host, http.port or ports.free_row(http.host, [socket.SOCK_STREAM], [0]))]
    http = msgspec.structs.replace(http, port=held[0].getsockname()[1])
    if http.internal_port >= 0:
        offsets = _internal_offsets(settings)
        base = http.internal_port or ports.free_row(http.internal_host, [socket.SOCK_STREAM], offsets)
        http = msgspec.structs.replace(http, internal_port=base)
        try:
            for offset in offsets:
                ports.refuse_taken(http.internal_host, base + offset, socket.SOCK_STREAM, "http.internal_port")
                held.append(ports.reserve(http.internal_host, base + offset))
        except BaseException:
            for one in held:
                one.close()
            raise
    return msgspec.structs.replace(settings, http=http), tuple(held)


def _internal_offsets(settings: Settings) -> list[int]:
    relays = range(ports.RELAY_OFFSET, ports.RELAY_OFFSET + settings.media.relays)
    return [*range(settings.web_processes), *relays, ports.WORKER_OFFSET]


def _real_media_port(settings: Settings) -> Settings:
    media, both = settings.media, (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    if media.port == 0:
        base = ports.free_row(media.host, both, range(media.relays))
        return msgspec.structs.replace(settings, media=msgspec.structs.replace(media, port=base))
    for index in range(media.relays):
        for kind in both:
            ports.refuse_taken(media.host, media.port + index, kind, "media.port")
    return settings


def prepare_ground(settings: Settings) -> Ground:
    """
    Raises:
        DataFolderUnusable, AlreadyRunning, PortInUse, StartFailed
    """
    folder = folders.prepare(settings.data_folder)
    lock = folders.FolderLock(folder)
    lock.acquire()
    held: tuple[socket.socket, ...] = ()
    try:
        settings = msgspec.structs.replace(settings, data_folder=str(folder))
        settings, held = _real_http_ports(settings)
        settings = _real_media_port(settings)
        valkey = None
        if not settings.redis.url:
            valkey = EmbeddedValkey(folder)
            settings = msgspec.structs.replace(settings, redis=msgspec.structs.replace(settings.redis, url=valkey.url))
        return Ground(folder, settings, lock, held, valkey)
    except BaseException:
        for one in held:
            one.close()
        lock.release()
        raise


def child_environment(settings: Settings) -> dict[str, str]:
    """Our environment with every LIVECOMMERCE_* replaced by the settings as they are now."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, **as_environment(settings), "PYTHONUNBUFFERED": "1"}


Guests = Callable[[Ground], tuple[list[Plan], list[str]]]
"""Processes beside the server's own that live and end with it (the demo's host and buyers), and their addresses."""


def no_guests(_ground: Ground) -> tuple[list[Plan], list[str]]:
    return [], []


def _valkey_plan(valkey: EmbeddedValkey) -> Plan:
    try:
        command = valkey.command()
    except ValkeyNotFound as error:
        raise StartFailed(str(error)) from error

    async def answers() -> bool:
        return await asyncio.to_thread(valkey.answers)

    def before() -> None:
        valkey.socket.unlink(missing_ok=True)
        valkey.note_writer(command[0])

    return Plan(
        name="valkey",
        command=command,
        environment={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        stage=0,
        stop_seconds=VALKEY_STOP_SECONDS,
        probe=answers,
        before=before,
        quiet=True,
        last_words=valkey.log_end,
        flags_now=valkey.flags_now,
    )


def plans(ground: Ground) -> list[Plan]:
    """All processes of this machine in the order in which they stop, reversed: valkey, relays and worker, webs."""
    settings = ground.settings
    environment = child_environment(settings)

    def role(name: str, words: list[str], role_name: str, stage: int) -> Plan:
        return Plan(
            name=name,
            command=[sys.executable, "-m", "livecommerce", *words],
            environment=environment,
            stage=stage,
            start_stage=ROLES_STAGE,  # roles wait for Valkey alone; they start together and stop webs first
            stop_seconds=ROLE_STOP_SECONDS_MAX[role_name] + KILL_GRACE_SECONDS,
        )

    found = [] if ground.valkey is None else [_valkey_plan(ground.valkey)]
    found += [
        role(f"relay-{index}", ["relay", "--index", str(index)], "relay", 1) for index in range(settings.media.relays)
    ]
    found.append(role("worker", ["worker"], "worker", 1))
    found += [role(f"web-{index}", ["web", "--index", str(index)], "web", 2) for index in range(settings.web_processes)]
    return found


def addresses(settings: Settings) -> list[str]:
    """The lines that tell people where to go."""
    http = settings.http
    host = f"[{http.host}]" if ":" in http.host else http.host
    shown = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    base = (http.public_url or f"http://{shown}:{http.port}").rstrip("/")
    last = settings.media.port + settings.media.relays - 1
    media = f"{settings.media.port}" if last == settings.media.port else f"{settings.media.port}–{last}"
    lines = [f"shop      {base}/", f"studio    {base}/studio", f"video     UDP and TCP port {media}"]
    if http.internal_port > 0:
        lines.append(f"health    http://{http.internal_host}:{http.internal_port}/health/ready")
    return lines


def settings_given(ground: Ground) -> Settings:
    """The settings with the stores that were given alone: the embedded one is not there yet."""
    if ground.valkey is None:
        return ground.settings
    return msgspec.structs.replace(ground.settings, redis=msgspec.structs.replace(ground.settings.redis, url=""))


def _running(ground: Ground) -> folders.Running:
    settings = ground.settings
    return folders.Running(
        pid=os.getpid(),
        # the socket of ours; an address that was given may hold a password
        redis_url="" if ground.valkey is None else ground.valkey.url,
        http_host=settings.http.host,
        http_port=settings.http.port,
        internal_port=settings.http.internal_port,
        media_port=settings.media.port,
        relays=settings.media.relays,
        web_processes=settings.web_processes,
        started_at_ms=int(time.time() * 1000),
    )


def _say_if_descriptors_lack(settings: Settings) -> None:
    wanted = needed(settings.realtime.viewers_max)
    if allowed() < wanted:
        log.warning(
            "fewer open files are allowed than realtime.viewers_max needs", allowed=allowed(), needed=wanted,
            advice=f"ulimit -n {wanted} (systemd: LimitNOFILE={wanted}), or fewer realtime.viewers_max",
        )  # fmt: skip


async def _had_room(doing: str, work: Callable[[], Awaitable[None]]) -> bool:
    """Whether the disk took what `work` writes; what else goes wrong is raised."""
    try:
        await work()
    except (StorageFull, OSError) as full:
        if not isinstance(full, StorageFull) and full.errno not in folders.FULL:
            raise
        warn_seldom(log, "put off until there is room on the disk", key=doing, what=doing, why=in_words(full))
        return False
    return True


async def _until_there_is_room(doing: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        while not await _had_room(doing, work):
            await asyncio.sleep(ROOM_AGAIN_SECONDS)
    except Exception as error:  # the roles look at their stores themselves; here nobody waits for it any more
        log.error("could not be done, though there is room now", what=doing, why=in_words(error))


async def _run(ground: Ground, prepare: Prepare, guests: Guests) -> None:
    guest_plans, guest_lines = guests(ground)
    supervisor = Supervisor([*plans(ground), *guest_plans], inherit=[ground.lock.descriptor])
    supervisor.listen_to_signals()

    later: list[asyncio.Task[None]] = []

    async def prepare_shop() -> None:
        """With the store up: before a shop is made, both must belong together."""
        await refuse_apart(ground.settings)
        first_words = await prepare(ground.settings)
        if first_words:
            print("\n".join(first_words), flush=True)

    async def note_running() -> None:
        folders.write_running(ground.folder, _running(ground))

    async def or_later(doing: str, work: Callable[[], Awaitable[None]]) -> None:
        """On a full disk the roles come up without it: what is read goes on."""
        if not await _had_room(doing, work):
            later.append(asyncio.create_task(_until_there_is_room(doing, work), name=doing))

    _say_if_descriptors_lack(ground.settings)
    try:
        await refuse_connections(settings_given(ground))
        if ground.valkey is not None:  # before the first process that would meet closed writes, to lift them again
            guard = DiskGuard(ground.valkey.url, ground.folder)
            later.append(asyncio.create_task(guard.run(supervisor.stop_asked), name="disk guard"))
        if not await supervisor.start({ROLES_STAGE: lambda: or_later("the look at the shop", prepare_shop)}):
            return
        await or_later("the note of who runs here", note_running)
        if found_open := open_internal_ports(ground.settings):
            log.warning("open internal ports", why=found_open)
        print("\n".join(["", *addresses(ground.settings), *guest_lines, "Ctrl-C stops everything.", ""]), flush=True)
        await supervisor.wait()
    finally:
        try:
            for task in later:
                task.cancel()
            await asyncio.gather(*later, return_exceptions=True)
            await supervisor.stop()
        finally:
            supervisor.close()


def run_server(settings: Settings, prepare: Prepare, guests: Guests = no_guests) -> int:
    """Runs until SIGTERM or SIGINT. Returns the exit code.

    Raises:
        LiveCommerceError: it could not start; nothing is left running.
    """
    ground = prepare_ground(settings)
    try:
        asyncio.run(_run(ground, prepare, guests))
    finally:
        ground.release()
    return 0
