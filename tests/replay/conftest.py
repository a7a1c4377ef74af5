"""The whole HTTP side on real rooms, see `tests.site`."""

from tests.site import make_site, relay, site, site_settings

__all__ = ["make_site", "relay", "site", "site_settings"]
