"""`python -m loadtest NAME [options]`. A load test is a module of this package with `add_arguments(parser)` and
`main(arguments) -> int`; it is imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys

NAMES = {
    "stock": "reservations a second, against a naive script and single calls",
    "fanout": "frames to thousands of viewers, against python-socketio's emit",
    "media": "video to hundreds of viewers, against re-encoding and stock senders",
    "comments": "microseconds to read a comment, over the cases and hostile text",
    "show": "viewers, comments, orders and counters at once",
}


def run(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in NAMES:
        print("usage: python -m loadtest NAME [options]\n")
        for name, what in NAMES.items():
            print(f"  {name:8} {what}")
        return 2
    module = importlib.import_module(f"loadtest.{arguments[0]}")
    parser = argparse.ArgumentParser(prog=f"python -m loadtest {arguments[0]}", description=module.__doc__)
    module.add_arguments(parser)
    return int(module.main(parser.parse_args(arguments[1:])))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
