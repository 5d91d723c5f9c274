"""`tradeloop run`: a target portfolio becomes positions, or, without a yes, a plan that is shown and not sent.

A dry-run is the default: on a terminal the plan is followed by a question, elsewhere only `--yes` sends. The same portfolio
again is the same run: one that ended is shown, one that a crash interrupted goes on by itself to its end.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from tradeloop.cli.options import By, Feed, Json, Speed, Start, feed_settings
from tradeloop.cli.shell import DENIED, OK, Ended, Shell, Voice, perform

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.config import Loaded
    from tradeloop.core.commands import StartRun
    from tradeloop.core.confirmation import Frozen
    from tradeloop.core.run.conduct import Preview
    from tradeloop.core.run_book import Run
    from tradeloop.core.types import RunID
    from tradeloop.targets.target import Target

DEMO_SPEED: Final = 60.0
_FAR: Final = Decimal("0.2")
"""How far a price of the file may be from the market without a word."""
_WAIT_FOR_QUOTES: Final = frozenset({"no_prices", "stale_prices", "equity_unknown"})
"""What denies a run at the open of a session alone, until its first quotes have come."""
_DEMO_SETTINGS: Final = """\
# Written by `tradeloop run --demo`, so that other commands find the demo's quotes.
feed:
  kind: demo
  speed: 60
"""


def run(
    ctx: typer.Context,
    portfolio: Annotated[Path | None, typer.Argument(help="The target: CSV with ts_code (or code) and weight.")] = None,
    context: Annotated[
        Path | None, typer.Option("--context", help="The decision: execution_context.json; otherwise today, made by hand.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Trade the demo portfolio on recorded quotes, in a home of its own; implies --yes.")
    ] = False,
    broker: Annotated[Literal["paper", "toy"] | None, typer.Option("--broker", help="Which kind of broker.")] = None,
    rounding: Annotated[
        Literal["floor_to_lot", "half_up"] | None, typer.Option("--rounding", help="How weights become quantities.")
    ] = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send the orders without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and send nothing.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Make the run and let it wait for `tradeloop runs approve`.")] = False,
    strategy: Annotated[
        str, typer.Option("--strategy", help="The strategy that the orders belong to; its limits and halts concern them.")
    ] = "",
    by: By = None,
    json: Json = False,
) -> None:
    """Turn a target portfolio into positions. Shows the plan; sends only after a yes (--yes, or the answer on a terminal)."""
    given = {"broker__kind": broker, "run__rounding": rounding, "operator": by, **feed_settings(feed, speed, start)}

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.targets.target import of_strategy

        if dry_run and (yes or demo):
            raise Ended(f"--dry-run and {'--yes' if yes else '--demo'} contradict each other; give one of them", 2)
        if demo and (feed is not None or start is not None or context is not None):
            raise Ended("--demo brings its own context, quotes and clock; leave --context, --feed and --start away", 2)
        if (portfolio is None) is not demo:
            raise Ended("expected a portfolio file, or --demo without one; was " + ("both" if demo else "neither"), 2)
        wish = _demo(shell, given) if demo else _asked(shell, given, portfolio, context)
        wish = replace(wish, target=of_strategy(wish.target, strategy))
        return await _Trade(wish, voice, yes=yes or demo, dry_run=dry_run, hold=hold).work()

    perform(ctx, json, work, repeatable=True)


@dataclass
class _Now:
    """What a person was shown, or the same as of now."""

    command: StartRun
    seen: Preview


@dataclass(frozen=True)
class _Wish:
    """What is to be traded, and where."""

    target: Target
    loaded: Loaded
    demo: bool = False


def _asked(shell: Shell, given: dict[str, Any], portfolio: Path | None, context: Path | None) -> _Wish:
    from tradeloop.targets.target import read_target

    assert portfolio is not None
    return _Wish(read_target(portfolio, context), shell.load(**given))


def _demo(shell: Shell, given: dict[str, Any]) -> _Wish:
    """The packaged portfolio in a home inside the home, so that it never meets anything real."""
    from tradeloop.feeds.demo import demo_context, demo_portfolio
    from tradeloop.targets.target import read_target

    alone, own = demo_home(shell)
    given = given | own | {"feed__kind": "demo", "feed__speed": given["feed__speed"] or DEMO_SPEED}
    return _Wish(read_target(demo_portfolio(), demo_context()), alone.load(**given), demo=True)


def demo_home(shell: Shell) -> tuple[Shell, dict[str, object]]:
    """The demo's home, made where it is not there yet, and the settings that keep it apart from everything else."""
    from tradeloop.config import find_home

    home = find_home(shell.home).inside("demo")
    home.prepare()
    settings = home.config / "tradeloop.yaml"
    if not settings.exists():
        _write_whole(settings, _DEMO_SETTINGS)
    return Shell(home.data, shell.debug), {"database__url": f"sqlite:///{home.database}"}


def _write_whole(path: Path, text: str) -> None:
    """The file with all of `text` or no file: an empty one would stand for settings that say nothing."""
    from tradeloop.core.errors import JournalFailed

    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise JournalFailed(
            f"{path} could not be written ({error.strerror or error}); free space on the disk and make its folder writable"
        ) from error


class _Trade:
    """One `tradeloop run`, from the files to the last table."""

    def __init__(self, wish: _Wish, voice: Voice, *, yes: bool, dry_run: bool, hold: bool) -> None:
        self._target = wish.target
        self._loaded = wish.loaded
        self._demo = wish.demo
        self._voice = voice
        self._yes = yes
        self._dry_run = dry_run
        self._hold = hold

    async def work(self) -> int:
        """The exit code."""
        from tradeloop.bootstrap import Listing, NoTradingThen
        from tradeloop.core.errors import BadInput

        ended = None if self._dry_run else await self._known_and_ended()
        if ended is not None:
            return await self._show_again(ended)
        if self._yes and self._loaded.settings.feed.kind == "none":
            raise Ended(
                "a run that sends orders needs quotes, and no feed is configured;"
                " give --feed demo, --feed synthetic or a recording, or leave --yes away for a dry-run",
                2,
            )
        try:
            code = await self._in_a_copy()
            if code is None:
                code = await self._at_a_desk(self._loaded)
            assert code is not None
        except BadInput as error:
            session_of = Listing(self._loaded.settings).session_of
            raise self._target.with_file(error, session_of, is_of_the_day=isinstance(error, NoTradingThen)) from error
        return code

    @property
    def _is_dry(self) -> bool:
        """Whether nothing will be sent, whatever the plan is."""
        return self._dry_run or not (self._yes or self._may_ask())

    async def _in_a_copy(self) -> int | None:
        """What is not sent is planned in a copy of the books, so that nothing of them changes: a dry-run, and what would be
        denied on a later day of a recording than the books stand in, whose time would not go back. None where it has to be
        done in the books themselves.
        """
        from tradeloop.bootstrap import can_rehearse, rehearsal
        from tradeloop.cli.schema import refuse_a_second_writer

        if not can_rehearse(self._loaded) or not (self._is_dry or await self._is_of_a_later_day()):
            return None
        await refuse_a_second_writer(self._loaded, self._voice.say)
        async with rehearsal(self._loaded) as copy:
            return await self._at_a_desk(copy, in_a_copy=True)

    async def _is_of_a_later_day(self) -> bool:
        """Whether this is a run of a recording, of a later day than any that the books have opened."""
        from tradeloop.bootstrap import is_new, read_past

        day = self._target.trade_date
        if day is None or self._loaded.settings.feed.kind not in ("demo", "replay") or await is_new(self._loaded):
            return False
        opened = [hours.trading_day for hours in (await read_past(self._loaded)).state.hours.values()]
        return bool(opened) and day > max(opened)

    async def _at_a_desk(self, loaded: Loaded, *, in_a_copy: bool = False) -> int | None:
        from tradeloop.cli.waits import opened, ready
        from tradeloop.cli.working import working_desk

        async with working_desk(
            loaded,
            self._voice,
            "run",
            symbols=self._target.symbols,
            prices=self._target.prices,
            trade_date=self._target.trade_date,
            is_a_copy=in_a_copy,
            leaves_files=False,
        ) as desk:
            await ready(desk)
            if self._loaded.settings.feed.kind == "synthetic":
                self._voice.say("warning: the quotes of this run are made up (--feed synthetic)")
            unpriced = [each for each in self._target.symbols if each not in self._target.prices]
            missing = await desk.quoted(unpriced)
            if self._is_dry or not in_a_copy:
                await opened(desk, self._voice, self._target.symbols)
            if missing and desk.feed is not None:
                self._voice.say(f"warning: no quote has come of {', '.join(missing)}")
            return await self._on(desk, in_a_copy=in_a_copy)

    async def _on(self, desk: Desk, *, in_a_copy: bool) -> int | None:
        from tradeloop.core.replies import RunReply
        from tradeloop.core.state import run_key

        cmd = self._command(desk, sent=True)
        known = desk.state.run_keys.get(
            run_key(cmd.project_id, cmd.decision_snapshot_id, cmd.mode.value, cmd.trade_date, cmd.account)
        )
        if known is not None and not self._dry_run:
            return None if in_a_copy else await self._take_up(desk, cmd, known)
        dry = self._is_dry
        shown = self._command(desk, sent=not dry)
        seen = desk.engine.preview(shown)
        if in_a_copy and not dry and all(finding.code in _WAIT_FOR_QUOTES for finding in seen.findings):
            return None
        if seen.findings and (in_a_copy or not self._yes):
            return self._denied(desk, shown, seen)
        if seen.findings:
            reply = await desk.engine.ask(shown)
            if isinstance(reply, RunReply) and reply.run_id is None:
                return self._denied(desk, shown, seen)
            return await self._follow(desk, shown)  # what was in the way has gone, such as a session that opened
        self._show_plan(desk, shown, seen)
        self._warn_of_far_prices(desk, seen)
        self._warn_of_breaks(desk)
        if not dry and self._is_live(shown):
            return await self._live(desk, shown, seen)
        if dry or not (self._yes or await self._confirmed(desk, shown, seen)):
            return self._unsent(desk, shown, seen)
        await self._voice.begin()  # the plan stands above the orders that it becomes; nothing has been sent yet
        # It is looked at once more where it is decided: this plan was shown, that one counts. A market that shut denies it.
        return await self._follow(desk, self._of_now(desk, shown))

    def _of_now(self, desk: Desk, shown: StartRun) -> StartRun:
        """The command that was shown, or where its prices are too old by now the same at those of now."""
        stale = any(desk.clock.now() - price.at > shown.limits.max_quote_age_ns for price in shown.prices)
        return self._command(desk, sent=True) if stale else shown

    async def _live(self, desk: Desk, shown: StartRun, seen: Preview) -> int:
        """A person's word for exactly this plan; `--yes` does not stand in for it. A plan that has changed by the time that the
        words stand there is shown again, and asks again: no code is spent on it.
        """
        from msgspec.structs import replace as with_word

        from tradeloop.cli.live import CHANGED, confirmed_at

        while True:
            frozen = self._frozen(desk, shown, seen)
            now = _Now(shown, seen)

            def stands(asked: Frozen = frozen, now: _Now = now) -> bool:
                now.command = self._of_now(desk, now.command)
                now.seen = desk.engine.preview(now.command)
                return not now.seen.findings and self._frozen(desk, now.command, now.seen).content == asked.content

            confirmed = await confirmed_at(self._voice, desk, frozen, stands)
            shown, seen = now.command, now.seen
            if confirmed is not None:
                await self._voice.begin()
                return await self._follow(desk, with_word(shown, confirmed=confirmed))
            if seen.findings:
                return self._denied(desk, shown, seen)
            self._voice.say(f"{CHANGED}; --hold gives time: what waits for `tradeloop runs approve` stays as it is")
            self._show_plan(desk, shown, seen)

    # --- before

    async def _known_and_ended(self) -> Run | None:
        """The run this command made before, if it is at its end; nothing is started to find out."""
        from tradeloop.bootstrap import is_new, read_past
        from tradeloop.bootstrap.brokers import mode_here
        from tradeloop.core.run.conduct import ENDED
        from tradeloop.core.state import run_key

        context = self._target.context
        if context is None or await is_new(self._loaded):
            return None  # without a context the clock decides which day, and which run, this is
        state = (await read_past(self._loaded)).state
        account = self._loaded.settings.broker.account
        mode = mode_here(self._loaded, state)
        key = run_key(context.project_id, context.decision_snapshot_id, mode.value, context.trade_date, account)
        known = state.run_keys.get(key)
        found = None if known is None else state.runs[known]
        same = found is not None and found.status in ENDED and found.created.content_hash == self._content_hash()
        return found if same else None

    def _content_hash(self) -> str:
        from tradeloop.targets.target import content_hash

        return content_hash(self._target, self._loaded.settings.run.rounding.value)

    async def _show_again(self, ended: Run) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.run_result import finish_from_archive

        self._voice.say(f"run {ended.created.run_id} exists; nothing was sent")
        async with open_archive(self._loaded) as archive:
            return await finish_from_archive(self._voice, archive, ended)

    def _command(self, desk: Desk, *, sent: bool) -> StartRun:
        from tradeloop.bootstrap.brokers import mode_here
        from tradeloop.bootstrap.start import run_at
        from tradeloop.core.types import Mode

        mode = mode_here(self._loaded, desk.state) if sent else Mode.DRY_RUN
        return run_at(desk, self._target, mode=mode, by=self._loaded.operator, hold=self._hold)

    def _may_ask(self) -> bool:
        return not self._voice.json and sys.stdin.isatty() and self._voice.err.is_terminal

    async def _confirmed(self, desk: Desk, cmd: StartRun, seen: Preview) -> bool:
        from tradeloop.cli.question import is_confirmed

        count = sum(1 for line in seen.lines if line.order_qty)
        broker = self._loaded.settings.broker
        question = f"Send {count} orders to {broker.name} (account {cmd.account})?"
        self._voice.release()  # the plan that the question is about
        try:
            return await is_confirmed(self._voice, question, sys.stdin.fileno(), desk.until(lambda: False))
        except typer.Abort:
            self._voice.say("")  # behind the question
            raise Ended("the terminal ended before an answer; nothing was sent") from None
        except asyncio.CancelledError:
            self._voice.say("\nnothing was sent")
            raise

    def _is_live(self, cmd: StartRun) -> bool:
        """Whether this goes to a live account at once. One that is held is confirmed where it is approved."""
        from tradeloop.core.types import Mode

        return cmd.mode is Mode.LIVE and not cmd.hold_for_approval

    def _frozen(self, desk: Desk, cmd: StartRun, seen: Preview) -> Frozen:
        """What there is to confirm of a plan."""
        from tradeloop.core.run.conduct import run_id_of
        from tradeloop.core.run.confirming import frozen_plan

        return frozen_plan(desk.state, desk.engine.around, run_id_of(cmd, 1), desk.broker.name, cmd.account, seen.lines)

    def _warn_of_far_prices(self, desk: Desk, seen: Preview) -> None:
        """Of prices far from a market price too old to refuse their lines (core/run/drift.py); those go by the next quote."""
        refused = {line.symbol for line in seen.lines if line.code == "price_drift"}
        for symbol, px in self._target.prices.items():
            if symbol in refused:
                continue
            quote = desk.latest.get(symbol)
            market = quote.mid_or_last if quote is not None else None
            if market and abs(px / market - 1) > _FAR:
                self._voice.say(
                    f"warning: {self._target.name}: the price of {symbol} was {px:f}, the market is at {market:f};"
                    " correct the price column or leave it away"
                )

    def _warn_of_breaks(self, desk: Desk) -> None:
        """Of positions that the run would trade they deny it; of cash, or of another position, they bend its equity."""
        from tradeloop.core.breaks import CASH, POSITION
        from tradeloop.core.run.look import some

        differ = [
            f"{known.kind} {known.subject} (ours {known.ours}, theirs {known.theirs})"
            for known in desk.state.breaks.values()
            if known.account == desk.account and known.kind in (CASH, POSITION)
        ]
        if differ:
            self._voice.say(
                f"warning: our books and the broker's differ, and the plan is made from ours: {some(differ)};"
                " see `tradeloop reconcile`"
            )

    # --- without sending

    def _show_plan(self, desk: Desk, cmd: StartRun, seen: Preview) -> None:
        from tradeloop.cli.run_tables import show_plan

        if not self._voice.json:
            show_plan(self._voice.out, cmd, seen, desk.state.instruments)

    def _unsent(self, desk: Desk, cmd: StartRun, seen: Preview) -> int:
        from tradeloop.cli.run_tables import plan_document

        path = self._write_unsent(desk, cmd, seen)
        document = {"dry_run": True, "sent": False, **plan_document(cmd, seen), "artefacts": [str(path)]}
        said = f"dry-run: nothing was sent; --yes sends these orders\nwritten: {path}"
        self._voice.result(document, lambda out: out.print(said, soft_wrap=True))
        return OK

    def _denied(self, desk: Desk, cmd: StartRun, seen: Preview) -> int:
        """Say why there is no run, and leave the audit record; one that was to be sent is in the journal as well, except where
        that would have moved a recording's clock to a later day.
        """
        from tradeloop.cli.run_tables import plan_document

        path = self._write_unsent(desk, cmd, seen)
        document = {"sent": False, "denied": True, **plan_document(cmd, seen), "artefacts": [str(path)]}
        self._voice.result(document, lambda _: None)
        for finding in seen.findings:
            self._voice.say(f"denied: {self._target.at_fault(finding.code)}{finding.code}: {finding.text}")
        self._voice.say(f"nothing was sent; written: {path}")
        return DENIED

    def _write_unsent(self, desk: Desk, cmd: StartRun, seen: Preview) -> Path:
        from tradeloop.cli.artefacts import write_unsent, zone_of

        zone = zone_of(desk.state.instruments[line.symbol] for line in cmd.targets)
        broker = self._loaded.settings.broker.name
        return write_unsent(self._loaded.home.artefacts, cmd, seen, desk.clock.now(), zone, broker)

    # --- sending

    async def _take_up(self, desk: Desk, cmd: StartRun, known: RunID) -> int:
        """A run of this key exists: show it where it ended or waits, go on with it where a crash left it."""
        from tradeloop.cli.run_result import RESTING
        from tradeloop.core.run.conduct import ENDED

        status = desk.state.runs[known].status
        if status in ENDED:
            self._voice.say(f"run {known} exists; nothing was sent")
        elif status in RESTING:
            self._voice.say(f"run {known} exists and is {status.value}; see `tradeloop runs show {known}`")
        else:
            self._voice.say(f"run {known} exists and goes on")
        return await self._follow(desk, cmd, known, had_ended=status in ENDED)

    def _why_denied_now(self) -> str:
        """Why a plan that was allowed is a run that is denied: time has passed in between, of the market too."""
        if not self._yes:
            return "the market moved while the question stood, and the run is denied now"
        feed = self._loaded.settings.feed
        fast = (
            f"; at --speed {feed.speed:g} its clock runs far while this machine plans, give a lower one"
            if feed.speed > 1
            else ""
        )
        return f"the market moved while the plan was made, and the run is denied now{fast}"

    async def _follow(self, desk: Desk, cmd: StartRun, known: RunID | None = None, *, had_ended: bool = False) -> int:
        from tradeloop.cli.progress import RunProgress
        from tradeloop.cli.run_result import follow_run
        from tradeloop.core.replies import RunReply
        from tradeloop.core.run.conduct import run_id_of

        with RunProgress(self._voice, desk, known or run_id_of(cmd, 1)):
            reply = await desk.engine.ask(cmd)
            assert isinstance(reply, RunReply)
            if reply.run_id is None:
                for failed in reply.failed:
                    self._voice.say(f"denied: {self._target.at_fault(failed.partition(':')[0])}{failed}")
                raise Ended(f"{self._why_denied_now()}; nothing was sent", DENIED)
            code = await follow_run(self._voice, desk, reply.run_id, had_ended=had_ended)
        if self._demo and not self._voice.json:
            self._voice.out.print(
                f"\nThe demo's home is {self._loaded.home.data}; look around in it, for example:\n"
                f"  tradeloop --home {shlex.quote(str(self._loaded.home.data))} orders",
                soft_wrap=True,
            )
        return code
