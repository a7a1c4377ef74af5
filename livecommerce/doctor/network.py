"""`doctor` looks at the network: ports, addresses, UDP, segmentation offload, STUN, the public address."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import os
import secrets
import socket
import struct
import sys
import urllib.error
import urllib.request
from collections.abc import Container, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from livecommerce.configuration.own_ports import own_ports
from livecommerce.configuration.problems import open_internal_ports
from livecommerce.configuration.tree import Settings
from livecommerce.ops import folder as folders
from livecommerce.ops import ports
from livecommerce.ops.descriptors import SCARCE_SHARE, count_of
from livecommerce.ops.findings import Finding, fail, ok, warn
from livecommerce.settings import environment_name

ANSWER_SECONDS_MAX = 1.0  # loopback takes microseconds, a STUN server across the world 0.3 s
SOL_UDP = 17
UDP_SEGMENT = 103  # linux/udp.h
STUN_MAGIC = 0x2112A442  # RFC 8489 section 5
STUN_TRIES = 3  # datagrams get lost; RFC 8489 section 6.2.1 retransmits too
ALL_ROLES = ("web", "relay", "worker")
STUN_SERVERS_MAX = 4  # of the configured list; one good answer tells enough


def listening_ports(settings: Settings) -> Iterator[Finding]:
    """Free now, or held by our own running server."""
    owner = folders.held(Path(settings.data_folder).expanduser())
    if owner is not None:
        yield ok("ports", f"a server (pid {owner}) is running on this data folder and holds its ports")
        return
    for host, port, kind, setting in own_ports(settings):
        word = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        error = ports.problem(host, port, kind)
        if error is None:
            yield ok("ports", f"{word} {host}:{port} is free ({setting})")
        else:
            advice = f"Set {environment_name(setting)} to another, or end the program that has it."
            if error.errno == errno.EADDRNOTAVAIL:
                advice = f"{host} is no address of this machine: correct the host beside {environment_name(setting)}."
            yield fail("ports", f"{word} {host}:{port} cannot be used: {error.strerror}", advice)


def internal_host(settings: Settings) -> Iterator[Finding]:
    """Health and metrics, which say who and how many; never for the public."""
    found = open_internal_ports(settings)
    if found:
        yield warn("internal ports", found, f"{environment_name('http.internal_host')}=127.0.0.1 is for this machine.")


def interface_addresses() -> list[str]:
    """The IPv4 and IPv6 addresses of this machine, without loopback and link-local."""
    import ifaddr

    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text.partition("%")[0])
            if not address.is_loopback and not address.is_link_local:
                found.append(str(address))
    return found


def _is_public(text: str) -> bool:
    return ipaddress.ip_address(text).is_global


def external_address(settings: Settings) -> Iterator[Finding]:
    """The addresses viewers are told to send video to and from."""
    name = environment_name("media.external_addresses")
    configured = settings.media.external_addresses
    mine = interface_addresses()
    wrong = [text for text in configured if not _parses(text)]
    if wrong:
        yield fail(
            "external address", f"{', '.join(wrong)}: not an IP address", f"Set {name} to IP addresses, not names."
        )
        return
    if not configured:
        public = [text for text in mine if _is_public(text)]
        if public:
            yield ok("external address", f"public on this machine: {', '.join(public)}")
        else:
            yield warn(
                "external address",
                f"only private addresses here ({', '.join(mine) or 'none'})",
                f"Viewers on the internet get no video. Set {name} to the address they reach this machine by.",
            )
        return
    for text in configured:
        if ipaddress.ip_address(text).is_loopback:
            found = f"{text} is this machine itself: viewers elsewhere get no video"
            yield warn("external address", found, f"Set {name} to the address they reach this machine by.")
        elif text in mine:
            yield ok("external address", f"{text} is on this machine")
        elif _is_public(text):
            last = settings.media.port + settings.media.relays - 1
            yield ok("external address", f"{text}, forwarded to this machine: UDP+TCP {settings.media.port}–{last}")
        else:
            yield warn("external address", f"{text} is private and not on this machine", f"Is {name} right?")


def _parses(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def udp_round_trip(settings: Settings) -> Iterator[Finding]:
    """A datagram to each of our addresses and back, on a free port of the address the relay binds."""
    targets = [*(settings.media.external_addresses or interface_addresses()), "127.0.0.1"]
    good: list[str] = []
    for target in targets:
        if not _parses(target):
            continue
        error = _udp_to(settings.media.host, target)
        if error is None:
            good.append(target)
        elif _is_public(target) and target not in interface_addresses():
            yield warn(
                "udp",
                f"no datagram came back by {target} ({error})",
                "Many routers do not turn traffic to their own address round; try a viewer outside. Is the port open?",
            )
        elif settings.media.host in ("0.0.0.0", "::", target):
            yield fail("udp", f"no datagram came back by {target} ({error})", "A firewall on this machine drops UDP.")
    if good:
        yield ok("udp", f"datagrams come back by {', '.join(good)}")


def _udp_to(bind_host: str, target: str) -> str | None:
    six = ":" in target
    if six and bind_host == "0.0.0.0":
        bind_host = "::"
    family = socket.AF_INET6 if six else socket.AF_INET
    word = secrets.token_bytes(8)
    try:
        with (
            contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as receiver,
            contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as sender,
        ):
            receiver.bind((bind_host, 0))
            receiver.settimeout(ANSWER_SECONDS_MAX)
            sender.sendto(word, (target, receiver.getsockname()[1]))
            got, _ = receiver.recvfrom(64)
    except OSError as error:
        return str(error)
    return None if got == word else "something else arrived"


def segmentation() -> Iterator[Finding]:
    """UDP_SEGMENT (GSO): one system call for all packets of a frame; the relay's send cost falls to a third."""
    if sys.platform != "linux":
        yield warn("udp gso", "only Linux has it", "Works without; expect a third of the viewers per core.")
        return
    try:
        arrived = _send_segmented()
    except OSError as error:
        yield warn("udp gso", f"not available: {error.strerror}", "Works without; kernel 4.18 or newer has it.")
        return
    if arrived == [1200, 1200, 700]:
        yield ok("udp gso", "UDP_SEGMENT works: three datagrams in one call")
    else:
        yield warn("udp gso", f"sent 1200+1200+700, got {arrived}", "The relay falls back to one call a packet.")


def _send_segmented() -> list[int]:
    with (
        contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as receiver,
        contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(ANSWER_SECONDS_MAX)
        sender.sendmsg([b"x" * 3100], [(SOL_UDP, UDP_SEGMENT, struct.pack("H", 1200))], 0, receiver.getsockname())
        arrived: list[int] = []
        with contextlib.suppress(TimeoutError):
            while len(arrived) < 3:
                arrived.append(len(receiver.recv(4096)))
        return arrived


def stun_mapped_address(host: str, port: int) -> str | None:
    """The address a STUN server sees us by (RFC 8489: Binding, XOR-MAPPED-ADDRESS); None without an answer."""
    transaction = os.urandom(12)
    request = struct.pack("!HHI", 0x0001, 0, STUN_MAGIC) + transaction
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asker:
        asker.settimeout(ANSWER_SECONDS_MAX)
        for _ in range(STUN_TRIES):
            try:
                asker.sendto(request, (host, port))
                answer = asker.recv(2048)
            except OSError:
                continue
            if len(answer) >= 20 and answer[:2] == b"\x01\x01" and answer[8:20] == transaction:
                return _xor_mapped(answer)
    return None


def _xor_mapped(answer: bytes) -> str | None:
    place = 20
    while place + 4 <= len(answer):
        kind, length = struct.unpack_from("!HH", answer, place)
        value = answer[place + 4 : place + 4 + length]
        if kind == 0x0020 and length >= 8 and value[1] == 1:
            number = struct.unpack("!I", value[4:8])[0] ^ STUN_MAGIC
            return str(ipaddress.IPv4Address(number))
        place += 4 + (length + 3) // 4 * 4
    return None


def stun(settings: Settings) -> Iterator[Finding]:
    """Asks the configured STUN servers how the world sees us."""
    urls: list[str] = []
    for server in settings.media.ice_servers:
        given = server.get("urls", [])
        urls += [given] if isinstance(given, str) else list(given)
    servers = [url for url in urls if url.startswith("stun:")][:STUN_SERVERS_MAX]
    for url in servers:
        host, _, port = url.removeprefix("stun:").partition(":")
        mapped = stun_mapped_address(host, int(port or 3478))
        if mapped is None:
            yield warn("stun", f"{url} does not answer", "Pages wait for it in vain; remove it or open UDP outwards.")
        elif mapped in settings.media.external_addresses or mapped in interface_addresses():
            yield ok("stun", f"{url} sees us as {mapped}, as configured")
        else:
            advice = f"Set {environment_name('media.external_addresses')}={mapped}, if that is where viewers reach us."
            yield warn("stun", f"{url} sees us as {mapped}, which is not configured", advice)
    turn = [url for url in urls if url.startswith(("turn:", "turns:"))]
    if turn and not settings.media.turn_secret and not any("credential" in one for one in settings.media.ice_servers):
        advice = f"Set {environment_name('media.turn_secret')} to coturn's static-auth-secret."
        yield fail("turn", f"{turn[0]} has neither a credential nor a shared secret", advice)


def public_url(settings: Settings) -> Iterator[Finding]:
    url = settings.http.public_url
    name = environment_name("http.public_url")
    if not url:
        if settings.http.host in ("127.0.0.1", "::1", "localhost"):
            advice = f"Fine for trying. For others: a TLS proxy in front, and {name}=https://…"
            yield warn("public address", f"only this machine reaches {settings.http.host}", advice)
        else:
            advice = f"Cameras open on https:// pages only. Put a TLS proxy in front and set {name}=https://…"
            yield warn("public address", f"plain HTTP on {settings.http.host}", advice)
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield fail("public address", f"{url} is no http(s) address", f"Set {name} like https://live.example.com.")
    elif parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield fail("public address", f"{url} is not https", "Browsers give camera and microphone to https:// only.")
    else:
        yield ok("public address", url)


def processes(settings: Settings, roles: Container[str] = ALL_ROLES) -> Iterator[Finding]:
    """Asks /health/ready of every process of this machine with one of `roles` that listens on its internal port."""
    running = folders.read_running(Path(settings.data_folder).expanduser())
    base = running.internal_port if running is not None else settings.http.internal_port
    if base <= 0:
        yield warn("health", "the internal port is switched off", f"Set {environment_name('http.internal_port')}.")
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.http.internal_host, settings.http.internal_host)
    webs = range(running.web_processes if running else settings.web_processes)
    relays = range(running.relays if running else settings.media.relays)
    places = [
        *((f"web-{index}", base + index) for index in webs),
        *((f"relay-{index}", base + ports.RELAY_OFFSET + index) for index in relays),
        ("worker", base + ports.WORKER_OFFSET),
    ]
    seen, instance = 0, folders.instance_of(settings.data_folder)
    for name, port in places:
        if name.partition("-")[0] not in roles:
            continue
        status, body = _ask(f"http://{host}:{port}/health/ready")
        if status is None:
            if running is not None:
                yield from _silent(name, port, running.pid)
            continue
        stranger = _stranger(body, instance)
        if stranger:
            yield fail("health", f"port {port} (wanted for {name}): {stranger}", "Start ours; see http.internal_port.")
            continue
        seen += 1
        degraded = json.loads(body).get("degraded")
        if status == 200 and degraded:
            advice = "The rest goes on; the reason is in the log, docs/operations.md says what to do."
            yield warn("health", f"{name} is ready without: {degraded}", advice)
        elif status == 200:
            yield ok("health", f"{name} is ready")
        else:
            yield fail("health", f"{name} is not ready: {body[:200]}", "The reason is in its answer and in the log.")
    if not seen and running is None:
        yield fail("health", "no process answers here", "Start one: `livecommerce serve`.")


def _stranger(body: str, instance: str) -> str:
    """Why the answer is not that of a process of this data folder; empty where it is."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.get("server") != "livecommerce":
        return "another program answers there"
    if said.get("instance") != instance:
        return "a livecommerce of another data folder answers there"
    return ""


def _silent(name: str, port: int, supervisor: int) -> Iterator[Finding]:
    """A process of a running server that does not answer: full of open files, hanging, or gone."""
    for process, opened, limit in open_files(supervisor):
        if process == name and opened >= limit * SCARCE_SHARE:
            advice = "It can take no more connections. Raise LimitNOFILE (ulimit -n) and restart the server."
            yield fail("health", f"{name} does not answer: {opened} of {limit} open files are in use", advice)
            return
    yield fail("health", f"{name} does not answer on port {port}", "It hangs or is restarted; see the log for why.")


def open_files(supervisor: int) -> Iterator[tuple[str, int, int]]:
    """(process, open files, limit) of the children of a running server, where /proc tells."""
    for children in Path(f"/proc/{supervisor}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for pid in children.read_text("ascii").split():
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                counted = count_of(pid)
                role = next((word for word in words if word in ALL_ROLES), "")
                if counted is None or not role:
                    continue
                index = words[words.index("--index") + 1] if "--index" in words else ""
                yield (f"{role}-{index}" if index else role), *counted


def _ask(url: str) -> tuple[int | None, str]:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return int(answer.status), answer.read(2000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(2000).decode("utf-8", "replace")
    except OSError:
        return None, ""
