"""The parts of the host by themselves: bars, what waits, the file of configurations, the store, the file of a strategy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Px, Qty, Symbol, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.strategies.bars import Bar, Bars
from tradeloop.strategies.configured import configured_in
from tradeloop.strategies.host import Host
from tradeloop.strategies.pipe import Fill, OnFill, OnQuote, OnTimer
from tradeloop.strategies.rows import Trigger
from tradeloop.strategies.source import read_source
from tradeloop.strategies.store import StrategyStore
from tradeloop.strategies.waiting import Waiting

BAC = Symbol("BAC.US")


def at(second: int, price: str, volume: int = 1) -> Quote:
    """A trade at a second."""
    return Quote(BAC, UtcNs(second * SECOND_NS), last=Px(Decimal(price)), volume=Qty(Decimal(volume)))


def test_a_bar_is_told_with_the_first_quote_after_it() -> None:
    bars = Bars(60 * SECOND_NS)
    told = [bars.add(each) for each in (at(0, "10"), at(30, "12"), at(59, "9"), at(61, "11"), at(20, "99"))]
    numbers = (Decimal(each) for each in ("10", "12", "9", "9", "3"))
    assert told == [None, None, None, Bar(BAC, UtcNs(0), *numbers), None]


async def test_fills_come_first_and_of_quotes_only_the_newest() -> None:
    waiting = Waiting(["on_quote", "on_fill", "on_timer"])
    waiting.quote(at(0, "10"))
    waiting.quote(at(1, "11"))
    waiting.timer(UtcNs(5))
    fill = Fill("BAC.US", "BUY", Decimal(1), Decimal(10), "o1", UtcNs(0))
    waiting.fill(fill)
    told = [await waiting.next() for _ in range(3)]
    waiting.close()
    assert told == [OnFill(fill), OnTimer(UtcNs(5)), OnQuote(at(1, "11"))]
    assert await waiting.next() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {name: Dip, file: a.py, symbols: [BAC.US]}", "the name of a strategy was Dip"),
        ("- {name: dip, file: a.py, symbols: []}", "strategy dip has no symbols"),
        ("- {name: dip, file: a.py, symbols: [BAC.US], call_s: 0}", "call_s of strategy dip was 0"),
        ("- {name: dip, file: a.py, symbols: [BAC.US], call_s: nan}", "call_s of strategy dip was nan"),
        ("- {name: dip, file: a.py, symbols: [BAC.US], speed: 1}", "unknown field `speed`"),
        ("- {name: dip, file: a.py, symbols: ['?']}", "strategy dip:"),
        ("- {name: dip, file: a.py, symbols: [BAC.US]}\n  - {name: dip, file: a.py, symbols: [BAC.US]}", "dip stands twice"),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "strategies.yaml"
    file.write_text(f"strategies:\n  {text}\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        configured_in(file)
    assert said in str(refused.value)
    assert str(refused.value).startswith("strategies.yaml: ")


async def test_a_trigger_without_an_answer_says_so_after_a_restart(tmp_path: Path) -> None:
    store = StrategyStore(tmp_path / "strategies.db")
    await store.open()
    fields = {"strategy_name": "dip", "config_version": 1, "trigger_time": 5, "trigger_condition": "low", "create_time": 5}
    trigger = Trigger(**fields, trigger_price="9.5", action_type="BUY", execution_result="PENDING")  # type: ignore[arg-type]
    assert await store.put(trigger) == 1
    await store.close()
    again = StrategyStore(tmp_path / "strategies.db")
    await again.open()
    (found,) = await again.triggers("dip")
    await again.close()
    assert (found.execution_result, found.trigger_price) == ("UNKNOWN", "9.5")
    assert found.error_message.startswith("the desk ended before the answer was written")
    assert (tmp_path / "strategies.db").stat().st_mode & 0o777 == 0o600


class LiveFloor:
    """A desk where real money is traded; anything else that is asked of it fails the test."""

    is_live = True

    def watch(self, watcher: object) -> None:
        """Nobody is called."""

    def listen(self, listener: object) -> None:
        """Nobody is called."""


async def test_where_real_money_is_traded_no_strategy_starts(tmp_path: Path) -> None:
    file = tmp_path / "strategies.yaml"
    file.write_text("strategies:\n  - {name: dip, file: dip.py, symbols: [BAC.US]}\n", encoding="utf-8")
    floor: Any = LiveFloor()
    host = Host(floor, StrategyStore(tmp_path / "strategies.db"), WallClock(), file)
    await host.open()
    with pytest.raises(BadInput, match="real money is traded here"):
        await host.start("dip", "ann")
    (dip,) = await host.strategies()
    await host.close()
    assert (dip.standing, dip.pid) == ("STOPPED", None)


def test_what_is_no_file_of_a_strategy_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    large = tmp_path / "large.py"
    large.write_bytes(b"#" * ((1 << 20) + 1))
    large.chmod(0o600)
    for path, said in ((tmp_path / "gone.py", "can not be read"), (tmp_path, "can not be read"), (large, "is larger than")):
        with pytest.raises(BadInput) as refused:
            read_source(path)
        assert said in str(refused.value)
