"""Finds the compiled core of the fan-out, proves that it encrypts as `cryptography` does, or says why it is not used.

In: nothing but what was installed. Out: the module `_sending`, or None; then fanout.py does the same work in Python.
"""

from __future__ import annotations

import logging
from functools import cache
from types import ModuleType
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

log = logging.getLogger(__name__)

# What may seal packets, the cheapest first. OpenSSL is in the process already where Python's own `ssl` is.
SEALERS = ("AES-NI", "libcrypto.so.3", "libcrypto.so.1.1")


class Found(NamedTuple):
    """The compiled core and by what it seals, or None and why it is not used."""

    core: ModuleType | None
    by: str


def agrees_with_cryptography(core: ModuleType) -> bool:
    """Seals packets of several lengths by both and compares them bit for bit."""
    secret, salt = bytes(range(16)), bytes(range(200, 212))
    key, reference = core.Key(secret, salt), AESGCM(secret)
    for length in (*range(0, 300, 7), 112, 113, 127, 128, 129, 1_156, 1_171, 1_500):
        header, payload = bytes(range(12 if length % 2 else 20)), bytes(length % 251 for _ in range(length))
        ssrc, index = 0x89ABCDEF, 0x123456789A00 + length
        nonce = (int.from_bytes(salt, "big") ^ (ssrc << 48 | index)).to_bytes(12, "big")
        if key.seal(header, payload, ssrc, index) != header + reference.encrypt(nonce, payload, header):
            return False
    return True


@cache
def find() -> Found:
    """Looks once a process. The first sealer that is here and agrees with `cryptography` is used."""
    try:
        from livecommerce.media.compiled import _sending
    except ImportError as error:
        return Found(None, f"not built for this system ({error})")
    faults = []
    for sealer in SEALERS:
        try:
            _sending.use(sealer)
            if agrees_with_cryptography(_sending):
                return Found(_sending, sealer)
            faults.append(f"{sealer} failed the self-test")
        except (OSError, RuntimeError, ValueError) as error:
            faults.append(f"{sealer}: {error}")
    return Found(None, "; ".join(faults))


def core(*, is_wanted: bool = True) -> ModuleType | None:
    """The compiled core where there is one that works and it is wanted; the log says which runs."""
    found = find() if is_wanted else Found(None, "switched off")
    log.info("sending by %s: %s", "Python" if found.core is None else "the compiled core", found.by)
    return found.core
