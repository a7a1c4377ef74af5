"""The room's door: identify, log in and out, keep staff."""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

from argon2 import PasswordHasher
from msgspec.structs import replace
from redis.asyncio import Redis

from livecommerce.accounts import devices, viewers
from livecommerce.accounts.errors import LoginRefused, LoginTaken, LoginTooOften, LoginWrong, NewViewersTooMany
from livecommerce.accounts.ingest_tokens import MAKERS, IngestTokens
from livecommerce.accounts.passwords import Passwords
from livecommerce.accounts.precis import prepared_login, prepared_password
from livecommerce.accounts.rate_limit import Bucket, RateLimit
from livecommerce.accounts.rows import ShopRepository, StaffRecord, StaffRepository
from livecommerce.accounts.sessions import SessionStore
from livecommerce.errors import Busy
from livecommerce.http.addresses import network_of
from livecommerce.http.identity import ROLES, Identity, Role, Staff, Visit
from livecommerce.records.database import Database
from livecommerce.records.rows import now_ms

_LOGIN = re.compile(r"[a-z0-9._@+-]{2,64}")
NAME_LENGTH_MAX = 40
# Identities for browsers of one network: a phone company's crowd comes by one address when the host posts the link.
NEW_VIEWERS_AT_ONCE, NEW_VIEWERS_PER_MINUTE = 600, 300.0
# Wrong passwords: five at once, then one in 30 s per login and network (or known device); an office behind one address
# gets more, and so does a login, so that guesses from one network keep nobody else from that login.
WRONG_PER_LOGIN = 5
WRONG_PER_LOGIN_PER_MINUTE = 2.0
WRONG_PER_LOGIN_ANYWHERE = 40
WRONG_PER_LOGIN_ANYWHERE_PER_MINUTE = 10.0
WRONG_PER_NETWORK = 20
WRONG_PER_NETWORK_PER_MINUTE = 10.0


def fold_login(login: str) -> str:
    """Logins are compared in lower case and normal width, without outer spaces; what can be no login stays as it is."""
    return prepared_login(login) or login


def staff_of(record: StaffRecord) -> Staff:
    # Older rows have the login where no name was given: what is shown to viewers then is the shop's name, as for none.
    name = "" if record.name == record.login else record.name
    return Staff(record.id, record.shop, record.login, name, record.role)


class Login(NamedTuple):
    """Who came in, and the values of the cookies `lc_staff` (a token that is nowhere else) and `lc_device`."""

    staff: Staff
    token: str
    device: str


class Accounts:
    """One per process. Needs Valkey (sessions, limits) and SQL (staff, tokens). `secret` signs viewers' cookies."""

    def __init__(
        self,
        secret: bytes,
        redis: Redis,
        database: Database,
        *,
        crowd: Redis | None = None,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """`crowd`: another client of the same store, on which viewers are counted: staff never wait for them."""
        self.secret = secret
        self.sessions = SessionStore(redis)
        self.ingest_tokens = IngestTokens(database, redis)
        self.rate_limit = RateLimit(redis)
        self.crowd_limit = RateLimit(redis if crowd is None else crowd)
        self.shops = ShopRepository(database)
        self.staff = StaffRepository(database)
        self._passwords = Passwords(hasher)

    def close(self) -> None:
        self._passwords.close()

    # Who is asking

    def visit_of(self, cookie: str | None) -> Visit | None:
        """The visit of the signed cookie `lc_viewer`, None for a new or forged one."""
        return viewers.verify(self.secret, cookie)

    def visit_of_pass(self, token: str, show: str) -> Visit | None:
        """The visit that the pass of a show's page was made for; None for a wrong or old one."""
        return viewers.verify_pass(self.secret, token, show, now_ms())

    async def new_visit(self, address: str) -> Visit:
        """A new identity for a browser that has none.

        Raises:
            NewViewersTooMany: of this network in a short time; with `retry_after_ms`. Who has a cookie is not counted.
        """
        bucket = Bucket(f"viewers:{network_of(address)}", NEW_VIEWERS_AT_ONCE, NEW_VIEWERS_PER_MINUTE)
        wait_ms = await self.crowd_limit.take([bucket])
        if wait_ms:
            raise NewViewersTooMany(retry_after_ms=wait_ms)
        return self.uncounted_visit()

    def uncounted_visit(self) -> Visit:
        """A new identity while the store that counts them is away."""
        return Visit(viewers.new_viewer(), now_ms())

    def viewer_cookie(self, visit: Visit) -> str:
        """The value of `lc_viewer` for this visit."""
        return viewers.sign(self.secret, visit)

    def viewer_pass(self, visit: Visit, show: str) -> str:
        """What the page of `show` gives its socket, for browsers that keep no cookies."""
        return viewers.sign_pass(self.secret, visit, show)

    # Logging in

    def _buckets(self, login: str, network: str, device: str | None) -> list[Bucket]:
        """A known device has a budget of its own, whatever others do in its network."""
        if device:
            return [Bucket(f"login-device:{device}", WRONG_PER_LOGIN, WRONG_PER_LOGIN_PER_MINUTE)]
        login = login[:64]
        return [
            Bucket(f"login:{login}:{network}", WRONG_PER_LOGIN, WRONG_PER_LOGIN_PER_MINUTE),
            Bucket(f"login:{login}", WRONG_PER_LOGIN_ANYWHERE, WRONG_PER_LOGIN_ANYWHERE_PER_MINUTE),
            Bucket(f"login-from:{network}", WRONG_PER_NETWORK, WRONG_PER_NETWORK_PER_MINUTE),
        ]

    async def record_of(self, login: str) -> StaffRecord | None:
        """Who has this login, as typed; None for what no login can be, without asking the database."""
        login = fold_login(login)
        return await self.staff.by_login(login) if _LOGIN.fullmatch(login) else None

    async def _device(self, login: str, cookie: str | None) -> str | None:
        """The name of a browser that has logged in before, under today's password."""
        if not devices.is_device(cookie):
            return None
        record = await self.record_of(login)
        return devices.device_of(self.secret, login, record.password_hash, cookie) if record is not None else None

    async def login(self, login: str, password: str, address: str, device_cookie: str | None = None) -> Login:
        """Checks a password and opens a session.

        Every try is counted before the password is looked at, and given back when it was right, so that many tries
        at once cannot slip through. A browser known for this login (`lc_device`) is counted on its own.

        Raises:
            LoginWrong: unknown login, wrong password or disabled account: one answer, one duration.
            LoginTooOften: with `retry_after_ms`.
            Busy: too many logins at once.
        """
        login, network = fold_login(login), network_of(address)
        device = await self._device(login, device_cookie)
        buckets = self._buckets(login, network, device)
        wait_ms = await self.rate_limit.take(buckets)
        if wait_ms:
            raise LoginTooOften(retry_after_ms=wait_ms)
        record = await self.record_of(login)
        known = record.password_hash if record is not None and record.disabled_ms is None else None
        try:
            form = await self._passwords.verify(known, password, network, known_device=device is not None)
        except Busy:  # the password was not looked at
            await self.rate_limit.take(buckets, cost=-1.0)
            raise
        if form is None or record is None:
            raise LoginWrong
        await self.rate_limit.take(buckets, cost=-1.0)
        is_as_typed = form != prepared_password(password)  # kept by a version that took it so
        if (is_as_typed and prepared_password(password)) or self._passwords.needs_rehash(record.password_hash):
            record = replace(record, password_hash=await self._passwords.hash(password))
            await self.staff.set_password_hash(record.id, record.password_hash)
        staff = staff_of(record)
        token = await self.sessions.open(staff)
        # A change of this person that came while the password was checked has ended the sessions of before: look again.
        if not await self._stands(record, password, network, known_device=device is not None):
            await self.sessions.close(token)
            raise LoginWrong
        return Login(staff, token, devices.device_cookie(self.secret, record.login, record.password_hash))

    async def _stands(self, before: StaffRecord, password: str, network: str, *, known_device: bool) -> bool:
        """Whether nobody has changed this person since; a hash that another login renewed still fits the password."""
        now = await self.staff.by_login(before.login)
        if now is None or replace(now, password_hash=before.password_hash) != before:
            return False
        if now.password_hash == before.password_hash:
            return True
        form = await self._passwords.verify(now.password_hash, password, network, known_device=known_device)
        return form is not None

    async def staff_now(self, identity: Identity) -> Staff | None:
        """Who stands behind a login at this moment (`StaffNow`)."""
        return await self.sessions.at(identity.session)

    # Keeping staff

    async def add_staff(self, shop: str, login: str, password: str, role: Role, name: str = "") -> Staff:
        """Creates a person. The shop must exist. Without a name viewers read the shop's, never the login.

        Raises:
            LoginRefused, PasswordRefused, LoginTaken; ValueError for a role that is none.
        """
        login = fold_login(login)
        if not _LOGIN.fullmatch(login):
            raise LoginRefused
        if role not in ROLES:
            raise ValueError(f"{role!r} is no role; roles are {', '.join(ROLES)}")
        record = StaffRecord(
            id=secrets.token_hex(8),
            shop=shop,
            login=login,
            name=name.strip()[:NAME_LENGTH_MAX],
            role=role,
            password_hash=await self._passwords.hash(password),
            created_ms=now_ms(),
        )
        if not await self.staff.add(record):
            raise LoginTaken
        return staff_of(record)

    async def set_password(self, login: str, password: str) -> bool:
        """Changes a password and ends all sessions of that person; False when the login is unknown."""
        record = await self.record_of(login)
        if record is None:
            return False
        await self.staff.set_password_hash(record.id, await self._passwords.hash(password))
        await self.sessions.close_all(record.id)
        return True

    async def set_role(self, login: str, role: Role) -> bool:
        record = await self.record_of(login)
        if record is None or role not in ROLES:
            return False
        await self.staff.set_role(record.id, role)
        await self.sessions.close_all(record.id)  # the role is in the session record
        if role not in MAKERS:
            await self.ingest_tokens.revoke_made_by(record.login)
        return True

    async def set_disabled(self, login: str, disabled: bool) -> bool:
        record = await self.record_of(login)
        if record is None:
            return False
        await self.staff.set_disabled(record.id, disabled)
        await self.sessions.close_all(record.id)
        if disabled:
            await self.ingest_tokens.revoke_made_by(record.login)
        return True
