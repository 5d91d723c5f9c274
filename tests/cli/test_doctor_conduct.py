"""`tradeloop doctor` beside what futures exchanges call abnormal: a limit that lets it happen is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.commands import tradeloop

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import WallClock

ON = UtcNs(int(datetime(2026, 7, 17, tzinfo=UTC).timestamp()) * SECOND_NS)


def said_of(home: Path, rule: str, value: int, name: str) -> list[str]:
    """What doctor says of one limit on one symbol."""
    text = f"limits:\n  - {{rule: {rule}, value: {value}, scope: symbol, name: {name}}}\n"
    (home / "risk.yaml").write_text(text, encoding="utf-8")
    findings = tradeloop(home, "doctor", "--json").document["findings"]
    assert [each["state"] for each in findings if each["what"] == "limits"] == ["ok"]
    return [each["text"] for each in findings if each["what"] == "limits of conduct"]


@pytest.mark.parametrize(
    ("rule", "name", "exchange", "abnormal"),
    [
        ("max_self_trades", "cu2612.SHFE", "SHFE", 5),
        ("max_cancels_per_day", "IF2612.CFFEX", "CFFEX", 400),
        ("max_cancels_per_day", "T2612.CFFEX", "CFFEX", 500),
        ("max_large_cancels_per_day", "cu2612.SHFE", "SHFE", 50),
    ],
)
def test_a_limit_that_lets_abnormal_conduct_happen_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, name: str, exchange: str, abnormal: int
) -> None:
    monkeypatch.setattr(WallClock, "now", lambda _: ON)
    assert said_of(tmp_path, rule, abnormal - 1, name) == []
    expected = f"{rule} of {name} is {abnormal}, and {exchange} calls {abnormal} in a day abnormal; lower them"
    assert said_of(tmp_path, rule, abnormal, name) == [expected]


@pytest.mark.parametrize(
    ("rule", "name"),
    [("max_cancels_per_day", "600519.SH"), ("max_large_cancels_per_day", "i2612.DCE"), ("max_orders_per_day", "cu2612.SHFE")],
)
def test_of_what_no_exchange_gives_a_figure_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, name: str
) -> None:
    monkeypatch.setattr(WallClock, "now", lambda _: ON)
    assert said_of(tmp_path, rule, 10_000, name) == []


def test_names_in_a_list_that_nobody_knows_are_named(tmp_path: Path) -> None:
    """An industry may be called anything; a symbol without its market would match nothing."""
    rule = "{rule: blacklist, only: [600519.SH, STAR, AAPL, Banking, paper]}"
    (tmp_path / "risk.yaml").write_text(f"limits:\n  - {rule}\n", encoding="utf-8")
    findings = tradeloop(tmp_path, "doctor", "--json").document["findings"]
    (said,) = [each for each in findings if each["what"] == "names in limits"]
    assert said["text"].startswith("AAPL, Banking: no symbol, board or account")


def test_after_the_last_day_of_the_table_nothing_is_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WallClock, "now", lambda _: UtcNs(ON + 366 * 86_400 * SECOND_NS))
    assert said_of(tmp_path, "max_cancels_per_day", 10_000, "cu2612.SHFE") == []
