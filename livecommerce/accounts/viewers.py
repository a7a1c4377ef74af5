"""The viewer's cookie: a random id and its HMAC, no account behind it.

Form: `v2.<viewer id>.<given, Unix seconds>.<signature>`; 26 characters of base32 carry 130 random bits, so ids cannot
be met by chance. Cookies given before times were kept (`v1.<viewer id>.<signature>`) stay good; they are old.

A browser that keeps no cookies (those inside other apps) gets a *pass* in the page, good for one show and one evening.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode, urlsafe_b64encode

from livecommerce.http.identity import Visit

COOKIE = "lc_viewer"
COOKIE_SECONDS = 400 * 86400  # the longest that browsers keep a cookie
PASS_SECONDS = 12 * 3600  # a show and its replay; a copied address or page is worth nothing the next day
_FORM = re.compile(r"v2\.([a-z0-9-]{1,40})\.([0-9]{1,11})\.([A-Za-z0-9_-]{43})")
_FIRST_FORM = re.compile(r"v1\.([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{43})")


def new_viewer() -> str:
    return b32encode(secrets.token_bytes(17)).decode().rstrip("=")[:26].lower()


def _signature(secret: bytes, *parts: str) -> str:
    digest = hmac.digest(secret, "\0".join(parts).encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def sign(secret: bytes, visit: Visit) -> str:
    """The cookie's value for a visit."""
    since = str(visit.since_ms // 1000)
    return f"v2.{visit.viewer}.{since}.{_signature(secret, 'viewer', visit.viewer, since)}"


def verify(secret: bytes, cookie: str | None) -> Visit | None:
    """The visit, or None for a missing, malformed or forged cookie."""
    found = _FORM.fullmatch(cookie or "")
    if found is not None:
        is_ours = hmac.compare_digest(_signature(secret, "viewer", found[1], found[2]), found[3])
        return Visit(found[1], int(found[2]) * 1000) if is_ours else None
    first = _FIRST_FORM.fullmatch(cookie or "")
    if first is None or not hmac.compare_digest(_signature(secret, "viewer", first[1]), first[2]):
        return None
    return Visit(first[1], 0)


def sign_pass(secret: bytes, visit: Visit, show: str) -> str:
    """What the page of `show` hands to its socket where the browser keeps no cookies."""
    since = str(visit.since_ms // 1000)
    return f"v2.{visit.viewer}.{since}.{_signature(secret, 'pass', visit.viewer, since, show)}"


def verify_pass(secret: bytes, token: str, show: str, now_ms: int) -> Visit | None:
    """The visit, or None for a pass that is malformed, forged, for another show, or too old."""
    found = _FORM.fullmatch(token)
    if found is None or not hmac.compare_digest(_signature(secret, "pass", found[1], found[2], show), found[3]):
        return None
    since_ms = int(found[2]) * 1000
    return Visit(found[1], since_ms) if now_ms - since_ms <= PASS_SECONDS * 1000 else None
