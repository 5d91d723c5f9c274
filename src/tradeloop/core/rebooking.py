"""Station 6: what a position becomes when the broker takes a fill back, or gives it other figures.

The opposite trade is not enough: what the fill had closed or opened went at the average of its moment, and every later close
went at an average that it had moved. So each position keeps the order in which the fills of this trading day and of the last
one came, and what it was before the first of them; a word about any of these is answered by booking them all anew, as if that
fill had never been, or had always been so. A fill costs one more entry of a list; a bust as much as the fills since the one it
takes back did, because every thousandth leaves a mark to begin at.

Not determinable, and None: a fill of an earlier day, or one from before a person accepted the broker's figure. There the
opposite trade is booked (core/position.py), exact in quantity and in cash paid, and in cost once the position is flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.execution import Exec, Executions, parts_of
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Position, Rebooked, book, is_past, roll, with_more
from tradeloop.core.state import Page, State
from tradeloop.core.types import ZERO, AccountID, Amount, Side, Symbol, TradingDay

MARK_EVERY: Final = 1000


def note(state: State, account: AccountID, symbol: Symbol, key: str) -> None:
    """Put down that the fill `key` is about to move the position."""
    pages = state.pages.get((account, symbol))
    if pages is None:
        pages = state.pages[account, symbol] = [Page(_copy(state.position(account, symbol)), [])]
    page = pages[-1]
    keys = page.keys
    if keys and not len(keys) % MARK_EVERY:
        page.marks.append((len(keys), _copy(state.position(account, symbol))))
    keys.append(key)


def turn(state: State, account: AccountID, symbol: Symbol) -> None:
    """A new trading day: the position as it is now begins a new page, and the page before the last one goes."""
    pages = state.pages.get((account, symbol))
    if pages is None:
        return
    if not pages[-1].keys:
        del state.pages[account, symbol]  # nothing was booked for a whole day: the next fill begins anew
        return
    pages.append(Page(_copy(state.position(account, symbol)), []))
    del pages[:-2]


def reopen(state: State, account: AccountID, symbol: Symbol, key: str) -> None:
    """The execution `key` is now another: marks behind it hold no more, and if it is of the last day, today began otherwise."""
    pages = state.pages.get((account, symbol), [])
    found = _find(pages, key)
    if found is None:
        return
    number, index = found
    page = pages[number]
    page.marks = [mark for mark in page.marks if mark[0] <= index]
    if number + 1 < len(pages):
        start, position = _nearest(page, index)
        for side, x, _ in _fills(state.execs, page.keys[start:]):
            _book(position, state.instruments[symbol], side, x)
        roll(position)
        pages[number + 1] = Page(position, pages[number + 1].keys)


def rebooked(state: State, account: AccountID, symbol: Symbol, key: str, becomes: Exec) -> Rebooked | None:
    """What the position is when the execution `key` is taken for `becomes`; None: not determinable."""
    pages = state.pages.get((account, symbol), [])
    found = _find(pages, key)
    if found is None:
        return None
    number, index = found
    instrument = state.instruments[symbol]
    start, was = _nearest(pages[number], index)
    hours = state.hours.get(instrument.session)
    today = None if hours is None or number + 1 < len(pages) else hours.trading_day
    for side, x, day in _fills(state.execs, pages[number].keys[start:index]):
        _book(was, instrument, side, x, past=is_past(day, today))
    now = _copy(was)
    more: dict[Side, Amount | None] = {Side.SELL: Amount(ZERO), Side.BUY: Amount(ZERO)}
    side, known, day = next(_fills(state.execs, [key]))
    past = is_past(day, today)
    more[side] = _more(_book(now, instrument, side, becomes, past=past), _book(was, instrument, side, known, past=past))
    for later, page in enumerate(pages[number:]):
        if later:
            roll(was)
            roll(now)
            today = None if hours is None else hours.trading_day  # there are no more than two pages
        for side, x, day in _fills(state.execs, page.keys if later else page.keys[index + 1 :]):
            past = is_past(day, today)
            change = _more(_book(now, instrument, side, x, past=past), _book(was, instrument, side, x, past=past))
            more[side] = with_more(more[side], change)
    if _moved_otherwise(was, state.held(account, symbol)):
        return None
    return Rebooked(
        now.long_qty,
        now.long_today,
        now.long_cost,
        now.short_qty,
        now.short_today,
        now.short_cost,
        more[Side.SELL],
        more[Side.BUY],
    )


def late_fills(state: State, order: Order) -> list[tuple[str, Exec]] | None:
    """The executions of an order in the order in which they came; None where it has others than those of the last two days."""
    late = [key for page in state.pages.get((order.account, order.symbol), ()) for key in page.keys]
    found = [(key, known) for key in late if (known := state.execs.get(key)) and known.cl_ord_id == order.cl_ord_id]
    live = sum((known.qty for _, known in found if not known.busted), ZERO)
    return found if live == order.cum_qty else None


def _find(pages: list[Page], key: str) -> tuple[int, int] | None:
    for number, page in enumerate(pages):
        if key in page.keys:
            return number, page.keys.index(key)
    return None


def _nearest(page: Page, index: int) -> tuple[int, Position]:
    """The last mark at or before `index`, and a copy of the position before the fill there."""
    for at, position in reversed(page.marks):
        if at <= index:
            return at, _copy(position)
    return 0, _copy(page.start)


def _fills(execs: Executions, keys: list[str]) -> Iterator[tuple[Side, Exec, TradingDay]]:
    for key in keys:
        x = execs.get(key)
        assert x is not None
        _, _, day, side, _ = parts_of(key)
        yield side, x, day


def _book(position: Position, instrument: Instrument, side: Side, x: Exec, *, past: bool = False) -> Decimal | None:
    """`past` matters on the last page alone: the day behind an earlier one has made all of it yesterday's."""
    return ZERO if x.busted else book(position, side, x.qty, x.px * x.qty * instrument.multiplier, x.effect, past=past)


def _more(now: Decimal | None, was: Decimal | None) -> Amount | None:
    """How much more is realised than was; what was unknown either time may have been anything."""
    return None if now is None or was is None else Amount(now - was)


def _copy(position: Position) -> Position:
    return msgspec.structs.replace(position)


def _moved_otherwise(by_fills: Position, held: Position) -> bool:
    """Whether something other than its fills has moved a position. A profit once unknown stays so, and tells nothing."""
    told = by_fills.realized is not None and held.realized is not None
    return (told and by_fills.realized != held.realized) or _figures(by_fills) != _figures(held)


def _figures(p: Position) -> tuple[Decimal | None, ...]:
    return p.long_qty, p.long_today, p.long_cost, p.short_qty, p.short_today, p.short_cost
