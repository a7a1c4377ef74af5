"""Where a request comes from: the word of our own proxies, and of nobody else."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from livecommerce.http.addresses import client_address, network_of, networks, plain, request_scheme

PROXIES = ("127.0.0.1", "::1", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # a stranger's word counts nothing
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),  # what the client wrote before our proxy
        ("127.0.0.1", "198.51.100.1, 10.0.0.9", "198.51.100.1"),  # two proxies of ours
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        (None, "198.51.100.1", "198.51.100.1"),  # a Unix socket
        (None, None, "unknown"),
        ("127.0.0.1", ",".join(["10.0.0.1"] * 5000), "10.0.0.1"),
    ],
)
def test_the_address_of_a_request(peer: str | None, forwarded: str | None, address: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


def test_the_scheme_is_the_proxys_word_only_from_a_proxy() -> None:
    class Peer:
        def __init__(self, address: str) -> None:
            self.address = address

        def get_extra_info(self, name: str, default: object = None) -> object:
            return (self.address, 1) if name == "peername" else default

    for address, expected in (("127.0.0.1", "https"), ("203.0.113.7", "http")):
        request = make_mocked_request("GET", "/", headers={"X-Forwarded-Proto": "https"}, transport=Peer(address))
        assert request_scheme(request, PROXIES) == expected


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ('"[2001:db8::1]:80"', "2001:db8::1"),
        ("2001:0db8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.256", None),
        ("host.example", None),
        ("[", None),
        ("", None),
    ],
)
def test_an_address_has_one_form(text: str, address: str | None) -> None:
    assert plain(text) == address


def test_a_setting_that_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy"):
        networks(("proxy.example",))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_key_for_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
