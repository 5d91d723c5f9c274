"""`tradeloop runs`: what runs there are, and what a person may do to one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import AccountOf, By, Feed, Json, Limit, Reason, Speed, Start, feed_settings
from tradeloop.cli.shell import DENIED, OK, Ended, Shell, Voice, perform

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.bootstrap.confirming import Typed
    from tradeloop.config import Loaded
    from tradeloop.core.commands import ApproveRun, ResumeRun
    from tradeloop.core.run_book import Run
    from tradeloop.core.types import RunID, Symbol

app = typer.Typer(help="Runs: list, show, approve, pause, resume, cancel, retry.", no_args_is_help=True)
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, as `tradeloop runs list` shows it.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option("--status", help="Only those that stand so, such as RUNNING.")] = None,
    account: AccountOf = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List runs, newest first."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli import words
        from tradeloop.cli.known import known_account
        from tradeloop.cli.record import plain_rows
        from tradeloop.core.errors import BadInput
        from tradeloop.core.types import RunStatus
        from tradeloop.views.runs import strategy_of

        known = [each.value for each in RunStatus]
        if status is not None and status.upper() not in known:
            raise BadInput(f"--status was {status[:40]!r}; expected one of {', '.join(known)}")
        wanted = None if status is None else RunStatus(status.upper())
        async with open_archive(shell.load()) as archive:
            rows = (await archive.views.queries.runs(status=wanted, account_id=account, limit=limit)).rows
            if account is not None and not rows:
                await known_account(archive, account)
        shown = [
            {name: value for name, value in plain.items() if name != "params"} | {"strategy_id": strategy_of(row)}
            for row, plain in zip(rows, plain_rows(rows), strict=True)
        ]
        headings = (
            "run",
            "status",
            "trade date",
            "?project",
            "?strategy",
            "?mode",
            "?account",
            ">?equity",
            "?made at",
            "?by",
            "~what is left",
        )
        voice.result(
            {"runs": shown},
            lambda out: words.table(
                out,
                "Runs",
                headings,
                [
                    (
                        row.id,
                        f"{row.status} {row.code}".strip(),
                        row.trade_date,
                        row.project_id,
                        strategy_of(row),
                        row.mode,
                        row.account_id,
                        f"{words.money(row.equity)} {row.currency}",
                        words.moment(row.requested_at),
                        row.created_by,
                        row.error if row.todo != "[]" else "",
                    )
                    for row in rows
                ],
            ),
        )
        return OK

    perform(ctx, json, work)


@app.command("show")
def show(ctx: typer.Context, run: RunId, json: Json = False) -> None:
    """Show a run: its lines and what became of them, positions, cash, breaks, files."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.run_result import show_from_archive

        async with open_archive(shell.load()) as archive:
            await show_from_archive(voice, archive, run)
        return OK

    perform(ctx, json, work)


@app.command("retry")
def retry(
    ctx: typer.Context,
    run: RunId,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Make a new attempt at what a run that ended left over, in your name."""

    async def work(shell: Shell, voice: Voice) -> int:
        return await _again(shell, voice, run, {"operator": by, **feed_settings(feed, speed, start)})

    perform(ctx, json, work)


@app.command("approve")
def approve(
    ctx: typer.Context,
    run: RunId,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Let a run that waits for approval go, and work it to its end."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.commands import ApproveRun
        from tradeloop.core.types import RunID

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        return await _goes_on(voice, loaded, ApproveRun(RunID(run), loaded.operator), "approve")

    perform(ctx, json, work)


@app.command("resume")
def resume(
    ctx: typer.Context,
    run: RunId,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Go on with a paused run, and work it to its end."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.commands import ResumeRun
        from tradeloop.core.types import RunID

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        return await _goes_on(voice, loaded, ResumeRun(RunID(run), loaded.operator), "resume")

    perform(ctx, json, work)


@app.command("pause")
def pause(
    ctx: typer.Context,
    run: RunId,
    reason: Reason = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Send no further orders of a run; what works goes on working."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.asking import carried_out
        from tradeloop.core.commands import PauseRun
        from tradeloop.core.types import RunID

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        return await carried_out(voice, loaded, PauseRun(RunID(run), loaded.operator, reason), "runs pause")

    perform(ctx, json, work)


@app.command("cancel")
def cancel(
    ctx: typer.Context,
    run: RunId,
    reason: Reason = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Send no further orders of a run and cancel what works; what is filled stays filled."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.asking import carried_out
        from tradeloop.core.commands import CancelRun
        from tradeloop.core.types import RunID

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        return await carried_out(voice, loaded, CancelRun(RunID(run), loaded.operator, reason), "runs cancel")

    perform(ctx, json, work)


async def _goes_on(voice: Voice, loaded: Loaded, command: ApproveRun | ResumeRun, name: str) -> int:
    """A run that a command sets going: in the process that trades here, or in this one, to its end."""
    from tradeloop.cli.asking import tell, there_or_here
    from tradeloop.cli.control import Answer, ask_the_writer
    from tradeloop.cli.known import refuse
    from tradeloop.cli.progress import RunProgress
    from tradeloop.cli.run_result import follow_run
    from tradeloop.cli.waits import opened, ready
    from tradeloop.cli.working import working_desk
    from tradeloop.core.commands import ApproveRun

    async def here() -> int:
        symbols = await _symbols_of(loaded, command.run_id)
        look = partial(refuse, command=command)
        async with working_desk(loaded, voice, f"runs {name}", symbols=symbols, look=look, leaves_files=False) as desk:
            await ready(desk)
            await desk.quoted(symbols)
            await opened(desk, voice, symbols)
            going = await _with_a_word(voice, desk, command) if isinstance(command, ApproveRun) else command
            with RunProgress(voice, desk, command.run_id):
                await desk.engine.ask(going)
                return await follow_run(voice, desk, command.run_id)

    async def there(answer: Answer) -> int:
        return tell(voice, answer)

    async def ask() -> Answer | None:
        from tradeloop.cli.control import ask_with_a_word

        if not isinstance(command, ApproveRun) or await ask_the_writer(loaded.home.socket, None) is None:
            return await ask_the_writer(loaded.home.socket, command)
        typed = await _typed_here(voice, loaded, command)
        if typed is None:
            return await ask_the_writer(loaded.home.socket, command)
        return await ask_with_a_word(loaded.home.socket, command, typed)

    return await there_or_here(ask, there, here)


async def _with_a_word(voice: Voice, desk: Desk, command: ApproveRun) -> ApproveRun:
    """The approval with a person's word for the plan, where the account is live and the run waits."""
    from msgspec.structs import replace

    from tradeloop.cli.live import confirmed_at
    from tradeloop.core.run.conduct import refuse_to_go
    from tradeloop.core.run.confirming import plan_of
    from tradeloop.core.types import Mode

    run = desk.state.runs.get(command.run_id)
    if run is None or run.created.mode is not Mode.LIVE or run.started_at is not None:
        return command
    refuse_to_go(desk.state, desk.engine.around, run, desk.clock.now())
    _tell_plan(voice, run)
    frozen = plan_of(desk.state, desk.engine.around, run)
    return replace(command, confirmed=await confirmed_at(voice, desk, frozen))


async def _typed_here(voice: Voice, loaded: Loaded, command: ApproveRun) -> Typed | None:
    """What a person types for a run of the process that trades here, which looks at it; None where it asks for nothing."""
    from tradeloop.bootstrap import policy_of, read_past
    from tradeloop.cli.known import refuse
    from tradeloop.cli.live import asked_of_a_person
    from tradeloop.core.run.confirming import plan_of
    from tradeloop.core.surroundings import Surroundings
    from tradeloop.core.types import Mode

    state = (await read_past(loaded)).state
    refuse(state, command)
    run = state.runs[command.run_id]
    if run.created.mode is not Mode.LIVE or run.started_at is not None:
        return None
    _tell_plan(voice, run)
    frozen = plan_of(state, Surroundings(policy_of(loaded, 1.0), {}), run)
    return await asked_of_a_person(voice, loaded, frozen, run.created.account)


def _tell_plan(voice: Voice, run: Run) -> None:
    """What is to be confirmed, order by order."""
    for line in run.created.lines:
        if line.order_qty:
            planned = "" if line.ref_px is None else f", planned at {line.ref_px:f}"
            voice.say(f"  {line.side.value} {line.order_qty:f} {line.symbol} at the market{planned}")


async def _again(shell: Shell, voice: Voice, run: str, given: dict[str, object]) -> int:
    from tradeloop.cli.progress import RunProgress
    from tradeloop.cli.run_result import follow_run
    from tradeloop.cli.waits import opened, ready
    from tradeloop.cli.working import working_desk
    from tradeloop.core.commands import RetryRun
    from tradeloop.core.replies import RunReply
    from tradeloop.core.types import RunID, RunStatus

    loaded = shell.load(**given)
    symbols = await _symbols_of(loaded, RunID(run))
    async with working_desk(loaded, voice, "runs retry", symbols=symbols, leaves_files=False) as desk:
        await ready(desk)
        await desk.quoted(symbols)
        await opened(desk, voice, symbols)
        prices = desk.seen_prices([*symbols, *desk.held_symbols()])
        was = desk.state.runs.get(RunID(run))
        following = RunID(f"{run.rpartition('-')[0]}-{was.created.attempt + 1}") if was is not None else RunID(run)
        with RunProgress(voice, desk, following):
            reply = await desk.engine.ask(RetryRun(RunID(run), loaded.operator, prices))
            assert isinstance(reply, RunReply)
            if reply.run_id is None:
                for failed in reply.failed:
                    voice.say(f"denied: {failed}")
                raise Ended(f"the retry of run {run} is denied; nothing was sent", DENIED)
            if was is not None:
                voice.say(
                    "the retry works what is left of its decision: the weights of the first attempt and its equity,"
                    f" {was.created.equity:,.2f} {was.created.currency}, not those of now"
                )
            if reply.status is RunStatus.NEW:
                voice.say(f"run {reply.run_id} waits for your word: confirm it with `tradeloop runs approve {reply.run_id}`")
            return await follow_run(voice, desk, reply.run_id)


async def _symbols_of(loaded: Loaded, run_id: RunID) -> list[Symbol]:
    """What a run trades. Raises BadInput when it is not known."""
    from tradeloop.bootstrap import is_new, read_past
    from tradeloop.cli.known import run_of
    from tradeloop.core.state import State

    found = run_of(State() if await is_new(loaded) else (await read_past(loaded)).state, run_id)
    return list(dict.fromkeys(leg.line.symbol for leg in found.legs))
