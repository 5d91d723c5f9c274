"""Station 6: what a position becomes when the broker takes a fill back, gives it other figures, or tells of it late.

The opposite trade is not enough: what the fill had closed or opened went at the average of its moment, and every later close
went at an average that it had moved. So each position keeps the order of the fills of this trading day and of the last
one, and what it was before the first of them; a word about any of these is answered by booking them all anew, as if that
fill had never been, or had always been so. A fill costs one more entry of a list; a bust as much as the fills since the one it
takes back did, because every hundredth leaves a mark to begin at.

That order is the venue's, by the time it gives of each fill: one that comes behind a later one is booked before it
(docs/adr/0015-order-of-fills.md). A fill without a time stays where it came.

Not determinable, and None: a fill of an earlier day, or one from before a person accepted the broker's figure. There the
opposite trade is booked (core/position.py), exact in quantity and in cash paid, and in cost once the position is flat; a fill
that comes late is booked behind the others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterator
from decimal import Decimal
from typing import Final, cast

import msgspec

from tradeloop.core.execution import Exec, Executions, parts_of
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Position, Rebooked, book, closed_by, is_past, roll, with_more
from tradeloop.core.promises import effect_of_reversal
from tradeloop.core.state import Page, State
from tradeloop.core.types import BUY, SECOND_NS, SELL, ZERO, AccountID, Amount, ClOrdID, Side, Symbol, TradingDay, UtcNs

MARK_EVERY: Final = 100
MARK_NEAR: Final = 16
"""A fill that comes late leaves a mark so far before it where none is near: where one comes late, others do."""
_NEWEST: Final = 64
"""So many fills are looked at before all others of a day, where one is spoken of: it is mostly a new one."""
AHEAD_AT_MOST_NS: Final = 3600 * SECOND_NS
"""A time so far ahead of our clock is none: some venues write the date of the next trading day on their night session."""


def note(state: State, account: AccountID, symbol: Symbol, key: str, at: UtcNs | None, now: UtcNs) -> None:
    """Put down that the fill `key`, which happened `at` by the venue's clock, is about to move the position."""
    pages = state.pages.get((account, symbol))
    if pages is None:
        pages = state.pages[account, symbol] = [Page(_copy(state.position(account, symbol)), [], [])]
    page = pages[-1]
    keys = page.keys
    if keys and not len(keys) % MARK_EVERY:
        page.marks.append((len(keys), _copy(state.position(account, symbol))))
    times = page.times
    if at is not None and at > now and not _believed(at, now):
        at = None
    if page.ordered and (at is None or (times and at < (times[-1] or 0))):
        page.ordered = False
    keys.append(key)
    times.append(at)


def _believed(at: UtcNs, now: UtcNs) -> bool:
    return at - now <= AHEAD_AT_MOST_NS


def place_of(state: State, account: AccountID, symbol: Symbol, key: str, at: UtcNs, now: UtcNs) -> tuple[int, int] | None:
    """Before which fill, by its page and place there, one belongs that happened `at`; None, nearly always: behind all.

    Of two at the same moment the one with the lower number came first, where the venue numbers its trades; else the one that
    was told first. A fill of the present trading day is booked on it, whatever its time.
    """
    pages = state.pages.get((account, symbol))
    if pages is None:
        return None
    times = pages[-1].times
    newest = times[-1] if times else None
    if newest is not None and (newest < at or (newest == at and not _numbered_before(key, pages[-1].keys[-1]))):
        return None
    if not _believed(at, now):
        return None
    past = is_past(parts_of(key)[2], _present(state, symbol))
    found = None
    for number in range(len(pages) - 1, -1 if past else len(pages) - 2, -1):
        page = pages[number]
        if page.ordered and page.keys:
            index = bisect_right(cast("list[UtcNs]", page.times), at)
            while index and page.times[index - 1] == at and _numbered_before(key, page.keys[index - 1]):
                index -= 1
            found = (number, index) if index < len(page.keys) else found
            if index:
                return found
            continue
        for index in range(len(page.keys) - 1, -1, -1):
            other = page.times[index]
            if other is None:
                continue
            if other < at or (other == at and not _numbered_before(key, page.keys[index])):
                return found
            found = number, index
    return found


def _numbered_before(key: str, other: str) -> bool:
    """Whether both are numbers as a venue counts its trades, and the first is the lower one."""
    one = key.split("|", 4)[4].strip()
    if not (one.isascii() and one.isdecimal()):
        return False
    two = other.split("|", 4)[4].strip()
    if not (two.isascii() and two.isdecimal()):
        return False
    one, two = one.lstrip("0"), two.lstrip("0")
    return (len(one), one) < (len(two), two)


def insert(state: State, account: AccountID, symbol: Symbol, key: str, at: UtcNs, now: UtcNs) -> None:
    """Put the execution `key`, which is booked before others, where it belongs."""
    found = place_of(state, account, symbol, key, at, now)
    assert found is not None, f"fill {key} was to be booked before others, of which there are none"
    number, index = found
    pages = state.pages[account, symbol]
    page = pages[number]
    page.keys.insert(index, key)
    page.times.insert(index, at)
    _reopen(state, symbol, pages, number, index)
    _mark_near(state, symbol, pages, number, index)


def _mark_near(state: State, symbol: Symbol, pages: list[Page], number: int, index: int) -> None:
    """Leave a mark not far before a place where something has changed, if there is none: where one fill changes, others do."""
    page = pages[number]
    start, position = _nearest(state, symbol, pages, number, index)
    if index - start > 2 * MARK_NEAR:
        near = index - MARK_NEAR
        today = _today(state, symbol, pages, number)
        for side, x, day in _fills(state.execs, page.keys[start:near]):
            _book(position, state.instruments[symbol], side, x, past=is_past(day, today))
        page.marks.append((near, position))


def turn(state: State, account: AccountID, symbol: Symbol) -> None:
    """A new trading day: the position as it is now begins a new page, and the page before the last one goes."""
    pages = state.pages.get((account, symbol))
    if pages is None:
        return
    if not pages[-1].keys:
        del state.pages[account, symbol]  # nothing was booked for a whole day: the next fill begins anew
        return
    _begin(state, symbol, pages)
    pages.append(Page(_copy(state.position(account, symbol)), [], []))
    del pages[:-2]


def reopen(state: State, account: AccountID, symbol: Symbol, key: str) -> None:
    """The execution `key` is now another: marks behind it hold no more, and if it is of the last day, today began otherwise."""
    pages = state.pages.get((account, symbol), [])
    found = _find(state, account, pages, key)
    if found is not None:
        _reopen(state, symbol, pages, *found)
        _mark_near(state, symbol, pages, *found)


def _reopen(state: State, symbol: Symbol, pages: list[Page], number: int, index: int) -> None:
    page = pages[number]
    page.marks = [mark for mark in page.marks if mark[0] <= index]
    if number + 1 < len(pages):
        # One look may change many fills of the last day: how today began is made out when today itself is spoken of.
        pages[number + 1].marks = []
        pages[number + 1].stale = True
    else:
        _begin(state, symbol, pages)


def _begin(state: State, symbol: Symbol, pages: list[Page]) -> None:
    """Put down how the last day began, where a fill of the day before it has changed."""
    last = pages[-1]
    if last.stale:
        last.start, last.stale = _start(state, symbol, pages, len(pages) - 1), False


def rebooked(state: State, account: AccountID, symbol: Symbol, key: str, becomes: Exec) -> Rebooked | None:
    """What the position is when the execution `key` is taken for `becomes`; None: not determinable."""
    pages = state.pages.get((account, symbol), [])
    found = _find(state, account, pages, key)
    if found is None:
        return None
    side, known, day = next(_fills(state.execs, [key]))
    again = _again(state, account, symbol, *found, (side, day, known, becomes))
    return None if again is None else again[0]


def rebooked_before(
    state: State, account: AccountID, symbol: Symbol, key: str, place: tuple[int, int], fill: Exec
) -> tuple[Rebooked, Amount | None] | None:
    """What the position is when a fill that has just come is booked at its place before others (`place_of`), and what all of
    them realise more by it, None where it only opens. None: not determinable.
    """
    _, _, day, side, _ = parts_of(key)
    again = _again(state, account, symbol, *place, (side, day, None, fill))
    if again is None:
        return None
    becomes, closing = again
    more = with_more(becomes.long_realized, becomes.short_realized)
    return becomes, more if more or closing else None


class Together:
    """Fills of one symbol that one look brings late (core/missed.py) or shows with other figures (core/shown_otherwise.py),
    while they are booked.
    """

    __slots__ = ("_place", "_realised", "is_last")

    def __init__(self, place: tuple[int, int], realised: dict[Side, Amount | None] | None) -> None:
        self._place = place
        self._realised = realised
        self.is_last = False
        """Whether the next of them is the last one."""

    @property
    def is_exact(self) -> bool:
        """Whether the position is what its fills made of it, so that what they make of it otherwise can be told."""
        return self._realised is not None

    def rebooked_before(
        self, state: State, account: AccountID, symbol: Symbol, key: str, place: tuple[int, int], fill: Exec
    ) -> tuple[Rebooked, Amount | None] | None:
        """As the function of this name, for the next of them: as one that has just happened, and for the last what all make."""
        if self._realised is None:
            return None
        _, _, day, side, _ = parts_of(key)
        more: dict[Side, Amount | None] = {Side.SELL: Amount(ZERO), Side.BUY: Amount(ZERO)}
        now = _copy(state.held(account, symbol))
        closing = closed_by(now, side, fill.qty, fill.effect)
        if not self.is_last:
            past = is_past(day, _present(state, symbol))
            more[side] = _more(_book(now, state.instruments[symbol], side, fill, past=past), ZERO)
            self._realised[side] = with_more(self._realised[side], more[side])
        else:
            now, realised = _path(state, account, symbol, *self._place, late=(place, side, fill, day))
            more = {each: _more(realised[each], self._realised[each]) for each in more}
        becomes = _becomes(now, more)
        total = with_more(becomes.long_realized, becomes.short_realized)
        return becomes, total if total or total is None or closing else None

    def rebooked(self, state: State, account: AccountID, symbol: Symbol, key: str, becomes: Exec) -> Rebooked | None:
        """As the function of this name, for the next of them: as if it were taken back and traded anew just now, and for the
        last what all make.
        """
        if self._realised is None:
            return None
        found = _find(state, account, state.pages[account, symbol], key)
        assert found is not None, f"fill {key} was to be corrected with others, and has no place among the fills of {symbol}"
        side, known, day = next(_fills(state.execs, [key]))
        now = _copy(state.held(account, symbol))
        more: dict[Side, Amount | None] = {Side.SELL: Amount(ZERO), Side.BUY: Amount(ZERO)}
        if not self.is_last:
            instrument, past = state.instruments[symbol], is_past(day, _present(state, symbol))
            if not known.busted:
                back, value = SELL if side is BUY else BUY, known.px * known.qty * instrument.multiplier
                effect = effect_of_reversal(known.effect)
                more[back] = _more(book(now, back, known.qty, value, effect, of_today=True, past=past), ZERO)
            more[side] = with_more(more[side], _book(now, instrument, side, becomes, past=past))
            for each, gained in more.items():
                self._realised[each] = with_more(self._realised[each], gained)
        else:
            now, realised = _path(state, account, symbol, *self._place, instead=(found, becomes))
            more = {each: _more(realised[each], self._realised[each]) for each in more}
        return _becomes(now, more)


def together(state: State, account: AccountID, symbol: Symbol, place: tuple[int, int]) -> Together:
    """Fills that are booked together, none of them before `place`."""
    by_fills, realised = _path(state, account, symbol, *place)
    return Together(place, None if _moved_otherwise(by_fills, state.held(account, symbol)) else realised)


def _path(
    state: State,
    account: AccountID,
    symbol: Symbol,
    number: int,
    index: int,
    late: tuple[tuple[int, int], Side, Exec, TradingDay] | None = None,
    instead: tuple[tuple[int, int], Exec] | None = None,
) -> tuple[Position, dict[Side, Amount | None]]:
    """What all fills make of the position, with one more at its place (`late`) or with another at a place (`instead`), and what
    those from the place on realise by it.
    """
    pages = state.pages[account, symbol]
    instrument = state.instruments[symbol]
    begin, position = _nearest(state, symbol, pages, number, index)
    realised: dict[Side, Amount | None] = {Side.SELL: Amount(ZERO), Side.BUY: Amount(ZERO)}
    for later in range(number, len(pages)):
        if later > number:
            roll(position)
            begin = index = 0
        today = _today(state, symbol, pages, later)
        fills = list(_fills(state.execs, pages[later].keys[begin:]))
        if late is not None and late[0][0] == later:
            fills.insert(late[0][1] - begin, late[1:])
        if instead is not None and instead[0][0] == later:
            place = instead[0][1] - begin
            fills[place] = fills[place][0], instead[1], fills[place][2]
        for at, (side, x, day) in enumerate(fills, begin):
            gained = _book(position, instrument, side, x, past=is_past(day, today))
            if at >= index:
                realised[side] = with_more(realised[side], gained)
    return position, realised


def _again(
    state: State,
    account: AccountID,
    symbol: Symbol,
    number: int,
    index: int,
    changed: tuple[Side, TradingDay, Exec | None, Exec],
) -> tuple[Rebooked, Decimal] | None:
    """All fills from the place on booked anew, the one there as it was (None: not at all) and as it becomes; with how much it
    closes.
    """
    pages = state.pages[account, symbol]
    instrument = state.instruments[symbol]
    start, was = _nearest(state, symbol, pages, number, index)
    today = _today(state, symbol, pages, number)
    for side, x, day in _fills(state.execs, pages[number].keys[start:index]):
        _book(was, instrument, side, x, past=is_past(day, today))
    now = _copy(was)
    more: dict[Side, Amount | None] = {Side.SELL: Amount(ZERO), Side.BUY: Amount(ZERO)}
    side, day, known, becomes = changed
    past = is_past(day, today)
    closing = closed_by(now, side, becomes.qty, becomes.effect)
    gained = _book(now, instrument, side, becomes, past=past)
    more[side] = _more(gained, ZERO)
    if known is not None:
        more[side] = _more(gained, _book(was, instrument, side, known, past=past))
        index += 1
    for later, page in enumerate(pages[number:]):
        if later:
            roll(was)
            roll(now)
            today = _present(state, symbol)  # there are no more than two pages
        for side, x, day in _fills(state.execs, page.keys if later else page.keys[index:]):
            past = is_past(day, today)
            change = _more(_book(now, instrument, side, x, past=past), _book(was, instrument, side, x, past=past))
            more[side] = with_more(more[side], change)
    if _moved_otherwise(was, state.held(account, symbol)):
        return None  # something other than its fills has moved it
    return _becomes(now, more), closing


def _becomes(now: Position, more: dict[Side, Amount | None]) -> Rebooked:
    return Rebooked(
        now.long_qty,
        now.long_today,
        now.long_cost,
        now.short_qty,
        now.short_today,
        now.short_cost,
        more[Side.SELL],
        more[Side.BUY],
        now.long_known,
        now.short_known,
    )


def _present(state: State, symbol: Symbol) -> TradingDay | None:
    """The trading day the instrument's session is in."""
    hours = state.hours.get(state.instruments[symbol].session)
    return None if hours is None else hours.trading_day


def _today(state: State, symbol: Symbol, pages: list[Page], number: int) -> TradingDay | None:
    """The day that tells which fills of a page are of an earlier one; none on an earlier page (`_book`)."""
    return _present(state, symbol) if number + 1 == len(pages) else None


def late_fills(state: State, order: Order) -> list[tuple[str, Exec]] | None:
    """The executions of an order in the order in which they are booked; None where it has others than those of the last two
    days.
    """
    late = [key for page in state.pages.get((order.account, order.symbol), ()) for key in page.keys]
    found = [(key, known) for key in late if (known := state.execs.get(key)) and known.cl_ord_id == order.cl_ord_id]
    live = sum((known.qty for _, known in found if not known.busted), ZERO)
    return found if live == order.cum_qty else None


def fills_since(state: State, order: Order, key: str) -> list[tuple[str, Exec]] | None:
    """The executions of an order from `key` on, in the order in which they are booked; None where its place is not known."""
    pages = state.pages.get((order.account, order.symbol), [])
    found = _find(state, order.account, pages, key)
    if found is None:
        return None
    number, index = found
    keys = [*pages[number].keys[index:], *(key for page in pages[number + 1 :] for key in page.keys)]
    of_it = (key for key in keys if state.execs.is_of(key, order.cl_ord_id))
    return [(key, known) for key in of_it if (known := state.execs.get(key))]


def fills_of(
    state: State, account: AccountID, symbol: Symbol, orders: Container[ClOrdID]
) -> dict[ClOrdID, list[tuple[str, Exec]]]:
    """The executions of several orders, each's in the order in which they are booked, as far as the last two days have them."""
    found: dict[ClOrdID, list[tuple[str, Exec]]] = {}
    for page in state.pages.get((account, symbol), ()):
        for key in page.keys:
            known = state.execs.get(key)
            if known is not None and known.cl_ord_id in orders:
                found.setdefault(known.cl_ord_id, []).append((key, known))
    return found


def places(state: State, account: AccountID, symbol: Symbol, keys: Container[str]) -> dict[str, tuple[int, int]]:
    """Where fills stand among those of the last two days, by page and place there, in their order."""
    pages = state.pages.get((account, symbol), ())
    return {key: (number, index) for number, page in enumerate(pages) for index, key in enumerate(page.keys) if key in keys}


def _find(state: State, account: AccountID, pages: list[Page], key: str) -> tuple[int, int] | None:
    at = state.recent.happened(account, parts_of(key)[2], key)
    for number, page in enumerate(pages):
        if page.ordered and at is not None:
            times = cast("list[UtcNs]", page.times)
            for index in range(bisect_left(times, at), bisect_right(times, at)):
                if page.keys[index] == key:
                    return number, index
            continue
        if key in page.keys[-_NEWEST:]:
            return number, len(page.keys) - 1 - page.keys[: -_NEWEST - 1 : -1].index(key)
        if key in page.keys:
            return number, page.keys.index(key)
    return None


def _nearest(state: State, symbol: Symbol, pages: list[Page], number: int, index: int) -> tuple[int, Position]:
    """The last mark of a page at or before `index`, and a copy of the position before the fill there."""
    for at, position in reversed(pages[number].marks):
        if at <= index:
            return at, _copy(position)
    return 0, _start(state, symbol, pages, number)


def _start(state: State, symbol: Symbol, pages: list[Page], number: int) -> Position:
    """A copy of what the position was before the fills of a page, by those of the page before it where these have changed."""
    if not pages[number].stale:
        return _copy(pages[number].start)
    before = pages[number - 1].keys
    begin, position = _nearest(state, symbol, pages, number - 1, len(before))
    for side, x, _ in _fills(state.execs, before[begin:]):
        _book(position, state.instruments[symbol], side, x)
    roll(position)
    return position


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
