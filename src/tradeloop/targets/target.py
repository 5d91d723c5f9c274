"""What somebody asked to hold: a portfolio and the decision it belongs to, and what of both makes a run the same run again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET

from tradeloop.core.errors import BadInput
from tradeloop.core.types import Px, Symbol, TradingDay
from tradeloop.markets.instruments import market_of
from tradeloop.markets.symbols import canonical
from tradeloop.targets.context import Context, read_context, strategy_named
from tradeloop.targets.portfolio import Portfolio, read_portfolio


@dataclass(frozen=True)
class Target:
    """A portfolio file and the decision it belongs to; `context` is None where a person gave none. `strategy` is what whoever
    runs it says of the strategy that it belongs to, empty where they say nothing.
    """

    name: str
    portfolio: Portfolio
    context: Context | None
    context_name: str = ""
    strategy: str = ""

    @property
    def strategy_id(self) -> str:
        """The strategy that its orders belong to: what was said of it, or else what the decision says; empty without either."""
        said = self.context.strategy_id if self.context is not None else ""
        return self.strategy or (said if isinstance(said, str) else "")

    @property
    def symbols(self) -> list[Symbol]:
        """What the target names."""
        return [line.symbol for line in self.portfolio.lines]

    @property
    def trade_date(self) -> TradingDay | None:
        """The day of the decision."""
        return self.context.trade_date if self.context is not None else None

    def at_fault(self, code: str) -> str:
        """The file a finding is about, with a colon behind it; nothing where it is the market, the account or a limit."""
        if code in _OF_NO_FILE:
            return ""
        if code == "exposure_mismatch":
            return f"{self.name} and {self.context_name}: "
        if self.context is not None and (code in _OF_THE_CONTEXT or (code == "other_currency" and self.context.currency)):
            return f"{self.context_name}: "
        return f"{self.name}: "

    def with_file(self, error: BadInput, session_of: Callable[[Symbol, date], str], *, is_of_the_day: bool) -> BadInput:
        """The same refusal with the file it is about: the context where it is about the day of the decision, and the row of the
        portfolio where it is about the rules of one symbol on that day, or on the day that the refusal names.
        """
        if is_of_the_day:
            return BadInput(f"{self.context_name}: {error}") if self.context_name else error
        named = _DAY.search(str(error))
        if (day := self.trade_date or (named.group() if named is not None else None)) is None:
            return error
        on = date.fromisoformat(day)
        for line in self.portfolio.lines:
            try:
                session_of(line.symbol, on)
            except BadInput as found:
                if str(found) == str(error):
                    return BadInput(f"{self.name}, row {line.row}: {line.symbol}: {error}")
        return error

    @property
    def prices(self) -> dict[Symbol, Px]:
        """Prices that the file brought."""
        return {line.symbol: line.price for line in self.portfolio.lines if line.price is not None}


_DAY: Final = re.compile(r"(?<=; )\d{4}-\d{2}-\d{2}", re.ASCII)
"""The day that a table has no row of, as markets/tables.py says it."""
_OF_THE_CONTEXT: Final = frozenset({"risk_check_failed", "not_a_trading_day"})
_OF_NO_FILE: Final = frozenset(
    {
        "off_session",
        "no_equity",
        "equity_unknown",
        "min_cash",
        "stale_prices",
        "no_prices",
        "open_orders",
        "open_runs",
        "position_breaks",
    }
)


def read_target(portfolio: Path | Traversable, context: Path | Traversable | None) -> Target:
    """Read both files; nothing else happens. Raises BadInput naming file, row or field."""
    decision = None if context is None else (_bytes_or_path(context), context.name)
    return target_in((_bytes_or_path(portfolio), portfolio.name), decision)


def of_strategy(target: Target, strategy: str) -> Target:
    """The same target, its orders of this strategy; unchanged where that is empty. Raises BadInput for what can be no name."""
    return target if not strategy else replace(target, strategy=strategy_named(strategy))


def target_in(portfolio: tuple[Path | bytes, str], context: tuple[Path | bytes, str] | None) -> Target:
    """The same of two files by what they hold and what they are called."""
    decision = None if context is None else read_context(*context)
    on = None if decision is None else date.fromisoformat(decision.trade_date)
    source, name = portfolio
    lines = read_portfolio(source, lambda text: canonical(text, on), name)
    target = Target(name, lines, decision, "" if context is None else context[1])
    _refuse_another_market(target)
    return target


def _refuse_another_market(target: Target) -> None:
    """Raise where the decision is for one market and a line trades in another: one of the two is of another decision."""
    market = target.context.market if target.context is not None else ""
    elsewhere = [line for line in target.portfolio.lines if market and market_of(line.symbol) != market]
    if elsewhere:
        first, more = elsewhere[0], len(elsewhere) - 1
        others = f", and {more} more row{'' if more == 1 else 's'} elsewhere too" if more else ""
        raise BadInput(
            f"{target.name}, row {first.row}: {first.symbol} trades in {market_of(first.symbol)}, and the market of"
            f" {target.context_name} was {market}{others}; correct the market, or give the portfolio that belongs to it"
        )


def _bytes_or_path(file: Path | Traversable) -> Path | bytes:
    return file if isinstance(file, Path) else file.read_bytes()


def content_hash(target: Target, rounding: str) -> str:
    """What the same key must have again to be the same run: what both files mean, however they are written, the rounding, and
    the strategy where one is named.

    The order of the rows, the names beside the codes, the ends of lines and idle zeros mean nothing.
    """
    lines = sorted((line.symbol, _digits(line.weight), _digits(line.price), line.industry) for line in target.portfolio.lines)
    decision = None if target.context is None else msgspec.structs.replace(target.context, sha256="", strategy_id=UNSET)
    named = (target.strategy_id,) if target.strategy_id else ()
    return sha256(_MEANING.encode((lines, decision, rounding, *named))).hexdigest()


_MEANING: Final = msgspec.json.Encoder(order="deterministic")


def _digits(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"
