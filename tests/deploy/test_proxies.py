"""The sample files of deploy/, but for names, ports and certificate as they are: a shop behind nginx and Caddy."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.browser.live_server import LiveServer
from tests.faults.test_processes import SHOW, make_show, running
from tests.stock.cluster import free_ports
from tests.tidy.sources import ROOT

START_SECONDS_MAX = 20.0
KINDS = ("nginx", "caddy")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(Path(tmp_path_factory.mktemp("proxied")) / "data")
    server.start()
    make_show(server)
    yield server
    server.stop()


def certificate(folder: Path) -> None:
    """`certificate.pem` and `key.pem` for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def once(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def nginx(folder: Path, port: int, upstream: int, change: Callable[[str], str]) -> list[str]:
    [plain] = free_ports(1)
    site = once(
        (ROOT / "deploy/nginx/livecommerce.conf").read_text("utf-8"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("live.example.com;", "localhost;"),
        ("127.0.0.1:8080", f"127.0.0.1:{upstream}"),
        ("/etc/letsencrypt/live/live.example.com/fullchain.pem", str(folder / "certificate.pem")),
        ("/etc/letsencrypt/live/live.example.com/privkey.pem", str(folder / "key.pem")),
    )
    (folder / "site.conf").write_text(change(site))
    temporary = "\n".join(
        f"  {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""  # its workers must reach the test's folder
    main.write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\n  access_log off;\n{temporary}\n  include {folder}/site.conf;\n}}\n"
    )
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(main), "-p", str(folder), "-e", f"{folder}/error.log"]


def caddy(folder: Path, port: int, upstream: int, change: Callable[[str], str]) -> list[str]:
    own = f"https://localhost:{port} {{\n\ttls {folder}/certificate.pem {folder}/key.pem"
    site = once(
        (ROOT / "deploy/caddy/Caddyfile").read_text("utf-8"),
        ("live.example.com {", own),
        ("127.0.0.1:8080", f"127.0.0.1:{upstream}"),
    )
    options = f"{{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system {folder}/storage\n}}\n"
    (folder / "Caddyfile").write_text(options + change(site))
    return [shutil.which("caddy") or "caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


class Proxy:
    def __init__(self, kind: str, folder: Path, upstream: int, change: Callable[[str], str] = str) -> None:
        folder.mkdir()
        certificate(folder)
        [port] = free_ports(1)
        command = {"nginx": nginx, "caddy": caddy}[kind](folder, port, upstream, change)
        self.address = f"https://localhost:{port}"
        self.log = folder / "output.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
        limit = time.monotonic() + START_SECONDS_MAX
        while not self._answers(port):
            assert self._process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < limit, self.log.read_text("utf-8")
            time.sleep(0.1)

    def _answers(self, port: int) -> bool:
        import socket

        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="module", params=KINDS)
def proxy(
    request: pytest.FixtureRequest, live: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = Path(tmp_path_factory.mktemp(request.param)) / "proxy"
    made = Proxy(request.param, folder, running(live)["http_port"])
    yield made
    made.stop()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trusting()), cookie_jar=aiohttp.CookieJar(unsafe=True)
    )


async def login(session: aiohttp.ClientSession, proxy: Proxy, live: LiveServer) -> tuple[int, Any]:
    body = {"login": "host", "password": live.passwords["host"]}
    headers = {"Origin": proxy.address}
    async with session.post(f"{proxy.address}/api/login", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_pages_know_that_they_are_https_and_sockets_pass(proxy: Proxy) -> None:
    async with browser() as session:
        async with session.get(f"{proxy.address}/live/{SHOW}") as page:
            assert page.status == 200
            assert "Strict-Transport-Security" in page.headers
            assert "Secure" in page.headers["Set-Cookie"]
        client = socketio.AsyncClient(serializer="msgpack", http_session=session, ssl_verify=False, reconnection=False)
        await client.connect(
            proxy.address, transports=["websocket"], auth={"show": SHOW, "as": "viewer", "name": "安娜"},
            headers={"Origin": proxy.address},
        )  # fmt: skip
        said = await client.call("comment", {"id": f"comment-{time.time_ns()}", "text": "A01+1"}, timeout=10)
        assert said["ok"], said
        await client.disconnect()


async def test_our_own_numbered_answers_are_seen(proxy: Proxy, live: LiveServer) -> None:
    async with browser() as session:
        assert (await login(session, proxy, live))[0] == 200
        headers = {"Origin": proxy.address, "Content-Type": "image/png"}
        # 1.5 MB, which nginx's own limit would refuse with a page; and more than ours
        for size, statuses in ((1_500_000, (200, 201, 400, 415, 422)), (30_000_000, (413,))):
            body = b"\x89PNG\r\n\x1a\n" + bytes(size)
            async with session.post(f"{proxy.address}/api/pictures", data=body, headers=headers) as answer:
                said = await answer.json()
                assert answer.status in statuses, said
                assert answer.status < 300 or said["error"]["number"] >= 1000


async def test_the_doors_of_video_pass(proxy: Proxy) -> None:
    async with browser() as session:
        async with session.options(f"{proxy.address}/whep/{SHOW}") as answer:
            assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
        for method, path in (
            ("POST", f"/whip/{SHOW}"),
            ("POST", f"/whep/{SHOW}"),
            ("PATCH", f"/whep/{SHOW}/session-0001"),
            ("DELETE", f"/whep/{SHOW}/session-0001"),
            ("GET", f"/live/{SHOW}/hls/index.m3u8"),
        ):
            async with session.request(method, proxy.address + path, data=b"" if method != "GET" else None) as answer:
                said = json.loads(await answer.text())
                assert said["error"]["number"] >= 1000, (method, path)


async def test_a_proxy_that_changes_host_is_named_in_the_log(live: LiveServer, tmp_path: Path) -> None:
    broken = Proxy(
        "nginx", tmp_path / "broken", running(live)["http_port"],
        lambda site: once(site, ("proxy_set_header Host $http_host;", "")),
    )  # fmt: skip
    try:
        async with browser() as session:
            status, said = await login(session, broken, live)
            assert status == 403, said
    finally:
        broken.stop()
    assert "proxy_set_header Host" in live.log.read_text("utf-8")
