"""Refusals of this room: what any route may answer."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotAllowed

BLOCK = range(40, 50)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({2001, 2020})  # given before rooms had blocks; numbers are for good


class BodyTooLarge(BadInput):
    number, code, http_status = 1040, "body_too_large", 413
    reason = "The request is larger than this address takes."


class BodyNotJson(BadInput):
    number, code = 1041, "body_not_json"
    reason = "The body is not valid JSON."


class MediaTypeWrong(BadInput):
    number, code, http_status = 1042, "media_type_wrong", 415
    reason = "The Content-Type of this request is not taken here."


class BodyTooSlow(BadInput):
    number, code, http_status = 1044, "body_too_slow", 408
    reason = "The request did not arrive in time."


class EncodingRefused(BadInput):
    number, code, http_status = 1046, "encoding_refused", 415
    reason = "The server takes no compressed requests. Send the body as it is, without Content-Encoding."


class RoleTooLow(NotAllowed):
    number, code = 2020, "role_too_low"
    reason = "Your role does not allow this. Ask the owner of the shop."


class LoginNeeded(NotAllowed):
    number, code, http_status = 2001, "login_needed", 401
    reason = "Log in first."
