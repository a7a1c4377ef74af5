"""All tests but the nightly ones, in two lanes at once, for two cores.

Browsers, encoders and whole servers wait for clocks as much as they count: they run in one lane, one after another. The
rest, which only counts, runs beside them with less priority, so that the first lane is given the time it asks for.
What the second lane says is printed when both are done. Arguments are handed on to both.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
# Folders of tests with real time in them; those not named here run in the other lane.
IN_REAL_TIME = ("browser", "demo", "deploy", "faults", "media", "ops", "realtime", "roles")


def lanes() -> tuple[list[str], list[str]]:
    """The folders of each lane. A folder without tests belongs to neither."""
    found = sorted({path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")})
    missing = set(IN_REAL_TIME) - set(found)
    if missing:
        sys.exit(f"IN_REAL_TIME names what is not in tests/: {', '.join(sorted(missing))}")
    paths = {name: str(TESTS / name) for name in found}
    return [paths[name] for name in IN_REAL_TIME], [paths[name] for name in found if name not in IN_REAL_TIME]


def main() -> int:
    """Exit code 0 when both lanes passed."""
    timed, counting = lanes()
    pytest = [sys.executable, "-m", "pytest", "-m", "not nightly", *sys.argv[1:]]
    with tempfile.TemporaryFile() as said:
        beside = subprocess.Popen(["nice", "-n", "10", *pytest, *counting], stdout=said, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run([*pytest, *timed], check=False).returncode
            second = beside.wait()
        finally:
            beside.terminate()
        said.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(said.read())
    return first or second


if __name__ == "__main__":
    sys.exit(main())
