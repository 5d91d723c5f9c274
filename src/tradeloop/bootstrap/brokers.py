"""The brokers that an installation can trade at: the one place where an adapter gets its kind, and where one is built.

A kind is a name of `BrokerKind` (config.py), its section of the settings, and a function here that makes the adapter of it.
A new kind trades on nothing but the prices of the present: a recorded or made-up one never sends an order to a market.
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
from tradeloop.core.events import TradedAt
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, Mode
from tradeloop.ports.broker import Broker

BROKERS: Final[Mapping[BrokerKind, Callable[[Loaded, Market], Broker]]] = {
    "paper": paper_broker,
    "toy": toy_broker,
}

REHEARSALS: Final[frozenset[str]] = frozenset({"paper", "toy"})
"""Kinds where nothing real is traded: these alone may follow a clock, or quotes, of another time or of none."""


def is_live(loaded: Loaded) -> bool:
    """Whether what needs care with real money is asked for here: at every broker but those of `REHEARSALS`, and at one of them
    where it stands in for a real one.
    """
    broker = loaded.settings.broker
    if broker.kind not in REHEARSALS:
        return True
    return broker.toy.as_live if broker.kind == "toy" else broker.paper.as_live


def traded_at(loaded: Loaded) -> TradedAt:
    """What the journal is told of the broker that the settings name."""
    broker = loaded.settings.broker
    return TradedAt(broker.name, broker.kind, is_live(loaded))


def live_brokers(loaded: Loaded, state: State) -> tuple[str, ...]:
    """The brokers that trade live, by the settings or by the journal: one that was live here stays so, because who can set a
    variable would release its halts otherwise.
    """
    named = (loaded.settings.broker.name,) if is_live(loaded) else ()
    return tuple(dict.fromkeys([*named, *(each.name for each in state.brokers.values() if each.live)]))


def mode_here(loaded: Loaded, state: State) -> Mode:
    """Whose money moves in a run that is sent here."""
    return Mode.LIVE if live_brokers(loaded, state) else Mode.PAPER


def refuse_another(loaded: Loaded, state: State) -> None:
    """Raises BadInput where the journal was written at another broker than the settings name, or has their account at another
    one: its orders and its holdings would be looked for where they never were.
    """
    broker, before = loaded.settings.broker, dict.fromkeys([*state.links, *state.brokers])
    known = state.brokers.get(broker.name)
    if known is not None and known.kind != broker.kind:
        raise BadInput(
            f"broker.kind was {broker.kind}, and the journal of {loaded.home.data} was written at broker {broker.name} of kind"
            f" {known.kind}; expected {known.kind}: set broker.kind back, in the environment and in .env too, or give the other"
            " broker a home of its own with --home"
        )
    if before and broker.name not in before:
        raise BadInput(
            f"the books of {loaded.home.data} were traded at broker {', '.join(before)}, and the settings name {broker.name}:"
            f" what is open and held would be looked for where it never was; give {broker.name} a home of its own with --home,"
            " or set broker.kind and broker.name back"
        )
    account = state.accounts.get(AccountID(broker.account))
    if account is not None and account.broker != broker.name:
        raise BadInput(
            f"broker.account was {broker.account} at broker {broker.name}, and the journal of {loaded.home.data} knows that"
            f" account at broker {account.broker}; expected {account.broker}: set broker.name and broker.kind back, or name the"
            f" account of {broker.name} in broker.account"
        )


def broker_of(loaded: Loaded, market: Market, past: Past) -> Broker:
    """The broker that the settings name, not connected yet. Raises BadInput where the journal was traded at another one, and
    where the prices are not those of the present and the broker is real.
    """
    broker = loaded.settings.broker
    if broker.kind not in REHEARSALS and (market.feed is not None or market.clock_kind != "wall"):
        raise BadInput(
            f"broker.kind was {broker.kind}, which trades for real, with {_played(loaded)}: recorded and made-up prices send no"
            f" order to a real market; expected broker.kind {' or '.join(sorted(REHEARSALS))} with it, in a home of its own"
        )
    refuse_another(loaded, past.state)
    return BROKERS[broker.kind](loaded, market)


def _played(loaded: Loaded) -> str:
    """What is not of the present, as the settings name it."""
    feed = loaded.settings.feed
    if feed.kind != "none":
        return f"feed.kind {feed.kind}"
    return f"feed.start {feed.start}" if feed.start else "a journal that was written in the time of a recording"
