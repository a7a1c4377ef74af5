"""Encoders: a bearer token opens its own show until it is revoked."""

from __future__ import annotations

import pytest

from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.errors import TokenWrong
from livecommerce.accounts.ingest_tokens import bearer


async def test_an_ingest_token_opens_its_own_show_until_it_is_revoked(accounts: Accounts) -> None:
    token = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    assert (await accounts.ingest_tokens.check("demo", token)).made_by == "mei"
    for show, wrong in (("other", token), ("demo", token + "x"), ("demo", None), ("demo", "")):
        with pytest.raises(TokenWrong):
            await accounts.ingest_tokens.check(show, wrong)
    assert await accounts.ingest_tokens.revoke("demo", token) == 1
    with pytest.raises(TokenWrong):
        await accounts.ingest_tokens.check("demo", token)


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
