"""The command line: help, refusals with exit codes, flags, tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from livecommerce import __version__, cli
from livecommerce.configuration.flags import flags_tree
from livecommerce.configuration.tree import fields
from livecommerce.settings import SettingsError, environment_name


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for dotted, *_ in fields():
        monkeypatch.delenv(environment_name(dotted), raising=False)


def test_without_a_command_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    printed = capsys.readouterr().out
    assert all(name in printed for name in cli.COMMANDS)


@pytest.mark.parametrize("word", ["--version", "version", "-V"])
def test_its_version(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([word]) == 0
    assert capsys.readouterr().out.strip() == f"livecommerce {__version__}"


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sevre"]) == 2
    assert "no command 'sevre'" in capsys.readouterr().err


def test_flags_become_a_tree() -> None:
    assert flags_tree(["http.port=9000", "media.external_addresses=1.2.3.4,5.6.7.8", "secret=a=b"]) == {
        "http": {"port": "9000"},
        "media": {"external_addresses": ["1.2.3.4", "5.6.7.8"]},
        "secret": "a=b",
    }


@pytest.mark.parametrize("assignment", ["http.port", "htpp.port=1", "http=1"])
def test_wrong_flags_are_refused(assignment: str) -> None:
    with pytest.raises(SettingsError):
        flags_tree([assignment])


def test_check_config_says_where_each_value_is_from(tmp_path, monkeypatch, capsys) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('locale = "en"\n[http]\nport = 9000\n[media]\nrelays = 2\n')
    monkeypatch.setenv("LIVECOMMERCE_HTTP_PORT", "9001")
    monkeypatch.setenv("LIVECOMMERCE_SECRET", "very secret words")
    monkeypatch.setenv("LIVECOMMERCE_ORDERS_PAYMENTS", "manual:a provider's key")
    assert cli.main(["check-config", "--config", str(file), "--set", "media.relays=3"]) == 0
    printed = capsys.readouterr().out
    assert "a provider's key" not in printed
    assert "http.port = 9001  (environment)" in printed
    assert "media.relays = 3  (flag)" in printed
    assert f"locale = 'en'  ({file})" in printed
    assert "very secret words" not in printed


@pytest.mark.parametrize(
    ("file", "environment", "message"),
    [
        ("port = 1", {}, "port"),
        ("[http]\nport = 99999", {}, "$.http.port"),
        ("[http", {}, "shop.toml"),
        ("", {"LIVECOMMERCE_HTTP_PROT": "1"}, "LIVECOMMERCE_HTTP_PROT: no such setting"),
        ("", {"LIVECOMMERCE_STOCK_BATCH_MAX": "many"}, "$.stock.batch_max"),
    ],
)
def test_check_config_refuses_what_the_server_would(tmp_path, monkeypatch, capsys, file, environment, message) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(file)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["check-config", "--config", str(path)]) == 78
    assert message in capsys.readouterr().err


def test_settings_prints_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings"]) == 0
    printed = " ".join(capsys.readouterr().out.split())  # long ones are wrapped
    for dotted, _, _, description in fields():
        assert f"- `{dotted}` (`{environment_name(dotted)}`, " in printed
        assert description in printed


def test_as_a_module_and_in_a_pipe_that_closes() -> None:
    done = subprocess.run(
        f"{sys.executable} -m livecommerce settings | head -1", shell=True, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("- `data_folder`")
    assert "Traceback" not in done.stderr


def test_a_fault_of_ours_is_one_line_with_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("in the way")
    assert cli.main(["staff", "--set", f"data_folder={tmp_path / 'data'}", "list"]) == 1
    assert "error 6012 (data_folder_unusable)" in capsys.readouterr().err
