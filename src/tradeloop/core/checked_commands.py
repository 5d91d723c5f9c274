"""What a person, a strategy or a schedule asks, looked at once in the inbox (core/checked.py), before it shares a batch."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from tradeloop.core import fit
from tradeloop.core.commands import Command, ListInstruments, OpenTradingDay, StartRun, SubmitOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import Instrument
from tradeloop.core.named import names_seen
from tradeloop.core.types import VALUE_DIGITS_MAX, ZERO, OrdType, PositionEffect, Side
from tradeloop.core.types import TimeInForce as Tif


def checked_command(command: Command) -> None:
    """Raises BadInput when the command holds what the journal or the arithmetic could not carry."""
    if type(command) is SubmitOrder:
        _submit(command)
        names_seen(command)
        return
    _walk(command, type(command).__name__)
    names_seen(command)
    if type(command) is ListInstruments:
        for instrument in command.instruments:
            _instrument(instrument)
    elif type(command) is OpenTradingDay:
        fit.day(command.trading_day)
    elif type(command) is StartRun and command.order_timeout_ns is not None and command.order_timeout_ns <= 0:
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
    for number, what in ((c.order_qty, "order_qty"), (c.price, "price"), (c.stop_px, "stop_px")):
        if number is not None and number.__class__ is not Decimal:
            raise fit.unfit(number, what)
    fit.word(c.side, Side, "side")
    fit.word(c.ord_type, OrdType, "ord_type")
    fit.word(c.tif, Tif, "tif")
    fit.word(c.position_effect, PositionEffect, "position_effect")


def _walk(value: Any, what: str) -> None:
    """Everything in a command that is not on the hot path, found by what it is."""
    if isinstance(value, str):
        fit.text(value, what)
    elif isinstance(value, Decimal):
        if not value.is_finite() or value.adjusted() >= VALUE_DIGITS_MAX or len(value.as_tuple().digits) > 2 * fit.TEXT_MAX:
            raise BadInput(f"{what} was {str(value)[:40]}; expected a finite number below 1E+{VALUE_DIGITS_MAX}")
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _walk(getattr(value, field), field)
    elif isinstance(value, tuple | list):
        for item in value:
            _walk(item, what)
    elif isinstance(value, dict):
        for key, item in value.items():
            _walk(key, what)
            _walk(item, what)
    elif isinstance(value, int):
        if not -fit.MOMENT_END <= value < fit.MOMENT_END:
            raise BadInput(f"{what} was {str(value)[:40]}; expected a number below 2**63")
    elif value is not None and not isinstance(value, Enum):
        raise BadInput(f"{what} was {str(value)[:40]!a}, a {type(value).__name__}; expected text or an exact decimal")


def _instrument(i: Instrument) -> None:
    for step, what in ((i.tick, "tick"), (i.lot, "lot"), (i.min_qty, "min_qty"), (i.multiplier, "multiplier")):
        fit.exact(step, f"{what} of {i.symbol}", above=True)
    if i.fees.quantum <= ZERO:
        raise BadInput(f"fee quantum of {i.symbol} was {i.fees.quantum}; expected more than zero")
    if i.margin_rate is not None and i.margin_rate <= ZERO:
        raise BadInput(f"margin_rate of {i.symbol} was {i.margin_rate}; expected more than zero, or none")
