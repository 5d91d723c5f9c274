"""A small, honest venue: line-JSON over TCP on the loopback, trivial matching, its own books, faults on demand (README.md)."""

from tradeloop.venues.toy.books import ToyBooks, ToyOrder, ToyTrade
from tradeloop.venues.toy.server import ToyServer
from tradeloop.venues.toy.venue import ToyRules, ToyVenue

__all__ = ["ToyBooks", "ToyOrder", "ToyRules", "ToyServer", "ToyTrade", "ToyVenue"]
