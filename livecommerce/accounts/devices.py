"""Device cookies: a browser that has logged in before is not locked out by strangers who guess at its login.

Wrong passwords are counted per login, so anybody could keep a person out by sending some. A browser that once gave the
right password carries `lc_device`, signed for that login, and is counted on its own (OWASP: slow down online guessing
with device cookies). A new password makes all of them strangers: the one who knew the old one has such a cookie too.
Form: `v2.<nonce>.<signature>`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode

COOKIE = "lc_device"
COOKIE_SECONDS = 180 * 86_400  # a season: a host who comes back for the next one is a stranger again
_FORM = re.compile(r"v2\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


def _sign(secret: bytes, login: str, password_hash: str, nonce: str) -> str:
    signed = f"device\0{login}\0{password_hash}\0{nonce}"
    digest = hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"v2.{nonce}.{urlsafe_b64encode(digest).decode().rstrip('=')}"


def device_cookie(secret: bytes, login: str, password_hash: str) -> str:
    """A cookie for a browser that has just logged in as `login`."""
    return _sign(secret, login, password_hash, secrets.token_hex(16))


def is_device(cookie: str | None) -> bool:
    """Whether it has the form of one: then it is worth asking for the login's password hash."""
    return _FORM.fullmatch(cookie or "") is not None


def device_of(secret: bytes, login: str, password_hash: str, cookie: str | None) -> str | None:
    """The device's name if the cookie was made for this login under this password, else None."""
    found = _FORM.fullmatch(cookie or "")
    if found is None or not hmac.compare_digest(_sign(secret, login, password_hash, found[1]), found[0]):
        return None
    return found[1]
