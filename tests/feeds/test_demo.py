"""The demo that comes with the package is complete, real and small."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

from tests.feeds.made import JumpingClock, ns

from tradeloop.core.reports import Quote
from tradeloop.feeds import demo


async def heard() -> list[Quote]:
    quotes: list[Quote] = []
    await demo.demo_feed(JumpingClock()).run(demo.DEMO_SYMBOLS, quotes.append)
    return quotes


async def test_the_demo_plays_an_hour_and_a_half_of_four_stocks() -> None:
    quotes = await heard()
    assert len(quotes) == 4 * 5400
    assert {q.symbol for q in quotes} == set(demo.DEMO_SYMBOLS)
    assert quotes[0].at == ns("2013-10-08T13:30:01+00:00")
    assert quotes[-1].at == ns("2013-10-08T15:00:00+00:00")


async def test_no_quote_of_the_demo_is_crossed_or_empty() -> None:
    for quote in await heard():
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid <= quote.ask
        assert quote.volume is None or quote.volume >= 0


def test_the_portfolio_and_its_context_agree_with_the_recording() -> None:
    lines = list(csv.DictReader(demo.demo_portfolio().read_text(encoding="utf-8").splitlines()))
    context = json.loads(demo.demo_context().read_text(encoding="utf-8"))
    assert {line["ts_code"] for line in lines} == set(demo.DEMO_SYMBOLS)
    assert sum(Decimal(line["weight"]) for line in lines) == Decimal(str(context["target_exposure"]))
    assert context["trade_date"] == demo.DEMO_DAY


def test_the_notice_names_source_and_licence_and_the_pack_is_small() -> None:
    notice = demo.demo_file("NOTICE").read_text(encoding="utf-8")
    assert "QuantConnect/Lean" in notice
    assert "Apache License 2.0" in notice
    folder = Path(demo.__file__).with_name("demo")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
