"""In which zone exported orders say their hours."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from livecommerce.settings import SettingsError

ZONES = {"zh-TW": "Asia/Taipei"}  # of a first language that is spoken in one zone


def export_zone(name: str, locale: str) -> ZoneInfo:
    """
    Raises:
        SettingsError: there is no such zone.
    """
    try:
        return ZoneInfo(name or ZONES.get(locale, "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"orders.time_zone: there is no zone {name!r}; write one like Asia/Taipei") from error
