"""Refusals of this room: what is said."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotAllowed, TooMuch

BLOCK = range(140, 150)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({1001, 1002, 1004, 2012})  # given before rooms had blocks; numbers are for good


class CommentTooLong(BadInput):
    number, code = 1001, "comment_too_long"
    reason = "A comment has at most 200 characters."


class CommentNotText(BadInput):
    number, code = 1002, "comment_not_text"
    reason = "A comment is text without control characters."


class NameRefused(BadInput):
    number, code = 1004, "name_refused"
    reason = "A name has 1 to 20 characters that can be seen, and no blocked word."


class NameReserved(BadInput):
    number, code = 1140, "name_reserved"
    reason = "This name looks like one of the people who run this show. Choose another."


class NotYours(NotAllowed):
    number, code = 2012, "not_yours"
    reason = "This reservation is not yours."


class ProofNeeded(NotAllowed):
    number, code = 2140, "proof_needed"
    reason = (
        "A new viewer's order needs a proof of work here, which the page makes by itself. Reload it and order again."
    )


class NetworkShareTaken(TooMuch):
    number, code = 5140, "network_share_taken"
    reason = "New visitors of your network have their share of this product. The rest is for others; try again later."
