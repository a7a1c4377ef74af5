"""The error tree. Expected outcomes are values (stock/outcomes.py); these are refusals and faults that reach a person.

    LiveCommerceError(number, code, reason that says what to do)
    ├── BadInput          1xxx  the caller must change the request
    ├── NotAllowed        2xxx  who you are does not permit it
    ├── NotFound          3xxx
    ├── Conflict          4xxx  true, but not now
    ├── TooMuch           5xxx  a limit; carries retry_after_ms
    └── Unavailable       6xxx  our side; carries retry_after_ms

Every error has a stable number, a machine code, a reason and what to do. Here stand the families and what every room
may say; the rest is in the rooms' `errors.py`, each with a block of numbers. `catalogue()` lists them all for the docs.
"""

from __future__ import annotations

from typing import Any, ClassVar

BLOCK = range(0, 20)  # of numbers, in each family: these, which belong to no one room. Each room has its own block


def _sendable(text: str) -> str:
    """Half a surrogate pair, quoted from what somebody sent, has no bytes of its own in UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


class LiveCommerceError(Exception):
    """Base of all errors that reach a person.

    Attributes:
        number: stable integer, documented in docs/errors.md.
        code: stable snake_case word that programs switch on.
        reason: one English sentence a person can act on; pages translate by `code`.
        retry_after_ms: milliseconds to wait, or None where waiting does not help.
    """

    number: ClassVar[int] = 6000
    code: ClassVar[str] = "internal"
    reason: ClassVar[str] = "Something failed on our side. Try again; if it stays, the log has the details."
    http_status: ClassVar[int] = 500

    def __init__(self, reason: str | None = None, *, retry_after_ms: int | None = None, **details: Any) -> None:
        super().__init__(reason or self.reason)
        self.text = reason or self.reason
        self.retry_after_ms = retry_after_ms
        self.details = details
        self.cause = ""  # which part and what it said: for the log, health and the command line, never for a viewer

    @property
    def for_operators(self) -> str:
        """What a person who runs the server is told: the cause where it is known, not the words of a page."""
        if not self.cause and self.text == self.reason and self.__cause__ is not None:
            return in_words(self.__cause__)
        return self.cause or self.text

    def as_dict(self) -> dict[str, Any]:
        """The wire shape: {"number", "code", "reason"[, "retry_after_ms"][, "details"]}."""
        shape: dict[str, Any] = {"number": self.number, "code": self.code, "reason": _sendable(self.text)}
        if self.retry_after_ms is not None:
            shape["retry_after_ms"] = self.retry_after_ms
        if self.details:
            shape["details"] = {
                name: _sendable(value) if isinstance(value, str) else value for name, value in self.details.items()
            }
        return shape


class BadInput(LiveCommerceError):
    number, code, http_status = 1000, "bad_input", 400
    reason = "The request is not of the expected form."


class NotAllowed(LiveCommerceError):
    number, code, http_status = 2000, "not_allowed", 403
    reason = "You are not allowed to do this."


class NotFound(LiveCommerceError):
    number, code, http_status = 3000, "not_found", 404
    reason = "There is nothing here."


class ShowUnknown(NotFound):
    number, code = 3001, "show_unknown"
    reason = "There is no show under this address. Check the link."


class Conflict(LiveCommerceError):
    number, code, http_status = 4000, "conflict", 409
    reason = "This cannot be done in the present state."


class IdReused(Conflict):
    number, code = 4010, "id_reused"
    reason = "This id was used for something else. Make a new one for each comment or command."


class TooMuch(LiveCommerceError):
    number, code, http_status = 5000, "too_much", 429
    reason = "Too many requests. Wait a moment."


class Busy(TooMuch):
    number, code, http_status = 5002, "busy", 503
    reason = "Very busy right now. Try again in a moment; nothing was changed."


class Unavailable(LiveCommerceError):
    number, code, http_status = 6001, "unavailable", 503
    reason = "A part of the server is not available. Try the same again: what was done already is not done twice."


class StorageFull(Unavailable):
    number, code = 6002, "storage_full"
    reason = "The server cannot store more right now. Nothing was changed. The shop has been told."


class DatabaseAway(Unavailable):
    number, code = 6003, "database_away"
    reason = "The shop's books are not available. Ordering and watching go on; try this again in a moment."


class OutcomeUnknown(Unavailable):
    """What was asked may stand: who denied it would have people order twice, under another id."""

    number, code = 6004, "outcome_unknown"
    reason = "The store did not confirm in time. It may have been done; the same again is safe, and tells."


def in_words(error: BaseException) -> str:
    """A fault in one line for a person who runs the server. Not its `repr`: that of a Redis error has no words."""
    if isinstance(error, LiveCommerceError):
        return error.for_operators
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def catalogue() -> list[type[LiveCommerceError]]:
    """All error classes by number; numbers and codes are unique (a test checks it)."""
    found: list[type[LiveCommerceError]] = []
    queue: list[type[LiveCommerceError]] = [LiveCommerceError]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(current.__subclasses__())
    return sorted(found, key=lambda error: error.number)
