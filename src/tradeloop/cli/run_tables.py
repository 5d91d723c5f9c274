"""A plan and a run as tables, and as the document of `--json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tradeloop.cli import words
from tradeloop.cli.beside import Beside, net
from tradeloop.cli.denial import order_documents
from tradeloop.cli.record import Record, plain_rows
from tradeloop.core.breaks import POSITION
from tradeloop.core.commands import StartRun
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.conduct import Preview
from tradeloop.core.types import SECOND_NS, ZERO, RunStatus, Side, Symbol
from tradeloop.views.columns import plain
from tradeloop.views.rows import AccountRow, BreakRow, PositionRow
from tradeloop.views.runs import strategy_of

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.audit.artefacts import ReconcileRow


def show_plan(console: Console, cmd: StartRun, seen: Preview, instruments: Mapping[Symbol, Instrument]) -> None:
    """Every line of the plan, what it buys and sells, and what it leaves."""
    console.print(
        f"plan for {cmd.trade_date}: equity {words.money(seen.equity)} {cmd.currency}, free cash {words.money(seen.cash)},"
        f" rounding {cmd.rounding.value}"
    )
    headings = (">?leg", "side", "symbol", ">?weight", ">target", ">?held", ">order", ">price", ">value", "~why not more")
    words.table(
        console,
        "Plan",
        headings,
        [
            (
                str(line.leg),
                line.side.value if line.order_qty else "-",
                line.symbol,
                words.percent(line.target_weight),
                words.qty(line.target_qty),
                words.qty(line.held_qty),
                words.qty(line.order_qty),
                words.px(line.ref_px),
                words.money(_value(line, instruments)),
                line.reason,
            )
            for line in seen.lines
        ],
    )
    console.print(
        f"{words.plural(sum(1 for line in seen.lines if line.order_qty), 'order')}:"
        f" sells {words.money(_total(seen, Side.SELL, instruments))},"
        f" buys {words.money(_total(seen, Side.BUY, instruments))} {cmd.currency}"
    )
    if seen.last_prices:
        oldest = min(seen.last_prices, key=lambda each: each.at)
        console.print(
            f"the market is shut: planned with its last prices, the oldest of {words.moment(oldest.at)} ({oldest.symbol})",
            soft_wrap=True,
        )


def plan_document(cmd: StartRun, seen: Preview) -> dict[str, Any]:
    """The plan for `--json`."""
    return {
        "trade_date": cmd.trade_date,
        "currency": cmd.currency,
        "equity": words.as_text(seen.equity),
        "cash": words.as_text(seen.cash),
        "max_quote_age_s": words.as_text(Decimal(cmd.limits.max_quote_age_ns) / SECOND_NS),
        "findings": [{"code": finding.code, "text": finding.text} for finding in seen.findings],
        "last_prices": [{"symbol": p.symbol, "px": words.as_text(p.px), "at": words.moment(p.at)} for p in seen.last_prices],
        "lines": [{name: words.as_text(value) for name, value in msgspec.structs.asdict(line).items()} for line in seen.lines],
    }


def show_record(
    console: Console, record: Record, positions: Sequence[PositionRow], accounts: Sequence[AccountRow], now: int
) -> None:
    """What became of a run: lines, positions, cash, reconciliation."""
    run = record.run
    lines = record.target_lines()
    if said := equity_in_words(record):
        console.print(said, soft_wrap=True)
    if strategy := strategy_of(run):
        console.print(f"strategy: {strategy}", soft_wrap=True)
    words.table(
        console,
        f"Run {run.id}: {run.status}{f' ({run.code})' if run.code else ''}",
        ("side", "symbol", ">target", ">held", ">?ordered", ">filled", ">avg price", ">slippage bp", ">residual", "~why"),
        [
            (
                line.side if line.order_qty else "-",
                line.ts_code,
                words.qty(line.target_qty),
                words.qty(line.held_qty),
                words.qty(line.order_qty),
                words.qty(line.filled_qty),
                words.px(line.avg_fill_price),
                words.bp(line.slippage_bp),
                words.qty(line.residual_qty),
                line.reason if line.target_qty != line.left_with or not line.order_qty else "",
            )
            for line in lines
        ],
    )
    if record.newer is not None and record.held is None:
        newer = record.newer
        console.print(
            f"held is what this run left; run {newer.id} ({newer.status}) is newer, and what follows is of now", soft_wrap=True
        )
    show_positions(console, positions)
    show_accounts(console, accounts)
    show_reconciliation(console, record, lines, now)


def equity_in_words(record: Record) -> str:
    """Which equity the weights of a retry are fractions of, and why; empty for a first attempt, whose own it is."""
    run = record.run
    if not record.equity_of:
        return ""
    return (
        f"attempt {run.attempt}: its weights are fractions of {words.money(run.equity)} {run.currency}, the equity of the first"
        f" attempt {record.equity_of}, since a retry works what is left of that decision; for today's equity trade a new target"
    )


def show_positions(console: Console, positions: Sequence[PositionRow]) -> None:
    """What is held."""
    headings = (
        "account",
        "symbol",
        "direction",
        ">quantity",
        ">avg price",
        ">?cost",
        ">?last price",
        ">unrealised",
        ">?realised",
        "currency",
    )
    words.table(
        console,
        "Positions",
        headings,
        [
            (
                row.account_id,
                row.symbol,
                row.direction,
                words.qty(row.volume),
                "?" if row.cost is None else words.px(row.avg_price),
                words.money(row.cost),
                words.px(row.current_price),
                words.money(row.unrealized_pnl),
                words.money(row.realized_pnl),
                row.currency,
            )
            for row in positions
        ],
    )


def show_accounts(console: Console, accounts: Sequence[AccountRow]) -> None:
    """Money, currencies that hold nothing left out."""
    words.table(
        console,
        "Cash",
        ("account", "currency", ">balance", ">available", ">?reserved", ">?margin", ">?unrealised", ">?realised", ">?fees"),
        [
            (
                row.account_id,
                row.currency,
                *map(words.money, (row.balance, row.available, row.reserved, row.margin)),
                *map(words.money, (row.unrealized_pnl, row.realized_pnl, row.fees)),
            )
            for row in accounts
            if row.balance or row.reserved or row.margin or row.fees
        ],
    )


def show_reconciliation(console: Console, record: Record, lines: Sequence[ReconcileRow], now: int) -> None:
    """Where our books, the broker's and the target differ, why, since when, and what would close it."""
    show_breaks(console, "Reconciliation, ours against the broker's and the target", break_rows(record, lines, now))


def show_breaks(console: Console, title: str, breaks: Sequence[dict[str, Any]]) -> None:
    """Breaks as `break_rows` or `broker_break_rows` give them, and how many are unexplained."""
    headings = ("between", "what", ">ours", ">theirs", ">?age", "~cause", "~repair")
    words.table(console, title, headings, [tuple(_told(each[key], key) for key in _BREAK_KEYS) for each in breaks], "no breaks")
    console.print(f"{words.plural(unexplained(breaks), 'unexplained break')}")


def _told(value: object, key: str) -> str:
    """A field of a break as a person reads it; an amount with its thousands apart."""
    text = str(value)
    if key not in ("ours", "theirs"):
        return text
    try:
        amount = Decimal(text)
    except ArithmeticError:
        return text  # a break of another kind, such as a status
    return words.qty(amount) if amount.is_finite() else text


_NAMED_MAX = 3
_RETRY = "tradeloop runs retry "
_BREAK_KEYS = ("between", "what", "ours", "theirs", "age", "cause", "repair")


def break_rows(record: Record, lines: Sequence[ReconcileRow], now: int) -> list[dict[str, Any]]:
    """Every difference: with the broker as it was journalled, with the target as it stands. Amounts are exact, as text."""
    found = broker_break_rows(record.breaks, now)
    ended = record.run.finished_at
    for line in lines:
        repair = _repair(record, line, now) if line.target_qty != line.left_with else ""
        if repair:
            found.append(
                {
                    "between": "target",
                    "what": line.ts_code,
                    "ours": plain(line.left_with),
                    "theirs": plain(line.target_qty),
                    "age": words.age(now - ended) if ended else "-",
                    "cause": line.reason or "not known",
                    "repair": repair,
                    "explained": bool(line.reason),
                }
            )
        found += _moved(record, line.ts_code, line.left_with, line.held_qty, line.target_qty, repair)
    for symbol, qty in record.unnamed():
        found += _moved(record, symbol, ZERO, qty, ZERO, "")
    return found


def broker_break_rows(breaks: Sequence[BreakRow], now: int) -> list[dict[str, Any]]:
    """The differences with the broker, as they were journalled."""
    return [_with_broker(each, now) for each in breaks]


def _repair(record: Record, line: ReconcileRow, now: int) -> str:
    """What brings a line closer to its target; a retry only where it would be taken and would trade this line."""
    run = record.run
    doubted = [order.id for order in record.unknown if order.symbol == line.ts_code]
    if doubted:
        return f"tradeloop orders resolve {doubted[0]} --as NOT_SENT|CANCELED --reason …, once the broker was asked"
    if run.status == RunStatus.AWAITING_APPROVAL.value:
        return f"tradeloop runs approve {run.id}"
    if run.status == RunStatus.PAUSED.value:
        if line.code in _RESUMED:
            return f"tradeloop runs resume {run.id}"
        return "wait: the run is paused, and trades this line no more when it is resumed; see it again at the end of the run"
    if not run.finished_at:
        return "wait: the run is not at its end"
    if not line.reason:
        return f"look at `tradeloop orders --run {run.id}`, then trade a new target"
    if not any(each.leg in record.todo for each in record.lines if each.symbol == line.ts_code):
        return "none needed: the target cannot be met closer"
    if run.superseded_by is not None:
        return f"see run {run.superseded_by}, which took up what this one left"
    if record.newer is not None:
        return f"see run {record.newer.id}, which is newer: a retry of this one would trade against it"
    if record.day_over:
        return f"trade a new target: {run.trade_date}, the trading day of the run, is over"
    if line.code == "t1_shortfall":
        return "trade a new target on the next trading day: what was bought today cannot be sold before"
    if differ := [each.id for each in record.breaks if each.kind == POSITION and each.subject.startswith(f"{line.ts_code} ")]:
        return f'settle break "{differ[0]}" first: no run trades what our books and the broker\'s differ about'
    windows = record.hours.get(line.ts_code, ())
    opens = next((start for start, end in windows if now < end), None)
    if windows and opens is None:
        return f"trade a new target on the next trading day: the market of {line.ts_code} has closed for {run.trade_date}"
    if opens is not None and now < opens:
        return f"tradeloop runs retry {run.id}, once the market of {line.ts_code} opens at {words.moment(opens)}"
    if (last := record.stale.get(line.ts_code)) is not None:
        came = f"its newest came at {words.moment(last)}, and a recording that has ended brings no more"
        return f"tradeloop runs retry {run.id}, once {line.ts_code} has a current price: {came}"
    first = _BEFORE_A_RETRY.get(line.code)
    if first is None and (dearest := record.dearest(line)) is not None:
        return _while_not_too_dear(record, line.ts_code, dearest)
    return f"tradeloop runs retry {run.id}{f', {first.format(line.ts_code)}' if first else ''}"


_RESUMED = ("paused", "working", "unknown")
"""What `Record` says of a line of a paused run that has an order open, or one that was not sent yet."""
_BEFORE_A_RETRY = {
    "no_price": "once {} has a current price; before that it would be left out again",
    "stale_price": "once {} has a current price; before that it would be left out again",
    "suspended": "once {} is traded again; before that it would be left out again",
}
"""What has to come before a retry can trade a line."""


def _while_not_too_dear(record: Record, symbol: str, dearest: Decimal) -> str:
    """A retry buys up to the weight at the present price, and is denied where that is held already (core/run/drift.py)."""
    again, market = f"tradeloop runs retry {record.run.id}", record.market_px.get(symbol)
    if market is None:
        return f"{again}, while {symbol} is at most {words.px(dearest)}: above, what is held is worth its weight"
    if market <= dearest:
        return again
    return (
        f"none at {words.px(market)}: what is held of {symbol} is worth its weight there, so that a retry buys no more and"
        f" is denied where nothing else is left; {again} once it is at most {words.px(dearest)}, or trade a new target"
    )


def _moved(
    record: Record, symbol: str, left_with: Decimal, held: Decimal, target: Decimal, repair: str
) -> list[dict[str, Any]]:
    """What changed in a symbol by another hand than the run's, from what it left to what is held: by other runs, by
    halts, by strategies, by single orders, and by nobody we know of. An order is proposed to undo what a hand did, never what a
    run or a halt did, or what a strategy holds; `repair` is what was proposed for what the run itself left.

    What a strategy sold beyond its own is the run's, and what a hand sold is a strategy's first.
    """
    hands = record.beside.get(symbol, ())
    runs, halts = [each for each in hands if each.is_run], [each for each in hands if each.halt]
    rest = [each for each in hands if not each.is_run and not each.halt]
    strategies = [each for each in rest if each.strategy and each.qty > ZERO]
    sold, orders = [each for each in rest if each.strategy and each.qty <= ZERO], [each for each in rest if not each.strategy]
    by_hand = net(sold) + net(orders)
    theirs = net(strategies) - min(net(strategies), max(-by_hand, ZERO))
    after_runs = left_with + net(runs)
    after_halts = after_runs + net(halts)
    after_strategies = after_halts + theirs
    after_orders = after_halts + net(strategies) + by_hand
    see = f"see run {record.newer.id}, which is newer" if record.newer is not None else ""

    def back(changed: Decimal) -> str:
        return see or (_NEW_TARGET if held == target else _back(record, symbol, changed, repair))

    by_runs = f"traded by {_named('run', runs)}"
    hands_named = " and ".join(_named(what, of) for what, of in (("strategy", sold), ("order", orders)) if of)
    by_orders = f"traded by {hands_named}, beside the run"
    by_halts = f"closed by {'; '.join(dict.fromkeys(each.halt for each in halts))}"
    by_strategies = f"traded by {_named('strategy', strategies)}, beside the run"
    by_nobody = "traded by hand, or adjusted, and by no order of ours; see `tradeloop fills`"
    found = [
        _change(symbol, left_with, after_runs, by_runs, see or _NEW_TARGET, explained=True),
        _change(symbol, after_runs, after_halts, by_halts, see or _RESUME, explained=True),
        _change(symbol, after_halts, after_strategies, by_strategies, see or _NOT_OURS, explained=True),
        _change(symbol, after_strategies, after_orders, by_orders, back(after_orders - after_strategies), explained=bool(see)),
        _change(symbol, after_orders, held, by_nobody, back(held - after_orders), explained=False),
    ]
    return [each for each in found if each["ours"] != each["theirs"]]


_NEW_TARGET = "trade a new target, so that it is meant"
_NOT_OURS = "none needed: it holds that for itself; or trade a new target, so that it is meant"
_RESUME = "`tradeloop resume` where the halt stands still, then trade a new target"


def _back(record: Record, symbol: str, changed: Decimal, repair: str) -> str:
    """What undoes the change of another hand; never beside a retry, which goes by what is held."""
    if record.run.finished_at is None:
        return "wait: the run is not at its end"
    if _RETRY in repair:
        return "none beside that of what the run left: a retry goes by what is held; or trade a new target"
    side = "sell" if changed > ZERO else "buy"
    return f"tradeloop orders submit {symbol} {side} {abs(changed):f}, or trade a new target"


def _named(what: str, hands: Sequence[Beside]) -> str:
    """Runs or orders with what each added, the newest of many left out of the sentence and counted."""
    named = ", ".join(f"{each.name} ({each.qty:+,f})" for each in hands[:_NAMED_MAX])
    more = f" and {len(hands) - _NAMED_MAX} more" if len(hands) > _NAMED_MAX else ""
    return f"{what} {named}{more}"


def _change(symbol: str, was: Decimal, now: Decimal, cause: str, repair: str, *, explained: bool) -> dict[str, Any]:
    return {
        "between": "target",
        "what": symbol,
        "ours": plain(now),
        "theirs": plain(was),
        "age": "-",
        "cause": f"held changed by {now - was:+,f} since: {cause}",
        "repair": repair,
        "explained": explained,
    }


def _with_broker(each: BreakRow, now: int) -> dict[str, Any]:
    return {
        "between": each.broker,
        "what": f"{each.kind} {each.subject}",
        "ours": each.ours,
        "theirs": each.theirs,
        "age": words.age(now - each.found_at),
        "cause": each.cause,
        "repair": each.repair,
        "explained": False,
        "break_id": each.id,
    }


def unexplained(breaks: Sequence[dict[str, Any]]) -> int:
    """Differences nobody can account for yet: every one with the broker, and a residual without a reason."""
    return sum(1 for each in breaks if not each["explained"])


def record_document(
    record: Record, positions: Sequence[PositionRow], accounts: Sequence[AccountRow], files: Sequence[Path], now: int
) -> dict[str, Any]:
    """A run for `--json`."""
    lines = record.target_lines()
    breaks = break_rows(record, lines, now)
    orders = order_documents(record.orders, record.denials)
    denied = {each["symbol"]: each["denied"] for each in orders if each["denied"] is not None}
    return {
        "run": plain_rows([record.run])[0]
        | {"params": msgspec.json.decode(record.run.params), "equity_of": record.equity_of or None},
        "lines": [each | {"denied": denied.get(each["ts_code"])} for each in plain_rows(list(lines))],
        "orders": orders,
        "fills": plain_rows(record.fills),
        "positions": [_without_book(row) for row in plain_rows(list(positions))],
        "accounts": [_without_book(row) for row in plain_rows(list(accounts))],
        "breaks": breaks,
        "unexplained_breaks": unexplained(breaks),
        "artefacts": [str(path) for path in files],
    }


def _without_book(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("book", None)
    return row


def _total(seen: Preview, side: Side, instruments: Mapping[Symbol, Instrument]) -> Decimal:
    return sum((_value(line, instruments) or ZERO for line in seen.lines if line.side is side), ZERO)


def _value(line: PlanLine, instruments: Mapping[Symbol, Instrument]) -> Decimal | None:
    """What the order of a line is worth at its price; None where it has none."""
    if line.ref_px is None:
        return None
    instrument = instruments.get(line.symbol)
    return line.ref_px * line.order_qty * (instrument.multiplier if instrument is not None else 1)
