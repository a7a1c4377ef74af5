"""The secret that signs viewer cookies: from the settings, else made once in the data folder."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

FINGERPRINT_LABEL = b"livecommerce: which secret is it"
SECRET_LENGTH_MIN = 16  # characters; shorter ones can be guessed


def secret_text(configured: str, data_folder: str) -> str:
    """The words as they stand in the settings or in `<data>/secret`; for a backup alone."""
    return configured or (Path(data_folder) / "secret").read_text().strip()


def secret_fingerprint(configured: str, data_folder: str) -> str:
    """Tells two secrets apart and says nothing of either; empty where there is none yet."""
    path = Path(data_folder).expanduser() / "secret"
    text = configured or (path.read_text().strip() if path.exists() else "")
    return hmac.new(text.encode(), FINGERPRINT_LABEL, hashlib.sha256).hexdigest()[:32] if text else ""


def load_secret(configured: str, data_folder: str) -> bytes:
    """32 bytes derived from the configured one or from `<data>/secret`, which is made on first use (0600).

    Several processes may start together: the first to link its file wins and all read that one.

    Raises:
        ValueError: the secret is too short.
    """
    text = configured
    if not text:
        path = Path(data_folder) / "secret"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first: its secret stands
                os.link(draft, path)
            draft.unlink()
        text = path.read_text().strip()
    if len(text) < SECRET_LENGTH_MIN:
        raise ValueError(f"The secret has {len(text)} characters; at least {SECRET_LENGTH_MIN} are needed.")
    return hashlib.sha256(b"livecommerce\0" + text.encode()).digest()
