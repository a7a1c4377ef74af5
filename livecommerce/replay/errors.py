"""Refusals of this room: recordings shown again."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotFound

BLOCK = range(200, 210)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({1049, 3041})  # given before rooms had blocks; numbers are for good


class ReplayMissing(NotFound):
    number, code = 3041, "replay_missing"
    reason = "There is no replay of this show."


class RangeWrong(BadInput):
    number, code, http_status = 1049, "range_wrong", 416
    reason = "The file is shorter than the range that was asked for."
