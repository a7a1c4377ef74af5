"""How often one viewer may speak in a show, over all processes. Pure: the time is handed in."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict

from livecommerce.errors import TooMuch
from livecommerce.shows.moderation import CLOCK_SLACK_MS

WINDOW_MS = 10_000  # of `realtime.comments_per_10_seconds`
WINDOWS_MAX = 4  # how far back what was too much counts
TIMES_MAX = 400  # of one viewer: four windows of a hundred
SPEAKERS_MAX = 50_000  # viewers who spoke lately; the oldest is forgotten first
OWN_MAX = 20_000  # as many lines as may wait for the log


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


def too_many_comments(wait_ms: int) -> TooMuch:
    return TooMuch(f"Too many comments. Wait {-(-wait_ms // 1000)} s.", retry_after_ms=wait_ms)
