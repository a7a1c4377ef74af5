"""What this room counts, as Prometheus metrics. No label carries a viewer or a show."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from livecommerce.realtime.broadcast import Delivery

TICK_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Metrics:
    def __init__(self) -> None:
        self.path = Gauge("livecommerce_realtime_path", "1 for the broadcast path that runs.", ["path"])
        self.viewers = Gauge("livecommerce_realtime_sockets", "Joined sockets of this process.", ["audience"])
        self.ticks = Counter("livecommerce_realtime_ticks", "Frames built.")
        self.tick_seconds = Histogram(
            "livecommerce_realtime_tick_seconds", "Wall time of one tick, all groups.", buckets=TICK_BUCKETS
        )
        self.deliveries = Counter("livecommerce_realtime_deliveries", "Frames written to sockets.", ["kind"])
        self.bytes = Counter("livecommerce_realtime_bytes", "Bytes of frames written to sockets.")
        self.closed = Counter("livecommerce_realtime_closed", "Sockets closed by the server.", ["code"])
        self.reloads = Counter("livecommerce_realtime_reloads", "Mirrors loaded again after a gap in the log.")

    def note(self, delivery: Delivery, frame_bytes: int) -> None:
        self.deliveries.labels("full").inc(delivery.written)
        self.bytes.inc(delivery.written * frame_bytes)
        if delivery.lean:
            self.deliveries.labels("lean").inc(delivery.lean)
        if delivery.skipped:
            self.deliveries.labels("skipped").inc(delivery.skipped)


METRICS = Metrics()
