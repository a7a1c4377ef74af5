"""Refusals of this room: who may come in."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotAllowed, TooMuch

BLOCK = range(20, 30)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({2002, 2003})  # given before rooms had blocks; numbers are for good


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


class NewViewersTooMany(TooMuch):
    number, code = 5021, "new_viewers_too_many"
    reason = "Very many new visitors come from your network right now. Try again in a moment."


class LoginWrong(NotAllowed):
    number, code, http_status = 2002, "login_wrong", 401
    reason = "Login or password is wrong."


class TokenWrong(NotAllowed):
    number, code, http_status = 2003, "token_wrong", 401
    reason = "The bearer token is missing, wrong or for another show. Make a new one in the studio."
