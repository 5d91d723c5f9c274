"""Which days an exchange trades: closed weekdays and early closes, kept as lists of exceptions.

A calendar knows the days its `spans` cover and refuses every other day: an unlisted day is not a trading day by
default, nor a holiday by default. `ALWAYS` is the calendar of venues that never close.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, time, timedelta
from itertools import pairwise

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.markets.tables import content_of, kept, place_of
from tradeloop.markets.written import read_as, shown

ALWAYS = "ALWAYS"
CALENDAR_FILES: Mapping[str, str] = {
    "CN": "calendar_cn.yaml",
    "US": "calendar_us.yaml",
    "HK": "calendar_hk.yaml",
}
SATURDAY = 5
_MONTH_DAY = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAY = timedelta(days=1)


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Days, both inclusive, that one source speaks about; `verified_on` as in `markets.tables.Dated`."""

    from_: date
    to: date
    source: str
    verified_on: date | None


class CalendarFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calendar as it is written: years with their days as `MM-DD` words. `drops` as in `markets.tables.Table`."""

    calendar: str
    sources: dict[str, str]
    spans: tuple[Span, ...]
    closed: dict[int, str]
    early_close: str = ""
    early: dict[int, str] = {}
    no_nights: tuple[Span, ...] = ()
    drops: tuple[str, ...] = ()


class Calendar(msgspec.Struct, frozen=True):
    """A calendar ready to be asked. `early` maps a day to its local closing time."""

    name: str
    spans: tuple[Span, ...]
    sources: dict[str, str]
    closed: frozenset[date]
    early: dict[date, time]
    no_nights: tuple[Span, ...]
    drops: tuple[str, ...] = ()

    @property
    def last_day(self) -> date:
        """The last day the calendar speaks about."""
        return max(span.to for span in self.spans)

    def is_trading_day(self, day: date, asked_for: str) -> bool:
        """Whether the exchange trades on `day`; `BadInput` naming `asked_for` when the calendar does not know."""
        if self.name == ALWAYS:
            return True
        if not any(span.from_ <= day <= span.to for span in self.spans):
            first, last = min(span.from_ for span in self.spans), self.last_day
            place = f"begins {first}" if day < first else f"ends {last}" if day > last else "has a gap"
            raise BadInput(f"the calendar of {asked_for} {place}; {day} needs rows in {place_of(CALENDAR_FILES[self.name])}")
        return day.weekday() < SATURDAY and day not in self.closed

    def next_trading_day(self, day: date, asked_for: str) -> date:
        """The first trading day after `day`."""
        following = day + _DAY
        while not self.is_trading_day(following, asked_for):
            following += _DAY
        return following

    def night_before(self, day: date, asked_for: str) -> date | None:
        """The evening on which the night session of trading day `day` runs; None when it has none.

        It runs on the weekday before, and only if that is a trading day: before a weekday holiday there is no night
        session.
        """
        evening = day - timedelta(days=3 if day.weekday() == 0 else 1)
        if any(span.from_ <= evening <= span.to for span in self.no_nights):
            return None
        return evening if self.is_trading_day(evening, asked_for) else None


@kept
def calendar(name: str) -> Calendar:
    """The calendar of that name, read on first use."""
    if name == ALWAYS:
        return Calendar(name, (), {}, frozenset(), {}, ())
    return decoded_calendar(name, content_of(CALENDAR_FILES[name]))


def decoded_calendar(name: str, content: bytes, where: str = "", today: date | None = None) -> Calendar:
    """The calendar in the text of a data file; `BadInput`, in one sentence, for what is none or contradicts itself. With the
    day of reading, also for a span that was verified after it.
    """
    where = where or place_of(CALENDAR_FILES[name])
    written = read_as(content, CalendarFile, where)
    closed, early = _days(where, "closed", written.closed), _days(where, "early", written.early)
    if written.early_close and not _TIME_OF_DAY.fullmatch(written.early_close):
        raise BadInput(f"{where}: early_close was {shown(written.early_close)}; expected a time of day such as 13:00")
    closes = time.fromisoformat(written.early_close) if written.early_close else None
    if written.calendar != name:
        raise BadInput(f"{where} is the calendar {written.calendar!r}; expected {name}")
    if early and closes is None:
        raise BadInput(f"{where} has days that close early and no early_close; add the hour")
    _refuse_bad_spans(where, written, (*closed, *early), today)
    if both := set(closed) & set(early):
        raise BadInput(f"{where}: early held {min(both)}, which is closed; expected days that trade")
    _refuse_open_years(where, written.spans, set(closed))
    return Calendar(
        written.calendar,
        written.spans,
        written.sources,
        frozenset(closed),
        {} if closes is None else dict.fromkeys(early, closes),
        written.no_nights,
        written.drops,
    )


def _refuse_bad_spans(where: str, written: CalendarFile, days: Iterable[date], today: date | None) -> None:
    if not written.spans:
        raise BadInput(f"{where}: spans was empty; expected the days that the calendar speaks about")
    for span in (*written.spans, *written.no_nights):
        if today is not None and span.verified_on is not None and span.verified_on > today:
            raise BadInput(f"{where}: verified_on was {span.verified_on}; expected {today} at the latest, or null")
        if span.to < span.from_:
            raise BadInput(f"{where}: a span ends {span.to}, before it begins ({span.from_})")
        if span.source not in written.sources:
            raise BadInput(f"{where}: source {span.source!r} is not among its sources; name it there")
    for earlier, later in pairwise(sorted(written.spans, key=lambda span: span.from_)):
        if later.from_ <= earlier.to:
            raise BadInput(f"{where}: two spans overlap; the one from {earlier.from_} should end before {later.from_}")
    for day in days:
        if not any(span.from_ <= day <= span.to for span in written.spans):
            raise BadInput(f"{where} names {day}, which none of its spans covers; add the span and its source")


def _refuse_open_years(where: str, spans: Iterable[Span], closed: Collection[date]) -> None:
    """A year whose holidays somebody forgot: no exchange here trades on the first day of a year."""
    for span in spans:
        for year in range(span.from_.year, span.to.year + 1):
            first = date(year, 1, 1)
            if span.from_ <= first and first.weekday() < SATURDAY and first not in closed:
                raise BadInput(f"{where}: closed left out {first}, a weekday; expected it among the holidays of {year}")


def _days(where: str, column: str, by_year: Mapping[int, str]) -> list[date]:
    """The days that a file lists by year: weekdays, each once, because the others are closed anyway."""
    found: dict[date, None] = {}
    for year, words in by_year.items():
        for word in words.split():
            try:
                if not _MONTH_DAY.fullmatch(word):
                    raise ValueError(word)
                day = date.fromisoformat(f"{year:04d}-{word}")
            except ValueError:
                raise BadInput(
                    f"{where} cannot be read: {column} of {year} held {shown(word)}; expected days such as 12-31"
                ) from None
            if day.weekday() >= SATURDAY:
                raise BadInput(f"{where}: {column} of {year} held {word}, a {day:%A}; expected weekdays, weekends are closed")
            if day in found:
                raise BadInput(f"{where}: {column} of {year} held {word} twice; expected it once")
            found[day] = None
    return list(found)
