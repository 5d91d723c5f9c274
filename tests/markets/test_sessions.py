"""When orders may be sent: fixed days that always run, and every session of the data pack where it is present."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.markets import shared_data

from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.markets.sessions import (
    auctions,
    is_open,
    is_trading_day,
    limits_only,
    next_open,
    next_trading_day,
    no_cancels,
    segments,
    trading_day_at,
    windows,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def ns(moment: datetime) -> UtcNs:
    return UtcNs(int(moment.timestamp()) * SECOND_NS)


def local(session: str, day: date, zone: ZoneInfo) -> list[str]:
    """The windows of a day as `MM-DD HH:MM-HH:MM` in the exchange's own time."""
    shown = []
    for start, end in windows(session, day):
        opens = datetime.fromtimestamp(start // SECOND_NS, tz=zone)
        closes = datetime.fromtimestamp(end // SECOND_NS, tz=zone)
        shown.append(f"{opens:%m-%d %H:%M}-{closes:%H:%M}")
    return shown


def test_a_shares_trade_in_the_morning_and_the_afternoon_the_closing_auction_included() -> None:
    assert local("CN_A", date(2026, 7, 17), SHANGHAI) == ["07-17 09:30-11:30", "07-17 13:00-15:00"]


def test_the_auctions_are_segments_of_their_own_kind() -> None:
    kinds = [(segment.kind, segment.cancels) for segment in segments("CN_A", date(2026, 7, 17))]
    assert kinds == [
        ("opening_auction", True),
        ("opening_auction", False),
        ("continuous", True),
        ("continuous", True),
        ("closing_auction", False),
    ]


def test_the_us_session_of_the_demo_day_is_half_past_nine_to_four_in_new_york() -> None:
    assert local("US", date(2013, 10, 8), NEW_YORK) == ["10-08 09:30-16:00"]


def test_the_us_session_moves_in_utc_with_daylight_saving() -> None:
    winter, summer = windows("US", date(2026, 1, 5))[0][0], windows("US", date(2026, 7, 6))[0][0]
    assert winter == ns(datetime(2026, 1, 5, 14, 30, tzinfo=UTC))
    assert summer == ns(datetime(2026, 7, 6, 13, 30, tzinfo=UTC))


@pytest.mark.parametrize("day", [date(2013, 7, 3), date(2026, 11, 27), date(2026, 12, 24)])
def test_an_early_close_in_new_york_ends_at_one(day: date) -> None:
    assert local("US", day, NEW_YORK) == [f"{day:%m-%d} 09:30-13:00"]


def test_a_half_day_in_hong_kong_has_no_afternoon() -> None:
    assert local("HK", date(2026, 12, 24), ZoneInfo("Asia/Hong_Kong")) == ["12-24 09:30-12:00"]


def test_coins_trade_all_day_every_day() -> None:
    assert windows("CRYPTO", date(2026, 1, 3)) == (
        (ns(datetime(2026, 1, 3, tzinfo=UTC)), ns(datetime(2026, 1, 4, tzinfo=UTC))),
    )


@pytest.mark.parametrize(
    ("session", "day"),
    [
        ("CN_A", date(2026, 6, 19)),
        ("CN_A", date(2026, 7, 18)),
        ("US", date(2026, 7, 3)),
        ("HK", date(2024, 9, 6)),
        ("FN0230", date(2026, 10, 1)),
    ],
)
def test_a_closed_day_has_no_windows(session: str, day: date) -> None:
    assert not is_trading_day(session, day)
    assert windows(session, day) == ()


def test_the_friday_night_session_belongs_to_monday() -> None:
    assert local("FN0230", date(2026, 7, 20), SHANGHAI) == [
        "07-17 21:00-02:30",
        "07-20 09:00-10:15",
        "07-20 10:30-11:30",
        "07-20 13:30-15:00",
    ]


def test_a_night_session_past_midnight_is_one_window() -> None:
    start, end = windows("FN0100", date(2026, 7, 16))[0]
    assert end - start == 4 * 3600 * SECOND_NS


@pytest.mark.parametrize("first_day_back", [date(2026, 10, 8), date(2026, 6, 22), date(2022, 1, 4)])
def test_there_is_no_night_session_before_a_weekday_holiday(first_day_back: date) -> None:
    assert len(windows("FN2300", first_day_back)) == 3
    opening = segments("FN2300", first_day_back)[0]
    assert datetime.fromtimestamp(opening.start // SECOND_NS, tz=SHANGHAI).hour == 8


def test_a_futures_day_with_a_night_opens_with_its_auction_in_the_evening() -> None:
    opening, *rest = segments("FN2300", date(2026, 7, 16))
    assert datetime.fromtimestamp(opening.start // SECOND_NS, tz=SHANGHAI).hour == 20
    assert [segment.kind for segment in rest].count("opening_auction") == 0


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 17, 14, 0, tzinfo=SHANGHAI), date(2026, 7, 17)),
        (datetime(2026, 7, 17, 18, 59, 59, tzinfo=SHANGHAI), date(2026, 7, 17)),
        (datetime(2026, 7, 17, 19, 0, tzinfo=SHANGHAI), date(2026, 7, 20)),
        (datetime(2026, 7, 18, 1, 0, tzinfo=SHANGHAI), date(2026, 7, 20)),
        (datetime(2026, 7, 16, 1, 0, tzinfo=SHANGHAI), date(2026, 7, 16)),
        (datetime(2026, 9, 30, 21, 0, tzinfo=SHANGHAI), date(2026, 10, 8)),
    ],
)
def test_a_moment_of_the_night_counts_for_the_next_trading_day(moment: datetime, day: date) -> None:
    assert trading_day_at("FN0230", ns(moment)) == day


def test_an_evening_in_the_stock_market_still_counts_for_its_own_day() -> None:
    assert trading_day_at("CN_A", ns(datetime(2026, 7, 17, 22, 0, tzinfo=SHANGHAI))) == date(2026, 7, 17)


def test_a_moment_of_a_closed_day_counts_for_the_next_trading_day() -> None:
    assert trading_day_at("CN_A", ns(datetime(2026, 7, 18, 10, 0, tzinfo=SHANGHAI))) == date(2026, 7, 20)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 7, 17, 8, 0, tzinfo=SHANGHAI), datetime(2026, 7, 17, 9, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 7, 17, 9, 30, tzinfo=SHANGHAI), datetime(2026, 7, 17, 9, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 7, 17, 12, 0, tzinfo=SHANGHAI), datetime(2026, 7, 17, 13, 0, tzinfo=SHANGHAI)),
        (datetime(2026, 7, 17, 15, 0, tzinfo=SHANGHAI), datetime(2026, 7, 20, 9, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 9, 30, 15, 0, tzinfo=SHANGHAI), datetime(2026, 10, 8, 9, 30, tzinfo=SHANGHAI)),
    ],
)
def test_the_next_open_skips_lunch_weekends_and_holidays(now: datetime, opens: datetime) -> None:
    assert next_open("CN_A", ns(now)) == ns(opens)


@pytest.mark.parametrize(
    ("clock", "expected"), [((9, 29), False), ((9, 30), True), ((11, 30), False), ((14, 59), True), ((15, 0), False)]
)
def test_a_window_holds_its_start_and_not_its_end(clock: tuple[int, int], expected: bool) -> None:
    assert is_open("CN_A", ns(datetime(2026, 7, 17, *clock, tzinfo=SHANGHAI))) is expected


@pytest.mark.parametrize(
    ("session", "day", "says"),
    [
        ("CN_A", date(2027, 1, 4), "the calendar of CN_A ends 2026-12-31; 2027-01-04 needs rows"),
        ("CN_A", date(2007, 12, 28), "the calendar of CN_A begins 2008-01-01"),
        ("FN0230", date(2027, 1, 4), "the calendar of FN0230 ends 2026-12-31"),
        ("US", date(2028, 1, 3), "the calendar of US ends 2027-12-31"),
        ("CRYPTO", date(2028, 1, 1), "the sessions of CRYPTO end 2027-12-31"),
        ("FD0915", date(2019, 7, 1), "the sessions of FD0915 begin 2020-07-20"),
    ],
)
def test_a_day_outside_the_table_is_refused(session: str, day: date, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        windows(session, day)
    assert says in str(refused.value)


def test_the_day_after_the_last_one_of_the_table_is_refused_and_not_guessed() -> None:
    with pytest.raises(BadInput, match="ends 2026-12-31"):
        next_trading_day("CN_A", date(2026, 12, 31))


def test_an_unknown_session_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="expected one of CN_A, CRYPTO"):
        windows("NOWHERE", date(2026, 7, 17))


@pytest.mark.data
@pytest.mark.parametrize(("session", "name"), [("CN_A", "xshg"), ("US", "xnys"), ("HK", "xhkg")])
def test_every_session_of_the_data_pack_has_its_opening_break_and_close(session: str, name: str) -> None:
    published = {row["date"]: row for row in shared_data.rows(f"holidays/{name}_sessions.csv")}
    day, last = date.fromisoformat(min(published)), date.fromisoformat(max(published))
    wrong = []
    while day <= last:
        row = published.get(day.isoformat())
        expected = () if row is None else tuple(_published_spans(row))
        if windows(session, day) != expected:
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


def _published_spans(row: dict[str, str]) -> list[tuple[UtcNs, UtcNs]]:
    opens, closes = _published(row["open_utc"]), _published(row["close_utc"])
    if not row["break_start_utc"]:
        return [(opens, closes)]
    return [(opens, _published(row["break_start_utc"])), (_published(row["break_end_utc"]), closes)]


def _published(text: str) -> UtcNs:
    return ns(datetime.fromisoformat(text))


@pytest.mark.data
def test_every_night_bar_of_the_data_pack_falls_in_the_windows_of_its_trading_day() -> None:
    """A bar's time is its end, so the moment before it is inside. FN0100 is copper's session."""
    bars = shared_data.rows("cn_futures/cu2202_m1.csv.gz")
    wrong = []
    for bar in bars:
        inside = UtcNs(ns(datetime.fromisoformat(bar["ts"])) - SECOND_NS)
        day = date.fromisoformat(bar["trading_day"])
        if trading_day_at("FN0100", inside) != day or not is_open("FN0100", inside):
            wrong.append(bar["ts"])
    assert len(bars) == 3945
    assert wrong == []


@pytest.mark.data
def test_the_weekday_holidays_of_the_futures_exchanges_are_closed_days() -> None:
    published = {date.fromisoformat(row["date"]) for row in shared_data.rows("cn_futures/cn_holidays.csv")}
    day, wrong = date(2008, 1, 1), []
    while day <= date(2022, 10, 7):
        if is_trading_day("FN2300", day) != (day.weekday() < 5 and day not in published):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


def test_the_closing_auction_is_told_apart_from_continuous_trading() -> None:
    day = date(2026, 7, 17)
    assert auctions("CN_A", day) == (
        (ns(datetime(2026, 7, 17, 14, 57, tzinfo=SHANGHAI)), ns(datetime(2026, 7, 17, 15, 0, tzinfo=SHANGHAI))),
    )
    assert auctions("CN_A", date(2018, 8, 17)) == auctions("US", day) == auctions("CN_A", date(2026, 7, 18)) == ()


def test_the_hours_of_limits_alone_and_without_cancels_are_those_of_the_rows() -> None:
    day = date(2026, 7, 17)

    def spans(*clocks: tuple[int, int, int, int]) -> tuple[tuple[UtcNs, UtcNs], ...]:
        return tuple(
            (ns(datetime(2026, 7, 17, a, b, tzinfo=SHANGHAI)), ns(datetime(2026, 7, 17, c, d, tzinfo=SHANGHAI)))
            for a, b, c, d in clocks
        )

    assert limits_only("CN_A", day) == spans((9, 15, 9, 20), (9, 20, 9, 25), (14, 57, 15, 0))
    assert no_cancels("CN_A", day) == spans((9, 20, 9, 25), (14, 57, 15, 0))
    for session in ("US", "HK", "CRYPTO", "FN0230"):
        assert limits_only(session, day) == no_cancels(session, day) == ()
