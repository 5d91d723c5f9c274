"""The paper broker's market: takes orders, moves them to the market after the latency, and fills them against quotes.

Synchronous and deterministic: time is an argument, the same calls give the same reports in `out`. What it promises is
honest: an order meets only a quote that stands when it is live, takes at most the displayed size once, and never trades
on what the quote does not show. How quotes and bars become fills is written in README.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

from tradeloop.brokers.paper import repeats
from tradeloop.brokers.paper.admission import is_legal_id, refusal
from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.changes import Changes
from tradeloop.brokers.paper.holding import Holding
from tradeloop.brokers.paper.ledger import book, charge, needed
from tradeloop.brokers.paper.market import IMMEDIATE, Market
from tradeloop.brokers.paper.pricing import payable_of, price_of
from tradeloop.brokers.paper.records import CLOSING_PRINT_WITHIN_NS, PaperCash, PaperChange, PaperDay, PaperOrder
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import Instrument
from tradeloop.core.market import without_nobody
from tradeloop.core.reports import (
    CancelAck,
    CancelReject,
    Execution,
    OrderAck,
    OrderExpire,
    OrderReject,
    Quote,
    Report,
)
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
    step_down,
)


class Matching:
    """The market side of one paper account, working on its `books`."""

    def __init__(
        self,
        books: Books,
        *,
        latency_ns: int = 0,
        bar_participation: Decimal = Decimal("0.10"),
        assumed_size: Decimal | None = None,
        undelivered_at: Callable[[], UtcNs | None] = lambda: None,
    ) -> None:
        """`undelivered_at` tells the time of the next quote the feed still owes; None when it owes none or cannot know."""
        self.books = books
        self.out: list[Report] = []
        self._latency = latency_ns
        self._participation = bar_participation
        self._assumed_size = assumed_size
        self._undelivered_at = undelivered_at
        self._markets: dict[Symbol, Market] = {}
        self._unlisted: dict[Symbol, Quote] = {}  # the last quote of each, which stands from its listing on
        self._waiting: deque[PaperOrder] = deque()
        self._cancels: deque[PaperOrder] = deque()
        self._expired: dict[str, TradingDay] = {}
        self._utc_until: UtcNs | None = None
        self._uses_utc_day = False
        self._seen = UtcNs(0)
        for instrument in books.instruments.values():
            self._markets[instrument.symbol] = Market(instrument)
            self._uses_utc_day = self._uses_utc_day or not instrument.session
        for order in sorted(books.working(), key=lambda o: (o.live_at, o.no)):
            self._wait(order)
        asked = [order for order in books.orders.values() if order.cancel_at is not None]
        self._cancels.extend(sorted(asked, key=lambda o: (o.cancel_at or 0, o.no)))
        self.changes = Changes(books, self._markets, self.settle, self.enter, self._tell)
        self.holding = Holding(books, self.settle, self.close)

    # --- what the bootstrap gives

    def list_instruments(self, instruments: Iterable[Instrument]) -> None:
        """Trade these under these rules from now on."""
        for instrument in instruments:
            self.books.list_instrument(instrument)
            self._uses_utc_day = self._uses_utc_day or not instrument.session
            market = self._markets.get(instrument.symbol)
            if market is None:
                market = self._markets[instrument.symbol] = Market(instrument)
                if instrument.symbol in self._unlisted:
                    seen = without_nobody(self._unlisted.pop(instrument.symbol), instrument)
                    market.stand(seen, self._assumed_size, anew=True)
            else:
                market.instrument = instrument

    def open_day(self, session: str, trading_day: TradingDay, windows: Iterable[tuple[UtcNs, UtcNs]], now: UtcNs) -> None:
        """Begin the session's trading day: DAY orders of earlier days expire, what was bought before becomes sellable."""
        before = self.books.days.get(session)
        if before is not None and trading_day < before.trading_day:
            raise BadInput(f"trading day of session {session!r} was {trading_day}; expected {before.trading_day} or later")
        if before is not None and trading_day > before.trading_day:
            self._expire(session, now)
            self._expired.pop(session, None)
            for market in self._markets.values():
                if market.instrument.session == session:
                    market.prev_close = None  # yesterday's: the limits of the new day are not known before its first quote
        self.books.roll(PaperDay(session, trading_day, now, windows=tuple(windows)))
        self.books.forget_older()

    # --- requests

    def place(
        self,
        *,
        cl_ord_id: ClOrdID | None,
        account: AccountID,
        symbol: Symbol,
        side: Side,
        order_qty: Qty,
        now: UtcNs,
        ord_type: OrdType = OrdType.MARKET,
        price: Px | None = None,
        tif: TimeInForce = TimeInForce.DAY,
        position_effect: PositionEffect = PositionEffect.AUTO,
    ) -> PaperOrder:
        """Take an order or reject it. The same client id with the same content changes nothing and is told how it stands."""
        self._advance(now)
        books = self.books
        market = self._markets.get(symbol)
        day = None if market is None else books.day_of(market.instrument)
        no = books.last_order + 1
        order = PaperOrder(
            no, OrderID(f"P{no:010d}"), cl_ord_id, account, symbol, side, order_qty, ord_type, price, tif,
            position_effect, books.latest_day() if day is None else day.trading_day, now,
            UtcNs(now + self._latency),
        )  # fmt: skip
        if cl_ord_id is not None:
            first = books.known(cl_ord_id)
            if first is not None:
                self.out.extend(repeats.answers(books, first, order, cl_ord_id, now))
                return first
            if not is_legal_id(cl_ord_id):
                return self._reject(order, Code.BAD_CL_ORD_ID, f"the id was {cl_ord_id[:40]!r}", now)
        books.next_order_no()
        if account != books.account:
            return self._reject(order, Code.UNKNOWN_ACCOUNT, f"the account was {account!r}", now)
        if market is None:
            return self._reject(order, Code.UNKNOWN_SYMBOL, f"the symbol was {symbol!r}", now)
        refused = refusal(order, market, books, now)
        if refused is not None:
            return self._reject(order, refused[0], refused[1], now)
        if order.reserved:
            books.cash_of(market.instrument.currency).reserved += order.reserved
        if order.close_leaves:
            market.freeze(order.side, order.close_leaves)
        books.touch_order(order)
        if cl_ord_id is not None:
            self.out.append(OrderAck(books.broker, cl_ord_id, order.order_id, now))
        self._wait(order, frozen=True)
        if order.live_at <= now:
            self._arrive(now)
        return order

    def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, now: UtcNs) -> None:
        """Ask for a cancel; it takes effect after the latency, and fills may come first."""
        self._advance(now)
        order = self._named(cl_ord_id, order_id)
        if order is None or not order.is_working:
            code = Code.UNKNOWN_ORDER if order is None else Code.TOO_LATE_TO_CANCEL
            text = MEANING[code] if order is None else f"{MEANING[code]}: {order.ord_status.value}"
            self.out.append(CancelReject(self.books.broker, cl_ord_id, code.value, text, now))
            return
        if order.cancel_at is None:
            order.cancel_at = UtcNs(max(now + self._latency, order.live_at))
            self.books.touch_order(order)
            self._cancels.append(order)
        self._advance(now)

    def replace(self, cl_ord_id: ClOrdID, order_id: OrderID | None, number: int, qty: Qty, px: Px | None, now: UtcNs) -> None:
        """Ask for other terms; they take effect after the latency, and fills may come first."""
        self._advance(now)
        order = self._named(cl_ord_id, order_id)
        due = UtcNs(now + self._latency if order is None else max(now + self._latency, order.live_at))
        self.changes.ask(order, cl_ord_id, PaperChange(number, qty, px, due), now)
        self._advance(now)

    def _named(self, cl_ord_id: ClOrdID, order_id: OrderID | None) -> PaperOrder | None:
        order = self.books.known(cl_ord_id)
        return self.books.orders.get(order_id) if order is None and order_id is not None else order

    # --- time and quotes

    def next_due(self) -> UtcNs | None:
        """When `advance` has something to do next: an order, a cancel or a change reaches the market."""
        live = self._waiting[0].live_at if self._waiting else None
        # Also of an order that has filled since: whoever asked for the cancel is told that it came too late.
        cancel_at = self._cancels[0].cancel_at if self._cancels else None
        return min((at for at in (live, cancel_at, self.changes.next_due()) if at is not None), default=None)

    def next_day_end(self, now: UtcNs) -> UtcNs | None:
        """When `advance` may have a day to end; a little later than `now` where the feed has yet to bring the day's last
        quotes."""
        ends = [
            at for day in self.books.days.values()
            if (at := day.ends_at) is not None and self._expired.get(day.session) != day.trading_day
        ]  # fmt: skip
        if not ends:
            return None
        first = min(ends)
        return first if first > now else UtcNs(now + CLOSING_PRINT_WITHIN_NS)

    def advance(self, now: UtcNs) -> None:
        """Let time pass: orders and cancels whose time has come take effect, days that are over end."""
        self._advance(now)

    def on_quote(self, quote: Quote, now: UtcNs) -> None:
        """Take a new quote and fill what it allows. One older than the standing quote is ignored."""
        market = self._markets.get(quote.symbol)
        if market is None:
            self._unlisted[quote.symbol] = quote
            return
        standing = market.quote
        if standing is not None and quote.at < standing.at:
            return
        quote = without_nobody(quote, market.instrument)
        self._advance(UtcNs(min(now, quote.at)))
        if quote == standing:  # delivered twice: a bar's volume is not there twice
            self._advance(now)
            return
        day = self.books.day_of(market.instrument)
        anew = standing is None or standing.suspended or day is None or not day.is_one_window(standing.at, quote.at)
        market.stand(quote, self._assumed_size, anew=anew)
        self._let_in(now)
        if (market.buys or market.sells) and not quote.suspended:
            day = self.books.day_of(market.instrument)
            if day is not None and day.is_open(quote.at, closing_print=True):
                self._match(market, None if anew else standing, quote, now)
        self._end_days(now)

    def _tell(self, report: Report) -> None:
        self.out.append(report)

    def _advance(self, now: UtcNs) -> None:
        self._let_in(now)
        self._end_days(now)

    def _let_in(self, now: UtcNs) -> None:
        """Orders and cancels whose time has come reach the market, in the order of their times."""
        now = self._seen = max(self._seen, now)
        if self._uses_utc_day and (self._utc_until is None or now >= self._utc_until):
            self._begin_utc_day(now)
        while True:
            live = self._waiting[0].live_at if self._waiting else None
            cancel_at = self._cancels[0].cancel_at if self._cancels else None
            change_at = self.changes.next_due()
            first = min((at for at in (live, cancel_at, change_at) if at is not None), default=None)
            if live is not None and live <= now and live == first:
                self._arrive(now)
            elif change_at is not None and change_at <= now and change_at == first:
                self.changes.carry_out(now)
            elif cancel_at is not None and cancel_at <= now:
                order = self._cancels.popleft()
                order.cancel_at = None  # answered: an order that a bust lets work again can be cancelled again
                self.books.touch_order(order)
                if order.is_working:
                    self.close(order, OrdStatus.CANCELED, "canceled on request", now)
                elif order.cl_ord_id is not None and order.ord_status is not OrdStatus.CANCELED:
                    code = Code.TOO_LATE_TO_CANCEL
                    text = f"{MEANING[code]}: {order.ord_status.value}"
                    self.out.append(CancelReject(self.books.broker, order.cl_ord_id, code.value, text, now))
            else:
                break

    def _end_days(self, now: UtcNs) -> None:
        """DAY orders end with their day, after the last print has had its chance to fill them.

        The clock alone does not say so: on a fast replay it passes the bell while the bars of the close are still being
        handed over, and what filled would then depend on the speed. So the day lasts until the feed has come as far.
        """
        for day in self.books.days.values():
            if day.is_over(now) and self._expired.get(day.session) != day.trading_day:
                owed = self._undelivered_at()
                if owed is not None and not day.is_over(owed):
                    continue
                self._expired[day.session] = day.trading_day
                self._expire(day.session, now)

    def _begin_utc_day(self, now: UtcNs) -> None:
        day = self.books.utc_day(now)
        self._utc_until = day.windows[0][1]
        before = self.books.days.get("")
        if before is None or before.trading_day < day.trading_day:
            self._expire("", now)
            self.books.roll(day)
            self.books.forget_older()

    def _expire(self, session: str, now: UtcNs) -> None:
        for order in self.books.working():
            if order.tif is not TimeInForce.GTC and self._markets[order.symbol].instrument.session == session:
                self.close(order, OrdStatus.EXPIRED, f"trading day {order.trading_day} ended", now)

    # --- orders in and out of the market

    def _wait(self, order: PaperOrder, *, frozen: bool = False) -> None:
        if not frozen and order.close_leaves:
            self._markets[order.symbol].freeze(order.side, order.close_leaves)
        self._waiting.append(order)

    def _arrive(self, now: UtcNs) -> None:
        while self._waiting and self._waiting[0].live_at <= now:
            order = self._waiting.popleft()
            if order.is_working:
                self.enter(order, now)

    def enter(self, order: PaperOrder, now: UtcNs) -> None:
        """Meet the standing quote, and rest behind the others with what is left."""
        market = self._markets[order.symbol]
        quote = market.quote
        if (
            quote is not None
            and (quote.bid is not None or quote.ask is not None)
            and not quote.suspended
            and self._is_open(market, quote.at, now)
        ):
            self._meet(market, order, None, quote, now)
        if order.leaves_qty:
            market.rest(order)

    def _is_open(self, market: Market, quoted: UtcNs, now: UtcNs) -> bool:
        """Whether the market is open, and has been without a break since the standing quote."""
        day = self.books.day_of(market.instrument)
        return day is not None and day.is_open(now) and day.is_one_window(UtcNs(min(quoted, now)), now)

    def _match(self, market: Market, before: Quote | None, quote: Quote, now: UtcNs) -> None:
        """Offer the quote to what rests; `before` is the one that stood until now, None where a break lies between."""
        if quote.bid is None and quote.ask is None:
            if quote.last is not None and quote.volume:
                self._match_bar(market, before, quote, quote.last, now)
            return
        buys, sells = market.may_buy(quote), market.may_sell(quote)
        if buys:
            for order in market.in_priority(Side.BUY):
                if not market.ask_left and not market.immediate:
                    break
                self._meet(market, order, before, quote, now)
        if sells:
            for order in market.in_priority(Side.SELL):
                if not market.bid_left and not market.immediate:
                    break
                self._meet(market, order, before, quote, now)
        if buys or sells:
            market.bound()

    def _meet(self, market: Market, order: PaperOrder, before: Quote | None, quote: Quote, now: UtcNs) -> None:
        """Offer the standing quote to one order, which may have rested while `before` stood."""
        if order.side is Side.BUY:
            px, left = quote.ask, market.ask_left
            crosses = px is not None and (order.price is None or px <= order.price)
        else:
            px, left = quote.bid, market.bid_left
            crosses = px is not None and (order.price is None or px >= order.price)
        if px is not None and left and crosses:
            taken = self._take(market, order, left, price_of(order, before, quote, px, market.band()), now)
            if order.side is Side.BUY:
                market.ask_left -= taken
            else:
                market.bid_left -= taken
        self.end_immediate(order, now)

    def _match_bar(self, market: Market, before: Quote | None, quote: Quote, last: Px, now: UtcNs) -> None:
        """Fill what was live before the bar ended, each side up to its share of the bar's volume: at the bar's last price, or
        at the limit of an order that rested until the price came to it.
        """
        self.books.touch_bar(quote.symbol, quote.at)
        volume = (quote.volume or ZERO) * self._participation
        band = market.band()
        for side, at_limit in (
            (Side.SELL, band is not None and last <= band[0]),
            (Side.BUY, band is not None and last >= band[1]),
        ):
            left = ZERO if at_limit else volume
            for order in market.in_priority(side):
                if order.live_at >= quote.at:
                    continue
                crosses = order.price is None or (last <= order.price if order.side is Side.BUY else last >= order.price)
                if left and crosses:
                    left -= self._take(market, order, left, price_of(order, before, quote, last, band), now)
                self.end_immediate(order, now)

    def end_immediate(self, order: PaperOrder, now: UtcNs) -> None:
        """Cancel what an order that trades at once or not at all has left."""
        if order.tif in IMMEDIATE and order.is_working:
            self.close(order, OrdStatus.CANCELED, f"{order.tif.value}: the rest was not filled at once", now)

    def _take(self, market: Market, order: PaperOrder, left: Decimal, px: Px, now: UtcNs) -> Decimal:
        """Fill the order from `left` at `px`; returns what was taken."""
        leaves = order.leaves_qty
        qty = leaves
        if left < leaves:
            qty = step_down(left, market.instrument.lot)
            if not qty or order.tif is TimeInForce.FOK:
                return ZERO
        payable = payable_of(order, market.instrument, self.books.cash_of(market.instrument.currency), qty, px)
        if payable < qty and order.tif is TimeInForce.FOK:
            payable = ZERO
        if payable:
            self.fill(order, payable, px, now)
        if payable < qty and order.is_working:
            self.close(order, OrdStatus.CANCELED, f"{Code.INSUFFICIENT_CASH.value}: the market ran away", now)
        return payable

    def fill(self, order: PaperOrder, qty: Decimal, px: Px, now: UtcNs) -> Execution:
        """Book one execution of the order and report it."""
        books = self.books
        market = self._markets[order.symbol]
        instrument = market.instrument
        cash = books.cash_of(instrument.currency)
        position = books.position(order.symbol)
        day = books.day_of(instrument)
        trading_day = order.trading_day if day is None else day.trading_day
        books.open_position(order.symbol, trading_day)
        from_today = book(position, cash, instrument, order.side, order.position_effect, qty, px)
        fee = charge(order, instrument, qty, px, from_today)
        cash.balance -= fee
        closing = min(qty, order.close_leaves)
        order.close_leaves -= closing
        market.freeze(order.side, -closing)
        order.cum_qty += qty
        order.ord_status = OrdStatus.FILLED if order.cum_qty >= order.order_qty else OrdStatus.PARTIALLY_FILLED
        execution = Execution(
            books.broker, books.account, trading_day,
            books.next_exec_id(), order.symbol, order.side, Qty(qty), px, order.cl_ord_id, order.order_id,
            order.position_effect, Amount(fee), "REMOVED", now,
        )  # fmt: skip
        books.touch_execution(execution)
        books.touch_position(position)
        self.settle(market, order, cash)
        self.out.append(execution)
        self.holding.follow(market, now)
        return execution

    def close(self, order: PaperOrder, status: OrdStatus, text: str, now: UtcNs) -> None:
        """End the order without a fill and report it."""
        market = self._markets[order.symbol]
        order.ord_status = status
        order.text = text
        self.settle(market, order, self.books.cash_of(market.instrument.currency))
        if order.cl_ord_id is None:
            return
        of_it = self.books.broker, order.cl_ord_id, text, now, Qty(order.cum_qty), order.order_id
        if status is OrdStatus.EXPIRED:
            self.out.append(OrderExpire(*of_it))
        else:
            self.out.append(CancelAck(*of_it))

    def settle(self, market: Market, order: PaperOrder, cash: PaperCash) -> None:
        """After any change of the order: hold what the rest needs, leave the market when closed, and keep both."""
        market.promise_what_is_left(order)
        reserved = needed(order, market.instrument)
        if reserved != order.reserved:
            cash.reserved += reserved - order.reserved
            order.reserved = reserved
        if not order.is_working:
            market.leave(order)
        self.books.touch_order(order)
        self.books.touch_cash(cash)

    def market(self, symbol: Symbol) -> Market | None:
        """The symbol's market, None when it is not listed."""
        return self._markets.get(symbol)

    # --- answers

    def _reject(self, order: PaperOrder, code: Code, text: str, now: UtcNs) -> PaperOrder:
        if not text.startswith(MEANING[code]):
            text = f"{MEANING[code]}: {text}"
        order.ord_status = OrdStatus.REJECTED
        order.code, order.text = code.value, text
        order.close_leaves = order.reserved = ZERO
        if code is not Code.BAD_CL_ORD_ID:
            self.books.touch_order(order)
        if order.cl_ord_id is not None:
            self.out.append(OrderReject(self.books.broker, order.cl_ord_id, code.value, text, now))
        return order
