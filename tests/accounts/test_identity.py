"""Who is asking: signed viewer cookies, addresses behind proxies, encoder tokens, the secret under it all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from redis.asyncio import Redis

from livecommerce.accounts import viewers
from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.addresses import client_address, request_scheme
from livecommerce.accounts.ingest_tokens import bearer
from livecommerce.accounts.rate_limit import Bucket, RateLimit
from livecommerce.accounts.secret import load_secret
from livecommerce.errors import TokenWrong
from livecommerce.settings import Settings

SECRET = b"0" * 32
PROXIES = ("127.0.0.1", "::1", "10.0.0.0/8")


def test_a_viewer_cookie_is_believed_only_as_it_was_signed() -> None:
    viewer = viewers.new_viewer()
    cookie = viewers.sign(SECRET, viewer)
    assert viewers.verify(SECRET, cookie) == viewer
    assert viewers.verify(b"1" * 32, cookie) is None
    other = viewers.sign(SECRET, viewers.new_viewer())
    forged = f"{cookie.rsplit('.', 1)[0]}.{other.rsplit('.', 1)[1]}"
    for bad in (forged, cookie[:-1], cookie + "x", "", None, "v1..", "v2" + cookie[2:], "v1.ÄÖ." + "A" * 43):
        assert viewers.verify(SECRET, bad) is None, bad


def test_viewer_ids_have_the_form_of_ids_and_do_not_repeat() -> None:
    found = {viewers.new_viewer() for _ in range(1000)}
    assert len(found) == 1000
    assert all(len(viewer) == 26 and viewer.isascii() and viewer == viewer.lower() for viewer in found)


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


async def test_an_ingest_token_opens_its_own_show_until_it_is_revoked(accounts: Accounts) -> None:
    token = await accounts.ingest_tokens.make("lingling", "demo", "mei")
    assert (await accounts.ingest_tokens.check("demo", token)).made_by == "mei"
    for show, wrong in (("other", token), ("demo", token + "x"), ("demo", None), ("demo", "")):
        with pytest.raises(TokenWrong):
            await accounts.ingest_tokens.check(show, wrong)
    assert await accounts.ingest_tokens.revoke("demo", token) == 1
    with pytest.raises(TokenWrong):
        await accounts.ingest_tokens.check("demo", token)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("bearer  abcdefghijklmnop ", "abcdefghijklmnop"),
        ("Basic abcdefghijklmnop", None),
        ("Bearer short", None),
        ("Bearer abcdefghij klmnop", None),
        ("Bearer " + "a" * 201, None),
        ("", None),
        (None, None),
    ],
)
def test_the_bearer_header(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


MAKE = """
import sys
from livecommerce.accounts.secret import load_secret
from livecommerce.settings import Settings
print(load_secret(Settings(data_folder=sys.argv[1])).hex())
"""


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    starting = [
        subprocess.Popen([sys.executable, "-c", MAKE, folder], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = {process.communicate(timeout=60)[0] for process in starting}
    assert said == {load_secret(Settings(data_folder=folder)).hex() + "\n"}
    assert stat.S_IMODE(os.stat(tmp_path / "data" / "secret").st_mode) == 0o600
    assert os.listdir(folder) == ["secret"]


def test_a_secret_from_the_settings_stands_and_a_short_one_is_refused(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert load_secret(Settings(data_folder=folder, secret="s" * 40)) == load_secret(Settings(secret="s" * 40))
    assert os.listdir(folder) == []
    with pytest.raises(ValueError, match="at least 16"):
        load_secret(Settings(data_folder=folder, secret="short"))


async def test_buckets_of_one_question_give_together_or_not_at_all(valkey: Redis) -> None:
    limit = RateLimit(valkey)
    small, large = Bucket("small", 2, 60.0), Bucket("large", 100, 0.0001)
    assert [await limit.take([small, large]) for _ in range(2)] == [0, 0]
    wait = await limit.take([small, large])
    assert 0 < wait <= 1000
    assert int(await valkey.hget("lc:{rate}:large", "t")) < 98_500, "the refused question took nothing"
    await limit.take([small, large], cost=-2.0)
    assert await valkey.exists("lc:{rate}:small", "lc:{rate}:large") <= 1, "full buckets are forgotten"
    assert await limit.take([small]) == 0
    assert 0 < await valkey.pttl("lc:{rate}:small") <= 3000


async def test_a_refused_question_leaves_the_cluster_of_keys_alone(valkey: Redis) -> None:
    limit = RateLimit(valkey)
    assert await limit.take([Bucket("never", 1, 0.001)], cost=5.0) > 0
    assert await valkey.dbsize() == 0
