"""`tradeloop halt`, `cancel-all` and `flatten`: the stop, in a process that trades or without one.

The latch file is written first: it holds whatever becomes of the command, and where it could not be written that is said. Then
the process that trades records the halt, or this one opens a desk for it; where the journal cannot be opened, the broker itself
is asked to cancel. What comes of it is told until nothing is left, or `--within` is over.
"""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradeloop.cli.options import By, Feed, Json, Speed, Start, any_words, bounded, feed_settings
from tradeloop.cli.shell import FAILED, OK, UNKNOWN, USAGE, Ended, Shell, Voice, perform
from tradeloop.core.types import SECOND_NS, UtcNs, venue_of
from tradeloop.engine.clock import WallClock

if TYPE_CHECKING:
    from pathlib import Path

    from tradeloop.bootstrap import Desk
    from tradeloop.config import Home, Loaded
    from tradeloop.core.commands import HaltTrading
    from tradeloop.core.errors import TradeloopError
    from tradeloop.core.halt import HaltScope, HaltTier
    from tradeloop.core.reports import OpenOrder
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

_ASK_S = 3.0
_LOOK_NS = SECOND_NS // 5
_NOBODY = "the process that traded has ended, and nobody works at it now: `tradeloop watch` goes on with it"
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


@dataclass(frozen=True)
class _Desk:
    """What is to be stopped. Its folders are all that a stop needs: settings that cannot be read are told behind it."""

    home: Home
    operator: str
    settings: Loaded | TradeloopError | OSError

    @property
    def loaded(self) -> Loaded:
        """The settings. Raises what is wrong with them."""
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings


def _desk_of(shell: Shell, by: str | None, given: dict[str, object]) -> _Desk:
    """The desk of these options. Raises BadInput where the options are wrong, and not the settings."""
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
            return _Desk(home, by or login(), error)
        raise
    return _Desk(home, loaded.operator, loaded)


async def _stop(
    voice: Voice, shell: Shell, desk: _Desk, tier: HaltTier, named: dict[str, str | None], reason: str, within_s: float
) -> int:
    """Latch, record, and tell what is left."""
    from tradeloop.cli.asking import there_or_here
    from tradeloop.cli.control import ask_the_writer, halts_in_force
    from tradeloop.cli.known import recorded_state
    from tradeloop.core.commands import HaltTrading
    from tradeloop.core.errors import TradeloopError, UnknownName
    from tradeloop.core.halt import HaltScope, HaltTier

    scope, name = scope_of(named)
    command = HaltTrading(tier, desk.operator, reason, scope, name)
    told = _Told(voice, command)
    wrong = desk.settings if isinstance(desk.settings, Exception) else None
    desk.home.prepare()
    to_be_named = scope in (HaltScope.ACCOUNT, HaltScope.BROKER)  # by somebody who knows which there are
    latched = None if to_be_named else _latch(desk.home, command)

    def begun(text: str) -> None:
        told.begun(text, latched)
        if latched is not None and latched.why:
            held = latched.sentence if latched.holds else "only the journal holds this halt"
            voice.say(f"warning: {latched.file} could not be written ({latched.why}); {held}")

    async def there(answer: Any) -> int:
        begun(answer.text)
        if wrong is not None:
            voice.say(f"warning: {wrong}; the process that trades here began before that, and none starts until it is mended")
        elif scope in (HaltScope.SYMBOL, HaltScope.VENUE, HaltScope.STRATEGY):
            _warn_of_unknown(voice, scope, name, await recorded_state(desk.loaded))

        async def asked() -> list[dict[str, Any]]:
            said = await ask_what_is_halted(desk.home)
            if said is None and wrong is None:  # the process that traded has ended, and its journal says how far it came
                state = await recorded_state(desk.loaded)
                said = [] if state is None else halts_in_force(state)
                told.nobody_works()
            return said or []

        return await told.until_done(asked, within_s)

    async def here() -> int:
        async with _a_desk(desk.loaded, voice, command) as opened:
            begun(opened.first_replies[0].text)  # type: ignore[union-attr]
            _warn_of_unknown(voice, scope, name, opened.state)
            if tier is HaltTier.FLATTEN and opened.feed is None:
                voice.say(
                    "warning: no feed is configured, and without a price no position is closed; give --feed, or set feed.kind"
                )
            return await told.until_done(lambda: _halts_of(opened), within_s, then=_NEXT)

    try:
        return await there_or_here(lambda: ask_the_writer(desk.home.socket, command, _ASK_S), there, here)
    except (BrokenPipeError, UnknownName):
        raise  # recorded, and whoever read has seen enough; or nobody is called so
    except (TradeloopError, OSError) as error:
        return await _without_a_journal(voice, shell, desk, command, error, within_s)
    except Ended as ended:
        if latched is None and ended.code != USAGE:  # no word against the name
            latched = _latch(desk.home, command)
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


@dataclass(frozen=True)
class _Latched:
    """What became of the latch file: whether no order within the halt can leave, in a sentence, and what went wrong."""

    holds: bool
    sentence: str
    file: Path
    why: str = ""
    in_full: bool = True
    """Whether the file says all that was asked for, the cancels too."""


def _latch(home: Home, command: HaltTrading) -> _Latched:
    from tradeloop.engine.latch import FileLatch, StandsIn

    path, what = home.latch, command.tier.value
    latch = FileLatch(path)
    file = latch.file_of(command)
    try:
        latch.add(command)
    except StandsIn as error:
        cancels = "; it cancels nothing by itself" if command.tier.cancels else ""
        text = f"{path} stands in for {what} and stops everything{cancels}"
        return _Latched(True, text, file, str(error.strerror), in_full=False)
    except OSError as error:
        why = str(error.strerror or error)
        return _Latched(
            False, f"NOTHING IS HALTED: {file} could not be written ({why}); touch {path} yourself", file, why, in_full=False
        )
    return _Latched(True, f"{what} is latched by {file}", file)


async def ask_what_is_halted(home: Home) -> list[dict[str, Any]] | None:
    """The halts in force, as the process that trades here says; None where none does any more."""
    import msgspec

    from tradeloop.cli.control import ask_for_halts

    answer = await ask_for_halts(home.socket)
    if answer is None:
        return None
    found: list[dict[str, Any]] = msgspec.json.decode(answer.text if answer.ok else "[]")
    return found


async def _halts_of(desk: Desk) -> list[dict[str, Any]]:
    from tradeloop.cli.control import halts_in_force

    return halts_in_force(desk.state)


@asynccontextmanager
async def _a_desk(loaded: Loaded, voice: Voice, command: HaltTrading) -> AsyncIterator[Desk]:
    """A desk for as long as the halt is told about. What it cancels needs its broker."""
    from tradeloop.cli.known import refuse
    from tradeloop.cli.working import ready, working_desk

    name = command.tier.value.lower().replace("_", "-")
    async with working_desk(loaded, voice, name, first=[command], look=lambda state: refuse(state, command)) as desk:
        if command.tier.cancels:
            await ready(desk)
        yield desk


class _Told:
    """Says what a halt has come to, each time it is something else."""

    def __init__(self, voice: Voice, command: HaltTrading) -> None:
        self._voice, self._command = voice, command
        self._text = ""
        self._latched = True
        self._works = True

    def begun(self, text: str, latched: _Latched | None) -> None:
        """The halt is in force. `latched` is what this command made of the file; None where who recorded it writes it."""
        self._text = text.split("; ", maxsplit=1)[0]
        self._latched = latched is None or latched.holds

    def nobody_works(self) -> None:
        """No process trades here any more: what is left stays so, until one does."""
        self._works = False

    async def until_done(self, ask: Any, within_s: float, then: str = "") -> int:
        """Look until nothing is left, or the time is up; the exit code. `then`: what becomes of what is left."""
        clock = WallClock()
        end, said, mine = clock.now() + int(within_s * SECOND_NS), "", None
        while True:
            mine = self._mine(await ask())
            found = mine["found"] if mine is not None else ""
            if found and found != said:
                said = found
                self._voice.say(found)
            if not self._command.tier.cancels or mine is None or mine["done"] or clock.now() >= end or not self._works:
                break
            await clock.sleep_until(UtcNs(clock.now() + _LOOK_NS))
        if self._command.tier.cancels and (mine is None or not mine["done"]):
            said = "; ".join(each for each in (said, then if self._works else _NOBODY) if each)
        return self._result(mine, said)

    def _mine(self, halts: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        wanted = (self._command.tier.value, self._command.scope.value, self._command.name)
        return next((each for each in halts if (each["tier"], each["scope"], each["name"]) == wanted), None)

    def _result(self, mine: dict[str, Any] | None, said: str) -> int:
        done = mine is not None and (mine["done"] or not self._command.tier.cancels)
        left, unknown = (mine["held"], mine["unknown"]) if mine is not None else (0, 0)
        text = self._text + (f"; {said}" if said else "")
        self._voice.result(
            {"halted": text, "done": done, "halt": mine, "recorded": True, "latched": self._latched},
            lambda out: out.print(text, soft_wrap=True),
        )
        if done:
            return FAILED if left else OK
        return UNKNOWN if unknown else FAILED


async def _without_a_journal(
    voice: Voice, shell: Shell, desk: _Desk, command: HaltTrading, why: TradeloopError | OSError, within_s: float
) -> int:
    """The file holds the halt; whoever trades here sees it. Where nobody does, the broker is asked to cancel. Whatever comes of
    that, how the file stands is told.
    """
    from tradeloop.bootstrap.emergency import Canceled, cancel_at_broker
    from tradeloop.cli.control import ask_the_writer
    from tradeloop.cli.words import plural
    from tradeloop.core.errors import JournalFailed, LeaseHeld, TradeloopError
    from tradeloop.core.halt import HaltScope

    latched = _latch(desk.home, command)
    text = f"{latched.sentence}; {command.tier.value} could not be recorded: {why}"
    try:
        alive = isinstance(why, LeaseHeld) or await ask_the_writer(desk.home.socket, None, _ASK_S) is not None
    except JournalFailed:
        alive = True
    found: Canceled | None = None
    if alive:
        text += "; the process that trades here lets no order leave" if latched.holds else "; a process trades here"
        text += ", and sends its cancels without a record" if command.tier.cancels and latched.in_full else ""
    elif command.scope is HaltScope.STRATEGY:
        text += "; the broker knows no strategies, nothing was cancelled: name an account or a symbol, or stop everything"
    elif command.tier.cancels:

        def wanted(order: OpenOrder) -> bool:
            if command.scope is HaltScope.SYMBOL:
                return order.symbol == command.name
            if command.scope is HaltScope.VENUE:
                return venue_of(order.symbol) == command.name
            if command.scope is HaltScope.BROKER:
                return desk.loaded.settings.broker.name == command.name
            return command.scope is not HaltScope.ACCOUNT or order.account == command.name

        voice.say(latched.sentence)  # it may take its time, and whatever ends it, this was heard
        try:
            found = await cancel_at_broker(shell.load(feed__kind="none"), wanted, within_s)
        except (TradeloopError, OSError) as error:
            text += "; for the same reason the broker was not asked to cancel" if str(error) == str(why) else f"; {error}"
        else:
            left = f", {len(found.left)} still open: {', '.join(found.left[:5])}" if found.left else ", none is left open"
            text += f"; {plural(found.asked, 'order')} cancelled at the broker{left}"
            if found.held and command.tier.value == "FLATTEN":
                text += f"; held, and not closed without a journal: {', '.join(found.held[:5])}"
    voice.result(
        {
            "halted": text,
            "done": found is not None and not found.left,
            "halt": None,
            "recorded": False,
            "latched": latched.holds,
        },
        lambda out: out.print(text, soft_wrap=True),
    )
    return FAILED
