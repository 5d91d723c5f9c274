"""A desk that is driven at random: orders that open and close, their fills in any order, and what becomes of both; with the
sums over all of it, made anew by a walk that knows nothing of how the product keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, localcontext

from hypothesis import strategies as st

from tradeloop.core.commands import ListInstruments, ReplaceOrder
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    CancelAck,
    ExecutionBust,
    OrderReject,
    ReplaceAck,
    ReplaceReject,
    SendOutcome,
)
from tradeloop.core.state import Account, State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrdType,
    PositionEffect,
    Qty,
    Side,
    Symbol,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

CNY, USD = Currency("CNY"), Currency("USD")
OTHER = AccountID("other")
ACCOUNTS = (ACCOUNT, OTHER)
STOCK = an_instrument("600519.SH", lot=1, min_qty=1, industry="drinks")
SHORTABLE = an_instrument("AAPL.US", lot=1, min_qty=1, currency=USD, industry="tech", shortable=True, margin_rate="0.5")
BANK = an_instrument("600036.SH", lot=1, min_qty=1, shortable=True, margin_rate="0.5")
FUTURE = an_instrument(
    "au2512.SHFE", asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=10, margin_rate="0.1", shortable=True
)
ALL = (STOCK, SHORTABLE, BANK, FUTURE)
INDUSTRIES = ("", "drinks", "tech")
_EXACT = Context(prec=200)

orders = st.tuples(
    st.just("order"),
    st.sampled_from(ALL),
    st.sampled_from(list(Side)),
    st.integers(1, 900),
    st.sampled_from([PositionEffect.AUTO, PositionEffect.AUTO, PositionEffect.OPEN, PositionEffect.CLOSE]),
    st.sampled_from(ACCOUNTS),
)
fates = st.tuples(
    st.sampled_from(
        ["fill", "fill", "fill", "late", "cancel", "cancel", "reject", "lose", "ack", "change", "changed", "unchanged"]
    ),
    st.integers(0, 30),
    st.integers(1, 900),
)
"""(what, which open order, how much of it)."""
bad_luck = st.tuples(
    st.sampled_from(["bust", "bust", "bust", "quote", "dark", "industry", "restart", "process"]),
    st.integers(0, 30),
    st.integers(1, 2000),
)


class Life:
    """A desk of two accounts, each rich in two currencies; `px` is the last price anybody named, by symbol."""

    def __init__(self, held: dict[str, int] | None = None, *, quoted: bool = True) -> None:
        held = held or {}
        self.desk = Desk().opened(*ALL, cash=10_000_000, positions=held, costs=dict.fromkeys(held, 0), quoted=False)
        state = self.desk.state
        rich = Amount(Decimal(10_000_000))
        state.accounts[OTHER] = Account(BROKER, adopted=True)
        state.links[BROKER].compared[OTHER] = None
        for account in ACCOUNTS:
            for currency in (CNY, USD):
                state.cash(account, currency).balance = rich
        self.px: dict[Symbol, Decimal] = {}
        self.fills: list[tuple[AccountID, Side, str]] = []
        self.numbers = 0
        for instrument in ALL if quoted else ():
            self.quote(instrument.symbol, Decimal(10))

    def quote(self, symbol: Symbol, px: Decimal | None) -> None:
        """A quote one tick wide, or one without any price."""
        self.desk.wait(1)
        at = self.desk.now
        if px is None:
            self.desk.give(a_quote(symbol, bid=None, ask=None, at=at))
            return
        self.desk.give(a_quote(symbol, bid=px, ask=px + Decimal("0.01"), at=at))
        self.px[symbol] = px + Decimal("0.005")

    def do(self, deed: tuple[object, ...]) -> None:
        """One deed of the strategies above; one that has nothing to act on does nothing."""
        match deed:
            case ("order", Instrument() as instrument, Side() as side, int(qty), PositionEffect() as effect, str() as account):
                make = buy if side is Side.BUY else sell
                self.desk.give(
                    make(
                        instrument.symbol,
                        qty,
                        ord_type=OrdType.LIMIT,
                        price="10.00",
                        position_effect=effect,
                        account=AccountID(account),
                    )
                )
            case ("bust" | "quote" | "dark" | "industry" | "restart" | "process" as what, int(which), int(much)):
                self.misfortune(what, which, much)
            case ("late", int(which), int(much)):
                everything = [*self.desk.state.orders.open, *(own for own, _ in self.desk.state.orders.closed.items())]
                if everything:
                    self.fill(self.desk.known(ClOrdID(everything[which % len(everything)])), much)
            case (str() as what, int(which), int(much)):
                working = list(self.desk.state.orders.open.values())
                if working:
                    self.becomes(working[which % len(working)], what, much)
            case _:
                raise AssertionError(f"expected a deed of the strategies above, was {deed}")

    def becomes(self, order: Order, what: str, much: int) -> None:
        """What the broker says of an order, or is asked of it."""
        desk, own = self.desk, order.cl_ord_id
        replaces = order.replaces or []
        match what:
            case "fill":
                self.fill(order, much)
            case "ack":
                desk.ack(order, f"b{own}")
            case "cancel":
                desk.give(CancelAck(BROKER, own))
            case "reject":
                desk.give(OrderReject(BROKER, own, "7", "no"))
            case "lose":
                desk.give(SendOutcome(BROKER, own, "UNKNOWN", "timed out"))
            case "change" if not order.unknown_at and not replaces and order.cum_qty + much != order.order_qty:
                if order.acked_at is None:
                    desk.ack(order, f"b{own}")
                desk.give(ReplaceOrder(own, "ann", order_qty=Qty(order.cum_qty + much)))
            case "changed" if replaces:
                asked = replaces[0]
                now = Qty(max(asked.terms.order_qty, order.cum_qty))
                desk.give(ReplaceAck(BROKER, own, now, asked.terms.price, None, asked.number, None, order.cum_qty))
            case "unchanged" if replaces:
                desk.give(ReplaceReject(BROKER, own, "0", "too late", replaces[0].number))

    def fill(self, order: Order, much: int) -> None:
        """So much of it fills, or what is left; after its end as well, where the word of a fill comes late."""
        qty = min(max(order.order_qty - order.cum_qty, ZERO), Decimal(much))
        if not qty:
            return
        self.numbers += 1
        exec_id = f"e{self.numbers}"
        self.fills.append((order.account, order.side, exec_id))
        self.desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, "10.00", exec_id, account=order.account))

    def misfortune(self, what: str, which: int, much: int) -> None:
        """What moves the sums without an order."""
        desk, instrument = self.desk, ALL[which % len(ALL)]
        match what:
            case "bust" if self.fills:
                account, side, exec_id = self.fills.pop(which % len(self.fills))
                desk.give(ExecutionBust(BROKER, account, DAY, ExecID(exec_id), side))
            case "quote":
                self.quote(instrument.symbol, Decimal(much) / 100 if instrument is not FUTURE else Decimal(much - 1000) / 100)
            case "dark":
                self.quote(instrument.symbol, None)
            case "industry":
                known = desk.state.instruments[instrument.symbol]
                fields = {name: getattr(known, name) for name in known.__struct_fields__}
                desk.give(ListInstruments((Instrument(**{**fields, "industry": INDUSTRIES[much % 3]}),)))
            case "restart":
                desk.state = State.unpack(desk.state.pack())
            case "process":
                desk.state = State.unpack(desk.state.pack())
                desk.around = Surroundings(desk.around.policy, desk.around.brokers)
                self.px.clear()
            case _:
                assert what == "bust", f"expected a misfortune of those above, was {what!r}"


def legs(life: Life, account: AccountID, symbol: Symbol) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Long and short at worst, and what buys and sells may still trade: by a walk over the open orders."""
    position = life.desk.state.held(account, symbol)
    still = {(side, opens): ZERO for side in Side for opens in (False, True)}
    for order in life.desk.state.orders.open.values():
        if (order.account, order.symbol) == (account, symbol):
            most = max(order.order_qty, *(asked.terms.order_qty for asked in order.replaces or ()), ZERO)
            still[order.side, order.position_effect is PositionEffect.OPEN] += max(most - order.cum_qty, ZERO)
    long = position.long_qty + still[Side.BUY, True] + max(still[Side.BUY, False] - position.short_qty, ZERO)
    short = position.short_qty + still[Side.SELL, True] + max(still[Side.SELL, False] - position.long_qty, ZERO)
    return long, short, still[Side.BUY, False] + still[Side.BUY, True], still[Side.SELL, False] + still[Side.SELL, True]


def walked(life: Life, account: AccountID, currency: Currency, industry: str) -> dict[str, object]:
    """Everything of a place, summed anew."""
    state = life.desk.state
    found: dict[str, Decimal] = dict.fromkeys(("long", "short", "up", "down", "in_equity"), ZERO)
    unpriced: set[Symbol] = set()
    unvalued: set[Symbol] = set()
    for instrument in state.instruments.values():
        if instrument.currency != currency or industry not in ("", instrument.industry):
            continue
        symbol, position = instrument.symbol, state.held(account, instrument.symbol)
        long, short, buys, sells = legs(life, account, symbol)
        if not long and not short:
            continue
        px = life.px.get(symbol)
        if px is None:
            unpriced.add(symbol)
            unvalued |= {symbol} if not position.is_flat else set()
            continue
        with localcontext(_EXACT):
            unit = px * instrument.multiplier
            gained = unit * position.net_qty - _cost(position.long_cost) + _cost(position.short_cost)
            found["long"] += abs(unit) * long
            found["short"] += abs(unit) * short
            found["up"] += abs(unit) * (position.net_qty + buys)
            found["down"] += abs(unit) * (sells - position.net_qty)
            found["in_equity"] += gained if instrument.asset_class is AssetClass.FUTURE else unit * position.net_qty
    return {**found, "unpriced": unpriced, "unvalued": unvalued}


def _cost(known: Decimal | None) -> Decimal:
    assert known is not None, "every cost is known here"
    return known


def places() -> Iterable[tuple[AccountID, Currency, str]]:
    """Everything that is summed."""
    return ((account, currency, industry) for account in ACCOUNTS for currency in (CNY, USD) for industry in INDUSTRIES)
