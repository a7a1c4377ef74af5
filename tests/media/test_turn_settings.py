"""What the TURN server of the compose file may be used for. `test_turn.py` runs a real one."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

COMPOSE = (Path(__file__).resolve().parents[2] / "deploy" / "compose.yaml").read_text("utf-8")
CONFIG = COMPOSE.partition("\nconfigs:\n")[2].partition("\nvolumes:\n")[0]
DENIED = [
    tuple(map(ipaddress.ip_address, found))
    for found in re.findall(r"denied-peer-ip=([0-9a-f.:]+)-([0-9a-f.:]+)", CONFIG)
]


def is_denied(address: str) -> bool:
    peer = ipaddress.ip_address(address)
    return any(peer.version == first.version and first <= peer <= last for first, last in DENIED)  # type: ignore[operator]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.255",
        "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "2001::1", "fc00::1",
        "fd12:3456::1", "fe80::1", "febf::1", "ff02::1",
    ],
)  # fmt: skip
def test_no_address_behind_or_beside_the_server_is_reached_through_it(address: str) -> None:
    assert is_denied(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00::1"]
)
def test_a_relay_on_the_internet_is(address: str) -> None:
    assert not is_denied(address)


def test_the_secret_is_no_argument_and_allocations_have_quotas() -> None:
    service = COMPOSE.partition("\n  coturn:\n")[2].partition("\n  prometheus:\n")[0]
    assert "SECRET" not in service
    assert "mode: 0400" in service
    for line in ("user-quota=", "total-quota=", "no-tcp-relay", "use-auth-secret", "no-multicast-peers"):
        assert line in CONFIG
