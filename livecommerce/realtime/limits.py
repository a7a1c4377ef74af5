"""Limits on what a client sends: bytes of a message, messages and comments in a time, sockets per viewer."""

from __future__ import annotations

import time
import unicodedata
from bisect import insort
from collections import OrderedDict

from livecommerce.errors import CommentNotText, CommentTooLong, LiveCommerceError, NameRefused, TooMuch
from livecommerce.shows.moderation import CLOCK_SLACK_MS

MESSAGE_BYTES_MAX = 16 * 1024  # a comment is under 1 KiB; a product with 30 options under 16
MESSAGES_BURST = 40  # a control panel that works off a queue by keyboard
MESSAGES_PER_SECOND = 20.0
STRIKES_MAX = 60  # dropped messages before the socket is closed: a script, not a person
SOCKETS_PER_VIEWER_MAX = 6  # tabs and a phone
UNJOINED_MAX = 2_000  # sockets that have not joined yet, per process: a join storm of 500/s needs some hundreds
NAME_LENGTH_MAX = 20
WINDOW_MS = 10_000  # of `realtime.comments_per_10_seconds`
WINDOWS_MAX = 4  # how far back what was too much counts
TIMES_MAX = 400  # of one viewer: four windows of a hundred
SPEAKERS_MAX = 50_000  # viewers who spoke lately; the oldest is forgotten first
OWN_MAX = 20_000  # as many lines as may wait for the log


class MessageBudget:
    """Token bucket of one socket, in memory: it protects this process, so it needs no store."""

    __slots__ = ("_at", "_tokens", "strikes")

    def __init__(self) -> None:
        self._tokens = float(MESSAGES_BURST)
        self._at = time.monotonic()
        self.strikes = 0

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(MESSAGES_BURST, self._tokens + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._tokens < 1:
            self.strikes += 1
            return False
        self._tokens -= 1
        return True


class CommentRate:
    """When each viewer of one show has spoken lately, on any process: what this one takes, and what the log brings.

    Two processes may take the full number in one moment, before either has read of the other's; it is paid for by a
    wait as much longer, so that the limit holds over any longer time.
    """

    def __init__(self) -> None:
        self._times: OrderedDict[str, list[int]] = OrderedDict()  # viewer -> when, in order
        self._own: OrderedDict[str, None] = OrderedDict()  # ids counted here that the log has yet to bring

    def wait_ms(self, viewer: str, per_window: int, now_ms: int) -> int:
        """Milliseconds until this viewer may speak again, 0 when now: at most `per_window` in each ten seconds."""
        times = self._times.get(viewer, [])
        while times and times[-1] > now_ms + CLOCK_SLACK_MS:  # of before the store's clock stepped back
            times.pop()
        past_windows = range(1, min(WINDOWS_MAX, len(times) // per_window) + 1)
        return max((times[-per_window * n] + n * WINDOW_MS - now_ms for n in past_windows), default=0)

    def take(self, viewer: str, comment: str, now_ms: int) -> None:
        """A comment or claim goes on its way here."""
        self._own[comment] = None
        if len(self._own) > OWN_MAX:
            self._own.popitem(last=False)
        self._note(viewer, now_ms)

    def seen(self, viewer: str, comment: str, at_ms: int) -> None:
        """The log has brought one, from whichever process."""
        if comment in self._own:
            del self._own[comment]
        else:
            self._note(viewer, at_ms)

    def _note(self, viewer: str, at_ms: int) -> None:
        times = self._times.pop(viewer, [])
        while times and times[0] <= at_ms - WINDOWS_MAX * WINDOW_MS:
            del times[0]
        while times and times[-1] > at_ms + CLOCK_SLACK_MS:
            times.pop()
        insort(times, at_ms)
        self._times[viewer] = times[-TIMES_MAX:]
        if len(self._times) > SPEAKERS_MAX:
            self._times.popitem(last=False)


def checked_text(text: object, length_max: int) -> str:
    """A comment's text, trimmed.

    Raises:
        CommentNotText, CommentTooLong.
    """
    if not isinstance(text, str):
        raise CommentNotText()
    if len(text) > 4 * length_max:  # before any work on it
        raise CommentTooLong(f"A comment has at most {length_max} characters.")
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise CommentNotText("A comment has at least one character.")
    if len(text) > length_max:
        raise CommentTooLong(f"A comment has at most {length_max} characters.")
    if any(char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") for char in text):
        raise CommentNotText()
    return text


def checked_name(name: object) -> str:
    """A chosen name, trimmed, without control or invisible characters.

    Raises:
        NameRefused.
    """
    if not isinstance(name, str) or len(name) > 4 * NAME_LENGTH_MAX:
        raise NameRefused()
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise NameRefused()
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") for char in name):
        raise NameRefused()
    return name


def too_many_comments(wait_ms: int) -> LiveCommerceError:
    return TooMuch(f"Too many comments. Wait {-(-wait_ms // 1000)} s.", retry_after_ms=wait_ms)
