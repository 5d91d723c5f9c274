"""A strategy that crashes, hangs, floods or answers nonsense ends alone, and the log says of what."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.strategies.houses import QUIET, a_house, is_alive

from tradeloop.strategies.process import StrategyEnded

ENDS = {
    "raises": ("raise ValueError('no such price')", "on_quote: ValueError: no such price"),
    "crashes": ("__import__('os')._exit(7)", "on_quote: it ended with exit code 7"),
    "is_killed": ("__import__('os').abort()", "on_quote: it was ended by signal 6"),
    "hangs": ("\n            while True: pass", "on_quote took longer than 0.5 s"),
    "floods": (
        "\n            while True: print('x' * 10000)",
        "on_quote: it printed more than 1,048,576 bytes, and was ended",
    ),
    "floats": (
        "return Order(symbol='BAC.US', side='buy', quantity=0.1)",
        "on_quote: TypeError: quantity was a float; expected a Decimal, a whole number or text",
    ),
    "answers": (
        "return 'buy'",
        "on_quote: TypeError: the answer held a str; expected an Order, a list of them, a Target or nothing",
    ),
    "many": (
        "return [Order(symbol='BAC.US', side='buy', quantity=1)] * 51",
        "on_quote returned 51 orders; expected at most 50",
    ),
}


@pytest.mark.parametrize("how", ENDS)
async def test_it_ends_alone_and_the_log_says_why(tmp_path: Path, how: str) -> None:
    does, why = ENDS[how]
    async with a_house(tmp_path) as house:
        house.write("quiet", QUIET)
        call_s = "0.5" if "longer than 0.5 s" in why else "20"  # a machine may stall for longer than a call that ends takes
        house.write("bad", f"class Bad:\n    def on_quote(self, quote):\n            {does}\n", call_s=call_s)
        await house.host.start("quiet", "ann")
        await house.host.start("bad", "ann")
        pid = (await house.host.strategy("bad")).pid
        assert await house.stands("bad", "FAILED") == why
        await house.until(lambda: pid is None or not is_alive(pid))
        (failed,) = await house.answered("bad", "FAIL")
        assert failed.error_message == why
        assert (await house.host.strategy("quiet")).standing == "RUNNING"
        assert house.counter.desk.is_ready
        assert len(house.counter.desk.state.orders) == 0


async def test_what_can_not_be_loaded_is_said_to_whoever_starts_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.write("broken", "class Broken\n")
        with pytest.raises(StrategyEnded, match="loading it: SyntaxError"):
            await house.host.start("broken", "ann")
        house.write("none", "x = 1\n")
        with pytest.raises(StrategyEnded, match="0 classes were found; expected one class with on_start"):
            await house.host.start("none", "ann")
        assert (await house.host.strategy("none")).standing == "FAILED"


async def test_it_may_be_started_again_after_it_ended(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        file = house.write("bad", "class Bad:\n    def on_quote(self, quote): raise ValueError\n")
        await house.host.start("bad", "ann")
        await house.stands("bad", "FAILED")
        file.write_text(QUIET, encoding="utf-8")
        assert await house.host.start("bad", "ann") == "strategy bad runs, version 2 of its configuration"
