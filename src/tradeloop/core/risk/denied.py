"""Our own no: the rule, its limit, what was found, and what to do about it. A value, not an exception (a refusal
is not a bug).
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from tradeloop.core.events import LateOrderDenied, OrderDenied, ReplaceDenied
from tradeloop.core.reports import Quote
from tradeloop.core.types import AccountID, Qty, Side, Symbol, Word


class Uncounted(Word):
    """Why the approval of somebody who was named is none: it is of `own` work, or of somebody `unlisted` in risk.approvers."""

    OWN = "own"
    UNLISTED = "unlisted"


class Denied(msgspec.Struct, frozen=True, gc=False):
    """`rule` is a stable code (docs/reference/risk-rules.md); `limit` is what has to hold, `was` what there is now without the
    order, and `this_order` what the order asks for or adds. Of amounts, `was` and `this_order` together are beyond `limit`;
    `was` is empty where only an order has what is compared, such as its type. `scope`: over what it is counted. `text` is
    one sentence for a person. `approved_by` and `uncounted`: whose approval did not count, and why (`Uncounted`), where one
    would have let it go.
    """

    rule: str
    limit: str
    was: str
    text: str
    scope: str = ""
    this_order: str = ""
    approved_by: str = ""
    uncounted: str = ""

    @classmethod
    def recorded(cls, e: OrderDenied | ReplaceDenied | LateOrderDenied) -> Denied:
        """What was said when it was recorded."""
        if isinstance(e, LateOrderDenied):
            return cls(e.rule, e.limit, e.was, e.text, e.scope, e.this_order)
        return cls(e.rule, e.limit, e.was, e.text, e.scope, e.this_order, e.approved_by if e.uncounted else "", e.uncounted)


class AskedFor(Protocol):
    """An order, or the intent of one, as a denial names it."""

    @property
    def account(self) -> AccountID: ...
    @property
    def symbol(self) -> Symbol: ...
    @property
    def side(self) -> Side: ...
    @property
    def order_qty(self) -> Qty: ...


def asked_for(order: AskedFor) -> str:
    """What an order asks for, where no figure of it is compared."""
    return f"{order.side.value} {order.order_qty:f}"


def of_account(order: AskedFor) -> str:
    """The scope of what is counted in an account."""
    return f"account {order.account}"


def of_symbol(order: AskedFor) -> str:
    """The scope of what a market says of a symbol."""
    return f"symbol {order.symbol}"


def of_holding(order: AskedFor) -> str:
    """The scope of what is counted of a symbol in an account."""
    return f"{of_account(order)}, {of_symbol(order)}"


def present_px(quote: Quote | None) -> str:
    """The present price, of a check of prices."""
    seen = None if quote is None else quote.mid_or_last
    return "no price seen" if seen is None else f"{seen:f}"
