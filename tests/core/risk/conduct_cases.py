"""Cases of the rules of conduct."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tests.core.risk.capital_cases import fill_all
from tests.core.risk.cases import BANK, MOUTAI, Case, Step, a_limit, buys, limited, quoted, sells, waits
from tests.core.risk.frequency_cases import cancel_all

from tradeloop.core.commands import CancelOrder, SubmitOrder
from tradeloop.core.instrument import AssetClass
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.reports import CancelAck
from tradeloop.core.types import Side
from tradeloop.testing.builders import BROKER, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk


def with_holdings(limit: RiskLimit) -> Desk:
    """A desk that holds 10,000 of each of two stocks, which had cost 10 each."""
    held, costs = {MOUTAI: 10_000, BANK: 10_000}, {MOUTAI: 100_000, BANK: 100_000}
    return limited(limit, desk=Desk().opened(an_instrument(MOUTAI), an_instrument(BANK), positions=held, costs=costs))


def with_futures(limit: RiskLimit) -> Desk:
    """A desk with one future in place of the stock; cancels of 300 and more are large."""
    changes = {"asset_class": AssetClass.FUTURE, "margin_rate": "0.1", "lot": 1, "min_qty": 1, "shortable": True}
    future = an_instrument(MOUTAI, large_cancel_qty=Decimal(_LARGE), **changes)
    return limited(limit, desk=Desk().opened(future, an_instrument(BANK)))


def crossing_fills(count: int) -> Step:
    """Own orders on both sides trade with each other so often."""

    def fill(desk: Desk) -> None:
        for number in range(count):
            name = f"x{len(desk.events)}-{number}"
            for side in (Side.BUY, Side.SELL):
                desk.give(an_execution(None, MOUTAI, side, 1, "10", exec_id=name))

    return fill


def cancelled_slowly(desk: Desk) -> None:
    """Every open order is cancelled two seconds after it was made, and the broker agrees."""
    desk.wait(2)
    _cancelled(desk)


def cancelled_at_once(desk: Desk) -> None:
    """Every open order is cancelled in the moment it was sent, and the broker agrees."""
    _cancelled(desk)


def oldest_cancelled(desk: Desk) -> None:
    """The oldest of the open orders is cancelled two seconds later, and the broker agrees."""
    desk.wait(2)
    oldest = next(iter(desk.state.orders.open))
    desk.give(CancelOrder(oldest, "ann"), CancelAck(BROKER, oldest))


def _cancelled(desk: Desk) -> None:
    cancel_all(desk)
    for cl_ord_id in list(desk.state.orders.open):
        desk.give(CancelAck(BROKER, cl_ord_id))


def of_strategy(qty: int, symbol: str = MOUTAI) -> SubmitOrder:
    """An order of a strategy."""
    return buys(qty, symbol, strategy_id="alpha")


def _ramping(*more: Step) -> list[Step]:
    """The price rises by 2 % within half a minute, while 1,200 trade."""
    return [quoted("9.99", "10.01", volume=_VOLUME), waits(30), quoted("10.19", "10.21", volume=_VOLUME), *more]


_LARGE: Final = 300
_VOLUME: Final = 600
_NOT_TOGETHER: Final = "see `beyond`: what comes before passes, and the last order beside it does not"
_LOSS: Final[Callable[[Desk], None]] = fill_all

CASES: Final = (
    Case(
        limit=a_limit("no_duplicate_order", 2),
        below=[buys(100), waits(3), buys(100)],
        at=[buys(100), waits(2), buys(100)],
        beyond=[buys(100), waits(1.5), buys(100)],
        figures=("2 s", "1.5 s", "0 s"),
        together=(buys(100), buys(100)),
    ),
    Case(
        limit=a_limit("no_self_trade", 0, LimitScope.GLOBAL),
        below=[buys(100, price="10"), sells(100, price="10.02")],
        at=[buys(100, price="10"), sells(100, price="10.01")],
        beyond=[buys(100, price="10"), sells(100, price="10.00")],
        figures=("no", "no", "yes"),
        together=(sells(100, price="10.00"), buy(MOUTAI, 100)),
        desk=with_holdings,
    ),
    Case(
        limit=a_limit("max_repeated_executions", 2, LimitScope.STRATEGY),
        below=[of_strategy(100)],
        at=[of_strategy(100), of_strategy(200)],
        beyond=[of_strategy(100), of_strategy(200), of_strategy(300)],
        figures=("2", "2", "1"),
        alone_only=_NOT_TOGETHER,
    ),
    Case(
        limit=a_limit("max_repeated_executions", 2),
        below=[buys(100)],
        at=[buys(100), buys(200)],
        beyond=[buys(100), buys(200), buys(300)],
        figures=("2", "2", "1"),
        alone_only=_NOT_TOGETHER,
    ),
    Case(
        limit=a_limit("max_cancel_ratio", "0.5", floor=Decimal(2)),
        below=[buys(100), buys(100, BANK), buys(100), buys(100, BANK), oldest_cancelled, buys(100)],
        at=[buys(100), buys(100, BANK), buys(100), oldest_cancelled, buys(100)],
        beyond=[buys(100), buys(100, BANK), cancelled_slowly, buys(100)],
        figures=("50%", "66.66666667%", "33.33333333%"),
        alone_only=_NOT_TOGETHER,
    ),
    Case(
        limit=a_limit("max_quick_cancels_per_day", 2),
        below=[buys(100), cancelled_at_once, buys(100), cancelled_slowly, buys(100)],
        at=[buys(100), cancelled_at_once, buys(100)],
        beyond=[buys(100), cancelled_at_once, buys(100), cancelled_at_once, buys(100)],
        figures=("2", "2", "1"),
        alone_only=_NOT_TOGETHER,
    ),
    Case(
        limit=a_limit("max_self_trades", 2, LimitScope.SYMBOL),
        below=[buys(100)],
        at=[crossing_fills(1), buys(100)],
        beyond=[crossing_fills(2), buys(100)],
        figures=("2", "2", "1"),
        alone_only=_NOT_TOGETHER,
    ),
    Case(
        limit=a_limit("max_large_cancels_per_day", 1, LimitScope.SYMBOL),
        below=[buys(299), cancelled_slowly, buys(300)],
        at=[buys(299), cancelled_slowly, buys(300)],
        beyond=[buys(300), cancelled_slowly, buys(1)],
        figures=("1", "1", "1"),
        alone_only=_NOT_TOGETHER,
        desk=with_futures,
    ),
    Case(
        limit=a_limit("max_minute_share", "0.2", LimitScope.SYMBOL),
        below=_ramping(buys(200)),
        at=_ramping(buys(300)),
        beyond=_ramping(buys(400)),
        figures=("20%", "0%", "25%"),
        alone_only="see the test below: quotes come between",
    ),
    Case(
        limit=a_limit("max_minute_traded_value", 5000),
        below=[buys(200), buys(200, BANK)],
        at=[buys(200), buys(300, BANK)],
        beyond=[buys(200), buys(400, BANK)],
        figures=("5000", "2000", "4000"),
        together=(buys(300), buys(300, BANK)),
        done=fill_all,
    ),
    Case(
        limit=a_limit("cool_down_seconds", 60, LimitScope.SYMBOL),
        below=[buys(100), fill_all, waits(61), buys(100)],
        at=[buys(100), fill_all, waits(60), buys(100)],
        beyond=[buys(100), fill_all, waits(59), buys(100)],
        figures=("60 s", "59 s", "0 s"),
        alone_only=_NOT_TOGETHER,
    ),
    Case(
        limit=a_limit("cool_down_after_loss_seconds", 600, LimitScope.SYMBOL),
        below=[sells(100, price="9"), _LOSS, waits(601), buys(100)],
        at=[sells(100, price="9"), _LOSS, waits(600), buys(100)],
        beyond=[sells(100, price="9"), _LOSS, waits(599), buys(100)],
        figures=("600 s", "599 s", "0 s"),
        alone_only=_NOT_TOGETHER,
        desk=with_holdings,
    ),
)
