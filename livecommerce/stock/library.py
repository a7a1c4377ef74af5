"""The Lua function library: its text, its name, and how it gets into a server.

The name carries a digest of the text, so another version is simply a missing function, and old and new processes can
work side by side during an update. A server that answers "Function not found" is given the library and asked again.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lua"


def assemble(texts: list[str]) -> tuple[str, bytes]:
    """Joins Lua files to (function name, library text)."""
    body = "\n".join(texts)
    name = "livecommerce_stock_" + hashlib.blake2b(body.encode(), digest_size=5).hexdigest()
    return name, f"#!lua name={name}\n{body.replace('FUNCTION_NAME', name)}".encode()


@cache
def library() -> tuple[str, bytes]:
    """The library of this version: (function name, text for FUNCTION LOAD)."""
    return assemble([file.read_text("utf-8") for file in sorted(FOLDER.glob("*.lua"))])
