"""The day by which a loss is measured: that of the markets which the account has touched, and of no other that is listed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.core.risk.cases import MOUTAI, a_limit, buys, limited
from tests.core.risk.test_triggers import looks

from tradeloop.bootstrap.listing import Listing
from tradeloop.core.commands import ListInstruments
from tradeloop.core.events import EquityMarked, Halted
from tradeloop.core.inputs import Start
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import BrokerUp
from tradeloop.core.types import SECOND_NS, Symbol, UtcNs
from tradeloop.testing.builders import BROKER, Number, a_quote, a_snapshot, an_execution, an_instrument
from tradeloop.testing.desk import Desk

BANK = Symbol("BAC.US")
COIN = Symbol("BTC/USD.CRYPTO")
SHANGHAI = an_instrument(MOUTAI)
NEW_YORK = an_instrument(BANK, currency="USD", market="US", session="US", lot=1, min_qty=1)
COINS = an_instrument(COIN, currency="USD", market="CRYPTO", session="CRYPTO", lot=1, min_qty=1)


def at(desk: Desk, moment: str) -> None:
    """It is this moment of July 2026, UTC; every session that is listed has come to its day, and it was looked."""
    desk.now = UtcNs(int(datetime.fromisoformat(f"2026-07-{moment}+00:00").astimezone(UTC).timestamp()) * SECOND_NS)
    for session in dict.fromkeys(each.session for each in desk.state.instruments.values()):
        desk.give(Listing.opening(session, desk.now))
    looks(desk, 0)


def a_desk(*instruments: Instrument, held: dict[str, Number], begins: str = "16T14:00:00") -> Desk:
    """Holds these since before the Thursday on which it begins, and may lose 1000 in a day."""
    desk = Desk()
    desk.now = UtcNs(int(datetime.fromisoformat(f"2026-07-{begins}+00:00").timestamp()) * SECOND_NS)
    desk.give(Start(1, "t", "t1"))
    desk.give(ListInstruments(instruments))
    for each in instruments:
        desk.give(Listing.opening(each.session, desk.now))
    desk.give(BrokerUp(BROKER))
    desk.give(a_snapshot(cash=100_000, currency=instruments[0].currency, positions=held, as_of=desk.now))
    for each in instruments:
        desk.give(a_quote(each.symbol, "10", "10", at=desk.now))
    return limited(a_limit("max_daily_loss", 1000, currency=instruments[0].currency), desk=desk)


def falls(desk: Desk, symbol: Symbol, px: str) -> None:
    desk.give(a_quote(symbol, px, px, at=desk.now))
    looks(desk)


def days(desk: Desk) -> list[str]:
    """The days of which marks were made, each once."""
    return list(dict.fromkeys(each.trading_day for each in desk.of(EquityMarked)))


@pytest.mark.parametrize("listed", [(NEW_YORK,), (NEW_YORK, SHANGHAI), (NEW_YORK, COINS)], ids=["alone", "Shanghai", "coins"])
def test_a_listing_that_the_account_does_not_touch_begins_no_new_day(listed: tuple[Instrument, ...]) -> None:
    """Midnight in Shanghai is noon in New York: 1850 are lost in one day there, and 950 after noon."""
    desk = a_desk(*listed, held={BANK: 1000})
    looks(desk)
    falls(desk, BANK, "9.10")
    at(desk, "16T16:00:01")
    falls(desk, BANK, "9.10")
    assert desk.of(Halted) == []
    at(desk, "16T19:00:00")
    falls(desk, BANK, "8.15")
    assert days(desk) == ["2026-07-16"]
    assert len(desk.of(Halted)) == 1


def test_the_day_begins_anew_when_the_market_has_gone_on_to_its_next() -> None:
    desk = a_desk(NEW_YORK, SHANGHAI, held={BANK: 1000})
    looks(desk)
    falls(desk, BANK, "9.10")
    at(desk, "17T03:59:59")  # the Thursday is over in New York, and has lost its last dollar
    assert days(desk) == ["2026-07-16"]
    at(desk, "17T04:00:01")
    falls(desk, BANK, "8.20")
    assert days(desk) == ["2026-07-16", "2026-07-17"]
    assert desk.of(Halted) == []


def test_of_two_markets_the_one_that_has_closed_waits_for_the_other_and_neither_is_cut_in_two() -> None:
    """Coins change their day at midnight UTC, when New York has closed; over a weekend they change it alone."""
    desk = a_desk(NEW_YORK, COINS, held={BANK: 1000, COIN: 1000})
    looks(desk)
    at(desk, "16T19:59:00")
    assert days(desk) == ["2026-07-16"]
    for moment in ("17T00:00:01", "17T04:00:01", "17T19:59:00", "18T00:00:01", "18T05:00:00", "19T00:00:01", "20T00:00:01"):
        at(desk, moment)
    assert days(desk) == [f"2026-07-{day}" for day in (16, 17, 18, 19, 20)]
    at(desk, "20T14:00:00")
    assert days(desk)[-1] == "2026-07-20"


def test_what_is_traded_first_is_a_loss_of_the_day_from_its_first_fill_on() -> None:
    """The account has touched nothing: its first day begins with the money it had before."""
    desk = a_desk(NEW_YORK, SHANGHAI, held={})
    looks(desk)
    assert days(desk) == [""]
    order = desk.order(buys(1000, BANK, price="10"))
    desk.give(an_execution(order.cl_ord_id, BANK, order.side, 1000, "10"))
    falls(desk, BANK, "8.95")  # before anybody has looked
    assert days(desk) == ["", "2026-07-16"]
    assert len(desk.of(Halted)) == 1
