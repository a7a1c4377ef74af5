"""Encoders: a bearer token opens its own show until it is revoked."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.errors import TokenWrong
from livecommerce.accounts.ingest_tokens import bearer, right_of
from livecommerce.accounts.rights import lost_rights, session_right
from livecommerce.accounts.sessions import key_of

PASSWORD = "correct horse battery"


async def test_an_ingest_token_opens_its_own_show_until_it_is_revoked(accounts: Accounts) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    token = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    assert (await accounts.ingest_tokens.check("demo", token)).made_by == "mei"
    for show, wrong in (("other", token), ("demo", token + "x"), ("demo", None), ("demo", "")):
        with pytest.raises(TokenWrong):
            await accounts.ingest_tokens.check(show, wrong)
    assert await accounts.ingest_tokens.revoke("demo", token) == 1
    with pytest.raises(TokenWrong):
        await accounts.ingest_tokens.check("demo", token)


async def test_a_new_token_replaces_the_one_its_maker_had_for_the_show(accounts: Accounts, valkey: Redis) -> None:
    """The page says so; the old one went on streaming."""
    for login in ("mei", "otto"):
        await accounts.add_staff("lingling", login, PASSWORD, "host")
    leaked = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    others = [
        await accounts.ingest_tokens.make("lingling", show, by) for show, by in (("demo", "otto"), ("late", "mei"))
    ]
    fresh = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    with pytest.raises(TokenWrong):
        await accounts.ingest_tokens.check("demo", leaked)
    for show, token in zip(("demo", "late", "demo"), (*others, fresh), strict=True):
        await accounts.ingest_tokens.check(show, token)
    assert await lost_rights(valkey, {right_of(one) for one in (leaked, fresh, *others)}) == {right_of(leaked)}


@pytest.mark.parametrize("change", ["disabled", "moderator", "by hand"])
async def test_what_a_person_made_is_none_when_that_person_may_not_publish(
    accounts: Accounts, valkey: Redis, change: str
) -> None:
    mei = await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    await accounts.add_staff("lingling", "otto", PASSWORD, "owner")
    token = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    other = await accounts.ingest_tokens.make("lingling", "demo", "otto")
    rights = {right_of(token), right_of(other)}
    assert await lost_rights(valkey, rights) == set()
    if change == "disabled":
        await accounts.set_disabled("mei", True)
    elif change == "moderator":
        await accounts.set_role("mei", "moderator")
    else:
        await accounts.staff.set_disabled(mei.id, True)  # in SQL alone
    with pytest.raises(TokenWrong):
        await accounts.ingest_tokens.check("demo", token)
    assert (await accounts.ingest_tokens.check("demo", other)).made_by == "otto"
    if change != "by hand":
        assert await lost_rights(valkey, rights) == {right_of(token)}, "a stream that runs by it is ended"


async def test_rights_are_lost_with_their_session_or_token(accounts: Accounts, valkey: Redis) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    session = (await accounts.login("mei", PASSWORD, "203.0.113.7")).token
    token = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    rights = [session_right(key_of(session)), right_of(token)]
    assert await lost_rights(valkey, rights) == set()
    await accounts.ingest_tokens.revoke("demo")
    assert await lost_rights(valkey, rights) == {rights[1]}
    await accounts.sessions.close(session)
    assert await lost_rights(valkey, rights) == set(rights)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("bearer  abcdefghijklmnop ", "abcdefghijklmnop"),
        ("Basic abcdefghijklmnop", None),
        ("Bearer short", None),
        ("Bearer abcdefghij klmnop", None),
        ("Bearer " + "a" * 201, None),
        ("", None),
        (None, None),
    ],
)
def test_the_bearer_header(header: str | None, token: str | None) -> None:
    assert bearer(header) == token
