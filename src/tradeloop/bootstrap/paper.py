"""The paper broker, built out of the settings."""

from __future__ import annotations

from tradeloop.bootstrap.market import Market
from tradeloop.bootstrap.past import Past
from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted
from tradeloop.brokers.paper.store import gone
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput
from tradeloop.core.types import AccountID, Amount, Currency


def paper_broker(loaded: Loaded, market: Market) -> PaperBroker:
    """The embedded broker, which trades by the clock and the quotes of this process. Raises JournalFailed where its books are
    gone and the journal knows of them: new ones would be of an account that never traded.
    """
    return PaperBroker(
        paper_config(loaded, begun=_is_begun(loaded, market.past)), market.clock, undelivered_at=market.undelivered_at
    )


def lost_books(loaded: Loaded, past: Past) -> str | None:
    """What is said of paper books that are gone though the journal knows of them; None where they are there, or not needed."""
    path = loaded.home.paper_books
    if loaded.settings.broker.kind != "paper" or not _is_begun(loaded, past) or (path.exists() and path.stat().st_size):
        return None
    return gone(path)


def _is_begun(loaded: Loaded, past: Past) -> bool:
    broker = loaded.settings.broker
    if past.is_unread:
        return True  # nothing may be made over books of which the journal cannot say whether there are any
    known = past.state.accounts.get(AccountID(broker.account))
    return known is not None and known.adopted and known.broker == broker.name


def paper_config(loaded: Loaded, *, begun: bool = False) -> PaperConfig:
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
        begun=begun,
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
