"""The broker port: six verbs and a declaration of what the venue can do.

An adapter translates and nothing more: it never retries a submit, never invents a report, never drops one. After every connect
the engine subscribes, takes a snapshot, compares, and only then sends; an adapter need not guard against earlier orders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tradeloop.core.capabilities import Capabilities, Dedupes
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import BrokerSnapshot, Report
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import AccountID, ClOrdID, OrderID, Symbol, UtcNs

__all__ = ["Broker", "Capabilities", "Dedupes"]


class Broker(Protocol):
    """One account's way to a venue."""

    name: str
    account: AccountID
    capabilities: Capabilities

    async def connect(self, report: Callable[[Report], None]) -> None:
        """Open the session and deliver every report to `report`, in the order they happened; the first one is BrokerUp.

        `report` never blocks. A lost session is reported as BrokerDown and the adapter goes on trying to come back. Raises
        NotSent when it cannot be opened now; it is then called again, as it is after it was cancelled for taking too long.
        """
        ...

    async def close(self) -> None:
        """End the session; a second call does nothing."""
        ...

    async def place(self, order: Approved[Order]) -> None:
        """Send one order, once. Returns when the venue has taken the message; acceptance arrives as a report.

        Raises NotSent, Refused or FateUnknown, and nothing else. A venue that refuses an id because it has it (a duplicate)
        speaks of the first order's presence, not of its end: raise that as Refused with `of_repeat`.
        """
        ...

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        """Ask for a cancel; the answer arrives as a report. Raises NotSent, Refused or FateUnknown."""
        ...

    async def replace(self, change: Approved[Replacement]) -> None:
        """Ask for other terms of a working order, once; the answer arrives as ReplaceAck or ReplaceReject with `change.number`.

        The order keeps its cl_ord_id whatever the venue calls the request, and fills under any of these names are reported
        under it. Never cancel and place instead: where the venue cannot do both in one step, declare no `replaces` and raise
        Refused.
        Raises NotSent, Refused or FateUnknown.
        """
        ...

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        """The venue's books now. Raises NotSent when they cannot be read.

        Each symbol of the positions and each currency of the cash has one row with all of it, also where the venue shows parts
        apart (CTP: yesterday's and today's, long and short): only the adapter knows whether two rows are two parts, which it
        adds up, or one read twice. Two rows of one make that part unknown. Rows of other accounts that the login sees are left
        out; an adapter that cannot tell them apart names in each row the account it is of.
        """
        ...
