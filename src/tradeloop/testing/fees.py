"""What fills have cost by our own schedule, counted a second time (invariant 24): where the venue tells no fee, each order has
been charged what the dated schedule makes of all that counts of it, a minimum once, whatever was taken back meanwhile.

Counted from the facts alone, after every decision. Not asked: an order of which a fee was told or believed, one with fills of
several days, one of which a fill changed on another day than its own (what an earlier day was charged stands), and one whose
fills are bounded one by one (what they spare depends on their order).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.execution import exec_key
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, ClOrdID, Side, Symbol, TradingDay


class _Charged(msgspec.Struct):
    """A fill that was booked."""

    cl_ord_id: ClOrdID
    symbol: Symbol
    side: Side
    day: TradingDay
    qty: Decimal
    px: Decimal
    fee: Decimal
    by_broker: bool
    counts: bool = True


class Fees:
    """Watches what one world's journal charges."""

    def __init__(self, broken: Callable[[int, str], None]) -> None:
        self._broken = broken
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._fills: dict[str, _Charged] = {}
        self._of: dict[ClOrdID, dict[str, None]] = {}
        self._touched: dict[ClOrdID, None] = {}
        self._not_asked: dict[ClOrdID, None] = {}

    def fact(self, event: ev.Event, state: State) -> None:
        """A durable fact, and the state it led to."""
        match event:
            case ev.Traded():
                key = exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)
                self._fills[key] = _Charged(
                    event.cl_ord_id, event.symbol, event.side, event.trading_day, event.last_qty, event.last_px, event.fee,
                    event.fee_by_broker,
                )  # fmt: skip
                self._of.setdefault(event.cl_ord_id, {})[key] = None
                self._touched[event.cl_ord_id] = None
            case ev.TradeBusted() | ev.TradeCorrected() | ev.TradeMoved() | ev.FeeChanged() if event.cl_ord_id:
                key = exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)
                fill = self._fills.get(key)
                if fill is not None:
                    self._change(key, fill, event, state)
            case _:
                pass

    def _change(
        self, key: str, fill: _Charged, event: ev.TradeBusted | ev.TradeCorrected | ev.TradeMoved | ev.FeeChanged, state: State
    ) -> None:
        self._touched[event.cl_ord_id] = None
        match event:
            case ev.TradeBusted():
                fill.counts = False
            case ev.TradeCorrected():
                fill.counts, fill.qty, fill.px = True, event.last_qty, event.last_px
                fill.fee, fill.by_broker = event.fee, event.fee_by_broker
            case ev.TradeMoved():
                self._not_asked[event.from_cl_ord_id] = self._not_asked[event.cl_ord_id] = None
                self._of[fill.cl_ord_id].pop(key, None)
                self._of.setdefault(event.cl_ord_id, {})[key] = None
                fill.cl_ord_id = event.cl_ord_id
            case ev.FeeChanged():
                fill.fee = event.fee
        hours = state.hours.get(state.instruments[fill.symbol].session)
        if hours is None or hours.trading_day != fill.day:
            self._not_asked[fill.cl_ord_id] = None

    def decided(self, state: State) -> None:
        """The decisions of one row are whole."""
        for cl_ord_id in self._touched:
            if cl_ord_id not in self._not_asked:
                self._compare(cl_ord_id, state)
        self._touched.clear()

    def _compare(self, cl_ord_id: ClOrdID, state: State) -> None:
        fills = [self._fills[key] for key in self._of[cl_ord_id]]
        if any(fill.by_broker for fill in fills) or len({fill.day for fill in fills}) != 1:
            return
        counting = [fill for fill in fills if fill.counts]
        if not counting:
            return
        instrument, side = state.instruments[counting[0].symbol], counting[0].side
        if instrument.fees.is_bounded():
            return
        qty = sum((fill.qty for fill in counting), ZERO)
        value = sum((fill.qty * fill.px for fill in counting), ZERO) * instrument.multiplier
        charged = sum((fill.fee for fill in counting), ZERO)
        expected = instrument.fees.fee(side, qty, value)
        if charged != expected:
            self._broken(
                24, f"{cl_ord_id} was charged {charged} for {len(counting)} fills over {qty}; our schedule makes it {expected}"
            )
