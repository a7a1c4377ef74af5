"""The settings of this room: the relay."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from livecommerce.settings import Count, Port


class Media(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(description="Address the relay binds its UDP (and TCP) port to.")] = "0.0.0.0"
    port: Annotated[Port, Meta(description="UDP port (and same TCP port) of the first relay; the next takes +1.")] = (
        8189
    )
    external_addresses: Annotated[
        tuple[str, ...], Meta(description="IP addresses viewers reach the relay by; empty: those of this machine.")
    ] = ()
    relays: Annotated[Count, Meta(le=100, description="Relay processes on this machine, one a core.")] = 1
    control_url: Annotated[
        str, Meta(description="Only for relays on other nodes: where web reaches this one, http://10.0.0.5:8188.")
    ] = ""
    bitrate_max_kbps: Annotated[Count, Meta(description="What the host is asked to stay under.")] = 2500
    simulcast: Annotated[
        bool,
        Meta(description="The studio also sends the picture at a half and a quarter of its size."),
    ] = True
    ice_servers: Annotated[
        tuple[dict[str, Any], ...], Meta(description="STUN/TURN servers handed to pages (RTCIceServer objects).")
    ] = ()
    turn_secret: Annotated[str, Meta(description="Shared secret for time-limited TURN credentials (coturn).")] = ""
    compiled_sending: Annotated[bool, Meta(description="Send by the compiled core where it was built.")] = True
    recording: Annotated[bool, Meta(description="Record every show as fragmented MP4 in the data folder.")] = False
