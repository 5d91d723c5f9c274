"""`tradeloop fills`, `positions`, `account`, `reconcile`: what was traded, what is held, and whether everybody agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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

    from tradeloop.bootstrap import Desk
    from tradeloop.cli.record import Record
    from tradeloop.views.sql import SqlViews


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
        from tradeloop.cli.known import known_account, known_symbol
        from tradeloop.cli.record import known_run, plain_rows

        async with open_archive(shell.load()) as archive:
            if run is not None:
                await known_run(archive.views.queries, run)
            of = canonical_or_none(symbol)
            rows = (await archive.views.queries.fills(run_id=run, account_id=account, symbol=of, limit=limit)).rows
            if of is not None and not rows:
                await known_symbol(archive, of)
            if account is not None and not rows:
                await known_account(archive, account)
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
        from tradeloop.cli.known import known_account, known_symbol
        from tradeloop.cli.record import plain_rows
        from tradeloop.cli.run_tables import show_positions

        async with open_archive(shell.load()) as archive:
            of = canonical_or_none(symbol)
            rows = await archive.views.queries.positions(account_id=account, symbol=of, flat=flat)
            if of is not None and not rows:
                await known_symbol(archive, of)
            if account is not None and not rows:
                await known_account(archive, account)
        document = {"positions": [_without_book(row) for row in plain_rows(rows)]}
        voice.result(document, lambda out: show_positions(out, rows))
        return OK

    perform(ctx, json, work)


def account(
    ctx: typer.Context,
    account: AccountOf = None,
    json: Json = False,
) -> None:
    """Show cash: balance, what is free, what orders reserve, profit and fees; and the symbols that are halted."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.known import known_account
        from tradeloop.cli.record import every, plain_rows
        from tradeloop.cli.run_tables import show_accounts
        from tradeloop.views.queries import PAGE_MAX
        from tradeloop.views.wanted import overfill_alert

        async with open_archive(shell.load()) as archive:
            queries = archive.views.queries
            rows = await queries.accounts(account_id=account)
            if account is not None and not rows:
                await known_account(archive, account)
            troubles = await every(lambda before: queries.alerts(before=before, limit=PAGE_MAX))
        halted = [each for each in troubles if each.id == overfill_alert(each.subject)]

        def show(out: Console) -> None:
            show_accounts(out, rows)
            for each in halted:
                out.print(f"halted: {each.text}; `tradeloop symbols release {each.subject} --reason …`", soft_wrap=True)

        document = {
            "accounts": [_without_book(row) for row in plain_rows(rows)],
            "halted": [{"symbol": each.subject, "why": each.text} for each in halted],
        }
        voice.result(document, show)
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
    from tradeloop.bootstrap import open_archive
    from tradeloop.cli.asking import there_or_here
    from tradeloop.cli.control import Answer, ask_the_writer, ask_to_reconcile
    from tradeloop.cli.run_result import at_prices
    from tradeloop.cli.waits import ready
    from tradeloop.cli.working import working_desk
    from tradeloop.core.commands import RepairBreak
    from tradeloop.engine.clock import WallClock

    async def ask() -> Answer | None:
        answer = await ask_to_reconcile(loaded.home.socket)
        if answer is not None and answer.ok and accept is not None:
            answer = await ask_the_writer(loaded.home.socket, RepairBreak(accept, loaded.operator, reason))
        return answer

    async def there(_: Answer) -> int:
        async with open_archive(loaded) as archive:
            is_of_the_world = (await archive.recovered()).state.clock == "wall"
            now = WallClock().now() if is_of_the_world else None
            drift = loaded.settings.engine.max_drift
            return await _told(
                voice,
                archive.views,
                loaded.settings.broker.account,
                run,
                now,
                look=lambda found: replace(found, max_drift=drift),
            )

    async def here() -> int:
        async with working_desk(loaded, voice, "reconcile") as desk:
            await ready(desk)
            await desk.reconcile()
            if accept is not None:
                await desk.engine.ask(RepairBreak(accept, loaded.operator, reason))
                await desk.reconcile()
            await desk.views_caught_up()
            stale = _stale(desk)
            return await _told(
                voice,
                desk.views,
                desk.account,
                run,
                desk.clock.now(),
                look=lambda found: replace(at_prices(found, desk), stale=stale),
            )

    return await there_or_here(ask, there, here)


def _stale(desk: Desk) -> dict[str, int]:
    """When the newest price came of each symbol whose price is too old to trade on; one that has none yet may get it."""
    from tradeloop.bootstrap import quote_age_ns

    now, limit = desk.clock.now(), quote_age_ns(desk.loaded.settings)
    newest = ((symbol, desk.latest.get(symbol)) for symbol in desk.state.instruments)
    return {symbol: quote.at for symbol, quote in newest if quote is not None and now - quote.at > limit}


async def _told(
    voice: Voice,
    views: SqlViews,
    account_id: str,
    run: str | None,
    now: int | None = None,
    *,
    look: Callable[[Record], Record],
) -> int:
    """The reconciliation as the read models have it; without `now` the age of a break counts to the newest fact. `look` adds
    what is known of the market.
    """
    from tradeloop.cli.record import read_with_held
    from tradeloop.cli.run_tables import break_rows, broker_break_rows, show_breaks, show_reconciliation, unexplained

    queries = views.queries
    newest = (await queries.runs(account_id=account_id, limit=1)).rows
    run_id = run or (newest[0].id if newest else None)
    if run_id is None:
        found = (await queries.breaks(account_id=account_id, limit=500)).rows
        age_to = now if now is not None else max((each.changed_at for each in found), default=0)
        with_broker = broker_break_rows(found, age_to)
        document = {"run": None, "breaks": with_broker, "unexplained_breaks": len(found)}
        title = "Reconciliation, ours against the broker's; no run yet"
        voice.result(document, lambda out: show_breaks(out, title, with_broker))
        return FAILED if found else OK
    record = look(await read_with_held(views, run_id, newest_only=False))
    now = now if now is not None else max([record.run.updated_at, *(order.updated_at for order in record.orders)])
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
