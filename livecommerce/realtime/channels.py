"""The channels of this process: opened with the first viewer of a show, closed some time after the last."""

from __future__ import annotations

import asyncio
import time

import structlog

from livecommerce.ops.log_limit import warn_seldom
from livecommerce.realtime.callers import StaffNames, nobody
from livecommerce.realtime.channel import Channel
from livecommerce.realtime.pace import Pace
from livecommerce.realtime.presence import REFRESH_SECONDS, Presence
from livecommerce.realtime.reader import ShopReader
from livecommerce.realtime.settings import Realtime
from livecommerce.realtime.tasks import end
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockUnavailable

log = structlog.get_logger(__name__)

# After the last viewer left: a page reload or a short cut must find ring and mirror warm.
IDLE_SECONDS = 120.0
PLACES_SECONDS = 0.3  # a line that a crowd moves on is read so often at most; nobody reads a place faster
ADDRESSES_MAX = 8  # of one banned viewer: phone, home, work and some to spare


class Channels:
    def __init__(self, store: ShowStore, settings: Realtime, process: str, staff_names: StaffNames = nobody) -> None:
        self._staff_names = staff_names
        self._tasks: set[asyncio.Task[None]] = set()
        self.presence = Presence(store.redis, process)
        self.presence.on_clock = store.compare_clock
        self.pace = Pace(settings.tick_hz_max)
        self._store = store
        self._readers: dict[str, ShopReader] = {}
        self._open: dict[str, Channel] = {}
        self._opening: dict[str, asyncio.Future[Channel]] = {}
        self._idle_since: dict[str, float] = {}
        self._users: dict[str, int] = {}
        self._lines: dict[str, set[str]] = {}  # shop -> skus whose places are to be told
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name="presence")

    async def close(self) -> None:
        await end(self._keeper)
        for channel in tuple(self._open.values()):
            await self._shut(channel)
        for reader in self._readers.values():
            await reader.close()

    def get(self, show: str) -> Channel | None:
        return self._open.get(show)

    async def open(self, show: str) -> Channel:
        """The channel of a show, with a loaded mirror. Thousands who ask at once wait for one load.

        Raises:
            ShowUnknown, Unavailable.
        """
        self._users[show] = self._users.get(show, 0) + 1
        try:
            channel = self._open.get(show)
            if channel is None:
                opening = self._opening.get(show)
                if opening is None:
                    opening = self._opening[show] = asyncio.ensure_future(self._load(show))
                    opening.add_done_callback(lambda done: self._opening.pop(show, None))
                channel = await asyncio.shield(opening)
        except BaseException:
            self._leave(show)
            raise
        self._idle_since.pop(show, None)
        return channel

    async def _load(self, show: str) -> Channel:
        state = await self._store.load(show)
        channel = Channel(state, self._store.kinds, self.pace, self.presence, self._note_addresses, self._note_lines)
        reader = self._readers.get(channel.shop)
        if reader is None:
            reader = ShopReader(self._store, channel.shop)
            self._readers[channel.shop] = reader
        words = await self._store.shop_words(channel.shop)
        self._open[show] = channel
        await self._tell_staff_names(channel)
        reader.watch(channel, words)
        channel.start()
        await reader.nudge()
        await self._tell_presence(channel)
        return channel

    def _note_addresses(self, channel: Channel, viewer: str, marks: list[str]) -> None:
        """A banned viewer was watching here: the addresses are barred too, whoever gave the command."""
        task = asyncio.create_task(self._store.bar_addresses(channel.show, viewer, marks[:ADDRESSES_MAX]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note_lines(self, channel: Channel, skus: set[str]) -> None:
        """Waitlists of the shop moved on: a moment later their places are read once and told in all its shows here."""
        waiting = self._lines.setdefault(channel.shop, set())
        if not waiting:
            task = asyncio.create_task(self._tell_places(channel.shop))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waiting |= skus

    async def _tell_places(self, shop: str) -> None:
        await asyncio.sleep(PLACES_SECONDS)
        skus = self._lines.pop(shop)
        places: dict[str, int] = {}
        try:
            for sku in skus:
                places |= await self._store.engine.line(shop, sku)
        except StockUnavailable as error:  # the next change of the line tells them
            log.warning("places in line not told", shop=shop, why=str(error)[:200])
            return
        for channel in [one for one in self._open.values() if one.shop == shop]:
            channel.take_places(places)

    def release(self, channel: Channel) -> None:
        """One who opened it is gone."""
        self._leave(channel.show)

    def _leave(self, show: str) -> None:
        self._users[show] -= 1
        if self._users[show] <= 0:
            del self._users[show]
            self._idle_since[show] = time.monotonic()

    async def _tell_staff_names(self, channel: Channel) -> None:
        """What viewers may not call themselves; the names known before stay where SQL is away."""
        try:
            channel.mirror.use_staff_names(await self._staff_names(channel.shop))
        except Exception as error:
            warn_seldom(log, "staff names not read", shop=channel.shop, why=str(error)[:200])

    async def _tell_presence(self, channel: Channel) -> None:
        await self.presence.refresh(channel.show, channel.by_viewer, channel.take_moved())

    async def _keep(self) -> None:
        """Refreshes presence of all shows, closes channels nobody needs."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                for channel in tuple(self._open.values()):
                    await self._tell_presence(channel)
                    await self._tell_staff_names(channel)
                await self._close_idle()
            except Exception:
                log.exception("presence failed")

    async def _close_idle(self) -> None:
        now = time.monotonic()
        for show, since in tuple(self._idle_since.items()):
            channel = self._open.get(show)
            if channel is None:
                del self._idle_since[show]
            elif now - since > IDLE_SECONDS and show not in self._users:
                await self._shut(channel)

    async def _shut(self, channel: Channel) -> None:
        self._open.pop(channel.show, None)
        self._idle_since.pop(channel.show, None)
        reader = self._readers.get(channel.shop)
        if reader is not None:
            reader.unwatch(channel)
        await channel.stop()
        await self.presence.leave(channel.show)
