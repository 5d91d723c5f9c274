"""An order as people and programs write it: words and plain decimal numbers, and the command they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from tradeloop.core.checked import checked_command
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.people import seen
from tradeloop.core.types import AccountID, OrdType, PositionEffect, Px, Qty, Side, TimeInForce, Word, exact
from tradeloop.markets.symbols import canonical

_W = TypeVar("_W", bound=Word)
_SHOWN_MAX: Final = 40


def an_order(
    *,
    account: AccountID,
    by: str,
    symbol: str,
    side: str,
    qty: str,
    ord_type: str = "MARKET",
    price: str | None = None,
    stop_px: str | None = None,
    tif: str = "DAY",
    position_effect: str = "AUTO",
    strategy_id: str = "",
    approved_by: str = "",
    request_id: str = "",
    reason: str = "",
    called: Mapping[str, str] | None = None,
) -> SubmitOrder:
    """The order that these words ask for. `called`: what a field is called where it was written. Raises BadInput."""
    names = called or {}
    if side.upper() not in ("BUY", "SELL"):
        raise BadInput(f"the side was {side[:_SHOWN_MAX]!r}; expected buy or sell")
    order = SubmitOrder(
        account=account,
        symbol=canonical(symbol),
        side=Side(side.upper()),
        order_qty=Qty(exact(qty, "the quantity")),
        by=by,
        ord_type=_word(OrdType, ord_type, "the order type"),
        price=None if price is None else Px(exact(price, names.get("price", "the price"))),
        stop_px=None if stop_px is None else Px(exact(stop_px, names.get("stop_px", "the stop price"))),
        tif=_word(TimeInForce, tif, "the time in force"),
        position_effect=_word(PositionEffect, position_effect, "the position effect"),
        request_id=request_id,
        strategy_id=strategy_id,
        reason=reason,
        approved_by=approved_by,
    )
    checked_command(order)  # before anything is opened: what is refused here leaves no trace
    seen(approved_by, names.get("approved_by", "approved_by"))
    return order


_WORDS: Final[Mapping[type[Word], Mapping[str, Any]]] = {
    kind: {each.value: each for each in kind} for kind in (OrdType, TimeInForce, PositionEffect)
}


def _word(kind: type[_W], written: str, what: str) -> _W:
    found: _W | None = _WORDS[kind].get(written.upper())
    if found is None:
        words = ", ".join(each.lower() for each in _WORDS[kind])
        raise BadInput(f"{what} was {written[:_SHOWN_MAX]!r}; expected one of {words}")
    return found
