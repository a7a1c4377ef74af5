"""The viewer's cookie: a random id and its HMAC, no account behind it.

Form: `v1.<viewer id>.<signature>`; 26 characters of base32 carry 130 random bits, so ids cannot be met by chance.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode, urlsafe_b64encode

COOKIE = "lc_viewer"
COOKIE_SECONDS = 400 * 86400  # the longest that browsers keep a cookie
_FORM = re.compile(r"v1\.([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{43})")


def new_viewer() -> str:
    return b32encode(secrets.token_bytes(17)).decode().rstrip("=")[:26].lower()


def sign(secret: bytes, viewer: str) -> str:
    """The cookie's value for a viewer id."""
    digest = hmac.digest(secret, f"viewer\0{viewer}".encode(), hashlib.sha256)
    return f"v1.{viewer}.{urlsafe_b64encode(digest).decode().rstrip('=')}"


def verify(secret: bytes, cookie: str | None) -> str | None:
    """The viewer id, or None for a missing, malformed or forged cookie."""
    found = _FORM.fullmatch(cookie or "")
    if found is None:
        return None
    return found[1] if hmac.compare_digest(sign(secret, found[1]), found[0]) else None
