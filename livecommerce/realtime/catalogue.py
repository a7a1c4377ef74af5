"""The parser's index of a show's products."""

from __future__ import annotations

from livecommerce.comments import CatalogueIndex
from livecommerce.shows.state import State


def catalogue_index(state: State) -> CatalogueIndex:
    """Products in the show's order; closed ones too, so that the answer is `closed` and not `not understood`."""
    return CatalogueIndex([state["items"][code] for code in state["order"]])
