"""The settings of this room: sockets and comments."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from livecommerce.settings import Count


class Realtime(Struct, frozen=True, forbid_unknown_fields=True):
    viewers_max: Annotated[Count, Meta(le=1_000_000, description="Sockets on one web process.")] = 12_000
    network_percent: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="Of the sockets of a web process, what one network may have; 100: all.",
        ),
    ] = 50
    tick_hz_max: Annotated[float, Meta(ge=2, le=20, description="Frames per second to viewers at low load.")] = 20.0
    comment_length_max: Annotated[Count, Meta(le=500, description="Characters in a comment.")] = 200
    comments_per_10_seconds: Annotated[Count, Meta(description="Comments one viewer may send in ten seconds.")] = 8
