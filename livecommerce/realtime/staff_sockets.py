"""Staff on open sockets: the login is asked for again with each use, and a socket whose login has ended is closed.

A login ends in many places: logout, another login in the same browser, a lower role, a new password, a disabled
account, its age; on another process, or by `livecommerce staff`. So nothing is told here, the store is asked: with each
event, and for silent sockets (which read buyers' names and claims) a few times a second. There are few staff.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import structlog
from redis.exceptions import RedisError

from livecommerce.http.errors import LoginNeeded
from livecommerce.http.identity import Staff, StaffNow
from livecommerce.realtime import close_codes
from livecommerce.realtime.tasks import end
from livecommerce.realtime.viewers import Viewer
from livecommerce.shows.errors import ShowOfAnotherShop

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.4  # a right that was taken is lost within a second, everywhere
ANSWER_SECONDS = 0.05  # for the refusal to leave before the goodbye


class StaffSockets:
    """One per process.

    Args:
        open_sockets: those of staff, at this moment.
    """

    def __init__(self, staff_now: StaffNow, open_sockets: Callable[[], Iterable[Viewer]]) -> None:
        self._staff_now = staff_now
        self._open_sockets = open_sockets
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_looking(), name="staff sockets")

    async def close(self) -> None:
        await end(self._task)

    async def renew(self, viewer: Viewer, shop: str) -> Staff:
        """The staff behind a socket, as of now; the socket closes where the login has ended.

        Raises:
            LoginNeeded, ShowOfAnotherShop; RedisError: the store does not say, so nothing may be done.
        """
        staff = await self._staff_now(viewer.identity)
        if staff is None:
            self._close_soon(viewer)
            raise LoginNeeded()
        if staff.shop != shop:
            self._close_soon(viewer)
            raise ShowOfAnotherShop()
        if staff != viewer.identity.staff:
            viewer.identity = msgspec.structs.replace(viewer.identity, staff=staff)
        return staff

    @staticmethod
    def _close_soon(viewer: Viewer) -> None:
        """After the refusal: nothing is written behind a goodbye."""
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, viewer.goodbye, close_codes.LOGIN_ENDED)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for viewer in tuple(self._open_sockets()):
                try:
                    if await self._staff_now(viewer.identity) is None:
                        viewer.goodbye(close_codes.LOGIN_ENDED)
                except RedisError:  # nothing can be done on these sockets now, and nothing new is told them
                    break
                except Exception:
                    log.exception("staff socket not looked at")
