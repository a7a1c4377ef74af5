"""Texts of the pages: `web/locales/<locale>.json`, and which locale a request gets."""

from __future__ import annotations

import json
import time
from pathlib import Path

from aiohttp import web

from livecommerce.settings import LOCALES

COOKIE = "lc_locale"
FRESH_SECONDS = 1.0  # how late a file changed on disk is seen
_LANGUAGES_MAX = 10  # of an Accept-Language header that are looked at


class Texts:
    """All texts by locale. A missing key raises: a page with a hole is a fault of ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fresh: dict[str, float] = {}
        self._stamps: dict[str, int] = {}
        self._texts: dict[str, dict[str, str]] = {}
        self._parts: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}

    def of(self, locale: str) -> dict[str, str]:
        now = time.monotonic()
        if self._fresh.get(locale, -1.0) < now:
            file = self._folder / f"{locale}.json"
            stamp = file.stat().st_mtime_ns
            if self._stamps.get(locale) != stamp:
                self._texts[locale] = json.loads(file.read_text("utf-8"))
                self._stamps[locale] = stamp
                self._parts.clear()
            self._fresh[locale] = now + FRESH_SECONDS
        return self._texts[locale]

    def text(self, locale: str, key: str) -> str:
        return self.of(locale)[key]

    def some(self, locale: str, prefixes: tuple[str, ...]) -> dict[str, str]:
        """Every text whose key starts with one of `prefix + "."`. Templates ask for a handful of prefix lists."""
        texts = self.of(locale)
        found = self._parts.get((locale, prefixes))
        if found is None:
            starts = tuple(f"{prefix}." for prefix in prefixes)
            found = self._parts[locale, prefixes] = {key: text for key, text in texts.items() if key.startswith(starts)}
        return found


TEXTS: web.AppKey[Texts] = web.AppKey("livecommerce.api.texts", Texts)


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
