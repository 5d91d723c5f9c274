"""`tradeloop orders`: which orders there are, and the few things a person does to one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradeloop.cli.options import (
    AccountOf,
    By,
    Feed,
    Json,
    Limit,
    Reason,
    RunOf,
    Speed,
    Start,
    SymbolOf,
    canonical_or_none,
    feed_settings,
)
from tradeloop.cli.shell import DENIED, FAILED, OK, UNKNOWN, USAGE, Ended, Shell, Voice, perform
from tradeloop.cli.typed_order import (
    ApprovedBy,
    PriceWord,
    QtyWord,
    SideWord,
    StopWord,
    StrategyWord,
    SymbolWord,
    TifWord,
    TypeWord,
    typed_order,
)

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.config import Loaded
    from tradeloop.core.commands import SubmitOrder
    from tradeloop.core.confirmation import Frozen
    from tradeloop.core.order import Order
    from tradeloop.core.risk.denied import Denied
    from tradeloop.core.types import Px, Symbol
    from tradeloop.views.rows import DenialRow, OrderRow

app = typer.Typer(help="Orders, listed by the command alone: submit, replace, cancel, resolve.", invoke_without_command=True)
OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="Our id of an order, as `tradeloop orders` shows it.")]


@app.callback(invoke_without_command=True)
def list_(
    ctx: typer.Context,
    run: RunOf = None,
    symbol: SymbolOf = None,
    account: AccountOf = None,
    status: Annotated[str | None, typer.Option("--status", help="Only those that stand so, such as FILLED.")] = None,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Only those whose fate is unknown: since when, and what to do.")
    ] = False,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that may still trade.")] = False,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List orders, newest first; or submit, replace, cancel or resolve one."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.denial import order_documents
        from tradeloop.cli.known import known_account, known_symbol
        from tradeloop.cli.record import known_run
        from tradeloop.core.errors import BadInput
        from tradeloop.core.types import OrdStatus

        known = [each.value for each in OrdStatus]
        if status is not None and status.upper() not in known:
            raise BadInput(f"--status was {status[:40]!r}; expected one of {', '.join(known)}")
        loaded = shell.load()
        async with open_archive(loaded) as archive:
            if run is not None:
                await known_run(archive.views.queries, run)
            of = canonical_or_none(symbol)
            page = await archive.views.queries.orders(
                run_id=run,
                account_id=account,
                symbol=of,
                ord_status=None if status is None else OrdStatus(status.upper()),
                unknown=unknown,
                open_only=open_only,
                limit=limit,
            )
            denials = await archive.views.queries.denials([row.id for row in page.rows])
            if of is not None and not page.rows:
                await known_symbol(archive, of)
            if account is not None and not page.rows:
                await known_account(archive, account)
        if unknown:
            from tradeloop.cli.unknown import doubts, show

            found = await doubts(loaded, page.rows) if page.rows else []
            voice.result({"orders": [each.document() for each in found]}, lambda out: show(out, found))
            return OK
        voice.result({"orders": order_documents(page.rows, denials)}, lambda out: _show(out, page.rows))
        return OK

    perform(ctx, json, work)


@app.command("submit")
def submit(
    ctx: typer.Context,
    symbol: SymbolWord,
    side: SideWord,
    qty: QtyWord,
    type_: TypeWord = "market",
    price: PriceWord = None,
    stop_price: StopWord = None,
    tif: TifWord = "day",
    strategy: StrategyWord = "",
    approved_by: ApprovedBy = "",
    request_id: Annotated[
        str, typer.Option("--request-id", help="Makes a repeat harmless: the same id answers with the first order.")
    ] = "",
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Send it though an earlier one of symbol and side has no answer, or the same one is at work."
        ),
    ] = False,
    reason: Reason = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Submit one order and follow it until the broker has answered: filled, working, or refused."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.schema import refuse_a_second_writer

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        command = typed_order(
            loaded,
            symbol,
            side,
            qty,
            type_,
            price,
            stop_price,
            tif,
            strategy=strategy,
            approved_by=approved_by,
            request_id=request_id,
            reason=reason,
        )
        await refuse_a_second_writer(loaded, voice.say)
        if not (anyway or request_id):
            await _refuse_a_repeat(loaded, command)
        return await _submitted(voice, loaded, command)

    perform(ctx, json, work)


@app.command("cancel")
def cancel(
    ctx: typer.Context,
    order: OrderId,
    reason: Reason = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Take an order out of the market."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.asking import carried_out
        from tradeloop.core.commands import CancelOrder
        from tradeloop.core.types import ClOrdID

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        command = CancelOrder(ClOrdID(order), loaded.operator, reason)
        return await carried_out(voice, loaded, command, "orders cancel")

    perform(ctx, json, work)


@app.command("resolve")
def resolve(
    ctx: typer.Context,
    order: OrderId,
    as_: Annotated[
        str, typer.Option("--as", help="What became of it: NOT_SENT or CANCELED. Fills are imported, not declared.")
    ],
    reason: Reason,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Say what became of an order whose fate stayed unknown, after asking the broker."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.asking import carried_out
        from tradeloop.core.commands import ResolveOrder
        from tradeloop.core.types import ClOrdID

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        command = ResolveOrder(ClOrdID(order), as_.upper(), loaded.operator, reason)
        return await carried_out(voice, loaded, command, "orders resolve")

    perform(ctx, json, work)


async def _refuse_a_repeat(loaded: Loaded, command: SubmitOrder) -> None:
    """An order that another process left behind goes on by itself: the command again would be a second one. While nobody knows
    its fate, one on other terms is a second one, too; a run's orders are no command's.
    """
    from tradeloop.bootstrap import is_new, read_past

    if await is_new(loaded):
        return
    for order in (await read_past(loaded)).state.orders.open.values():
        near = (order.account, order.symbol, order.side) == (command.account, command.symbol, command.side)
        if not near or order.is_held or order.external or order.halt or order.run_id is not None:
            continue
        if (unanswered := _is_unanswered(order)) or _would_be_again(order, command):
            state = "is of unknown fate" if unanswered else f"is {order.ord_status.value}"
            raise Ended(
                f"order {order.cl_ord_id} ({order.side.value} {order.order_qty:f} {order.symbol}) of an earlier command"
                f" {state}, and it goes on by itself; see `tradeloop orders --open`, let it end with"
                " `tradeloop watch`, and only for a second order give --anyway, or a --request-id of its own",
                UNKNOWN if unanswered else USAGE,
            )


def _would_be_again(order: Order, command: SubmitOrder) -> bool:
    """Whether an order that has not come to rest, at the market or not sent yet, is what the command asks for once more."""
    from tradeloop.core.replacement import Terms
    from tradeloop.core.types import OrdType

    if order.acked_at is not None and order.ord_type is not OrdType.MARKET:
        return False
    asked = (Terms(command.order_qty, command.price, command.stop_px), command.ord_type, command.tif)
    return asked == (order.first_terms or order.terms, order.ord_type, order.tif)


def _is_unanswered(order: Order) -> bool:
    """Whether nobody knows if the broker has it."""
    return order.unknown_at is not None or (order.send_begun_at is not None and order.acked_at is None)


def _interrupted(order: Order) -> Ended:
    """Ctrl-C while an order of this command is open: it is not forgotten, and the command again would be a second one."""
    unanswered = _is_unanswered(order)
    how = "its fate is unknown: look at `tradeloop orders --unknown`" if unanswered else "see `tradeloop orders --open`"
    return Ended(
        f"interrupted; order {order.cl_ord_id} is {order.ord_status.value}, {how}; do not repeat the command, it would be a"
        " second order (with --request-id a repeat answers with the first)",
        UNKNOWN if unanswered else FAILED,
    )


async def _confirmed(voice: Voice, desk: Desk, command: SubmitOrder) -> SubmitOrder:
    """The command with a person's word for it, where a live account asks for one."""
    from msgspec.structs import replace

    from tradeloop.cli.live import CHANGED, confirmed_at, told
    from tradeloop.core.risk.live import frozen_order
    from tradeloop.core.staging import in_the_way, intent_of

    def shown(px: Px | None = None) -> Frozen | None:
        around, now = desk.engine.around, desk.clock.now()
        return frozen_order(desk.state, around, *intent_of(desk.state, around, command, now), now, px)

    def why_not(seen: Frozen) -> Denied | None:
        return in_the_way(desk.state, desk.engine.around, command, seen, desk.clock.now())

    def stands(seen: Frozen) -> bool:
        return shown(seen.px) is not None and why_not(seen) is None

    while True:
        frozen = None if desk.state.was_asked(command.request_id) else shown()
        if frozen is None or why_not(frozen) is not None:
            return command  # it needs nobody's word, or is denied whatever anybody says
        for line in told(frozen):
            voice.say(line)
        word = await confirmed_at(voice, desk, frozen, partial(stands, frozen))
        if word is not None:
            return replace(command, confirmed=word)
        voice.say(CHANGED)


async def _submitted(voice: Voice, loaded: Loaded, command: SubmitOrder) -> int:
    from tradeloop.cli.denial import denied_document
    from tradeloop.cli.stops import stops_worked
    from tradeloop.cli.waits import ready, worked
    from tradeloop.cli.working import working_desk
    from tradeloop.core.replies import OrderReply

    symbols: list[Symbol] = [command.symbol]
    prices: dict[Symbol, Px] = {} if command.price is None else {command.symbol: command.price}
    async with working_desk(loaded, voice, "orders submit", symbols=symbols, prices=prices) as desk:
        await ready(desk)
        await desk.quoted(symbols)
        command = await _confirmed(voice, desk, command)
        before = set(desk.state.orders.open)
        try:
            reply = await desk.engine.ask(command)
        except asyncio.CancelledError:
            for order in desk.state.orders.open.values():
                if order.cl_ord_id not in before and order.symbol == command.symbol:
                    raise _interrupted(order) from None
            raise
        assert isinstance(reply, OrderReply)
        if reply.denied is not None:
            denied = reply.denied
            replayed = "; this request id met that before, and nothing was looked at anew: ask with another one"
            voice.say(f"denied: {denied.text}{replayed if reply.repeat else ''}")
            named = {"order": reply.cl_ord_id, "status": "DENIED", "rule": denied.rule, "text": denied.text}
            document = named | ({"repeat": True} if reply.repeat else {})
            voice.result(document | {"denied": denied_document(denied)}, lambda _: None)
            return DENIED

        def standing() -> Order:
            found = desk.state.orders.get(reply.cl_ord_id)
            assert found is not None
            return found

        def answered() -> bool:
            order = standing()
            if order.is_done or order.is_held:
                return True
            # A market order is at its end when it has traded; a limit order may stand for the whole day.
            return order.acked_at is not None and order.price is not None

        try:
            await worked(desk, answered, lambda order: order.cl_ord_id == reply.cl_ord_id)
        except asyncio.CancelledError:
            if standing().is_done:
                raise
            raise _interrupted(standing()) from None
        await stops_worked(desk, voice)
        await desk.reconcile()
        await desk.views_caught_up()
        row = await desk.views.queries.order(reply.cl_ord_id)
        denials = await desk.views.queries.denials([reply.cl_ord_id])
    assert row is not None
    return _told(voice, row, denials, repeat=reply.repeat)


def _told(voice: Voice, row: OrderRow, denials: dict[str, DenialRow], *, repeat: bool) -> int:
    from tradeloop.cli.denial import order_documents

    if repeat:
        voice.say(f"order {row.id} exists under this request id; nothing was sent")
    warnings = _warnings(row)
    for warning in warnings:
        voice.say(f"warning: {warning}")
    document = {"order": order_documents([row], denials)[0], "repeat": repeat, "warnings": warnings}
    voice.result(document, lambda out: _show(out, [row]))
    if row.unknown_at is not None and row.is_open:
        return UNKNOWN
    return FAILED if row.ord_status in ("REJECTED", "DENIED") else OK


def _warnings(row: OrderRow) -> list[str]:
    """That what stands is looked after only while a process runs."""
    if not row.is_open or row.unknown_at is not None:
        return []
    what = "its stop is watched" if row.stop_px is not None and row.triggered_at is None else "it can be filled"
    return [f"order {row.id} stands, and {what} only while a process of tradeloop runs; keep `tradeloop watch` running"]


def _show(out: Any, rows: list[OrderRow]) -> None:
    from tradeloop.cli import words
    from tradeloop.cli.record import ended_because

    numbers = (">filled", ">?avg price", ">?fees")
    words.table(
        out,
        "Orders",
        (
            "order",
            "side",
            ">quantity",
            "symbol",
            "?type",
            ">?price",
            ">?stop",
            "status",
            *numbers,
            "?at",
            "?run",
            "?approved by",
            "~text",
        ),
        [
            (
                row.id,
                row.side,
                words.qty(row.qty),
                row.symbol,
                row.ord_type,
                words.px(row.price),
                words.px(row.stop_px),
                row.ord_status,
                words.qty(row.cum_qty),
                words.px(row.avg_px),
                words.money(row.commission),
                words.moment(row.staged_at),
                row.trade_run_id or "",
                row.approved_by,
                ended_because(row),
            )
            for row in rows
        ],
    )
