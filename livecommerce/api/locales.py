"""Texts of the pages: `web/locales/<locale>.json`, and which locale a request gets."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

COOKIE = "lc_locale"
LOCALES = ("zh-TW", "en")
_LANGUAGES_MAX = 10  # of an Accept-Language header that are looked at


class Texts:
    """All texts by locale. A missing key raises: a page with a hole is a fault of ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps: dict[str, int] = {}
        self._texts: dict[str, dict[str, str]] = {}

    def of(self, locale: str) -> dict[str, str]:
        file = self._folder / f"{locale}.json"
        stamp = file.stat().st_mtime_ns
        if self._stamps.get(locale) != stamp:
            self._texts[locale] = json.loads(file.read_text("utf-8"))
            self._stamps[locale] = stamp
        return self._texts[locale]

    def text(self, locale: str, key: str) -> str:
        return self.of(locale)[key]

    def some(self, locale: str, prefixes: tuple[str, ...]) -> dict[str, str]:
        """Every text whose key starts with one of `prefix + "."`."""
        starts = tuple(f"{prefix}." for prefix in prefixes)
        return {key: text for key, text in self.of(locale).items() if key.startswith(starts)}


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
