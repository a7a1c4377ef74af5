"""After the fact: read a past show again with a newer grammar, and learn an alias from a moderator's correction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from livecommerce.comments import kinds
from livecommerce.comments.binding import bind, kinds_of
from livecommerce.comments.catalogue import CatalogueIndex
from livecommerce.comments.folding import fold, suspects, visible
from livecommerce.comments.masking import mask
from livecommerce.comments.parser import parse
from livecommerce.comments.tokens import tokenise
from livecommerce.comments.verdict import Intent, Reserve, Verdict

ALIAS_LENGTH_MAX = 20  # characters; a longer stretch is a sentence, not a name


class PastComment(msgspec.Struct, frozen=True):
    """A comment as it was sent, the pin its writer saw, and how it was read then."""

    id: str
    text: str
    pinned: str | None
    verdict: Verdict


class Difference(msgspec.Struct, frozen=True):
    """A past comment that reads otherwise today."""

    id: str
    text: str
    before: Verdict
    after: Verdict


class Alias(msgspec.Struct, frozen=True):
    """A name to add to the shop's words: `alias` for the item `code`."""

    alias: str
    code: str


def reparse(comments: Iterable[PastComment], index: CatalogueIndex, packs: Sequence[str]) -> Iterator[Difference]:
    """Every comment whose verdict or intents would change, in order. Guesses and versions do not count as changes."""
    for comment in comments:
        after = parse(comment.text, index, packs, comment.pinned)
        if (after.verdict, after.intents) != (comment.verdict.verdict, comment.verdict.intents):
            yield Difference(comment.id, comment.text, comment.verdict, after)


def suggest_alias(text: str, accepted: Intent, index: CatalogueIndex, packs: Sequence[str] = ()) -> Alias | None:
    """The name a moderator has just taught: the one unknown stretch of a comment that was accepted for an item.

    None where nothing, or more than one stretch, is unknown, where the item is named already, or where the text hides
    look-alike characters.
    """
    if not isinstance(accepted, Reserve) or accepted.code not in index.items or suspects(text):
        return None
    view = index.view(tuple(packs))
    folded = mask(fold(visible(text)), view.kept)
    raw = tokenise(folded, view)
    tokens = bind(raw, kinds_of(raw), folded, view)
    if any(token.kind in (kinds.ITEM, kinds.QUESTION, kinds.ASK, kinds.NEGATION) for token in tokens):
        return None
    strangers = [token for token in tokens if token.kind in (kinds.UNKNOWN, kinds.CODE_LIKE, kinds.GLUED)]
    if not strangers:
        return None
    start, end = strangers[0].start, strangers[-1].end
    if any(start <= token.start < end and token not in strangers for token in tokens):
        return None
    alias = folded[start:end].strip()
    if not alias or len(alias) > ALIAS_LENGTH_MAX or (alias.isascii() and alias.isdigit()):
        return None
    return Alias(alias, accepted.code)
