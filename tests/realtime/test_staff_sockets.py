"""A staff socket acts as what its login is now, never as what it was at the handshake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from livecommerce.http.identity import Identity, Staff
from livecommerce.realtime import staff_sockets
from livecommerce.realtime.callers import Who
from tests.realtime.world import SHOW, World, identify, serving

NEVER_SECONDS = 3_600.0  # nobody looks at silent sockets here: what closes one is its own use


class Logins:
    """What the store would say of the one login of this test."""

    def __init__(self) -> None:
        self.change: dict[str, Any] | None = {}

    async def staff_now(self, identity: Identity) -> Staff | None:
        if self.change is None or identity.staff is None:
            return None
        return msgspec.structs.replace(identity.staff, **self.change)


@pytest.fixture
def logins() -> Logins:
    return Logins()


@pytest.fixture
async def watched(valkey: Redis, monkeypatch: pytest.MonkeyPatch, logins: Logins) -> AsyncIterator[World]:
    monkeypatch.setattr(staff_sockets, "LOOK_SECONDS", NEVER_SECONDS)
    async with serving(valkey, who=Who(identify, logins.staff_now)) as world:
        yield world


EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("command", {"id": "command-1", "do": "restock", "code": "A01", "quantity": 5}),
    ("command", {"id": "command-2", "do": "end"}),
    ("comment", {"id": "comment-1", "text": "hello"}),
    ("ask", {"what": "reservations"}),
    ("resume", {}),
    ("tickets", {}),
]


@pytest.mark.parametrize(("event", "data"), EVENTS)
async def test_the_first_use_after_the_login_ended_is_refused_and_closes(
    watched: World, logins: Logins, event: str, data: dict[str, Any]
) -> None:
    host = await watched.connect(staff="host")
    snapshots = len(host.all("snapshot"))
    logins.change = None
    answer = await host.call(event, data)
    assert (answer["ok"], answer["error"]["code"]) == (False, "login_needed")
    assert (await host.until(lambda: host.all("bye")))[0]["code"] == "login_needed"
    assert len(host.all("snapshot")) == snapshots
    assert (await watched.store.load(SHOW))["audit"] == []


async def test_a_lower_role_and_another_shop_count_at_once(watched: World, logins: Logins) -> None:
    host = await watched.connect(staff="host")
    logins.change = {"role": "moderator"}
    assert (await host.command("start"))["error"]["code"] == "role_too_low_for_command"
    logins.change = {"shop": "another"}
    assert not (await host.command("say", text="hello"))["ok"]
    assert (await host.until(lambda: host.all("bye")))[0]["code"] == "login_needed"
