"""What the checks of a run look at, what they find, and the words they say it in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from tradeloop.core.commands import StartRun, TargetLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.drift import NONE_REFUSED, Refused
from tradeloop.core.run.sizing import Held
from tradeloop.core.types import SECOND_NS, ZERO, Symbol, TradingDay, UtcNs

_NAMES_SHOWN = 5

Windows = Sequence[tuple[UtcNs, UtcNs]]
"""The [start, end) spans of a day in which orders may be sent."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One reason why a run may not be: the rule's name, and a sentence for a person.

    `follows_from` names the finding it is a mere consequence of: whoever mends that one has mended this.
    """

    code: str
    text: str
    follows_from: str = ""


class Look(msgspec.Struct, frozen=True):
    """Everything the checks may look at."""

    cmd: StartRun
    instruments: Mapping[Symbol, Instrument]
    held: Mapping[Symbol, Held]
    cash: Decimal
    equity: Decimal
    now: UtcNs
    is_trading_day: bool
    windows: Windows
    open_days: Sequence[TradingDay] = ()
    ageless: Collection[Symbol] = ()
    """Symbols whose last price counts however old it is: a dry-run is made while their market is shut."""
    refused: Refused = NONE_REFUSED
    """Symbols whose price in the target is too far from the market, with code and sentence."""

    @property
    def total_weight(self) -> Decimal:
        """Sum of all weights, a fraction of the equity."""
        return sum((target.weight for target in self.cmd.targets), ZERO)


Rule = Callable[[Look], Iterable[Finding]]
"""One check: its findings, none when it passes."""


def some(names: Iterable[str]) -> str:
    """The first few names and how many more there are."""
    every = list(names)
    shown, rest = every[:_NAMES_SHOWN], len(every) - _NAMES_SHOWN
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def weights(targets: Iterable[TargetLine]) -> str:
    """The first few targets with their weights and the rows a person finds them in."""
    return some(f"{target.symbol} with {weight(target.weight)} (row {target.row})" for target in targets)


def weight(number: Decimal) -> str:
    """All digits, since a rounded weight could look like its limit."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(at: UtcNs) -> str:
    """A moment to the second, in UTC."""
    return datetime.fromtimestamp(at // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
