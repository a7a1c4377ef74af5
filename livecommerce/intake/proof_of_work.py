"""A little work before an order: what costs one person's phone a second costs who plays a thousand people a thousand.

The server says a challenge, which is good for one viewer of one show and some minutes; whoever orders finds a `nonce`
so that SHA-256 of `<challenge>:<nonce>` begins with `BITS` zero bits. Nothing is kept: the challenge says until when,
and its signature says that it is ours and whose. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Literal

from msgspec import Struct

# 131,000 hashes on average. A page's JavaScript makes some 200,000 a second on a cheap phone (four small cores of
# 2015), so it takes such a phone about a second, of which there is time before anybody orders; others a tenth of that.
BITS = 17
VALID_SECONDS = 600  # pages make the next before that; a proof found for one cookie is worth nothing for another
NONCE_LENGTH_MAX = 20  # with the challenge within one block of SHA-256 (55 bytes)
_MAC_BYTES = 16
_FORM = re.compile(r"([0-9]{10})\.([A-Za-z0-9_-]{22})")
_NONCE = re.compile(rf"[0-9A-Za-z]{{1,{NONCE_LENGTH_MAX}}}")

Flaw = Literal["missing", "malformed", "foreign", "expired", "too_little"]


class Proof(Struct, frozen=True):
    challenge: str
    nonce: str


def challenge_of(secret: str, show: str, viewer: str, until_ms: int) -> str:
    """`secret` is the show's own, which no page ever sees."""
    until = f"{until_ms // 1000:010d}"
    return f"{until}.{_signature(secret, show, viewer, until)}"


def _signature(secret: str, *parts: str) -> str:
    digest = hmac.digest(secret.encode(), "\0".join(("proof", *parts)).encode(), hashlib.sha256)
    return urlsafe_b64encode(digest[:_MAC_BYTES]).decode().rstrip("=")


def flaw_of(proof: Proof | None, secret: str, show: str, viewer: str, now_ms: int) -> Flaw | None:
    """What a proof lacks; None for a good one."""
    if proof is None:
        return "missing"
    form = _FORM.fullmatch(proof.challenge)
    if form is None or _NONCE.fullmatch(proof.nonce) is None:
        return "malformed"
    if not hmac.compare_digest(_signature(secret, show, viewer, form[1]), form[2]):
        return "foreign"
    if int(form[1]) * 1000 <= now_ms:
        return "expired"
    return None if is_enough(proof, BITS) else "too_little"


def is_enough(proof: Proof, bits: int) -> bool:
    digest = hashlib.sha256(f"{proof.challenge}:{proof.nonce}".encode()).digest()
    return int.from_bytes(digest, "big") >> (len(digest) * 8 - bits) == 0
