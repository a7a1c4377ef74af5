"""Finds the compiled core of the fan-out, proves that it encrypts as `cryptography` does, or says why it is not used.

In: nothing but what was installed. Out: the module `_sending`, or None; then fanout.py does the same work in Python.
"""

from __future__ import annotations

import logging
from functools import cache
from types import ModuleType

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

log = logging.getLogger(__name__)

# The library of Python's own `ssl` first; it is in the process already.
CRYPTO_LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1")


def agrees_with_cryptography(core: ModuleType) -> bool:
    """Seals packets of several lengths by both and compares them bit for bit."""
    secret, salt = bytes(range(16)), bytes(range(200, 212))
    key, reference = core.Key(secret, salt), AESGCM(secret)
    for length in (0, 1, 15, 16, 17, 160, 1_171, 1_500):
        header, payload = bytes(range(12 if length % 2 else 20)), bytes(length % 251 for _ in range(length))
        ssrc, index = 0x89ABCDEF, 0x123456789A00 + length
        nonce = (int.from_bytes(salt, "big") ^ (ssrc << 48 | index)).to_bytes(12, "big")
        if key.seal(header, payload, ssrc, index) != header + reference.encrypt(nonce, payload, header):
            return False
    return True


@cache
def find() -> tuple[ModuleType | None, str]:
    """(the compiled core, "") or (None, why not). Looks once a process."""
    try:
        from livecommerce.media import _sending
    except ImportError as error:
        return None, f"not built for this system ({error})"
    faults = []
    for name in CRYPTO_LIBRARIES:
        try:
            _sending.load_crypto(name)
            break
        except OSError as error:
            faults.append(str(error))
    else:
        return None, "OpenSSL was not found: " + "; ".join(faults)
    try:
        agrees = agrees_with_cryptography(_sending)
    except (RuntimeError, ValueError) as error:
        return None, f"the self-test failed: {error}"
    return (_sending, "") if agrees else (None, "the self-test failed: it encrypts otherwise than cryptography does")


def core(*, is_wanted: bool = True) -> ModuleType | None:
    """The compiled core where there is one that works and it is wanted; the log says which runs."""
    found, reason = find() if is_wanted else (None, "switched off")
    log.info("sending by %s", "the compiled core" if found is not None else f"Python: {reason}")
    return found
