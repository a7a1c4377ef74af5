"""Bearer tokens for encoders (OBS, FFmpeg, any WHIP client): random, stored as SHA-256, for one show, revocable."""

from __future__ import annotations

import hashlib
import re
import secrets

from redis.asyncio import Redis

from livecommerce.accounts.errors import TokenWrong
from livecommerce.accounts.rights import mark_revoked, token_right
from livecommerce.accounts.rows import IngestTokenRecord, IngestTokenRepository, StaffRepository
from livecommerce.records.database import Database
from livecommerce.records.rows import now_ms

MAKERS = ("owner", "host")  # who may make tokens; what others made, or made before they were less, is none
_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{16,200})", re.IGNORECASE)  # RFC 6750 section 2.1


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization` header, or None."""
    found = _BEARER.fullmatch((header or "").strip())
    return found[1] if found else None


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def right_of(token: str) -> str:
    """What a stream that is published with this token stands on."""
    return token_right(_sha256(token))


class IngestTokens:
    def __init__(self, database: Database, redis: Redis) -> None:
        self._rows = IngestTokenRepository(database)
        self._staff = StaffRepository(database)
        self._redis = redis

    async def make(self, shop: str, show: str, made_by: str) -> str:
        """A new token for a show; it is shown once and cannot be read back.

        It replaces the one that this person had for the show: whoever leaks a token makes another, and a stream that
        runs by the old one is ended within a second.
        """
        token = "lci_" + secrets.token_urlsafe(32)
        replaced = await self._rows.revoke_former(show, made_by)
        await self._rows.add(IngestTokenRecord(_sha256(token), shop, show, made_by, now_ms()))
        if replaced:
            await mark_revoked(self._redis, await self._rows.revoked_of(show))
        return token

    async def check(self, show: str, token: str | None) -> IngestTokenRecord:
        """The record behind a token of this show.

        Raises:
            TokenWrong: missing, unknown, revoked or for another show; the reason does not say which.
        """
        record = await self._rows.get(_sha256(token)) if token else None
        if record is None or record.show != show or record.revoked_ms is not None:
            raise TokenWrong
        maker = await self._staff.by_login(record.made_by)
        if maker is None or maker.disabled_ms is not None or maker.role not in MAKERS or maker.shop != record.shop:
            raise TokenWrong
        return record

    async def revoke(self, show: str, token: str | None = None) -> int:
        """Revokes one token, or all of the show; a stream that runs by one is ended within a second."""
        revoked = await self._rows.revoke(show, _sha256(token) if token else None)
        await mark_revoked(self._redis, await self._rows.revoked_of(show))
        return revoked

    async def revoke_made_by(self, login: str) -> None:
        """All that a person has made: they may no longer let anybody publish."""
        await mark_revoked(self._redis, await self._rows.revoke_made_by(login))
