"""The settings of this room: holds and batches."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from livecommerce.settings import Count

SECONDS_OF_30_DAYS = 2_592_000


class Stock(Struct, frozen=True, forbid_unknown_fields=True):
    hold_seconds: Annotated[
        Count, Meta(le=SECONDS_OF_30_DAYS, description="How long a reservation is held before it must be paid.")
    ] = 900
    offer_seconds: Annotated[
        Count, Meta(le=SECONDS_OF_30_DAYS, description="How long a waitlist offer waits for an answer.")
    ] = 300
    batch_max: Annotated[Count, Meta(le=1000, description="Operations in one FCALL at most.")] = 256
    replicas_wait: Annotated[
        int, Meta(ge=0, le=8, description="Replicas that must have a reservation before it is acknowledged; 0: none.")
    ] = 0
    queue_length_max: Annotated[
        Count, Meta(le=10_000_000, description="Operations waiting per process before `busy`.")
    ] = 20_000
