"""What a broker says of fills, looked at once at the boundary (core/checked.py): fills, and what becomes of them later.

A fill moves money, so each of its fields is asked for; the order is that of what costs least where all is well.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from tradeloop.core import fit
from tradeloop.core import reports as r
from tradeloop.core.errors import BadInput
from tradeloop.core.types import VALUE_DIGITS_MAX, ZERO, PositionEffect, Side, is_exact


class Distrusted(msgspec.Struct, frozen=True, gc=False):
    """What is not believed, and why. `rest` is the part that still is: of a snapshot, or a fill without its commission.

    `of_others`: what is no business of ours, because it names another account. It may well be true, so it is no reason for
    distrust, which is empty where there is nothing else.
    """

    reason: str
    rest: r.BrokerSnapshot | r.Execution | r.ExecutionCorrect | None = None
    of_others: str = ""


def execution(x: r.Execution) -> r.Execution | Distrusted:
    """One fill."""
    cl_ord_id, order_id = x.cl_ord_id, x.order_id
    fit.identity(
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
    if not fit.is_date(x.trading_day):
        fit.day(x.trading_day)
    if "|" in x.account:
        fit.account(x.account)
    if type(x.side) is not Side:
        fit.word(x.side, Side, "side")
    if type(x.position_effect) is not PositionEffect:
        fit.word(x.position_effect, PositionEffect, "position_effect")
    if x.transact_at is not None:
        fit.moment(x.transact_at, "transact_at")
    _traded(x.last_qty, x.last_px)
    charged: r.Execution | Distrusted = _charged(x)
    return charged


def bust(x: r.ExecutionBust) -> r.Report:
    """A fill taken back."""
    _about_a_fill(x)
    return x


def correct(x: r.ExecutionCorrect) -> r.ExecutionCorrect | Distrusted:
    """Other figures of a fill."""
    _about_a_fill(x)
    _traded(x.last_qty, x.last_px)
    corrected: r.ExecutionCorrect | Distrusted = _charged(x)
    return corrected


def _charged(x: Any) -> Any:
    """The fill with its commission as the ledger can hold it. Where it is no amount at all, the fill counts without it:
    what was traded is worth more than what it cost. Whether an amount can be true of the fill is asked where the instrument
    is known (core/fills.py).
    """
    fee = x.commission
    if fee is None or (type(fee) is Decimal and not fee.is_signed() and is_exact(fee)):
        return x
    try:
        fee = fit.amount(fee, "commission")
    except BadInput as error:
        bare = msgspec.structs.replace(x, commission=None)
        return Distrusted(f"{error}; the fill of {x.side.value!s} {x.last_qty!s} at {x.last_px!s} counts without it", bare)
    return x if fee is x.commission else msgspec.structs.replace(x, commission=fee)


def _traded(qty: Decimal, px: Decimal) -> None:
    """The figures of one fill: positive, exact, worth what a ledger can hold."""
    if type(qty) is not Decimal or not is_exact(qty) or qty <= ZERO:
        fit.exact(qty, "last_qty", above=True)
    if type(px) is not Decimal or not is_exact(px) or px <= ZERO:
        fit.exact(px, "last_px", above=True)
    value = qty * px
    if value.adjusted() >= VALUE_DIGITS_MAX:
        raise BadInput(f"{qty!s} at {px!s} was worth {value:.2E}; expected less than 1E+{VALUE_DIGITS_MAX}")


def _about_a_fill(x: r.ExecutionBust | r.ExecutionCorrect) -> None:
    own_id = x.exec_id
    names = ("broker", "account", "trading_day", "exec_ref_id", "exec_id", "symbol")
    fit.identity(names, x.broker, x.account, x.trading_day, x.exec_ref_id, "" if own_id is None else own_id, x.symbol)
    fit.day(x.trading_day)
    fit.account(x.account)
    fit.word(x.side, Side, "side")
    fit.moment_or_none(x.transact_at, "transact_at")
