"""Both ways of sending, and where what was sent arrives."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.media.packets import CORES, core_name


@pytest.fixture(params=CORES, ids=core_name)
def core(request: pytest.FixtureRequest) -> Any:
    """The compiled core where it was built, and None: Python alone."""
    return request.param


@pytest.fixture
def sink() -> Any:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.bind(("127.0.0.1", 0))
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    yield udp
    udp.close()
