"""A broker that answers at once: acknowledgement and fill come back before `place` returns. What remains is our own cost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tradeloop.core.capabilities import Capabilities
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import BrokerSnapshot, BrokerUp, Execution, HeldCash, OrderAck, Report
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import AccountID, Amount, ClOrdID, Currency, ExecID, OrderID, Px, Symbol, UtcNs
from tradeloop.ports.clock import Clock
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY
from tradeloop.testing.desk import ABLE

CASH = Amount(Decimal(10**13))


class InstantBroker:
    """Fills everything at 10.00 and counts."""

    name = BROKER
    account: AccountID = ACCOUNT
    capabilities: Capabilities = ABLE

    def __init__(self, clock: Clock) -> None:
        self.filled = 0
        self._clock = clock
        self._report: Callable[[Report], None] = lambda _: None

    async def connect(self, report: Callable[[Report], None]) -> None:
        """Up at once."""
        self._report = report
        report(BrokerUp(BROKER))

    async def close(self) -> None:
        """Nothing to close."""

    async def place(self, order: Approved[Order]) -> None:
        """Acknowledge and fill."""
        self.filled += 1
        placed = order.order
        self._report(OrderAck(BROKER, placed.cl_ord_id, OrderID(f"b{self.filled}")))
        self._report(
            Execution(
                BROKER,
                ACCOUNT,
                DAY,
                ExecID(f"e{self.filled}"),
                placed.symbol,
                placed.side,
                placed.order_qty,
                Px(Decimal("10.00")),
                placed.cl_ord_id,
            )
        )

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        """Never asked for here."""
        raise AssertionError(cl_ord_id)

    async def replace(self, change: Approved[Replacement]) -> None:
        """Never asked for here."""
        raise AssertionError(change.order.cl_ord_id)

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        """The books before anything traded; asked for once, at the connect."""
        cash = HeldCash(ACCOUNT, Currency("CNY"), CASH)
        return BrokerSnapshot(BROKER, ACCOUNT, self._clock.now(), (), (), (), (cash,), orders_complete=True, trading_day=DAY)
