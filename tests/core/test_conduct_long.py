"""What a fill costs a long run: it looks at the first line that waits for money, not at all, and reckons nothing anew."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.runs_made import Work, prices

from tradeloop.core.reports import Quote
from tradeloop.core.run import sending
from tradeloop.core.types import Symbol
from tradeloop.testing.builders import a_quote, a_snapshot, an_instrument
from tradeloop.testing.desk import Desk


class Counted(dict[Symbol, Quote]):
    """Quotes that count how often they were asked for."""

    asked = 0

    def get(self, symbol: Symbol, default: Quote | None = None) -> Quote | None:  # type: ignore[override, explicit-override]
        self.asked += 1
        return super().get(symbol, default)


def test_a_fill_that_pays_for_nothing_yet_prices_one_line_however_many_wait() -> None:
    """Issue 2: thousands of lines, each filled in many parts."""
    sold, *bought = (f"{600_000 + number}.SH" for number in range(201))
    desk = Desk().opened(*(an_instrument(symbol) for symbol in (sold, *bought)), cash=0, positions={sold: 1_000_000})
    targets = {sold: Decimal(0), **dict.fromkeys(bought, Decimal("0.005"))}
    work = Work.begun(dict(targets), desk=desk, prices=prices(sold, *bought))
    quotes = desk.around.quotes = Counted(desk.around.quotes)

    work.fill(sold, 100)

    assert len(work.sent()) == 1
    assert 0 < quotes.asked < 10


def test_what_is_set_aside_for_lines_that_wait_for_a_quote_is_reckoned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And anew when another quote comes: a price that falls frees money for what stands behind."""
    symbols = [f"{600_000 + number}.SH" for number in range(50)]
    desk = Desk().opened(*(an_instrument(symbol) for symbol in symbols), quoted=False)
    desk.give(a_quote(symbols[-1]))
    reckoned: list[str] = []
    cost_bound = sending._cost_bound

    def counted(*of: object) -> Decimal:
        reckoned.append(of[3].symbol)  # type: ignore[attr-defined]
        return cost_bound(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(sending, "_cost_bound", counted)
    work = Work.begun(dict.fromkeys(symbols, Decimal("0.01")), desk=desk, prices=prices(*symbols))
    for _ in range(10):
        work.fill(symbols[-1], 100)
    waiting = symbols[:-1]
    assert sorted(one for one in reckoned if one in waiting) == waiting

    reckoned.clear()
    old = a_quote(waiting[0], "5", "5.01", at=desk.now)
    desk.give(old)
    desk.wait(120)
    desk.give(a_snapshot(as_of=desk.now))
    assert reckoned == [waiting[0]], "its quote is too old to go by, and it is what its price is reckoned from"
