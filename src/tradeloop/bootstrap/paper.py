"""The paper broker, built out of the settings."""

from __future__ import annotations

from tradeloop.bootstrap.market import Market
from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput
from tradeloop.core.types import AccountID, Amount, Currency


def paper_broker(loaded: Loaded, market: Market) -> PaperBroker:
    """The embedded broker, which trades by the clock and the quotes of this process."""
    return PaperBroker(paper_config(loaded), market.clock, undelivered_at=market.undelivered_at)


def paper_config(loaded: Loaded) -> PaperConfig:
    broker = loaded.settings.broker
    paper = broker.paper
    return PaperConfig(
        name=broker.name,
        account=AccountID(broker.account),
        path=loaded.home.paper_books,
        cash=tuple((Currency(currency), Amount(amount)) for currency, amount in paper.cash.items()),
        latency_ns=paper.latency_ms * 1_000_000,
        bar_participation=paper.bar_participation,
        assumed_size=paper.assumed_size,
        faults=FaultConfig(
            script=tuple(_scripted(line) for line in paper.faults.script),
            rates=tuple((_fault(name), rate) for name, rate in paper.faults.rates.items()),
            seed=paper.faults.seed,
            delay_ns=paper.faults.delay_ms * 1_000_000,
            late_ns=paper.faults.late_ms * 1_000_000,
            outage_ns=paper.faults.outage_ms * 1_000_000,
        ),
    )


def _scripted(written: str) -> Scripted:
    name, _, nth = written.partition(":")
    if not nth.isdigit():
        raise BadInput(f"broker.paper.faults.script was {written[:40]!r}; expected fault:nth such as drop_ack:1")
    return Scripted(_fault(name), int(nth))


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        known = ", ".join(fault.value for fault in Fault)
        raise BadInput(f"the fault was {name[:40]!r}; expected one of {known}") from None
