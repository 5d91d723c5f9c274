"""The demo that comes with the package: four US stocks, real one-second quotes of 2013-10-08, 09:30 to 11:00 New York.

demo/NOTICE names where the numbers come from and under which licence.
"""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from tradeloop.core.types import Symbol, TradingDay
from tradeloop.feeds.quotes import read_quotes
from tradeloop.feeds.replay import ReplayFeed
from tradeloop.ports.clock import Clock

DEMO_DAY: Final = TradingDay("2013-10-08")
DEMO_SYMBOLS: Final = (Symbol("AIG.US"), Symbol("BAC.US"), Symbol("IBM.US"), Symbol("SPY.US"))
_QUOTES: Final = ("aig_1s.csv.gz", "bac_1s.csv.gz", "ibm_1s.csv.gz", "spy_1s.csv.gz")


def demo_file(name: str) -> Traversable:
    """A file of the demo folder: `portfolio_us.csv`, `execution_context_us.json`, `NOTICE` or one of the recordings."""
    return files("tradeloop.feeds").joinpath("demo", name)


def demo_portfolio() -> Traversable:
    """The demo's target portfolio, `ts_code,weight`."""
    return demo_file("portfolio_us.csv")


def demo_context() -> Traversable:
    """The demo's execution context, JSON."""
    return demo_file("execution_context_us.json")


def demo_feed(clock: Clock) -> ReplayFeed:
    """The demo's quotes, played on `clock`."""
    return ReplayFeed([partial(read_quotes, demo_file(name)) for name in _QUOTES], clock, name="demo")
