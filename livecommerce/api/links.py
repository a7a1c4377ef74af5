"""Addresses of this site as people see them."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from livecommerce.accounts.addresses import request_scheme
from livecommerce.api.context import context_of


def is_https(request: web.Request) -> bool:
    return request_scheme(request, context_of(request).settings.http.trusted_proxies) == "https"


def public_base(request: web.Request) -> str:
    """`https://live.example.com`: the address people use, from the settings, else from the request."""
    settings = context_of(request).settings
    if settings.http.public_url:
        public = urlsplit(settings.http.public_url)
        return f"{public.scheme}://{public.netloc}"
    return f"{request_scheme(request, settings.http.trusted_proxies)}://{request.host}"


def page_urls(request: web.Request, show: str) -> dict[str, str]:
    return {"whep": f"/whep/{show}", "whip": f"/whip/{show}", "watch": f"{public_base(request)}/live/{show}"}
