"""ICE servers as pages and encoders get them: credentials from the settings as they are, or made for some minutes."""

from __future__ import annotations

from livecommerce.media.client.ice_servers import CREDENTIAL_SECONDS, ice_servers, link_headers, needs_renewal
from livecommerce.media.settings import Media

STUN = {"urls": "stun:stun.example:3478"}
STATIC = {"urls": ["turn:turn.example:3478", "turns:turn.example:5349"], "username": "shop", "credential": "static"}


def test_static_credentials_are_handed_out_as_they_stand() -> None:
    servers = ice_servers(Media(ice_servers=(STUN, STATIC)), "viewer-1", 1_000)
    assert servers == [STUN, STATIC]
    assert link_headers(servers) == [
        '<stun:stun.example:3478>; rel="ice-server"',
        *(
            f'<{url}>; rel="ice-server"; username="shop"; credential="static"; credential-type="password"'
            for url in STATIC["urls"]
        ),
    ]


def test_with_a_secret_they_are_made_for_one_person_and_some_minutes() -> None:
    media = Media(ice_servers=(STUN, STATIC), turn_secret="shared with the TURN server")
    stun, turn = ice_servers(media, "viewer-1", 1_000)
    assert stun == STUN
    assert turn["username"] == f"{1_000 + CREDENTIAL_SECONDS}:viewer-1"
    assert turn["credential"] not in ("static", ice_servers(media, "viewer-2", 1_000)[1]["credential"])
    assert "shared" not in str(turn)
    assert CREDENTIAL_SECONDS <= 600


def test_nobody_gets_no_turn_server() -> None:
    for secret in ("", "shared with the TURN server"):
        media = Media(ice_servers=(STUN, STATIC), turn_secret=secret)
        assert ice_servers(media, None, 1_000) == [STUN]
        assert needs_renewal(media) is bool(secret)
    assert not needs_renewal(Media(ice_servers=(STUN,), turn_secret="shared"))
