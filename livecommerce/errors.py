"""The error tree. Expected outcomes are values (stock/outcomes.py); these are refusals and faults that reach a person.

    LiveCommerceError(number, code, reason, advice)
    ├── BadInput          1xxx  the caller must change the request
    ├── NotAllowed        2xxx  who you are does not permit it
    ├── NotFound          3xxx
    ├── Conflict          4xxx  true, but not now
    ├── TooMuch           5xxx  a limit; carries retry_after_ms
    └── Unavailable       6xxx  our side; carries retry_after_ms

Every error has a stable number, a machine code, a reason and what to do. `catalogue()` lists them all for the docs.
"""

from __future__ import annotations

from typing import Any, ClassVar


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

    def as_dict(self) -> dict[str, Any]:
        """The wire shape: {"number", "code", "reason"[, "retry_after_ms"][, "details"]}."""
        shape: dict[str, Any] = {"number": self.number, "code": self.code, "reason": self.text}
        if self.retry_after_ms is not None:
            shape["retry_after_ms"] = self.retry_after_ms
        if self.details:
            shape["details"] = self.details
        return shape


class BadInput(LiveCommerceError):
    number, code, http_status = 1000, "bad_input", 400
    reason = "The request is not of the expected form."


class CommentTooLong(BadInput):
    number, code = 1001, "comment_too_long"
    reason = "A comment has at most 200 characters."


class CommentNotText(BadInput):
    number, code = 1002, "comment_not_text"
    reason = "A comment is text without control characters."


class NameRefused(BadInput):
    number, code = 1004, "name_refused"
    reason = "A name has 1 to 20 characters, no control characters and no blocked word."


class EventUnknown(BadInput):
    number, code = 1005, "event_unknown"
    reason = "The server knows no such event on this socket."


class SdpRefused(BadInput):
    number, code = 1010, "sdp_refused"
    reason = "The SDP offer cannot be used. Offer H.264 constrained baseline (packetization-mode 1) and Opus."


class NotAllowed(LiveCommerceError):
    number, code, http_status = 2000, "not_allowed", 403
    reason = "You are not allowed to do this."


class LoginNeeded(NotAllowed):
    number, code, http_status = 2001, "login_needed", 401
    reason = "Log in first."


class LoginWrong(NotAllowed):
    number, code, http_status = 2002, "login_wrong", 401
    reason = "Login or password is wrong."


class TokenWrong(NotAllowed):
    number, code, http_status = 2003, "token_wrong", 401
    reason = "The bearer token is missing, wrong or for another show. Make a new one in the studio."


class Muted(NotAllowed):
    number, code = 2010, "muted"
    reason = "A moderator has muted you in this show. You can still watch."


class Banned(NotAllowed):
    number, code = 2011, "banned"
    reason = "A moderator has removed you from this show."


class NotYours(NotAllowed):
    number, code = 2012, "not_yours"
    reason = "This reservation is not yours."


class CommentRefused(NotAllowed):
    number, code = 2013, "comment_refused"
    reason = "The rules of this show do not allow this comment."


class NotFound(LiveCommerceError):
    number, code, http_status = 3000, "not_found", 404
    reason = "There is nothing here."


class ShowUnknown(NotFound):
    number, code = 3001, "show_unknown"
    reason = "There is no show under this address. Check the link."


class ReservationUnknown(NotFound):
    number, code = 3002, "reservation_unknown"
    reason = "There is no such reservation."


class ItemUnknown(NotFound):
    number, code = 3003, "item_unknown"
    reason = "This show has no such product or option."


class StreamUnknown(NotFound):
    number, code = 3004, "stream_unknown"
    reason = "The host is not live yet."


class Conflict(LiveCommerceError):
    number, code, http_status = 4000, "conflict", 409
    reason = "This cannot be done in the present state."


class HostAlreadyLive(Conflict):
    number, code = 4001, "host_already_live"
    reason = "Another host is already live on this show. End that stream first."


class ShowStageWrong(Conflict):
    number, code = 4002, "show_stage_wrong"
    reason = "The show is not in a stage that allows this."


class CommandUnknown(BadInput):
    number, code = 1003, "command_unknown"
    reason = "There is no such command."


class IdReused(Conflict):
    number, code = 4010, "id_reused"
    reason = "This id was used for something else. Make a new one for each comment or command."


class TooMuch(LiveCommerceError):
    number, code, http_status = 5000, "too_much", 429
    reason = "Too many requests. Wait a moment."


class SlowMode(TooMuch):
    number, code = 5001, "slow_mode"
    reason = "The chat is in slow mode. Wait before the next comment."


class Busy(TooMuch):
    number, code, http_status = 5002, "busy", 503
    reason = "Very busy right now. Try again in a moment; nothing was changed."


class Unavailable(LiveCommerceError):
    number, code, http_status = 6001, "unavailable", 503
    reason = "A part of the server is not available. Nothing was changed. Try again."


class StorageFull(Unavailable):
    number, code = 6002, "storage_full"
    reason = "The server cannot store more right now. Nothing was changed. The shop has been told."


class DatabaseAway(Unavailable):
    number, code = 6003, "database_away"
    reason = "The shop's books are not available. Ordering and watching go on; try this again in a moment."


class PortInUse(Unavailable):
    number, code = 6010, "port_in_use"
    reason = "A port that the server needs is in use by another program."


class AlreadyRunning(Unavailable):
    number, code = 6011, "already_running"
    reason = "A server is already running on this data folder."


class DataFolderUnusable(Unavailable):
    number, code = 6012, "data_folder_unusable"
    reason = "The data folder cannot be written."


class StartFailed(Unavailable):
    number, code = 6013, "start_failed"
    reason = "A part of the server did not start. The log above says why."


class StoresApart(Unavailable):
    number, code = 6015, "stores_apart"
    reason = "The database and Valkey/Redis do not belong together: one of them is empty or older."


class BackupRefused(Unavailable):
    number, code = 6016, "backup_refused"
    reason = "The backup cannot be made or restored."


class StoreUnsuitable(Unavailable):
    number, code = 6014, "store_unsuitable"
    reason = "The Valkey/Redis server is too old or set up so that it could lose or evict stock."


def catalogue() -> list[type[LiveCommerceError]]:
    """All error classes by number; numbers and codes are unique (a test checks it)."""
    found: list[type[LiveCommerceError]] = []
    queue: list[type[LiveCommerceError]] = [LiveCommerceError]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(current.__subclasses__())
    return sorted(found, key=lambda error: error.number)
