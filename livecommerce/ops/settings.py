"""The settings of this room: the store."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Redis(Struct, frozen=True, forbid_unknown_fields=True):
    url: Annotated[
        str, Meta(description="redis:// or unix:// of Valkey/Redis >= 7.0, or any node of a cluster; empty: embedded.")
    ] = ""
    accept_loss: Annotated[
        str,
        Meta(
            description="What that server may forget of what buyers were told: none (AOF, fsync always), second "
            "(everysec), all (no AOF)."
        ),
    ] = "none"
