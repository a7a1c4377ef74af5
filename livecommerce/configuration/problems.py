"""What is wrong with a settings tree, by the name of the setting: the one validation of all commands.

The types have ruled out what is no number or out of range; here is what only the meaning of a setting tells. Pure: it
opens nothing. `connections.py` tries what only a connection can tell.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from livecommerce.accounts.secret import SECRET_LENGTH_MIN
from livecommerce.catalogue.currencies import CURRENCIES
from livecommerce.configuration.own_ports import own_ports
from livecommerce.configuration.tree import Settings
from livecommerce.media.control_address import control_address
from livecommerce.ops.logs import FORMATS, LEVELS
from livecommerce.ops.redaction import redact_url
from livecommerce.ops.store_promise import LOSSES
from livecommerce.orders.providers import providers_of
from livecommerce.orders.zones import export_zone
from livecommerce.settings import LOCALES, SettingsError

PORT_MAX = 65_535
ICE_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")


def problems(settings: Settings) -> list[str]:
    """One sentence a problem: the setting, what it is, what it may be. Empty when `serve` would take it."""
    return [
        *_words(settings),
        *_hosts(settings),
        *_addresses(settings),
        *_zone(settings),
        *_payments(settings),
        *_store(settings),
        *_database(settings),
        *_public_url(settings),
        *_control_url(settings),
        *_ice_servers(settings),
        *_ports(settings),
    ]


def refuse(settings: Settings) -> None:
    """
    Raises:
        SettingsError: with every problem, one a line.
    """
    found = problems(settings)
    if found:
        raise SettingsError("\n".join(found))


def open_internal_ports(settings: Settings) -> str:
    """What is allowed and still no good idea in the open: health and metrics say who and how many. Empty where only
    this machine can ask."""
    host = settings.http.internal_host
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if settings.http.internal_port < 0 or is_loopback:
        return ""
    return f"http.internal_host is {host}: health and metrics answer beyond this machine; close the ports to the public"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value not in allowed:
        yield f"{name} is {value!r}; allowed are {', '.join(allowed)}"


def _words(settings: Settings) -> Iterator[str]:
    yield from _one_of("log_format", settings.log_format, FORMATS)
    yield from _one_of("log_level", settings.log_level, LEVELS)
    yield from _one_of("locale", settings.locale, LOCALES)
    yield from _one_of("redis.accept_loss", settings.redis.accept_loss, LOSSES)
    if settings.currency not in CURRENCIES:
        yield f"currency is {settings.currency!r}; expected a code of ISO 4217 like TWD, USD or THB"
    if not settings.data_folder.strip() or "\0" in settings.data_folder:
        yield f"data_folder is {settings.data_folder!r}; expected the path of a folder"
    if settings.secret and len(settings.secret) < SECRET_LENGTH_MIN:
        yield f"secret has {len(settings.secret)} characters; at least {SECRET_LENGTH_MIN} are needed"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _hosts(settings: Settings) -> Iterator[str]:
    for name, host in (
        ("http.host", settings.http.host),
        ("http.internal_host", settings.http.internal_host),
        ("media.host", settings.media.host),
    ):
        if name == "media.host" and not _is_address(host):  # a relay tells viewers where it is, in numbers
            yield f"{name} is {host!r}; expected an IP address of this machine, or 0.0.0.0"
        elif not _is_address(host) and not _HOST.fullmatch(host):
            yield f"{name} is {host!r}; expected an IP address of this machine, or a name of it"


def _addresses(settings: Settings) -> Iterator[str]:
    for address in settings.media.external_addresses:
        if not _is_address(address):
            yield f"media.external_addresses has {address!r}; expected IP addresses separated by commas"
    for text in settings.http.trusted_proxies:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield f"http.trusted_proxies has {text!r}; expected IP addresses or networks like 10.0.0.0/8"


def _split(text: str) -> SplitResult | None:
    """None for what is no address at all: spaces, control characters, a port that is no number."""
    if re.search(r"[\s\x00-\x1f]", text):
        return None
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  it is parsed when asked for
    except ValueError:
        return None
    return parts


def _store(settings: Settings) -> Iterator[str]:
    url = settings.redis.url
    if unescaped := list(_unescaped("redis.url", url)):
        yield from unescaped
        return
    if not url:
        return
    if url.startswith("unix:///"):  # the path of a folder may have spaces
        return
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in ("redis", "rediss")
        or not parts.hostname
        or not re.fullmatch(r"/?\d*", parts.path)  # the number of a database
    ):
        yield f"redis.url is {redact_url(url)!r}; expected redis://host:6379/0, rediss://… or unix:///path"


def _zone(settings: Settings) -> Iterator[str]:
    try:
        export_zone(settings.orders.time_zone, settings.locale)
    except SettingsError as error:
        yield str(error)


def _payments(settings: Settings) -> Iterator[str]:
    try:
        providers_of(settings.orders.payments)
    except SettingsError as error:
        yield str(error)


def _unescaped(name: str, url: str) -> Iterator[str]:
    """A password with such a sign ends nobody knows where: a part of it would be taken for the host, and printed."""
    rest = url.partition("://")[2]
    before = rest.partition("?")[0]
    user = (before if "@" in before else rest).rpartition("@")[0]
    if not rest.startswith("/") and re.search(r"[@/#?\s]", user):  # `///` is the path of a file or socket
        yield (
            f"{name} is {redact_url(url)!r}: in a user or password write @ as %40, : as %3A, / as %2F, # as %23, "
            "? as %3F, % as %25 and a blank as %20"
        )


def _database(settings: Settings) -> Iterator[str]:
    url = settings.database.url
    if not url:
        return
    if unescaped := list(_unescaped("database.url", url)):
        yield from unescaped
        return
    # only where it is asked for: a relay starts without SQL's libraries
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from livecommerce.records.database import ENGINES, plain_url

    shown = redact_url(url)
    try:
        parsed = make_url(plain_url(url)) if _split(url) is not None else None
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None:
        yield f"database.url is {shown!r}; expected postgresql://user:password@host/name"
    elif parsed.drivername not in ENGINES:
        yield f"database.url is {shown!r}: {parsed.drivername} is not known; use postgresql:// or sqlite+aiosqlite://"
    elif not parsed.database:
        yield f"database.url is {shown!r}: the name of the database is missing, postgresql://user:password@host/name"


def _public_url(settings: Settings) -> Iterator[str]:
    url = settings.http.public_url
    if not url:
        return
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        yield f"http.public_url is {redact_url(url)!r}; expected https://live.example.com, with its scheme"


def _control_url(settings: Settings) -> Iterator[str]:
    try:
        control_address(settings.media, settings.secret)
    except SettingsError as error:
        yield str(error)


def _ice_servers(settings: Settings) -> Iterator[str]:
    for server in settings.media.ice_servers:
        urls: Any = server.get("urls")
        listed = [urls] if isinstance(urls, str) else urls
        if not isinstance(listed, list) or not listed:
            yield f"media.ice_servers has {server!r}; expected objects with `urls`"
            continue
        for url in listed:
            if not isinstance(url, str) or not url.startswith(ICE_SCHEMES) or _split(url) is None:
                yield f"media.ice_servers has {url!r}; expected addresses that start with {', '.join(ICE_SCHEMES)}"


def _overlap(one: str, other: str) -> bool:
    """Whether two addresses to bind may meet: the same, or one of them is every address."""
    everything = ("0.0.0.0", "::", "")
    return one == other or one in everything or other in everything


def _ports(settings: Settings) -> Iterator[str]:
    seen: list[tuple[str, int, socket.SocketKind, str]] = []
    for host, port, kind, name in own_ports(settings):
        if port > PORT_MAX:
            yield f"{name}: its last process would need port {port}, and {PORT_MAX} is the last there is"
        for other_host, other_port, other_kind, other_name in seen:
            if other_name != name and port == other_port and kind == other_kind and _overlap(host, other_host):
                word = "TCP" if kind == socket.SOCK_STREAM else "UDP"
                yield (
                    f"{name} and {other_name} both want {word} port {port}; change one of them "
                    "(http.internal_port takes a row: web +n, relay +100+n, worker +200)"
                )
        seen.append((host, port, kind, name))
