"""Figures every process has. Rooms register theirs beside their code in the same default registry.

Labels are few and bounded (role, event, outcome): never a show, viewer or comment id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    Info,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from livecommerce import __version__

disable_created_metrics()  # a `_created` line beside every counter would double /metrics and nobody asks for them

LOOP_LAG = Histogram(
    "livecommerce_event_loop_lag_seconds",
    "How late the event loop ran a timer.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
READY = Gauge("livecommerce_ready", "1 when the last readiness check passed, else 0.")
DEGRADED = Gauge("livecommerce_degraded", "1 while ready without a part (its check_ready is 0), else 0.")
CHECK_READY = Gauge("livecommerce_check_ready", "1 when this part of readiness is good, else 0.", ["check"])
STORAGE_FULL = Gauge("livecommerce_storage_full", "1 while Valkey refuses writes (disk guard, memory, disk), else 0.")
CLOCK_STEPS = Counter("livecommerce_clock_steps_total", "Jumps of the machine's clock by more than 5 s.")
DESCRIPTORS = Gauge("livecommerce_descriptors_open", "Open files and sockets of this process.")
DESCRIPTORS_MAX = Gauge("livecommerce_descriptors_max", "How many open files this process may have.")
BUILD = Info("livecommerce_build", "Version and role of this process.")


def describe_process(role: str, index: int) -> None:
    BUILD.info({"version": __version__, "role": role, "index": str(index)})


def exposition() -> tuple[bytes, str]:
    """(body, content type) of /metrics in the Prometheus text format."""
    return generate_latest(), CONTENT_TYPE_LATEST


class Figures(Collector):
    """Turns a room's flat dict of numbers into metrics at the moment of scraping.

    Names ending in `_total` become counters, all others gauges.
    """

    def __init__(self, prefix: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._prefix = prefix
        self._read = read

    def collect(self) -> Iterator[Metric]:
        for name, value in self._read().items():
            full = f"livecommerce_{self._prefix}_{name}"
            family: Metric
            if name.endswith("_total"):
                family = CounterMetricFamily(full.removesuffix("_total"), f"{self._prefix}: {name}", value=value)
            else:
                family = GaugeMetricFamily(full, f"{self._prefix}: {name}", value=value)
            yield family


_registered: dict[str, Figures] = {}  # by prefix: one entry a room


def register(prefix: str, read: Callable[[], Mapping[str, float]]) -> None:
    """Adds a room's figures to /metrics of this process as `livecommerce_<prefix>_<name>`, in place of earlier ones."""
    before = _registered.pop(prefix, None)
    if before is not None:
        REGISTRY.unregister(before)
    _registered[prefix] = figures = Figures(prefix, read)
    REGISTRY.register(figures)
