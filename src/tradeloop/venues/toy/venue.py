"""The toy venue itself, without a socket: requests in, answers out, and what it says by itself.

Matching is trivial: a market order, or a limit that the last price satisfies, trades at the last price, whole or in slices
over time (`ToyRules.slice_qty`); every other order rests until somebody lets it trade (`fill`) or the price moves (`move`).
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, ZERO
from tradeloop.ports.clock import Clock
from tradeloop.venues.toy.books import FEE_PER_UNIT, ToyBooks, ToyOrder, ToyTrade
from tradeloop.venues.toy.faults import Fault, Faults

Message = dict[str, Any]

ID_MAX: Final = 24
SIDES: Final = ("B", "S")
TYPES: Final = ("MKT", "LMT")
TIFS: Final = ("DAY", "GTC", "IOC", "FOK")
_ID: Final = re.compile(rf"[a-z0-9]{{1,{ID_MAX}}}")


class ToyRules(msgspec.Struct, frozen=True, kw_only=True):
    """How this venue is set up; an adapter declares the same in its `Capabilities`.

    `held`: what the account holds since before the day. `orders_complete`: its books show closed orders of the day. `replays`:
    it says the day's trades again after each login. `rate_per_second`: more requests than that within a second are turned away
    unprocessed; None for no limit. `late_ns`: how long an order that is made late stays on its way. `lag_ns`: how long the
    books do not show a new order. `slice_qty`: what trades at the last price does so in parts of at most this, one every
    `slice_ns`; None trades it whole. `fee_per_unit` is what a trade costs. `settles_t1`: what is bought today is sellable
    tomorrow. `step`: of what quantities are multiples. `other_cash`: what the account has in currencies that nothing trades in.
    """

    account: str = "demo"
    token: str = "toy-token"  # noqa: S105 - the default of a toy on the loopback
    prices: tuple[tuple[str, Decimal], ...] = (("US:ACME", Decimal("10.00")), ("US:BOLT", Decimal("25.50")))
    cash: Decimal = Decimal(1_000_000)
    held: tuple[tuple[str, Decimal], ...] = ()
    day: str = "2026-07-17"
    dedupes: Dedupes = Dedupes.FOR_EVER
    orders_complete: bool = True
    replays: bool = False
    rate_per_second: int | None = 200
    late_ns: int = 6 * SECOND_NS
    lag_ns: int = 0
    slice_qty: Decimal | None = None
    slice_ns: int = SECOND_NS // 4
    fee_per_unit: Decimal = FEE_PER_UNIT
    settles_t1: bool = False
    step: Decimal = Decimal(1)
    other_cash: tuple[tuple[str, Decimal], ...] = ()


class ToyVenue:
    """One account's venue. `say` is given every message that the venue sends by itself; the server passes it on."""

    def __init__(self, rules: ToyRules, clock: Clock, say: Callable[[Message], None]) -> None:
        self.rules = rules
        self.clock = clock
        self.books = ToyBooks(rules.account, rules.day, clock.now(), rules.cash, rules.fee_per_unit)
        self.books.positions.update(rules.held)
        self.faults = Faults()
        self.prices = dict(rules.prices)
        self.refusal: tuple[str, str] | None = None
        """Code and text with which the next place is refused, whatever it says."""
        self.turned_away = 0
        self.asked: Counter[str] = Counter()
        """How many requests of each kind came, whatever became of them."""
        self._say_it = say
        self._held: Message | None = None
        self._holds_cancels = False
        self._cancels: list[ToyOrder] = []
        self._asked_at: deque[int] = deque()

    # --- requests of a client

    def answer(self, request: Message) -> Message:
        """Carry a request out and answer it; what follows from it is said."""
        self.asked[str(request.get("do"))] += 1
        if (expires := request.get("expires_at")) is not None and self.clock.now() > expires:
            return _no("REQUEST_EXPIRED", f"the request was to live until {expires}", unprocessed=True)
        match request.get("do"):
            case "ping":
                return _yes()
            case "books":
                return _yes(**self.shown(request.get("since")))
            case "place" | "cancel" | "replace" if self._is_too_fast():
                return _no("TOO_FAST", f"more than {self.rules.rate_per_second} requests within a second", unprocessed=True)
            case "place":
                return self._place(request)
            case "cancel":
                return self._cancel(request)
            case "replace":
                return self._replace(request)
            case other:
                return _no("BAD_REQUEST", f"do was {other!r}")

    def _is_too_fast(self) -> bool:
        now = self.clock.now()
        while self._asked_at and self._asked_at[0] <= now - SECOND_NS:
            self._asked_at.popleft()
        self._asked_at.append(now)
        if self.rules.rate_per_second is None or len(self._asked_at) <= self.rules.rate_per_second:
            return False
        self.turned_away += 1
        return True

    def _place(self, request: Message) -> Message:
        if self.refusal is not None:
            (code, text), self.refusal = self.refusal, None
            return _no(code, text)
        symbol, cl_ord_id = request.get("symbol"), request.get("cl_ord_id")
        if symbol not in self.prices:
            return _no("UNKNOWN_SYMBOL", f"no such symbol: {symbol!r}")
        if not isinstance(cl_ord_id, str) or _ID.fullmatch(cl_ord_id) is None:
            return _no("BAD_ID", f"the id was {cl_ord_id!r}; expected 1 to {ID_MAX} of a-z and 0-9")
        if request.get("account") != self.books.account:
            return _no("UNKNOWN_ACCOUNT", f"the account was {request.get('account')!r}")
        if request.get("side") not in SIDES or request.get("type") not in TYPES or request.get("tif") not in TIFS:
            return _no(
                "BAD_TERMS", f"side, type and tif were {request.get('side')!r}, {request.get('type')!r}, {request.get('tif')!r}"
            )
        qty, px = _number(request.get("qty")), _number(request.get("px"))
        if qty is None or qty <= ZERO or qty % self.rules.step:
            return self._bad_qty(request)
        if (request["type"] == "LMT") != (px is not None) or (px is not None and px <= ZERO):
            return _no("BAD_PX", f"the price was {request.get('px')!r}; a limit order has one, a market order none")
        if (first := self._remembered(cl_ord_id)) is not None:
            return _no("DUPLICATE_ID", f"the id is that of {first.order_id}")
        worth = qty * (self.prices[symbol] if px is None else px)
        if request["side"] == "B" and worth > self.books.cash:
            return _no("NO_CASH", f"the order is worth {worth}, the account has {self.books.cash}")
        order = ToyOrder(
            f"O{self.books.number():06}", cl_ord_id, symbol, request["side"], qty, request["type"], px, request["tif"],
            self.books.day, self.clock.now(),
        )  # fmt: skip
        self.books.orders[order.order_id] = order
        if not self.faults.strikes(Fault.LOSE_ACK):
            self._say("new", cl_ord_id=cl_ord_id, order_id=order.order_id, at=order.placed_at)
        self._match(order)
        return _yes(order_id=order.order_id)

    def _remembered(self, cl_ord_id: str) -> ToyOrder | None:
        dedupes = self.rules.dedupes
        for order in self.books.of_client(cl_ord_id):
            if (
                dedupes is Dedupes.FOR_EVER
                or (dedupes is Dedupes.DAY and order.day == self.books.day)
                or (dedupes is Dedupes.OPEN_ONLY and order.is_open)
            ):
                return order
        return None

    def _cancel(self, request: Message) -> Message:
        order = self.books.newest_of(request["cl_ord_id"]) if request.get("cl_ord_id") else None
        if order is None:
            order = self.books.orders.get(request.get("order_id") or "")
        if order is None:
            return _no("UNKNOWN_ORDER", "no order has this id")
        if not order.is_open:
            return _no("TOO_LATE", f"the order is {order.status}")
        if self._holds_cancels:
            self._cancels.append(order)
        else:
            self._end(order, "gone", "canceled as asked")
        return _yes()

    def _replace(self, request: Message) -> Message:
        order = self.books.newest_of(request["cl_ord_id"]) if request.get("cl_ord_id") else None
        if order is None:
            return _no("UNKNOWN_ORDER", "no order has this id")
        if not order.is_open:
            return _no("TOO_LATE", f"the order is {order.status}")
        qty, px = _number(request.get("qty")), _number(request.get("px"))
        if qty is None or qty % self.rules.step:
            return self._bad_qty(request)
        if px is None or px <= ZERO:
            return _no("BAD_PX", f"the price was {request.get('px')!r}; only limit orders rest here, and they have one")
        if qty <= order.cum:
            return _no("TOO_LITTLE", f"the quantity was {qty}, and {order.cum} has traded; cancel the order instead")
        order.qty, order.px = qty, px
        self._say(
            "replaced", cl_ord_id=order.cl_ord_id, order_id=order.order_id, number=request.get("number"), qty=str(qty),
            px=str(px), cum=str(order.cum), at=self.clock.now(),
        )  # fmt: skip
        self._match(order)
        return _yes()

    def _bad_qty(self, request: Message) -> Message:
        return _no(
            "BAD_QTY", f"the quantity was {request.get('qty')!r}; expected a positive multiple of {self.rules.step} as text"
        )

    def _match(self, order: ToyOrder) -> None:
        at_once = order.tif in {"IOC", "FOK"}
        if self._satisfies(order) and (at_once or self.rules.slice_qty is None):
            self._trade(order, order.leaves, self.prices[order.symbol])
        if order.is_open and at_once:
            self._end(order, "lapsed", f"{order.tif} could not trade")

    def _satisfies(self, order: ToyOrder) -> bool:
        """Whether the last price is one the order trades at."""
        last = self.prices[order.symbol]
        return order.is_open and (order.px is None or (order.px >= last if order.side == "B" else order.px <= last))

    # --- what the venue does by itself, or because it is told to

    def trade_slices(self) -> None:
        """One slice of every order that the last price satisfies trades, whoever listens."""
        most = self.rules.slice_qty
        if most is None:
            return
        for order in list(self.books.orders.values()):
            if self._satisfies(order):
                self._trade(order, min(most, order.leaves), self.prices[order.symbol])

    def fill(self, cl_ord_id: str, qty: Decimal, px: Decimal) -> ToyTrade:
        """Let an order trade. Raises BadInput where the order cannot."""
        order = self.books.newest_of(cl_ord_id)
        if order is None or order.leaves < qty:
            raise BadInput(f"the order {cl_ord_id!r} cannot trade {qty}; expected one that is open for as much")
        return self._trade(order, qty, px)

    def move(self, symbol: str, px: Decimal) -> None:
        """The last price changes; what it satisfies trades."""
        self.prices[symbol] = px
        for order in list(self.books.orders.values()):
            if order.is_open and order.symbol == symbol:
                self._match(order)

    def by_hand(self, symbol: str, side: str, qty: Decimal, px: Decimal, *, filled: bool = True) -> ToyOrder:
        """An order is typed at the venue, under no client id, and trades at once unless told otherwise."""
        order = ToyOrder(
            f"O{self.books.number():06}", None, symbol, side, qty, "LMT", px, "DAY", self.books.day, self.clock.now()
        )
        self.books.orders[order.order_id] = order
        if filled:
            self._trade(order, qty, px)
        return order

    def cancel_unasked(self, cl_ord_id: str) -> None:
        """The venue takes an order out by itself. Raises BadInput where it is not open."""
        order = self.books.newest_of(cl_ord_id)
        if order is None or not order.is_open:
            raise BadInput(f"the order {cl_ord_id!r} is not open")
        self._end(order, "gone", "canceled by the venue")

    def bust(self, exec_id: str) -> None:
        """A trade is taken back. Raises BadInput for one that does not count."""
        trade = self._counted(exec_id)
        self.books.take_back(trade)
        self._say("bust", ref=exec_id, side=trade.side, day=trade.day, at=self.clock.now())

    def correct(self, exec_id: str, qty: Decimal, px: Decimal) -> None:
        """A trade's figures change. Raises BadInput for one that does not count."""
        trade = self._counted(exec_id)
        self.books.amend(trade, qty, px)
        self._say(
            "correct", ref=exec_id, side=trade.side, day=trade.day, qty=str(qty), px=str(px), fee=str(trade.fee),
            at=self.clock.now(),
        )  # fmt: skip

    def pay_for_next_trade(self) -> None:
        """The next trade brings what it would have cost."""
        self.books.pays_next = True

    def redeliver(self, exec_id: str) -> None:
        """A trade is said once more. Raises BadInput for one that does not count."""
        self._say_trade(self._counted(exec_id))

    def hold_cancels(self) -> None:
        """Cancels are taken from now on and wait for `let_cancels`."""
        self._holds_cancels = True

    def let_cancels(self) -> None:
        """The cancels that waited happen, or are too late."""
        self._holds_cancels = False
        waiting, self._cancels = self._cancels, []
        for order in waiting:
            if order.is_open:
                self._end(order, "gone", "canceled as asked")
            else:
                self._say(
                    "cancel_reject", cl_ord_id=order.cl_ord_id, order_id=order.order_id, code="TOO_LATE",
                    text=f"the order is {order.status}", at=self.clock.now(),
                )  # fmt: skip

    def next_day(self, day: str) -> None:
        """The trading day ends: DAY orders lapse, and `day` begins."""
        for order in self.books.orders.values():
            if order.is_open and order.tif != "GTC":
                self._end(order, "lapsed", "the day ended")
        self.books.begin(day, self.clock.now())

    def sellable(self, symbol: str) -> Decimal:
        """What of a long position may be sold today."""
        held = self.books.positions.get(symbol, ZERO)
        return max(held - (self.books.bought.get(symbol, ZERO) if self.rules.settles_t1 else ZERO), ZERO)

    def trades_of_the_day(self) -> list[Message]:
        """What a venue that replays says again after a login."""
        return [_trade_said(trade) for trade in self.books.trades.values() if trade.day == self.books.day and not trade.busted]

    # --- inside

    def _counted(self, exec_id: str) -> ToyTrade:
        trade = self.books.trades.get(exec_id)
        if trade is None or trade.busted:
            raise BadInput(f"no trade {exec_id!r} counts")
        return trade

    def _trade(self, order: ToyOrder, qty: Decimal, px: Decimal) -> ToyTrade:
        trade = self.books.trade(order, qty, px, self.clock.now())
        if not self.faults.strikes(Fault.LOSE_TRADE):
            self._say_trade(trade)
        return trade

    def _say_trade(self, trade: ToyTrade) -> None:
        self._pass_on(_trade_said(trade))

    def _end(self, order: ToyOrder, status: str, text: str) -> None:
        order.status, order.text = status, text
        said = "canceled" if status == "gone" else "lapsed"
        self._say(said, cl_ord_id=order.cl_ord_id, order_id=order.order_id, text=text, cum=str(order.cum), at=self.clock.now())

    def _say(self, what: str, **content: Any) -> None:
        self._pass_on({"say": what, **content})

    def _pass_on(self, message: Message) -> None:
        if self._held is None and self.faults.strikes(Fault.SWAP):
            self._held = message
            return
        self._say_it(message)
        if self._held is not None:
            held, self._held = self._held, None
            self._say_it(held)

    def shown(self, since: int | None = None) -> Message:
        """The books as a client is shown them: orders open or of the day, trades of the day or since a time, what is held."""
        books = self.books
        seen = self.clock.now() - self.rules.lag_ns
        orders = [
            {
                "order_id": o.order_id, "cl_ord_id": o.cl_ord_id, "symbol": o.symbol, "side": o.side, "qty": str(o.qty),
                "cum": str(o.cum), "px": None if o.px is None else str(o.px), "status": o.status, "text": o.text,
            }
            for o in books.orders.values()
            if (o.is_open or (o.day == books.day and self.rules.orders_complete)) and o.placed_at <= seen
        ]  # fmt: skip
        trades = [
            {k: v for k, v in _trade_said(t).items() if k != "say"}
            for t in books.trades.values()
            if not t.busted and (t.day == books.day if since is None else t.at >= since)
        ]
        if orders and self.faults.strikes(Fault.SCRAMBLE):
            orders[0]["status"] = "scrambled"
        return {
            "account": books.account,
            "day": books.day,
            "since": books.opened_at if since is None else since,
            "at": self.clock.now(),
            "orders": orders,
            "trades": trades,
            "positions": [
                {"symbol": s, "qty": str(q), "sellable": str(self.sellable(s))} for s, q in books.positions.items() if q
            ],
            "cash": [
                {"currency": currency, "balance": str(balance), "available": None}
                for currency, balance in (("USD", books.cash), *self.rules.other_cash)
            ],
        }


def _trade_said(trade: ToyTrade) -> Message:
    return {
        "say": "trade", "exec_id": trade.exec_id, "order_id": trade.order_id, "cl_ord_id": trade.cl_ord_id,
        "symbol": trade.symbol, "side": trade.side, "qty": str(trade.qty), "px": str(trade.px), "fee": str(trade.fee),
        "day": trade.day, "at": trade.at,
    }  # fmt: skip


def _yes(**content: Any) -> Message:
    return {"ok": True, **content}


def _no(code: str, text: str, *, unprocessed: bool = False) -> Message:
    return {"ok": False, "code": code, "text": text, "unprocessed": unprocessed}


def _number(text: object) -> Decimal | None:
    """A decimal written as text; None for anything else, a JSON number above all."""
    if not isinstance(text, str):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
