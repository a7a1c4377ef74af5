"""A real server for a test: `livecommerce serve` on free ports in a folder of its own, with logins."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 240.0
LOGIN_SECONDS_MAX = 300.0  # three interpreters start side by side, on a machine that others use too
STOP_SECONDS_MAX = 15.0
ROLES = ("owner", "host", "moderator")


class LiveServer:
    """`start()`, `stop()`, and what a test needs to know: addresses, logins, pids of the processes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = {
            "http.port": "0",
            "http.internal_port": "0",
            "media.host": "127.0.0.1",
            "media.port": "0",
            "media.external_addresses": "127.0.0.1",
            **{name.replace("__", "."): value for name, value in settings.items()},
        }
        self.passwords: dict[str, str] = {}
        self.address = ""
        self.internal_address = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._cookies: dict[str, str] = {}

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVECOMMERCE_")}
        stores = {
            f"LIVECOMMERCE_{name.replace('.', '_').upper()}": self.settings[name]
            for name in ("redis.url", "database.url")
            if name in self.settings
        }
        return {**kept, **stores, "LIVECOMMERCE_DATA_FOLDER": str(self.folder), "PYTHONUNBUFFERED": "1"}

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "livecommerce", *words]

    @property
    def log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def start(self) -> None:
        """Starts the server and waits until it is ready, then makes the logins that are not there yet."""
        flags = [word for name, value in self.settings.items() for word in ("--set", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("serve", *flags), env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        running = self._wait_for_running()
        self.address = f"http://127.0.0.1:{running['http_port']}"
        self.internal_address = f"http://127.0.0.1:{running['internal_port']}"
        # a restart finds the same ports free again: pages that are open come back
        self.settings |= {"http.port": str(running["http_port"]), "media.port": str(running["media_port"])}
        if not self.passwords:
            self._make_logins()

    def _wait_for_running(self) -> dict[str, Any]:
        assert self._process is not None
        limit = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < limit:
            assert self._process.poll() is None, f"the server ended: {self.log_end()}"
            try:
                said = dict(json.loads((self.folder / "running.json").read_text("utf-8")))
            except (OSError, json.JSONDecodeError):
                said = {}
            if said.get("pid") == self._process.pid:  # not what a killed server left behind
                return said
            time.sleep(0.1)
        raise AssertionError(f"the server was not ready: {self.log_end()}")

    def log_end(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def _make_logins(self) -> None:
        commands = []
        for role in ROLES:  # side by side: most of each is the start of an interpreter
            self.passwords[role] = secrets.token_urlsafe(16)
            action = ["reset", "owner"] if role == "owner" else ["add", role, "--role", role]
            command = subprocess.Popen(
                self._command("staff", *action, "--password-stdin"),
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            commands.append((command, self.passwords[role].encode()))
        for command, password in commands:
            _, complaint = command.communicate(password, timeout=LOGIN_SECONDS_MAX)
            assert command.returncode == 0, complaint.decode()

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    # What staff do by the API

    def request(self, method: str, path: str, body: Any = None, role: str = "host") -> dict[str, Any]:
        """One API call with the session of `role`; the JSON answer.

        Raises:
            urllib.error.HTTPError: with the server's answer.
        """
        try:
            return self._request(method, path, body, role)
        except urllib.error.HTTPError as error:
            if error.code != 401 or role not in self._cookies:
                raise
            # Pages of other tests have logged in as often as a person may: the oldest session, ours, has gone.
            del self._cookies[role]
            return self._request(method, path, body, role)

    def _request(self, method: str, path: str, body: Any, role: str) -> dict[str, Any]:
        request = urllib.request.Request(
            self.address + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json", "Origin": self.address, "Cookie": self._cookie(role)},
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
        return dict(json.loads(text)) if text else {}

    def _cookie(self, role: str) -> str:
        if role not in self._cookies:
            request = urllib.request.Request(
                f"{self.address}/api/login",
                data=json.dumps({"login": role, "password": self.passwords[role]}).encode(),
                headers={"Content-Type": "application/json", "Origin": self.address},
            )
            with urllib.request.urlopen(request, timeout=15) as answer:
                cookies = answer.headers.get_all("Set-Cookie") or []
            self._cookies[role] = "; ".join(cookie.split(";")[0] for cookie in cookies)
        return self._cookies[role]

    def command(self, show: str, do: str, role: str = "host", **fields: Any) -> dict[str, Any]:
        body = {"id": str(uuid.uuid4()), "do": do, **fields}
        return self.request("POST", f"/api/shows/{show}/commands", body, role)

    def make_show(self, show: str, items: list[dict[str, Any]], **fields: Any) -> None:
        """A show with `items` of {"code", "names", "price_minor", "supply", "options"?, "limit_per_viewer"?}."""
        for item in items:
            product = {key: value for key, value in item.items() if key != "supply"}
            try:
                self.request("POST", "/api/products", product)
            except urllib.error.HTTPError as error:
                if error.code != 409:
                    raise
        body = {
            "id": show,
            "title": "測試場",
            "items": [{"code": item["code"], "supply": item["supply"]} for item in items],
            "limits": {"per_item": 0, "newcomers_percent": 100},  # all who buy here are this machine
            **fields,
        }
        self.request("POST", "/api/shows", body)


@contextlib.contextmanager
def on_air(live: LiveServer, show: str) -> Iterator[LiveServer]:
    """The server with a show on air that sells five of A01."""
    live.start()
    try:
        live.make_show(show, [{"code": "A01", "names": ["帆布包"], "price_minor": 390, "supply": {"A01": 5}}])
        live.command(show, "start")
        yield live
    finally:
        live.stop()
