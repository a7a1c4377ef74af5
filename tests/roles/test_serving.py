"""The seams between rooms that the roles sew: which store, which control door, which origins."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from livecommerce.configuration.tree import Settings
from livecommerce.errors import Unavailable
from livecommerce.http.settings import Http
from livecommerce.media.settings import Media
from livecommerce.ops import metrics
from livecommerce.ops.errors import StoreUnsuitable
from livecommerce.ops.settings import Redis as RedisSettings
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.orders.facts import PaymentBegun
from livecommerce.records.audit import AuditRepository
from livecommerce.records.database import Database
from livecommerce.records.facts import Fact, append
from livecommerce.roles import relay, stores, web, worker
from livecommerce.roles.process import Frame
from livecommerce.settings import SettingsError


@pytest.fixture
def settings(tmp_path: Path, valkey_server: EmbeddedValkey) -> Settings:
    return Settings(
        data_folder=str(tmp_path),
        secret="words that sign the cookies",
        redis=RedisSettings(url=valkey_server.url),
        http=Http(port=0, internal_port=-1),
        media=Media(host="127.0.0.1", port=0),
    )


def test_a_role_alone_needs_a_store_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LIVECOMMERCE_REDIS_URL"):
        stores.store_url(Settings(data_folder=str(tmp_path)))


def test_a_role_alone_finds_the_embedded_store_of_its_folder(valkey_server: EmbeddedValkey) -> None:
    assert stores.store_url(Settings(data_folder=str(valkey_server.folder))) == valkey_server.url


async def test_function_libraries_are_loaded_and_loaded_again_after_a_flush(valkey: Redis, settings: Settings) -> None:
    frame = Frame(settings, "worker", 0)
    async with stores.open_stores(frame):
        assert await stores._missing_libraries(valkey) == []
        await valkey.function_flush("SYNC")
        assert await stores._missing_libraries(valkey) == sorted(stores.FUNCTION_LIBRARIES)
        assert await frame.health.checks["valkey"]() is None
        assert await stores._missing_libraries(valkey) == []


async def test_a_store_that_evicts_is_refused(valkey: Redis, settings: Settings) -> None:
    await valkey.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StoreUnsuitable, match="noeviction"):
            async with stores.open_stores(Frame(settings, "web", 0)):
                pass
    finally:
        await valkey.config_set("maxmemory-policy", "noeviction")


async def test_a_store_that_is_away_is_told(settings: Settings, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("livecommerce.ops.redis_client.RETRIES", 1)
    away = msgspec.structs.replace(settings, redis=RedisSettings(url=f"unix://{tmp_path}/nobody.sock"))
    with pytest.raises(Unavailable, match="does not answer"):
        async with stores.open_stores(Frame(away, "web", 0)):
            pass


@pytest.mark.parametrize(
    ("url", "index", "listen", "reached_by"),
    [
        ("http://10.0.0.5:8188", 0, "tcp://10.0.0.5:8188", "http://10.0.0.5:8188"),
        ("http://10.0.0.5:8188", 2, "tcp://10.0.0.5:8190", "http://10.0.0.5:8190"),
        ("http://[fd00::5]:8188", 0, "tcp://fd00::5:8188", "http://[fd00::5]:8188"),
    ],
)
def test_the_control_door_of_a_relay_on_another_node(settings, url, index, listen, reached_by) -> None:
    media = msgspec.structs.replace(settings.media, control_url=url)
    assert relay._control_addresses(msgspec.structs.replace(settings, media=media), index) == (listen, reached_by)


def test_the_control_door_is_a_socket_in_the_data_folder_by_default(settings: Settings, tmp_path: Path) -> None:
    path = str(tmp_path / "relay-1.sock")
    assert relay._control_addresses(settings, 1) == (path, path)


@pytest.mark.parametrize(
    ("url", "secret"), [("http://10.0.0.5:8188", ""), ("10.0.0.5:8188", "x" * 32), ("https://h:1", "x" * 32)]
)
def test_an_open_or_unclear_control_door_is_refused(settings: Settings, url: str, secret: str) -> None:
    media = msgspec.structs.replace(settings.media, control_url=url)
    with pytest.raises(SettingsError, match="control_url"):
        relay._control_addresses(msgspec.structs.replace(settings, media=media, secret=secret), 0)


@pytest.mark.parametrize(
    ("public_url", "origins"),
    [("", None), ("https://live.example.com/", ["https://live.example.com", "http://127.0.0.1:8080"])],
)
def test_origins_of_sockets(public_url: str, origins: list[str] | None) -> None:
    assert web._allowed_origins(Settings(http=Http(public_url=public_url))) == origins


async def test_a_relay_announces_itself_and_leaves(valkey: Redis, settings: Settings) -> None:
    frame = Frame(settings, "relay", 0)
    async with relay.relay_role(frame):
        async with asyncio.timeout(10):
            while not await valkey.hgetall("lc:relays"):
                await asyncio.sleep(0.02)
        assert (Path(settings.data_folder) / "relay-0.sock").exists()
        frame.ask_stop("the test is over")
    assert await valkey.hgetall("lc:relays") == {}
    assert not frame.failed


async def test_a_worker_makes_the_trail_of_money_from_its_facts(valkey: Redis, settings: Settings) -> None:
    database = await Database.open(settings.database.url, settings.data_folder)
    body = PaymentBegun(
        order="o-1", show="demo", viewer="vera", provider="manual", method="bank_transfer", amount_minor=590,
        currency="TWD", reservations=["A01#1"], by_staff="ling",
    )  # fmt: skip
    async with database.write() as connection:
        await append(connection, "lingling", [Fact.of("lingling", "payment-0001", body)])
    async with worker.worker_role(Frame(settings, "worker", 0)), asyncio.timeout(20):
        while not (trail := await AuditRepository(database).newest("lingling")):
            await asyncio.sleep(0.02)
        while "livecommerce_facts_read_total 1.0" not in metrics.exposition()[0].decode():
            await asyncio.sleep(0.02)
    assert [(entry.actor, entry.do, entry.subject) for entry in trail] == [("ling", "payment_begun", "payment-0001")]
    await database.close()


@pytest.mark.parametrize(
    ("role", "never"),
    [
        ("worker", ("aiortc", "livecommerce.api", "livecommerce.media.plane", "livecommerce.realtime.gateway")),
        ("web", ("aiortc", "livecommerce.media.plane")),
        ("relay", ("livecommerce.api", "livecommerce.realtime.gateway")),
    ],
)
def test_a_role_carries_only_its_own_rooms(role: str, never: tuple[str, ...]) -> None:
    program = f"import sys, livecommerce.roles.{role}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in never if name in loaded] == []
