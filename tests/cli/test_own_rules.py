"""The setting `markets.rules`: what is refused starts nothing that trades, and stops nobody who stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.commands import FAST, tradeloop

from tradeloop.markets.own_rules import use_rules
from tradeloop.markets.tables import data_bytes


@pytest.fixture(autouse=True)
def packaged_again() -> Iterator[None]:
    """The rules are those of the process: what a test put in their place goes with it."""
    yield
    use_rules(None)


def with_rules(home: Path, name: str, text: str) -> Path:
    """A home whose setting names a folder with one file of rules."""
    folder = home / "rules"
    folder.mkdir()
    (folder / name).write_text(text, encoding="utf-8")
    (home / "tradeloop.yaml").write_text(f"markets:\n  rules: {folder}\n", encoding="utf-8")
    return home


def test_rules_of_a_market_that_does_not_exist_start_nothing_that_trades(tmp_path: Path) -> None:
    home = with_rules(tmp_path, "calendar_mars.yaml", "calendar: MARS\n")
    said = tradeloop(home, "reconcile", "--feed", "demo", "--speed", FAST)
    assert said.code == 2
    assert "calendar_mars.yaml is the file of no market and no rule there is; expected one of" in said.error
    (found,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "market rules"]
    assert found["state"] == "bad"
    assert found["text"].endswith("nothing that trades starts before")


def test_a_halt_is_latched_whatever_the_rules_are(tmp_path: Path) -> None:
    home = with_rules(tmp_path, "calendar_mars.yaml", "calendar: MARS\n")
    said = tradeloop(home, "halt", "--reason", "try", "--by", "ann")
    assert said.out.startswith(f"HALT is latched by {home / 'HALT'}")
    assert (home / "HALT").exists()


def test_doctor_names_the_files_of_ones_own(tmp_path: Path) -> None:
    home = with_rules(tmp_path, "calendar_hk.yaml", data_bytes("calendar_hk.yaml").decode())
    (found,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "market rules"]
    assert (found["state"], found["text"]) == ("ok", f"of your own in {home / 'rules'}: calendar_hk.yaml")


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("price_limits.yaml", 'limit: "0.10"', 'limit: "NaN"', "row 1: limit was NaN; expected a finite number"),
        ("price_limits.yaml", 'limit: "0.10"', 'limit: "10"', "row 1: limit was 10; expected a fraction below 1"),
        ("price_limits.yaml", 'limit: "0.10"', 'limit: "Infinity"', "row 1: limit was Infinity; expected a finite number"),
        (
            "price_limits.yaml",
            "verified_on: 2026-11-20",
            "verified_on: 2999-01-01",
            "row 1: verified_on was 2999-01-01; expected",
        ),
        ("sessions.yaml", "calendar: CN\n", "calendar: XX\n", "row 1: calendar was XX; expected one of CN, US, HK, ALWAYS"),
        ("sessions.yaml", 'day_rolls: "19:00"', 'day_rolls: "99:00"', "day_rolls was 99:00; expected a time of day"),
        ("order_rules.yaml", 'min_qty: "100"', 'min_qty: "150"', "row 1: min_qty was 150; expected whole lots of 100"),
        ("order_limits.yaml", '"1000000"', '"Infinity"', "row 1: max_qty_limit was Infinity; expected a finite number"),
    ],
)
def test_an_absurd_row_sends_no_order_and_is_no_fault_of_ours(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    home = with_rules(tmp_path, file, data_bytes(file).decode().replace(old, new))
    words = ("--feed", "synthetic", "--start", "2026-11-20T02:00:00Z", "--speed", "60")
    said = tradeloop(home, "orders", "submit", "600519.SH", "buy", "100", "--type", "limit", "--price", "50", *words)
    assert said.code == 2
    assert said.error.startswith(str(home / "rules" / file))
    assert says in said.error
    (found,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "market rules"]
    assert (found["state"], says in found["text"]) == ("bad", True)
