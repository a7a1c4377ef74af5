"""No file imports itself by way of others: what two files both need stands in a third, or is said by a Protocol.

Imports for types alone count too: files that know each other so cannot be read one after the other.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.tidy.sources import PACKAGE, python_files, short, tree_of


def name_of(path: Path) -> str:
    """`livecommerce/stock/__init__.py` → `livecommerce.stock`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in python_files() if path.is_relative_to(PACKAGE)}


def imported(path: Path) -> set[str]:
    """Modules of the package that this file names, wherever in it. `from room import module` is the module."""
    package = path.parent.relative_to(PACKAGE.parent).parts
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parents, *([node.module] if node.module else [])])
            whole = {f"{base}.{alias.name}" for alias in node.names}
            modules = whole & MODULES.keys()
            found |= modules
            if whole - modules:
                found.add(base)
    return (found & MODULES.keys()) - {name_of(path)}


def circles(imports: dict[str, set[str]]) -> set[frozenset[str]]:
    """The strongly connected parts with more than one member (Tarjan), without recursion."""
    found: set[frozenset[str]] = set()
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    for root in imports:
        work = [] if root in order else [(root, iter(sorted(imports[root])))]
        if work:
            order[root] = low[root] = len(order)
            stack.append(root)
        while work:
            module, following = work[-1]
            for other in following:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    work.append((other, iter(sorted(imports[other]))))
                    break
                if other in stack:
                    low[module] = min(low[module], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[module])
                if low[module] == order[module]:
                    place = stack.index(module)
                    members = frozenset(stack[place:])
                    del stack[place:]
                    if len(members) > 1:
                        found.add(members)
    return found


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = {name: imported(path) for name, path in MODULES.items()}
    assert any(imports.values())
    found = [sorted(short(MODULES[module]) for module in circle) for circle in circles(imports)]
    assert found == [], "open it: a third file, a Protocol, or an argument"


def test_a_circle_is_found_however_long_it_is() -> None:
    chain = {"a": {"b"}, "b": {"c"}, "c": {"d", "a"}, "d": set(), "e": {"f"}, "f": {"e", "a"}}
    assert circles(chain) == {frozenset("abc"), frozenset("ef")}
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == set()
