"""The brokers that an installation can trade at: the one place where an adapter gets its kind, and where one is built.

A kind is a name of `BrokerKind` (config.py), its section of the settings, and a function here that makes the adapter of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tradeloop.bootstrap.market import Market
from tradeloop.bootstrap.paper import paper_broker
from tradeloop.bootstrap.past import Past
from tradeloop.bootstrap.toy import toy_broker
from tradeloop.config import BrokerKind, Loaded
from tradeloop.core.errors import BadInput
from tradeloop.ports.broker import Broker

BROKERS: Final[Mapping[BrokerKind, Callable[[Loaded, Market], Broker]]] = {
    "paper": paper_broker,
    "toy": toy_broker,
}


def broker_of(loaded: Loaded, market: Market, past: Past) -> Broker:
    """The broker that the settings name, not connected yet. Raises BadInput where the journal was traded at another one."""
    broker, before = loaded.settings.broker, past.state.links
    if before and broker.name not in before:
        raise BadInput(
            f"the books of {loaded.home.data} were traded at broker {', '.join(before)}, and the settings name {broker.name}:"
            f" what is open and held would be looked for where it never was; give {broker.name} a home of its own with --home,"
            " or set broker.kind and broker.name back"
        )
    return BROKERS[broker.kind](loaded, market)
