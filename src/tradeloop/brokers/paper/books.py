"""The paper broker's books in memory, and what changed in them since the last commit.

Everything the broker promises is here and in its file (store.py), nowhere else. Matching changes the books and marks
what it touched; the adapter commits the marks before a report leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tradeloop.brokers.paper.ledger import held_for
from tradeloop.brokers.paper.records import (
    PaperCash,
    PaperDay,
    PaperOpening,
    PaperOrder,
    PaperPosition,
    in_use,
    kept_since,
)
from tradeloop.brokers.paper.store import Loaded, Store
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Execution
from tradeloop.core.types import (
    SECOND_NS,
    ZERO,
    AccountID,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    Symbol,
    TradingDay,
    UtcNs,
)

_DAY_NS = 86_400 * SECOND_NS
PAST_ORDERS_MAX: Final = 5_000
"""Closed orders of days that are over which one look shows; each look is compared with ours, order by order."""


class Books:
    """One account's books. `store` None keeps them in memory only."""

    def __init__(
        self, broker: str, account: AccountID, opening: Iterable[tuple[Currency, Decimal]], store: Store | None
    ) -> None:
        self.broker = broker
        self.account = account
        self._store = store
        self.orders: dict[OrderID, PaperOrder] = {}
        self.by_cl_ord_id: dict[ClOrdID, PaperOrder] = {}
        self.executions: dict[ExecID, Execution] = {}
        self.busted: dict[ExecID, Execution] = {}
        self.positions: dict[Symbol, PaperPosition] = {}
        self.openings: dict[Symbol, PaperOpening] = {}
        self.cash: dict[Currency, PaperCash] = {}
        self.days: dict[str, PaperDay] = {}
        self.instruments: dict[Symbol, Instrument] = {}
        self.bars: dict[Symbol, UtcNs] = {}
        """When the last bar was that orders of the symbol were offered: what came before it was theirs, too."""
        self.last_order = 0
        self.last_exec = 0
        self._forgotten_to: tuple[TradingDay, UtcNs] | None = None
        self._dirty_orders: dict[OrderID, PaperOrder] = {}
        self._dirty_execs: dict[ExecID, Execution] = {}
        self._dirty_positions: dict[Symbol, PaperPosition] = {}
        self._dirty_openings: dict[Symbol, PaperOpening] = {}
        self._dirty_cash: dict[Currency, PaperCash] = {}
        self._dirty_days: dict[str, PaperDay] = {}
        self._dirty_instruments: dict[Symbol, Instrument] = {}
        self._dirty_bars: dict[Symbol, UtcNs] = {}
        loaded = None if store is None else store.load(broker, account)
        if loaded is not None:
            self._take(loaded)
        else:
            for currency, amount in opening:
                self.touch_cash(PaperCash(currency, amount))
            self.commit()

    def _take(self, loaded: Loaded) -> None:
        self.last_order, self.last_exec = loaded.last_order, loaded.last_exec
        self.instruments = {i.symbol: i for i in loaded.instruments}
        self.days = {d.session: d for d in loaded.days}
        self.bars = dict(loaded.bars)
        self._forgotten_to = kept_since(loaded.days)
        self.cash = {c.currency: c for c in loaded.cash}
        self.positions = {p.symbol: p for p in loaded.positions}
        self.openings = {o.symbol: o for o in loaded.openings}
        self.executions = {e.exec_id: e for e in loaded.executions}
        for order in loaded.orders:
            self.orders[order.order_id] = order
            if order.cl_ord_id is not None:
                self.by_cl_ord_id[order.cl_ord_id] = order
            if order.reserved:
                self.cash_of(self.instruments[order.symbol].currency).reserved += order.reserved
        for position in loaded.positions:
            instrument = self.instruments[position.symbol]
            position.held = held_for(position, instrument)
            self.cash_of(instrument.currency).held += position.held

    # --- looking up

    def known(self, cl_ord_id: ClOrdID) -> PaperOrder | None:
        """The order that ever carried this client id, however long ago."""
        order = self.by_cl_ord_id.get(cl_ord_id)
        if order is None and self._store is not None:
            order = self._store.find_order(cl_ord_id)
        return order

    def execution(self, exec_id: ExecID) -> Execution | None:
        """An execution that still counts, however old."""
        found = self.executions.get(exec_id)
        if found is None and self._store is not None and exec_id not in self.busted:
            found = self._store.find_execution(exec_id)
        return found

    def executions_since(self, since: UtcNs) -> tuple[Execution, ...]:
        """Executions that still count and happened at or after `since`."""
        kept = [e for e in self.executions.values() if e.transact_at is not None and e.transact_at >= since]
        if self._store is not None:
            for found in self._store.executions_since(since):
                if found.exec_id not in self.executions:
                    kept.append(found)
            kept.sort(key=lambda e: e.exec_id)
        return tuple(kept)

    def working(self) -> list[PaperOrder]:
        """Open orders in the order of their arrival."""
        return sorted((o for o in self.orders.values() if o.is_working), key=lambda o: o.no)

    def cash_of(self, currency: Currency) -> PaperCash:
        """The currency's cash; an account that never had any has none of it."""
        cash = self.cash.get(currency)
        if cash is None:
            cash = self.cash[currency] = PaperCash(currency, ZERO)
        return cash

    def position(self, symbol: Symbol) -> PaperPosition:
        """The symbol's position, flat when it was never held."""
        position = self.positions.get(symbol)
        if position is None:
            position = self.positions[symbol] = PaperPosition(symbol)
        return position

    def day_of(self, instrument: Instrument) -> PaperDay | None:
        """The trading day the instrument's session is in; None before it was ever opened."""
        return self.days.get(instrument.session)

    def latest_day(self) -> TradingDay:
        """The latest trading day of any session; empty before the first was opened."""
        return max((day.trading_day for day in self.days.values()), default=TradingDay(""))

    # --- drawing ids: counters, kept in the books

    def next_order_no(self) -> int:
        """The next place in the order of arrival."""
        self.last_order += 1
        return self.last_order

    def next_exec_id(self) -> ExecID:
        """The next execution id; unique for ever within these books."""
        self.last_exec += 1
        return _exec_id(self.last_exec)

    # --- marking

    def touch_order(self, order: PaperOrder) -> None:
        """Keep the order as it is now."""
        self.orders[order.order_id] = order
        if order.is_working:
            order.ended_on = None
        elif order.ended_on is None:
            instrument = self.instruments.get(order.symbol)
            day = None if instrument is None else self.day_of(instrument)
            order.ended_on = order.trading_day if day is None else max(day.trading_day, order.trading_day)
        if order.cl_ord_id is not None:
            self.by_cl_ord_id[order.cl_ord_id] = order
        if self._store is not None:
            self._dirty_orders[order.order_id] = order

    def touch_execution(self, execution: Execution, *, busted: bool = False) -> None:
        """Keep the execution as it is now; a busted one no longer counts."""
        if busted:
            self.executions.pop(execution.exec_id, None)
            self.busted[execution.exec_id] = execution
        else:
            self.executions[execution.exec_id] = execution
        if self._store is not None:
            self._dirty_execs[execution.exec_id] = execution

    def touch_position(self, position: PaperPosition) -> None:
        """Keep the position as it is now."""
        if self._store is not None:
            self._dirty_positions[position.symbol] = position

    def open_position(self, symbol: Symbol, day: TradingDay, *, anew: bool = False) -> None:
        """Put down what is held before the first fill of a day; `anew`: something other than a fill has moved it."""
        before = self.openings.get(symbol)
        if before is not None and before.trading_day == day and not anew:
            return
        p = self.position(symbol)
        opening = self.openings[symbol] = PaperOpening(
            symbol,
            day,
            _exec_id(self.last_exec),
            p.long_today,
            p.long_yesterday,
            p.long_cost,
            p.short_today,
            p.short_yesterday,
            p.short_cost,
        )
        if self._store is not None:
            self._dirty_openings[symbol] = opening

    def touch_cash(self, cash: PaperCash) -> None:
        """Keep the cash as it is now."""
        self.cash[cash.currency] = cash
        if self._store is not None:
            self._dirty_cash[cash.currency] = cash

    def list_instrument(self, instrument: Instrument) -> None:
        """Trade the instrument under these rules from now on."""
        if self.instruments.get(instrument.symbol) != instrument:
            self.instruments[instrument.symbol] = instrument
            if self._store is not None:
                self._dirty_instruments[instrument.symbol] = instrument

    def touch_bar(self, symbol: Symbol, at: UtcNs) -> None:
        """Keep that this bar was offered, with the next change that it or anything else makes: no bar is a commit by itself."""
        self.bars[symbol] = at
        if self._store is not None:
            self._dirty_bars[symbol] = at

    # --- days

    def utc_day(self, now: UtcNs) -> PaperDay:
        """The day of instruments without a session: the UTC date."""
        date = TradingDay(datetime.fromtimestamp(now // SECOND_NS, UTC).date().isoformat())
        midnight = UtcNs(now // _DAY_NS * _DAY_NS)
        return PaperDay("", date, midnight, windows=((midnight, UtcNs(midnight + _DAY_NS)),))

    def roll(self, day: PaperDay) -> None:
        """Make `day` its session's trading day: what was opened before becomes yesterday's, what is older leaves memory."""
        before = self.days.get(day.session)
        if before is not None:
            if before.trading_day == day.trading_day:
                day.previous_day, day.opened_at = before.previous_day, before.opened_at
                day.previous_opened_at = before.previous_opened_at
            else:
                day.previous_day, day.previous_opened_at = before.trading_day, before.opened_at
                self._carry_over(day.session)
        if before != day:
            self.days[day.session] = day
            if self._store is not None:
                self._dirty_days[day.session] = day

    def _carry_over(self, session: str) -> None:
        for position in self.positions.values():
            if self.instruments[position.symbol].session == session and (position.long_today or position.short_today):
                position.long_yesterday += position.long_today
                position.short_yesterday += position.short_today
                position.long_today = position.short_today = ZERO
                self.touch_position(position)

    def kept_since(self) -> tuple[TradingDay, UtcNs] | None:
        """The oldest trading day that is shown whole, and when it was opened: what has left memory does not come back."""
        kept, floor = kept_since(self.days.values()), self._forgotten_to
        if kept is None or floor is None:
            return kept
        return max(kept[0], floor[0]), max(kept[1], floor[1])

    def executions_kept(self) -> tuple[tuple[Execution, ...], UtcNs]:
        """All executions that still count since a moment, whatever day they are for, and that moment."""
        oldest, since = self.kept_since() or (TradingDay(""), UtcNs(0))
        return tuple(e for e in self.executions.values() if _is_of(e, oldest, since)), since

    def orders_shown(self) -> tuple[list[PaperOrder], TradingDay]:
        """All working orders, and those that ended on the day returned or later.

        Back to the oldest day kept, so that a fate lost before the night can be settled after it; but no more than
        PAST_ORDERS_MAX of days that are over, and of whole days alone.
        """
        kept = self.kept_since()
        first = today = min((day.trading_day for day in in_use(self.days.values())), default=TradingDay(""))
        oldest = today if kept is None else min(kept[0], today)
        past: dict[TradingDay, int] = {}
        for order in self.orders.values():
            if oldest <= order.last_day < today and not order.is_working:
                past[order.last_day] = past.get(order.last_day, 0) + 1
        room = PAST_ORDERS_MAX
        for day in sorted(past, reverse=True):
            room -= past[day]
            if room < 0:
                break
            first = day
        else:
            first = oldest
        return [o for o in self.orders.values() if o.is_working or o.last_day >= first], first

    def forget_older(self) -> None:
        """Let closed orders and executions older than the previous trading day leave memory; the file keeps them."""
        kept = self.kept_since()
        if self._store is None or kept is None:
            return
        oldest, since = self._forgotten_to = kept
        for order in [o for o in self.orders.values() if not o.is_working and o.last_day < oldest]:
            del self.orders[order.order_id]
            if order.cl_ord_id is not None:
                self.by_cl_ord_id.pop(order.cl_ord_id, None)
        for execution in [e for e in self.executions.values() if not _is_of(e, oldest, since)]:
            del self.executions[execution.exec_id]

    # --- commit

    def claim(self) -> None:
        """Let nobody else write them from now on. Raises NotSent while somebody does, sqlite3.Error, or BooksChanged where they
        were read too early.
        """
        if self._store is not None:
            self._store.claim(self.last_order, self.last_exec)

    @property
    def step(self) -> int:
        """How many steps the file had when it was last read or written here; 0 without one."""
        return 0 if self._store is None else self._store.step

    @property
    def is_stored(self) -> bool:
        """Whether the books are in a file, so that a commit costs a write to the disk."""
        return self._store is not None

    @property
    def is_dirty(self) -> bool:
        """Whether something was changed since the last commit."""
        return bool(
            self._dirty_orders
            or self._dirty_execs
            or self._dirty_positions
            or self._dirty_cash
            or self._dirty_days
            or self._dirty_instruments
        )

    def commit(self) -> None:
        """Make all marks durable in one transaction. Raises sqlite3.Error or BooksChanged, and then memory is ahead of
        the file."""
        if self._store is None or not self.is_dirty:
            return
        self._store.write(
            last_order=self.last_order,
            last_exec=self.last_exec,
            orders=self._dirty_orders.values(),
            executions=[(e, e.exec_id in self.busted) for e in self._dirty_execs.values()],
            positions=self._dirty_positions.values(),
            openings=self._dirty_openings.values(),
            cash=self._dirty_cash.values(),
            days=self._dirty_days.values(),
            instruments=self._dirty_instruments.values(),
            bars=self._dirty_bars.items(),
        )
        self._dirty_orders.clear()
        self._dirty_execs.clear()
        self._dirty_positions.clear()
        self._dirty_openings.clear()
        self._dirty_cash.clear()
        self._dirty_days.clear()
        self._dirty_instruments.clear()
        self._dirty_bars.clear()

    def close(self) -> None:
        """Let go of the file."""
        if self._store is not None:
            self._store.close()


def _exec_id(number: int) -> ExecID:
    """Ids sort as their numbers do."""
    return ExecID(f"E{number:010d}")


def _is_of(execution: Execution, oldest: TradingDay, since: UtcNs) -> bool:
    """Whether the execution is for that trading day or a later one, or happened since that moment."""
    return execution.trading_day >= oldest or (execution.transact_at or 0) >= since
