"""Refusals of this room; numbers 104x, 204x, 304x and 404x of the shared tree."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotAllowed, NotFound


class BodyTooLarge(BadInput):
    number, code, http_status = 1040, "body_too_large", 413
    reason = "The request is larger than this address takes."


class BodyNotJson(BadInput):
    number, code = 1041, "body_not_json"
    reason = "The body is not valid JSON."


class MediaTypeWrong(BadInput):
    number, code, http_status = 1042, "media_type_wrong", 415
    reason = "The Content-Type of this request is not taken here."


class MethodWrong(BadInput):
    number, code, http_status = 1043, "method_wrong", 405
    reason = "This address does not take this method."


class BodyTooSlow(BadInput):
    number, code, http_status = 1044, "body_too_slow", 408
    reason = "The request did not arrive in time."


class RequestRefused(BadInput):
    number, code = 1045, "request_refused"
    reason = "The request could not be read."


class OriginForeign(NotAllowed):
    number, code = 2040, "origin_foreign"
    reason = "This request came from another site, or without saying from where. Open the page itself and try again."


class OrderUnknown(NotFound):
    number, code = 3040, "order_unknown"
    reason = "There is no such order."


class ShowIdTaken(Conflict):
    number, code = 4040, "show_id_taken"
    reason = "A show with this address exists already. Choose another."


class SetupChanged(Conflict):
    number, code = 4041, "setup_changed"
    reason = "Somebody else changed this show meanwhile. Load it again."


class ShowNotReady(Conflict):
    number, code = 4042, "show_not_ready"
    reason = "The show is kept, but could not be put on air yet. It will be as soon as the store answers."


class PicturesFull(Conflict):
    number, code = 4043, "pictures_full"
    reason = "The shop keeps as many pictures as it may keep."


class WordsChanged(Conflict):
    number, code = 4044, "words_changed"
    reason = "Somebody else changed the shop's words meanwhile. Load them again."
