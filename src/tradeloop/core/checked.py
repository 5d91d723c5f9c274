"""What may enter: every command, report and quote is looked at once, at the boundary, before it can reach a decision.

Inside, numbers are finite and exact, texts can be written to the journal, moments fit 64 bits, and each field has the type it
declares; nothing behind this line asks again, so one bad word of a broker or a person can neither end the writer nor spoil the
record. A report that fails is not decided: it is `Distrusted`, which becomes an alert, and what it kept from our books shows as
a break at the next comparison. Words that carry no identity (a broker's reason) are mended instead: a rejection is not lost for
the sake of its text. Every field of every report is asked for here, in checked_fills.py or in checked_books.py; commands are
looked at in checked_commands.py.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloop.core import fit
from tradeloop.core import reports as r
from tradeloop.core.checked_books import snapshot
from tradeloop.core.checked_commands import checked_command
from tradeloop.core.checked_fills import Distrusted, bust, correct, execution
from tradeloop.core.errors import BadInput
from tradeloop.core.types import VALUE_DIGITS_MAX, is_exact

__all__ = ["Distrusted", "checked", "checked_command", "checked_quote"]

_FATES: Final = ("NOT_SENT", "UNKNOWN")


def checked(report: r.Report) -> r.Report | Distrusted:
    """The report as it may be decided, or why it may not."""
    check = _REPORT.get(type(report))
    if check is None:
        return Distrusted(str(fit.wrong(report, "a report", "one of core/reports.py")))
    try:
        found: r.Report | Distrusted = check(report)
    except BadInput as error:
        return Distrusted(str(error))
    return found


def checked_quote(quote: r.Quote) -> r.Quote | Distrusted:
    """The quote, or why it may not be seen. Whether a price of zero or less means anything is asked where the instrument is
    known (core/market.py).
    """
    q = quote
    if type(q) is not r.Quote:
        return Distrusted(str(fit.wrong(q, "a quote", "one of core/reports.py")))
    try:
        fit.identity(("symbol",), q.symbol)
        fit.moment(q.at, "at")
        fit.flag(q.suspended, "suspended")
        number: Any  # whatever an adapter put there
        for number in (q.bid, q.ask, q.last, q.prev_close, q.high, q.low, q.bid_size, q.ask_size, q.volume):
            if number is not None and (type(number) is not Decimal or not is_exact(number)):
                raise fit.unfit(number, next(field for field in q.__struct_fields__ if getattr(q, field) is number))
    except BadInput as error:
        return Distrusted(str(error))
    return quote


def _ack(a: r.OrderAck) -> r.Report:
    fit.identity(("broker", "cl_ord_id", "order_id"), a.broker, a.cl_ord_id, a.order_id)
    if a.transact_at is not None:
        fit.moment(a.transact_at, "transact_at")
    return a


def _reject(a: r.OrderReject | r.CancelReject) -> r.Report:
    fit.identity(("broker", "cl_ord_id"), a.broker, a.cl_ord_id)
    fit.moment_or_none(a.transact_at, "transact_at")
    if type(a) is r.OrderReject:
        fit.flag(a.of_repeat, "of_repeat")
    code, text = fit.words(a.code), fit.words(a.text)
    return a if (code is a.code and text is a.text) else msgspec.structs.replace(a, code=code, text=text)


def _gone(a: r.CancelAck | r.OrderExpire) -> r.Report:
    order_id = a.order_id
    fit.identity(("broker", "cl_ord_id", "order_id"), a.broker, a.cl_ord_id, "" if order_id is None else order_id)
    fit.moment_or_none(a.transact_at, "transact_at")
    fit.exact_or_none(a.cum_qty, "cum_qty")
    text = fit.words(a.text)
    return a if text is a.text else msgspec.structs.replace(a, text=text)


def _terms(a: r.ReplaceAck | r.OrderRestate) -> r.Report:
    """Terms an order may have: a positive quantity, exact prices, worth what a ledger can hold."""
    order_id = a.order_id
    fit.identity(("broker", "cl_ord_id", "order_id"), a.broker, a.cl_ord_id, "" if order_id is None else order_id)
    fit.moment_or_none(a.transact_at, "transact_at")
    fit.exact(a.order_qty, "order_qty", above=True)
    fit.exact_or_none(a.cum_qty, "cum_qty")
    for price, what in ((a.price, "price"), (a.stop_px, "stop_px")):
        fit.exact_or_none(price, what, least=None)
        if price is not None and (price * a.order_qty).adjusted() >= VALUE_DIGITS_MAX:
            raise BadInput(f"{a.order_qty!s} at {price!s} was worth 1E+{VALUE_DIGITS_MAX} or more; check quantity and {what}")
    if type(a) is r.ReplaceAck:
        _number(a.number)
        return a
    assert type(a) is r.OrderRestate
    fit.exact_or_none(a.leaves_qty, "leaves_qty")
    if a.trading_day is not None:
        fit.day(a.trading_day)
    text = fit.words(a.text)
    return a if text is a.text else msgspec.structs.replace(a, text=text)


def _number(number: int | None) -> None:
    """That of a replace, or None where the broker does not say which."""
    if number is not None:
        fit.count(number, "number", "that of a replace, counted from 1, or none")


def _replace_reject(a: r.ReplaceReject) -> r.Report:
    fit.identity(("broker", "cl_ord_id"), a.broker, a.cl_ord_id)
    fit.moment_or_none(a.transact_at, "transact_at")
    _number(a.number)
    return msgspec.structs.replace(a, code=fit.words(a.code), text=fit.words(a.text))


def _outcome(a: r.SendOutcome | r.CancelOutcome | r.ReplaceOutcome) -> r.Report:
    fit.identity(("broker", "cl_ord_id"), a.broker, a.cl_ord_id)
    if not isinstance(a, r.CancelOutcome) and a.fate not in _FATES:
        raise fit.wrong(a.fate, "fate", " or ".join(_FATES))
    if isinstance(a, r.SendOutcome):
        fit.moment_or_none(a.begun_at, "begun_at")
    elif isinstance(a, r.ReplaceOutcome):
        fit.count(a.number, "number")
    text = fit.words(a.text)
    return a if text is a.text else msgspec.structs.replace(a, text=text)


def _broker(b: r.BrokerUp | r.BrokerDown) -> r.Report:
    fit.identity(("broker",), b.broker)
    if type(b) is r.BrokerDown:
        text = fit.words(b.text)
        return b if text is b.text else msgspec.structs.replace(b, text=text)
    return b


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
    r.Execution: execution,
    r.ExecutionBust: bust,
    r.ExecutionCorrect: correct,
    r.BrokerSnapshot: snapshot,
    r.BrokerUp: _broker,
    r.BrokerDown: _broker,
}
