"""Publishes a moving picture and a tone by WHIP (RFC 9725) for some seconds, then says goodbye.

    .venv/bin/python examples/whip_publisher/publish.py http://127.0.0.1:8080/whip/demo TOKEN --seconds 30

The token is what the studio shows under OBS. Needs aiohttp and aiortc.
"""

import argparse
import asyncio
from fractions import Fraction
from urllib.parse import urljoin

import aiohttp
import av
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack

WIDTH, HEIGHT = 640, 360


class Sweep(VideoStreamTrack):
    """A bright bar that crosses a dark picture once in four seconds."""

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()  # waits until the next picture is due
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        left = int(pts * Fraction(time_base) * WIDTH / 4) % WIDTH
        row = bytearray(b"\x30" * frame.planes[0].line_size)
        row[left : left + 40] = b"\xe0" * len(row[left : left + 40])
        frame.planes[0].update(bytes(row) * HEIGHT)
        for plane in frame.planes[1:]:
            plane.update(b"\x80" * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


async def publish(address: str, token: str, seconds: float) -> None:
    peer = RTCPeerConnection()
    up = asyncio.Event()

    @peer.on("connectionstatechange")
    def changed() -> None:
        print(f"connection: {peer.connectionState}", flush=True)
        if peer.connectionState == "connected":
            up.set()

    peer.addTrack(AudioStreamTrack())  # silence, as Opus
    video = peer.addTransceiver(Sweep(), direction="sendonly")
    h264 = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType == "video/H264"]
    video.setCodecPreferences(h264)  # the server takes H.264 and Opus only
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with aiohttp.ClientSession() as web:
        async with web.post(address, data=peer.localDescription.sdp, headers=headers) as answer:
            if answer.status != 201:
                raise SystemExit(f"refused: {answer.status} {await answer.text()}")
            session = urljoin(address, answer.headers["Location"])
            await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        try:
            await asyncio.wait_for(up.wait(), 15)  # a firewall that drops UDP is silent
            await asyncio.sleep(seconds)
        finally:
            async with web.delete(session, headers=headers):
                pass  # ends the stream at once; without it viewers wait a minute for us to come back
            await peer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Publishes a synthetic picture by WHIP.")
    parser.add_argument("address")
    parser.add_argument("token")
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    asyncio.run(publish(given.address, given.token, given.seconds))
