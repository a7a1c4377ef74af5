"""Which relay carries which show: relays announce themselves in Valkey, web processes look them up.

`lc:relays` is a hash of relay id → {"control", "at_ms"}; a relay renews its entry every BEAT_SECONDS. A show keeps its
relay (`lc:relay-of:<show>`) as long as that one beats, so a new node never moves a running show; a show without one
goes by rendezvous hashing, so web processes that ask at the same moment choose the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from livecommerce.errors import Unavailable
from livecommerce.media.client.control import RelayControl
from livecommerce.ops.store_faults import storage_error

RELAYS_KEY = "lc:relays"
BEAT_SECONDS = 2.0
ALIVE_SECONDS = 20.0  # a killed relay is back within 6 s and keeps its shows; a lost node frees them after this
FORGET_SECONDS = 3_600.0  # entries of relays that never came back
SHOW_SECONDS = 86_400  # longer than any show; renewed at every look-up that goes to Valkey
CACHE_SECONDS = 1.0  # a thousand viewers who join in one second ask Valkey once
CACHED_SHOWS_MAX = 10_000  # of one process; the cache is emptied when it is full


class Announced(msgspec.Struct, frozen=True):
    """One relay: `control` is a Unix socket path or http://host:port."""

    control: str
    at_ms: int
    tells_carried: bool = False  # a relay of an older version does not say which shows it carries (carried.py)


_decoder = msgspec.json.Decoder(Announced)


async def _server_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


async def announce(redis: Redis, relay_id: str, control: str) -> None:
    """Beats until cancelled, then takes the entry away. Raises when Valkey is away: to be called again."""
    try:
        while True:
            now_ms = await _server_ms(redis)
            entry = msgspec.json.encode(Announced(control, now_ms, True))
            await redis.hset(RELAYS_KEY, relay_id, entry)
            await _forget(redis, now_ms)
            await asyncio.sleep(BEAT_SECONDS)
    except asyncio.CancelledError:
        with contextlib.suppress(RedisError, TimeoutError):
            async with asyncio.timeout(1.0):
                await redis.hdel(RELAYS_KEY, relay_id)
        raise


async def _forget(redis: Redis, now_ms: int) -> None:
    gone = [name for name, entry in (await _all(redis)).items() if now_ms - entry.at_ms > FORGET_SECONDS * 1000]
    if gone:
        await redis.hdel(RELAYS_KEY, *gone)


async def _all(redis: Redis) -> dict[str, Announced]:
    found: dict[str, Announced] = {}
    for name, raw in (await redis.hgetall(RELAYS_KEY)).items():
        with contextlib.suppress(msgspec.DecodeError):
            found[_text(name)] = _decoder.decode(raw)
    return found


def _beats(relay: Announced, now_ms: int) -> bool:
    """Whether it beat lately. A beat from the future is of before the clock stepped back: it says nothing."""
    return abs(now_ms - relay.at_ms) < ALIVE_SECONDS * 1000


async def beating(redis: Redis) -> dict[str, Announced]:
    """Relays that beat lately, by id."""
    now_ms = await _server_ms(redis)
    return {name: one for name, one in (await _all(redis)).items() if _beats(one, now_ms)}


def relay_of_key(show: str) -> str:
    return f"lc:relay-of:{show}"


class RelayDirectory:
    """The web role's address book. One per process; `close` ends its connections to the relays."""

    def __init__(self, redis: Redis, *, secret: str = "") -> None:
        self._redis = redis
        self._secret = secret
        self._controls: dict[str, RelayControl] = {}
        self._relays: tuple[float, dict[str, Announced]] = (-1e9, {})
        self._shows: dict[str, tuple[float, str]] = {}

    async def relays(self) -> dict[str, Announced]:
        """Relays that beat lately, by id."""
        when, cached = self._relays
        if time.monotonic() - when > CACHE_SECONDS or not cached:
            cached = await beating(self._redis)
            self._relays = (time.monotonic(), cached)
        return cached

    async def relay_for(self, show: str) -> RelayControl:
        """The control of the relay that carries `show`, or shall.

        Raises:
            Unavailable: no relay beats, or Valkey is away. StorageFull.
        """
        try:
            relays = await self.relays()
            if not relays:
                raise Unavailable("No media relay is running.", retry_after_ms=1_000)
            name = await self._relay_of(show, relays)
        except RedisError as error:
            raise storage_error(error) from error
        return self._control(relays[name].control)

    async def _relay_of(self, show: str, relays: dict[str, Announced]) -> str:
        when, name = self._shows.get(show, (-1e9, ""))
        if name in relays and time.monotonic() - when < CACHE_SECONDS:
            return name
        key = relay_of_key(show)
        stored = await self._redis.get(key)
        name = _text(stored) if stored is not None else ""
        if name not in relays:
            name = max(relays, key=lambda relay: hashlib.sha256(f"{relay}\0{show}".encode()).digest())
            await self._redis.set(key, name, ex=SHOW_SECONDS)
        else:
            await self._redis.expire(key, SHOW_SECONDS)
        if len(self._shows) >= CACHED_SHOWS_MAX:
            self._shows.clear()
        self._shows[show] = (time.monotonic(), name)
        return name

    def _control(self, address: str) -> RelayControl:
        if address not in self._controls:
            secret = self._secret if address.startswith("http") else ""
            self._controls[address] = RelayControl(address, secret=secret)
        return self._controls[address]

    async def close(self) -> None:
        for control in self._controls.values():
            await control.close()
