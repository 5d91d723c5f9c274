"""`tradeloop halt`, `cancel-all` and `flatten`: the stop, in a process that trades or without one.

The latch file is written first: it holds whatever becomes of the command, and where it could not be written that is said. Then
the process that trades records the halt, or this one opens a desk for it, also when that process ends meanwhile; where the
journal cannot be opened, the broker itself is asked to cancel (cli/halt_unrecorded.py). What comes of it is told until nothing
is left, or `--within` is over (cli/halt_told.py).
"""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Feed, Json, Speed, Start, any_words, bounded, feed_settings
from tradeloop.cli.shell import USAGE, Ended, Shell, Voice, perform
from tradeloop.core.types import venue_of

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.cli.control import Answer
    from tradeloop.cli.halt_told import Stopped
    from tradeloop.config import Loaded
    from tradeloop.core.commands import HaltTrading
    from tradeloop.core.halt import HaltScope, HaltTier
    from tradeloop.core.state import State

Account = Annotated[str | None, typer.Option("--account", help="Only this account.")]
SymbolOnly = Annotated[str | None, typer.Option("--symbol", help="Only this symbol, in any notation.")]
Broker = Annotated[str | None, typer.Option("--broker", help="Only this broker.")]
Venue = Annotated[
    str | None, typer.Option("--venue", help="Only what trades at this venue: SH, SZ, BJ, SHFE, HK, US and so on.")
]
Strategy = Annotated[str | None, typer.Option("--strategy", help="Only orders of this strategy.")]
Why = Annotated[str, any_words("--reason", about="Why; it is journalled, and everybody who is stopped reads it.")]
Within = Annotated[float, bounded("--within", float, 0, about="How many seconds to wait until nothing is left.")]

_NEXT = "this process ends here, and the next one that trades in this home goes on with it: `tradeloop watch`"


def halt(
    ctx: typer.Context,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="Let orders leave that make a position smaller.")] = False,
    account: Account = None,
    symbol: SymbolOnly = None,
    broker: Broker = None,
    venue: Venue = None,
    strategy: Strategy = None,
    reason: Why = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Let no new order leave, until `tradeloop resume`. Cancels go on, and what works goes on working."""
    named = {"account": account, "symbol": symbol, "broker": broker, "venue": venue, "strategy": strategy}
    given = feed_settings(feed, speed, start)

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.halt import HaltTier

        tier = HaltTier.REDUCE_ONLY if reduce_only else HaltTier.HALT
        return await _stop(voice, shell, _desk_of(shell, by, given), tier, named, reason, 0)

    perform(ctx, json, work)


def cancel_all(
    ctx: typer.Context,
    account: Account = None,
    symbol: SymbolOnly = None,
    broker: Broker = None,
    venue: Venue = None,
    strategy: Strategy = None,
    reason: Why = "",
    within: Within = 30,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Halt, and take everything that works out of the market; strangers' orders in the account, too."""
    named = {"account": account, "symbol": symbol, "broker": broker, "venue": venue, "strategy": strategy}
    given = feed_settings(feed, speed, start)

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.halt import HaltTier

        return await _stop(voice, shell, _desk_of(shell, by, given), HaltTier.CANCEL_ALL, named, reason, within)

    perform(ctx, json, work)


def flatten(
    ctx: typer.Context,
    account: Account = None,
    symbol: SymbolOnly = None,
    broker: Broker = None,
    venue: Venue = None,
    reason: Why = "",
    within: Within = 60,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Cancel all, then close every position at the market; what cannot be closed now is named, and tried again later."""
    named = {"account": account, "symbol": symbol, "broker": broker, "venue": venue, "strategy": None}
    given = feed_settings(feed, speed, start)

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.halt import HaltTier

        return await _stop(voice, shell, _desk_of(shell, by, given), HaltTier.FLATTEN, named, reason, within)

    perform(ctx, json, work)


def scope_of(named: dict[str, str | None]) -> tuple[HaltScope, str]:
    """What of the desk the options name. Raises BadInput where they name more than one thing, or nothing at all."""
    from tradeloop.core.checked import checked_command
    from tradeloop.core.commands import HaltTrading
    from tradeloop.core.errors import BadInput
    from tradeloop.core.halt import HaltScope, HaltTier
    from tradeloop.core.people import seen
    from tradeloop.markets.symbols import canonical, venue_called

    given = [(what, name) for what, name in named.items() if name is not None]
    if len(given) > 1:
        raise BadInput(f"expected one of --{', --'.join(named)}, were {len(given)}; halt them one after the other")
    if not given:
        return HaltScope.GLOBAL, ""
    ((what, name),) = given
    if not name.strip():
        raise BadInput(f"--{what} was empty; give its name, or leave the option away to stop everything")
    seen(name, f"--{what}")
    scope = HaltScope(what)
    if scope is HaltScope.SYMBOL:
        name = canonical(name)
    elif scope is HaltScope.VENUE:
        name = venue_called(name)
    checked_command(HaltTrading(HaltTier.HALT, "", "", scope, name))  # before the file holds what no order can be called
    return scope, name


def _desk_of(shell: Shell, by: str | None, given: dict[str, object]) -> Stopped:
    """The desk of these options. Raises BadInput where the options are wrong, and not the settings."""
    from tradeloop.cli.halt_told import Stopped
    from tradeloop.config import find_home, login
    from tradeloop.core.errors import TradeloopError
    from tradeloop.core.people import seen

    home = find_home(shell.home)
    try:
        loaded = shell.load(operator=by, **given)
    except (TradeloopError, OSError):
        try:
            shell.load()
        except (TradeloopError, OSError) as error:
            seen(by or "", "--by")
            return Stopped(home, by or login(), error)
        raise
    return Stopped(home, loaded.operator, loaded)


async def _stop(
    voice: Voice, shell: Shell, desk: Stopped, tier: HaltTier, named: dict[str, str | None], reason: str, within_s: float
) -> int:
    """Latch, record, and tell what is left."""
    from tradeloop.cli.asking import there_or_here
    from tradeloop.cli.control import Silent, ask_the_writer, halts_in_force
    from tradeloop.cli.halt_told import ASK_S, Halts, Told, halts_of_whoever_trades
    from tradeloop.cli.halt_unrecorded import latch, whoever_trades, without_a_journal
    from tradeloop.cli.known import recorded_state
    from tradeloop.cli.schema import lease_holder
    from tradeloop.core.commands import HaltTrading
    from tradeloop.core.errors import LeaseHeld, TradeloopError, UnknownName
    from tradeloop.core.halt import HaltScope, HaltTier

    scope, name = scope_of(named)
    command = HaltTrading(tier, desk.operator, reason, scope, name)
    told = Told(voice, command, within_s)
    wrong = desk.settings if isinstance(desk.settings, Exception) else None
    desk.home.prepare()
    to_be_named = scope in (HaltScope.ACCOUNT, HaltScope.BROKER)  # by somebody who knows which there are
    latched = None if to_be_named else latch(desk.home, command)
    is_told = False

    def begun(text: str) -> None:
        nonlocal is_told
        told.begun(text, latched=latched is None or latched.holds)
        if latched is not None and latched.why and not is_told:
            held = latched.sentence if latched.holds else "only the journal holds this halt"
            voice.say(f"warning: {latched.file} could not be written ({latched.why}); {held}")
        is_told = True

    async def there(answer: Answer) -> int | None:
        begun(answer.text)
        if wrong is not None:
            voice.say(f"warning: {wrong}; the process that trades here began before that, and none starts until it is mended")
        elif scope in (HaltScope.SYMBOL, HaltScope.VENUE, HaltScope.STRATEGY):
            _warn_of_unknown(voice, scope, name, await recorded_state(desk.loaded))
        loaded = None if wrong is not None else desk.loaded
        return await told.until_done(lambda: halts_of_whoever_trades(desk.home, loaded, told.hears_nothing))

    nobody_writes = False

    async def asked() -> Answer | None:
        """Of who has no right to write any more nothing is expected, though its socket still takes what is said."""
        return None if nobody_writes else await ask_the_writer(desk.home.socket, command, ASK_S)

    async def here() -> int | None:
        async with _a_desk(desk.loaded, voice, command, told.left_s) as opened:
            begun(opened.first_replies[0].text)  # type: ignore[union-attr]
            _warn_of_unknown(voice, scope, name, opened.state)
            if tier is HaltTier.FLATTEN and opened.feed is None:
                voice.say(
                    "warning: no feed is configured, and without a price no position is closed; give --feed, or set feed.kind"
                )

            async def known() -> tuple[Halts, bool]:
                return halts_in_force(opened.state), True

            return await told.until_done(known, then=_NEXT)

    try:
        while True:
            try:
                code = await there_or_here(asked, there, here)
            except (LeaseHeld, Silent) as held:
                latched = latched or latch(desk.home, command)  # whoever starts or ends there finds it in the file
                told.waits(latched.sentence, await whoever_trades(desk))
                if await told.free(desk.home, desk.loaded):
                    nobody_writes = await lease_holder(desk.loaded) is None
                    continue
                recorded = await told.in_the_journal(desk.loaded)
                if recorded is None:
                    return await without_a_journal(voice, shell, desk, command, held, told)
                begun(f"halt {recorded['number']} is in force: recorded by the process that trades here")
                code = await told.until_done(lambda: halts_of_whoever_trades(desk.home, desk.loaded, told.hears_nothing))
            if code is not None:
                return code
            voice.say("the process that worked at it has ended or writes no more, and this one goes on with it")
            nobody_writes = await lease_holder(desk.loaded) is None
    except (BrokenPipeError, UnknownName):
        raise  # recorded, and whoever read has seen enough; or nobody is called so
    except (TradeloopError, OSError) as error:
        return await without_a_journal(voice, shell, desk, command, error, told)
    except Ended as ended:
        if latched is None and ended.code != USAGE:  # no word against the name
            latched = latch(desk.home, command)
        if latched is not None:
            voice.say(latched.sentence)
        raise


def _warn_of_unknown(voice: Voice, scope: HaltScope, name: str, state: State | None) -> None:
    """A slip of the pen stops nothing that trades. The halt stands all the same: to stop is never refused."""
    from tradeloop.bootstrap.known_names import was_carried
    from tradeloop.core.halt import HaltScope

    if state is None or scope not in (HaltScope.SYMBOL, HaltScope.VENUE, HaltScope.STRATEGY):
        return
    if scope is HaltScope.SYMBOL:
        known, what = name in state.instruments, f"no instrument {name} is known here, it was never held, planned or traded"
    elif scope is HaltScope.VENUE:
        known = any(venue_of(symbol) == name for symbol in state.instruments)
        what = f"no instrument of venue {name} is known here"
    else:
        known, what = was_carried(state, name), f"no order here has ever carried the strategy {name}"
    if not known:
        option = f"--{scope.value} {shlex.quote(name)}"
        voice.say(
            f"warning: {what}: if another one should stop, halt that one; `tradeloop resume {option} --reason …` ends this halt"
        )


@asynccontextmanager
async def _a_desk(loaded: Loaded, voice: Voice, command: HaltTrading, within_s: float) -> AsyncIterator[Desk]:
    """A desk for as long as the halt is told about. What it cancels needs its broker."""
    from tradeloop.cli.halt_told import START_S
    from tradeloop.cli.known import refuse
    from tradeloop.cli.waits import NotReady, ready
    from tradeloop.cli.working import working_desk

    name = command.tier.value.lower().replace("_", "-")
    async with working_desk(loaded, voice, name, first=[command], look=lambda state: refuse(state, command)) as desk:
        if command.tier.cancels:
            try:
                await ready(desk, max(within_s, START_S))
            except NotReady as error:  # a stop may have more time than that, and what is left is told until it is over
                voice.say(f"warning: {error.why}; its cancels leave when the broker answers")
        yield desk
