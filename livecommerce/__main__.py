"""`python -m livecommerce` is the command `livecommerce`."""

from __future__ import annotations

import sys

from livecommerce.cli import main

if __name__ == "__main__":
    sys.exit(main())
