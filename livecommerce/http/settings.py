"""The settings of this room: where pages and sockets are served."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from livecommerce.settings import Port


class Http(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(description="Address the web role listens on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="TCP port of pages, API and sockets.")] = 8080
    public_url: Annotated[
        str,
        Meta(description="Address people use, e.g. https://live.example.com, or with a path; empty: from the request."),
    ] = ""
    frame_ancestors: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9.*:-]{1,200}\Z")], ...],
        Meta(description="Origins that may show watch and replay pages in a frame, e.g. https://shop.example; none."),
    ] = ()
    internal_port: Annotated[
        int,
        Meta(
            ge=-1,
            le=65535,
            description="Port of /health and /metrics: web n +n, relay n +100+n, worker +200; -1: none.",
        ),
    ] = 8081
    internal_host: Annotated[
        str, Meta(description="Address of the internal ports; never one that the public reaches.")
    ] = "127.0.0.1"
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="Addresses whose X-Forwarded-For and -Proto are believed.")
    ] = ("127.0.0.1", "::1")
