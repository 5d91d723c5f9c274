"""A story told in events: each sentence is folded into a real core `State`, so that the read models can be held against it.

`Story` has one method per thing that happens; `random_story` tells a long one from a seed, using only what could happen next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from tradeloop.core import events as ev
from tradeloop.core import replace as replacing
from tradeloop.core.commands import RunLimits, SeenPrice, TargetLine
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.execution import Exec, exec_key
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.rebooking import place_of, rebooked, rebooked_before
from tradeloop.core.replacement import Terms
from tradeloop.core.reports import HeldCash, HeldPosition
from tradeloop.core.state import State
from tradeloop.core.types import (
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    Mode,
    OrderID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Rounding,
    RunID,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch
from tradeloop.views.wanted import break_alert

ACCOUNT = AccountID("acc1")
BROKER = "paper"
AAPL, MAOTAI, GOLD = Symbol("AAPL.US"), Symbol("600519.SH"), Symbol("au2512.SHFE")
D = Decimal


def an_instrument(symbol: Symbol) -> Instrument:
    """One of three: a US share, a T+1 share, a gold future."""
    if symbol == GOLD:
        return Instrument(
            symbol=GOLD,
            asset_class=AssetClass.FUTURE,
            currency=Currency("CNY"),
            tick=D("0.02"),
            lot=D(1),
            min_qty=D(1),
            market="SHFE",
            session="SHFE",
            multiplier=D(1000),
            shortable=True,
            closes_today_apart=True,
            margin_rate=D("0.12"),
        )
    china = symbol == MAOTAI
    return Instrument(
        symbol=symbol,
        asset_class=AssetClass.STOCK,
        currency=Currency("CNY" if china else "USD"),
        tick=D("0.01"),
        lot=D(100 if china else 1),
        min_qty=D(100 if china else 1),
        market="SSE" if china else "US",
        session="SSE" if china else "US",
        settles_t1=china,
    )


class Story:
    """Events in order, the state they make, and the journal rows they would stand in."""

    def __init__(self) -> None:
        self.state = State()
        self.events: list[Event] = []
        self.now = 1_700_000_000_000_000_000
        self.day = TradingDay("2025-01-02")
        self.fills: list[ev.Traded] = []
        self.busted: list[ev.Traded] = []
        self._count = 0

    @classmethod
    def begun(cls) -> Story:
        """A story past its opening: the engine runs, three instruments, one account with money, an open day."""
        story = cls()
        at = ev.TradedAt(BROKER, "acme", live=True)
        story.tell(ev.EngineStarted(story.tick(), 1, "0.1.0", "g1", brokers=(at,)))
        for symbol in (AAPL, MAOTAI, GOLD):
            story.tell(ev.InstrumentListed(story.tick(), an_instrument(symbol)))
        story.adopt({"USD": "100000", "CNY": "5000000"})
        story.open_day("2025-01-02")
        return story

    def tick(self) -> UtcNs:
        """A millisecond later."""
        self.now += 1_000_000
        return UtcNs(self.now)

    def tell(self, *events: Event) -> None:
        """It happened."""
        for event in events:
            evolve(self.state, event)
            self.events.append(event)

    def next_id(self, prefix: str) -> str:
        """An id never used before."""
        self._count += 1
        return f"{prefix}{self._count:06d}"

    def adopt(self, cash: dict[str, str], positions: Sequence[HeldPosition] = ()) -> None:
        """The broker's books became ours."""
        held = tuple(HeldCash(ACCOUNT, Currency(c), Amount(D(b))) for c, b in cash.items())
        self.tell(ev.AccountAdopted(self.tick(), BROKER, ACCOUNT, held, tuple(positions)))

    def open_day(self, day: str, sessions: Sequence[str] = ("US", "SSE", "SHFE")) -> None:
        """A trading day began."""
        self.day = TradingDay(day)
        for session in sessions:
            window = (UtcNs(self.now), UtcNs(self.now + 3_600_000_000_000))
            self.tell(ev.TradingDayOpened(self.tick(), session, self.day, (window,)))

    def stage(
        self,
        symbol: Symbol = AAPL,
        side: Side = Side.BUY,
        qty: str = "100",
        *,
        price: str | None = None,
        reserve: str = "0",
        effect: PositionEffect = PositionEffect.AUTO,
        run_id: RunID | None = None,
        leg: int = 0,
        by: str = "ann",
        approved_by: str = "",
        strategy_id: str = "",
    ) -> ClOrdID:
        """An order passed risk and is durable."""
        cl_ord_id = ClOrdID(self.next_id("g100001"))
        self.tell(
            ev.OrderStaged(
                at=self.tick(),
                cl_ord_id=cl_ord_id,
                broker=BROKER,
                account=ACCOUNT,
                symbol=symbol,
                side=side,
                order_qty=Qty(D(qty)),
                ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
                price=None if price is None else Px(D(price)),
                stop_px=None,
                tif=TimeInForce.DAY,
                position_effect=effect,
                trading_day=self.day,
                by=by,
                strategy_id=strategy_id,
                risk_version="r1",
                reserve=Amount(D(reserve)),
                run_id=run_id,
                leg=leg,
                approved_by=approved_by,
            )
        )
        return cl_ord_id

    def working(
        self,
        symbol: Symbol = AAPL,
        side: Side = Side.BUY,
        qty: str = "100",
        *,
        reserve: str = "0",
        effect: PositionEffect = PositionEffect.AUTO,
    ) -> ClOrdID:
        """An order staged, sent and acknowledged."""
        cl_ord_id = self.stage(symbol, side, qty, reserve=reserve, effect=effect)
        self.tell(ev.SendBegun(self.tick(), cl_ord_id))
        self.tell(ev.OrderAcknowledged(self.tick(), cl_ord_id, OrderID(f"b{cl_ord_id}")))
        return cl_ord_id

    def fill(
        self,
        cl_ord_id: ClOrdID,
        qty: str,
        px: str,
        fee: str = "1",
        exec_id: str | None = None,
        *,
        ago_ms: int | None = None,
        effect: PositionEffect | None = None,
    ) -> ev.Traded:
        """The broker reports an execution; `ago_ms`: how long ago it says that it happened, None where it does not say.
        `effect`: where the fill of a stranger says another than its order.
        """
        order = self.order(cl_ord_id)
        event = ev.Traded(
            at=self.tick(),
            cl_ord_id=cl_ord_id,
            broker=BROKER,
            account=ACCOUNT,
            trading_day=self.day,
            exec_id=ExecID(self.next_id("e") if exec_id is None else exec_id),
            symbol=order.symbol,
            side=order.side,
            last_qty=Qty(D(qty)),
            last_px=Px(D(px)),
            position_effect=order.position_effect if effect is None else effect,
            fee=Amount(D(fee)),
            fee_by_broker=True,
            liquidity="REMOVED",
            run_id=order.run_id,
        )
        if ago_ms is not None:
            event = self._at_its_place(event, UtcNs(self.now - ago_ms * 1_000_000))
        self.tell(event)
        self.fills.append(event)
        return event

    def bust(self, fill: ev.Traded) -> None:
        """The broker took an execution back."""
        key, known = self._known(fill)
        known.busted = True
        becomes = rebooked(self.state, fill.account, fill.symbol, key, known)
        self.tell(
            ev.TradeBusted(
                self.tick(),
                known.cl_ord_id,
                fill.broker,
                fill.account,
                fill.trading_day,
                fill.exec_id,
                fill.side,
                rebooked=becomes,
            )
        )

    def correct(self, fill: ev.Traded, qty: str, px: str, fee: str = "1") -> None:
        """The broker changed an execution."""
        key, known = self._known(fill)
        known.qty, known.px, known.fee, known.busted = Qty(D(qty)), Px(D(px)), Amount(D(fee)), False
        self.tell(
            ev.TradeCorrected(
                self.tick(),
                known.cl_ord_id,
                fill.broker,
                fill.account,
                fill.trading_day,
                fill.exec_id,
                fill.side,
                known.qty,
                known.px,
                known.fee,
                rebooked=rebooked(self.state, fill.account, fill.symbol, key, known),
            )
        )

    def charge(self, fill: ev.Traded, fee: str) -> None:
        """Our schedule charges another fee for an execution that counts."""
        _, known = self._known(fill)
        if not known.busted:
            day, symbol = fill.trading_day, fill.symbol
            self.tell(
                ev.FeeChanged(
                    self.tick(), known.cl_ord_id, BROKER, ACCOUNT, day, fill.exec_id, symbol, fill.side, Amount(D(fee))
                )
            )

    def second_id(self, fill: ev.Traded, *, parted: bool) -> None:
        """The broker has another id for an execution; `parted`: or so it seemed."""
        _, known = self._known(fill)
        second = ExecID(self.next_id("second"))
        day = fill.trading_day
        named = (known.cl_ord_id, fill.broker, fill.account, day, fill.exec_id, fill.side, second, day)
        self.tell(ev.ExecIDJoined(self.tick(), *named))
        if parted:
            self.tell(ev.ExecIDParted(self.tick(), *named))

    def move(self, fill: ev.Traded, to: ClOrdID) -> None:
        """An execution is of another order than was thought."""
        key, known = self._known(fill)
        before, order = known.cl_ord_id, self.order(to)
        becomes = None
        if known.effect is not order.position_effect and not known.busted:
            taken = msgspec.structs.replace(known, effect=order.position_effect)
            becomes = rebooked(self.state, fill.account, fill.symbol, key, taken)
        self.tell(
            ev.TradeMoved(
                self.tick(),
                to,
                before,
                fill.broker,
                fill.account,
                fill.trading_day,
                fill.exec_id,
                fill.symbol,
                fill.side,
                known.qty,
                known.px,
                known.effect if becomes is None else order.position_effect,
                known.fee,
                known.busted,
                order.run_id,
                becomes,
            )
        )

    def _at_its_place(self, e: ev.Traded, happened: UtcNs) -> ev.Traded:
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        becomes = None
        if (place := place_of(self.state, e.account, e.symbol, key, happened, e.at)) is not None:
            fill = Exec(e.cl_ord_id, e.last_qty, e.last_px, e.fee, e.position_effect)
            becomes, _ = rebooked_before(self.state, e.account, e.symbol, key, place, fill) or (None, None)
        return msgspec.structs.replace(e, transact_at=happened, rebooked=becomes)

    def _known(self, fill: ev.Traded) -> tuple[str, Exec]:
        key = exec_key(fill.broker, fill.account, fill.trading_day, fill.exec_id, fill.side)
        known = self.state.execs.get(key)
        assert known is not None
        return key, known

    def deny(self, symbol: Symbol = AAPL, run_id: RunID | None = None, leg: int = 0) -> ClOrdID:
        """Risk refused an order."""
        cl_ord_id = ClOrdID(self.next_id("g100001"))
        text = "max_order_value: expected at most 10000 USD, was 20000 USD; lower the quantity"
        self.tell(
            ev.OrderDenied(
                at=self.tick(),
                cl_ord_id=cl_ord_id,
                account=ACCOUNT,
                symbol=symbol,
                side=Side.BUY,
                order_qty=Qty(D(100)),
                ord_type=OrdType.MARKET,
                price=None,
                rule="max_order_value",
                limit="10000",
                was="20000",
                text=text,
                by="ann",
                run_id=run_id,
                leg=leg,
                approved_by="mallory",
            )
        )
        return cl_ord_id

    def external(
        self,
        symbol: Symbol,
        side: Side,
        qty: str,
        price: str | None = None,
        reserve: str = "0",
        effect: PositionEffect = PositionEffect.AUTO,
    ) -> ClOrdID:
        """The broker shows an order that is not ours."""
        cl_ord_id = ClOrdID(self.next_id("x"))
        self.tell(
            ev.ExternalOrderFound(
                self.tick(),
                cl_ord_id,
                BROKER,
                ACCOUNT,
                OrderID(f"b{cl_ord_id}"),
                symbol,
                side,
                Qty(D(qty)),
                None if price is None else Px(D(price)),
                self.day,
                effect,
                Amount(D(reserve)),
            )
        )
        return cl_ord_id

    def run(
        self, *lines: tuple[Symbol, Side, str], hold: bool = False, supersedes: RunID | None = None, attempt: int = 1
    ) -> RunID:
        """A target was frozen and planned; each line is an order, and one more line has none."""
        run_id = RunID(self.next_id("run"))
        at = self.tick()
        plan = [self._line(number, symbol, side, qty) for number, (symbol, side, qty) in enumerate(lines, start=1)]
        plan.append(
            ev.PlanLine(
                leg=0,
                symbol=Symbol("TINY.US"),
                row=9,
                side=Side.BUY,
                target_weight=D("0.0001"),
                target_value=Amount(D(10)),
                target_qty=Qty(D(0)),
                held_qty=Qty(D(0)),
                order_qty=Qty(D(0)),
                ref_px=None,
                wave=1,
                code="below_one_lot",
                reason="0.4 shares are less than one",
            )
        )
        self.tell(
            ev.RunCreated(
                at=at,
                run_id=run_id,
                project_id="alpha",
                decision_snapshot_id=run_id if supersedes is None else f"{supersedes}",
                mode=Mode.PAPER,
                trade_date=self.day,
                attempt=attempt,
                broker=BROKER,
                account=ACCOUNT,
                currency=Currency("USD"),
                by="ann",
                content_hash="c0ffee",
                targets=(TargetLine(AAPL, D("0.5"), 2),),
                prices=(SeenPrice(AAPL, Px(D("187.15")), UtcNs(at - 5_000_000), "replay"),),
                cash=Amount(D(100000)),
                equity=Amount(D(123456)),
                rounding=Rounding.FLOOR_TO_LOT,
                limits=RunLimits(),
                lines=tuple(plan),
                risk_checks={"exposure": True},
                hold_for_approval=hold,
                inputs=(("portfolio.csv", "ab12"),),
                supersedes=supersedes,
            )
        )
        return run_id

    def order(self, cl_ord_id: ClOrdID) -> Order:
        """The order as the core has it."""
        order = self.state.orders.get(cl_ord_id)
        assert order is not None
        return order

    def journal(self, *sizes: int) -> Journal:
        """The events as journal rows of these sizes; the last size repeats."""
        return Journal(self.events, sizes or (7,))

    @staticmethod
    def _line(leg: int, symbol: Symbol, side: Side, qty: str) -> ev.PlanLine:
        return ev.PlanLine(
            leg=leg,
            symbol=symbol,
            row=leg + 1,
            side=side,
            target_weight=D("0.5"),
            target_value=Amount(D(50000)),
            target_qty=Qty(D(qty)),
            held_qty=Qty(D(0)),
            order_qty=Qty(D(qty)),
            ref_px=Px(D("187.15")),
            wave=0 if side is Side.SELL else 1,
        )


class Journal:
    """Rows in memory, made by the real codec."""

    def __init__(self, events: Sequence[Event], sizes: Sequence[int]) -> None:
        self.rows: list[Batch] = []
        self.contents: list[list[Event]] = []
        head, start, pending = codec.EMPTY, 0, list(sizes)
        while start < len(events):
            size = pending.pop(0) if len(pending) > 1 else pending[0]
            part = list(events[start : start + size])
            row = codec.seal(codec.encode(part), count=len(part), after=head, epoch=1, appended_at=UtcNs(part[-1].at + 1))
            self.rows.append(row)
            self.contents.append(part)
            head, start = codec.head_of(row), start + size

    async def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows after `after_batch`."""
        for row in self.rows[after_batch:]:
            yield row

    def up_to(self, batch: int) -> Journal:
        """The first `batch` rows alone."""
        shorter = Journal((), (1,))
        shorter.rows, shorter.contents = self.rows[:batch], self.contents[:batch]
        return shorter


def random_story(seed: int, steps: int) -> Story:
    """A long story in which everything that may happen does, from a seed."""
    rng = Random(seed)
    story = Story.begun()
    held = [
        HeldPosition(ACCOUNT, GOLD, Qty(D(rng.randint(0, 9))), Qty(D(rng.randint(0, 9))), cost=Amount(D("4000000.5"))),
        HeldPosition(ACCOUNT, MAOTAI, Qty(D(300)), Qty(D(0)), long_sellable=Qty(D(100))),
    ]
    story.adopt({"USD": "250000.25", "CNY": "9000000"}, held[: rng.randint(0, 2)])
    runs: list[RunID] = []
    day = 2
    for _ in range(steps):
        open_ids = list(story.state.orders.open)
        match rng.randrange(29):
            case 0 | 1 | 2:
                _stage(story, rng)
            case 3 | 4 | 5 | 6 if open_ids:
                _go_on(story, rng, rng.choice(open_ids))
            case 7 | 8 | 9 | 10 if open_ids:
                order = story.order(rng.choice(open_ids))
                most = int(order.order_qty)
                qty = str(rng.randint(1, max(1, most if rng.random() < 0.8 else most * 2)))
                px = f"{rng.randint(100, 99999)}.{rng.randint(0, 99):02d}"
                ago_ms = rng.choice([None, 0, 0, rng.randrange(60)])
                says_itself = order.external and order.symbol == GOLD and rng.random() < 0.5
                effect = rng.choice(list(PositionEffect)) if says_itself else None
                story.fill(order.cl_ord_id, qty, px, f"0.{rng.randint(0, 99):02d}", ago_ms=ago_ms, effect=effect)
            case 11 if story.fills:
                fill = story.fills[rng.randrange(len(story.fills))]
                if fill not in story.busted:
                    story.bust(fill)
                    story.busted.append(fill)
            case 12 if story.fills:
                fill = rng.choice(story.fills)
                if fill in story.busted:
                    story.busted.remove(fill)
                story.correct(fill, str(rng.randint(1, 50)), f"{rng.randint(1, 999)}.5", "0.07")
            case 13 if story.fills:  # a late fill, whatever became of its order
                story.fill(rng.choice(story.fills).cl_ord_id, str(rng.randint(1, 9)), "10.01")
            case 14:
                _external(story, rng)
            case 27 if story.fills:
                story.charge(rng.choice(story.fills), f"0.{rng.randint(0, 99):02d}")
                if rng.random() < 0.3:
                    story.second_id(rng.choice(story.fills), parted=rng.random() < 0.5)
            case 26 if story.fills and open_ids:
                fill, order = rng.choice(story.fills), story.order(rng.choice(open_ids))
                if (order.symbol, order.side) == (fill.symbol, fill.side):
                    story.move(fill, order.cl_ord_id)
            case 15 if rng.random() < 0.5:
                day += rng.randint(0, 1)
                story.open_day(f"2025-01-{min(day, 28):02d}", rng.sample(["US", "SSE", "SHFE"], k=2))
            case 16:
                story.deny()
            case 17:
                runs.append(story.run((AAPL, Side.BUY, "100"), (MAOTAI, Side.SELL, "200"), hold=rng.random() < 0.5))
            case 18 | 19 if runs:
                _move_run(story, rng, rng.choice(runs))
            case 20:
                _break(story, rng)
                for known in list(story.state.breaks)[:1]:
                    story.tell(ev.AlertAcknowledged(story.tick(), break_alert(known), rng.choice(("ann", "bob")), "seen"))
                story.tell(ev.MainContractSwitched(story.tick(), rng.choice((GOLD, MAOTAI)), None, "ann"))
            case 21:
                kind, subject = rng.choice((("cash", "USD"), ("position", AAPL), ("short", GOLD)))
                delta = D(rng.randint(1, 50))
                story.tell(ev.BooksAdjusted(story.tick(), "b1", ACCOUNT, kind, subject, delta, "ann", "looked"))
            case 22:
                if rng.random() < 0.5:
                    story.tell(ev.BrokerDisconnected(story.tick(), BROKER, "line lost"))
                else:
                    story.tell(ev.BrokerConnected(story.tick(), BROKER), ev.BrokerReady(story.tick(), BROKER, ACCOUNT))
            case 23 | 24 | 25 if open_ids:
                _change(story, rng, story.order(rng.choice(open_ids)))
            case _:
                changes: dict[str, Any] = {"shortable": rng.random() < 0.5}
                symbol = rng.choice((GOLD, MAOTAI))
                if symbol == GOLD:
                    changes["margin_rate"] = D(rng.randint(8, 15)) / 100
                story.tell(ev.InstrumentListed(story.tick(), msgspec.structs.replace(an_instrument(symbol), **changes)))
    return story


def _change(story: Story, rng: Random, order: Order) -> None:
    """Other terms for an order: asked for, denied, answered, lost, or the broker's own idea."""
    qty, px = Qty(D(rng.randint(1, 200))), None if order.price is None else Px(D(rng.randint(1, 99)))
    need = Amount(D(rng.randint(0, 900)))
    terms = Terms(qty, px, None)
    asked = rng.choice(order.replaces) if order.replaces else None
    at = story.tick()
    match rng.randrange(6):
        case 0 if asked is not None:
            story.tell(replacing._replaced(order, asked.number, asked.terms, asked.reserve, at))
        case 1 if asked is not None:
            story.tell(*replacing._undo(order, asked, "7", "too late", at))
        case 2 if asked is not None:
            story.tell(ev.ReplaceFateLost(at, order.cl_ord_id, asked.number, "no answer within 5 s"))
        case 3:
            reserve = replacing._reserve(order, qty, need, order.replaces or [])
            story.tell(ev.OrderRestated(at, order.cl_ord_id, qty, px, None, reserve, need, "best price", at, OrderID("n1")))
        case 4:
            story.tell(ev.ReplaceDenied(at, order.cl_ord_id, qty, px, None, "cash", "0", "9", "no cash", "ann", "more", "r1"))
        case _:
            number, reserve = order.replace_asks + 1, Amount(max(order.reserved, need))
            story.tell(
                ev.ReplaceRequested(at, order.cl_ord_id, number, *_three(terms), "ann", "chasing", "2", reserve, need, "")
            )


def _three(terms: Terms) -> tuple[Qty, Px | None, Px | None]:
    return terms.order_qty, terms.price, terms.stop_px


def _external(story: Story, rng: Random) -> None:
    """A stranger's order, with or without a price, or what a broker takes back before it has told of it."""
    if rng.random() < 0.2:
        exec_id = ExecID(story.next_id("early"))
        story.tell(ev.TradeBusted(story.tick(), ClOrdID(""), BROKER, ACCOUNT, story.day, exec_id, Side.BUY))
        if rng.random() < 0.5:
            story.tell(ev.TradeNeverCame(story.tick(), BROKER, ACCOUNT, story.day, exec_id, Side.BUY))
        return
    symbol, side, qty = rng.choice((AAPL, MAOTAI, GOLD)), rng.choice(list(Side)), str(rng.randint(1, 20))
    effect = rng.choice(list(PositionEffect)) if symbol == GOLD else PositionEffect.AUTO
    if side is Side.BUY and rng.random() < 0.5:
        story.external(symbol, side, qty, price="100.5", reserve=str(rng.randint(0, 9000)), effect=effect)
    else:
        story.external(symbol, side, qty, effect=effect)


def _stage(story: Story, rng: Random) -> None:
    symbol = rng.choice((AAPL, MAOTAI, GOLD))
    side = rng.choice(list(Side))
    effect = rng.choice(list(PositionEffect)) if symbol == GOLD else PositionEffect.AUTO
    reserve = str(rng.randint(0, 50000)) if side is Side.BUY else "0"
    cl_ord_id = story.stage(symbol, side, str(rng.randint(1, 40)), reserve=reserve, effect=effect)
    if rng.random() < 0.7:
        story.tell(ev.SendBegun(story.tick(), cl_ord_id))


def _go_on(story: Story, rng: Random, cl_ord_id: ClOrdID) -> None:
    """One thing that may happen to an open order."""
    at = story.tick()
    order = story.order(cl_ord_id)
    choices: list[Event] = [
        ev.OrderAcknowledged(at, cl_ord_id, OrderID(f"b{cl_ord_id}")),
        ev.CancelRequested(at, cl_ord_id, "ann", "enough"),
        ev.CancelRejected(at, cl_ord_id, "7", "too late"),
        ev.OrderCanceled(at, cl_ord_id, "cancelled"),
        ev.OrderExpired(at, cl_ord_id, "day over"),
        ev.OrderRejected(at, cl_ord_id, "201", "no permission"),
        ev.SendFailed(at, cl_ord_id, "no route"),
        ev.SendBegun(at, cl_ord_id),
        ev.EndAnnounced(at, cl_ord_id, "CANCELED", Qty(D(999)), "by the venue"),
        ev.OrderHeard(at, cl_ord_id, "its terms were told again"),
        *[ev.FateLost(at, cl_ord_id, "timed out")] * (1 if order.acked_at is not None else 5),
    ]
    if order.unknown_at is not None:
        choices = [
            ev.AbsenceSeen(at, cl_ord_id, at),
            ev.NotSentProven(at, cl_ord_id, 3),
            ev.OrderResolved(at, cl_ord_id, "NOT_SENT", "ann", "asked the broker"),
            *choices[:6],
        ]
    story.tell(rng.choice(choices))


def _move_run(story: Story, rng: Random, run_id: RunID) -> None:
    at = story.tick()
    if story.state.runs[run_id].finished_at is not None:
        return
    status = rng.choice((RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED))
    choices: list[Event] = [
        ev.RunApproved(at, run_id, "bob"),
        ev.RunStarted(at, run_id),
        ev.RunPaused(at, run_id, "bob", "lunch"),
        ev.RunResumed(at, run_id, "bob"),
        ev.RunCancelRequested(at, run_id, "bob", "wrong file"),
        ev.LineResized(at, run_id, 1, Qty(D(rng.randint(0, 90))), "cash_short", "sells brought less"),
        ev.RunEnded(at, run_id, status, "partial", "one line is left", (1,)),
    ]
    story.tell(rng.choice(choices))


def _break(story: Story, rng: Random) -> None:
    at, break_id = story.tick(), f"position|{ACCOUNT}|{rng.choice((AAPL, GOLD))}"
    if break_id not in story.state.breaks:
        symbol = break_id.rsplit("|", 1)[1]
        story.tell(
            ev.BreakFound(at, break_id, "position", BROKER, ACCOUNT, symbol, "10", "12", "missed fill", "take theirs", D(2))
        )
    elif rng.random() < 0.5:
        story.tell(ev.BreakChanged(at, break_id, "10", "13", D(3)))
    else:
        story.tell(ev.BreakClosed(at, break_id, "agrees again", rng.choice(("", "ann"))))
