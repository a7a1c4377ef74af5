"""STUN and TURN servers for pages and encoders: from settings, with time-limited TURN credentials. Pure."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from livecommerce.media.settings import Media

# A page asks again with each connection; what it has made holds on, as coturn looks at the time when one begins.
CREDENTIAL_SECONDS = 600


def has_turn(server: dict[str, Any]) -> bool:
    urls = server.get("urls", [])
    return any(url.startswith(("turn:", "turns:")) for url in ([urls] if isinstance(urls, str) else urls))


def needs_renewal(media: Media) -> bool:
    """Whether what `ice_servers` gives is good for some minutes only."""
    return bool(media.turn_secret) and any(map(has_turn, media.ice_servers))


def ice_servers(media: Media, identity: str | None, now_seconds: int) -> list[dict[str, Any]]:
    """RTCIceServer objects for a page; `identity` None is nobody we know, who gets no TURN server.

    With `turn_secret`, every turn: server gets a user name "expiry:identity" and the HMAC-SHA1 of it, as coturn's
    use-auth-secret expects (draft-uberti-behave-turn-rest).
    """
    servers: list[dict[str, Any]] = []
    for given in media.ice_servers:
        server = dict(given)
        if has_turn(server) and identity is None:
            continue
        if media.turn_secret and has_turn(server):
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
