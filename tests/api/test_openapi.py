"""The API's description is true: every route is in it, every path in it is a route, its references lead somewhere.

The file is written in a fixed form (paths two, methods four spaces in), so that reading it needs no YAML library.
"""

from __future__ import annotations

import re

from livecommerce.api.build import OPENAPI, own_routes
from livecommerce.errors import catalogue
from livecommerce.roles.rooms import ROUTES
from tests.site import Site

TEXT = OPENAPI.read_text("utf-8")


def described() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    path = ""
    paths = TEXT[TEXT.index("\npaths:\n") : TEXT.index("\ncomponents:\n")]
    for line in paths.splitlines():
        if matched := re.fullmatch(r"  (/\S*):", line):
            path = matched[1]
        elif matched := re.match(r"    (get|post|put|patch|delete|options):", line):
            found.add((matched[1].upper(), path))
    return found


def routed() -> set[tuple[str, str]]:
    routes = [route for room in (own_routes, *ROUTES) for route in room]
    return {(route.method, re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", route.path)) for route in routes}


def test_every_route_is_described_and_back() -> None:
    assert described() == routed()


def test_references_lead_somewhere() -> None:
    for section, name in re.findall(r'\$ref: "#/components/(\w+)/(\w+)"', TEXT):
        part = TEXT[TEXT.index(f"\n  {section}:") :]
        assert re.search(rf"^    {name}:", part, re.MULTILINE), f"{section}/{name}"


def test_path_parameters_are_declared() -> None:
    for _, path in described():
        if "{" in path:
            start = TEXT.index(f"\n  {path}:\n")
            block = TEXT[start : start + 400]
            for name in re.findall(r"\{(\w+)\}", path):
                assert f"parameters/{name}" in block or f"name: {name}," in block, path


def test_numbers_named_in_the_text_are_errors() -> None:
    numbers = {error.number for error in catalogue()}
    assert {int(number) for number in re.findall(r"\((\d{4})\)", TEXT)} <= numbers


async def test_it_is_served(site: Site) -> None:
    answer = await site.client.get("/api/openapi.yaml")
    assert answer.status == 200
    assert answer.content_type == "application/yaml"
    assert await answer.text() == TEXT
