"""The currency of a shop is chosen at the first start, or by a command while nothing is priced in another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from livecommerce import cli
from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.configuration.tree import fields
from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.database import Database
from livecommerce.settings import environment_name


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for dotted, *_ in fields():
        monkeypatch.delenv(environment_name(dotted), raising=False)
    return ["--set", f"data_folder={tmp_path / 'data'}"]


def change(flags: list[str], statement: str) -> None:
    async def run() -> None:
        database = await Database.open("", flags[1].partition("=")[2])
        async with database.write() as connection:
            await connection.execute(text(statement))
        await database.close()

    asyncio.run(run())


def trail(flags: list[str]) -> list[dict[str, str]]:
    """What was changed of the shop on the command line."""

    async def run() -> list[AuditEntry]:
        database = await Database.open("", flags[1].partition("=")[2])
        entries = await AuditRepository(database).newest("shop")
        await database.close()
        return entries

    found = [entry for entry in reversed(asyncio.run(run())) if entry.do == "shop_changed"]
    assert all(entry.actor.startswith("cli:") for entry in found)
    return [entry.details for entry in found]


def test_the_first_start_takes_the_currency_of_the_setting(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["staff", *flags, "--set", "currency=THB", "first"]) == 0
    assert "priced in THB" in capsys.readouterr().out
    assert cli.main(["shop", *flags, "show"]) == 0
    assert "currency  THB (2 decimals)" in capsys.readouterr().out


def test_it_is_changed_until_something_is_priced(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["staff", *flags, "first"]) == 0
    assert cli.main(["shop", *flags, "set", "--currency", "USD", "--name", "  Night   Market "]) == 0
    printed = capsys.readouterr().out
    assert "currency  USD" in printed
    assert "name      Night Market" in printed
    change(
        flags,
        "INSERT INTO shows (id, shop, title, currency, packs, limits, hold_seconds, settings, created_by, created_ms, "
        "revision) VALUES ('demo', 'shop', 'x', 'USD', '[]', '{}', 900, '{}', 'ling', 1, 1)",
    )
    assert cli.main(["shop", *flags, "set", "--currency", "TWD"]) == 1
    assert "1 shows priced in USD" in capsys.readouterr().err
    assert cli.main(["shop", *flags, "set", "--currency", "USD"]) == 0
    assert trail(flags) == [{"currency": "USD", "name": "Night Market"}, {"currency": "USD"}], "not the refused one"


def test_twd_is_said_to_be_counted_in_whole_dollars(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["staff", *flags, "first"]) == 0
    assert cli.main(["shop", *flags, "show"]) == 0
    assert "TWD (whole units; ISO 4217 has 2 decimals" in capsys.readouterr().out


def test_a_new_name_says_which_shows_keep_the_old_one(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A show is told its shop's name when it is made; a page of one that stands went on with the old one, unsaid."""
    assert cli.main(["staff", *flags, "first"]) == 0
    assert cli.main(["shop", *flags, "set", "--name", "Day Market"]) == 0
    assert "keep" not in capsys.readouterr().out, "there is no show yet"
    change(
        flags,
        "INSERT INTO shows (id, shop, title, currency, packs, limits, hold_seconds, settings, created_by, created_ms, "
        "revision) VALUES ('sat', 'shop', 'Sat', 'TWD', '[]', '{}', 900, '{}', 'owner', 1, 1)",
    )
    assert cli.main(["shop", *flags, "set", "--name", "Night Market"]) == 0
    assert "Shows that were made before keep 'Day Market'" in capsys.readouterr().out
    assert cli.main(["shop", *flags, "set", "--name", "Night Market"]) == 0
    assert "keep" not in capsys.readouterr().out


def test_of_several_shops_one_must_be_named(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    async def second() -> None:
        database = await Database.open("", flags[1].partition("=")[2])
        await ShopRepository(database).put(Shop("other", "別家"))
        await database.close()

    assert cli.main(["staff", *flags, "first"]) == 0
    asyncio.run(second())
    for words in (["shop", *flags, "show"], ["staff", *flags, "add", "night"]):
        assert cli.main(words) == 1
        assert "--shop" in capsys.readouterr().err
    assert cli.main(["staff", *flags, "add", "night", "--shop", "other"]) == 0
    assert cli.main(["shop", *flags, "show", "--shop", "nowhere"]) == 1
