"""Static files of `web/`: content hashes in their addresses, gzip made once, cached for good when the hash is right."""

from __future__ import annotations

import gzip
import hashlib
import re
import time
from pathlib import Path, PurePosixPath

from msgspec import Struct

from livecommerce.errors import NotFound

HASH_LENGTH = 12  # 48 bits: no two releases of one file meet by chance
FILE_BYTES_MAX = 8_000_000  # pages, scripts and drawings; videos do not belong here
GZIP_BYTES_MIN = 600  # smaller files fit one packet anyway
FRESH_SECONDS = 1.0  # how late a file changed on disk is seen
FILES_MAX = 2_000  # kept in memory; web/ has some hundred

CONTENT_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".toml": "text/plain",
    ".txt": "text/plain",
}
_COMPRESSED = frozenset(("text/javascript", "text/css", "application/json", "image/svg+xml", "text/plain"))
_PATH = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]*(/[A-Za-z0-9_@-][A-Za-z0-9_.@-]*)*")


class Asset(Struct, frozen=True):
    digest: str
    content_type: str
    body: bytes
    gzipped: bytes | None
    stamp: tuple[int, int]  # mtime in ns and size, to see a changed file in development


def _is_public(path: str) -> bool:
    """Templates are not files for browsers."""
    parts = PurePosixPath(path)
    return parts.name != "index.html" and not (parts.suffix == ".html" and parts.parts[0] == "shared")


class Assets:
    """The files by path. A file is looked at again after `fresh_seconds`: a page names fifty of them."""

    def __init__(self, folder: Path, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self.folder = folder
        self._known: dict[str, Asset] = {}
        self._fresh: dict[str, float] = {}
        self._fresh_seconds = fresh_seconds

    def load(self, path: str) -> Asset:
        """A file of `web/` by its relative path, read again when it changed.

        Raises:
            NotFound: no such file, a template, or a path that leaves the folder.
        """
        now = time.monotonic()
        if self._fresh.get(path, -1.0) > now:
            return self._known[path]
        asset = self._look(path)
        self._fresh[path] = now + self._fresh_seconds
        return asset

    def _look(self, path: str) -> Asset:
        if not _PATH.fullmatch(path) or not _is_public(path):
            raise NotFound
        file = self.folder / path
        content_type = CONTENT_TYPES.get(file.suffix)
        try:
            status = file.stat()
            if content_type is None or not file.is_file() or status.st_size > FILE_BYTES_MAX:
                raise NotFound
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._known.get(path)
            if known is not None and known.stamp == stamp:
                return known
            if not file.resolve().is_relative_to(self.folder.resolve()):
                raise NotFound
            body = file.read_bytes()
        except OSError as error:
            raise NotFound from error
        small = gzip.compress(body, 9, mtime=0) if content_type in _COMPRESSED and len(body) >= GZIP_BYTES_MIN else None
        digest = hashlib.sha256(body).hexdigest()[:HASH_LENGTH]
        if len(self._known) >= FILES_MAX:
            self._known.clear()
            self._fresh.clear()
        asset = self._known[path] = Asset(digest, content_type, body, small, stamp)
        return asset

    def address(self, path: str) -> str:
        """`/static/<path>?v=<hash>`: what templates call `asset(path)`."""
        return f"/static/{path}?v={self.load(path).digest}"
