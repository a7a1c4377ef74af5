"""The command line: a table of commands, each imported only when it is asked for.

An entry names `module:function`. `function(arguments) -> int` runs it and returns the exit code;
`function_arguments(parser)` beside it, where present, adds its flags. Commands whose settings matter also take
`--config FILE` and `--set http.port=9000`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from livecommerce import __version__
from livecommerce.configuration.flags import add_settings_flags
from livecommerce.errors import LiveCommerceError, Unavailable
from livecommerce.settings import SettingsError

EXIT_USAGE = 2
EXIT_CONFIGURATION = 78  # sysexits.h EX_CONFIG: a supervisor need not try again


class Command(NamedTuple):
    target: str  # module:function
    help: str
    takes_settings: bool = True


_REFERENCE = "livecommerce.configuration.reference"

COMMANDS: dict[str, Command] = {
    "serve": Command("livecommerce.app:serve", "start everything and keep it running"),
    "web": Command("livecommerce.app:web", "one web process alone: pages, API, sockets"),
    "relay": Command("livecommerce.app:relay", "one media relay alone"),
    "worker": Command("livecommerce.app:worker", "the worker alone: ledger to orders, expiry"),
    "demo": Command("livecommerce.demo.command:demo", "a running show with a synthetic host and buyers"),
    "doctor": Command("livecommerce.doctor.command:doctor", "what is missing on this machine, and what to do about it"),
    "stock": Command("livecommerce.stock_command:stock", "compare stock with its ledger, or rebuild it from there"),
    "staff": Command("livecommerce.staff:staff", "staff logins: add, reset, list"),
    "settings": Command(
        "livecommerce.configuration.reference:settings_table", "print the table of all settings", False
    ),
    "errors": Command(
        "livecommerce.configuration.reference:errors_table", "print the table of all numbered errors", False
    ),
    "check-config": Command(
        "livecommerce.configuration.reference:check_config", "check the settings and say where each is from"
    ),
    "shop": Command("livecommerce.shop_command:shop", "the shop's name, currency and language"),
    "backup": Command("livecommerce.backup.command:backup", "write everything of the shop into a new folder"),
    "restore": Command("livecommerce.backup.command:restore", "make the shop of a backup, where nothing is yet"),
    "move-database": Command(
        "livecommerce.backup.command:move_database", "copy the database into another, e.g. SQLite to PostgreSQL"
    ),
    "parse": Command("livecommerce.comments.command:parse", "say what a comment means", False),
}


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: livecommerce COMMAND [flags]      livecommerce COMMAND --help",
            "",
            "A live-shopping server.",
            "",
            *lines,
        ]
    )


def _parser(name: str, command: Command) -> tuple[argparse.ArgumentParser, Callable[[argparse.Namespace], int]]:
    module_name, _, function_name = command.target.partition(":")
    module = importlib.import_module(module_name)
    function: Callable[[argparse.Namespace], int] = getattr(module, function_name)
    parser = argparse.ArgumentParser(prog=f"livecommerce {name}", description=function.__doc__)
    if command.takes_settings:
        add_settings_flags(parser)
    add: Callable[[argparse.ArgumentParser], None] | None = getattr(module, f"{function_name}_arguments", None)
    if add is not None:
        add(parser)
    return parser, function


def _settings_first(words: Sequence[str]) -> list[str]:
    """`--set` and `--config` are taken wherever they stand: before an action (`staff list`) and after it."""
    flags: list[str] = []
    others: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        takes = 2 if word in ("--set", "--config") and place + 1 < len(words) else 1
        kept = flags if takes == 2 or word.startswith(("--set=", "--config=")) else others
        kept += words[place : place + takes]
        place += takes
    return [*flags, *others]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 good, 1 fault, 2 usage, 78 settings refused."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if words else EXIT_USAGE
    if words[0] in ("-V", "--version", "version"):
        print(f"livecommerce {__version__}")
        return 0
    command = COMMANDS.get(words[0])
    if command is None:
        print(f"livecommerce: no command {words[0]!r}\n\n{_overview()}", file=sys.stderr)
        return EXIT_USAGE
    parser, function = _parser(words[0], command)
    rest = _settings_first(words[1:]) if command.takes_settings else words[1:]
    try:
        return function(parser.parse_args(rest))
    except SettingsError as error:
        print(f"livecommerce: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except LiveCommerceError as error:
        print(f"livecommerce: error {error.number} ({error.code}): {error.for_operators}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `livecommerce settings | head`
        sys.stderr.close()
        return 0
    except Exception as error:
        told = _of_a_store(error)
        if told is None:
            raise
        print(f"livecommerce: {told}", file=sys.stderr)
        return 1


def _of_a_store(error: Exception) -> str | None:
    """One line about a store that is away or refuses us; None for what nobody foresaw, which keeps its traceback."""
    from redis.exceptions import RedisError  # only here: most commands need none of it

    from livecommerce.ops.redaction import redact_text
    from livecommerce.stock.connection import ConnectionLost
    from livecommerce.stock.engine import StockUnavailable

    if not isinstance(error, RedisError | ConnectionLost | StockUnavailable):
        return None
    words = redact_text(str(error) or type(error).__name__)
    return (
        f"error {Unavailable.number} ({Unavailable.code}): Valkey/Redis does not answer: {words}. Start it, or correct "
        "LIVECOMMERCE_REDIS_URL"
    )
