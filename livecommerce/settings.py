"""One frozen tree of settings: defaults, then a TOML file, then LIVECOMMERCE_* variables, then flags.

Every field has its meaning beside it (`describe()` prints them for the README). Unknown names and wrong values are
refused with their path. Environment names join the path by `_`: `http.port` is LIVECOMMERCE_HTTP_PORT;
`redis.url` is LIVECOMMERCE_REDIS_URL; `database.url` is LIVECOMMERCE_DATABASE_URL.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

PREFIX = "LIVECOMMERCE_"

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
SECONDS_OF_30_DAYS = 2_592_000
LOCALES = ("zh-TW", "en")  # of the pages


class Http(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(description="Address the web role listens on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="TCP port of pages, API and sockets.")] = 8080
    public_url: Annotated[
        str, Meta(description="Address people use, e.g. https://live.example.com; empty: from the request.")
    ] = ""
    internal_port: Annotated[
        int,
        Meta(
            ge=-1,
            le=65535,
            description="Port of /health and /metrics: web n +n, relay n +100+n, worker +200; -1: none.",
        ),
    ] = 8081
    internal_host: Annotated[
        str, Meta(description="Address of the internal ports; never one that the public reaches.")
    ] = "127.0.0.1"
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="Addresses whose X-Forwarded-For and -Proto are believed.")
    ] = ("127.0.0.1", "::1")


class Redis(Struct, frozen=True, forbid_unknown_fields=True):
    url: Annotated[
        str, Meta(description="redis:// or unix:// of Valkey/Redis >= 7.0, or any node of a cluster; empty: embedded.")
    ] = ""
    accept_loss: Annotated[
        str,
        Meta(
            description="What that server may forget of what buyers were told: none (AOF, fsync always), second "
            "(everysec), all (no AOF)."
        ),
    ] = "none"


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    url: Annotated[str, Meta(description="postgresql://user:password@host/name; empty: SQLite in the data folder.")] = (
        ""
    )


class Media(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(description="Address the relay binds its UDP (and TCP) port to.")] = "0.0.0.0"
    port: Annotated[Port, Meta(description="UDP port (and same TCP port) of the first relay; the next takes +1.")] = (
        8189
    )
    external_addresses: Annotated[
        tuple[str, ...], Meta(description="IP addresses viewers reach the relay by; empty: those of this machine.")
    ] = ()
    relays: Annotated[Count, Meta(le=100, description="Relay processes on this machine, one a core.")] = 1
    control_url: Annotated[
        str, Meta(description="Only for relays on other nodes: where web reaches this one, http://10.0.0.5:8188.")
    ] = ""
    bitrate_max_kbps: Annotated[Count, Meta(description="What the host is asked to stay under.")] = 2500
    simulcast: Annotated[
        bool,
        Meta(description="The studio also sends the picture at a half and a quarter of its size."),
    ] = True
    ice_servers: Annotated[
        tuple[dict[str, Any], ...], Meta(description="STUN/TURN servers handed to pages (RTCIceServer objects).")
    ] = ()
    turn_secret: Annotated[str, Meta(description="Shared secret for time-limited TURN credentials (coturn).")] = ""
    compiled_sending: Annotated[bool, Meta(description="Send by the compiled core where it was built.")] = True
    recording: Annotated[bool, Meta(description="Record every show as fragmented MP4 in the data folder.")] = False


class Stock(Struct, frozen=True, forbid_unknown_fields=True):
    hold_seconds: Annotated[
        Count, Meta(le=2_592_000, description="How long a reservation is held before it must be paid.")
    ] = 900
    offer_seconds: Annotated[
        Count, Meta(le=2_592_000, description="How long a waitlist offer waits for an answer.")
    ] = 300
    batch_max: Annotated[Count, Meta(le=1000, description="Operations in one FCALL at most.")] = 256
    replicas_wait: Annotated[
        int, Meta(ge=0, le=8, description="Replicas that must have a reservation before it is acknowledged; 0: none.")
    ] = 0
    queue_length_max: Annotated[
        Count, Meta(le=10_000_000, description="Operations waiting per process before `busy`.")
    ] = 20_000


class Realtime(Struct, frozen=True, forbid_unknown_fields=True):
    viewers_max: Annotated[Count, Meta(le=1_000_000, description="Sockets on one web process.")] = 12_000
    tick_hz_max: Annotated[float, Meta(ge=2, le=20, description="Frames per second to viewers at low load.")] = 20.0
    comment_length_max: Annotated[Count, Meta(le=500, description="Characters in a comment.")] = 200
    comments_per_10_seconds: Annotated[Count, Meta(description="Comments one viewer may send in ten seconds.")] = 8


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    data_folder: Annotated[str, Meta(description="Where embedded Valkey, SQLite, secrets and recordings live.")] = (
        "data"
    )
    locale: Annotated[str, Meta(description="First language of the pages: zh-TW or en.")] = "zh-TW"
    currency: Annotated[
        str,
        Meta(description="ISO 4217, of the shop that the first start makes; later `livecommerce shop set --currency`."),
    ] = "TWD"
    web_processes: Annotated[Count, Meta(le=100, description="Web processes that share the HTTP port.")] = 1
    log_format: Annotated[str, Meta(description="console or json.")] = "console"
    log_level: Annotated[str, Meta(description="debug, info, warning or error.")] = "info"
    secret: Annotated[
        str, Meta(description="Signs viewer cookies and tokens; empty: made once in the data folder.")
    ] = ""
    http: Http = Http()
    redis: Redis = Redis()
    database: Database = Database()
    media: Media = Media()
    stock: Stock = Stock()
    realtime: Realtime = Realtime()


class SettingsError(ValueError):
    """A setting is unknown or out of range; the message names its path and what is allowed."""


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in extra.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value
    return base


def fields(kind: type[Struct] = Settings, path: str = "") -> Iterator[tuple[str, Any, Any, str]]:
    """Yields (dotted path, type, default, description) for every leaf of the tree."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        dotted = f"{path}{field.name}"
        if isinstance(hint, type) and issubclass(hint, Struct):
            yield from fields(hint, f"{dotted}.")
            continue
        metas = [meta for meta in get_args(hint)[1:] if isinstance(meta, Meta)]
        description = next((meta.description for meta in reversed(metas) if meta.description), "")
        yield dotted, hint, field.default, description


def environment_name(dotted: str) -> str:
    return PREFIX + dotted.replace(".", "_").upper()


def _list(name: str, text: str) -> Any:
    if not text.lstrip().startswith("["):
        return words_of(text)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{name}: not JSON: {error}") from error


def words_of(text: str) -> list[str]:
    """`"a, b,"` → `["a", "b"]`: people put a space behind a comma."""
    return [word for word in map(str.strip, text.split(",")) if word]


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    known = {environment_name(dotted): (dotted, default) for dotted, _, default, _ in fields()}
    found: dict[str, Any] = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise SettingsError(f"{name}: no such setting; known are {', '.join(sorted(known))}")
        dotted, default = known[name]
        value: Any = text
        if isinstance(default, tuple):  # a list: JSON, or words separated by commas
            value = _list(name, text)
        *parents, leaf = dotted.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return found


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Reads the tree: defaults < file < environment < flags.

    Raises:
        SettingsError: with the path of the setting and what is allowed.
    """
    tree: dict[str, Any] = {}
    if file is not None:
        try:
            _merge(tree, tomllib.loads(file.read_text("utf-8")))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file}: {error}") from error
    _merge(tree, _from_environment(os.environ if environment is None else environment))
    _merge(tree, flags or {})
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error


def as_environment(settings: Settings) -> dict[str, str]:
    """The LIVECOMMERCE_* variables that make `load` give the same tree in a child process."""
    found: dict[str, str] = {}
    for dotted, _, default, _ in fields():
        value: Any = settings
        for part in dotted.split("."):
            value = getattr(value, part)
        if value == default:
            continue
        found[environment_name(dotted)] = (
            msgspec.json.encode(value).decode()
            if isinstance(value, tuple)
            else ("true" if value else "false")
            if isinstance(value, bool)
            else str(value)
        )
    return found
