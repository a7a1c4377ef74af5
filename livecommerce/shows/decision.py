"""What a command comes to, as values: events, writes, an outcome; or what stock has to do first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from livecommerce.shows.state import Event
from livecommerce.stock.operations import Operation
from livecommerce.stock.outcomes import Answer, Counters

# Two people change the same thing at once now and then; more than this in a row means something loops.
CONFLICTS_MAX = 16


class Write(NamedTuple):
    """One change of a stored key. `key` is a name of `Keys` or a hash that a kind declares; `value` is for `hset`.

    `most`: where the hash has as many fields and not this one, nothing of the decision is written; 0 is no limit.
    """

    key: str
    operation: Literal["hset", "hdel", "sadd", "srem"]
    field: str
    value: str | bytes = b""
    most: int = 0


class Alias(NamedTuple):
    """A word that the shop learns as a name of the product `code`."""

    word: str
    code: str


class Decision(Struct):
    """What is written in one step.

    Attributes:
        outcome: what the answer to the command says.
        inverse: the command that takes it back (kept in the audit trail for `undo`), None where it cannot be.
        learn: tried before the step; whether it was learned joins the outcome.
    """

    events: list[Event]
    writes: list[Write]
    outcome: dict[str, Any] = {}
    inverse: dict[str, Any] | None = None
    learn: Alias | None = None


class Answered(NamedTuple):
    """Stock's answers, one an operation, and the counters that were asked for."""

    answers: tuple[Answer, ...]
    counters: Mapping[str, Counters]

    @property
    def answer(self) -> Answer:
        return self.answers[0]


class ThroughStock(NamedTuple):
    """Operations on quantities, done in this order before anything of the show is written. Each is idempotent by its
    id, so that the command repeated after a crash in between completes it.

    Attributes:
        conclude: pure; makes the decision of what stock answered. Raises LiveCommerceError for what it refused.
        counters: skus whose counters are read after the operations.
    """

    operations: tuple[Operation, ...]
    conclude: Callable[[Answered], Decision]
    counters: tuple[str, ...] = ()
