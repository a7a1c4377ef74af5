"""The API's description is true: every route is in it, every path in it is a route, its references lead somewhere.

The rooms' files are written in a fixed form (paths two, methods four spaces in), so reading them needs no YAML library.
"""

from __future__ import annotations

import re

from livecommerce.api.build import own_routes
from livecommerce.api.description import added_up, description, fragments
from livecommerce.errors import catalogue
from livecommerce.roles.rooms import ROUTES
from tests.site import Site

TEXT = description()
# a replay is a page, a stream of files and a download of the show
SHARED_TAGS = {"replay": ("pages", "media", "shows")}


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


def test_nothing_is_described_by_two_rooms() -> None:
    paths, components = TEXT[TEXT.index("\npaths:\n") :].split("\ncomponents:\n")
    sections = {"paths": re.findall(r"^  (/\S*):$", paths, re.MULTILINE)}
    for section, lines in re.findall(r"^  (\w+):\n((?:    .*\n)+)", components, re.MULTILINE):
        assert section not in sections
        sections[section] = re.findall(r"^    (\w+):", lines, re.MULTILINE)
    assert {"schemas", "responses", "parameters"} <= set(sections)
    for section, names in sections.items():
        assert len(names) == len(set(names)), f"{section}: {sorted(names)}"


def test_a_room_describes_what_it_tags() -> None:
    """A tag is a room's, or `pages`; so who looks for a path knows whose file it is in."""
    for path in fragments():
        text = path.read_text("utf-8")
        tags = set(re.findall(r"^  - \{name: (\w+)", text, re.MULTILINE))
        assert len(tags) <= 1, path
        assert set(re.findall(r"tags: \[(\w+)\]", text)) <= {*tags, *SHARED_TAGS.get(path.parent.name, ())}, path


def test_lines_are_cut_and_joined_by_section() -> None:
    first = "head: 1\ntags:\n  - {name: a}\npaths:\n  /a:\n    get: {}\ncomponents:\n  schemas:\n    A: {}\n"
    second = "paths:\n  /b:\n    get: {}\ncomponents:\n  parameters:\n    b: {}\n  schemas:\n    B: {}\n"
    assert added_up([first, second]) == (
        "head: 1\ntags:\n  - {name: a}\npaths:\n  /a:\n    get: {}\n  /b:\n    get: {}\n"
        "components:\n  schemas:\n    A: {}\n    B: {}\n  parameters:\n    b: {}\n"
    )


async def test_it_is_served(site: Site) -> None:
    answer = await site.client.get("/api/openapi.yaml")
    assert answer.status == 200
    assert answer.content_type == "application/yaml"
    assert await answer.text() == TEXT
