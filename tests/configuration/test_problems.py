"""What `check-config` calls good, `serve` takes: one validation, by name of the setting; and the stores are asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livecommerce import cli
from livecommerce.configuration.problems import problems
from livecommerce.configuration.tree import fields, load
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.settings import SettingsError, environment_name
from tests.postgres_server import PostgresServer
from tests.stock.cluster import free_ports
from tests.stock.servers import binary

PASSWORD = "right-words"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for dotted, *_ in fields():
        monkeypatch.delenv(environment_name(dotted), raising=False)
    monkeypatch.chdir(tmp_path)


WRONG = [
    ("log_level=verbose", "log_level"),
    ("log_format=text", "log_format"),
    ("locale=fr", "locale"),
    ("currency=NTD", "currency"),
    ("orders.time_zone=Mars/X", "orders.time_zone"),
    ("orders.payments=shells", "orders.payments"),
    ("database.url=postgresql://lc:p@ss:w/rd@127.0.0.1/lc", "database.url"),
    ("redis.url=redis://lc:p@ss@127.0.0.1:6379", "redis.url"),
    ("secret=short", "secret"),
    ("data_folder= ", "data_folder"),
    ("http.public_url=live.example.com", "http.public_url"),
    ("http.public_url=https://live example.com", "http.public_url"),
    ("http.public_url=ftp://live.example.com", "http.public_url"),
    ("http.host=127.0.0.1 ", "http.host"),
    ("http.trusted_proxies=10.0.0.0/8,proxy", "http.trusted_proxies"),
    ("media.host=my relay", "media.host"),
    ("media.host=localhost", "media.host"),
    ("media.external_addresses=203.0.113.5 10.0.0.1", "media.external_addresses"),
    ("media.external_addresses=live.example.com", "media.external_addresses"),
    ("media.control_url=10.0.0.5:8188", "media.control_url"),
    ("media.control_url=http://10.0.0.5:8188", "secret"),
    ("media.control_url=http://10.0.0.5:port", "media.control_url"),
    ("redis.url=localhost:6379", "redis.url"),
    ("redis.url=redis://host:six", "redis.url"),
    ("redis.url=redis://host/zero", "redis.url"),
    ("redis.url=redis:// host", "redis.url"),
    ("redis.accept_loss=some", "redis.accept_loss"),
    ("database.url=mysql://u@h/shop", "database.url"),
    ("database.url=shop.db", "database.url"),
    ("database.url=postgresql://user@host", "database.url"),
    ("database.url=postgresql://user@ho st/shop", "database.url"),
    ("media.port=8080", "http.port"),
    ("http.internal_port=8080", "http.port"),
    ("http.internal_port=7900", "http.internal_port"),  # the first relay's, +100, meets the web's port below
    ("http.internal_port=65500", "http.internal_port"),
    ("stock.hold_seconds=9223372036854775808", "stock.hold_seconds"),
]


@pytest.mark.parametrize(("assignment", "named"), WRONG)
@pytest.mark.parametrize("command", ["check-config", "serve", "doctor", "worker"])
def test_what_cannot_be_is_refused_by_every_command_with_the_name(
    capsys: pytest.CaptureFixture[str], command: str, assignment: str, named: str
) -> None:
    extra = ["--set", "http.port=8000"] if "7900" in assignment else []
    assert cli.main([command, "--set", assignment, *extra]) == 78
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("words", ["pa@ss", "pa/ss", "pa#ss", "pa?ss", "pa ss", "pa:s@s", "p@a/s s"])
@pytest.mark.parametrize("scheme", ["postgresql", "redis"])
def test_a_password_that_has_to_be_escaped_is_never_shown_in_part(scheme: str, words: str) -> None:
    dotted = "redis.url" if scheme == "redis" else "database.url"
    path = "0" if scheme == "redis" else "shop"
    url = f"{scheme}://shop:{words}@db.example.com:4000/{path}"
    (told,) = problems(load(environment={environment_name(dotted): url}))
    assert f"{dotted} is '{scheme}://shop:[hidden]@db.example.com:4000/{path}'" in told
    assert "write @ as %40" in told
    assert "a blank as %20" in told


def test_internal_ports_that_the_public_may_reach_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", "--set", "http.internal_host=0.0.0.0"]) == 0
    assert "look at: http.internal_host is 0.0.0.0" in capsys.readouterr().out
    assert cli.main(["check-config", "--set", "http.internal_host=127.0.0.1"]) == 0
    assert "look at" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "assignment",
    [
        "http.public_url=https://live.example.com",
        "http.public_url=https://live.example.com:8443/",
        "http.trusted_proxies=10.0.0.0/8, 127.0.0.1",
        "media.external_addresses=203.0.113.5, 2001:db8::1",
        "redis.url=rediss://user:words@host:6380/2",
        "redis.url=unix:///run/valkey.sock",
        "database.url=postgres://user:words@host/shop",
        "database.url=postgresql+asyncpg://user@/shop?host=/run/postgresql",
        "media.port=0",
        "http.internal_port=-1",
        "locale=en",
    ],
)
def test_what_can_be_is_good(assignment: str) -> None:
    dotted, _, text = assignment.partition("=")
    assert problems(load(environment={environment_name(dotted): text})) == []


def test_every_problem_is_told_at_once() -> None:
    settings = load(environment={"LIVECOMMERCE_LOCALE": "fr", "LIVECOMMERCE_LOG_LEVEL": "loud"})
    assert len(problems(settings)) == 2


def test_a_list_that_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="LIVECOMMERCE_MEDIA_ICE_SERVERS"):
        load(environment={"LIVECOMMERCE_MEDIA_ICE_SERVERS": "[{"})


def test_a_relay_starts_without_the_libraries_of_sql() -> None:
    program = "import sys, livecommerce.configuration.flags; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "livecommerce.api", "aiortc"} & set(loaded)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a server that wants a password."""
    [port] = free_ports(1)
    extra = ["--port", str(port), "--requirepass", PASSWORD]
    server = EmbeddedValkey(tmp_path_factory.mktemp("guarded"), binary=binary("valkey"), extra=extra)
    server.answers = lambda: server.log_end().count("Ready to accept") > 0  # type: ignore[method-assign]
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop()


@pytest.mark.parametrize("user", ["", ":wrong-words@"])
@pytest.mark.parametrize("command", ["check-config", "serve", "worker"])
def test_a_wrong_password_is_told_at_once_by_name(guarded: str, tmp_path: Path, command: str, user: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIVECOMMERCE_")}
    words = [sys.executable, "-m", "livecommerce", command]
    for assignment in (
        f"redis.url=redis://{user}{guarded}", f"data_folder={tmp_path / 'data'}", "http.port=0",
        "http.internal_port=0", "media.port=0",
    ):  # fmt: skip
        words += ["--set", assignment]
    # a wait for what cannot come would be killed here
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 78, done.stderr
    assert "redis.url" in done.stderr
    assert "does not let us in" in done.stderr
    assert "wrong-words" not in done.stderr
    assert "Traceback" not in done.stderr


def test_check_config_asks_the_stores(guarded: str, capsys: pytest.CaptureFixture[str]) -> None:
    right = f"redis.url=redis://:{PASSWORD}@{guarded}"
    assert cli.main(["check-config", "--set", right]) == 0
    assert "redis.url answered" in capsys.readouterr().out
    [port] = free_ports(1)
    assert cli.main(["check-config", "--set", f"redis.url=redis://127.0.0.1:{port}"]) == 1
    assert "no answer" in capsys.readouterr().err


def test_check_config_asks_postgresql(capsys: pytest.CaptureFixture[str]) -> None:
    server = PostgresServer()
    server.start()
    try:
        url = server.url.replace("postgresql+asyncpg", "postgres")
        assert cli.main(["check-config", "--set", f"database.url={url}"]) == 0
        assert "database.url answered" in capsys.readouterr().out
        assert cli.main(["check-config", "--set", f"database.url={url.replace('/postgres?', '/nowhere?')}"]) == 78
        assert "refuses us" in capsys.readouterr().err
        server.pause()
        assert cli.main(["check-config", "--set", f"database.url={url}"]) == 1
        assert "is away" in capsys.readouterr().err
    finally:
        server.stop()
