"""Wrong passwords for a login that there is, in its shop's trail.

They are noted after the answer has gone: whoever tries names must not learn by the clock which of them there are.
"""

from __future__ import annotations

import asyncio

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.rate_limit import Bucket
from livecommerce.errors import LiveCommerceError, in_words
from livecommerce.ops.log_limit import warn_seldom
from livecommerce.ops.logs import logger
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.rows import now_ms

log = logger(__name__)

# Lines in a shop's trail: enough to see an attack, too few to bury what else is there.
NOTED, NOTED_PER_MINUTE = 30, 0.5
WAITING_MAX = 64  # being noted at once; what comes on top of that is a flood that the trail tells of already
END_SECONDS_MAX = 3.0


class FailedLogins:
    """One per process."""

    def __init__(self, accounts: Accounts, audit: AuditRepository) -> None:
        self._accounts = accounts
        self._audit = audit
        self._noting: set[asyncio.Task[None]] = set()

    def note(self, login: str, address: str) -> None:
        """Returns at once."""
        if len(self._noting) >= WAITING_MAX:
            warn_seldom(log, "failed logins come faster than they are noted", key="failed logins", waiting=WAITING_MAX)
            return
        task = asyncio.create_task(self._note(login, address), name="failed login")
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, login: str, address: str) -> None:
        try:
            record = await self._accounts.record_of(login)
            if record is None:
                return
            bucket = Bucket(f"login-failed-noted:{record.shop}", NOTED, NOTED_PER_MINUTE)
            if await self._accounts.rate_limit.take([bucket]) == 0:
                entry = AuditEntry(record.shop, now_ms(), "", "login_failed", record.login, {"address": address})
                await self._audit.add(entry)
        except (LiveCommerceError, RedisError, SQLAlchemyError) as error:
            warn_seldom(log, "a failed login could not be noted", key="failed logins", why=in_words(error))

    async def settle(self) -> None:
        """Waits for what is being noted; a process that ends takes no more than a moment for it."""
        if self._noting:
            await asyncio.wait(self._noting, timeout=END_SECONDS_MAX)
