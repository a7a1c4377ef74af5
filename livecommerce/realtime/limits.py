"""Limits on what a client sends: bytes of a message, messages and comments in a time, sockets per viewer."""

from __future__ import annotations

import time
import unicodedata
from collections import OrderedDict

from livecommerce.errors import CommentNotText, CommentTooLong, LiveCommerceError, NameRefused, TooMuch

MESSAGE_BYTES_MAX = 16 * 1024  # a comment is under 1 KiB; a product with 30 options under 16
MESSAGES_BURST = 40  # a control panel that works off a queue by keyboard
MESSAGES_PER_SECOND = 20.0
STRIKES_MAX = 60  # dropped messages before the socket is closed: a script, not a person
SOCKETS_PER_VIEWER_MAX = 6  # tabs and a phone
UNJOINED_MAX = 2_000  # sockets that have not joined yet, per process: a join storm of 500/s needs some hundreds
NAME_LENGTH_MAX = 20
BUCKETS_MAX = 50_000  # viewers who spoke lately; the oldest is forgotten first


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


class CommentBudget:
    """Comments of viewers in ten seconds. Comments seen in the log count too, so tabs on other processes share it."""

    WINDOW_SECONDS = 10.0

    def __init__(self, per_window: int) -> None:
        self._size = float(per_window)
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def wait_ms(self, show: str, viewer: str) -> int:
        """Takes one; 0, or the milliseconds until the next is there."""
        key = (show, viewer)
        now = time.monotonic()
        tokens, at = self._buckets.pop(key, (self._size, now))
        tokens = min(self._size, tokens + (now - at) * self._size / self.WINDOW_SECONDS)
        wait = 0 if tokens >= 1 else int((1 - tokens) * self.WINDOW_SECONDS / self._size * 1000) + 1
        self._buckets[key] = (tokens - 1 if wait == 0 else tokens, now)
        if len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)
        return wait


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
