"""What the rooms' settings have in common. Each room has its leaf in a `settings.py`; configuration/ adds them up.

Environment names join the path by `_`: `http.port` is LIVECOMMERCE_HTTP_PORT; `redis.url` is LIVECOMMERCE_REDIS_URL.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

PREFIX = "LIVECOMMERCE_"

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
LOCALES = ("zh-TW", "en")  # of the pages


class SettingsError(ValueError):
    """A setting is unknown or out of range; the message names its path and what is allowed."""


def environment_name(dotted: str) -> str:
    return PREFIX + dotted.replace(".", "_").upper()


def words_of(text: str) -> list[str]:
    """`"a, b,"` → `["a", "b"]`: people put a space behind a comma."""
    return [word for word in map(str.strip, text.split(",")) if word]
