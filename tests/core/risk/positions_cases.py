"""Cases of the rules of positions. Every quote is 10.00 on both sides, so that each share counts for ten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.core.risk.cases import BANK, MOUTAI, Case, a_limit, buys, limited

from tradeloop.core.commands import SubmitOrder
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.types import OrdType
from tradeloop.testing.builders import a_quote, an_instrument, buy
from tradeloop.testing.desk import Desk

HELD, GOLD = "000001.SZ", "au2512.SHFE"
WORTH: Final = 100_000

GOLD_FUTURE: Final = an_instrument(
    GOLD,
    asset_class=AssetClass.FUTURE,
    lot=1,
    min_qty=1,
    multiplier=1000,
    margin_rate="0.1",
    shortable=True,
    odd_lot_sell=False,
)


def at_ten(
    *instruments: Instrument, cash: int = WORTH, positions: dict[str, int] | None = None, costs: dict[str, int] | None = None
) -> Callable[..., Desk]:
    """A desk of these whose every quote is ten, and whose equity is `cash` and what it holds."""

    def desk(*limits: RiskLimit) -> Desk:
        opened = Desk().opened(*instruments, cash=cash, positions=positions, costs=costs, quoted=False)
        for instrument in instruments:
            opened.give(a_quote(instrument.symbol, bid="10", ask="10"))
        return limited(*limits, desk=opened)

    return desk


STOCKS: Final = tuple(an_instrument(symbol, industry="food") for symbol in (MOUTAI, BANK, HELD))
rich: Final = at_ten(*STOCKS)


def lots(qty: int) -> SubmitOrder:
    """A limit order of gold, a thousand grams a lot."""
    return buy(GOLD, qty, ord_type=OrdType.LIMIT, price="10")


def of_one_symbol(rule: str, value: str | int, figures: tuple[str, str, str]) -> Case:
    """A limit that 500 shares of one symbol come to."""
    return Case(
        limit=a_limit(rule, value),
        below=[buys(200), buys(200)],
        at=[buys(200), buys(300)],
        beyond=[buys(200), buys(400)],
        figures=figures,
        together=(buys(300), buys(300)),
        desk=rich,
    )


def of_all(rule: str, value: str | int, figures: tuple[str, str, str]) -> Case:
    """A limit that 500 shares of whatever symbols come to."""
    return Case(
        limit=a_limit(rule, value),
        below=[buys(200), buys(200, BANK)],
        at=[buys(200), buys(300, BANK)],
        beyond=[buys(200), buys(400, BANK)],
        figures=figures,
        together=(buys(300), buys(300, BANK)),
        desk=rich,
    )


CASES: Final = (
    of_one_symbol("max_position_qty", 500, ("500", "200", "400")),
    of_one_symbol("max_position_value", 5000, ("5000", "2000", "4000")),
    of_one_symbol("max_position_ratio", "0.05", ("5%", "2%", "4%")),
    of_all("max_industry_value", 5000, ("5000", "2000", "4000")),
    of_all("max_industry_ratio", "0.05", ("5%", "2%", "4%")),
    of_all("max_gross_value", 5000, ("5000", "2000", "4000")),
    of_all("max_total_ratio", "0.05", ("5%", "2%", "4%")),
    of_all("max_net_value", 5000, ("5000", "2000", "4000")),
    of_all("max_leverage", "0.05", ("0.05", "0.02", "0.04")),
    of_all("min_cash_ratio", "0.95", ("95%", "98%", "-4%")),
    Case(
        limit=a_limit("max_positions", 2),
        below=[buys(100, HELD)],
        at=[buys(100, HELD), buys(100)],
        beyond=[buys(100, HELD), buys(100), buys(100, BANK)],
        figures=("2", "2", "1"),
        together=(buys(100), buys(100, BANK)),
        desk=at_ten(*STOCKS, positions={HELD: 100}),
    ),
    Case(
        limit=a_limit("max_open_orders", 3),
        below=[buys(100), buys(100, BANK)],
        at=[buys(100), buys(100, BANK), buys(100)],
        beyond=[buys(100), buys(100, BANK), buys(100), buys(100, BANK)],
        figures=("3", "3", "1"),
        alone_only="see `beyond`: the first three pass, and the fourth beside them does not",
        desk=rich,
    ),
    Case(
        limit=a_limit("max_margin_ratio", "0.05"),
        below=[lots(2), lots(2)],
        at=[lots(2), lots(3)],
        beyond=[lots(2), lots(4)],
        figures=("5%", "2%", "4%"),
        together=(lots(3), lots(3)),
        desk=at_ten(GOLD_FUTURE),
    ),
    Case(
        limit=a_limit("max_opened_qty_per_day", 5, LimitScope.SYMBOL),
        below=[lots(2), lots(2)],
        at=[lots(2), lots(3)],
        beyond=[lots(2), lots(4)],
        figures=("5", "2", "4"),
        together=(lots(3), lots(3)),
        desk=at_ten(GOLD_FUTURE),
    ),
)
"""Filled, the first orders count the same as in flight: tests/core/risk/test_positions.py and the laws show it."""
