"""Passwords: argon2id, off the event loop, a few at a time.

An unknown login is checked against a hash nobody has the password of, so that both refusals take the same time.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from livecommerce.accounts.errors import PasswordRefused
from livecommerce.accounts.precis import prepared_password
from livecommerce.errors import Busy
from livecommerce.http.shares import Shares

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200  # argon2 takes more, a person does not; bounds the work of one request
CHECKS_AT_ONCE = 2  # each takes 64 MiB and about 50 ms of a core: more at once would starve video and stock
CHECKS_WAITING_MAX = 32  # about 1.5 s of queue on two threads; past it the answer is `busy`
CHECKS_PER_NETWORK_MAX = 8  # of them, those of one network: 80 guesses at once leave room for everybody else
CHECKS_OF_DEVICES_MAX = 8  # beside them, for browsers that have logged in before


class Passwords:
    """Hashes and verifies; `close()` ends its threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()  # RFC 9106 low-memory profile: t=3, 64 MiB, p=4
        self._threads = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="argon2")
        self._shares = Shares(CHECKS_PER_NETWORK_MAX)
        self._waiting = {"devices": 0, "strangers": 0}
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def check_form(self, password: str) -> None:
        """Refuses a new password that is too short or too long.

        Raises:
            PasswordRefused
        """
        if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
            raise PasswordRefused(f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.")
        if prepared_password(password) is None:
            raise PasswordRefused("A password has no control characters and no signs that Unicode does not know yet.")

    async def hash(self, password: str) -> str:
        self.check_form(password)
        prepared = prepared_password(password) or password
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, prepared)

    async def verify(
        self, password_hash: str | None, password: str, network: str = "", *, known_device: bool = False
    ) -> str | None:
        """The form of the password that belongs to the hash: prepared, or as typed where an earlier version took it so.

        None: it is wrong. Without a hash (nobody has this login) it costs the same.

        Raises:
            Busy: too many checks are waiting, of this network or in all. Known devices have a lane of their own.
        """
        lane, most = ("devices", CHECKS_OF_DEVICES_MAX) if known_device else ("strangers", CHECKS_WAITING_MAX)
        if self._waiting[lane] >= most or not (known_device or self._shares.take(network)):
            raise Busy(retry_after_ms=2000)
        self._waiting[lane] += 1
        try:
            form = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._matching, password_hash or self._nobody, password[:PASSWORD_LENGTH_MAX]
            )
        finally:
            self._waiting[lane] -= 1
            if not known_device:
                self._shares.give_back(network)
        return form if password_hash is not None and len(password) <= PASSWORD_LENGTH_MAX else None

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the stored hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _matching(self, password_hash: str, password: str) -> str | None:
        forms = dict.fromkeys((prepared_password(password) or password, password))  # most often they are one
        return next((form for form in forms if self._matches(password_hash, form)), None)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
