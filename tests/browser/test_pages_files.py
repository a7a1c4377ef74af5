"""What the pages are made of: every module is in the import map, and a phone downloads little."""

import gzip
import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
MAP = (WEB / "shared/import_map.html").read_text(encoding="utf-8")
OWN_BYTES_MAX = 48_000  # HTML, CSS and our modules of the watch page, gzipped; without the kinds' own files
KIND_BYTES_MAX = 3_000  # of each kind, with all its views and texts
KINDS = sorted(path.relative_to(WEB).as_posix() for path in (WEB / "shared/kinds").glob("*.js"))
COMMON = ("shared/base.css", "shared/head.html", "shared/import_map.html")


def modules() -> set[str]:
    return {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js") if "vendor" not in path.parts}


def imports_of(module: str) -> set[str]:
    """The module and all that it reaches by relative imports."""
    found, waiting = set(), [module]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        text = (WEB / current).read_text(encoding="utf-8")
        folder = (WEB / current).parent
        targets = (folder.joinpath(target).resolve() for target in re.findall(r'from "(\.[^"]+)"', text))
        waiting.extend(target.relative_to(WEB.resolve()).as_posix() for target in targets)
    return found


def test_the_import_map_names_every_module_there_is():
    listed = set(re.findall(r'"([a-z_]+/[a-z0-9_]+\.js)"', MAP))
    assert listed == modules() - set(KINDS), "kinds are found by their folder (pages.make_environment)"


def test_the_watch_page_stays_small():
    files = [*COMMON, "watch/index.html", "watch/watch.css", *imports_of("watch/main.js")]
    sizes = {file: len(gzip.compress((WEB / file).read_bytes())) for file in files}
    assert sum(sizes.values()) < OWN_BYTES_MAX, sizes
    kinds = {file: len(gzip.compress((WEB / file).read_bytes())) for file in KINDS}
    assert max(kinds.values()) < KIND_BYTES_MAX, kinds


def test_pages_carry_no_inline_style_or_handler():
    """The Content-Security-Policy would refuse them; here it is said before a browser is asked."""
    for path in WEB.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path
