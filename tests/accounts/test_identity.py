"""Who is asking: signed viewer cookies, encoder tokens, the secret under it all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from livecommerce.accounts import viewers
from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.ingest_tokens import bearer
from livecommerce.accounts.secret import load_secret
from livecommerce.errors import TokenWrong
from livecommerce.settings import Settings

SECRET = b"0" * 32


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
