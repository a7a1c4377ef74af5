"""The relay role: one media relay, its control door, its events into the shows' logs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from livecommerce.accounts.rights import lost_rights
from livecommerce.configuration.tree import Settings
from livecommerce.errors import ShowUnknown, Unavailable
from livecommerce.media.client.carried import TELL_SECONDS, tell_carried
from livecommerce.media.client.directory import announce
from livecommerce.media.control_address import control_address
from livecommerce.media.plane import MediaPlane
from livecommerce.media.relay import RelayPlace, serve_relay
from livecommerce.media.stream import StreamState
from livecommerce.ops import folder as folders
from livecommerce.ops import metrics
from livecommerce.ops.valkey import socket_path
from livecommerce.roles.process import Frame
from livecommerce.roles.stores import Stores, open_stores
from livecommerce.shows.store import ShowStore

CLOCK_SECONDS = 5.0  # cameras drift by a millisecond in this time at worst
LOOK_SECONDS = 0.4  # for shows that have come on air or ended, and for rights that were lost: within a second
RELAY_START_SECONDS_MAX = 20.0  # binding a port and making a certificate takes a second on a slow machine


def _control_addresses(settings: Settings, index: int) -> tuple[str, str]:
    """(where the relay listens for the web role, where the web role reaches it).

    Raises:
        SettingsError: a control port without a secret would let anybody publish.
    """
    address = control_address(settings.media, settings.secret, index)
    if address is not None:
        return address
    path = str(socket_path(Path(settings.data_folder), f"relay-{index}.sock"))
    return path, path


async def _tell_clocks(plane: MediaPlane, shows: ShowStore) -> None:
    """Keeps in each show which picture arrives when, so that a pin can say which picture it belongs to."""
    told: dict[str, float] = {}
    while True:
        now = time.monotonic()
        clocks = plane.clocks(now)
        told = {show: at for show, at in told.items() if show in clocks}
        for show, timestamp in clocks.items():
            if now - told.get(show, float("-inf")) < CLOCK_SECONDS:
                continue
            told[show] = now
            await shows.media_clock(show, timestamp)  # while it cannot be told, pages show pins at once
        await asyncio.sleep(LOOK_SECONDS)


async def _tell_carried(plane: MediaPlane, stores: Stores, relay_id: str) -> None:
    """While we live, and no longer: see roles/off_air.py."""
    while True:
        on_air = [show for show, one in plane.streams.items() if one.state in (StreamState.LIVE, StreamState.LOST)]
        await tell_carried(stores.redis, relay_id, on_air)
        await asyncio.sleep(TELL_SECONDS)


async def _keep_rights(plane: MediaPlane, stores: Stores) -> None:
    """Ends what may not go on: shows that have ended, hosts whose login or token is none any more, who watches a
    rehearsal by such a login, who was banned.

    These are lost in other processes (a command, `livecommerce staff`, a session's age): so the stores are asked.
    """
    versions: dict[str, str] = {}
    joins = 0
    while True:
        if joins != plane.joins:  # who has come since may have been banned on the way: all are looked at
            joins, versions = plane.joins, {}
        # Where the store is away this is asked again later (`Frame.keep`); nobody is put off the air for that.
        for show in await stores.shows.ended_of(tuple(plane.streams)):
            plane.end_show(show)
        plane.end_rights(await lost_rights(stores.redis, plane.rights()))
        for show in tuple(plane.streams):
            with contextlib.suppress(ShowUnknown):
                versions[show], banned = await stores.shows.banned_since(show, versions.get(show, ""))
                plane.end_watchers(show, banned)
        await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def relay_role(frame: Frame) -> AsyncIterator[None]:
    """One media relay: its UDP and TCP port, its control door, its events into the shows' logs."""
    settings = frame.settings
    listen, reached_by = _control_addresses(settings, frame.index)
    folders.prepare(settings.data_folder)
    async with open_stores(frame) as stores:
        stop = asyncio.Event()
        planes: list[MediaPlane] = []
        up = asyncio.Event()

        def ready(plane: MediaPlane) -> None:
            planes.append(plane)
            up.set()

        async def tell(show: str, event: Mapping[str, Any]) -> None:
            details = {key: value for key, value in event.items() if key != "state"}
            await stores.shows.media(show, str(event["state"]), **details)

        serving_task = asyncio.create_task(
            serve_relay(
                settings.media,
                RelayPlace(
                    frame.name,
                    listen,
                    settings.media.port + frame.index if settings.media.port else 0,
                    settings.secret,
                    settings.data_folder,
                ),
                stop=stop,
                on_stream_event=tell,
                on_ready=ready,
            ),
            name="relay",
        )
        coming_up = asyncio.create_task(up.wait())
        await asyncio.wait(
            {serving_task, coming_up}, timeout=RELAY_START_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        coming_up.cancel()
        if not planes:
            stop.set()
            await serving_task  # raises what went wrong
            raise Unavailable("The relay did not come up.")
        metrics.register("relay", planes[0].metrics)
        frame.watch(serving_task)
        relay_id = f"{socket.gethostname()}/{frame.name}"
        announcing = frame.keep(lambda: announce(stores.redis, relay_id, reached_by), "announce")
        telling = frame.keep(lambda: _tell_clocks(planes[0], stores.shows), "media clocks")
        carrying = frame.keep(lambda: _tell_carried(planes[0], stores, relay_id), "carried shows")
        keeping = frame.keep(lambda: _keep_rights(planes[0], stores), "rights to publish")
        try:
            yield
        finally:
            tasks = (announcing, telling, carrying, keeping)
            for task in tasks:
                task.cancel()
            stop.set()
            await asyncio.gather(serving_task, *tasks, return_exceptions=True)
