"""What may enter: every command, report and quote is looked at once, at the boundary, before it can reach a decision.

Inside, numbers are finite and exact, texts can be written to the journal, moments fit 64 bits; nothing behind this line asks
again, so one bad word of a broker or a person can neither end the writer nor spoil the record. A report that fails is not
decided: it is `Distrusted`, which becomes an alert, and what it kept from our books shows as a break at the next comparison.
Words that carry no identity (a broker's reason) are mended instead: a rejection is not lost for the sake of its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import msgspec

from tradeloop.core import reports as r
from tradeloop.core.commands import Command, ListInstruments, OpenTradingDay, StartRun, SubmitOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import Instrument
from tradeloop.core.named import names_seen
from tradeloop.core.types import (
    DECIMAL_PLACES_MAX,
    SIGNIFICANT_DIGITS_MAX,
    VALUE_DIGITS_MAX,
    ZERO,
    OrdStatus,
    OrdType,
    PositionEffect,
    Side,
    is_exact,
)
from tradeloop.core.types import TimeInForce as Tif

TEXT_MAX: Final = 512
"""Characters of one text; the longest id a venue documents has 64."""
MOMENT_END: Final = 2**63

_DUST: Final = Decimal(1).scaleb(-DECIMAL_PLACES_MAX)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Distrusted(msgspec.Struct, frozen=True, gc=False):
    """What is not believed, and why. `rest` is the part that still is: of a snapshot, or a fill without its commission."""

    reason: str
    rest: r.BrokerSnapshot | r.Execution | r.ExecutionCorrect | None = None


def checked(report: r.Report) -> r.Report | Distrusted:
    """The report as it may be decided, or why it may not."""
    try:
        found: r.Report | Distrusted = _REPORT[type(report)](report)
    except BadInput as error:
        return Distrusted(str(error))
    return found


def checked_quote(quote: r.Quote) -> r.Quote | Distrusted:
    """The quote, or why it may not be seen. Whether a price of zero or less means anything is asked where the instrument is
    known (core/market.py).
    """
    try:
        _identity(("symbol",), quote.symbol)
        _moment(quote.at, "at")
        q = quote
        number: Any  # whatever an adapter put there
        for number in (q.bid, q.ask, q.last, q.prev_close, q.high, q.low, q.bid_size, q.ask_size, q.volume):
            if number is not None and (number.__class__ is not Decimal or not is_exact(number)):
                raise _unfit(number, next(field for field in q.__struct_fields__ if getattr(q, field) is number))
    except BadInput as error:
        return Distrusted(str(error))
    return quote


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
        _day(command.trading_day)
    elif type(command) is StartRun and command.order_timeout_ns is not None and command.order_timeout_ns <= 0:
        raise BadInput(f"order_timeout_ns was {command.order_timeout_ns}; expected more than zero, or none")


# --- texts, numbers, moments


def _identity(names: tuple[str, ...], *texts: str) -> None:
    """All texts are such that the journal and every view can hold them. One look when all are short and ASCII."""
    try:
        whole = "".join(texts)
        if len(whole) <= TEXT_MAX and whole.isascii() and "\0" not in whole:
            return
    except TypeError:
        pass  # one of them is no text: found below by its name
    for name, text in zip(names, texts, strict=True):
        _text(text, name)


def _text(text: object, what: str) -> None:
    if not isinstance(text, str):
        raise BadInput(f"{what} was {str(text)[:40]!a}, a {type(text).__name__}; expected text")
    if len(text) > TEXT_MAX:
        raise BadInput(f"{what} was {len(text)} characters long, beginning {text[:20]!a}; expected at most {TEXT_MAX}")
    if "\0" in text:
        raise BadInput(f"{what} was {text[:40]!a}, with a NUL in it; expected text without")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{what} was {text[:40]!a}, which is no Unicode text; check the encoding it came in") from None


def _words(text: str) -> str:
    """Free words as the journal can hold them: what cannot be written becomes a question mark, the end is cut off."""
    if text.__class__ is str and len(text) <= TEXT_MAX and text.isascii() and "\0" not in text:
        return text
    return str(text)[:TEXT_MAX].encode(errors="replace").decode().replace("\0", "?")


@lru_cache(maxsize=64)
def _day(day: str) -> None:
    """A day is part of the identity of a fill, and is compared as text: nothing but a date can stand there."""
    if _DAY.fullmatch(day) is None:
        raise BadInput(f"trading_day was {day[:40]!a}; expected a date such as 2026-07-17")


def _account(account: str) -> None:
    if "|" in account:  # it parts the identity of a fill (core/execution.py)
        raise BadInput(f"account was {account[:40]!a}; expected a name without '|'")


def _unfit(number: object, what: str) -> BadInput:
    return BadInput(
        f"{what} was {str(number)[:40]!a}; expected a number of at most {SIGNIFICANT_DIGITS_MAX} significant digits "
        f"and {DECIMAL_PLACES_MAX} decimal places"
    )


def _exact(number: Decimal | None, what: str, *, least: int | None = 0, above: bool = False) -> None:
    """None, or a number within the bounds of core/types.py and not below `least` (above: not at it either)."""
    if number is None:
        return
    if number.__class__ is not Decimal or not is_exact(number):
        raise _unfit(number, what)
    if least is not None and (number < least or (above and number == least)):
        raise BadInput(f"{what} was {number}; expected {'more than' if above else 'at least'} {least}")


def _amount(number: Decimal, what: str) -> Decimal:
    """Money of either sign; what is finer than twelve places is rounded to them."""
    if number.__class__ is not Decimal or not number.is_finite() or number.adjusted() >= VALUE_DIGITS_MAX:
        raise BadInput(f"{what} was {str(number)[:40]!a}; expected an amount below 1E+{VALUE_DIGITS_MAX}")
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number if exponent >= -DECIMAL_PLACES_MAX else number.quantize(_DUST, rounding=ROUND_HALF_EVEN)


def _moment(at: int | None, what: str) -> None:
    if at is not None and not (at.__class__ is int and 0 <= at < MOMENT_END):
        raise BadInput(f"{what} was {str(at)[:40]!a}; expected nanoseconds since 1970, below 2**63")


def _word(word: object, kind: type[Enum], what: str) -> None:
    if word.__class__ is not kind:
        raise BadInput(f"{what} was {str(word)[:40]!a}; expected a {kind.__name__}")


# --- commands


def _submit(c: SubmitOrder) -> None:
    """Types and texts; the figures themselves are judged with their order type (core/staging.py)."""
    _identity(
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
            raise _unfit(number, what)
    _word(c.side, Side, "side")
    _word(c.ord_type, OrdType, "ord_type")
    _word(c.tif, Tif, "tif")
    _word(c.position_effect, PositionEffect, "position_effect")


def _walk(value: Any, what: str) -> None:
    """Everything in a command that is not on the hot path, found by what it is."""
    if isinstance(value, str):
        _text(value, what)
    elif isinstance(value, Decimal):
        if not value.is_finite() or value.adjusted() >= VALUE_DIGITS_MAX or len(value.as_tuple().digits) > 2 * TEXT_MAX:
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
        if not -MOMENT_END <= value < MOMENT_END:
            raise BadInput(f"{what} was {str(value)[:40]}; expected a number below 2**63")
    elif value is not None and not isinstance(value, Enum):
        raise BadInput(f"{what} was {str(value)[:40]!a}, a {type(value).__name__}; expected text or an exact decimal")


def _instrument(i: Instrument) -> None:
    for step, what in ((i.tick, "tick"), (i.lot, "lot"), (i.min_qty, "min_qty"), (i.multiplier, "multiplier")):
        _exact(step, f"{what} of {i.symbol}", above=True)
    if i.fees.quantum <= ZERO:
        raise BadInput(f"fee quantum of {i.symbol} was {i.fees.quantum}; expected more than zero")
    if i.margin_rate is not None and i.margin_rate <= ZERO:
        raise BadInput(f"margin_rate of {i.symbol} was {i.margin_rate}; expected more than zero, or none")


# --- reports


def _ack(a: r.OrderAck) -> r.Report:
    _identity(("broker", "cl_ord_id", "order_id"), a.broker, a.cl_ord_id, a.order_id)
    _moment(a.transact_at, "transact_at")
    return a


def _reject(a: r.OrderReject | r.CancelReject) -> r.Report:
    _identity(("broker", "cl_ord_id"), a.broker, a.cl_ord_id)
    _moment(a.transact_at, "transact_at")
    code, text = _words(a.code), _words(a.text)
    return a if (code is a.code and text is a.text) else msgspec.structs.replace(a, code=code, text=text)


def _gone(a: r.CancelAck | r.OrderExpire) -> r.Report:
    order_id = a.order_id
    _identity(("broker", "cl_ord_id", "order_id"), a.broker, a.cl_ord_id, "" if order_id is None else order_id)
    _moment(a.transact_at, "transact_at")
    _exact(a.cum_qty, "cum_qty")
    text = _words(a.text)
    return a if text is a.text else msgspec.structs.replace(a, text=text)


def _terms(a: r.ReplaceAck | r.OrderRestate) -> r.Report:
    """Terms an order may have: a positive quantity, exact prices, worth what a ledger can hold."""
    order_id = a.order_id
    _identity(("broker", "cl_ord_id", "order_id"), a.broker, a.cl_ord_id, "" if order_id is None else order_id)
    _moment(a.transact_at, "transact_at")
    _exact(a.order_qty, "order_qty", above=True)
    _exact(a.cum_qty, "cum_qty")
    for price, what in ((a.price, "price"), (a.stop_px, "stop_px")):
        _exact(price, what, least=None)
        if price is not None and (price * a.order_qty).adjusted() >= VALUE_DIGITS_MAX:
            raise BadInput(f"{a.order_qty!s} at {price!s} was worth 1E+{VALUE_DIGITS_MAX} or more; check quantity and {what}")
    if type(a) is r.ReplaceAck:
        _count(a.number)
        return a
    assert type(a) is r.OrderRestate
    _exact(a.leaves_qty, "leaves_qty")
    if a.trading_day is not None:
        _day(a.trading_day)
    text = _words(a.text)
    return a if text is a.text else msgspec.structs.replace(a, text=text)


def _count(number: int | None) -> None:
    if number is not None and not (number.__class__ is int and 0 < number < MOMENT_END):
        raise BadInput(f"number was {str(number)[:40]!a}; expected that of a replace, counted from 1, or none")


def _replace_reject(a: r.ReplaceReject) -> r.Report:
    _identity(("broker", "cl_ord_id"), a.broker, a.cl_ord_id)
    _moment(a.transact_at, "transact_at")
    _count(a.number)
    return msgspec.structs.replace(a, code=_words(a.code), text=_words(a.text))


def _outcome(a: r.SendOutcome | r.CancelOutcome | r.ReplaceOutcome) -> r.Report:
    _identity(("broker", "cl_ord_id"), a.broker, a.cl_ord_id)
    text = _words(a.text)
    return a if text is a.text else msgspec.structs.replace(a, text=text)


def _execution(x: r.Execution) -> r.Execution | Distrusted:
    cl_ord_id, order_id = x.cl_ord_id, x.order_id
    _identity(
        ("broker", "account", "trading_day", "exec_id", "symbol", "liquidity", "cl_ord_id", "order_id"),
        x.broker,
        x.account,
        x.trading_day,
        x.exec_id,
        x.symbol,
        x.liquidity,
        "" if cl_ord_id is None else cl_ord_id,
        "" if order_id is None else order_id,
    )
    if not x.exec_id or not x.symbol or not x.account:
        raise BadInput("an execution had no exec_id, symbol or account; expected all three, they are its identity")
    _day(x.trading_day)
    _account(x.account)
    if x.side.__class__ is not Side:
        _word(x.side, Side, "side")
    if x.transact_at is not None:
        _moment(x.transact_at, "transact_at")
    _traded(x.last_qty, x.last_px)
    charged: r.Execution | Distrusted = _charged(x)
    return charged


def _charged(x: Any) -> Any:
    """The fill with its commission as the ledger can hold it. Where it is no amount at all, the fill counts without it:
    what was traded is worth more than what it cost. Whether an amount can be true of the fill is asked where the instrument
    is known (core/fills.py).
    """
    fee = x.commission
    if fee is None or (fee.__class__ is Decimal and not fee.is_signed() and is_exact(fee)):
        return x
    try:
        fee = _amount(fee, "commission")
    except BadInput as error:
        bare = msgspec.structs.replace(x, commission=None)
        return Distrusted(f"{error}; the fill of {x.side.value!s} {x.last_qty!s} at {x.last_px!s} counts without it", bare)
    return x if fee is x.commission else msgspec.structs.replace(x, commission=fee)


def _traded(qty: Decimal, px: Decimal) -> None:
    """The figures of one fill: positive, exact, worth what a ledger can hold."""
    if qty.__class__ is not Decimal or not is_exact(qty) or qty <= ZERO:
        _exact(qty, "last_qty", above=True)
    if px.__class__ is not Decimal or not is_exact(px) or px <= ZERO:
        _exact(px, "last_px", above=True)
    value = qty * px
    if value.adjusted() >= VALUE_DIGITS_MAX:
        raise BadInput(f"{qty!s} at {px!s} was worth {value:.2E}; expected less than 1E+{VALUE_DIGITS_MAX}")


def _bust(x: r.ExecutionBust) -> r.Report:
    _about_a_fill(x)
    return x


def _correct(x: r.ExecutionCorrect) -> r.ExecutionCorrect | Distrusted:
    _about_a_fill(x)
    _traded(x.last_qty, x.last_px)
    corrected: r.ExecutionCorrect | Distrusted = _charged(x)
    return corrected


def _about_a_fill(x: r.ExecutionBust | r.ExecutionCorrect) -> None:
    names = ("broker", "account", "trading_day", "exec_ref_id", "exec_id", "symbol")
    _identity(names, x.broker, x.account, x.trading_day, x.exec_ref_id, x.exec_id or "", x.symbol)
    _day(x.trading_day)
    _account(x.account)
    _word(x.side, Side, "side")
    _moment(x.transact_at, "transact_at")


def _broker(b: r.BrokerUp | r.BrokerDown) -> r.Report:
    _identity(("broker",), b.broker)
    if type(b) is r.BrokerDown:
        text = _words(b.text)
        return b if text is b.text else msgspec.structs.replace(b, text=text)
    return b


# --- snapshots: a part with one row that cannot be believed could not be read, which is not the same as empty


def _snapshot(s: r.BrokerSnapshot) -> Any:
    first, day = s.orders_from, s.trading_day
    _identity(
        ("broker", "account", "trading_day", "orders_from"),
        s.broker,
        s.account,
        "" if day is None else day,
        "" if first is None else first,
    )
    if day is not None:
        _day(day)
    _account(s.account)
    _moment(s.as_of, "as_of")
    _moment(s.asked_at, "asked_at")
    _moment(s.executions_since, "executions_since")
    why: list[str] = []
    orders, positions, cash = (
        _rows(s.orders, _open_order, "orders", why),
        _rows(s.positions, _held_position, "positions", why),
        _rows(s.cash, _held_cash, "cash", why),
    )
    executions, since = s.executions, s.executions_since
    if executions is not None:
        # Of these one alone is left out: what it moved shows as a break against positions and cash, the others are booked.
        believed = []
        for x in executions:
            try:
                found: Any = _execution(x)
                if isinstance(found, Distrusted):
                    why.append(f"execution {str(x.exec_id)[:40]!a}: {found.reason}")
                    found = found.rest
                believed.append(found)
            except BadInput as error:
                why.append(f"execution {str(x.exec_id)[:40]!a} left out: {error}")
        if len(believed) < len(executions):
            since = None  # a list that lacks one is complete since no moment: it proves no absence
        executions = tuple(believed)
    sound = msgspec.structs.replace(
        s, orders=orders, positions=positions, cash=cash, executions=executions, executions_since=since
    )
    return Distrusted("; ".join(why[:5]), sound) if why else sound


def _rows(rows: Any, check: Callable[[Any], Any], part: str, why: list[str]) -> Any:
    if rows is None:
        return None
    try:
        return tuple(map(check, rows))
    except BadInput as error:
        why.append(f"{part} not read: {error}")
        return None


def _open_order(o: r.OpenOrder) -> r.OpenOrder:
    _identity(
        ("account", "symbol", "order_id", "cl_ord_id"),
        o.account,
        o.symbol,
        o.order_id,
        "" if o.cl_ord_id is None else o.cl_ord_id,
    )
    _word(o.side, Side, "side")
    _word(o.ord_status, OrdStatus, "ord_status")
    _exact(o.order_qty, "order_qty", above=True)
    _exact(o.cum_qty, "cum_qty")
    _exact(o.price, "price", least=None)
    text = _words(o.text)
    return o if text is o.text else msgspec.structs.replace(o, text=text)


def _held_position(p: r.HeldPosition) -> r.HeldPosition:
    _identity(("account", "symbol"), p.account, p.symbol)
    _exact(p.long_qty, "long_qty")
    _exact(p.short_qty, "short_qty")
    _exact(p.long_sellable, "long_sellable")
    if p.cost is None:
        return p
    cost = _amount(p.cost, "cost")
    return p if cost is p.cost else msgspec.structs.replace(p, cost=cost)


def _held_cash(c: r.HeldCash) -> r.HeldCash:
    _identity(("account", "currency"), c.account, c.currency)
    balance = _amount(c.balance, "balance")
    available = None if c.available is None else _amount(c.available, "available")
    same = balance is c.balance and available is c.available
    return c if same else msgspec.structs.replace(c, balance=balance, available=available)


_REPORT: Final[dict[type, Callable[[Any], Any]]] = {
    r.OrderAck: _ack,
    r.OrderReject: _reject,
    r.CancelReject: _reject,
    r.CancelAck: _gone,
    r.OrderExpire: _gone,
    r.ReplaceAck: _terms,
    r.OrderRestate: _terms,
    r.ReplaceReject: _replace_reject,
    r.ReplaceOutcome: _outcome,
    r.SendOutcome: _outcome,
    r.CancelOutcome: _outcome,
    r.Execution: _execution,
    r.ExecutionBust: _bust,
    r.ExecutionCorrect: _correct,
    r.BrokerSnapshot: _snapshot,
    r.BrokerUp: _broker,
    r.BrokerDown: _broker,
}
