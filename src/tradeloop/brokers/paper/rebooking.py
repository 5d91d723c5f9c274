"""What a position and its cash become when the broker takes a fill back, or gives it other figures: as if it had never been, or
had always been so.

The opposite trade alone would leave behind what the fill did to the average cost, and so to the profit of every later close.
So the fills of the day are booked anew, from what was held before the first of them. Where that is not known, the opposite
trade is booked: for a fill of an earlier day, one from before shares came or went by themselves, or after other rules for the
symbol.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.ledger import book, held_for
from tradeloop.brokers.paper.records import PaperCash, PaperOpening, PaperPosition
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Execution
from tradeloop.core.types import ZERO, PositionEffect, Side


def rebook(books: Books, instrument: Instrument, was: Execution, now: Execution | None) -> Decimal:
    """Let `was` have been `now`, or never; its fee is given back, that of `now` is to be charged. Returns how much of `now`
    closed what was opened on its day.
    """
    position, cash = books.position(was.symbol), books.cash_of(instrument.currency)
    opening = books.openings.get(was.symbol)
    day = books.day_of(instrument)
    if opening is not None and day is not None and opening.trading_day != day.trading_day:
        opening = None  # the night has made yesterday's of what was opened
    fills = [] if opening is None else _since(books, opening)
    from_today = None
    if opening is not None and any(fill.exec_id == was.exec_id for fill in fills):
        from_today = _booked_anew(opening, instrument, fills, was, now, position, cash)
    if from_today is None:
        earlier = day is not None and was.trading_day < day.trading_day
        _trade_back(position, cash, instrument, was, earlier=earlier)
        from_today = ZERO
        if now is not None:
            from_today = _trade_late(position, cash, instrument, now, earlier=earlier)
        books.open_position(was.symbol, was.trading_day if day is None else day.trading_day, anew=True)
    cash.balance += was.commission or ZERO
    books.touch_position(position)
    books.touch_cash(cash)
    return from_today


def _since(books: Books, opening: PaperOpening) -> list[Execution]:
    """The fills that the opening comes before, in their order."""
    fills = (x for x in books.executions.values() if x.symbol == opening.symbol and x.exec_id > opening.after)
    return sorted(fills, key=lambda x: x.exec_id)


def _booked_anew(
    opening: PaperOpening,
    instrument: Instrument,
    fills: list[Execution],
    was: Execution,
    now: Execution | None,
    position: PaperPosition,
    cash: PaperCash,
) -> Decimal | None:
    """How much of `now` closed what was opened today; None, with nothing done, where the fills do not make up what is held."""
    before, paid, _ = _played(opening, instrument, fills, now)
    if _figures(before) != _figures(position):
        return None
    others = [x if x.exec_id != was.exec_id else now for x in fills]
    after, pays, from_today = _played(opening, instrument, (x for x in others if x is not None), now)
    (
        position.long_today,
        position.long_yesterday,
        position.long_cost,
        position.short_today,
        position.short_yesterday,
        position.short_cost,
    ) = _figures(after)
    cash.balance += pays.balance - paid.balance
    cash.held += after.held - position.held
    position.held = after.held
    return from_today


def _played(
    opening: PaperOpening, instrument: Instrument, fills: Iterable[Execution], asked: Execution | None
) -> tuple[PaperPosition, PaperCash, Decimal]:
    """What the fills make of the opening and of no cash, fees aside, and how much of `asked` closed what was opened today."""
    position, cash = opening.position(), PaperCash(instrument.currency, ZERO)
    position.held = held_for(position, instrument)
    from_today = ZERO
    for x in fills:
        closed = book(position, cash, instrument, x.side, x.position_effect, x.last_qty, x.last_px)
        if x is asked:
            from_today = closed
    return position, cash, from_today


def _figures(p: PaperPosition) -> tuple[Decimal, ...]:
    return p.long_today, p.long_yesterday, p.long_cost, p.short_today, p.short_yesterday, p.short_cost


def _trade_back(position: PaperPosition, cash: PaperCash, instrument: Instrument, was: Execution, *, earlier: bool) -> None:
    """The opposite trade. What a fill of an earlier day opened is yesterday's now, and so is what it closed."""
    undoes_opening = was.position_effect in {PositionEffect.AUTO, PositionEffect.OPEN}
    effect = PositionEffect.AUTO if undoes_opening else PositionEffect.OPEN
    back = Side.SELL if was.side is Side.BUY else Side.BUY
    today = position.long_today if back is Side.SELL else position.short_today
    if undoes_opening and today and not earlier:
        effect = PositionEffect.CLOSE_TODAY
    was_settled = (was.side is Side.SELL and was.position_effect is not PositionEffect.CLOSE_TODAY) or (
        was.position_effect is PositionEffect.CLOSE_YESTERDAY
    )
    book(position, cash, instrument, back, effect, was.last_qty, was.last_px, settled=earlier or was_settled)


def _trade_late(position: PaperPosition, cash: PaperCash, instrument: Instrument, now: Execution, *, earlier: bool) -> Decimal:
    """The corrected trade; returns how much of it closed what was opened on its day: where that is over, as it says itself."""
    effect = now.position_effect
    if not earlier:
        return book(position, cash, instrument, now.side, effect, now.last_qty, now.last_px)
    closes_its_day = effect is PositionEffect.CLOSE_TODAY
    late = PositionEffect.CLOSE if closes_its_day else effect  # what was of that day is yesterday's now
    book(position, cash, instrument, now.side, late, now.last_qty, now.last_px, settled=True)
    return now.last_qty if closes_its_day else ZERO
