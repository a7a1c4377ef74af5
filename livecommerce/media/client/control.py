"""The web role's side of the media plane: publish, play, patch, stop, streams of one relay process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import msgspec
import orjson

from livecommerce.errors import LiveCommerceError, Unavailable, catalogue
from livecommerce.media import errors as relay_errors
from livecommerce.media.wire.freezes import FreezeReport

Kind = Literal["whip", "whep"]
# Here and not with the routes that need them: this side must not load WebRTC to talk to a relay.
PUBLISHER_HEADER = "X-Publisher"
# Who may take over from whom (`Publisher.rank`), and what the stream stands on (`accounts.rights`).
RANK_HEADER, RIGHT_HEADER = "X-Rank", "X-Right"
WATCHER_HEADER = "X-Watcher"
# Control door of the relay that has the stream; the asked one then fetches it once and serves it too.
ORIGIN_HEADER = "X-Origin"
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"
# The relay answers from memory; what takes longer is a relay in trouble.
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Session:
    """An accepted session: answer with 201, this SDP, `Location` and `ETag`."""

    location: str
    session: str
    answer: str
    etag: str


@dataclass(frozen=True, slots=True)
class Patched:
    """What to answer a PATCH with: 200 and the fragment, 204, 412, 415 or 428."""

    status: int
    fragment: str
    etag: str


class RelayControl:
    """Client of one relay's control door.

    Args:
        address: path of its Unix socket, or http://host:port of another node.
        secret: for a TCP address.

    Every call may raise Unavailable (the relay is not there: try again, its process restarts within seconds).
    """

    def __init__(self, address: str, *, secret: str = "") -> None:
        self.address = address
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            is_tcp = self.address.startswith(("http://", "https://"))
            connector = aiohttp.TCPConnector() if is_tcp else aiohttp.UnixConnector(path=self.address)
            headers = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
            self._session = aiohttp.ClientSession(
                connector=connector, headers=headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(
        self,
        method: str,
        path: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = TIMEOUT_SECONDS,
    ) -> tuple[int, Mapping[str, str], bytes]:
        base = self.address if self.address.startswith("http") else "http://relay"
        try:
            async with self._client().request(
                method,
                base.rstrip("/") + path,
                data=body.encode() if body is not None else None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                content = await response.read()
                if response.content_type == "application/json" and response.status >= 400:
                    raise _error(await response.json())
                return response.status, response.headers, content
        # A timeout is an OSError; a ValueError is what calls itself JSON and is none.
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(
                "The media relay is not reachable; it is being restarted.", retry_after_ms=1_000
            ) from error

    async def _offer(self, kind: Kind, show: str, offer: str, headers: dict[str, str]) -> Session:
        headers |= {"Content-Type": "application/sdp"}
        status, answered, body = await self._ask("POST", f"/{kind}/{show}", offer, headers)
        location = answered.get("Location", "")
        if status != 201 or not location:  # something else listens there, or stands in between
            raise Unavailable("The media relay gave no answer that is one.", retry_after_ms=1_000)
        return Session(location, location.rpartition("/")[2], body.decode(), answered.get("ETag", ""))

    async def publish(self, show: str, offer: str, publisher: str, *, rank: int = 0, right: str = "") -> Session:
        """A host's offer. `publisher` names who it is: the same one replaces its own session, and a higher rank another
        one's, as soon as it is connected. `right` is what the stream ends with (`accounts.rights`).

        Raises:
            SdpRefused, HostAlreadyLive, Busy, Unavailable.
        """
        headers = {PUBLISHER_HEADER: publisher, RANK_HEADER: str(rank), RIGHT_HEADER: right}
        return await self._offer("whip", show, offer, headers)

    async def play(self, show: str, offer: str, *, origin: str = "", watcher: str = "", right: str = "") -> Session:
        """A viewer's offer. With `origin` (another relay's control address) this relay fetches the stream from there.
        The session ends when `watcher` is banned, or with `right` (`accounts.rights`) where there is one.

        Raises:
            SdpRefused, StreamUnknown, Busy, Unavailable.
        """
        headers = {ORIGIN_HEADER: origin, WATCHER_HEADER: watcher, RIGHT_HEADER: right}
        return await self._offer("whep", show, offer, {name: value for name, value in headers.items() if value})

    async def patch(self, kind: Kind, show: str, session: str, fragment: str, if_match: str | None) -> Patched:
        """Trickle or ICE restart.

        Raises:
            SdpRefused, NotFound, Unavailable.
        """
        headers = {"Content-Type": FRAGMENT_TYPE} | ({"If-Match": if_match} if if_match is not None else {})
        status, answered, body = await self._ask("PATCH", f"/{kind}/{show}/{session}", fragment, headers)
        return Patched(status, body.decode(), answered.get("ETag", ""))

    async def choose_layer(self, show: str, session: str, wish: str) -> None:
        """What a viewer's page shows (JSON, WHEP's layer extension).

        Raises:
            BadInput, NotFound, Unavailable.
        """
        await self._ask("POST", f"/whep/{show}/{session}/layer", wish, {"Content-Type": "application/json"})

    async def stop(self, kind: Kind, show: str, session: str) -> None:
        """Ends a session; a host's ends the stream.

        Raises:
            NotFound, Unavailable.
        """
        await self._ask("DELETE", f"/{kind}/{show}/{session}")

    async def freezes(self, show: str, session: str, report: FreezeReport) -> None:
        """Freezes that a viewer's page has counted since it connected. The relay bounds them by the time watched.

        Raises:
            NotFound, Unavailable.
        """
        await self._ask("POST", f"/whep/{show}/{session}/freezes", msgspec.json.encode(report).decode())

    async def fetch(self, path: str, seconds: float) -> tuple[int, Mapping[str, str], bytes]:
        """GET of an HLS playlist or part, which may be held back for some seconds: (status, headers, body).

        Raises:
            StreamUnknown, NotFound, BadInput, Unavailable.
        """
        return await self._ask("GET", path, seconds=seconds)

    async def streams(self) -> dict[str, Any]:
        """{"streams": {show: figures}, "relay": counters}."""
        _, _, body = await self._ask("GET", "/streams")
        found: dict[str, Any] = orjson.loads(body)
        return found

    async def viewers(self, show: str) -> list[dict[str, Any]]:
        """Figures of a show's viewers, worst lines first (at most 200): loss, rtt_ms, packets, repairs, rtx, freezes,
        estimate_kbps (null while unknown), probes, probes_proven, layer, height, transport.

        Raises:
            StreamUnknown, Unavailable.
        """
        _, _, body = await self._ask("GET", f"/streams/{show}/viewers")
        found: list[dict[str, Any]] = orjson.loads(body)["viewers"]
        return found

    async def health(self) -> bool:
        """True when the relay answers."""
        try:
            status, _, _ = await self._ask("GET", "/health")
        except Unavailable:
            return False
        return status == 200


def _error(body: Any) -> LiveCommerceError:
    """The same error class on this side, found by its number."""
    fields = body.get("error") if isinstance(body, dict) else None
    if not isinstance(fields, dict):
        return LiveCommerceError()
    # A process without a relay in it has met none of the relay's own errors; naming their module here is what loads it.
    for kind in (*vars(relay_errors).values(), *catalogue()):
        if isinstance(kind, type) and issubclass(kind, LiveCommerceError) and kind.number == fields.get("number"):
            return kind(fields.get("reason"), retry_after_ms=fields.get("retry_after_ms"))
    return LiveCommerceError()
