"""The secret under all signatures: from the settings, else made once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from livecommerce.accounts.secret import load_secret

MAKE = """
import sys
from livecommerce.accounts.secret import load_secret
print(load_secret("", sys.argv[1]).hex())
"""


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    starting = [
        subprocess.Popen([sys.executable, "-c", MAKE, folder], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = {process.communicate(timeout=60)[0] for process in starting}
    assert said == {load_secret("", folder).hex() + "\n"}
    assert stat.S_IMODE(os.stat(tmp_path / "data" / "secret").st_mode) == 0o600
    assert os.listdir(folder) == ["secret"]


def test_a_secret_from_the_settings_stands_and_a_short_one_is_refused(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert load_secret("s" * 40, folder) == load_secret("s" * 40, "elsewhere")
    assert os.listdir(folder) == []
    with pytest.raises(ValueError, match="at least 16"):
        load_secret("short", folder)
