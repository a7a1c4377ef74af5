"""Refusals of this room: what is live."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotAllowed, NotFound, TooMuch

BLOCK = range(170, 200)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset(
    {1003, 1025, 2010, 2011, 2013, 2030, 2031, 3002, 3003, 4002, 4040, 4041, 4042, 4044, 5001}
)  # given before rooms had blocks; numbers are for good


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


class SetupBroken(Conflict):
    number, code = 4174, "setup_broken"
    reason = "The set-up of this show cannot go on air. Change it, or delete it."


class ShowIsOnAir(Conflict):
    number, code = 4175, "show_is_on_air"
    reason = "Only a show that never went on air can be deleted. End this one instead."


class ShowNotReady(Conflict):
    number, code = 4042, "show_not_ready"
    reason = "The show is kept, but could not be put on air yet. It will be as soon as the store answers."


class StockChanged(Conflict):
    number, code = 4170, "stock_changed"
    reason = "The pieces left have changed since you looked. Look again, then set the figure."


class AdjustTooLow(Conflict):
    number, code = 4171, "adjust_too_low"
    reason = "More would be taken away than is left. Held and sold pieces stay."


class ShowEnded(Conflict):
    number, code = 4172, "show_ended"
    reason = "This show is over and takes no pieces. Set the figure of the shop instead."


class PricesStand(Conflict):
    number, code = 4176, "prices_stand"
    reason = "This show is over: its prices are what people owe. Sell at another price in the next show."


class WordsChanged(Conflict):
    number, code = 4044, "words_changed"
    reason = "Somebody else changed the shop's words meanwhile. Load them again."


class NotSold(Conflict):
    number, code = 4173, "not_sold"
    reason = "Stock could not do this; details.why is its outcome."


class Muted(NotAllowed):
    number, code = 2010, "muted"
    reason = "A moderator has muted you in this show. You can still watch."


class Banned(NotAllowed):
    number, code = 2011, "banned"
    reason = "A moderator has removed you from this show."


class NetworkBarred(NotAllowed):
    number, code = 2170, "network_barred"
    reason = "New visitors from your network cannot write or order in this show for now. You can still watch."


class CommentRefused(NotAllowed):
    number, code = 2013, "comment_refused"
    reason = "The rules of this show do not allow this comment."


class ReservationUnknown(NotFound):
    number, code = 3002, "reservation_unknown"
    reason = "There is no such reservation."


class ItemUnknown(NotFound):
    number, code = 3003, "item_unknown"
    reason = "This show has no such product or option."


class ShowStageWrong(Conflict):
    number, code = 4002, "show_stage_wrong"
    reason = "The show is not in a stage that allows this."


class CommandUnknown(BadInput):
    number, code = 1003, "command_unknown"
    reason = "There is no such command."


class SlowMode(TooMuch):
    number, code = 5001, "slow_mode"
    reason = "The chat is in slow mode. Wait before the next comment."
