"""The kinds of things that every show has: a file each, found by their folder, so that a new file is a new kind.

In: the state and a command of staff, or an event of the log. Out: decisions, the next state, wire events.
A kind may not await, read a clock or reach a store; what it may declare is in `shows/kind.py`.
"""

from __future__ import annotations

from livecommerce.shows.kind import Kind
from livecommerce.shows.registry import kinds_of

SHOW_KINDS: tuple[Kind, ...] = kinds_of(__name__, __path__[0])
