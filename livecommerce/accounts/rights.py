"""What a running stream stands on, as a name that the relay can ask about: a staff session or an ingest token.

The relay has no SQL, and a right is lost in some other process: it asks Valkey a few times a second. A session is its
key; a token is good until its mark is there (`lc:ingest-revoked:<sha256>`), which is made after SQL has it revoked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from redis.asyncio import Redis

REVOKED_SECONDS = 2 * 86_400  # longer than any stream: a new one asks SQL


def session_right(key: str) -> str:
    return f"session {key}"


def token_right(sha256: str) -> str:
    return f"token {sha256}"


def _revoked(sha256: str) -> str:
    return f"lc:ingest-revoked:{sha256}"


async def mark_revoked(redis: Redis, hashes: Iterable[str]) -> None:
    """Whoever publishes with these tokens has to stop."""
    async with redis.pipeline(transaction=False) as pipe:
        for sha256 in hashes:
            pipe.set(_revoked(sha256), b"1", ex=REVOKED_SECONDS)
        await pipe.execute()


async def lost_rights(redis: Redis, rights: Collection[str]) -> set[str]:
    """Those of `rights` that are none any more.

    Raises:
        RedisError: it cannot be said; nobody is put off the air for that.
    """
    if not rights:
        return set()
    asked = [right.partition(" ") for right in rights]
    async with redis.pipeline(transaction=False) as pipe:
        for kind, _, name in asked:
            pipe.exists(name if kind == "session" else _revoked(name))
        answers = await pipe.execute()
    return {
        right
        for right, (kind, _, _), there in zip(rights, asked, answers, strict=True)
        if bool(there) is not (kind == "session")
    }
