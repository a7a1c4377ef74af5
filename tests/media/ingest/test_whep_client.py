"""Answers as the packet viewer reads them: ours, or the reason why not."""

from __future__ import annotations

import pytest

from livecommerce.media.ingest.whep_client import Remote, WhepClient, parse_answer
from livecommerce.media.tracks.track import Track
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.viewers.viewer import ViewerPlan
from livecommerce.media.wire import sdp
from tests.media.wire.test_sdp import without

IDENTITY = Identity()
LOCAL = sdp.Local("ours", "password", IDENTITY.fingerprint, "passive", ("1 1 udp 1 192.0.2.1 8189 typ host",))


async def answer_to(client: WhepClient) -> tuple[str, dict[str, Track]]:
    offer = sdp.parse_offer(client.offer())
    tracks = {"video": Track("video", 90_000), "audio": Track("audio", 48_000)}
    return sdp.write_answer(offer, ViewerPlan(offer, tracks, 77).answered, LOCAL, "1"), tracks


async def test_its_offer_is_one_and_our_answer_is_read() -> None:
    client = WhepClient(IDENTITY, host="127.0.0.1")
    answer, tracks = await answer_to(client)
    client.close()
    assert parse_answer(answer) == Remote(
        ("192.0.2.1", 8189),
        "ours",
        "password",
        IDENTITY.fingerprint,
        tuple(track.ssrc for track in tracks.values()),
    )


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("a=candidate", "candidate"),
        ("a=ice-ufrag", "ice-ufrag"),
        ("a=ice-pwd", "ice-pwd"),
        ("a=fingerprint", "fingerprint"),
    ],
)
async def test_an_answer_that_lacks_a_part_says_which(line: str, names: str) -> None:
    client = WhepClient(IDENTITY, host="127.0.0.1")
    answer, _ = await answer_to(client)
    with pytest.raises(ValueError, match=names):
        await client.connect(without(answer, line))
    client.close()
    client.close()


@pytest.mark.parametrize("noise", ["", "v=0", "<html>", "a=candidate:1 1 udp"])
def test_noise_is_no_answer(noise: str) -> None:
    with pytest.raises(ValueError, match="lacks"):
        parse_answer(noise)


@pytest.mark.parametrize("address", ["port", "192.0.2.1", "192.0.2.1 port"])
async def test_a_candidate_without_a_port_is_none(address: str) -> None:
    client = WhepClient(IDENTITY, host="127.0.0.1")
    answer, _ = await answer_to(client)
    client.close()
    with pytest.raises(ValueError):
        parse_answer(answer.replace("192.0.2.1 8189 typ host", address))
