"""What shows each check of every order at work: a desk, and orders that pass it, come to its bound, and are refused by it.

Every code of core/risk/codes.py has a case here (test_checks.py asks), lived in every way in which a check can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec
from tests.core.live_made import a_live_desk
from tests.core.risk.cases import MOUTAI, Step, a_limit, buys, quoted, sells, waits
from tests.core.test_told_twice import A, look, working
from tests.core.test_told_twice import fill as told

from tradeloop.core.commands import HaltTrading, OpenTradingDay, SetLimits, SubmitOrder
from tradeloop.core.confirmation import Confirmation
from tradeloop.core.events import LimitTripped
from tradeloop.core.halt import HaltTier
from tradeloop.core.limit import Severity
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, SendOutcome
from tradeloop.core.risk import checks, live, pipeline
from tradeloop.core.risk.checks import Check
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.unmeasured import unmeasured
from tradeloop.core.staging import stage
from tradeloop.core.types import SECOND_NS, OrdType, PositionEffect, TimeInForce, UtcNs
from tradeloop.testing.builders import BROKER, DAY, NOON, an_instrument, buy
from tradeloop.testing.desk import ABLE, Desk

DAY_LENGTH: Final = 86_400
"""For how many seconds from NOON on a desk's market is open."""


@dataclass(frozen=True)
class CheckCase:
    """`below`, `at` and `beyond` are what happens on a new desk: of each the last one is asked for, and only that of `beyond`
    is refused. `no_boundary`: why there is no figure to come near to. `together` and `alone_only` as in a case of limits.
    """

    rule: str
    check: Check
    desk: Callable[[], Desk]
    beyond: Sequence[Step]
    below: Sequence[Step] = ()
    at: Sequence[Step] = ()
    no_boundary: str = ""
    together: tuple[SubmitOrder, SubmitOrder] | None = None
    alone_only: str = "each is asked by itself"
    figures: tuple[str, str, str] | None = None
    """limit, was and this_order of the denial, where they are told."""


def a_desk(**instrument: Any) -> Callable[[], Desk]:
    """A desk with one stock that is so."""
    return lambda: Desk().opened(an_instrument(**instrument))


def holding(qty: int, cash: int = 1_000_000, **instrument: Any) -> Callable[[], Desk]:
    """The same, which holds some of it."""
    return lambda: Desk().opened(an_instrument(**instrument), cash=cash, positions={MOUTAI: qty})


def rich(cash: str, **instrument: Any) -> Callable[[], Desk]:
    """The same with so much cash."""
    return lambda: Desk().opened(an_instrument(**instrument), cash=cash)


def unable(**changes: Any) -> Callable[[], Desk]:
    """The same at a broker that can do less."""
    return lambda: Desk(able=msgspec.structs.replace(ABLE, **changes)).opened(an_instrument())


def halted(tier: HaltTier) -> Callable[[Desk], object]:
    """A person stops everything."""
    return lambda desk: desk.give(HaltTrading(tier, "ann", "stop"))


def reducing() -> Desk:
    """A desk that holds a thousand and takes only what makes that less."""
    desk = holding(1000)()
    halted(HaltTier.REDUCE_ONLY)(desk)
    return desk


def coins() -> Desk:
    """A desk that trades in parts of a coin."""
    part = Decimal("0.00000001")
    return Desk().opened(an_instrument(lot=part, min_qty=part), cash="99000000000")


def planned(qty: str) -> Callable[[Desk], Denied | None]:
    """A plan asks for so much; an order that a person types is refused before with more digits than books hold."""

    def asks(desk: Desk) -> Denied | None:
        facts = stage(desk.state, desk.around, buy(MOUTAI, qty), desk.now)
        while True:
            try:
                next(facts)
            except StopIteration as done:
                reply: OrderReply = done.value
                return reply.denied

    return asks


def lost(desk: Desk) -> object:
    """Nobody knows whether the newest order is at the broker."""
    return desk.give(SendOutcome(BROKER, list(desk.state.orders.open)[-1], "UNKNOWN", "timeout"))


def doubted() -> Desk:
    """A fill that the stream and the books may both have told."""
    desk, order = working()
    desk.give(told(desk, order, "e1"))
    look(desk, order, told(desk, order, "s1"), cum=100)
    return desk


def unpriced() -> Desk:
    """A limit on losses that nobody has been able to measure for a while."""
    desk = Desk().opened(an_instrument())
    limit = a_limit("max_daily_loss", 500)
    desk.give(SetLimits((limit,), "risk.yaml"))
    desk.apply(LimitTripped(desk.now, limit.limit_id, unmeasured("demo CNY"), limit.rule, "500", "unknown"))
    return desk


def auctioned() -> Desk:
    """Until an hour from now the exchange takes limits alone."""
    desk = Desk(able=ABLE).opened(an_instrument())
    day, until = desk.state.hours["CN_A"].windows, UtcNs(NOON + 10 * SECOND_NS)
    desk.give(OpenTradingDay("CN_A", DAY, day, limits_only=((NOON, until),)))
    return desk


def busy() -> Desk:
    """A desk that sends one order a second."""
    desk = Desk().opened(an_instrument())
    desk.give(SetLimits((a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE),), "risk.yaml"))
    return desk


def its_turn(desk: Desk) -> Denied | None:
    """The turn of the order that waits for room has come."""
    (waiting,) = (order for order in desk.state.orders.open.values() if not order.may_be_at_broker)
    return pipeline.recheck(desk.state, desk.around, waiting, desk.now)


def leaves_at(px: str) -> tuple[Step, ...]:
    """An order waits for room behind another, the market goes to this price, and its turn comes."""
    return buys(100, price="12"), buys(100, price="12"), quoted(px, px), its_turn


_BEFORE_ITS_END: Final = (waits(DAY_LENGTH - 2), buys(100))
_BAND: Final = {"price_limit": "0.1"}
_CAGED: Final = {"cage": Decimal("0.02")}
_STEPS: Final = {"lot": 1, "min_qty": 200}
_SHOWN: Final = quoted("9.99", "10.00", prev_close="10")
_OPEN: Final = PositionEffect.OPEN

CASES: Final = (
    CheckCase("halted", checks.not_stopped, a_desk(), (halted(HaltTier.HALT), buys(100)), no_boundary="it is halted or not"),
    CheckCase(
        "reduce_only",
        checks.not_stopped,
        reducing,
        (sells(600), sells(500)),
        (sells(600), sells(300)),
        (sells(600), sells(400)),
        together=(sells(600), sells(500)),
    ),
    CheckCase(
        "live_account",
        live.account_listed,
        lambda: a_live_desk(an_instrument(), small=1000, accounts=("another",)),
        (buys(100),),
        no_boundary="it is listed or not",
    ),
    CheckCase(
        "live_confirmation",
        live.order_confirmed,
        lambda: a_live_desk(an_instrument(), small=1000),
        (buys(100, price="10.01"),),
        (buys(100, price="9.99"),),
        (buys(100),),
        figures=("1000", "", "1001.00"),
    ),
    CheckCase(
        "live_changed",
        live.order_confirmed,
        lambda: a_live_desk(an_instrument()),
        (buys(200, confirmed=Confirmation("0" * 64, "LIVE demo 1", "totp")),),
        no_boundary="it is what was confirmed or not",
    ),
    CheckCase("equity_known", checks.equity_known, unpriced, (buys(100),), no_boundary="it is known or not"),
    CheckCase(
        "broker_ready",
        checks.broker_ready,
        a_desk(),
        (lambda desk: desk.give(BrokerDown(BROKER, "gone")), buys(100)),
        no_boundary="it is ready or not",
    ),
    CheckCase(
        "session_open",
        checks.session_open,
        a_desk(),
        (waits(DAY_LENGTH), buys(100)),
        _BEFORE_ITS_END,
        (waits(DAY_LENGTH - 1), buys(100)),
    ),
    CheckCase(
        "limits_only",
        checks.takes_market_orders,
        auctioned,
        (waits(9), buy(MOUTAI, 100)),
        (waits(11), buy(MOUTAI, 100)),
        (waits(10), buy(MOUTAI, 100)),
    ),
    CheckCase(
        "fate_unknown",
        checks.not_quarantined,
        a_desk(),
        (buys(100), lost, buys(200)),
        no_boundary="one order of unknown fate is one too many",
        figures=("0", "1", "BUY 200"),
    ),
    CheckCase(
        "fill_twice",
        checks.not_doubted,
        doubted,
        (buys(100, A),),
        no_boundary="one fill in doubt is one too many",
    ),
    CheckCase(
        "quote_fresh",
        checks.quote_fresh,
        a_desk(),
        (waits(61), buy(MOUTAI, 100)),
        (waits(59), buy(MOUTAI, 100)),
        (waits(60), buy(MOUTAI, 100)),
        figures=("60 s", "61 s", "MARKET"),
    ),
    CheckCase(
        "suspended",
        checks.quote_fresh,
        a_desk(),
        (quoted("9.99", "10.00", suspended=True), buy(MOUTAI, 100)),
        no_boundary="it trades or not",
    ),
    CheckCase(
        "order_type",
        checks.order_type_known,
        unable(ord_types=frozenset({OrdType.LIMIT})),
        (buy(MOUTAI, 100),),
        no_boundary="the broker takes it or not",
        figures=("LIMIT", "", "MARKET"),
    ),
    CheckCase(
        "time_in_force",
        checks.order_type_known,
        unable(tifs=frozenset({TimeInForce.DAY})),
        (buys(100, tif=TimeInForce.FOK),),
        no_boundary="the broker takes it or not",
    ),
    CheckCase(
        "position_effect",
        checks.effect_known,
        holding(1000),
        (sells(100, position_effect=_OPEN),),
        no_boundary="the venue knows it or not",
        figures=("AUTO or CLOSE", "", "OPEN"),
    ),
    CheckCase(
        "exact_qty",
        checks.legal_quantity,
        coins,
        (planned("9753636622.13365"),),
        (planned("9753636622.133"),),
        (planned("9753636622.1336"),),
        figures=("14 significant digits", "0", "9753636622.13365"),
    ),
    CheckCase(
        "lot",
        checks.legal_quantity,
        a_desk(**_STEPS),
        (buys(199),),
        (buys(201),),
        (buys(200),),
        figures=("at least 200, steps of 1", "0", "199"),
    ),
    CheckCase(
        "order_qty_max",
        checks.legal_quantity,
        a_desk(lot=1, min_qty=1, max_qty_limit=1000),
        (buys(1001),),
        (buys(999),),
        (buys(1000),),
        figures=("1000", "0", "1001"),
    ),
    CheckCase(
        "order_value",
        checks.bounded,
        rich("2000000000000000", lot=1, min_qty=1),
        (buys(10_000_000_000_000, price="100"),),
        (buys(9_999_999_999_998, price="100"),),
        (buys(9_999_999_999_999, price="100"),),
    ),
    CheckCase(
        "tick",
        checks.legal_price,
        a_desk(),
        (buys(100, price="10.005"),),
        (buys(100, price="10.00"),),
        (buys(100, price="10.01"),),
    ),
    CheckCase(
        "price_limit",
        checks.legal_price,
        a_desk(**_BAND),
        (_SHOWN, buys(100, price="11.01")),
        (_SHOWN, buys(100, price="10.99")),
        (_SHOWN, buys(100, price="11.00")),
        figures=("9.0 to 11.0", "9.995", "11.01"),
    ),
    CheckCase(
        "price_cage",
        checks.inside_cage,
        a_desk(**_CAGED),
        (buys(100, price="10.21"),),
        (buys(100, price="10.19"),),
        (buys(100, price="10.20"),),
        figures=("at most 10.20", "10.00", "10.21"),
    ),
    CheckCase(
        "sellable",
        checks.closable,
        holding(1000),
        (sells(600), sells(500)),
        (sells(600), sells(300)),
        (sells(600), sells(400)),
        together=(sells(600), sells(500)),
        figures=("1000", "600", "500"),
    ),
    CheckCase(
        "no_price",
        checks.bounded,
        a_desk(),
        (quoted("0", "0", last="0"), buy(MOUTAI, 100)),
        no_boundary="there is a price or none",
    ),
    CheckCase(
        "cash",
        checks.cash_free,
        rich("2000", lot=1, min_qty=1),
        (buys(100), buys(101)),
        (buys(100), buys(99)),
        (buys(100), buys(100)),
        together=(buys(150), buys(100)),
        figures=("2000.00", "1000.00", "1010.00"),
    ),
    CheckCase(
        "price_drift",
        checks.legal_price,
        busy,
        leaves_at("10.20"),
        leaves_at("10.18"),
        leaves_at("10.19"),
    ),
)
