"""Model and server side by side; the machine itself is in machine.py."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from livecommerce.ops.valkey import EmbeddedValkey
from tests.stock.machine import StockMachine
from tests.stock.servers import clocked_library

DEFAULT = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def run(server: EmbeddedValkey, wanted: settings) -> None:
    class Machine(StockMachine):
        url = server.url
        library = clocked_library()

    run_state_machine_as_test(Machine, settings=wanted)


def test_the_server_answers_like_the_model(stock_server: EmbeddedValkey) -> None:
    run(stock_server, DEFAULT)


@pytest.mark.nightly
def test_the_server_answers_like_the_model_for_long(stock_server: EmbeddedValkey) -> None:
    run(stock_server, settings(DEFAULT, max_examples=2000, stateful_step_count=60))
