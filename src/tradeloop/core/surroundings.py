"""What a decision may look at besides the state: the volatile market, the brokers' abilities, and the desk's policy.

None of it is journalled, because facts are not re-decided on replay: what a decision saw of it stands inside its events.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.capabilities import Capabilities
from tradeloop.core.minute import Minute
from tradeloop.core.pacing import Pace
from tradeloop.core.reports import OpenOrder, Quote
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, Symbol
from tradeloop.core.valuation import Valuation


class Policy(msgspec.Struct, frozen=True):
    """Settings of the core. Times in nanoseconds.

    `market_buffer`: how far above the offer a market order may fill before cash could fall short. `max_drift`: how far the
    price may have moved since an order was staged for it to be sent late. `ack_timeout_ns`: silence after which a sent
    order's fate is unknown. `send_within_ns` and `place_timeout_ns`: how long after SendBegun an order may still be handed to
    its adapter, and how long the adapter may take; the second is dispatch's own limit, on this clock.
    `resend_after_ns`: back-off for an order that surely did not leave (S1-43); after the last one a person decides.
    `recent_ns`: an order that changed more recently is not yet compared. `looks`: complete looks that prove absence.
    `approvers`: who may change a limit of risk; where there are two or more, one of them changes it and another approves.
    """

    market_buffer: Decimal = Decimal("0.01")
    max_drift: Decimal = Decimal("0.02")
    max_quote_age_ns: int = 60 * SECOND_NS
    ack_timeout_ns: int = 5 * SECOND_NS
    send_within_ns: int = 5 * SECOND_NS
    place_timeout_ns: int = 10 * SECOND_NS
    resend_after_ns: tuple[int, ...] = (1 * SECOND_NS, 2 * SECOND_NS, 5 * SECOND_NS)
    probe_every_ns: int = 1 * SECOND_NS
    unknown_alert_ns: int = 10 * SECOND_NS
    reconcile_every_ns: int = 30 * SECOND_NS
    recent_ns: int = 2 * SECOND_NS
    looks: int = 3
    approvers: tuple[str, ...] = ()


class Surroundings:
    """The market as last seen, the brokers by name, the policy in force, and the pace of each broker that has a rate.

    `accounts` is the one account that each adapter shows; one that is not named here may show any.
    `offsets`: by how much each broker's clock was ahead of ours at its last look, in nanoseconds.
    `settled` are lines of each account's books that said nothing new at the last look, of orders that have ended on both sides:
    the line, and the order's bytes at that time. It saves work and changes no decision. `minutes`: the market's last minute by
    symbol, while a limit asks for it. `valuation` is what positions are worth by these quotes, kept up while limits ask for it.
    """

    __slots__ = ("accounts", "brokers", "minutes", "offsets", "paces", "policy", "quotes", "settled", "valuation")

    def __init__(self, policy: Policy, brokers: dict[str, Capabilities], accounts: dict[str, AccountID] | None = None) -> None:
        self.policy = policy
        self.brokers = brokers
        self.accounts = {} if accounts is None else accounts
        self.quotes: dict[Symbol, Quote] = {}
        self.minutes: dict[Symbol, Minute] = {}
        self.valuation = Valuation()
        self.offsets: dict[str, int] = {}
        self.settled: dict[AccountID, dict[ClOrdID, tuple[OpenOrder, bytes]]] = {}
        self.paces = {
            name: Pace(name, able.rate_per_second) for name, able in brokers.items() if able.rate_per_second is not None
        }

    def serves(self, broker: str, account: AccountID) -> bool:
        """Whether a configured adapter shows this account: the journal may know others, from another configuration."""
        return broker in self.brokers and self.accounts.get(broker, account) == account
