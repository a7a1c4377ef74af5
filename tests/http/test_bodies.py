"""Bodies as they come: too long, too slow, not what they say; and numbers of a query."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from livecommerce.errors import BadInput
from livecommerce.http import bodies
from livecommerce.http.bodies import whole_number
from tests.site import Site


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        (b"{}", "text/plain", (415, 1042)),
        (b"login=ling", "application/x-www-form-urlencoded", (415, 1042)),
        (b"", "application/json", (400, 1041)),
        (b"{", "application/json", (400, 1041)),
        (b'{"code": "\xff"}', "application/json", (400, 1041)),
        (b"[" * 100_000, "application/json", (400, 1000)),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "application/json", (400, 1041)),
        (b"[]", "application/json", (400, 1000)),
        (b"null", "application/json", (400, 1000)),
        (b" " * 1_000_001, "application/json", (413, 1040)),
        (b'{"code": "B02", "names": ["x"], "price_minor": 1e400}', "application/json", (400, 1000)),
    ],
)
async def test_bodies_that_cannot_be_read(site: Site, body: bytes, content_type: str, refusal: tuple[int, int]) -> None:
    await site.login()
    headers = {"Origin": site.origin, "Content-Type": content_type}
    answer = await site.client.post("/api/products", data=body, headers=headers)
    shape = await answer.json()
    assert (answer.status, shape["error"]["number"]) == refusal, shape


async def test_a_body_without_a_length_is_counted_while_it_comes(site: Site) -> None:
    await site.login()

    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 50_000

    headers = {"Origin": site.origin, "Content-Type": "application/json"}
    answer = await site.client.post("/api/products", data=endless(), headers=headers)
    assert (answer.status, (await answer.json())["error"]["number"]) == (413, 1040)


async def test_a_body_that_never_ends_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS_MAX", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.client.port)
    writer.write(
        b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    head = await reader.readuntil(b"\r\n")
    assert b" 408 " in head
    writer.close()


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 7), ("?n=0", 0), ("?n=10", 10), ("?n=007", 7),
        ("?n=11", None), ("?n=-1", None), ("?n=1.0", None), ("?n=", None), ("?n=x", None), ("?n=%EF%BC%91", None),
        ("?n=" + "9" * 30, None), ("?n=" + "0" * 21, None),
    ],
)  # fmt: skip
def test_a_number_of_the_query_is_whole_and_within_its_bounds(query: str, number: int | None) -> None:
    request = make_mocked_request("GET", f"/{query}")
    if number is not None:
        assert whole_number(request, "n", 7, 10) == number
        return
    with pytest.raises(BadInput) as refused:
        whole_number(request, "n", 7, 10)
    assert refused.value.details == {"field": "n"}
