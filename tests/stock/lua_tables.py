"""Tables of the Lua as Python sees them: what tests compare with their Python side."""

from __future__ import annotations

import re

from tests.stock.servers import lua_texts


def _body(name: str) -> str:
    """The text between the braces of `local NAME = { … }`, which stands once, without comments."""
    text = re.sub(r"--.*", "", "\n".join(lua_texts()))
    (body,) = re.findall(rf"^local {name} = \{{(.*?)\}}", text, re.DOTALL | re.MULTILINE)
    return str(body)


def names(table: str) -> tuple[str, ...]:
    """An array of strings."""
    return tuple(re.findall(r'"([^"]*)"', _body(table)))


def pairs(table: str) -> dict[str, str]:
    """Keys with a string each."""
    return dict(re.findall(r'(\w+) = "([^"]*)"', _body(table)))


def number(name: str) -> int:
    """The number of `local NAME = 7`, also among others: `local ONE, TWO = 1, 2`."""
    for left, right in re.findall(r"^local ([\w, ]+) = ([\d, ]+)", "\n".join(lua_texts()), re.MULTILINE):
        found = dict(zip(left.split(", "), right.split(", "), strict=True))
        if name in found:
            return int(found[name])
    raise AssertionError(f"no number {name} in the Lua")
