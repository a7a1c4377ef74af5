"""The description holds against made-up requests: every status it answers is listed, every refusal has a number."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml

from livecommerce.api.description import description
from tests.browser.live_server import LiveServer

SEED = int(os.environ.get("SCHEMA_SEED", "11"))
EXAMPLES = 1  # of an operation
OURS = ("/api/", "/whip/", "/whep/")
LEFT_OUT = ("/api/logout",)  # it would end the session that all others stand on


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("schema") / "data")
    server.start()
    server.make_show("demo", [{"code": "B02", "names": ["馬克杯"], "price_minor": 250, "supply": 3}])
    yield server
    server.stop()


def wrong_answers(server: LiveServer, examples: int) -> list[str]:
    """What came back that the description does not say, by operation and status."""
    found: dict[str, int] = {}
    schema = schemathesis.openapi.from_dict(yaml.safe_load(description()))
    headers = {"Origin": server.address, "Cookie": server._cookie("owner")}

    def check(operation: Any, case: Any) -> None:
        if "show" in (case.path_parameters or {}):
            case.path_parameters["show"] = "demo"
        answer = case.call(base_url=server.address, headers=headers, timeout=30)
        status = str(answer.status_code)
        listed = {str(one) for one in operation.definition.raw["responses"]}
        has_number = answer.status_code < 400 or "number" in json.loads(answer.content)["error"]
        if status not in listed or status.startswith("500") or not has_number:
            name = f"{operation.method.upper()} {operation.path} {status}"
            found[name] = found.get(name, 0) + 1

    def ask(operation: Any) -> None:
        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=examples, deadline=None, database=None, phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def asked(case: Any) -> None:
            check(operation, case)

        asked()

    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith(OURS) and operation.path not in LEFT_OUT:
            ask(operation)
    return sorted(found)


@pytest.mark.timeout(600)  # made-up bodies take their time on a busy machine
def test_every_answer_is_described(server: LiveServer) -> None:
    assert wrong_answers(server, EXAMPLES) == [], f"SCHEMA_SEED={SEED}"
