"""Positions and money as the fold keeps them: exact, all in memory, and written as rows that round what people read.

The arithmetic is the core's own (core/position.py, core/cash.py); tests/views/test_books.py holds the two folds equal. One
row of `accounts` and each pair of rows of `positions` carries the exact state as JSON in `book`, which is what a restart
goes on from.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.cash import CashBook, flow_of, margin_of
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.position import Position, Rebooked, adjust, adopt, become, book, is_past, roll, with_more
from tradeloop.core.types import ZERO, AccountID, Amount, PositionEffect, Qty, Side, UtcNs
from tradeloop.views.columns import fit, plain, shown
from tradeloop.views.rows import AccountRow, CurveRow, InstrumentRow, PositionRow
from tradeloop.views.rowset import RowSet


class Holding(msgspec.Struct):
    """What one account holds of one symbol, and what the journal last said about its price."""

    account: str
    broker: str
    symbol: str
    pos: Position
    long_realized: Decimal | None = ZERO
    short_realized: Decimal | None = ZERO
    long_opened: int | None = None
    short_opened: int | None = None
    px: Decimal | None = None
    px_at: int | None = None
    unrealized: Decimal | None = ZERO
    """What this holding put into its purse's sum; None while it has no price, or what it cost is not known."""
    worth: Decimal | None = ZERO
    """What it adds to the cash: its market value, or its profit where it is margined as a future; None where not known."""
    has_short: bool = False
    updated_at: UtcNs = UtcNs(0)
    updated_seq: int = 0


class Purse(msgspec.Struct):
    """Money of one account in one currency, and sums over its holdings."""

    account: str
    broker: str
    currency: str
    cash: CashBook
    realized: Decimal | None = ZERO
    fees: Decimal = ZERO
    unrealized: Decimal = ZERO
    unpriced: int = 0
    worth: Decimal = ZERO
    unknown_worths: int = 0
    updated_at: UtcNs = UtcNs(0)
    updated_seq: int = 0


class Books:
    """All holdings and purses, and the instruments they go by. `at` and `seq` of a change are its event's."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.days: dict[str, str] = {}
        self.holdings: dict[str, dict[str, Holding]] = {}
        self.purses: dict[tuple[str, str], Purse] = {}
        self._touched: dict[tuple[str, str], Holding] = {}
        self._spent: dict[tuple[str, str], Purse] = {}
        self._moved: dict[tuple[str, str], None] = {}
        self._equity: dict[tuple[str, str], Decimal] = {}

    def admit(
        self,
        instruments: list[InstrumentRow],
        days: dict[str, str],
        positions: list[PositionRow],
        accounts: list[AccountRow],
    ) -> None:
        """Go on from stored rows."""
        for listed in instruments:
            instrument = msgspec.json.decode(listed.listing, type=Instrument)
            self.instruments[instrument.symbol] = instrument
        self.days = days
        for row in positions:
            holding = msgspec.json.decode(row.book, type=Holding)
            self.holdings.setdefault(holding.symbol, {})[holding.account] = holding
        for stored in accounts:
            purse = msgspec.json.decode(stored.book, type=Purse)
            self.purses[purse.account, purse.currency] = purse

    # --- what events do

    def learn(self, instrument: Instrument, moved: tuple[tuple[AccountID, Amount], ...], at: UtcNs, seq: int) -> None:
        """An instrument is known now, or known anew; its holdings are margined and shown by its rules from here on. `moved` is
        what accounts have reserved in it, in the currency it had until now.
        """
        before = self.instruments.get(instrument.symbol)
        for account, reserve in moved:
            self.promise(account, "", instrument.symbol, -reserve, at, seq)
        self.instruments[instrument.symbol] = instrument
        for account, reserve in moved:
            self.promise(account, "", instrument.symbol, reserve, at, seq)
        for holding in self.holdings.get(instrument.symbol, {}).values():
            if before is not None:
                self._margin(holding, margin_of(holding.pos, before), holding.updated_at, seq)
            self._touch(holding, holding.updated_at, seq)

    def open_day(self, session: str, day: str, at: UtcNs, seq: int) -> None:
        """A new trading day of a session: today's holdings are yesterday's. The same day again changes nothing, nor
        does the first one known: what is held by then is what the broker showed.
        """
        before = self.days.get(session)
        self.days[session] = day
        if before is None or before == day:
            return
        for symbol, by_account in self.holdings.items():
            instrument = self.instruments.get(symbol)
            if instrument is None or instrument.session != session:
                continue
            for holding in by_account.values():
                roll(holding.pos)
                self._touch(holding, at, seq)

    def adopt_cash(self, account: str, broker: str, balances: dict[str, Amount], at: UtcNs, seq: int) -> None:
        """The broker's money became ours."""
        for purse in self.purses.values():
            if purse.account == account:
                purse.cash = CashBook()
                self._spend(purse, at, seq)
        for currency, balance in balances.items():
            purse = self.purse(account, broker, currency)
            purse.cash.balance = balance
            self._move(purse, at, seq)

    def adopt_position(
        self,
        account: str,
        broker: str,
        symbol: str,
        held: tuple[Qty, Qty, Qty | None, Amount | None],
        at: UtcNs,
        seq: int,
    ) -> None:
        """The broker's position became ours: long, short, what of the long may be sold today, and what it cost."""
        holding = self.holding(account, broker, symbol)
        pos = holding.pos
        adopt(pos, *held)
        margin, purse = margin_of(pos, self.instruments.get(symbol)), self._purse_of(account, broker, symbol)
        if margin and purse is not None:
            purse.cash.margin = Amount(purse.cash.margin + margin)
            self._spend(purse, at, seq)
        self._touch(holding, at, seq)

    def promise(self, account: str, broker: str, symbol: str, amount: Decimal, at: UtcNs, seq: int) -> None:
        """Reserve `amount` for an order; a negative one releases."""
        purse = self._purse_of(account, broker, symbol)
        if amount and purse is not None:
            purse.cash.reserved = Amount(purse.cash.reserved + amount)
            self._spend(purse, at, seq)

    def freeze(self, account: str, broker: str, symbol: str, side: Side, quantity: Decimal, at: UtcNs, seq: int) -> None:
        """Promise `quantity` of a holding to an order that will close it; a negative one releases."""
        holding = self.holding(account, broker, symbol)
        if side is Side.SELL:
            holding.pos.long_frozen = Qty(holding.pos.long_frozen + quantity)
        else:
            holding.pos.short_frozen = Qty(holding.pos.short_frozen + quantity)
        self._touch(holding, at, seq)

    def trade(
        self,
        account: str,
        broker: str,
        symbol: str,
        side: Side,
        qty: Decimal,
        px: Decimal,
        fee: Decimal,
        effect: PositionEffect,
        trading_day: str,
        at: UtcNs,
        seq: int,
        *,
        back: bool = False,
    ) -> None:
        """Book one fill; `back` books the reversal of one, whose fee returns."""
        instrument = self.instruments.get(symbol)
        holding = self.holding(account, broker, symbol)
        pos = holding.pos
        multiplier = Decimal(1) if instrument is None else instrument.multiplier
        value = px * qty if multiplier == 1 else px * qty * multiplier
        cost = -fee if back else fee
        margin = margin_of(pos, instrument)
        past = instrument is not None and is_past(trading_day, self.days.get(instrument.session))
        realized = book(pos, side, qty, value, effect, of_today=back, past=past)
        pos.fees = Amount(pos.fees + cost)
        pos.updated_at = at
        if side is Side.SELL:
            holding.long_realized = with_more(holding.long_realized, realized)
        else:
            holding.short_realized = with_more(holding.short_realized, realized)
        if not back:
            self._see_price(holding, px, at)
        purse = self._purse_of(account, broker, symbol)
        if instrument is not None and purse is not None:
            flow = flow_of(instrument, side, value, realized) - cost
            purse.cash.balance = Amount(purse.cash.balance + flow)
            purse.cash.updated_at = at
            purse.cash.margin = Amount(purse.cash.margin + margin_of(pos, instrument) - margin)
            purse.realized = with_more(purse.realized, realized)
            purse.fees += cost
            self._move(purse, at, seq)
        self._touch(holding, at, seq)

    def become(
        self,
        account: str,
        broker: str,
        symbol: str,
        side: Side,
        to: Rebooked,
        value: Decimal,
        fee: Decimal,
        at: UtcNs,
        seq: int,
    ) -> None:
        """Let a holding be what a bust, a correction or a late fill made of it; the fill is worth `value` (price x quantity)
        more than before, and cost `fee` more.
        """
        instrument = self.instruments.get(symbol)
        holding = self.holding(account, broker, symbol)
        pos = holding.pos
        margin = margin_of(pos, instrument)
        realized = become(pos, to)
        holding.long_realized = with_more(holding.long_realized, to.long_realized)
        holding.short_realized = with_more(holding.short_realized, to.short_realized)
        pos.fees = Amount(pos.fees + fee)
        pos.updated_at = at
        purse = self._purse_of(account, broker, symbol)
        if instrument is not None and purse is not None:
            flow = flow_of(instrument, side, value * instrument.multiplier, realized) - fee
            purse.cash.balance = Amount(purse.cash.balance + flow)
            purse.cash.updated_at = at
            purse.cash.margin = Amount(purse.cash.margin + margin_of(pos, instrument) - margin)
            purse.realized = with_more(purse.realized, realized)
            purse.fees += fee
            self._move(purse, at, seq)
        self._touch(holding, at, seq)

    def charge(self, account: str, broker: str, symbol: str, more: Decimal, at: UtcNs, seq: int) -> None:
        """A fill has cost so much more."""
        holding = self.holding(account, broker, symbol)
        holding.pos.fees = Amount(holding.pos.fees + more)
        holding.pos.updated_at = at
        purse = self._purse_of(account, broker, symbol)
        if purse is not None:
            purse.cash.balance = Amount(purse.cash.balance - more)
            purse.cash.updated_at = at
            purse.fees += more
            self._move(purse, at, seq)
        self._touch(holding, at, seq)

    def adjust(self, account: str, kind: str, subject: str, delta: Decimal, at: UtcNs, seq: int) -> None:
        """Take the broker's figure, as a person accepted it; `kind` cash, short, or a long position."""
        if kind == "cash":
            purse = self.purse(account, "", subject)
            purse.cash.balance = Amount(purse.cash.balance + delta)
            self._move(purse, at, seq)
            return
        holding = self.holding(account, "", subject)
        pos = holding.pos
        margin = margin_of(pos, self.instruments.get(subject))
        adjust(pos, short=kind == "short", delta=delta)
        purse_of = self._purse_of(account, "", subject)
        if margin and purse_of is not None:
            purse_of.cash.margin = Amount(purse_of.cash.margin + margin_of(pos, self.instruments.get(subject)) - margin)
            self._spend(purse_of, at, seq)
        self._touch(holding, at, seq)

    def see_price(self, symbol: str, px: Decimal, px_at: int, at: UtcNs, seq: int) -> None:
        """The journal holds a price of a symbol; an older one than is known changes nothing."""
        for holding in self.holdings.get(symbol, {}).values():
            if self._see_price(holding, px, px_at):
                self._touch(holding, at, seq)

    def value(self, account: str, broker: str, currency: str, equity: Decimal, at: UtcNs, seq: int) -> None:
        """A run valued the account."""
        purse = self.purse(account, broker, currency)
        self._move(purse, at, seq)
        self._equity[account, currency] = equity

    # --- what they leave behind

    def close_batch(self, batch: int, rows: RowSet) -> None:
        """Put every change since the last call into rows, and one point on the curve of each purse whose money moved."""
        for holding in self._touched.values():
            for row in self._position_rows(holding):
                rows.positions.put(row)
        for purse in self._spent.values():
            rows.accounts.put(_account_row(purse))
        for key in self._moved:
            rows.curve.put(_curve_row(self.purses[key], batch, self._equity.get(key)))
        self._touched, self._spent, self._moved, self._equity = {}, {}, {}, {}

    def holding(self, account: str, broker: str, symbol: str) -> Holding:
        """The holding, made flat where there is none yet."""
        by_account = self.holdings.setdefault(symbol, {})
        holding = by_account.get(account)
        if holding is None:
            holding = by_account[account] = Holding(account, broker, symbol, Position())
        holding.broker = broker or holding.broker
        return holding

    def purse(self, account: str, broker: str, currency: str) -> Purse:
        """The purse, made empty where there is none yet."""
        purse = self.purses.get((account, currency))
        if purse is None:
            purse = self.purses[account, currency] = Purse(account, broker, currency, CashBook())
        purse.broker = broker or purse.broker
        return purse

    # --- inside

    def _purse_of(self, account: str, broker: str, symbol: str) -> Purse | None:
        instrument = self.instruments.get(symbol)
        return None if instrument is None else self.purse(account, broker, instrument.currency)

    def _margin(self, holding: Holding, before: Decimal, at: UtcNs, seq: int) -> None:
        """Hold what the position is margined with now, where it was margined with `before`."""
        change = margin_of(holding.pos, self.instruments.get(holding.symbol)) - before
        purse = self._purse_of(holding.account, holding.broker, holding.symbol)
        if change and purse is not None:
            purse.cash.margin = Amount(purse.cash.margin + change)
            self._spend(purse, at, seq)

    def _see_price(self, holding: Holding, px: Decimal, px_at: int) -> bool:
        if holding.px_at is not None and px_at < holding.px_at:
            return False
        holding.px, holding.px_at = px, px_at
        return True

    def _touch(self, holding: Holding, at: UtcNs, seq: int) -> None:
        """Note a change, and carry the holding's new value into its purse."""
        pos = holding.pos
        holding.updated_at, holding.updated_seq = at, seq
        holding.long_opened = (holding.long_opened or at) if pos.long_qty else None
        holding.short_opened = (holding.short_opened or at) if pos.short_qty else None
        holding.has_short = holding.has_short or bool(pos.short_qty) or bool(pos.short_frozen)
        self._touched[holding.symbol, holding.account] = holding
        instrument = self.instruments.get(holding.symbol)
        if instrument is None:
            return
        now: Decimal | None = ZERO
        if not pos.is_flat:
            now = None if holding.px is None else shown(pos.unrealized(holding.px, instrument.multiplier))
        worth = self._worth(holding, instrument)
        if now == holding.unrealized and worth == holding.worth:
            return
        purse = self.purse(holding.account, holding.broker, instrument.currency)
        purse.unknown_worths += (worth is None) - (holding.worth is None)
        purse.worth += (worth or ZERO) - (holding.worth or ZERO)
        holding.worth = worth
        purse.unpriced += (now is None) - (holding.unrealized is None)
        purse.unrealized += (now or ZERO) - (holding.unrealized or ZERO)
        holding.unrealized = now
        self._spend(purse, at, seq)

    def _worth(self, holding: Holding, instrument: Instrument) -> Decimal | None:
        if holding.px is None or holding.pos.is_flat:
            return ZERO if holding.pos.is_flat else None
        is_future, value = instrument.asset_class is AssetClass.FUTURE, holding.px * instrument.multiplier * holding.pos.net_qty
        return shown(holding.pos.unrealized(holding.px, instrument.multiplier) if is_future else value)

    def _spend(self, purse: Purse, at: UtcNs, seq: int) -> None:
        purse.updated_at, purse.updated_seq = at, seq
        self._spent[purse.account, purse.currency] = purse

    def _move(self, purse: Purse, at: UtcNs, seq: int) -> None:
        self._spend(purse, at, seq)
        self._moved[purse.account, purse.currency] = None

    def _position_rows(self, holding: Holding) -> list[PositionRow]:
        instrument = self.instruments.get(holding.symbol)
        pos, stored = holding.pos, _json(holding)
        long = (pos.long_qty, pos.long_today, pos.long_frozen, pos.long_cost)
        short = (pos.short_qty, pos.short_today, pos.short_frozen, pos.short_cost)
        rows = [_position_row(holding, instrument, "long", long, holding.long_realized, holding.long_opened, stored)]
        if holding.has_short:
            rows.append(
                _position_row(holding, instrument, "short", short, holding.short_realized, holding.short_opened, stored)
            )
        return rows


_JSON: Final = msgspec.json.Encoder()


def _json(value: Holding | Purse) -> str:
    """The exact state, with one text per number: 2.50 and 2.5 are one, whichever way a fold came to them."""
    return _JSON.encode(_canonical(msgspec.to_builtins(value, builtin_types=(Decimal,)))).decode()


def _canonical(value: object) -> object:
    match value:
        case Decimal():
            return plain(value)
        case dict():
            return {key: _canonical(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_canonical(inner) for inner in value]
        case _:
            return value


def _position_row(
    holding: Holding,
    instrument: Instrument | None,
    direction: str,
    leg: tuple[Decimal, Decimal, Decimal, Decimal | None],
    realized: Decimal | None,
    opened: int | None,
    stored: str,
) -> PositionRow:
    qty, today, frozen, cost = leg
    multiplier = Decimal(1) if instrument is None else instrument.multiplier
    sign = 1 if direction == "long" else -1
    unrealized = None if holding.px is None or cost is None else shown(sign * (holding.px * multiplier * qty - cost))
    return PositionRow(
        id=f"{holding.account}|{holding.symbol}|{direction}",
        account_id=holding.account,
        broker=holding.broker,
        symbol=holding.symbol,
        direction=direction,
        currency="" if instrument is None else instrument.currency,
        multiplier=multiplier,
        volume=fit(qty),
        today_volume=fit(today),
        yesterday_volume=fit(qty - today),
        frozen_volume=fit(frozen),
        avg_price=shown(cost / (qty * multiplier)) if qty and multiplier and cost is not None else None,
        cost=shown(cost),
        current_price=holding.px,
        price_at=holding.px_at,
        unrealized_pnl=unrealized if qty else ZERO,
        realized_pnl=shown(realized),
        margin=shown(_margin_of_leg(instrument, direction, cost)),
        open_time=opened,
        update_time=holding.updated_at,
        updated_seq=holding.updated_seq,
        book=stored,
    )


def _margin_of_leg(instrument: Instrument | None, direction: str, cost: Decimal | None) -> Decimal | None:
    """What a leg holds of the cash; None for what is paid for in full, and where what it cost is not known."""
    if cost is None or instrument is None or (instrument.asset_class is AssetClass.FUTURE and instrument.margin_rate is None):
        return None
    if instrument.asset_class is not AssetClass.FUTURE and direction == "long":
        return None
    leg = Position(long_cost=Amount(cost)) if direction == "long" else Position(short_cost=Amount(cost))
    return margin_of(leg, instrument)


def _account_row(purse: Purse) -> AccountRow:
    return AccountRow(
        id=f"{purse.account}|{purse.currency}",
        account_id=purse.account,
        broker=purse.broker,
        currency=purse.currency,
        balance=shown(purse.cash.balance),
        available=shown(purse.cash.free),
        reserved=shown(purse.cash.reserved),
        margin=shown(purse.cash.margin),
        unrealized_pnl=None if purse.unpriced else shown(purse.unrealized),
        realized_pnl=shown(purse.realized),
        fees=shown(purse.fees),
        update_time=purse.updated_at,
        updated_seq=purse.updated_seq,
        book=_json(purse),
    )


def _curve_row(purse: Purse, batch: int, equity: Decimal | None) -> CurveRow:
    return CurveRow(
        id=f"{purse.account}|{purse.currency}|{batch}",
        account_id=purse.account,
        currency=purse.currency,
        at=purse.updated_at,
        balance=shown(purse.cash.balance),
        available=shown(purse.cash.free),
        realized_pnl=shown(purse.realized),
        equity=shown(equity),
        held_value=None if purse.unknown_worths else shown(purse.worth),
        batch=batch,
        seq=purse.updated_seq,
    )
