"""The composition root: `serve` and the roles it starts.

    serve ── valkey (embedded) · relay 0…n · worker · web 0…n      livecommerce/roles/ says what each is made of

A role's module is imported only in the process that plays it, so that each starts fast and carries only its own rooms.
"""

from __future__ import annotations

import argparse

import msgspec

from livecommerce.configuration.flags import settings_from
from livecommerce.configuration.tree import Settings
from livecommerce.ops import logs
from livecommerce.roles import serving
from livecommerce.roles.process import run


def serve(arguments: argparse.Namespace) -> int:
    """Starts Valkey (unless one is configured), relays, the worker and web processes, and keeps them running."""
    from livecommerce.staff import first_start

    settings = settings_from(arguments)
    logs.configure("serve", settings.log_format, settings.log_level)
    return serving.run_server(settings, first_start)


def _index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=int, default=0, help="which of several on this machine, from 0")


web_arguments = relay_arguments = _index


def _alone(settings: Settings) -> Settings:
    """A role looks for its Valkey once at the start, so that a wrong setting is told before anything else."""
    from livecommerce.roles.stores import store_url

    redis = msgspec.structs.replace(settings.redis, url=store_url(settings))
    return msgspec.structs.replace(settings, redis=redis)


def web(arguments: argparse.Namespace) -> int:
    """Runs one web process: pages, API and sockets."""
    from livecommerce.roles.web import web_role

    return run(_alone(settings_from(arguments)), "web", arguments.index, web_role)


def relay(arguments: argparse.Namespace) -> int:
    """Runs one media relay."""
    from livecommerce.roles.relay import relay_role

    return run(_alone(settings_from(arguments)), "relay", arguments.index, relay_role)


def worker(arguments: argparse.Namespace) -> int:
    """Runs the worker: the ledger into orders, facts to their readers, recorded shows' events, holds that lapse."""
    from livecommerce.roles.worker import worker_role

    return run(_alone(settings_from(arguments)), "worker", 0, worker_role)
