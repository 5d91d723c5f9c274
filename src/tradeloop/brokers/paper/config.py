"""How a paper broker behaves: its account, its opening cash, its speed, its depth, and the faults it plays."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec

from tradeloop.brokers.paper.faults import FaultConfig
from tradeloop.core.errors import BadInput
from tradeloop.core.types import ZERO, AccountID, Amount, Currency


class PaperConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one paper account.

    `path` is the file of the broker's own books, None for memory only. `cash` is what the account is opened with when
    the books are new; books that exist already keep theirs. `latency_ns` is the way from the broker to the market, for
    orders and cancels. `bar_participation` is the share of a bar's volume that may be taken. `assumed_size` stands in
    for a displayed size the feed does not give; None means that such a quote fills nothing. `begun` says that the account has
    been traded: its books must exist, and are not made anew where they do not.
    """

    name: str = "paper"
    account: AccountID = AccountID("paper")
    path: Path | None = None
    cash: tuple[tuple[Currency, Amount], ...] = ((Currency("USD"), Amount(Decimal(1_000_000))),)
    latency_ns: int = 20_000_000
    bar_participation: Decimal = Decimal("0.10")
    assumed_size: Decimal | None = None
    faults: FaultConfig = FaultConfig()
    begun: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that could not mean anything."""
        if self.latency_ns < 0:
            raise BadInput(f"latency_ns was {self.latency_ns}; expected 0 or more nanoseconds")
        if not ZERO < self.bar_participation <= 1:
            raise BadInput(f"bar_participation was {self.bar_participation}; expected a fraction above 0, at most 1")
        if self.assumed_size is not None and self.assumed_size <= ZERO:
            raise BadInput(f"assumed_size was {self.assumed_size}; expected a positive quantity or nothing")
        for currency, amount in self.cash:
            if not amount.is_finite() or amount < ZERO:
                raise BadInput(f"opening cash in {currency} was {amount}; expected 0 or more")
