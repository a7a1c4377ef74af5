"""Texts of the pages: `web/locales/<locale>/<page>.json`, and which locale a request gets."""

from __future__ import annotations

import json
import time
from pathlib import Path

from livecommerce.settings import LOCALES

COOKIE = "lc_locale"
FRESH_SECONDS = 1.0  # how late a file changed on disk is seen
_LANGUAGES_MAX = 10  # of an Accept-Language header that are looked at
_DESKS = ("studio", "control")  # pages that say the same things to the staff of a show


def words_of(page: str) -> tuple[str, ...]:
    """The files of a locale that a page loads, by name."""
    return ("shared", "staff", page) if page in _DESKS else ("shared", page)


class Texts:
    """The texts of each page by locale: its own file, `shared`, and `staff` on the desks of a show.

    A missing key raises: a page with a hole is a fault of ours.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fresh: dict[tuple[str, str], float] = {}
        self._stamps: dict[tuple[str, str], tuple[int, ...]] = {}
        self._texts: dict[tuple[str, str], dict[str, str]] = {}

    def of(self, locale: str, page: str) -> dict[str, str]:
        """Every `key: text` that the page may show."""
        now, wanted = time.monotonic(), (locale, page)
        if self._fresh.get(wanted, -1.0) < now:
            files = [self._folder / locale / f"{name}.json" for name in words_of(page)]
            stamps = tuple(file.stat().st_mtime_ns for file in files)
            if self._stamps.get(wanted) != stamps:
                self._texts[wanted] = {
                    key: text for file in files for key, text in json.loads(file.read_text("utf-8")).items()
                }
                self._stamps[wanted] = stamps
            self._fresh[wanted] = now + FRESH_SECONDS
        return self._texts[wanted]


def choose_locale(cookie: str | None, accepted: str | None, default: str) -> str:
    """The cookie's locale, else the first of ours in `Accept-Language` by weight, else the default."""
    if cookie in LOCALES:
        return str(cookie)
    ranked: list[tuple[float, int, str]] = []
    for position, entry in enumerate((accepted or "").split(",")[:_LANGUAGES_MAX]):
        language, _, weight = entry.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        primary = language.partition("-")[0].lower()
        found = {"zh": "zh-TW", "en": "en"}.get(primary)
        if found and quality > 0:
            ranked.append((-quality, position, found))
    return min(ranked)[2] if ranked else (default if default in LOCALES else LOCALES[0])
