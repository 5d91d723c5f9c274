"""The end of one market's calendar ends that market, until newer tables are there, and nothing else.

The real tables of the mainland end on 2026-12-31, those of the United States a year later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.commands import orders, tradeloop

from tradeloop.bootstrap import open_desk
from tradeloop.bootstrap.listing import Listing
from tradeloop.config import Home, load
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.types import SECOND_NS, Symbol, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.markets.calendars import calendar
from tradeloop.markets.own_rules import use_rules

END = calendar("CN").last_day
MOUTAI, BANK = "600519.SH", "BAC.US"
_PATIENCE_S = 60


def at(moment: str) -> tuple[str, ...]:
    """Made-up quotes, from a moment on."""
    return ("--feed", "synthetic", "--start", moment, "--speed", "60")


LAST_MORNING = at(f"{END}T02:00:00Z")
AFTER = at(f"{END + timedelta(days=4)}T15:00:00Z")
"""A Monday on which New York is open."""


@pytest.fixture(autouse=True)
def packaged_again() -> Iterator[None]:
    """The rules are those of the process: what a test put in their place goes with it."""
    yield
    use_rules(None)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that holds a mainland share and has an order for another lot there."""
    cash = "kind: paper\npaper:\n  cash:\n    CNY: 1000000\n    USD: 1000000\n"
    (tmp_path / "broker.yaml").write_text(cash, encoding="utf-8")
    (tmp_path / "broker.yaml").chmod(0o600)
    for words in ((), ("--type", "limit", "--price", "9.1", "--tif", "gtc")):
        said = tradeloop(tmp_path, "orders", "submit", MOUTAI, "buy", "100", *words, *LAST_MORNING)
        assert said.code == 0, said.err
    return tmp_path


def test_past_the_end_of_one_calendar_the_other_markets_trade_and_everything_stops_as_before(home: Path) -> None:
    bought = tradeloop(home, "orders", "submit", BANK, "buy", "100", *AFTER)
    assert bought.code == 0, bought.err
    told = [line for line in bought.err.splitlines() if line.startswith("critical: ")]
    assert len(told) == 1
    assert f"ends {END}" in told[0]
    assert f"what is held or works there stays ({MOUTAI})" in told[0]

    denied = tradeloop(home, "orders", "submit", MOUTAI, "sell", "100", *AFTER)
    assert denied.code == 3
    assert f"the market of {MOUTAI} is closed: nobody knows its hours of {END + timedelta(days=4)}" in denied.err

    assert tradeloop(home, "flatten", "--symbol", BANK, "--reason", "out", *AFTER).code == 0
    left = tradeloop(home, "flatten", "--reason", "out", *AFTER, "--within", "5")
    assert left.code == 1
    assert f"1 position left ({MOUTAI}" in left.out
    assert {each["ord_status"] for each in orders(home)} == {"FILLED", "CANCELED", "DENIED"}
    for scope in (("--symbol", BANK), ()):
        assert tradeloop(home, "resume", "--reason", "looked", *scope, *AFTER).code == 0
    assert [each["symbol"] for each in tradeloop(home, "positions", "--json").document["positions"]] == [MOUTAI]


def test_doctor_calls_the_end_of_a_calendar_an_error_while_something_of_it_is_held(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = datetime(END.year + 1, 1, 4, tzinfo=UTC)
    monkeypatch.setattr(WallClock, "now", lambda _: UtcNs(int(after.timestamp()) * SECOND_NS))
    said = tradeloop(home, "doctor", "--json")
    found = [each for each in said.document["findings"] if each["what"] == "calendars" and "calendar CN" in each["text"]]
    assert said.code == 1
    assert [each["state"] for each in found] == ["bad"]
    assert "no order goes there, not even one that closes, and the other markets go on" in found[0]["text"]
    assert f"held or working there: {MOUTAI}, to be cancelled and not to be closed" in found[0]["text"]


def test_a_recording_from_before_the_end_is_refused_for_its_time_and_not_for_the_calendar(home: Path) -> None:
    """The journal stands past the end by then, where nobody knows which day was the last one before."""
    assert tradeloop(home, "cancel-all", "--reason", "out", *AFTER).code == 0
    bars = home / "bars.csv"
    columns = "ts_code,trade_date,open,high,low,close,pre_close,volume_shares"
    bars.write_text(f"{columns}\n{MOUTAI},{END},10,10.5,9.5,10,10,1000\n", encoding="utf-8")
    said = tradeloop(home, "orders", "submit", MOUTAI, "buy", "100", "--feed", str(bars))
    assert said.code == 2
    assert "time does not go back" in said.error


def short_calendar(folder: Path, last: date) -> Path:
    """Rules of one's own: a calendar of New York that ends after a few days."""
    folder.mkdir()
    text = (
        "calendar: US\nsources: {made_up: Made up}\n"
        f"spans:\n  - {{from: 2026-07-01, to: {last}, source: made_up, verified_on: null}}\nclosed: {{}}\n"
    )
    (folder / "calendar_us.yaml").write_text(text, encoding="utf-8")
    return folder


async def test_a_desk_that_lives_over_the_end_of_a_calendar_closes_that_market_alone(tmp_path: Path) -> None:
    rules = short_calendar(tmp_path / "rules", date(2026, 7, 16))
    (tmp_path / "broker.yaml").write_text("kind: paper\npaper:\n  cash:\n    USD: 100000\n    USDT: 1000\n", encoding="utf-8")
    given = {
        "markets.rules": str(rules),
        "feed.kind": "synthetic",
        "feed.speed": "600",
        "feed.start": "2026-07-17T02:00:00Z",  # New York turns to the 17th twelve seconds later
    }
    loaded = load(given, home=Home(tmp_path, tmp_path, tmp_path), environ={}, folder=tmp_path)
    heard: list[RaiseAlert] = []
    symbols = [Symbol(BANK), Symbol("BTC/USDT.CRYPTO")]
    async with open_desk(loaded, command="test", alert=heard.append, symbols=symbols) as desk:
        await desk.ready()
        assert desk.state.hours["US"].trading_day == "2026-07-16"
        async with asyncio.timeout(_PATIENCE_S):
            await desk.until(lambda: desk.state.hours["US"].trading_day == "2026-07-17")
            begun = desk.clock.now()
            await desk.until(lambda: desk.clock.now() > begun + 300 * SECOND_NS)
        assert desk.state.hours["US"].windows == ()
        assert desk.state.hours["CRYPTO"].is_open(desk.clock.now())
        assert [each.key for each in heard] == ["calendar:US"]
        assert f"ends 2026-07-16; 2026-07-17 needs rows in {rules / 'calendar_us.yaml'}" in heard[0].text


def test_a_session_whose_table_has_ended_has_a_day_and_no_hours_and_comes_back_with_a_newer_table(tmp_path: Path) -> None:
    noon = UtcNs(int(datetime(2026, 7, 18, 16, tzinfo=UTC).timestamp()) * SECOND_NS)  # a Saturday
    use_rules(short_calendar(tmp_path / "rules", date(2026, 7, 17)))
    closed = Listing.opening("US", noon)
    assert (closed.trading_day, closed.windows) == ("2026-07-18", ())
    use_rules(None)
    again = Listing.opening("US", noon)
    assert again.trading_day == "2026-07-20"
    assert again.windows
