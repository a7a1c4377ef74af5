"""Where a relay's control door is: a socket in the data folder, or with `media.control_url` a guarded TCP port."""

from __future__ import annotations

from urllib.parse import urlsplit

from livecommerce.media.settings import Media
from livecommerce.settings import SettingsError


def control_address(media: Media, secret: str, index: int = 0) -> tuple[str, str] | None:
    """(where relay `index` listens, where the web role reaches it); None for a socket in the data folder.

    Raises:
        SettingsError: no such address, or a control port without a secret, which would let anybody publish.
    """
    url = media.control_url
    if not url:
        return None
    try:
        parts = urlsplit(url)
        hostname, first = parts.hostname, parts.port
    except ValueError:
        hostname, first = None, None
    if not hostname or not first or parts.scheme != "http" or " " in url:
        raise SettingsError(f"media.control_url is {url!r}; expected like http://10.0.0.5:8188")
    if not secret:
        raise SettingsError("media.control_url needs `secret`, the same on all nodes: it guards the relay's control")
    port = first + index
    host = f"[{hostname}]" if ":" in hostname else hostname
    return f"tcp://{hostname}:{port}", f"http://{host}:{port}"
