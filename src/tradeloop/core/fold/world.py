"""Facts of the engine and of what it knows of the world: its start, instruments, days, sessions with brokers, adopted books."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.cash import margin_of
from tradeloop.core.hours import Hours
from tradeloop.core.instrument import Instrument
from tradeloop.core.position import adopt, roll
from tradeloop.core.rebooking import turn
from tradeloop.core.state import Account, Link, State, id_prefix
from tradeloop.core.types import AccountID, Amount, Side, Symbol, TradingDay


def engine_started(state: State, e: ev.EngineStarted) -> None:
    state.epoch = e.epoch
    state.started_at, state.predecessor_dead = e.at, e.predecessor_dead
    state.clock = e.clock
    for each in e.brokers:
        before = state.brokers.get(each.name)
        state.brokers[each.name] = each if before is None or not before.live else before  # what was live stays live
    state.group = e.group
    state.counter = 0
    state.id_prefix = id_prefix(e.group, e.epoch)
    for link in state.links.values():
        link.connected, link.compared, link.text = False, {}, "engine restarted"


def instrument_listed(state: State, e: ev.InstrumentListed) -> None:
    instrument = e.instrument
    known = state.instruments.get(instrument.symbol)
    state.instruments[instrument.symbol] = instrument
    state.limits.relisted()
    if known is not None:
        state.activity.relist(instrument)
    for account in state.accounts:
        if instrument.symbol in state.positions.get(account, ()) or (account, instrument.symbol) in state.working:
            state.exposure.moved((account, instrument.symbol))  # in another industry, perhaps, or with another multiplier
    if known is not None:
        for account, reserve in e.moved:
            was, becomes = state.cash(account, known.currency), state.cash(account, instrument.currency)
            was.reserved = Amount(was.reserved - reserve)
            becomes.reserved = Amount(becomes.reserved + reserve)
        _relisted(state, known, instrument)


def main_contract_switched(state: State, e: ev.MainContractSwitched) -> None:
    state.main = e


def alert_acknowledged(state: State, e: ev.AlertAcknowledged) -> None:
    """What somebody has seen is recorded, for the read models, and changes nothing."""


def listing_refused(state: State, e: ev.ListingRefused) -> None:
    """A refusal is recorded and changes nothing."""


def _relisted(state: State, before: Instrument, after: Instrument) -> None:
    """What is held takes over the new margin rate; what may be covered is counted from now on, or no more."""
    if after.can_be_short is not before.can_be_short:
        for (_, symbol), working in state.working.items():
            for cl_ord_id in working if symbol == after.symbol else ():
                state.offers.count(state.orders.open[cl_ord_id], after)
    for account, by_symbol in state.positions.items():
        position = by_symbol.get(after.symbol)
        if position is None:
            continue
        if after.multiplier != before.multiplier:
            state.pages.pop((account, after.symbol), None)  # what was booked was worth something else
        released, held = margin_of(position, before), margin_of(position, after)
        if released:
            cash = state.cash(account, before.currency)
            cash.margin = Amount(cash.margin - released)
        if held:
            cash = state.cash(account, after.currency)
            cash.margin = Amount(cash.margin + held)


def trading_day_opened(state: State, e: ev.TradingDayOpened) -> None:
    before = state.hours.get(e.session)
    began_at = before.began_at if before is not None and before.trading_day == e.trading_day else e.at
    state.hours[e.session] = Hours(e.trading_day, e.windows, e.auctions, began_at, e.limits_only, e.no_cancels)
    if before is None or before.trading_day == e.trading_day:
        return  # without an earlier day, what is held is what the broker showed, and so is what of it may be sold
    _let_go(state, e, before.trading_day)
    state.activity.open_day(e.session)
    for account, by_symbol in state.positions.items():
        for symbol, position in by_symbol.items():
            if state.instruments[symbol].session == e.session:
                roll(position)
                turn(state, account, symbol)


def _let_go(state: State, e: ev.TradingDayOpened, last: TradingDay) -> None:
    """Strangers' orders whose fills nobody will name as ours any more: older than the last day, and no order of ours that may
    be the same waits for its number.
    """
    waiting: dict[tuple[AccountID, Symbol, Side, str], bool] = {}
    for cl_ord_id in list(state.strangers):
        order = state.orders.get(cl_ord_id)
        if order is None:
            state.strangers.forget(cl_ord_id)
        elif order.trading_day not in (e.trading_day, last) and state.instruments[order.symbol].session == e.session:
            of = (order.account, order.symbol, order.side, order.broker)
            if of not in waiting:
                waiting[of] = _waits_for_its_number(state, *of)
            if not waiting[of]:
                state.strangers.forget(cl_ord_id)


def _waits_for_its_number(state: State, account: AccountID, symbol: Symbol, side: Side, broker: str) -> bool:
    open_ = (state.orders.open[one] for one in state.working.get((account, symbol), ()))
    return any(ours.order_id is None and ours.side is side and ours.broker == broker for ours in open_)


def broker_connected(state: State, e: ev.BrokerConnected) -> None:
    state.links[e.broker] = Link(connected=True, text="books not compared yet", since=e.at)


def broker_ready(state: State, e: ev.BrokerReady) -> None:
    link = state.links.setdefault(e.broker, Link(since=e.at))
    link.connected = True
    link.compared[e.account] = None
    if not state.not_compared(e.broker):
        link.text = ""


def broker_disconnected(state: State, e: ev.BrokerDisconnected) -> None:
    state.links[e.broker] = Link(connected=False, text=e.text, since=e.at)


def account_adopted(state: State, e: ev.AccountAdopted) -> None:
    account = state.accounts[e.account] = Account(e.broker, adopted=True)
    account.cash = {}
    for held in e.cash:
        state.cash(e.account, held.currency).balance = held.balance
    for position in e.positions:
        book_ = state.position(e.account, position.symbol)
        adopt(book_, position.long_qty, position.short_qty, position.long_sellable, position.cost)
        instrument = state.instruments[position.symbol]
        margin = margin_of(book_, instrument)
        if margin:
            cash = state.cash(e.account, instrument.currency)
            cash.margin = Amount(cash.margin + margin)
        state.pages.pop((e.account, position.symbol), None)
        state.exposure.moved((e.account, position.symbol))
    for key in e.seen:
        state.execs.seen(key)
