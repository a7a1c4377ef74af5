"""Wrong passwords in a shop's trail: noted after the answer, for logins that there are, within bounds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecommerce.accounts import failed_logins
from livecommerce.accounts.accounts import Accounts
from livecommerce.accounts.failed_logins import FailedLogins
from livecommerce.errors import DatabaseAway
from livecommerce.records.audit import AuditRepository

PASSWORD = "correct horse battery"


class Trail(AuditRepository):
    """Keeps what it is given; can be stopped, and can be away."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.details: list[dict[str, Any]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.is_away = False

    async def add(self, entry: Any) -> None:
        await self.may_go_on.wait()
        if self.is_away:
            raise DatabaseAway
        self.subjects.append(entry.subject)
        self.details.append(entry.details)


@pytest.fixture
async def mei(accounts: Accounts) -> Accounts:
    await accounts.add_staff("lingling", "mei", PASSWORD, "host")
    return accounts


async def test_only_logins_that_there_are_leave_a_line(mei: Accounts) -> None:
    trail = Trail()
    failed = FailedLogins(mei, trail)
    for login in ("mei", " ＭＥＩ ", "nobody", "mei\0", "", "x" * 5000):
        failed.note(login, "203.0.113.7")
    await failed.settle()
    assert trail.subjects == ["mei", "mei"]
    assert trail.details == [{"address": "203.0.113.7"}] * 2, "whom to keep out is what the line is read for"


async def test_nobody_waits_for_the_line_and_a_flood_is_bounded(mei: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_logins, "NOTED", 10_000)
    trail = Trail()
    trail.may_go_on.clear()
    failed = FailedLogins(mei, trail)
    for _ in range(failed_logins.WAITING_MAX + 20):
        failed.note("mei", "203.0.113.7")
    assert trail.subjects == []
    trail.may_go_on.set()
    await failed.settle()
    assert len(trail.subjects) == failed_logins.WAITING_MAX
    failed.note("mei", "203.0.113.7")
    await failed.settle()
    assert len(trail.subjects) == failed_logins.WAITING_MAX + 1, "there is room again"


async def test_a_database_that_is_away_costs_the_line_only(mei: Accounts) -> None:
    trail = Trail()
    trail.is_away = True
    failed = FailedLogins(mei, trail)
    failed.note("mei", "203.0.113.7")
    await failed.settle()
    trail.is_away = False
    failed.note("mei", "203.0.113.7")
    await failed.settle()
    assert trail.subjects == ["mei"]


@pytest.mark.parametrize("login", ["mei\0", "m i", "", "x", "m" * 5000, "mei'--"])
async def test_what_can_be_no_login_is_no_question_to_the_database(
    mei: Accounts, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes a NUL for a fault; also where a browser known for another login asks."""
    device = (await mei.login("mei", PASSWORD, "203.0.113.7")).device

    async def asked(login: str) -> None:
        raise AssertionError(f"the database was asked for {login!r}")

    monkeypatch.setattr(mei.staff, "by_login", asked)
    with pytest.raises(Exception, match=r".") as refusal:
        await mei.login(login, PASSWORD, "203.0.113.7", device)
    assert getattr(refusal.value, "code", "") == "login_wrong"
    for change in (mei.set_password(login, PASSWORD), mei.set_role(login, "host"), mei.set_disabled(login, True)):
        assert await change is False
