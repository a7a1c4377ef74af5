"""The sample unit of deploy/: systemd takes it, and it starts what there is."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from livecommerce import cli
from livecommerce.ops.children import EXIT_CONFIGURATION
from livecommerce.ops.supervisor import STOP_SECONDS_MAX
from livecommerce.realtime.settings import Realtime

UNIT = Path(__file__).resolve().parents[2] / "deploy/systemd/livecommerce.service"


@pytest.fixture
def service() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment]  # systemd's names are case sensitive
    parser.read_string(UNIT.read_text("utf-8"))
    assert parser["Install"]["WantedBy"] == "multi-user.target"
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"
    return parser["Service"]


def test_it_starts_the_server_again_whatever_ended_it(service: configparser.SectionProxy) -> None:
    program, command = service["ExecStart"].split()
    assert Path(program).name == "livecommerce"
    assert command in cli.COMMANDS
    assert service["Restart"] == "always", "a store that is up later than we are ends the start"
    assert int(service["RestartPreventExitStatus"]) == EXIT_CONFIGURATION
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS_MAX
    assert int(service["LimitNOFILE"]) > Realtime().viewers_max


def test_systemd_takes_it(service: configparser.SectionProxy, tmp_path: Path) -> None:
    assert service["User"] == service["Group"] == "livecommerce", "never root"
    if shutil.which("systemd-analyze") is None:  # a machine without systemd has read it as a file, above
        return
    text = UNIT.read_text("utf-8").replace("/opt/livecommerce/.venv/bin/livecommerce", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("User=livecommerce\nGroup=livecommerce\n", ""), "utf-8")
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    told = [line for line in found.stderr.splitlines() if "livecommerce.service" in line]
    assert told == []
