"""The embedded paper broker: honest matching against quotes, its own books in its own file, faults on demand (README.md)."""

from tradeloop.brokers.paper.adapter import PaperBroker
from tradeloop.brokers.paper.config import PaperConfig
from tradeloop.brokers.paper.faults import Fault, FaultConfig, Scripted

__all__ = ["Fault", "FaultConfig", "PaperBroker", "PaperConfig", "Scripted"]
