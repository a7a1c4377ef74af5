"""Passwords: how long, how many at once, and whose hash is weak."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from livecommerce.accounts.accounts import fold_login
from livecommerce.accounts.errors import PasswordRefused
from livecommerce.accounts.passwords import CHECKS_PER_NETWORK_MAX, CHECKS_WAITING_MAX, Passwords
from livecommerce.errors import Busy

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    room = Passwords(HASHER)
    yield room
    room.close()


async def test_too_many_checks_at_once_are_told_busy(passwords: Passwords) -> None:
    checks = [passwords.verify(None, "guess", f"203.0.113.{n}") for n in range(CHECKS_WAITING_MAX + 3)]
    answers = await asyncio.gather(*checks, return_exceptions=True)
    assert answers.count(None) == CHECKS_WAITING_MAX
    assert [type(answer) for answer in answers[CHECKS_WAITING_MAX:]] == [Busy] * 3


async def test_one_network_has_its_share_of_checks_and_known_devices_a_lane_of_their_own(passwords: Passwords) -> None:
    checks = [passwords.verify(None, "guess", "203.0.113.7") for _ in range(CHECKS_WAITING_MAX + 3)]
    others = [passwords.verify(None, "guess", "198.51.100.1"), passwords.verify(None, "guess", known_device=True)]
    answers = await asyncio.gather(*checks, *others, return_exceptions=True)
    assert answers[-2:] == [None, None]
    assert answers[:-2].count(None) == CHECKS_PER_NETWORK_MAX
    assert await passwords.verify(None, "guess", "203.0.113.7") is None, "the places are free again"


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [("x" * 9, False), ("x" * 10, True), ("密" * 10, True), ("x" * 200, True), ("x" * 201, False), ("", False)],
)
async def test_a_new_password_has_a_length(passwords: Passwords, password: str, is_taken: bool) -> None:
    if not is_taken:
        with pytest.raises(PasswordRefused):
            await passwords.hash(password)
        return
    kept = await passwords.hash(password)
    assert await passwords.verify(kept, password)


@pytest.mark.parametrize(
    ("kept", "password"),
    [
        (None, "a right password"),
        ("", "a right password"),
        ("not a hash", "a right password"),
        ("own", "a wrong password"),
        ("own", "a right password "),
        ("own", "A right password"),
        ("own", ""),
        ("own", "a right password" + "x" * 300),
    ],
)
async def test_only_the_password_itself_opens(passwords: Passwords, kept: str | None, password: str) -> None:
    own = await passwords.hash("a right password")
    assert not await passwords.verify(own if kept == "own" else kept, password)


async def test_a_long_password_is_not_cut_to_one_that_fits(passwords: Passwords) -> None:
    kept = await passwords.hash("x" * 200)
    assert not await passwords.verify(kept, "x" * 201)


def test_a_hash_of_other_parameters_is_renewed(passwords: Passwords) -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16)
    assert passwords.needs_rehash(weaker.hash("a right password"))
    assert not passwords.needs_rehash(HASHER.hash("a right password"))


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("caf\u00e9 con leche", "cafe\u0301 con leche"),  # NFC and NFD
        ("correct horse", "ｃｏｒｒｅｃｔ\u3000ｈｏｒｓｅ"),
        ("密碼密碼密碼１２３４", "密碼密碼密碼1234"),
        ("가나다라마바사아자차", "\u1100\u1161\u1102\u1161\u1103\u1161\u1105\u1161\u1106\u1161\u1107\u1161\u1109\u1161"
         "\u110b\u1161\u110c\u1161\u110e\u1161"),
    ],
)  # fmt: skip
async def test_a_password_opens_however_the_keyboard_composed_it(passwords: Passwords, kept: str, typed: str) -> None:
    assert await passwords.verify(await passwords.hash(kept), typed)
    assert await passwords.verify(await passwords.hash(typed), kept)


async def test_a_hash_of_a_version_that_composed_nothing_still_opens(passwords: Passwords) -> None:
    typed = "cafe\u0301 con leche"
    assert await passwords.verify(HASHER.hash(typed), typed) == typed


@pytest.mark.parametrize("password", ["line\nbreak in it", "bell\x07 in the word", "\U000e0100" + "x" * 10])
async def test_a_password_holds_nothing_that_no_key_types(passwords: Passwords, password: str) -> None:
    with pytest.raises(PasswordRefused):
        await passwords.hash(password)


@pytest.mark.parametrize(("typed", "login"), [("ＭＥＩ", "mei"), (" Mei ", "mei"), ("a\nb", "a\nb"), ("ﬁona", "ﬁona")])
def test_a_login_is_lower_case_in_plain_width(typed: str, login: str) -> None:
    assert fold_login(typed) == login
