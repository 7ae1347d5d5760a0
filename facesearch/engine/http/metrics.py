"""Counts and times of requests, and the size of the store, in the text form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

__all__ = ["CONTENT_TYPE", "Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The numbers of one server.

    `totals` counts the store's collections, faces and users. Where several processes serve one store, `folder` is
    where they share their numbers: each of them then tells the sums over all, those that have ended included.
    """

    def __init__(self, totals: Callable[[], tuple[int, int, int]], folder: Path | None = None) -> None:
        own = CollectorRegistry()
        self._requests = Counter(
            "facesearch_requests", "Requests answered.", ("operation", "code"), registry=own
        )
        self._seconds = Histogram(
            "facesearch_request_seconds",
            "Time from a request's headers to the end of its answer.",
            ("operation",),
            registry=own,
            buckets=_SECONDS,
        )
        self._told = own
        if folder is not None:
            self._told = CollectorRegistry()
            MultiProcessCollector(self._told, path=str(folder))  # type: ignore[no-untyped-call]
        self._told.register(_Store(totals))

    def observe(self, operation: str, code: str, seconds: float) -> None:
        """Count a request that was answered with this code (OK for a result)."""
        self._requests.labels(operation, code).inc()
        self._seconds.labels(operation).observe(seconds)

    def text(self) -> bytes:
        """All numbers as they are now."""
        return generate_latest(self._told)


class _Store(Collector):
    """What the store holds, counted when it is asked for."""

    def __init__(self, totals: Callable[[], tuple[int, int, int]]) -> None:
        self._totals = totals

    def describe(self) -> Iterator[Metric]:
        """The gauges without values: the store is not asked before somebody reads them."""
        yield GaugeMetricFamily("facesearch_collections", "Collections in the store.")
        yield GaugeMetricFamily("facesearch_faces", "Faces in the store.")
        yield GaugeMetricFamily("facesearch_users", "Users in the store.")

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        for gauge, value in zip(self.describe(), self._totals(), strict=True):
            gauge.add_sample(gauge.name, {}, value)
            yield gauge
