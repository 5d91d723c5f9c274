"""Rows of `trade_fills` and `trades`: every execution and what became of it, and the trades that stand.

A bust leaves its fill as TRADE_CANCEL and takes its trade away; a correction changes both. The key of either is (broker,
account, trading day, exec id, side), because exec ids repeat over days and over the sides of a self-trade (D5).
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core import events as ev
from tradeloop.core.promises import effect_of_reversal
from tradeloop.core.types import PositionEffect, Side
from tradeloop.views.columns import fit, shown
from tradeloop.views.fold import Fold
from tradeloop.views.orders import filled, heard_by_fill, recharged, unfilled
from tradeloop.views.rows import FillRow, TradeRow
from tradeloop.views.wanted import fill_id


def traded(fold: Fold, e: ev.Traded) -> None:
    """A fill is booked: order, position, money, and a row of each table."""
    effect = e.position_effect
    filled(fold, e, effect)
    if e.rebooked is None:
        fold.books.trade(
            e.account, e.broker, e.symbol, e.side, e.last_qty, e.last_px, e.fee, effect, e.trading_day, e.at, fold.seq
        )
    else:
        value = e.last_px * e.last_qty
        fold.books.become(e.account, e.broker, e.symbol, e.side, e.rebooked, value, e.fee, e.at, fold.seq)
    fill = fold.rows.fills.put(
        FillRow(
            id=fill_id(e),
            trade_order_id=e.cl_ord_id,
            trade_run_id=e.run_id,
            broker=e.broker,
            account_id=e.account,
            trading_day=e.trading_day,
            exec_id=e.exec_id,
            side=e.side.value,
            symbol=e.symbol,
            position_effect=e.position_effect.value,
            fill_qty=fit(e.last_qty),
            fill_price=fit(e.last_px),
            fill_time=e.at if e.transact_at is None else e.transact_at,
            commission=fit(e.fee),
            commission_by_broker=e.fee_by_broker,
            liquidity=e.liquidity,
            order_id=e.order_id,
            realized_pnl=shown(e.realized),
            booked_at=e.at,
            seq=fold.seq,
            updated_seq=fold.seq,
        )
    )
    fold.rows.trades.put(_trade(fill))


def busted(fold: Fold, e: ev.TradeBusted) -> None:
    """The broker took a fill back."""
    fill = fold.rows.fills.get(fill_id(e))
    if fill is None or fill.exec_type == "TRADE_CANCEL":
        return
    unfilled(fold, e.cl_ord_id, fill.fill_qty, fill.fill_price, fill.commission, e.at)
    if e.rebooked is None:
        _reverse(fold, e, fill)
    else:
        value = -fill.fill_price * fill.fill_qty
        fold.books.become(e.account, e.broker, fill.symbol, e.side, e.rebooked, value, -fill.commission, e.at, fold.seq)
    fill.exec_type, fill.updated_seq = "TRADE_CANCEL", fold.seq
    fold.rows.fills.put(fill)
    fold.rows.trades.drop(fill.id)


def corrected(fold: Fold, e: ev.TradeCorrected) -> None:
    """A fill has other figures: the old ones are taken back, the new ones booked. What it realised has to be computed anew."""
    fill = fold.rows.fills.get(fill_id(e))
    if fill is None:
        return
    counted = fill.exec_type != "TRADE_CANCEL"
    value, fee = e.last_px * e.last_qty, Decimal(e.fee)
    if counted:
        unfilled(fold, e.cl_ord_id, fill.fill_qty, fill.fill_price, fill.commission, e.at)
        value -= fill.fill_price * fill.fill_qty
        fee -= fill.commission
        if e.rebooked is None:
            _reverse(fold, e, fill)
    effect = PositionEffect(fill.position_effect)
    filled(fold, e, effect)
    if e.rebooked is None:
        fold.books.trade(
            e.account, e.broker, fill.symbol, e.side, e.last_qty, e.last_px, e.fee, effect, e.trading_day, e.at, fold.seq
        )
    else:
        fold.books.become(e.account, e.broker, fill.symbol, e.side, e.rebooked, value, fee, e.at, fold.seq)
    fill.exec_type, fill.updated_seq, fill.realized_pnl = "TRADE_CORRECT", fold.seq, None
    fill.fill_qty, fill.fill_price, fill.commission = fit(e.last_qty), fit(e.last_px), fit(e.fee)
    fold.rows.fills.put(fill)
    fold.rows.trades.put(_trade(fill))


def charged(fold: Fold, e: ev.FeeChanged) -> None:
    """Our schedule charges another fee for a fill."""
    fill = fold.rows.fills.get(fill_id(e))
    if fill is None:
        return
    more = e.fee - fill.commission
    recharged(fold, e.cl_ord_id, more, e.at)
    fold.books.charge(e.account, e.broker, fill.symbol, more, e.at, fold.seq)
    fill.commission, fill.updated_seq = fit(e.fee), fold.seq
    fold.rows.fills.put(fill)
    if fill.exec_type != "TRADE_CANCEL":
        fold.rows.trades.put(_trade(fill))


def moved(fold: Fold, e: ev.TradeMoved) -> None:
    """A fill belongs to another order than it was booked on."""
    fill = fold.rows.fills.get(fill_id(e))
    if fill is None:
        return
    if not e.busted:
        unfilled(fold, e.from_cl_ord_id, fill.fill_qty, fill.fill_price, fill.commission, e.at)
    if e.rebooked is not None:
        zero = Decimal(0)
        fold.books.become(e.account, e.broker, fill.symbol, e.side, e.rebooked, zero, zero, e.at, fold.seq)
        fill.realized_pnl = None
    heard_by_fill(fold, e.cl_ord_id, e.at)
    if not e.busted:
        filled(fold, e, e.position_effect)
    fill.trade_order_id, fill.trade_run_id, fill.updated_seq = e.cl_ord_id, e.run_id, fold.seq
    fill.position_effect = e.position_effect.value
    fold.rows.fills.put(fill)
    if not e.busted:
        fold.rows.trades.put(_trade(fill))


def _reverse(fold: Fold, e: ev.TradeBusted | ev.TradeCorrected, fill: FillRow) -> None:
    """The opposite trade; what opened closes, and what closed opens."""
    effect = effect_of_reversal(PositionEffect(fill.position_effect))
    back = Side.SELL if e.side is Side.BUY else Side.BUY
    fold.books.trade(
        e.account,
        e.broker,
        fill.symbol,
        back,
        fill.fill_qty,
        fill.fill_price,
        fill.commission,
        effect,
        e.trading_day,
        e.at,
        fold.seq,
        back=True,
    )


def _trade(fill: FillRow) -> TradeRow:
    return TradeRow(
        id=fill.id,
        trade_id=fill.exec_id,
        order_id=fill.trade_order_id,
        broker=fill.broker,
        account_id=fill.account_id,
        symbol=fill.symbol,
        direction=fill.side.lower(),
        position_effect=PositionEffect(fill.position_effect).value,
        trading_day=fill.trading_day,
        volume=fill.fill_qty,
        price=fill.fill_price,
        commission=fill.commission,
        trade_time=fill.fill_time,
        create_time=fill.booked_at,
        seq=fill.seq,
    )
