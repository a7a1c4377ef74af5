"""A web process has no relay in it, and still knows the relay's refusals."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("number", "name"), [(3004, "StreamUnknown"), (4001, "HostAlreadyLive"), (1010, "SdpRefused")])
def test_the_relays_refusals_are_known_where_nothing_else_names_them(number: int, name: str) -> None:
    program = (
        "from livecommerce.media.client.control import _error\n"
        f"print(type(_error({{'error': {{'number': {number}, 'reason': 'x'}}}})).__name__)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == name
