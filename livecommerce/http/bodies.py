"""Reading what a request carries: bodies bounded in size and time, decoded into typed structs; numbers of a query."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from livecommerce.bounds import in_words
from livecommerce.errors import BadInput
from livecommerce.http.errors import BodyNotJson, BodyTooLarge, BodyTooSlow, MediaTypeWrong
from livecommerce.http.site import still_staff

JSON_BYTES_MAX = 1_000_000  # a show set-up of 500 products with long descriptions
BODY_SECONDS_MAX = 20.0  # a phone on a bad line sends 1 MB in that time; a slow trickle must not hold a handler longer

Kind = TypeVar("Kind")
HandlerKind = TypeVar("HandlerKind", bound=Callable[..., Awaitable[web.StreamResponse]])
_TAKEN: dict[object, frozenset[str]] = {}  # by handler, filled when the routes are defined


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge, BodyTooSlow; LoginNeeded where the login ended while the body came
    """
    if request.content_length is not None and request.content_length > bytes_max:
        raise BodyTooLarge(f"At most {bytes_max} bytes are taken here.")
    parts: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for part in request.content.iter_any():
                length += len(part)
                if length > bytes_max:
                    raise BodyTooLarge(f"At most {bytes_max} bytes are taken here.")
                parts.append(part)
    except TimeoutError as error:
        raise BodyTooSlow from error
    await still_staff(request)
    return b"".join(parts)


async def read_json(request: web.Request, kind: type[Kind], *, bytes_max: int = JSON_BYTES_MAX) -> Kind:
    """The body as a typed value. Only `application/json` is taken: an HTML form of another site cannot send that.

    Raises:
        MediaTypeWrong, BodyTooLarge, BodyTooSlow, BodyNotJson; BadInput with the path of the wrong field.
    """
    if request.content_type != "application/json":
        raise MediaTypeWrong("Send application/json.")
    body = await read_body(request, bytes_max)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"The request is not of the expected form: {in_words(str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyNotJson from error


def whole_number(request: web.Request, name: str, default: int, most: int, least: int = 0) -> int:
    """A query parameter from `least` to `most`.

    Raises:
        BadInput
    """
    text = request.query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,20}", text) or not least <= int(text) <= most:
        raise BadInput(f"{name} is a whole number from {least} to {most}.", field=name)
    return int(text)


def takes(*names: str) -> Callable[[HandlerKind], HandlerKind]:
    """Says which parameters a handler takes in its query; those of the API take no others (`check_query`)."""

    def noted(handler: HandlerKind) -> HandlerKind:
        _TAKEN[handler] = frozenset(names)
        return handler

    return noted


def check_query(request: web.Request) -> None:
    """
    Raises:
        BadInput: the query has a parameter that this route does not take, or one of them twice.
    """
    taken = _TAKEN.get(request.match_info.handler, frozenset())
    for name in request.query:
        if name not in taken:
            raise BadInput(f"This address takes no {name[:40]!r} in its query.", field=name[:40])
        if len(request.query.getall(name)) > 1:
            raise BadInput(f"{name} is given twice.", field=name)
