"""Orders of the last two days that are not known to be ours: the fills of each, and which of them bear a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tradeloop.core.order import Order
from tradeloop.core.types import ClOrdID, OrderID, Side, Symbol

Number = tuple[Symbol, OrderID, Side]


class Strangers:
    """By our id of each: the keys of its fills."""

    __slots__ = ("_by_number", "_fills", "_numbers")

    def __init__(self) -> None:
        self._fills: dict[ClOrdID, list[str]] = {}
        self._numbers: dict[ClOrdID, Number] = {}
        self._by_number: dict[Number, dict[ClOrdID, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._fills)

    def __contains__(self, cl_ord_id: ClOrdID) -> bool:
        return cl_ord_id in self._fills

    def __iter__(self) -> Iterator[ClOrdID]:
        return iter(self._fills)

    def add(self, order: Order, fills: Iterable[str] = ()) -> None:
        """One more, which has these fills."""
        assert order.order_id is not None
        number = order.symbol, order.order_id, order.side
        self._fills[order.cl_ord_id] = list(fills)
        self._numbers[order.cl_ord_id] = number
        self._by_number.setdefault(number, {})[order.cl_ord_id] = None

    def forget(self, cl_ord_id: ClOrdID) -> None:
        """Nobody will name its fills as ours any more."""
        del self._fills[cl_ord_id]
        number = self._numbers.pop(cl_ord_id)
        del self._by_number[number][cl_ord_id]
        if not self._by_number[number]:
            del self._by_number[number]

    def fills(self, cl_ord_id: ClOrdID) -> list[str] | None:
        """The keys of its fills; None where it is not remembered."""
        return self._fills.get(cl_ord_id)

    def bearing(self, symbol: Symbol, number: OrderID, side: Side) -> list[ClOrdID]:
        """Those that bear this number, of whatever day, account and broker."""
        return list(self._by_number.get((symbol, number, side), ()))

    def pack(self) -> list[tuple[ClOrdID, list[str]]]:
        """As a snapshot keeps them."""
        return list(self._fills.items())
