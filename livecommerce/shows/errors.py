"""Refusals of this room; numbers 1025, 203x and 404x of the shared tree."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotAllowed


class RoleTooLowForCommand(NotAllowed):
    number, code = 2030, "role_too_low_for_command"
    reason = "Your role does not allow this command. Ask the owner or the host."


class ShowOfAnotherShop(NotAllowed):
    number, code = 2031, "show_of_another_shop"
    reason = "This show belongs to another shop."


class ShopWordRefused(BadInput):
    number, code = 1025, "shop_word_refused"
    reason = "One of the shop's own words cannot be used."


class ShowIdTaken(Conflict):
    number, code = 4040, "show_id_taken"
    reason = "A show with this address exists already. Choose another."


class SetupChanged(Conflict):
    number, code = 4041, "setup_changed"
    reason = "Somebody else changed this show meanwhile. Load it again."


class ShowNotReady(Conflict):
    number, code = 4042, "show_not_ready"
    reason = "The show is kept, but could not be put on air yet. It will be as soon as the store answers."


class WordsChanged(Conflict):
    number, code = 4044, "words_changed"
    reason = "Somebody else changed the shop's words meanwhile. Load them again."
