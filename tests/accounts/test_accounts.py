"""Logging in: the right password opens a session, everything else gets one answer, too much of it has to wait."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis

from livecommerce.accounts.accounts import WRONG_PER_LOGIN, WRONG_PER_LOGIN_ANYWHERE, Accounts
from livecommerce.accounts.errors import LoginRefused, LoginTaken, LoginTooOften, LoginWrong, PasswordRefused
from livecommerce.accounts.passwords import Passwords
from livecommerce.accounts.sessions import SESSIONS_MAX
from livecommerce.errors import LiveCommerceError

PASSWORD = "correct horse battery"


async def outcome(accounts: Accounts, login: str, password: str, address: str = "203.0.113.7") -> str:
    try:
        await accounts.login(login, password, address)
    except LiveCommerceError as error:
        return error.code
    return "in"


async def test_the_right_password_opens_a_session_that_can_be_closed(accounts: Accounts) -> None:
    added = await accounts.add_staff("lingling", "Mei", PASSWORD, "host", "小美")
    staff, token, _ = await accounts.login(" ＭＥＩ ", PASSWORD, "203.0.113.7")
    assert staff == added
    assert (staff.login, staff.name, staff.role, staff.shop) == ("mei", "小美", "host", "lingling")
    assert await accounts.sessions.find(token) == staff
    await accounts.sessions.close(token)
    assert await accounts.sessions.find(token) is None


async def test_who_has_no_name_is_never_shown_by_the_login(accounts: Accounts) -> None:
    added = await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    older = await accounts.add_staff("lingling", "ling-2", PASSWORD, "host", "ling-2")  # as names were kept before
    for staff, login in ((added, "mei"), (older, "ling-2")):
        assert staff.name == ""
        assert (await accounts.login(login, PASSWORD, "203.0.113.7"))[0].name == ""


async def test_neither_the_password_nor_the_token_is_stored(accounts: Accounts, valkey: Redis) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    _, token, _ = await accounts.login("mei", PASSWORD, "203.0.113.7")
    record = await accounts.staff.by_login("mei")
    assert record is not None
    assert record.password_hash.startswith("$argon2id$")
    stored = b""
    async for key in valkey.scan_iter():
        stored += key + (await valkey.dump(key))
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("mei", "wrong password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("mei", ""),
        ("mei", PASSWORD + "x" * 500),
        ("m" * 5000, PASSWORD),
        ("mei\0", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("gone", PASSWORD),
    ],
)
async def test_every_wrong_pair_gets_the_same_answer(accounts: Accounts, login: str, password: str) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    await accounts.add_staff("lingling", "gone", PASSWORD, "host")
    await accounts.set_disabled("gone", True)
    assert await outcome(accounts, login, password) == "login_wrong"


async def test_an_unknown_login_costs_the_same_work(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time itself is not measured: both ways run exactly one argon2 verification of the same parameters."""
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    work: list[str] = []
    matches = Passwords._matches

    def counted(self: Passwords, password_hash: str, password: str) -> bool:
        work.append(password_hash.rsplit("$", 2)[0])
        return matches(self, password_hash, password)

    monkeypatch.setattr(Passwords, "_matches", counted)
    for login in ("mei", "nobody"):
        with pytest.raises(LoginWrong):
            await accounts.login(login, "wrong password", "203.0.113.7")
    assert len(work) == 2
    assert work[0] == work[1]


async def test_wrong_passwords_are_slowed_per_login_and_the_right_one_waits_too(accounts: Accounts) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    tries = [await outcome(accounts, "mei", "wrong password", f"2001:db8::{n:x}") for n in range(WRONG_PER_LOGIN)]
    assert set(tries) == {"login_wrong"}
    with pytest.raises(LoginTooOften) as refused:
        await accounts.login("mei", PASSWORD, "2001:db8::99")
    assert 0 < refused.value.retry_after_ms <= 31_000
    assert await outcome(accounts, "someone-else", "wrong password") == "login_wrong"


async def test_a_browser_that_was_here_before_is_not_locked_out_by_strangers(accounts: Accounts) -> None:
    mei = await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    await accounts.add_staff("lingling", "otto", PASSWORD, "host")
    cookie = (await accounts.login("mei", PASSWORD, "198.51.100.1")).device
    for number in range(WRONG_PER_LOGIN_ANYWHERE + 1):
        await outcome(accounts, "mei", "wrong password", f"203.0.113.{number}")
    assert await outcome(accounts, "mei", PASSWORD, "198.51.100.1") == "login_too_often"
    assert (await accounts.login("mei", PASSWORD, "198.51.100.1", cookie)).staff == mei
    for _ in range(WRONG_PER_LOGIN):
        with pytest.raises(LoginWrong):
            await accounts.login("mei", "wrong password", "198.51.100.2", cookie)
    with pytest.raises(LoginTooOften):
        await accounts.login("mei", PASSWORD, "198.51.100.3", cookie)


async def test_a_new_password_forgets_the_browsers_too(accounts: Accounts) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    cookie = (await accounts.login("mei", PASSWORD, "198.51.100.1")).device
    await accounts.set_password("mei", "another long password")
    for _ in range(WRONG_PER_LOGIN):
        with pytest.raises(LoginWrong):
            await accounts.login("mei", PASSWORD, "198.51.100.2", cookie)
    with pytest.raises(LoginTooOften):
        await accounts.login("mei", PASSWORD, "198.51.100.2")


@pytest.mark.parametrize("change", ["disabled", "role", "password"])
async def test_a_change_while_the_password_is_checked_lets_nobody_in(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """All sessions are ended before this one begins: it must not begin."""
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    verify = Passwords.verify

    async def slow(self: Passwords, password_hash: str | None, password: str, network: str, **lane: bool) -> bool:
        is_right = await verify(self, password_hash, password, network, **lane)
        monkeypatch.setattr(Passwords, "verify", verify)
        if change == "disabled":
            await accounts.set_disabled("mei", True)
        elif change == "role":
            await accounts.set_role("mei", "moderator")
        else:
            await accounts.set_password("mei", "another long password")
        return is_right

    monkeypatch.setattr(Passwords, "verify", slow)
    assert await outcome(accounts, "mei", PASSWORD) == "login_wrong"
    mei = await accounts.staff.by_login("mei")
    assert mei is not None
    assert await accounts.sessions.close_all(mei.id) == 0


async def test_eighty_wrong_logins_of_one_network_at_once_keep_nobody_else_out(accounts: Accounts) -> None:
    mei = await accounts.add_staff("lingling", "mei", PASSWORD, "owner")
    cookie = (await accounts.login("mei", PASSWORD, "198.51.100.9")).device
    guesses = [
        asyncio.create_task(outcome(accounts, f"guess-{n}" if n % 2 else "mei", "wrong password", "203.0.113.7"))
        for n in range(80)
    ]
    await asyncio.sleep(0)
    elsewhere = await accounts.login("mei", PASSWORD, "198.51.100.1")
    beside_them = await accounts.login("mei", PASSWORD, "203.0.113.7", cookie)
    assert elsewhere.staff == beside_them.staff == mei
    assert "in" not in await asyncio.gather(*guesses)


async def test_one_address_cannot_try_many_logins(accounts: Accounts) -> None:
    tries = [await outcome(accounts, f"guess-{n}", "wrong password") for n in range(25)]
    assert tries[:20] == ["login_wrong"] * 20
    assert "login_too_often" in tries[20:]


async def test_tries_at_once_do_not_slip_through(accounts: Accounts) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    tries = await asyncio.gather(*(outcome(accounts, "mei", f"guess {n}") for n in range(20)))
    assert tries.count("login_wrong") <= WRONG_PER_LOGIN + 1
    assert tries.count("login_too_often") >= 20 - WRONG_PER_LOGIN - 1


async def test_right_passwords_are_never_slowed(accounts: Accounts) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    assert {await outcome(accounts, "mei", PASSWORD) for _ in range(30)} == {"in"}


async def test_old_sessions_give_way_and_a_new_password_ends_all(accounts: Accounts) -> None:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    tokens = [(await accounts.login("mei", PASSWORD, "203.0.113.7"))[1] for _ in range(SESSIONS_MAX + 2)]
    alive = [await accounts.sessions.find(token) is not None for token in tokens]
    assert alive == [False, False] + [True] * SESSIONS_MAX
    assert await accounts.set_password("mei", "another long password")
    assert [await accounts.sessions.find(token) for token in tokens] == [None] * len(tokens)
    assert await outcome(accounts, "mei", PASSWORD) == "login_wrong"
    assert await outcome(accounts, "mei", "another long password") == "in"


async def test_a_hash_of_weaker_days_is_renewed_at_login(accounts: Accounts, valkey: Redis) -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16)
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    record = await accounts.staff.by_login("mei")
    assert record is not None
    await accounts.staff.set_password_hash(record.id, weaker.hash(PASSWORD))
    await accounts.login("mei", PASSWORD, "203.0.113.7")
    renewed = await accounts.staff.by_login("mei")
    assert renewed is not None
    assert not accounts._passwords.needs_rehash(renewed.password_hash)
    assert await outcome(accounts, "mei", PASSWORD) == "in"


@pytest.mark.parametrize(
    ("login", "password", "refusal"),
    [
        ("a", PASSWORD, LoginRefused),
        ("with space", PASSWORD, LoginRefused),
        ("x" * 65, PASSWORD, LoginRefused),
        ("mei", "short", PasswordRefused),
        ("mei", "x" * 201, PasswordRefused),
        ("taken", PASSWORD, LoginTaken),
        ("TAKEN", PASSWORD, LoginTaken),
    ],
)
async def test_staff_that_cannot_be_added(
    accounts: Accounts, login: str, password: str, refusal: type[LiveCommerceError]
) -> None:
    await accounts.add_staff("lingling", "taken", PASSWORD, "owner")
    with pytest.raises(refusal):
        await accounts.add_staff("lingling", login, password, "host")
