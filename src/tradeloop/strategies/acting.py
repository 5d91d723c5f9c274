"""What a strategy asks for, done: written down first, given to the engine as everybody's orders are, and answered in the log.

A strategy that is paused may only close what it holds itself. What counts is its own position, fills of its own orders alone,
so that it never closes what another strategy or a person holds.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256

import msgspec

from tradeloop.core.commands import CancelOrder, SubmitOrder, TargetLine
from tradeloop.core.errors import BadInput, TradeloopError
from tradeloop.core.replies import OrderReply, RunReply
from tradeloop.core.types import ZERO, Mode, Side, Symbol, TradingDay, exact
from tradeloop.markets.symbols import canonical
from tradeloop.strategies.answers import WishedOrder, WishedTarget
from tradeloop.strategies.floor import Floor
from tradeloop.strategies.rows import Result, Trigger
from tradeloop.strategies.store import StrategyStore
from tradeloop.targets.context import Context
from tradeloop.targets.order import an_order
from tradeloop.targets.portfolio import Portfolio
from tradeloop.targets.target import Target

WHY_MAX = 200
_NAMES = {"price": "price", "stop_px": "stop_price"}


class Fired(msgspec.Struct, frozen=True):
    """What made a strategy act: the hook, and the symbol and price that it was told, where there was one."""

    hook: str
    symbol: str = ""
    price: Decimal | None = None


class Hands:
    """Acts for one strategy, from one start of it to its end."""

    def __init__(self, floor: Floor, store: StrategyStore, name: str, version: int, is_paused: Callable[[], bool]) -> None:
        self._floor = floor
        self._store = store
        self._name = name
        self._version = version
        self._is_paused = is_paused

    async def note(self, action: str, condition: str, error: str = "") -> None:
        """Write that the strategy began, was paused or stopped, or ended."""
        await self._store.put(self._trigger(action, condition, None, Result.DONE, error))

    async def order(self, wish: WishedOrder, fired: Fired) -> None:
        """Ask for an order, and write what came of it. Raises what ends a desk, and StrategiesNotKept."""
        number = await self._store.put(self._trigger(_action(wish.side), *self._why(wish.why, wish.symbol, fired)))
        try:
            command = self._command(wish, number)
            await self._floor.tradable([command.symbol])
            if self._is_paused() and not await self._only_closes(command):
                raise BadInput("the strategy is paused, and this order would not only close what it holds itself")
            reply = await self._floor.ask(command)
        except BadInput as error:
            await self._store.answer(number, Result.REFUSED, None, str(error))
            return
        except TradeloopError as error:
            await self._store.answer(number, Result.UNKNOWN, None, str(error))
            return
        assert isinstance(reply, OrderReply)
        if reply.denied is not None:
            await self._store.answer(number, Result.DENIED, reply.cl_ord_id, reply.denied.text)
        else:
            await self._store.answer(number, Result.TAKEN, reply.cl_ord_id)

    async def target(self, wish: WishedTarget, fired: Fired) -> None:
        """Ask for a run of a target, and write what came of it: what the target does not name stays as it is."""
        number = await self._store.put(self._trigger("TARGET", *self._why(wish.why, "", fired)))
        try:
            if self._is_paused():
                raise BadInput("the strategy is paused, and a target may open; return orders that close")
            target = self._target(wish, number)
            await self._floor.tradable(target.symbols, quoted=True)
            command = self._floor.run(target, mode=Mode.PAPER, by=self._by, hold=False, execute=True)
            reply = await self._floor.ask(msgspec.structs.replace(command, sell_unlisted=False))
        except BadInput as error:
            await self._store.answer(number, Result.REFUSED, None, str(error))
            return
        except TradeloopError as error:
            await self._store.answer(number, Result.UNKNOWN, None, str(error))
            return
        assert isinstance(reply, RunReply)
        if reply.run_id is None:
            await self._store.answer(number, Result.DENIED, None, "; ".join(reply.failed))
        else:
            await self._store.answer(number, Result.TAKEN, str(reply.run_id))

    async def cancel_entries(self, reason: str) -> int:
        """Have those of its working orders cancelled that would not only close what it holds; how many were asked for."""
        net = await self._net()
        asked = 0
        for order in list(self._floor.state.orders.open.values()):
            if order.strategy_id != self._name or order.cancel_requested_at is not None:
                continue
            held = None if net is None else net.get(order.symbol, ZERO)
            if held is None or _signed(order.side, Decimal(1)) * held < 0:
                continue  # it closes, or nobody knows: a stop that protects is not taken away
            await self._floor.ask(CancelOrder(order.cl_ord_id, self._by, reason))
            asked += 1
        return asked

    @property
    def _by(self) -> str:
        return f"strategy-{self._name}"

    def _why(self, why: str, symbol: str, fired: Fired) -> tuple[str, Decimal | None]:
        """The condition and the price of a trigger."""
        price = fired.price if not symbol or fired.symbol in ("", symbol) else None
        if price is None and symbol:
            try:
                quote = self._floor.quote(canonical(symbol))
            except BadInput:
                quote = None
            price = None if quote is None else quote.mid_or_last
        return _one_line(why) or fired.hook, price

    def _trigger(
        self, action: str, condition: str, price: Decimal | None, result: Result = Result.PENDING, error: str = ""
    ) -> Trigger:
        at = self._floor.now()
        return Trigger(
            strategy_name=self._name,
            config_version=self._version,
            trigger_time=at,
            trigger_condition=_one_line(condition),
            trigger_price=None if price is None else f"{price:f}",
            action_type=action,
            execution_result=result.value,
            error_message=error,
            create_time=at,
        )

    def _command(self, wish: WishedOrder, number: int) -> SubmitOrder:
        return an_order(
            account=self._floor.account,
            by=self._by,
            symbol=wish.symbol,
            side=wish.side,
            qty=wish.quantity,
            ord_type=wish.type,
            price=wish.price,
            stop_px=wish.stop_price,
            tif=wish.time_in_force,
            position_effect=wish.position_effect,
            strategy_id=self._name,
            request_id=f"{self._by}/{self._floor.now()}-{number}",
            reason=_one_line(wish.why),
            called=_NAMES,
        )

    def _target(self, wish: WishedTarget, number: int) -> Target:
        if not wish.weights:
            raise BadInput("the target names no symbol; expected at least one")
        rows = enumerate(wish.weights.items(), start=1)
        lines = tuple(TargetLine(canonical(symbol), exact(weight, "weight"), row) for row, (symbol, weight) in rows)
        digest = sha256(msgspec.json.encode(sorted(wish.weights.items()))).hexdigest()
        context = Context(
            project_id=self._by,
            decision_snapshot_id=f"trigger-{self._floor.now()}-{number}",
            trade_date=self._trade_date(lines[0].symbol),
            active_champion_id=f"{self._name}-{self._version}",
            risk_checks={},
            target_exposure=None,
        )
        return Target(f"target of {self._name}", Portfolio(lines, digest, weights_in_percent=False), context)

    def _trade_date(self, symbol: Symbol) -> TradingDay:
        instrument = self._floor.state.instruments.get(symbol)
        if instrument is None:
            raise BadInput(f"{symbol} is not among the symbols of the strategy; a target names those alone")
        return TradingDay(self._floor.state.hours[instrument.session].trading_day)

    async def _only_closes(self, order: SubmitOrder) -> bool:
        """Whether it takes no more than what the strategy holds, less what its other orders already take.

        What works is counted before the fills: one that comes between counts twice, and too much is refused, not too little.
        """
        working = sum(
            (
                each.order_qty - each.cum_qty
                for each in self._floor.state.orders.open.values()
                if (each.strategy_id, each.symbol, each.side) == (self._name, order.symbol, order.side)
            ),
            ZERO,
        )
        net = await self._net(order.symbol)
        held = ZERO if net is None else net.get(order.symbol, ZERO)
        return _signed(order.side, Decimal(1)) * held < 0 and order.order_qty + working <= abs(held)

    async def _net(self, symbol: Symbol | None = None) -> dict[Symbol, Decimal] | None:
        """What the strategy holds by the fills of its own orders; None where the read models do not show all of them."""
        await self._floor.settled()
        if not await self._floor.all_shown():
            return None
        found: dict[Symbol, Decimal] = {}
        for trade in await self._floor.queries.trades_of_strategy(self._floor.account, self._name, symbol=symbol):
            signed = trade.volume if trade.direction == "buy" else -trade.volume
            found[Symbol(trade.symbol)] = found.get(Symbol(trade.symbol), ZERO) + signed
        return found


def _signed(side: Side, qty: Decimal) -> Decimal:
    return qty if side is Side.BUY else -qty


def _action(side: str) -> str:
    return side.upper() if side.upper() in ("BUY", "SELL") else "ORDER"


def _one_line(text: str) -> str:
    """Words of a strategy as the log and the journal take them."""
    return "".join(each if each.isprintable() else " " for each in text).strip()[:WHY_MAX]
