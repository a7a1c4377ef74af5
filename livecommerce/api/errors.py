"""Refusals of this room; numbers 104x and 204x of the shared tree."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotAllowed


class MethodWrong(BadInput):
    number, code, http_status = 1043, "method_wrong", 405
    reason = "This address does not take this method."


class RequestRefused(BadInput):
    number, code = 1045, "request_refused"
    reason = "The request could not be read."


class OriginForeign(NotAllowed):
    number, code = 2040, "origin_foreign"
    reason = "This request came from another site, or without saying from where. Open the page itself and try again."
