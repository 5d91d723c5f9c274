"""The laws of money: free cash never falls below zero, and every change of a balance has a fill behind it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tradeloop.core.cash import CashBook
from tradeloop.core.instrument import AssetClass
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, OrderReject, SendOutcome
from tradeloop.core.types import ZERO, Currency, OrdType, PositionEffect, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy, fees, known, sell
from tradeloop.testing.desk import Desk

CNY, USD = Currency("CNY"), Currency("USD")
STOCKS = (
    an_instrument("600519.SH", lot=1, min_qty=1, fees=fees("0.001", 5)),
    an_instrument("AAPL.US", lot=1, min_qty=1, currency=USD, fees=fees("0.0003", 1)),
)
START = 20_000

deeds = st.lists(
    st.tuples(
        st.sampled_from(["buy", "market", "sell", "fill", "fill", "fill", "cancel", "reject", "lose"]),
        st.integers(1, 900),
        st.integers(500, 1500),
        st.sampled_from(STOCKS),
    ),
    max_size=40,
)
"""(what, quantity or which order, price in cents or a bound of it, in what)."""


NO_COST = {"600519.SH": 0, "AAPL.US": 0}
"""Shares that were given: what they cost is known to be nothing."""


def a_desk() -> Desk:
    desk = Desk().opened(*STOCKS, cash=START, positions={"600519.SH": 1000, "AAPL.US": 1000}, costs=NO_COST)
    desk.state.accounts[ACCOUNT].cash[USD] = CashBook(desk.state.accounts[ACCOUNT].cash[CNY].balance)
    return desk


def do(desk: Desk, deed: str, number: int, cents: int, symbol: Symbol, fill_id: str) -> None:
    """One deed; a fill keeps to its order's limit, and a market order's to its bound."""
    px = Decimal(cents) / 100
    working = [o for o in desk.state.orders.open.values() if o.symbol == symbol]
    if deed in ("buy", "sell"):
        make = buy if deed == "buy" else sell
        assert isinstance(desk.give(make(symbol, number, ord_type=OrdType.LIMIT, price=str(px))), OrderReply)
    elif deed == "market":
        assert isinstance(desk.give(buy(symbol, number)), OrderReply)
    elif working:
        order = working[number % len(working)]
        limit = order.price if order.price is not None else Decimal("10.10")
        match deed:
            case "cancel":
                desk.give(CancelAck(BROKER, order.cl_ord_id))
            case "reject":
                desk.give(OrderReject(BROKER, order.cl_ord_id, "7", "no"))
            case "lose":
                desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timed out"))
            case _:
                better = min(limit, px) if order.side is Side.BUY else max(limit, px)
                qty = min(order.leaves_qty, Decimal(number))
                fill = an_execution(order.cl_ord_id, symbol, order.side, qty, better, fill_id, commission=None)
                desk.give(fill)


@given(deeds)
def test_free_cash_never_falls_below_zero_while_fills_keep_to_their_bounds(
    path: list[tuple[str, int, int, object]],
) -> None:
    """Whatever is accepted is paid for before it is sent, fees included, in its own currency."""
    desk = a_desk()
    for place, (deed, number, cents, instrument) in enumerate(path):
        do(desk, deed, number, cents, instrument.symbol, f"e{place}")  # type: ignore[attr-defined]
        for book in desk.state.accounts[ACCOUNT].cash.values():
            assert book.free >= 0
            assert book.reserved >= 0


@given(deeds)
def test_each_currency_moves_by_the_fills_in_it_alone(path: list[tuple[str, int, int, object]]) -> None:
    """cash - start == realised - cost - fees, exactly, in each currency."""
    desk = a_desk()
    for place, (deed, number, cents, instrument) in enumerate(path):
        do(desk, deed, number, cents, instrument.symbol, f"e{place}")  # type: ignore[attr-defined]
    for stock in STOCKS:
        held = desk.state.held(ACCOUNT, stock.symbol)
        assert (
            desk.cash(stock.currency) - START
            == known(held.realized) - known(held.long_cost) + known(held.short_cost) - held.fees
        )


@given(deeds)
def test_when_every_order_has_ended_nothing_is_promised(path: list[tuple[str, int, int, object]]) -> None:
    desk = a_desk()
    for place, (deed, number, cents, instrument) in enumerate(path):
        do(desk, deed, number, cents, instrument.symbol, f"e{place}")  # type: ignore[attr-defined]
    for order in list(desk.state.orders.open.values()):
        desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    assert [book.reserved for book in desk.state.accounts[ACCOUNT].cash.values()] == [0, 0]
    assert [desk.state.held(ACCOUNT, stock.symbol).long_frozen for stock in STOCKS] == [0, 0]


GOLD = an_instrument(
    "au2512.SHFE",
    asset_class=AssetClass.FUTURE,
    lot=1,
    min_qty=1,
    multiplier=1000,
    margin_rate="0.1",
    shortable=True,
    odd_lot_sell=False,
)
contracts = st.lists(
    st.tuples(st.sampled_from(list(Side)), st.sampled_from(list(PositionEffect)), st.integers(1, 5), st.integers(900, 1100)),
    max_size=25,
)


@given(contracts)
def test_a_contract_moves_cash_by_its_profit_alone_and_holds_margin_for_what_is_open(
    path: list[tuple[Side, PositionEffect, int, int]],
) -> None:
    """D5: flat, the change of cash is the realised profit less fees, and no margin is held."""
    desk = Desk().opened(GOLD, cash=10_000_000)
    for place, (side, effect, qty, cents) in enumerate(path):
        make = buy if side is Side.BUY else sell
        reply = desk.give(make(GOLD.symbol, qty, position_effect=effect))
        assert isinstance(reply, OrderReply)
        if reply.denied is None:
            px = Decimal(cents) / 100
            desk.give(an_execution(reply.cl_ord_id, GOLD.symbol, side, qty, px, f"e{place}", commission=Decimal(3)))
        held, book = desk.state.held(ACCOUNT, GOLD.symbol), desk.state.accounts[ACCOUNT].cash[CNY]
        assert book.balance - 10_000_000 == known(held.realized) - held.fees
        assert book.margin == (known(held.long_cost) + known(held.short_cost)) / 10
        assert (held.long_frozen, held.short_frozen, book.reserved) == (ZERO, ZERO, ZERO)
