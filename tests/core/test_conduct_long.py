"""What a fill costs a long run: it looks at the first line that waits for money, not at all of them."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import Work, prices

from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol
from tradeloop.testing.builders import an_instrument
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
