"""A headless Firefox for the tests, driven by WebDriver BiDi over its websocket: opens pages, runs scripts."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

START_SECONDS_MAX = 60.0
COMMAND_SECONDS_MAX = 60.0
# The browser answers with what a test asked for: figures and short texts.
ANSWER_BYTES_MAX = 16 * 1024 * 1024
PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    # Addresses of this machine as they are, loopback too: the relay stands there.
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.loopback": True,
    # H.264 by the system's libavcodec: Cisco's plugin would have to be downloaded by the browser first. Firefox takes
    # another codec than the plugin's only for hardware, so it is told that there is some (1: the feature is fine).
    "gfx.blacklist.webrtc.hw.acceleration.h264": 1,
    "media.webrtc.hw.h264.enabled": True,
    "media.webrtc.encoder_creation_strategy": 1,
    "media.ffmpeg.encoder.enabled": True,
    "media.navigator.mediadatadecoder_h264_enabled": True,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-gmpopenh264.autoupdate": False,
    # Nothing of its own goes out.
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9",
    "toolkit.telemetry.enabled": False,
}


def firefox_path() -> str:
    """The browser of the machine: FIREFOX, else one on PATH."""
    found = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    assert found, "no Firefox: install it (Debian: apt-get install firefox-esr libavcodec59) or set FIREFOX=/path"
    return found


class FirefoxPage:
    """One tab."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    async def goto(self, url: str) -> None:
        await self._browser.command(
            "browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"}
        )

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        """Calls a JavaScript function; its result, or what its promise gives, comes back through JSON.

        Raises:
            AssertionError: with the page's own words, where it throws.
        """
        text = f"async () => JSON.stringify((await ({function})(...{json.dumps(arguments)})) ?? null)"
        answer = await self._browser.command(
            "script.callFunction",
            {
                "functionDeclaration": text,
                "target": {"context": self._context},
                "awaitPromise": True,
                "userActivation": True,
            },
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    async def close(self) -> None:
        await self._browser.command("browsingContext.close", {"context": self._context})


class Firefox:
    """The browser's websocket: commands go one by one, each with its answer."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()

    async def command(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        async with self._turn, asyncio.timeout(COMMAND_SECONDS_MAX):
            number = next(self._numbers)
            await self._socket.send_json({"id": number, "method": method, "params": parameters})
            async for message in self._socket:
                answer = json.loads(message.data)
                if answer.get("id") != number:
                    continue  # an event of the browser
                assert answer["type"] == "success", f"{method}: {answer.get('error')}: {answer.get('message')}"
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError(f"Firefox closed the connection during {method}")

    async def new_page(self) -> FirefoxPage:
        made = await self.command("browsingContext.create", {"type": "tab"})
        return FirefoxPage(self, made["context"])


async def _address(process: asyncio.subprocess.Process) -> str:
    """Waits for the line in which Firefox says where it listens."""
    assert process.stderr is not None
    said = []
    async with asyncio.timeout(START_SECONDS_MAX):
        while line := await process.stderr.readline():
            text = line.decode("utf-8", "replace").strip()
            said.append(text)
            if "WebDriver BiDi listening on " in text:
                return text.rpartition(" ")[2]
    raise AssertionError(f"Firefox ended: {said[-10:]}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    with contextlib.suppress(ValueError):  # a line longer than the buffer: nobody reads it
        while await process.stderr.readline():
            continue


@contextlib.asynccontextmanager
async def firefox(**preferences: bool | int | str) -> AsyncIterator[Firefox]:
    """A browser with a profile of its own; ended by its process id."""
    with tempfile.TemporaryDirectory(prefix="firefox-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        chosen = {**PREFERENCES, **{name.replace("__", "."): value for name, value in preferences.items()}}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in chosen.items()]
        (Path(folder) / "user.js").write_text("\n".join(lines) + "\n", "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(firefox_path(), "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HOME": folder, "MOZ_HEADLESS": "1", "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
        )
        draining = None
        try:
            address = await _address(process)
            draining = asyncio.create_task(_drain(process))
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(f"{address}/session", max_msg_size=ANSWER_BYTES_MAX) as socket,
            ):
                browser = Firefox(socket)
                await browser.command("session.new", {"capabilities": {}})
                yield browser
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 10.0)
                except TimeoutError:
                    process.kill()
                    await process.wait()
            if draining is not None:
                await draining
