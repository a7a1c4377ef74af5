"""Refusals of this room; numbers 102x and 203x of the shared tree."""

from __future__ import annotations

from livecommerce.errors import BadInput, NotAllowed


class RoleTooLowForCommand(NotAllowed):
    number, code = 2030, "role_too_low_for_command"
    reason = "Your role does not allow this command. Ask the owner or the host."


class ShowOfAnotherShop(NotAllowed):
    number, code = 2031, "show_of_another_shop"
    reason = "This show belongs to another shop."


class ShopWordRefused(BadInput):
    number, code = 1025, "shop_word_refused"
    reason = "One of the shop's own words cannot be used."
