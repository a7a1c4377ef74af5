"""What a stream stands on, as the relay asks for it: sessions by their key, tokens by the mark of their end."""

from __future__ import annotations

from redis.asyncio import Redis

from livecommerce.accounts.rights import lost_rights, mark_revoked, session_right, token_right

DAY_SECONDS = 86_400  # longer than a stream lasts


async def test_a_session_is_lost_with_its_key_and_a_token_with_its_mark(valkey: Redis) -> None:
    await valkey.set("session-1", b"mei")
    await mark_revoked(valkey, ["b" * 64])
    lost = {session_right("session-2"), token_right("b" * 64)}
    good = {session_right("session-1"), token_right("a" * 64)}
    assert await lost_rights(valkey, [*lost, *good]) == lost
    assert await lost_rights(valkey, good) == set()
    assert await lost_rights(valkey, ()) == set()


async def test_a_mark_outlives_every_stream_and_ends(valkey: Redis) -> None:
    """A mark that ended sooner would give a revoked token back to whoever is on the air."""
    await mark_revoked(valkey, ["a" * 64, "b" * 64])
    keys = [key async for key in valkey.scan_iter("lc:ingest-revoked:*")]
    assert len(keys) == 2
    for key in keys:
        assert await valkey.ttl(key) > DAY_SECONDS


async def test_nothing_revoked_asks_nothing(valkey: Redis) -> None:
    await mark_revoked(valkey, ())
    assert [key async for key in valkey.scan_iter("*")] == []
