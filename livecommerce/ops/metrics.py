"""Figures every process has. Rooms register theirs beside their code in the same default registry.

Labels are few and bounded (role, event, outcome): never a show, viewer or comment id.
"""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, Histogram, Info, generate_latest

from livecommerce import __version__

LOOP_LAG = Histogram(
    "livecommerce_event_loop_lag_seconds",
    "How late the event loop ran a timer.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
READY = Gauge("livecommerce_ready", "1 when the last readiness check passed, else 0.")
BUILD = Info("livecommerce_build", "Version and role of this process.")


def describe_process(role: str, index: int) -> None:
    BUILD.info({"version": __version__, "role": role, "index": str(index)})


def exposition() -> tuple[bytes, str]:
    """(body, content type) of /metrics in the Prometheus text format."""
    return generate_latest(), CONTENT_TYPE_LATEST
