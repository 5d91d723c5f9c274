"""What is counted, in Prometheus' words: the requests here, and the desk as it stands when somebody asks.

Each application counts for itself, so that two in one process do not add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

if TYPE_CHECKING:
    from tradeloop.api.desk import Health
    from tradeloop.api.policy import Entry, SocketEntry

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"

_GAUGES: Final = {
    "up": ("broker_ready", "Whether the broker's books have been compared, so that orders may be sent."),
    "inbox_waiting": ("inbox_waiting", "Inputs that wait for the writer."),
    "durable_seq": ("journal_seq", "Number of the last event that is durable."),
    "shown_seq": ("views_seq", "Number of the last event that the read models show."),
    "orders_open": ("orders_open", "Orders that may still trade."),
    "orders_unknown": ("orders_unknown", "Orders of unknown fate."),
    "breaks_open": ("breaks_open", "Differences between books."),
    "halts": ("halts", "Halts in force."),
    "epoch": ("epoch", "The fencing token of this writer."),
}


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._answers = Counter(
            "tradeloop_http_answers", "Answers by route and status.", ("method", "path", "status"), registry=self._registry
        )
        self._counted: dict[tuple[str, str, int], Counter] = {}
        """The counters of what was answered so, because to look one up by its labels costs more than to count."""
        self._gauges = {
            field: Gauge(f"tradeloop_{name}", about, registry=self._registry) for field, (name, about) in _GAUGES.items()
        }

    def count_sockets(self, open_now: Callable[[], int]) -> None:
        """Show how many sockets of the stream are open."""
        gauge = Gauge("tradeloop_stream_sockets", "Sockets of the stream that are open.", registry=self._registry)
        gauge.set_function(open_now)

    def answered(self, entry: Entry | SocketEntry, status: int) -> None:
        """Count an answer."""
        key = entry.method, entry.path, int(status)
        counted = self._counted.get(key)
        if counted is None:
            counted = self._counted[key] = self._answers.labels(*map(str, key))
        counted.inc()

    def text(self, health: Health) -> bytes:
        """Everything, as Prometheus reads it."""
        for field, gauge in self._gauges.items():
            gauge.set(float(health.is_ready if field == "up" else getattr(health, field)))
        return generate_latest(self._registry)
