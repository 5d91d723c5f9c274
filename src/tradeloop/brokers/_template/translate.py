"""Their messages to our reports, our orders to their messages. Pure: no socket, no clock, so that its tests are tables.

Everything raises BadInput on what it does not understand, naming it as it came. Amounts are text on this wire, and are read by
`exact`; one that they did not give is None, never 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tradeloop.brokers._template import words
from tradeloop.core.errors import BadInput
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerSnapshot,
    CancelAck,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    HeldCash,
    HeldPosition,
    OpenOrder,
    OrderAck,
    OrderExpire,
    ReplaceAck,
    Report,
)
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdType,
    Px,
    Qty,
    TradingDay,
    UtcNs,
    exact,
)

Message = dict[str, Any]


# --- ours to theirs


def placing(order: Order, expires_at: UtcNs) -> Message:
    """The request that places the order. Raises BadInput for what this venue has no word for."""
    ord_type = sent_as(order)
    return {
        "do": "place",
        "account": order.account,
        "cl_ord_id": order.cl_ord_id,
        "symbol": words.their_symbol(order.symbol),
        "side": words.theirs(words.SIDES, order.side, "the side"),
        "qty": f"{order.order_qty:f}",
        "type": words.theirs(words.TYPES, ord_type, "the order type"),
        "px": None if ord_type is OrdType.MARKET or order.price is None else f"{order.price:f}",
        "tif": words.theirs(words.TIFS, order.tif, "the time in force"),
        "expires_at": expires_at,
    }


def canceling(cl_ord_id: ClOrdID, order_id: OrderID | None, expires_at: UtcNs) -> Message:
    """The request that cancels the order."""
    return {"do": "cancel", "cl_ord_id": cl_ord_id, "order_id": order_id, "expires_at": expires_at}


def replacing(change: Replacement, expires_at: UtcNs) -> Message:
    """The request that gives a working order other terms. Raises BadInput for a stop, which this venue does not hold."""
    if change.stop_px is not None:
        raise BadInput(f"the stop price was {change.stop_px}; this venue holds no stops")
    return {
        "do": "replace",
        "cl_ord_id": change.cl_ord_id,
        "number": change.number,
        "qty": f"{change.order_qty:f}",
        "px": None if change.price is None else f"{change.price:f}",
        "expires_at": expires_at,
    }


def sent_as(order: Order) -> OrdType:
    """The type on the wire: a stop that the engine held and triggered goes out as what it became."""
    if order.triggered_at is None:
        return order.ord_type
    return {OrdType.STOP: OrdType.MARKET, OrdType.STOP_LIMIT: OrdType.LIMIT}.get(order.ord_type, order.ord_type)


# --- theirs to ours


class Translator:
    """Reads the messages of one account at one broker."""

    def __init__(self, broker: str, account: AccountID) -> None:
        self._broker = broker
        self._account = account

    def report(self, said: Message) -> Report | None:
        """What the venue said by itself, in our words; None for the end of an order that never was ours."""
        try:
            match said["say"]:
                case "new":
                    return self._new(said)
                case "trade":
                    return self._execution(said)
                case "bust":
                    return self._bust(said)
                case "correct":
                    return self._correct(said)
                case "canceled":
                    return self._canceled(said)
                case "lapsed":
                    return self._lapsed(said)
                case "replaced":
                    return self._replaced(said)
                case "cancel_reject":
                    return self._cancel_reject(said)
                case _:
                    raise BadInput(f"the venue said {said!r}, which translate.py does not read: look it up and add it there")
        except (KeyError, TypeError) as error:
            raise BadInput(f"the message {said!r} could not be read ({error!r})") from None

    def snapshot(self, shown: Message, *, orders_complete: bool) -> BrokerSnapshot:
        """The books as the venue shows them."""
        try:
            return BrokerSnapshot(
                broker=self._broker,
                account=self._account,
                as_of=_time(shown["at"]),
                orders=tuple(self._order(each) for each in shown["orders"]),
                executions=tuple(self._execution(each) for each in shown["trades"]),
                positions=tuple(self._position(each) for each in shown["positions"]),
                cash=tuple(self._cash(each) for each in shown["cash"]),
                orders_complete=orders_complete,
                executions_since=_time(shown["since"]),
                trading_day=TradingDay(_text(shown["day"])),
            )
        except (KeyError, TypeError) as error:
            raise BadInput(f"the books could not be read ({error!r})") from None

    def _new(self, said: Message) -> Report:
        return OrderAck(self._broker, ClOrdID(_text(said["cl_ord_id"])), OrderID(_text(said["order_id"])), _time(said["at"]))

    def _execution(self, said: Message) -> Execution:
        fee = said["fee"]
        return Execution(
            broker=self._broker,
            account=self._account,
            trading_day=TradingDay(_text(said["day"])),
            exec_id=ExecID(_text(said["exec_id"])),
            symbol=words.our_symbol(said["symbol"]),
            side=words.ours(words.SIDES, said["side"], "the side"),
            last_qty=Qty(_exact(said["qty"], "the quantity")),
            last_px=Px(_exact(said["px"], "the price")),
            cl_ord_id=_cl_ord_id(said),
            order_id=OrderID(_text(said["order_id"])),
            commission=None if fee is None else Amount(_exact(fee, "the fee")),
            transact_at=_time(said["at"]),
        )

    def _bust(self, said: Message) -> Report:
        return ExecutionBust(
            self._broker, self._account, TradingDay(_text(said["day"])), ExecID(_text(said["ref"])),
            words.ours(words.SIDES, said["side"], "the side"), _time(said["at"]),
        )  # fmt: skip

    def _correct(self, said: Message) -> Report:
        return ExecutionCorrect(
            self._broker, self._account, TradingDay(_text(said["day"])), ExecID(_text(said["ref"])),
            words.ours(words.SIDES, said["side"], "the side"), Qty(_exact(said["qty"], "the quantity")),
            Px(_exact(said["px"], "the price")), Amount(_exact(said["fee"], "the fee")), _time(said["at"]),
        )  # fmt: skip

    def _canceled(self, said: Message) -> Report | None:
        cl_ord_id = _cl_ord_id(said)
        if cl_ord_id is None:
            return None
        return CancelAck(
            self._broker, cl_ord_id, _text(said["text"]), _time(said["at"]), Qty(_exact(said["cum"], "the quantity")),
            OrderID(_text(said["order_id"])),
        )  # fmt: skip

    def _lapsed(self, said: Message) -> Report | None:
        cl_ord_id = _cl_ord_id(said)
        if cl_ord_id is None:
            return None
        return OrderExpire(
            self._broker, cl_ord_id, _text(said["text"]), _time(said["at"]), Qty(_exact(said["cum"], "the quantity")),
            OrderID(_text(said["order_id"])),
        )  # fmt: skip

    def _cancel_reject(self, said: Message) -> Report:
        return CancelReject(
            self._broker, ClOrdID(_text(said["cl_ord_id"])), _text(said["code"]), _text(said["text"]), _time(said["at"])
        )

    def _replaced(self, said: Message) -> Report:
        return ReplaceAck(
            self._broker, ClOrdID(_text(said["cl_ord_id"])), Qty(_exact(said["qty"], "the quantity")),
            Px(_exact(said["px"], "the price")), number=said["number"],
            cum_qty=Qty(_exact(said["cum"], "the quantity")), transact_at=_time(said["at"]),
        )  # fmt: skip

    def _order(self, shown: Message) -> OpenOrder:
        return OpenOrder(
            self._account,
            words.our_symbol(shown["symbol"]),
            words.ours(words.SIDES, shown["side"], "the side"),
            Qty(_exact(shown["qty"], "the quantity")),
            Qty(_exact(shown["cum"], "the quantity")),
            words.ours(words.STATUSES, shown["status"], "the status"),
            OrderID(_text(shown["order_id"])),
            _cl_ord_id(shown),
            None if shown["px"] is None else Px(_exact(shown["px"], "the price")),
            _text(shown["text"]),
        )

    def _position(self, shown: Message) -> HeldPosition:
        qty = _exact(shown["qty"], "the quantity")
        sellable = Qty(_exact(shown["sellable"], "what may be sold"))
        return HeldPosition(
            self._account, words.our_symbol(shown["symbol"]), Qty(max(qty, ZERO)), Qty(max(-qty, ZERO)), sellable
        )

    def _cash(self, shown: Message) -> HeldCash:
        available = shown["available"]
        return HeldCash(
            self._account,
            Currency(_text(shown["currency"])),
            Amount(_exact(shown["balance"], "the balance")),
            None if available is None else Amount(_exact(available, "the available cash")),
        )


def _exact(written: object, what: str) -> Decimal:
    """The amount, which is text on this wire: a JSON number may have been rounded by whoever wrote it."""
    if not isinstance(written, str):
        raise BadInput(f"{what} was {written!r}; expected a decimal number as text")
    return exact(written, what)


def _text(written: object) -> str:
    if not isinstance(written, str):
        raise BadInput(f"an id or a word was {written!r}; expected text")
    return written


def _time(written: object) -> UtcNs:
    if not isinstance(written, int) or isinstance(written, bool):
        raise BadInput(f"a time was {written!r}; expected nanoseconds as a whole number")
    return UtcNs(written)


def _cl_ord_id(said: Message) -> ClOrdID | None:
    """Our id of the order; None for an order that was typed at the venue."""
    return None if said["cl_ord_id"] is None else ClOrdID(_text(said["cl_ord_id"]))
