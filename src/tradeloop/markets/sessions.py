"""When orders may be sent: the hours of a session on a trading day, in UTC.

A session key is what `Instrument.session` holds: `CN_A`, `US`, `HK`, `CRYPTO`, or the hours of a futures product such
as `FN0230`. Hours are exchange-local in the data and become nanoseconds since the epoch here, at the rim. Every
function refuses a day its calendar or its hours do not cover.

Days are `datetime.date`; `TradingDay(day.isoformat())` is the core's word for the same day.
"""

from __future__ import annotations

import calendar as gregorian
import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from typing_extensions import override

from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.markets.calendars import ALWAYS, CALENDAR_FILES, Calendar, calendar
from tradeloop.markets.tables import Dated, Table, kept, read_table
from tradeloop.markets.written import shown

AUCTION_BEFORE_OPEN = "opening_auction"
AUCTION_AT_CLOSE = "closing_auction"
_KINDS = (AUCTION_BEFORE_OPEN, "night", "continuous", AUCTION_AT_CLOSE)
_DAYS = ("every", "with_night", "without_night")
_CLOCK = re.compile(r"[0-3][0-9]:[0-5][0-9]", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_LOOK_AHEAD_DAYS = 30
"""No exchange here closes for longer; the longest closing on record in the tables is eleven days."""


class SegmentRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """One stretch of a day in local `HH:MM`; hours from 24:00 on are the next morning."""

    kind: str
    from_: str
    to: str
    day: str = "every"
    cancels: bool = True
    market_orders: bool = True


class SessionRow(Dated, frozen=True, kw_only=True):
    """The hours of one session key. From `day_rolls` (local) on, an instant belongs to the next trading day."""

    RULE = ("market", "key")

    key: str
    calendar: str
    zone: str
    segments: tuple[SegmentRow, ...]
    day_rolls: str = ""

    @override
    def fault(self) -> str:
        """Also hours that are none, a segment that ends before it begins or before the last one has ended, and words that mean
        nothing here.
        """
        if self.calendar not in (*CALENDAR_FILES, ALWAYS):
            return f"calendar was {shown(self.calendar)}; expected one of {', '.join((*CALENDAR_FILES, ALWAYS))}"
        if not self.segments:
            return f"{self.key} has no segments; expected the hours of a day"
        for each in self.segments:
            if not (_CLOCK.fullmatch(each.from_) and _CLOCK.fullmatch(each.to) and each.from_ < each.to):
                return f"{self.key} has a segment from {each.from_!r} to {each.to!r}; expected hours that rise, such as 09:30"
            if each.kind not in _KINDS or each.day not in _DAYS:
                return f"{self.key} has a segment of kind {each.kind!r} for day {each.day!r}; see the head of the file"
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return f"{self.key} has the unknown zone {self.zone!r}; expected one such as Asia/Shanghai"
        return super().fault() or self._fault_of_order()

    def _fault_of_order(self) -> str:
        """What is wrong with how the segments follow one another, evening first, and where the day begins among them."""
        evening = [each for each in self.segments if each.day == "with_night"]
        day = [each for each in self.segments if each.day != "with_night"]
        for earlier, later in (*pairwise(evening), *pairwise(day)):
            if later.from_ < earlier.to:
                return f"segments of {self.key}: one from {later.from_} came behind one to {earlier.to}; expected them to rise"
        if evening and day and evening[-1].to > (morning := f"{int(day[0].from_[:2]) + 24}{day[0].from_[2:]}"):
            return f"segments of {self.key}: the night went to {evening[-1].to}; expected it to end by {morning}"
        if not self.day_rolls and not evening:
            return ""
        if not _TIME_OF_DAY.fullmatch(self.day_rolls):
            return f"day_rolls was {shown(self.day_rolls)}; expected a time of day such as 19:00"
        ends = day[-1].to if day else "00:00"
        begins = evening[0].from_ if evening else "24:00"
        if not ends <= self.day_rolls <= begins:
            return f"day_rolls was {self.day_rolls}; expected a time from {ends} to {begins}, between the day and its evening"
        return ""


class Segment(msgspec.Struct, frozen=True):
    """A stretch [start, end) of one kind: opening_auction, night, continuous or closing_auction."""

    kind: str
    start: UtcNs
    end: UtcNs
    cancels: bool
    market_orders: bool


@kept
def session_table() -> Table[SessionRow]:
    """The table of hours."""
    return read_table("sessions.yaml", SessionRow)


@kept
def _rows_of(session: str) -> tuple[SessionRow, ...]:
    rows = tuple(sorted((row for row in session_table().rows if row.key == session), key=lambda row: row.effective_from))
    if not rows:
        known = ", ".join(sorted({row.key for row in session_table().rows}))
        raise BadInput(f"session was {session[:20]!r}; expected one of {known}")
    return rows


def calendar_of(session: str) -> Calendar:
    """The calendar a session follows."""
    return calendar(_rows_of(session)[-1].calendar)


def is_trading_day(session: str, day: date) -> bool:
    """Whether the session trades on `day`."""
    return calendar_of(session).is_trading_day(day, session)


def next_trading_day(session: str, day: date) -> date:
    """The first trading day after `day`."""
    return calendar_of(session).next_trading_day(day, session)


@kept
def segments(session: str, day: date) -> tuple[Segment, ...]:
    """Every stretch of a trading day in order, auctions included; empty when `day` is not a trading day."""
    days = calendar_of(session)
    if not days.is_trading_day(day, session):
        return ()
    row = session_table().on(day, session, _rows_of(session))
    zone = ZoneInfo(row.zone)
    has_nights = any(segment.day == "with_night" for segment in row.segments)
    evening = days.night_before(day, session) if has_nights else None
    closes = days.early.get(day)
    found = []
    for written in row.segments:
        if written.day == ("without_night" if evening is not None else "with_night"):
            continue
        base = evening if written.day == "with_night" and evening is not None else day
        start, end = _utc_ns(base, written.from_, zone), _utc_ns(base, written.to, zone)
        if closes is not None:
            end = min(end, _at(datetime.combine(day, closes, zone)))
        if start < end:
            found.append(Segment(written.kind, start, end, written.cancels, written.market_orders))
    return tuple(found)


def windows(session: str, day: date) -> tuple[tuple[UtcNs, UtcNs], ...]:
    """The [start, end) spans of `day` in which orders may be sent: night, continuous trading and closing auction.

    Spans that touch are one. The opening auction is left out: it is a segment of its own kind. Empty on a closed day.
    """
    merged: list[tuple[UtcNs, UtcNs]] = []
    for segment in segments(session, day):
        if segment.kind == AUCTION_BEFORE_OPEN:
            continue
        if merged and merged[-1][1] == segment.start:
            merged[-1] = (merged[-1][0], segment.end)
        else:
            merged.append((segment.start, segment.end))
    return tuple(merged)


def auctions(session: str, day: date) -> tuple[tuple[UtcNs, UtcNs], ...]:
    """The [start, end) spans within `windows` in which orders are gathered and matched at one price."""
    return tuple((segment.start, segment.end) for segment in segments(session, day) if segment.kind == AUCTION_AT_CLOSE)


def limits_only(session: str, day: date) -> tuple[tuple[UtcNs, UtcNs], ...]:
    """The [start, end) spans in which an order needs a limit."""
    return tuple((segment.start, segment.end) for segment in segments(session, day) if not segment.market_orders)


def no_cancels(session: str, day: date) -> tuple[tuple[UtcNs, UtcNs], ...]:
    """The [start, end) spans in which the exchange takes orders and no cancels."""
    return tuple((segment.start, segment.end) for segment in segments(session, day) if not segment.cancels)


def trading_day_at(session: str, instant: UtcNs) -> date:
    """The trading day an instant counts for.

    On a trading day it is that local day, from midnight on; on a closed day, the next trading day. Where there are
    night sessions, the day ends at `day_rolls` in the evening, and what follows, the small hours of Saturday
    included, is the next trading day's.
    """
    rows = _rows_of(session)
    newest = rows[-1]
    local = datetime.fromtimestamp(instant // SECOND_NS, tz=ZoneInfo(newest.zone))
    day = local.date()
    days = calendar_of(session)
    rolls = newest.day_rolls
    if (rolls and local.time() >= time.fromisoformat(rolls)) or not days.is_trading_day(day, session):
        return days.next_trading_day(day, session)
    return day


def local_day(session: str, instant: UtcNs) -> date:
    """The day it is there, past `day_rolls` the next one, whether it is a trading day or not: never later than the trading day
    that a newer calendar may tell.
    """
    newest = _rows_of(session)[-1]
    local = datetime.fromtimestamp(instant // SECOND_NS, tz=ZoneInfo(newest.zone))
    rolled = newest.day_rolls and local.time() >= time.fromisoformat(newest.day_rolls)
    return local.date() + timedelta(days=1) if rolled else local.date()


def is_open(session: str, instant: UtcNs) -> bool:
    """Whether an order may be sent at `instant`."""
    day = trading_day_at(session, instant)
    return any(start <= instant < end for start, end in windows(session, day))


def next_open(session: str, instant: UtcNs) -> UtcNs:
    """The start of the first window that begins at or after `instant`; lunch ends in one, too."""
    day = trading_day_at(session, instant)
    for _ in range(_LOOK_AHEAD_DAYS):
        for start, _end in windows(session, day):
            if start >= instant:
                return start
        day = next_trading_day(session, day)
    raise BadInput(f"the calendar of {session} has no trading day within {_LOOK_AHEAD_DAYS} days; correct its rows")


def _utc_ns(day: date, written: str, zone: ZoneInfo) -> UtcNs:
    hours, minutes = int(written[:2]), int(written[3:])
    day += timedelta(days=hours // 24)
    return _at(datetime.combine(day, time(hours % 24, minutes), zone))


def _at(local: datetime) -> UtcNs:
    """Whole seconds, so that no float comes near a time."""
    return UtcNs(gregorian.timegm(local.astimezone(UTC).timetuple()) * SECOND_NS)
