"""A command for an order is refused as a repeat where it is one, and says that a fate is unknown where it is."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import Said, a_portfolio, orders, tradeloop


def feed_of(folder: Path) -> tuple[str, ...]:
    """A recording of one made-up quote that shows 500 and ends."""
    quotes = folder / "quotes.csv"
    quotes.write_text(
        "ts,symbol,bid,ask,bid_size,ask_size\n2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500\n", encoding="utf-8"
    )
    return ("--feed", str(quotes), "--speed", "10")


def submit(home: Path, *words: str) -> Said:
    return tradeloop(home, "orders", "submit", "AIG", "buy", *words, *feed_of(home))


def test_the_same_market_order_while_the_first_is_at_work_is_refused_as_a_repeat(tmp_path: Path) -> None:
    """Nothing is unknown of it: the broker has filled a part."""
    submit(tmp_path, "2000")
    (first,) = orders(tmp_path)
    assert first["ord_status"] == "PARTIALLY_FILLED"
    again = submit(tmp_path, "2000")
    assert again.code == 2
    assert f"order {first['id']} (BUY 2000 AIG.US) of an earlier command is PARTIALLY_FILLED" in again.error
    assert len(orders(tmp_path)) == 1


def test_an_order_on_other_terms_is_no_repeat(tmp_path: Path) -> None:
    submit(tmp_path, "2000")
    other = submit(tmp_path, "10", "--type", "limit", "--price", "1")
    assert other.code == 0, other.err
    assert sorted(each["ord_type"] for each in orders(tmp_path)) == ["LIMIT", "MARKET"]


def test_an_order_beside_that_of_a_run_is_no_repeat_of_it(tmp_path: Path) -> None:
    """Nobody gave that order as a command."""
    tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "AIG.US,0.1\n")), *feed_of(tmp_path), "--yes")
    (of_run,) = orders(tmp_path)
    assert of_run["ord_status"] == "PARTIALLY_FILLED"
    assert submit(tmp_path, of_run["qty"], "--type", "limit", "--price", "1").code == 0
    assert len(orders(tmp_path)) == 2
