"""The words of the field as types: sides, order types, statuses, and exact numbers.

Names and meanings are FIX's (docs/glossary.md). A number that moves money is a `Decimal` in one of three distinct types, read
from text by `exact`, which refuses what the ledger could not carry exactly. Nothing here knows a clock, a file or a broker.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Final, NewType

from tradeloop.core.errors import BadInput

Qty = NewType("Qty", Decimal)
"""Shares, lots or coins; never negative, the side says the direction."""
Px = NewType("Px", Decimal)
"""Price of one unit in the instrument's currency."""
Amount = NewType("Amount", Decimal)
"""Money in the currency that stands beside it."""
ClOrdID = NewType("ClOrdID", str)
"""Our id of an order (FIX 11), made before sending, unique for ever."""
OrderID = NewType("OrderID", str)
"""The broker's id of an order (FIX 37)."""
ExecID = NewType("ExecID", str)
"""The broker's id of one execution (FIX 17)."""
Symbol = NewType("Symbol", str)
"""Canonical symbol `CODE.VENUE`, for example `600519.SH`, `AAPL.US`, `au2512.SHFE` (markets/symbols.py)."""
AccountID = NewType("AccountID", str)
RunID = NewType("RunID", str)
Currency = NewType("Currency", str)
"""ISO 4217 code, or the venue's code of a coin."""
TradingDay = NewType("TradingDay", str)
"""ISO date of the day an execution counts for; a futures night session belongs to the next one."""
UtcNs = NewType("UtcNs", int)
"""Nanoseconds since 1970-01-01T00:00:00Z."""

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
TWO: Final = Decimal(2)
"""Beside a Decimal stands a Decimal: an int is converted anew by every operation."""
SECOND_NS: Final = 1_000_000_000

SIGNIFICANT_DIGITS_MAX: Final = 14
"""Digits of one price or quantity. Two of them multiply to at most 28, the precision of Python's default decimal context, so
`price * qty` is always exact (docs/adr/0005-decimals.md)."""
DECIMAL_PLACES_MAX: Final = 12
INTEGER_DIGITS_MAX: Final = 14
VALUE_DIGITS_MAX: Final = 15
"""Digits before the point of any money that enters, one order's value included: it can still be rounded to twelve places
within the context's 28 digits."""

_NUMBER: Final = re.compile(r"[+-]?(\d{1,40})(?:\.(\d{1,40}))?", re.ASCII)

_SHOWN_MAX: Final = 40


def exact(text: str | Decimal | int, what: str) -> Decimal:
    """The number written in `text`, or `BadInput` naming `what`.

    Plain decimal notation only: no exponent, no NaN, no infinity, at most 14 significant digits and 12 decimal places, so that
    every product of a price and a quantity stays exact.
    """
    written = text if isinstance(text, str) else str(text)
    match = _NUMBER.fullmatch(written.strip())
    if match is None:
        if len(written) > _SHOWN_MAX:
            raise BadInput(
                f"{what} was {written[:_SHOWN_MAX]!r}… ({len(written)} characters); expected a number of at most"
                f" {SIGNIFICANT_DIGITS_MAX} significant digits and {DECIMAL_PLACES_MAX} decimal places"
            )
        raise BadInput(f"{what} was {written!r}; expected a plain decimal number such as 12.34")
    number = Decimal(written.strip())
    whole, places = match.group(1).lstrip("0"), (match.group(2) or "").rstrip("0")
    digits = len((whole + places).lstrip("0"))
    if len(whole) > INTEGER_DIGITS_MAX or len(places) > DECIMAL_PLACES_MAX or digits > SIGNIFICANT_DIGITS_MAX:
        raise BadInput(
            f"{what} was {written[:60]!r}; expected at most {SIGNIFICANT_DIGITS_MAX} significant digits "
            f"and {DECIMAL_PLACES_MAX} decimal places"
        )
    return number


def is_exact(number: Decimal) -> bool:
    """Whether `number`, however it came to be, keeps the bounds of `exact`."""
    if not number.is_finite():
        return False
    text = str(number)
    if len(text) <= SIGNIFICANT_DIGITS_MAX and "E" not in text:
        return True  # nearly every number there is: so short that no bound can be passed
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    zeros = 0
    while zeros < len(digits) and not digits[-1 - zeros]:
        zeros += 1
    few = len(digits) - zeros <= SIGNIFICANT_DIGITS_MAX and exponent + zeros >= -DECIMAL_PLACES_MAX
    return not number or (few and number.adjusted() < INTEGER_DIGITS_MAX)


class Word(Enum):
    """A word of the vocabulary. Hashed by identity: Enum's own hash is a Python call, paid at every look-up on the hot path.

    Nothing may therefore depend on the order of a set of words; nothing here walks sets.
    """

    __hash__ = object.__hash__


class Side(Word):
    """FIX 54: the direction of an order or an execution."""

    BUY = "BUY"
    SELL = "SELL"


class PositionEffect(Word):
    """FIX 77: whether an order opens or closes; today and yesterday matter at SHFE and INE."""

    AUTO = "AUTO"
    OPEN = "OPEN"
    CLOSE = "CLOSE"
    CLOSE_TODAY = "CLOSE_TODAY"
    CLOSE_YESTERDAY = "CLOSE_YESTERDAY"


class OrdType(Word):
    """FIX 40."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"


class TimeInForce(Word):
    """FIX 59."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrdStatus(Word):
    """FIX 39, widened by what FIX has no word for: STAGED and DENIED are ours, UNKNOWN is honest.

    Computed from an order's facts by `Order.ord_status`, never stored.
    """

    STAGED = "STAGED"
    DENIED = "DENIED"
    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


class RunStatus(Word):
    """Where a run stands (S0-18, S0-39, widened by approval and pause)."""

    NEW = "NEW"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class Mode(Word):
    """Whose money moves. One code path for all three; only the broker differs."""

    DRY_RUN = "dry_run"
    PAPER = "paper"
    LIVE = "live"


# The words that every order is asked about, as names: the look-up of a member through its class is never specialised by
# CPython 3.11 (the metaclass has a `__getattr__`), and the path of one order makes some forty of them.
BUY: Final = Side.BUY
SELL: Final = Side.SELL
AUTO: Final = PositionEffect.AUTO
OPEN: Final = PositionEffect.OPEN
CLOSE_TODAY: Final = PositionEffect.CLOSE_TODAY
CLOSE_YESTERDAY: Final = PositionEffect.CLOSE_YESTERDAY
MARKET: Final = OrdType.MARKET
LIMIT: Final = OrdType.LIMIT
STOP: Final = OrdType.STOP
STOP_LIMIT: Final = OrdType.STOP_LIMIT


class Rounding(Word):
    """How a target quantity becomes a tradable one; the residual is always reported.

    FLOOR_TO_LOT never spends more than the weight allows (S1-57). HALF_UP is the source document's rule (S0-6): to the nearest
    lot, halves away from zero, nothing below one lot.
    """

    FLOOR_TO_LOT = "floor_to_lot"
    HALF_UP = "half_up"


def venue_of(symbol: Symbol) -> str:
    """Where it trades, as its canonical name says; empty where that says nothing."""
    return symbol.rpartition(".")[2] if "." in symbol else ""


def step_down(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `value`."""
    return (value / step).to_integral_value(rounding=ROUND_DOWN) * step


def step_half_up(value: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of `step`, halves upward."""
    return (value / step).to_integral_value(rounding=ROUND_HALF_UP) * step


def step_up(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` not below `value`."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step
