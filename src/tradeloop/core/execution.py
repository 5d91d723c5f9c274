"""Station 5: the identity of a fill, what is known of it, and the identity of an order by the number its venue gave it.

A fill is known by (broker, account, trading day, exec id, side). The side belongs to it because SHFE gives both halves of a
self-trade one TradeID (vnpy issue 3407); the day because venues restart their numbers every day. What a fill is worth is kept
under that identity and not in its order, so that a word about one costs the same however many an order has.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.shards import Shards
from tradeloop.core.types import (
    BUY,
    SELL,
    AccountID,
    Amount,
    ClOrdID,
    ExecID,
    OrderID,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)


def exec_key(broker: str, account: AccountID, trading_day: TradingDay, exec_id: ExecID, side: Side) -> str:
    """The identity of a fill as one string; the separator cannot occur in a broker name, account or date."""
    return f"{broker}|{account}|{trading_day}|{'B' if side is BUY else 'S'}|{exec_id}"


def parts_of(key: str) -> tuple[str, AccountID, TradingDay, Side, ExecID]:
    """What an `exec_key` was made of."""
    broker, account, day, side, exec_id = key.split("|", 4)
    return broker, AccountID(account), TradingDay(day), BUY if side == "B" else SELL, ExecID(exec_id)


def order_key(broker: str, account: AccountID, trading_day: TradingDay, symbol: Symbol, order_id: OrderID) -> str:
    """The identity of an order as its venue numbers it: CTP and QMT begin anew every day, and CTP's exchanges count apart
    (its OrderSysID is unique together with the ExchangeID), so the symbol belongs to it.
    """
    return f"{broker}|{account}|{trading_day}|{symbol}|{order_id}"


_HEAD: Final = 1
"""Bytes of an execution before its first field: they say that it is a list of fewer than sixteen."""
_LIST: Final = 0x9
"""The first half of that byte; no text begins with it."""


class Exec(msgspec.Struct, array_like=True, gc=False):
    """One execution as it stands now: a bust sets `busted`, a correction replaces the figures.

    `told` are the busts and corrections it has had (`word_of`), `told_at` the venue's time of the newest, so that a repeat and
    an older one that comes late change nothing; None where it is a bust without one.
    """

    cl_ord_id: ClOrdID
    qty: Qty
    px: Px
    fee: Amount
    effect: PositionEffect
    busted: bool = False
    told: tuple[str, ...] = ()
    told_at: UtcNs | None = None
    fee_by_broker: bool = True
    """False: our schedule charged it, and charges it anew when another fill of its order changes."""


class Executions:
    """Every execution of every order, by its key, as bytes, so that millions of them neither weigh nor pause.

    A key may also be another name of an execution: the venue's id of its correction. And it may be known without figures: a
    fill that was inside the books when they became ours.
    """

    __slots__ = ("_decode", "_encode", "changes", "packed")

    def __init__(self) -> None:
        self.packed: Shards[bytes] = Shards()
        self.changes = 0
        """How often what a key meant has become something else: kept by no snapshot (core/shown_lines.py)."""
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Exec | str).decode

    def __contains__(self, key: str) -> bool:
        return key in self.packed

    def get(self, key: str) -> Exec | None:
        """A copy of the execution of this key or name, None where there are no figures; `keep` it after a change."""
        packed = self.packed.get(key)
        found = self._decode(packed) if packed else None
        if isinstance(found, str):
            found = self.get(self.root(found))
        return found

    def is_of(self, key: str, cl_ord_id: ClOrdID) -> bool:
        """Whether the execution is booked on that order: the first thing its bytes say, read without the rest, because a look
        asks it of every fill of the day.
        """
        packed = self.packed.get(key)
        return packed is not None and packed.startswith(self._encode(cl_ord_id), _HEAD)

    def root(self, key: str) -> str:
        """The key of the execution itself, where `key` is another name of it."""
        while (packed := self.packed.get(key)) and packed[0] >> 4 != _LIST:
            found = self._decode(packed)
            assert isinstance(found, str)
            key = found
        return key

    def keep(self, key: str, execution: Exec) -> None:
        """Put an execution down as it now stands."""
        self.changes += key in self.packed
        self.packed[key] = self._encode(execution)

    def name(self, key: str, root: str) -> None:
        """`key` means the execution `root`, which is no other name itself: names never lead in a circle."""
        if key == root or self.root(root) != root:
            raise ValueError(f"fill {key} was to be another name of {root}; expected the fill itself")
        self.changes += key in self.packed
        self.packed[key] = self._encode(root)

    def forget(self, key: str) -> None:
        """`key` means nothing any more."""
        self.changes += 1
        self.packed.pop(key)

    def seen(self, key: str) -> None:
        """The fill is inside the books, and nothing else is known of it; where more is known, that stands."""
        if not self.packed.get(key):
            self.changes += key in self.packed
            self.packed[key] = b""

    def items(self) -> Iterator[tuple[str, Exec]]:
        """Every execution with figures, in the order of its key."""
        for key, packed in self.packed.items():
            found = self._decode(packed) if packed else None
            if isinstance(found, Exec):
                yield key, found


def word_of(own_id: ExecID | None, transact_at: UtcNs | None, *figures: Decimal | None) -> str:
    """By what a bust (no figures) or a correction of a fill is known when it comes again.

    By its own id, as FIX and IB give it; a venue without one is taken at its time and figures, so that what it states again at
    another time counts again, and without a time the same figures count once.
    """
    if own_id:
        return f"={own_id}"
    said = "/".join("" if figure is None else str(figure.normalize()) for figure in figures)
    return f"{said}@{'' if transact_at is None else transact_at}"
