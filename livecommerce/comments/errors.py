"""Refusals of this room: how comments are read."""

from __future__ import annotations

from livecommerce.errors import BadInput

BLOCK = range(60, 70)  # of numbers, in each family; docs/errors.md


class PackUnknown(BadInput):
    number, code = 1060, "pack_unknown"
    reason = "There is no such grammar pack. The packs are zh-TW, zh-CN, en, th, fil, vi and ko."
