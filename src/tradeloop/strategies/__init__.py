"""The host of users' strategies, and what a strategy is written with: what it is told, and what it may answer.

A strategy is a class with any of `on_start()`, `on_quote(quote)`, `on_bar(bar)`, `on_fill(fill)` and `on_timer(at)`. Each
returns an `Order`, a list of them, a `Target`, or nothing. It runs in a process of its own;
docs/how-to/write-a-strategy.md shows one.
"""

from tradeloop.core.reports import Quote
from tradeloop.strategies.answers import Order, Target
from tradeloop.strategies.bars import Bar
from tradeloop.strategies.pipe import Fill

__all__ = ["Bar", "Fill", "Order", "Quote", "Target"]
