"""What a person, a strategy or a schedule asks, looked at once in the inbox (core/checked.py), before it shares a batch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, get_args

from tradeloop.core import fit
from tradeloop.core.commands import Command, ListInstruments, OpenTradingDay, RetryRun, StartRun, SubmitOrder
from tradeloop.core.confirmation import Confirmation
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import FeeLine, Instrument
from tradeloop.core.named import names_seen
from tradeloop.core.typed import Check, check_of, places
from tradeloop.core.types import (
    DECIMAL_PLACES_MAX,
    INTEGER_DIGITS_MAX,
    ONE,
    OrdType,
    PositionEffect,
    Side,
)
from tradeloop.core.types import TimeInForce as Tif

TICKS_MAX: Final = 1_000_000

_TYPES: Final[dict[type, Check]] = {kind: check_of(kind) for kind in get_args(Command) if kind is not SubmitOrder}
"""Each command's walk; the order's own is written out below, because it is asked the most."""
_CONFIRMED: Final = check_of(Confirmation)


def checked_command(command: Command) -> None:
    """Raises BadInput when the command holds what the journal or the arithmetic could not carry."""
    if type(command) is SubmitOrder:
        _submit(command)
        names_seen(command)
        return
    check = _TYPES.get(type(command))
    if check is None:
        raise fit.wrong(command, "a command", "one of core/commands.py")
    check(command, type(command).__name__)
    names_seen(command)
    if isinstance(command, ListInstruments):
        for instrument in command.instruments:
            _instrument(instrument)
    elif isinstance(command, StartRun | RetryRun):
        _prices(command)
        if isinstance(command, StartRun):
            fit.day(command.trade_date, "trade_date")
    elif isinstance(command, OpenTradingDay):
        fit.day(command.trading_day)
    if isinstance(command, StartRun) and command.order_timeout_ns is not None and command.order_timeout_ns <= 0:
        raise BadInput(f"order_timeout_ns was {command.order_timeout_ns}; expected more than zero, or none")


def _submit(c: SubmitOrder) -> None:
    """Types and texts; the figures themselves are judged with their order type (core/staging.py)."""
    fit.identity(
        ("account", "symbol", "by", "request_id", "strategy_id", "reason", "approved_by"),
        c.account,
        c.symbol,
        c.by,
        c.request_id,
        c.strategy_id,
        c.reason,
        c.approved_by,
    )
    if type(c.order_qty) is not Decimal:
        raise fit.unfit(c.order_qty, "order_qty")
    for number, what in ((c.price, "price"), (c.stop_px, "stop_px")):
        if number is not None and type(number) is not Decimal:
            raise fit.unfit(number, what)
    if c.confirmed is not None:
        _CONFIRMED(c.confirmed, "confirmed")
    fit.word(c.side, Side, "side")
    fit.word(c.ord_type, OrdType, "ord_type")
    fit.word(c.tif, Tif, "tif")
    fit.word(c.position_effect, PositionEffect, "position_effect")


def _prices(command: Any) -> None:
    """What a run divides money by. The middle of a bid and an ask has one place more than they have."""
    if type(command) is StartRun:
        for target in command.targets:
            _price(target.price, f"price of {target.symbol}")
    for seen in command.prices:
        _price(seen.px, f"px of {seen.symbol}")
        _price(seen.prev_close, f"prev_close of {seen.symbol}")


def _price(px: Decimal | None, what: str) -> None:
    if px is not None and (px.adjusted() >= INTEGER_DIGITS_MAX or places(px) > DECIMAL_PLACES_MAX + 1):
        raise fit.wrong(px, what, f"a price below 1E+{INTEGER_DIGITS_MAX}, of at most {DECIMAL_PLACES_MAX} decimal places")


def _instrument(i: Instrument) -> None:
    """Every figure: what an order is asked by, each time, and what its cost is computed from."""
    for step, what in (
        (i.tick, "tick"),
        (i.lot, "lot"),
        (i.min_qty, "min_qty"),
        (i.multiplier, "multiplier"),
        (i.fees.quantum, "fee quantum"),
    ):
        fit.exact(step, f"{what} of {i.symbol}", above=True)
    for most, what in (
        (i.max_qty_limit, "max_qty_limit"),
        (i.max_qty_market, "max_qty_market"),
        (i.large_cancel_qty, "large_cancel_qty"),
        (i.margin_rate, "margin_rate"),
    ):
        fit.exact_or_none(most, f"{what} of {i.symbol}", above=True)
    for part, what in ((i.price_limit, "price_limit"), (i.price_limit_down, "price_limit_down"), (i.cage, "cage")):
        fit.exact_or_none(part, f"{what} of {i.symbol}")
    if not 0 <= i.cage_ticks <= TICKS_MAX:
        raise fit.wrong(i.cage_ticks, f"cage_ticks of {i.symbol}", f"0 to {TICKS_MAX}")
    for line in i.fees.lines:
        _fee_line(line, f"of fee {line.name!a:.20} of {i.symbol}")


def _fee_line(line: FeeLine, of: str) -> None:
    """A rebate is a rate below zero; nobody asks more than all that was traded."""
    for rate, what in ((line.rate, "rate"), (line.close_today_rate, "close_today_rate"), (line.maximum_rate, "maximum_rate")):
        fit.exact_or_none(rate, f"{what} {of}", least=None)
        if rate is not None and abs(rate) > ONE:
            raise fit.wrong(rate, f"{what} {of}", "a part of what was traded, at most 1")
    for money, what in (
        (line.per_unit, "per_unit"),
        (line.close_today_per_unit, "close_today_per_unit"),
        (line.minimum, "minimum"),
    ):
        fit.exact_or_none(money, f"{what} {of}", least=None)
    fit.exact_or_none(line.maximum, f"maximum {of}")
    if line.maximum is not None and line.maximum < line.minimum:
        raise fit.wrong(line.maximum, f"maximum {of}", f"at least its minimum, {line.minimum:f}")
