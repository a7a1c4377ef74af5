"""Sessions: a token opens what was opened with it, until it is closed, given way or made up."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from livecommerce.accounts.sessions import SESSIONS_MAX, SessionStore
from livecommerce.http.identity import Staff

MEI = Staff("s1", "lingling", "mei", "小美", "host")
OTTO = Staff("s2", "lingling", "otto", "Otto", "moderator")


async def test_a_token_is_its_person_until_it_is_closed(valkey: Redis) -> None:
    sessions = SessionStore(valkey)
    mei, again, otto = await sessions.open(MEI), await sessions.open(MEI), await sessions.open(OTTO)
    assert len({mei, again, otto}) == 3
    assert [await sessions.find(token) for token in (mei, again, otto)] == [MEI, MEI, OTTO]
    await sessions.close(mei)
    await sessions.close(mei)
    assert [await sessions.find(token) for token in (mei, again, otto)] == [None, MEI, OTTO]
    assert await sessions.close_all("s1") == 1
    assert await sessions.close_all("s1") == 0
    assert [await sessions.find(token) for token in (again, otto)] == [None, OTTO]


async def test_the_oldest_of_a_person_gives_way(valkey: Redis) -> None:
    sessions = SessionStore(valkey)
    otto = await sessions.open(OTTO)
    tokens = [await sessions.open(MEI) for _ in range(SESSIONS_MAX + 1)]
    alive = [await sessions.find(token) is not None for token in tokens]
    assert alive == [False] + [True] * SESSIONS_MAX
    assert await sessions.find(otto) == OTTO


async def test_the_token_itself_is_not_in_the_store_and_all_of_it_ends(valkey: Redis) -> None:
    token = await SessionStore(valkey).open(MEI)
    keys = [key async for key in valkey.scan_iter()]
    assert not any(token.encode() in key for key in keys)
    assert all([0 < await valkey.ttl(key) <= 12 * 3600 for key in keys])


async def test_a_record_of_another_release_is_nobody(valkey: Redis) -> None:
    sessions = SessionStore(valkey)
    token = await sessions.open(MEI)
    for key in [key async for key in valkey.scan_iter("lc:session:*")]:
        await valkey.set(key, b'{"id": "s1"}')
    assert await sessions.find(token) is None


@pytest.mark.parametrize("token", [None, "", "x", "ä" * 43, "x" * 43, "x" * 10_000])
async def test_a_made_up_session_token_is_nobody(valkey: Redis, token: str | None) -> None:
    assert await SessionStore(valkey).find(token) is None
