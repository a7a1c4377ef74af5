"""Refusals of this room; numbers 102x, 402x and 502x of the shared tree."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, TooMuch


class PasswordRefused(BadInput):
    number, code = 1020, "password_refused"
    reason = "The password is too short or too long."


class LoginRefused(BadInput):
    number, code = 1021, "login_refused"
    reason = "A login has 2 to 64 characters; letters, digits and the signs . _ @ + - are allowed."


class LoginTaken(Conflict):
    number, code = 4020, "login_taken"
    reason = "Someone already has this login."


class LoginTooOften(TooMuch):
    number, code = 5020, "login_too_often"
    reason = "Too many logins with a wrong password. Wait before the next."
