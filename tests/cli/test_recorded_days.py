"""A recording of several days in one home: commands go on where the journal stands, and a mistyped day moves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.commands import Said, a_portfolio, tradeloop

MINUTES = "ts,symbol,open,high,low,close,volume"
DAYS = ("2026-07-15", "2026-07-16", "2026-07-17")


def recorded(folder: Path) -> Path:
    """Made-up minute bars of one stock on three trading days, Wednesday to Friday."""
    rows = [
        f"{day}T{at}:00+08:00,600036.SH,40,40,40,40,9000000"
        for day in DAYS
        for at in ("09:30", "09:31", "09:32", "09:33", "09:34", "14:00", "15:00")
    ]
    file = folder / "bars.csv"
    file.write_text("\n".join((MINUTES, *rows, "")), encoding="utf-8")
    return file


def a_context(folder: Path, day: str, snapshot: str = "s1") -> Path:
    """A decision for one day."""
    file = folder / f"{day}-{snapshot}.json"
    file.write_text(
        f"""{{"schema_version": 1, "project_id": "days", "trade_date": "{day}", "active_champion_id": "c1",
        "decision_snapshot_id": "{snapshot}", "market": "CN_A", "currency": "CNY", "target_exposure": "0.1",
        "risk_checks": {{"all": {{"passed": true, "detail": "ok"}}}}, "generated_at": "2026-07-14T07:30:00Z"}}""",
        encoding="utf-8",
    )
    return file


def ran(tmp_path: Path, day: str, *words: str, snapshot: str = "s1") -> Said:
    """A run of one day on the recording."""
    portfolio = a_portfolio(tmp_path, "600036.SH,0.1\n")
    context = a_context(tmp_path, day, snapshot)
    feed = ("--feed", str(recorded(tmp_path)), "--speed", "600")
    return tradeloop(tmp_path / "home", "run", str(portfolio), "--context", str(context), *feed, *words)


@pytest.mark.parametrize(
    "words",
    [
        ("reconcile",),
        ("orders", "submit", "600036.SH", "buy", "100"),
        ("flatten", "--reason", "end"),
        ("cancel-all", "--reason", "end"),
    ],
    ids=["reconcile", "submit", "flatten", "cancel-all"],
)
def test_a_command_goes_on_where_the_journal_stands_in_a_recording_of_several_days(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """The recording begins two days before it: no day was named that time would have to go back to."""
    assert ran(tmp_path, DAYS[1], "--yes").code == 0

    said = tradeloop(tmp_path / "home", *words, "--feed", str(recorded(tmp_path)), "--speed", "600")

    assert said.code == (1 if words[0] == "flatten" else 0), said.err  # what was bought today is sold on the next day
    assert "time does not go back" not in said.err


def test_a_recording_of_another_time_is_still_refused(tmp_path: Path) -> None:
    assert ran(tmp_path, DAYS[1], "--yes").code == 0

    said = tradeloop(tmp_path / "home", "reconcile", "--feed", "demo")

    assert said.code == 2
    assert "time does not go back to 2013-10-08T13:30:00Z" in said.error


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-16", "the trade date is 2026-11-16, and the recording ends on 2026-07-17; correct the context"),
        ("2026-07-18", "the trade date 2026-07-18 is a Saturday and no trading day of CN_A"),
        ("2027-12-28", "2027-12-28"),
    ],
    ids=["past the recording", "a Saturday", "past the calendar"],
)
@pytest.mark.parametrize("how", ["--dry-run", "--yes"])
def test_a_mistyped_trade_date_is_refused_and_moves_no_clock(tmp_path: Path, day: str, said: str, how: str) -> None:
    """Time does not go back within a home: a slip of the pen would end its recorded days for ever."""
    assert ran(tmp_path, DAYS[0], "--yes").code == 0

    refused = ran(tmp_path, day, how, snapshot="s2")

    assert (refused.code, said in refused.error) == (2, True), refused.err
    assert ran(tmp_path, DAYS[1], "--yes", snapshot="s3").code == 0


def minutes_from_the_first(folder: Path) -> Path:
    """Made-up minute bars of two days: the first of each ends a minute after the open."""
    rows = [
        f"{day}T{at}:00+08:00,600036.SH,40,40,40,40,9000000"
        for day in DAYS[:2]
        for at in ("09:31", "09:32", "09:33", "09:34", "14:00", "15:00")
    ]
    file = folder / "first.csv"
    file.write_text("\n".join((MINUTES, *rows, "")), encoding="utf-8")
    return file


def doubled(file: Path) -> Path:
    """The decision with twice the exposure."""
    file.write_text(
        file.read_text(encoding="utf-8").replace('"target_exposure": "0.1"', '"target_exposure": "0.2"'), encoding="utf-8"
    )
    return file


def test_a_run_at_the_open_of_a_later_day_waits_for_the_first_bar_of_that_day(tmp_path: Path) -> None:
    """The bar of 09:31 is the first price of the day; what stands before it is of the day before."""
    home, feed = tmp_path / "home", ("--feed", str(minutes_from_the_first(tmp_path)), "--speed", "60", "--yes", "--json")
    first, second = a_context(tmp_path, DAYS[0]), doubled(a_context(tmp_path, DAYS[1]))
    light, heavy = a_portfolio(tmp_path, "600036.SH,0.1\n"), a_portfolio(tmp_path, "600036.SH,0.2\n", "heavy.csv")
    assert tradeloop(home, "run", str(light), "--context", str(first), *feed).code == 0

    said = tradeloop(home, "run", str(heavy), "--context", str(second), *feed)

    assert said.code == 0, said.err
    assert said.err.count("waiting for the first quotes since the open, until 2026-07-16 01:31:30Z at the latest") == 1
    assert [order["ord_status"] for order in said.document["orders"]] == ["FILLED"]


def test_a_session_without_a_quote_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    """The recording of the second day begins in the afternoon: the price of the day before is too old to trade on."""
    file = tmp_path / "afternoon.csv"
    times = [*(f"{DAYS[0]}T09:3{at}:00+08:00" for at in range(1, 6)), f"{DAYS[1]}T14:00:00+08:00"]
    file.write_text("\n".join((MINUTES, *(f"{at},600036.SH,40,40,40,40,9000000" for at in times), "")), encoding="utf-8")
    home, feed = tmp_path / "home", ("--feed", str(file), "--speed", "60", "--yes")
    first, second = a_context(tmp_path, DAYS[0]), doubled(a_context(tmp_path, DAYS[1]))
    light, heavy = a_portfolio(tmp_path, "600036.SH,0.1\n"), a_portfolio(tmp_path, "600036.SH,0.2\n", "heavy.csv")
    assert tradeloop(home, "run", str(light), "--context", str(first), *feed).code == 0

    said = tradeloop(home, "run", str(heavy), "--context", str(second), *feed)

    assert (said.code, "waiting for the first quotes since the open" in said.err) == (3, True), said.err
    assert "stale_prices" in said.err
