"""Logging of a process: structlog and the standard library through one chain, one line an entry, to standard error.

`console` is for people, `json` for collectors. Every line carries the time (UTC), level, logger, process name and what
`structlog.contextvars` holds (show, viewer handle). Redaction is the last step before rendering, so that entries of
libraries and tracebacks pass it too.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from livecommerce.ops.redaction import redact_entry
from livecommerce.settings import SettingsError

FORMATS = ("console", "json")
LEVELS = ("debug", "info", "warning", "error")

# Libraries that say at INFO what is only of use when they are the suspect.
_QUIET = ("aioice", "aiortc", "asyncio", "engineio", "socketio", "sqlalchemy", "aiosqlite", "alembic", "PIL")


class ProcessName:
    """Adds the name of this process (`web-0`) to every entry."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, _logger: object, _method: str, entry: EventDict) -> EventDict:
        entry.setdefault("process", self._name)
        return entry


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_OF_SEVERAL_LINES = ("exception", "stack")  # ours, so that line feeds and tabs in them are lines and tabs


def _escaped(text: str, kept: str = "") -> str:
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] in kept else ascii(found[0])[1:-1], text)


def escape_entry(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Escapes what would move a terminal's cursor, colour it, start a line or turn the direction of what follows.

    Names and paths come from strangers; also those in entries of libraries. What is no text is written by its `repr`,
    which escapes by itself.
    """
    escaped: EventDict = {}
    for name, value in entry.items():
        kept = "\n\t" if name in _OF_SEVERAL_LINES else ""
        escaped[_escaped(name)] = _escaped(value, kept) if isinstance(value, str) else value
    return escaped


class EscapedJson:
    """JSON in readable letters; what a terminal would obey is written as JSON's own escapes, so that it reads back."""

    def __init__(self) -> None:
        self._render = structlog.processors.JSONRenderer(ensure_ascii=False)

    def __call__(self, logger: object, method: str, entry: EventDict) -> str:
        line = str(self._render(cast("Any", logger), method, entry))
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def _shared(process_name: str) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        ProcessName(process_name),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _renderer(log_format: str, stream: TextIO) -> Processor:
    if log_format == "json":
        return EscapedJson()
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=32)


def configure(process_name: str, log_format: str, log_level: str, stream: TextIO | None = None) -> None:
    """Sets up logging of this process; a second call replaces the first.

    Raises:
        SettingsError: `log_format` or `log_level` is none of those allowed.
    """
    if log_format not in FORMATS:
        raise SettingsError(f"log_format is {log_format!r}; allowed are {', '.join(FORMATS)}")
    if log_level not in LEVELS:
        raise SettingsError(f"log_level is {log_level!r}; allowed are {', '.join(LEVELS)}")
    out = stream or sys.stderr
    level = logging.getLevelNamesMapping()[log_level.upper()]
    shared = _shared(process_name)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact_entry,
            *([escape_entry] if log_format == "console" else []),
            _renderer(log_format, out),
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def logger(name: str) -> Any:
    """A bound logger; `log.info("process died", process="web-0", pid=1)`."""
    return structlog.stdlib.get_logger(name)
