"""Refusals of this room: products and pictures."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotFound

BLOCK = range(30, 40)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({4043})  # given before rooms had blocks; numbers are for good


class ProductRefused(BadInput):
    number, code = 1030, "product_refused"
    reason = "The product is not complete or has a value that is not allowed."


class CodeRefused(BadInput):
    number, code = 1031, "code_refused"
    reason = "A product code has 1 to 20 characters one can see, without spaces, / and #, and is not . or .. alone."


class PriceRefused(BadInput):
    number, code = 1032, "price_refused"
    reason = "A price is a whole number of minor units from 0 to 1,000,000,000,000."


class OptionsRefused(BadInput):
    number, code = 1033, "options_refused"
    reason = "At most 4 axes with at most 30 values each, 200 combinations, no name twice."


class SupplyRefused(BadInput):
    number, code = 1034, "supply_refused"
    reason = "Supply is a whole number of pieces from 0 to 1,000,000 for a sku of the product."


class PictureUnreadable(BadInput):
    number, code = 1035, "picture_unreadable"
    reason = "This is no whole picture. Send JPEG, PNG, WebP, HEIC, AVIF or GIF."


class PictureTooLarge(BadInput):
    number, code, http_status = 1036, "picture_too_large", 413
    reason = "The picture has more pixels than are taken: at most 50 million."


class ProductUnknown(NotFound):
    number, code = 3030, "product_unknown"
    reason = "The shop has no product with this code."


class CodeTaken(Conflict):
    number, code = 4030, "code_taken"
    reason = "Another product has this code, or one that reads the same."


class CatalogueFull(Conflict):
    number, code = 4031, "catalogue_full"
    reason = "The shop has as many products as it may have. Remove some first."


class PicturesFull(Conflict):
    number, code = 4043, "pictures_full"
    reason = "The shop shows as many pictures as it may keep. Take products away, or pictures off them; try in a day."
