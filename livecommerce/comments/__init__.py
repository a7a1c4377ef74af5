"""Comments in, meaning out: "A01 紅 M +2" becomes `reserve A01 [紅色, M] x 2`, chatter becomes nothing.

In: a comment, a compiled catalogue, the show's grammar packs, the code of the item on the viewer's screen.
Out: a `Verdict` (order, change, question, unclear, none) with intents, a stable reason and the grammar version.
Pure: no clock, no await, no storage, no randomness; imports nothing but the standard library, msgspec and errors.
It may not guess: whatever is doubtful is `unclear` and goes to a moderator.
"""

from livecommerce.comments.catalogue import Axis, Catalogue, CatalogueIndex, ItemWords, ShopWords
from livecommerce.comments.checks import CatalogueWarning, check_catalogue
from livecommerce.comments.errors import PackUnknown
from livecommerce.comments.folding import fold, fold_for_match
from livecommerce.comments.packs import PACKS
from livecommerce.comments.parser import parse
from livecommerce.comments.revision import Alias, Difference, PastComment, reparse, suggest_alias
from livecommerce.comments.verdict import VERSION, Cancel, Intent, Reason, Reduce, Reserve, SetQuantity, Swap, Verdict

__all__ = [
    "PACKS",
    "VERSION",
    "Alias",
    "Axis",
    "Cancel",
    "Catalogue",
    "CatalogueIndex",
    "CatalogueWarning",
    "Difference",
    "Intent",
    "ItemWords",
    "PackUnknown",
    "PastComment",
    "Reason",
    "Reduce",
    "Reserve",
    "SetQuantity",
    "ShopWords",
    "Swap",
    "Verdict",
    "check_catalogue",
    "fold",
    "fold_for_match",
    "parse",
    "reparse",
    "suggest_alias",
]
