"""What the routes need, composed by `app.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

import livecommerce
from livecommerce.accounts.accounts import Accounts
from livecommerce.catalog.catalogue import Catalogue
from livecommerce.media.client.control import RelayControl
from livecommerce.records.repositories import Repositories
from livecommerce.settings import Settings
from livecommerce.shows.executor import Executor
from livecommerce.shows.store import ShowStore
from livecommerce.stock.engine import StockEngine

Warnings = Sequence[dict[str, Any]]


def find_web_folder() -> Path:
    """The pages: inside the installed package, else beside it in a checkout."""
    package = Path(livecommerce.__file__).parent
    installed = package / "_web"
    return installed if installed.is_dir() else package.parent / "web"


async def _nobody(show: str) -> int:
    return 0


@dataclass(frozen=True)
class Context:
    """All rooms a request may reach.

    Attributes:
        relay_for: the control socket of the relay that carries (or shall carry) a show. Raises Unavailable.
        viewers: how many watch a show now.
        check_catalogue: warnings of the comment parser about a list of products in its own shape.
    """

    settings: Settings
    redis: Redis
    records: Repositories
    accounts: Accounts
    engine: StockEngine
    shows: ShowStore
    relay_for: Callable[[str], Awaitable[RelayControl]]
    check_catalogue: Callable[[list[dict[str, Any]], Sequence[str]], Warnings]
    viewers: Callable[[str], Awaitable[int]] = _nobody
    web_folder: Path = field(default_factory=find_web_folder)

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.records.products)

    @property
    def executor(self) -> Executor:
        return Executor(self.shows)


CONTEXT: web.AppKey[Context] = web.AppKey("livecommerce.api.context", Context)


def context_of(request: web.Request) -> Context:
    return request.app[CONTEXT]
