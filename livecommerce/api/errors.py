"""Refusals of this room: the HTTP side."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotAllowed

BLOCK = range(160, 170)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({1043, 1045, 2040})  # given before rooms had blocks; numbers are for good


class MethodWrong(BadInput):
    number, code, http_status = 1043, "method_wrong", 405
    reason = "This address does not take this method."


class RequestRefused(BadInput):
    number, code = 1045, "request_refused"
    reason = "The request could not be read."


class OriginForeign(NotAllowed):
    number, code = 2040, "origin_foreign"
    reason = "This request came from another site, or without saying from where. Open the page itself and try again."
