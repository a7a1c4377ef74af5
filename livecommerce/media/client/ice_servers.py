"""STUN and TURN servers for pages and encoders: from settings, with time-limited TURN credentials. Pure."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from livecommerce.media.settings import Media

# Long enough for a show; a leaked credential is worthless the next day.
CREDENTIAL_SECONDS = 12 * 3_600


def ice_servers(media: Media, identity: str, now_seconds: int) -> list[dict[str, Any]]:
    """RTCIceServer objects for a page.

    With `turn_secret`, every turn: server gets a user name "expiry:identity" and the HMAC-SHA1 of it, as coturn's
    use-auth-secret expects (draft-uberti-behave-turn-rest).
    """
    servers: list[dict[str, Any]] = []
    for given in media.ice_servers:
        server = dict(given)
        urls = server.get("urls", [])
        urls = [urls] if isinstance(urls, str) else list(urls)
        if media.turn_secret and any(url.startswith(("turn:", "turns:")) for url in urls):
            username = f"{now_seconds + CREDENTIAL_SECONDS}:{identity}"
            digest = hmac.digest(media.turn_secret.encode(), username.encode(), "sha1")
            server |= {"username": username, "credential": base64.b64encode(digest).decode()}
        servers.append(server)
    return servers


def link_headers(servers: list[dict[str, Any]]) -> list[str]:
    """Values of Link headers, one a URL (RFC 9725 section 4.6)."""
    found = []
    for server in servers:
        urls = server.get("urls", [])
        for url in [urls] if isinstance(urls, str) else urls:
            value = f'<{url}>; rel="ice-server"'
            if "username" in server and "credential" in server:
                value += (
                    f'; username="{server["username"]}"; credential="{server["credential"]}"'
                    '; credential-type="password"'
                )
            found.append(value)
    return found
