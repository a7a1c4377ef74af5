"""A network namespace with one cable to this machine: a browser in it has an interface of its own, which tests change.

Needs root and `ip` (Debian: iproute2). The kernel drops what a rule names, so no firewall program is needed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

CAN_MAKE_NAMESPACES = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("ip") is not None


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True, capture_output=True, timeout=10)


class Namespace:
    """Inside, `interface` has one address of 10.77.x.0/24; this machine is `gateway` at the other end of the cable."""

    def __init__(self) -> None:
        tag = secrets.token_hex(3)
        self.name = f"livecommerce-{tag}"
        self._outside, self.interface = f"lc{tag}o", f"lc{tag}i"
        self._net = f"10.77.{secrets.randbelow(250) + 2}"
        self.gateway, self.address = f"{self._net}.1", f"{self._net}.10"

    def inside(self, *words: str) -> None:
        _ip("netns", "exec", self.name, "ip", *words)

    def make(self) -> None:
        _ip("netns", "add", self.name)
        _ip("link", "add", self._outside, "type", "veth", "peer", "name", self.interface, "netns", self.name)
        _ip("addr", "add", f"{self.gateway}/24", "dev", self._outside)
        _ip("link", "set", self._outside, "up")
        self.inside("link", "set", "lo", "up")
        self.inside("addr", "add", f"{self.address}/24", "dev", self.interface)
        self.inside("link", "set", self.interface, "up")
        self.inside("route", "add", "default", "via", self.gateway)

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)  # its end of the cable goes with it, and so does ours
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", self._outside)

    def move(self, last: int) -> None:
        """Another address, as when a phone changes its network: the old one is gone at once."""
        before, self.address = self.address, f"{self._net}.{last}"
        self.inside("addr", "del", f"{before}/24", "dev", self.interface)
        self.inside("addr", "add", f"{self.address}/24", "dev", self.interface)
        self.inside("route", "replace", "default", "via", self.gateway)

    def drop_udp(self) -> None:
        """Nothing goes out by UDP any more; TCP does."""
        self.inside("rule", "add", "ipproto", "udp", "blackhole")

    def program(self, path: str, folder: str) -> str:
        """A script that runs `path` inside."""
        script = Path(folder) / "inside"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} "{path}" "$@"\n', "utf-8")
        script.chmod(0o755)
        return str(script)


@contextlib.contextmanager
def namespace() -> Iterator[tuple[Namespace, str]]:
    """A namespace and a folder for `program`; both are gone afterwards."""
    made = Namespace()
    with tempfile.TemporaryDirectory(prefix="namespace-", dir="/tmp") as folder:
        try:
            made.make()
            yield made, folder
        finally:
            made.remove()
