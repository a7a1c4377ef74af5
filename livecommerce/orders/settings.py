"""The settings of this room: the files a shop takes its orders away in, and how it is paid."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Orders(Struct, frozen=True, forbid_unknown_fields=True):
    time_zone: Annotated[
        str,
        Meta(description="Zone of the times in exported orders, as Asia/Taipei; empty: that of the first language."),
    ] = ""
    payments: Annotated[
        tuple[str, ...],
        Meta(
            description="Payment providers in the order of their buttons, each a file of orders/payments/: "
            "`name` or `name:account`."
        ),
    ] = ("manual",)
