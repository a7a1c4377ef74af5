"""A stream this relay does not have, fetched once by WHEP from the relay that has it, and fanned out from here.

To the stream it is a host like any other: packets, reports, keyframe requests. It ends when nobody watches any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time

from livecommerce.errors import LiveCommerceError, NotFound
from livecommerce.media.client.control import RelayControl
from livecommerce.media.ingest.feedback import Reception
from livecommerce.media.ingest.source import PICTURE, SOUND, Publisher, Sink, SourceName
from livecommerce.media.ingest.whep_client import AUDIO_PAYLOAD, VIDEO_PAYLOAD, WhepClient
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.wire import rtcp, rtp

log = logging.getLogger(__name__)

# Without a viewer for so long the origin's bandwidth is given back.
IDLE_SECONDS = 30.0
# No packet for so long: the origin or the way to it is gone.
SILENCE_SECONDS = 6.0
# Twelve tries at 0.3 to 5 s are more than the minute for which a lost host may come back.
TRIES_MAX = 12
RETRY_SECONDS_MAX = 5.0
REPORT_SECONDS = 1.0
_SOURCES = {VIDEO_PAYLOAD: (PICTURE, rtp.VIDEO_CLOCK), AUDIO_PAYLOAD: (SOUND, rtp.AUDIO_CLOCK)}
KINDS = frozenset(name.kind for name, _ in _SOURCES.values())


class OriginPull:
    """Feeds one stream from an origin's WHEP endpoint.

    Args:
        address: the origin's control door (`RelayControl`).
    """

    def __init__(self, sink: Sink, address: str, secret: str, identity: Identity) -> None:
        self._sink = sink
        self.session = f"origin-{id(self):x}"
        self.publisher = Publisher(f"origin {address}")
        self.close_reason = ""
        self.media_at: float | None = None
        self.receptions: dict[SourceName, Reception] = {}
        self.layers: tuple[str, ...] = ()
        self.limit_kbps = 0  # the origin has told its host
        self.parameter_sets: tuple[bytes, ...] = ()  # they come ahead of the picture that we enter by
        self.mixed_at = float("-inf")
        self.kinds = KINDS
        self.status = "connecting"
        self._control = RelayControl(address, secret=secret)
        self._identity = identity
        self._client: WhepClient | None = None
        self._report_at = 0.0
        self._watched_at = time.monotonic()
        self._task = asyncio.create_task(self._run())

    @property
    def is_connected(self) -> bool:
        return self._client is not None

    def is_silent(self, now: float) -> bool:
        """A real host may always take the place of a copy."""
        return True

    async def _run(self) -> None:
        reason = "the origin cannot be reached"
        tries = 0
        try:
            while tries < TRIES_MAX:
                began = time.monotonic()
                try:
                    reason = await self._fetch()
                    if reason == "nobody watches":
                        break
                except NotFound:
                    reason = "the origin has no such stream"
                    break
                except (LiveCommerceError, ConnectionError, ValueError) as error:
                    reason = str(error)
                log.info("stream %s: origin: %s", self._sink.show, reason)
                tries = 0 if time.monotonic() - began > 30 else tries + 1
                await asyncio.sleep(min(RETRY_SECONDS_MAX, 0.3 * 2**tries) * random.uniform(0.5, 1.0))
        finally:
            await self._control.close()
        if not self.close_reason:  # else another source has taken our place, or the stream is over
            self._sink.end(reason, time.monotonic())

    async def _fetch(self) -> str:
        """One session at the origin; returns why it ended."""
        client = WhepClient(self._identity, on_packet=self._take, on_reports=self._note)
        session = ""
        try:
            accepted = await self._control.play(self._sink.show, client.offer())
            session = accepted.session
            figures = (await self._control.streams())["streams"].get(self._sink.show, {})
            # Where the origin has sound alone, nobody waits for pictures here either; they may still come.
            self.kinds = KINDS if figures.get("picture", True) else KINDS - {"video"}
            await client.connect(accepted.answer)
            self._client = client
            self.status = "connected"
            self.media_at = time.monotonic()
            return await self._stay(client)
        finally:
            self.status = "connecting"
            self._client = None
            client.close()
            if session:
                with contextlib.suppress(LiveCommerceError):
                    await self._control.stop("whep", self._sink.show, session)

    async def _stay(self, client: WhepClient) -> str:
        while not client.is_closed_by_relay:
            await asyncio.sleep(0.5)
            now = time.monotonic()
            if self._sink.is_watched:
                self._watched_at = now
            elif now - self._watched_at > IDLE_SECONDS:
                return "nobody watches"
            if self.media_at is not None and now - self.media_at > SILENCE_SECONDS:
                self.media_at = now  # the origin's host may be away: ask whether the session still stands
                if not await self._control.health():
                    return "the origin is silent"
        return "the origin closed the session"

    def _take(self, packet: rtp.RtpPacket) -> None:
        known = _SOURCES.get(packet.payload_type)
        if known is None:
            return
        source, clock = known
        now = time.monotonic()
        reception = self.receptions.get(source)
        if reception is None or reception.ssrc != packet.ssrc:
            reception = self.receptions[source] = Reception(packet.ssrc, clock)
            self._sink.begin_source(source)
        reception.note(packet.sequence, packet.timestamp, len(packet.payload), now)
        self.media_at = now
        self._sink.take(source, packet, now)

    def _note(self, items: list[rtcp.Item]) -> None:
        for item in items:
            if isinstance(item, rtcp.SenderReport):
                for source, reception in self.receptions.items():
                    if reception.ssrc == item.ssrc:
                        reception.note_report(item.ntp, time.monotonic())
                        self._sink.note_report(source, item.ntp, item.rtp_timestamp, time.monotonic())

    def tick(self, now: float) -> None:
        """Asks for what is missing and reports once a second, as a viewer of the origin."""
        client = self._client
        if client is None:
            return
        video = self.receptions.get(PICTURE)
        if video is not None and video.missing_count:
            wanted = video.wanted(now)
            if wanted:
                client.send_rtcp(rtcp.nack(client.ssrc, video.ssrc, wanted))
        if now - self._report_at >= REPORT_SECONDS:
            self._report_at = now
            blocks = [block for each in self.receptions.values() if (block := each.block(now)) is not None]
            client.send_rtcp(rtcp.receiver_report(client.ssrc, blocks))

    def request_keyframe(self, source: SourceName) -> None:
        """Passed on; the origin merges the requests of all its relays and viewers."""
        video = self.receptions.get(source)
        if self._client is not None and video is not None:
            self._client.send_rtcp(rtcp.picture_loss(self._client.ssrc, video.ssrc))

    def close(self, reason: str) -> None:
        """Ends the session; idempotent."""
        if not self.close_reason:
            self.close_reason = reason
            self._task.cancel()
