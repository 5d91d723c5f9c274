"""docs/reference/market-rules.md: what the rows and calendars say today, none left out."""

from __future__ import annotations

import re
from pathlib import Path

from tradeloop.markets.calendars import CALENDAR_FILES, calendar
from tradeloop.markets.coverage import tables, unverified_rows
from tradeloop.testing.market_rules import MARKER, rendered

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "market-rules.md"


def test_the_page_is_what_the_data_says_today() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written[written.index(MARKER) :] == rendered(), (
        f"write it anew: the head of {PAGE.name}, then `python -m tradeloop.testing.market_rules`"
    )


def test_every_row_and_every_span_of_a_calendar_has_a_line() -> None:
    cells = [line.split(" | ") for line in rendered().splitlines() if line.startswith("| ")]
    dated = [line for line in cells if len(line) == 6 and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", line[2])]
    calendars = [calendar(name) for name in CALENDAR_FILES]
    spans = sum(len(each.spans) + len(each.no_nights) for each in calendars)
    assert len(dated) == sum(len(table.rows) for table in tables()) + spans


def test_every_row_on_general_knowledge_is_marked() -> None:
    marked = [line for line in rendered().splitlines() if line.endswith("| **unverified** |")]
    assert len(marked) == len(unverified_rows())
