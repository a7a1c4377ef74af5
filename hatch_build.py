"""Compiles the core of the media fan-out where it can; elsewhere Python does the same work, and nobody is stopped.

In: livecommerce/media/compiled/_sending.c and what it includes. Out: the module beside it, in the tree (editable
installs) and in the wheel, which then is for CPython's stable interface (cp311-abi3) and this platform, else pure.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("livecommerce/media/compiled/_sending.c")
INCLUDED = (SOURCE.with_name("_sealing.h"), SOURCE.with_name("_sealing_x86.h"))
MODULE = SOURCE.with_suffix(".abi3.so")
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-fstack-protector-strong", "-DNDEBUG", "-Wall")
# A second on a slow machine; the limit is for a compiler that hangs.
COMPILE_SECONDS_MAX = 120


def _compiler() -> list[str] | None:
    wished = shlex.split(os.environ.get("CC", "") or sysconfig.get_config_var("CC") or "")
    for words in (wished, ["cc"], ["gcc"], ["clang"]):
        if words and shutil.which(words[0]):
            return words
    return None


def compile_core(root: Path) -> str:
    """Makes `MODULE` anew under `root`. Returns why it could not, or "". An older one never stays."""
    (root / MODULE).unlink(missing_ok=True)
    if not sys.platform.startswith("linux"):
        return "it needs Linux (sendmmsg, UDP_SEGMENT)"
    headers = [path for name in ("include", "platinclude") if (path := sysconfig.get_path(name))]
    if not any(Path(path, "Python.h").is_file() for path in headers):
        return "Python.h is not installed"
    compiler = _compiler()
    if compiler is None:
        return "there is no C compiler"
    # Renamed into place when whole: a relay that runs keeps the file it has mapped.
    unfinished = root / MODULE.with_suffix(f".{os.getpid()}")
    includes = [f"-I{path}" for path in dict.fromkeys(headers)]
    command = [*compiler, *FLAGS, *includes, "-o", str(unfinished), str(root / SOURCE), "-ldl", "-lpthread"]
    try:
        built = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_SECONDS_MAX, check=False)
        if built.returncode:
            return f"{compiler[0]} failed: {built.stderr.strip()[:500]}"
        unfinished.replace(root / MODULE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{compiler[0]} failed: {error}"
    finally:
        unfinished.unlink(missing_ok=True)
    return ""


class CompiledCore(BuildHookInterface[Any]):
    """What hatchling calls before it packs a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        reason = compile_core(Path(self.root))
        if reason:
            print(f"livecommerce: the fan-out's compiled core is left out: {reason}", file=sys.stderr)
            return
        build_data["artifacts"].append(f"/{MODULE}")
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"
