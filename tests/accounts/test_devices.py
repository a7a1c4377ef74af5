"""A device cookie is good for the login it was made for."""

from __future__ import annotations

import pytest

from livecommerce.accounts.devices import device_cookie, device_of

SECRET = b"0" * 32
HASH = "of the password"
COOKIE = device_cookie(SECRET, "mei", HASH)


def test_a_browser_that_was_here_before_is_known_again() -> None:
    device = device_of(SECRET, "mei", HASH, COOKIE)
    assert device
    assert device != device_of(SECRET, "mei", HASH, device_cookie(SECRET, "mei", HASH))


@pytest.mark.parametrize(
    ("login", "cookie"),
    [("otto", COOKIE), ("mei", COOKIE[:-1]), ("mei", COOKIE + "x"), ("mei", ""), ("mei", None), ("mei", "v2.x.y")],
)
def test_what_was_not_signed_for_this_login_is_no_device(login: str, cookie: str | None) -> None:
    assert device_of(SECRET, login, HASH, cookie) is None


def test_another_secret_signs_nothing_of_ours() -> None:
    assert device_of(b"1" * 32, "mei", HASH, COOKIE) is None


def test_a_new_password_makes_every_browser_a_stranger() -> None:
    assert device_of(SECRET, "mei", "of another password", COOKIE) is None
