"""What a command comes to, as values: events, writes, an outcome; or what stock has to do first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from livecommerce.errors import LiveCommerceError
from livecommerce.shows.errors import NotSold, ReservationUnknown
from livecommerce.shows.packing import pack
from livecommerce.shows.state import Event
from livecommerce.stock.operations import Operation
from livecommerce.stock.outcomes import Answer, Counters, Outcome

# Two people change the same thing at once now and then; more than this in a row means something loops.
CONFLICTS_MAX = 16


Told = dict[str, Any]  # what came of a command, as its answer says it on the wire
Sent = dict[str, Any]  # a command as a page sends it: {"do": …, its fields}


class Write(NamedTuple):
    """One change of a stored key. `key` is a name of `Keys` or a hash that a kind declares; `value` is for `hset`.

    `most`: where the hash has as many fields and not this one, nothing of the decision is written; 0 is no limit.
    """

    key: str
    operation: Literal["hset", "hdel", "sadd", "srem"]
    field: str
    value: str | bytes = b""
    most: int = 0


def keep(name: str, value: Any) -> Write:
    """A value of the state that a kind keeps under a name, see `Kind.first`."""
    return Write("state", "hset", name, pack(value))


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
        refusal: what the command is refused with after the step: staff see why, the command itself is not kept.
    """

    events: list[Event]
    writes: list[Write]
    outcome: Told = {}
    inverse: Sent | None = None
    learn: Alias | None = None
    refusal: LiveCommerceError | None = None


class Answered(NamedTuple):
    """Stock's answers, one an operation, and the counters that were asked for."""

    answers: tuple[Answer, ...]
    counters: Mapping[str, Counters]

    @property
    def answer(self) -> Answer:
        return self.answers[0]


def refuse(answer: Answer) -> Decision:
    """What stock refused is refused, with stock's reason.

    Raises:
        ReservationUnknown, NotSold.
    """
    if answer.outcome is Outcome.RESERVATION_UNKNOWN:
        raise ReservationUnknown()
    raise not_sold(answer)


def not_sold(answer: Answer) -> NotSold:
    """The error of an outcome that is none of those wanted."""
    skus = ", ".join(line.item for line in answer.lines)
    reason = answer.reason or f"Stock answered {answer.outcome}{f' for {skus}' if skus else ''}."
    return NotSold(reason, why=str(answer.outcome))


class ThroughStock(NamedTuple):
    """Operations on quantities, done in this order before anything of the show is written. Each is idempotent by its
    id, so that the command repeated after a crash in between completes it.

    Attributes:
        done: the outcomes after which the command is done; of all others none writes what `conclude` says.
        conclude: pure; makes the decision of what stock did.
        counters: skus whose counters are read after the operations.
        refused: pure; what the first other outcome comes to: raises, or a decision with a `refusal`.
    """

    operations: tuple[Operation, ...]
    done: frozenset[Outcome]
    conclude: Callable[[Answered], Decision]
    counters: tuple[str, ...] = ()
    refused: Callable[[Answer], Decision] = refuse

    def decide(self, answered: Answered) -> Decision:
        """
        Raises:
            LiveCommerceError: stock refused.
        """
        other = next((answer for answer in answered.answers if answer.outcome not in self.done), None)
        return self.conclude(answered) if other is None else self.refused(other)
