"""What this room counts, as Prometheus metrics. No label carries a viewer or a show."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

# `realtime` in the names is from when sockets were the only door; dashboards and alerts know the figures by it.
COMMENTS = Counter(
    "livecommerce_realtime_comments",
    "Comments by what became of them; presses and commands where they were refused.",
    ["reason"],
)
VERDICT_SECONDS = Histogram(
    "livecommerce_realtime_verdict_seconds",
    "From a comment's arrival to its answer.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
)
