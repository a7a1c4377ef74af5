"""One frozen tree of settings: defaults, then a TOML file, then LIVECOMMERCE_* variables, then flags.

The rooms' leaves are added up here. Every field has its meaning beside it (`livecommerce settings` prints them).
Unknown names and wrong values are refused with their path.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from livecommerce.http.settings import Http
from livecommerce.media.settings import Media
from livecommerce.ops.settings import Redis
from livecommerce.orders.settings import Orders
from livecommerce.realtime.settings import Realtime
from livecommerce.records.settings import Database
from livecommerce.settings import PREFIX, Count, SettingsError, environment_name, words_of
from livecommerce.stock.settings import Stock


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
    orders: Orders = Orders()


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


def _list(name: str, text: str) -> Any:
    if not text.lstrip().startswith("["):
        return words_of(text)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{name}: not JSON: {error}") from error


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
