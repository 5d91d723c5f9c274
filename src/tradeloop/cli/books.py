"""`tradeloop fills`, `positions`, `account`, `reconcile`: what was traded, what is held, and whether everybody agrees."""

from __future__ import annotations

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
from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console


def fills(
    ctx: typer.Context,
    run: RunOf = None,
    symbol: SymbolOf = None,
    account: AccountOf = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List fills, newest first; busted and corrected ones too."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli import words
        from tradeloop.cli.record import plain_rows

        async with open_archive(shell.load()) as archive:
            rows = (
                await archive.views.queries.fills(run_id=run, account_id=account, symbol=canonical_or_none(symbol), limit=limit)
            ).rows
        headings = ("at", "side", ">quantity", "symbol", ">price", ">?fee", "?kind", "order", "?execution", "?run")
        voice.result(
            {"fills": plain_rows(rows)},
            lambda out: words.table(
                out,
                "Fills",
                headings,
                [
                    (
                        words.moment(row.fill_time),
                        row.side,
                        words.qty(row.fill_qty),
                        row.symbol,
                        words.px(row.fill_price),
                        words.money(row.commission),
                        row.exec_type,
                        row.trade_order_id,
                        row.exec_id,
                        row.trade_run_id or "",
                    )
                    for row in rows
                ],
            ),
        )
        return OK

    perform(ctx, json, work)


def positions(
    ctx: typer.Context,
    symbol: SymbolOf = None,
    account: AccountOf = None,
    flat: Annotated[bool, typer.Option("--flat", help="Show what is not held any more, too.")] = False,
    json: Json = False,
) -> None:
    """Show what is held."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.record import plain_rows
        from tradeloop.cli.run_tables import show_positions

        async with open_archive(shell.load()) as archive:
            rows = await archive.views.queries.positions(account_id=account, symbol=canonical_or_none(symbol), flat=flat)
        document = {"positions": [_without_book(row) for row in plain_rows(rows)]}
        voice.result(document, lambda out: show_positions(out, rows))
        return OK

    perform(ctx, json, work)


def account(
    ctx: typer.Context,
    account: AccountOf = None,
    json: Json = False,
) -> None:
    """Show cash: balance, what is free, what orders reserve, profit and fees."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.record import plain_rows
        from tradeloop.cli.run_tables import show_accounts

        async with open_archive(shell.load()) as archive:
            rows = await archive.views.queries.accounts(account_id=account)
        document = {"accounts": [_without_book(row) for row in plain_rows(rows)]}
        voice.result(document, lambda out: show_accounts(out, rows))
        return OK

    perform(ctx, json, work)


def reconcile(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Option("--run", help="Compare with the target of this run; otherwise the newest.")] = None,
    accept: Annotated[
        str | None, typer.Option("--accept", help="Let our books take the broker's figure for this break.")
    ] = None,
    reason: Reason = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Compare our books with the broker's and with the target, now; exit code 1 while something is unexplained."""

    async def work(shell: Shell, voice: Voice) -> int:
        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        return await _reconciled(voice, loaded, run, accept, reason)

    perform(ctx, json, work)


async def _reconciled(voice: Voice, loaded: Any, run: str | None, accept: str | None, reason: str) -> int:
    from decimal import Decimal

    from tradeloop.cli.record import read_record
    from tradeloop.cli.run_tables import break_rows, show_reconciliation, unexplained
    from tradeloop.cli.working import working_desk
    from tradeloop.core.commands import RepairBreak

    async with working_desk(loaded, voice, "reconcile") as desk:
        await desk.ready()
        await desk.reconcile()
        if accept is not None:
            await desk.engine.ask(RepairBreak(accept, loaded.operator, reason))
            await desk.reconcile()
        await desk.views_caught_up()
        queries, now = desk.views.queries, desk.clock.now()
        newest = (await queries.runs(account_id=desk.account, limit=1)).rows
        run_id = run or (newest[0].id if newest else None)
        if run_id is None:
            found = (await queries.breaks(account_id=desk.account)).rows
            document = {"run": None, "breaks": [each.id for each in found], "unexplained_breaks": len(found)}
            voice.result(document, lambda out: out.print(f"no run yet; {len(found)} breaks with the broker"))
            return FAILED if found else OK
        held = {str(symbol): Decimal(each.net_qty) for symbol, each in desk.state.positions.get(desk.account, {}).items()}
        record = await read_record(queries, run_id, held=held)
    lines = record.target_lines()
    breaks = break_rows(record, lines, now)

    def show(out: Console) -> None:
        out.print(f"against the target of run {record.run.id} ({record.run.status})")
        show_reconciliation(out, record, lines, now)

    voice.result({"run": record.run.id, "breaks": breaks, "unexplained_breaks": unexplained(breaks)}, show)
    return FAILED if unexplained(breaks) else OK


def _without_book(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("book", None)
    return row
