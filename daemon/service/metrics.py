"""What Prometheus sees: counts, times and outcomes, never a person, a waveform or a heart rate.

docs/monitoring.md lists them. Every one says by its label ``source`` whether the chip is simulated.
Needs the [metrics] extra, and is imported only where ``metrics.port`` is set.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from socketserver import ThreadingMixIn
from threading import Thread
from time import monotonic
from typing import Any, get_args
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from daemon.wire.addresses import LOOPBACK_HOST
from daemon.wire.errors import AddressInUse, AddressUnusable
from daemon.wire.messages import (
    AlarmMessage,
    BeatKindMessage,
    BeatMessage,
    ContactState,
    IdentityMessage,
    IdentityState,
    Kind,
    Message,
    ServiceState,
    Source,
    StatusMessage,
)

JITTER_BUCKETS_S = (10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 4e-3, 10e-3, 50e-3)
INFERENCE_BUCKETS_S = (100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3)
QUALITY_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

#: Counter of the status -> metric and what it counts.
STATUS_COUNTERS = {
    "received": ("qrsd_samples", "Samples that came from the chip."),
    "lost": ("qrsd_samples_lost", "Samples that were converted and did not come."),
    "bad_frames": ("qrsd_bad_frames", "Frames without the fixed status bits."),
    "late_reads": ("qrsd_late_reads", "Reads that ended after the next sample was due."),
    "bus_errors": ("qrsd_bus_errors", "SPI transfers that the kernel failed."),
    "saturated_frames": ("qrsd_saturated_samples", "Samples at the end of the ECG's range."),
    "reinitialisations": ("qrsd_chip_restarts", "Times that the chip was set up again."),
    "restarts": ("qrsd_acquisition_restarts", "Times that the process that reads it was."),
}

MOST_SCRAPES = 8  # at once; whoever comes beyond that is hung up on
SCRAPE_S = 5.0  # what a client may take to ask and to read


class Metrics:
    """Takes what happens in the service and keeps the count.

    Args:
        source: ``simulated`` if no real chip is behind it.

    Attributes:
        registry: what is served.
    """

    def __init__(self, source: Source) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._status = StatusCollector(source)
        registry.register(self._status)
        decisions = Counter(
            "qrsd_decisions",
            "Identity messages by outcome: one after each beat, and one whenever it changes.",
            ("source", "outcome"),
            registry=registry,
        )
        self._outcomes = {
            outcome: decisions.labels(source, outcome) for outcome in get_args(IdentityState)
        }
        self._beats = Counter("qrsd_beats", "Beats by kind.", ("source", "kind"), registry=registry)
        self._alarms = Counter(
            "qrsd_alarms", "Alarms by what began.", ("source", "kind"), registry=registry
        )
        self._source = source
        for kind in get_args(Kind):
            self._beats.labels(source, kind)
        self._jitter_s = self._histogram(
            "qrsd_drdy_jitter_seconds",
            "By how much an edge of DRDY is off the line through those before, either way.",
            JITTER_BUCKETS_S,
            source,
        )
        self._inference_s = self._histogram(
            "qrsd_inference_seconds", "Time in the network.", INFERENCE_BUCKETS_S, source
        )
        self._quality = self._histogram(
            "qrsd_beat_quality",
            "Quality of each beat, 0 (useless) to 1 (clean).",
            QUALITY_BUCKETS,
            source,
        )

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], source: Source
    ) -> Histogram:
        histogram = Histogram(name, meaning, ("source",), buckets=buckets, registry=self.registry)
        return histogram.labels(source)

    def edge(self, jitter_s: float) -> None:
        """Take by how many seconds an edge of DRDY was off the line through those before."""
        self._jitter_s.observe(abs(jitter_s))

    def inference(self, seconds: float) -> None:
        """Take how long the network took."""
        self._inference_s.observe(seconds)

    def message(self, message: Message) -> None:
        """Take what is being published."""
        match message:
            case StatusMessage():
                self._status.newest = message
            case IdentityMessage():
                self._outcomes[message.state].inc()
            case BeatMessage():
                self._quality.observe(message.quality)
            case BeatKindMessage():
                self._beats.labels(self._source, message.kind).inc()
            case AlarmMessage(end=None):
                self._alarms.labels(self._source, message.kind).inc()


class StatusCollector(Collector):
    """Tells what the newest status tells.

    Attributes:
        newest: the status; None before the first.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.newest: StatusMessage | None = None

    def collect(self) -> Iterable[Metric]:
        """Yield a family for each counter and each state."""
        status = self.newest
        if status is None:
            return
        for name, (metric, meaning) in STATUS_COUNTERS.items():
            counter = CounterMetricFamily(metric, meaning, labels=("source",))
            counter.add_metric((self._source,), getattr(status.counters, name))
            yield counter
        yield self._states(
            "contact", "Whether the electrodes touch the skin.", get_args(ContactState), status
        )
        yield self._states("state", "What the service does.", get_args(ServiceState), status)

    def _states(
        self, name: str, meaning: str, choices: Iterable[str], status: StatusMessage
    ) -> Metric:
        """Return 1 for the choice that the field of the status has, and 0 for all others."""
        gauge = GaugeMetricFamily(f"qrsd_{name}", meaning, labels=("source", name))
        for choice in choices:
            gauge.add_metric((self._source, choice), float(getattr(status, name) == choice))
        return gauge


class _Handler(WSGIRequestHandler):
    """Waits for no client longer than five seconds, and logs nothing."""

    timeout = SCRAPE_S

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """Serves a few at a time, so that idle connections take neither threads nor descriptors."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        self._asking: dict[socket, float] = {}  # since when
        super().__init__((LOOPBACK_HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread, or hang up where all are taken."""
        if len(self._asking) < MOST_SCRAPES:
            self._asking[request] = monotonic()
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and let the next one come."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._asking[request]

    def service_actions(self) -> None:
        """Hang up on who takes too long in all; the handler's timeout is for each byte anew."""
        for request, since_s in tuple(self._asking.items()):
            if monotonic() - since_s > SCRAPE_S:
                with suppress(OSError):  # unless it has gone by itself
                    request.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client go that broke off or took too long."""


@contextmanager
def served(metrics: Metrics, port: int) -> Iterator[int]:
    """Serve metrics on the loopback interface, and give the port.

    Raises:
        AddressInUse, AddressUnusable: the port cannot be had.
    """
    try:
        server = _Server(port)
    except OSError as error:
        place = f"metrics.port: {LOOPBACK_HOST}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(f"{place} is in use: choose another port") from error
        raise AddressUnusable(f"Cannot listen on {place}: {error.strerror}.") from error
    server.set_app(make_wsgi_app(metrics.registry))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
