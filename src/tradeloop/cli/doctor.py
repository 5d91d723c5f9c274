"""`tradeloop doctor`: everything that has to be right before trading, each with what to do where it is not.

Looks only, changes nothing. A cross is a reason not to trade (exit code 1), an exclamation mark one to look.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer

from tradeloop.cli.options import Json
from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

if TYPE_CHECKING:
    from datetime import date

    from tradeloop.bootstrap import Past
    from tradeloop.config import Loaded
    from tradeloop.core.limit import RiskLimit
    from tradeloop.core.state import State
    from tradeloop.markets.coverage import Ending

_FREE_MIN: Final = 1 << 30
_HORIZON_DAYS: Final = 60
_NAMED_MAX: Final = 3
_MARKS: Final = {"ok": "ok", "warn": "!", "bad": "X"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: how it stands (ok, warn, bad), in a sentence with the remedy."""

    what: str
    state: str
    text: str


def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Look at everything that has to be right before trading; exit code 1 where something is not."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words

        loaded = shell.load()
        found = [finding async for finding in _all(loaded)]
        voice.result(
            {"findings": [{"what": each.what, "state": each.state, "text": each.text} for each in found]},
            lambda out: words.table(
                out, "Doctor", ("", "what", "~how it stands"), [(_MARKS[each.state], each.what, each.text) for each in found]
            ),
        )
        return FAILED if any(each.state == "bad" for each in found) else OK

    perform(ctx, json, work)


async def _all(loaded: Loaded) -> AsyncIterator[Finding]:
    yield _python()
    for finding in _packages():
        yield finding
    for finding in _home(loaded):
        yield finding
    read: list[State] = []
    async for finding in _database(loaded, read):
        yield finding
    yield _feed(loaded)
    async for finding in _limits(loaded):
        yield finding
    async for finding in _second_factor(loaded):
        yield finding
    for finding in _markets(loaded, read[0] if read else None):
        yield finding


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return Finding("python", "ok" if good else "bad", version if good else f"{version}; expected 3.11 or newer")


def _packages() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, requires, version
    from re import match

    missing: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in requires("tradeloop") or ():
        found = match(r"[\w.-]+", line)
        if found is None or ("sys_platform" in line and sys.platform == "win32"):
            continue
        try:
            version(found.group())
        except PackageNotFoundError:
            wanted_by = match(r".*extra == ['\"](\w+)['\"]", line)
            if wanted_by is None:
                missing.append(found.group())
            elif wanted_by.group(1) != "dev":
                extras.setdefault(wanted_by.group(1), []).append(found.group())
    if missing:
        yield Finding("packages", "bad", f"missing: {', '.join(missing)}; pip install tradeloop")
    else:
        yield Finding("packages", "ok", "every required package is installed")
    for extra, names in extras.items():
        remedy = f"pip install 'tradeloop[{extra}]' if you need it"
        yield Finding(f"extra {extra}", "warn", f"not installed: {', '.join(names)}; {remedy}")


def _home(loaded: Loaded) -> Iterator[Finding]:
    folder = loaded.home.data
    if not folder.exists():
        yield Finding("home", "warn", f"{folder} does not exist yet; the first command that trades makes it")
        return
    opened = loaded.home.open_to_others()
    if shut := _not_writable(loaded):
        yield Finding("home", "bad", shut)
    elif opened is not None:
        yield Finding("home", "warn", opened)
    else:
        yield Finding("home", "ok", f"{folder}, mode {stat.S_IMODE(folder.stat().st_mode):04o}")
    files = [each for each in sorted(folder.iterdir()) if each.is_file()]
    open_files = [each.name for each in files if stat.S_IMODE(each.stat().st_mode) & 0o077]
    if open_files:
        yield Finding("files", "warn", f"readable by others: {', '.join(open_files)}; run: chmod 600 on them")
    free = shutil.disk_usage(folder).free
    state = "ok" if free >= _FREE_MIN else "bad"
    remedy = "" if state == "ok" else "; free at least 1 GiB, a full disk stops the engine"
    yield Finding("disk", state, f"{free / (1 << 30):.1f} GiB free{remedy}")


def _not_writable(loaded: Loaded) -> str:
    """Why what is traded could not be kept here: a disk that is mounted for reading, or rights; empty where it could be."""
    from tradeloop.bootstrap import sqlite_path

    folder, database = loaded.home.data, sqlite_path(loaded)
    files = [each for each in (database, loaded.home.paper_books) if each is not None and each.exists()]
    shut = [str(folder)] if not os.access(folder, os.W_OK | os.X_OK) else []
    shut += [str(each) for each in files if not os.access(each, os.W_OK)]
    if not shut:
        return ""
    read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    remedy = "its disk is mounted for reading only, mount it for writing" if read_only else "make it yours to write"
    return f"{', '.join(shut)} can not be written; {remedy}, since nothing that trades starts before"


async def _database(loaded: Loaded, read: list[State]) -> AsyncIterator[Finding]:
    """How the record stands. What it says is put into `read`, where it can be read."""
    from tradeloop.bootstrap import is_new, lost_books, open_archive, read_past, refuse_lost_journal
    from tradeloop.cli.schema import schema_status
    from tradeloop.core.errors import JournalDamaged, TradeloopError

    told = ""
    try:
        if await is_new(loaded):
            refuse_lost_journal(loaded)
            yield Finding("database", "ok", "new: the first command that trades makes its tables")
            return
        schema = await schema_status(loaded)
        pending = [each.name for each in schema.patches if each.state.value == "pending"]
        if pending:
            yield Finding("schema", "bad", f"{', '.join(pending)} not applied; run: tradeloop db upgrade")
        elif not schema.is_current:
            yield Finding("schema", "bad", f"{'; '.join(schema.drift) or 'patches differ'}; see: tradeloop db status")
        else:
            yield Finding("schema", "ok", f"{schema.database}: {len(schema.patches)} patches applied, no drift")
        past = None
        try:
            past = await read_past(loaded, whole=True)
            read.append(past.state)
        except JournalDamaged as error:
            told = str(error)
            yield Finding("journal", "bad", f"{told}; see `tradeloop verify`")
        async with open_archive(loaded, fresh_views=False) as archive:
            batch, seq, _ = await archive.reader.head()
            if past is not None:
                yield Finding("journal", "ok", f"ends with batch {batch:,}, event {seq:,}; every row verifies")
            if wrong := await archive.reader.lease_damage():
                yield Finding("lease", "bad", wrong)
            _, missing = await archive.reader.witnesses()
            if batch and missing:
                remedy = "find it, or see `tradeloop verify` before the next command that trades makes a new one"
                yield Finding("witness", "warn", f"{missing}; {remedy}")
            _, seen = await archive.views.cursor()
            if seen < seq:
                yield Finding("read models", "warn", f"{seq - seen:,} events behind the journal; the next command folds them")
            else:
                yield Finding("read models", "ok", "as far as the journal; `tradeloop verify` compares them with it")
        if past is not None:
            yield _clock(past)
            if lost := lost_books(loaded, past):
                yield Finding("paper books", "bad", lost)
            for finding in _troubles(past.state):
                yield finding
        yield await _lease(loaded)
    except TradeloopError as error:
        if str(error) != told:
            yield Finding("database", "bad", str(error))


async def _lease(loaded: Loaded) -> Finding:
    from tradeloop.cli.control import ask_the_writer
    from tradeloop.cli.schema import lease_holder

    answer = await ask_the_writer(loaded.home.socket, None)
    if answer is not None:
        return Finding("lease", "ok", f"held by a process that answers: {answer.text}")
    holder = await lease_holder(loaded)
    return Finding("lease", "ok", "free: no process trades here" if holder is None else f"held: {holder}")


def _troubles(state: State) -> Iterator[Finding]:
    """What waits for a person before anything else is traded."""
    for symbol, why in sorted(state.halted.items()):
        remedy = f"look at it, then `tradeloop symbols release {symbol} --reason …`"
        yield Finding("halted", "warn", f"{symbol} takes no new orders: {why}; {remedy}")
    if state.breaks:
        named = ", ".join(f"{each.kind} {each.subject}" for each in list(state.breaks.values())[:_NAMED_MAX])
        more = f" and {len(state.breaks) - _NAMED_MAX} more" if len(state.breaks) > _NAMED_MAX else ""
        yield Finding("breaks", "warn", f"our books and the broker's differ: {named}{more}; see `tradeloop reconcile`")
    unknown = [order for order in state.orders.open.values() if order.unknown_at is not None]
    if unknown:
        named = ", ".join(f"{order.cl_ord_id} ({order.symbol})" for order in unknown[:_NAMED_MAX])
        more = f" and {len(unknown) - _NAMED_MAX} more" if len(unknown) > _NAMED_MAX else ""
        yield Finding("unknown", "warn", f"nobody knows the fate of order {named}{more}; see `tradeloop orders --unknown`")


def _clock(past: Past) -> Finding:
    from tradeloop.cli import words
    from tradeloop.engine.clock import WallClock

    now = WallClock().now()
    if past.last_at is None:
        return Finding("clock", "ok", words.moment(now))
    if past.last_at > now:
        last = words.moment(past.last_at)
        return Finding("clock", "bad", f"it is {words.moment(now)}, before the journal's last row ({last}); set the clock")
    return Finding("clock", "ok", f"{words.moment(now)}; the journal's last row is {words.age(now - past.last_at)} older")


async def _limits(loaded: Loaded) -> AsyncIterator[Finding]:
    """What is in force, what is only asked, and what nobody has set where real money is traded."""
    from tradeloop.bootstrap import configured_limits
    from tradeloop.bootstrap.brokers import REHEARSALS
    from tradeloop.cli.risk import is_pending, limits_in_force
    from tradeloop.core.errors import BadInput, TradeloopError
    from tradeloop.core.limit import LimitScope

    try:
        configured = configured_limits(loaded)
    except BadInput as error:
        yield Finding("limits", "bad", f"{error}; nothing that trades starts before")
        return
    try:
        recorded = await limits_in_force(loaded)
    except TradeloopError:
        return  # told with the database
    limits = configured.limits if recorded is None else tuple(recorded.in_force.values())
    broker = loaded.settings.broker
    stopping = [each for each in limits if not each.shadow]
    if stopping:
        since = "" if recorded is not None else ", from the first start on"
        yield Finding("limits", "ok", f"in force{since}: {_named(stopping)}")
    elif broker.kind in REHEARSALS:
        yield Finding("limits", "ok", f"none is in force, and nothing real is traded at {broker.kind}")
    else:
        remedy = f"set some in {loaded.home.limits}, see docs/how-to/limit-risk.md"
        yield Finding("limits", "warn", f"none is in force, and {broker.kind} trades for real; {remedy}")
    if beyond := [text for each in stopping if (text := _beyond_the_exchange(each))]:
        yield Finding("limits of conduct", "warn", f"{'; '.join(beyond)}; lower them")
    shadows = [each for each in limits if each.shadow]
    if shadows:
        yield Finding("limits in shadow", "ok", f"asked, and stop nothing: {_named(shadows)}")
    elsewhere = [each for each in limits if each.scope is LimitScope.ACCOUNT and each.name not in ("", broker.account)]
    if elsewhere:
        text = f"of other accounts than {broker.account}: {_named(elsewhere)}; no order here ever meets them"
        yield Finding("limits elsewhere", "warn", text)
    if nobodys := sorted({name for each in limits for name in (*each.only, *each.but) if not _is_known(name, broker.account)}):
        text = f"{', '.join(nobodys)}: no symbol, board or account that is known here; right only if it is an industry"
        yield Finding("names in limits", "warn", text)
    if recorded is not None and (kept := configured.why_kept(recorded.of_file)):
        yield Finding("risk.yaml", "warn", kept)
    elif recorded is not None and is_pending(recorded.of_file, configured):
        yield Finding("risk.yaml", "warn", "says something else than what is in force; run: tradeloop risk reload")


async def _second_factor(loaded: Loaded) -> AsyncIterator[Finding]:
    """Whether a halt could be released, where the broker trades live."""
    from tradeloop.access.second_factor import SecondFactor
    from tradeloop.bootstrap.release import needs_a_code
    from tradeloop.cli.known import recorded_state
    from tradeloop.core.errors import TradeloopError
    from tradeloop.core.state import State

    try:
        if needs_a_code(loaded, await recorded_state(loaded) or State()):
            factor = SecondFactor(loaded.home.second_factor)
            whose = f" by {factor.set_up_by}" if factor.set_up_by else ""
            yield Finding("second factor", "ok", f"set up{whose}; a halt is released with a code of it")
            if tried := factor.suspicion():
                yield Finding("codes", "warn", f"{tried}; if nobody slipped, find out who it was")
    except TradeloopError as error:
        yield Finding("second factor", "warn", str(error))


def _that_ends(days: int, ending: Sequence[Ending], state: State | None) -> Finding:
    """What calendars and tables whose last day is `days` away, or past, mean for what can be done then."""
    from tradeloop.core.risk.triggers import at_stake

    markets = {market for each in ending for market in each.markets}
    held = [] if state is None else sorted({each for each in at_stake(state) if state.instruments[each].market in markets})
    over = days < 0
    when = f"ended {-days} days ago" if over else f"end in {days} days"
    names = ", ".join(f"{each.what} ({each.last_day})" for each in ending)
    then = "no order goes" if over else "from then on no order will go"
    there = (
        f"; held or working there: {_some(held)}, {'' if over else 'then '}to be cancelled and not to be closed" if held else ""
    )
    remedy = "upgrade tradeloop, or put newer files into the folder of the setting markets.rules"
    text = f"{when}: {names}; {then} there, not even one that closes, and the other markets go on{there}; {remedy}"
    return Finding("calendars", "bad" if over and held else "warn", text)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return ", ".join(names[:_NAMED_MAX]) + more


def _is_known(name: str, account: str) -> bool:
    """Whether a name in a list of a limit is that of something here; whether it is an industry only its owner knows."""
    from tradeloop.bootstrap.limit_names import is_board, looks_like_a_symbol

    return name == account or is_board(name) or "/" in name or looks_like_a_symbol(name)


def _beyond_the_exchange(limit: RiskLimit) -> str:
    """That a limit on a futures contract lets happen what its exchange calls abnormal; empty where it does not."""
    from tradeloop.core.errors import BadInput
    from tradeloop.core.limit import LimitScope
    from tradeloop.core.types import Symbol
    from tradeloop.markets.futures import conduct_of, parts

    found = parts(Symbol(limit.name)) if limit.scope is LimitScope.SYMBOL else None
    if found is None:
        return ""
    product, _, _, exchange = found
    try:
        conduct = conduct_of(product, exchange, _today())
    except BadInput:
        return ""  # the calendars and tables that end are told by themselves
    if conduct is None:
        return ""
    abnormal = {
        "max_self_trades": conduct.self_trades,
        "max_cancels_per_day": conduct.cancels,
        "max_large_cancels_per_day": conduct.large_cancels,
    }.get(limit.rule)
    if abnormal is None or limit.value < abnormal:
        return ""
    return f"{limit.rule} of {limit.name} is {limit.value:f}, and {exchange} calls {abnormal} in a day abnormal"


def _today() -> date:
    """The day it is in UTC."""
    from datetime import UTC, datetime

    from tradeloop.core.types import SECOND_NS
    from tradeloop.engine.clock import WallClock

    return datetime.fromtimestamp(WallClock().now() // SECOND_NS, UTC).date()


def _named(limits: Sequence[RiskLimit]) -> str:
    """All of them, each with its figure, or its list where it has no figure, and its scope."""
    from tradeloop.core.risk.judging import amount
    from tradeloop.core.risk.registry import unit_of
    from tradeloop.core.risk.rule import Unit

    def figure(limit: RiskLimit) -> str:
        unit = unit_of(limit.rule)
        if unit is not Unit.NONE:
            return f" {amount(unit, limit.value, limit.currency)}"
        listed = (("of", limit.only), ("but", limit.but))
        return "".join(f" {word} {' '.join(names)}" for word, names in listed if names)

    return ", ".join(f"{each.rule}{figure(each)} ({each.where})" for each in limits)


def _feed(loaded: Loaded) -> Finding:
    """What is configured; how old its newest quote is only the process that plays it knows, and says with its lease."""
    feed = loaded.settings.feed
    if feed.kind == "none":
        return Finding("feed", "warn", "none is configured; a run that sends orders needs one, with --feed or feed.kind")
    gone = [str(path) for path in feed.paths if not path.is_file()]
    if feed.kind == "replay" and (gone or not feed.paths):
        return Finding("feed", "bad", f"recordings not found: {', '.join(gone) or 'none named'}; correct feed.paths")
    return Finding("feed", "ok", f"{feed.kind}, {feed.speed:g} times as fast as the world")


def _markets(loaded: Loaded, state: State | None) -> Iterator[Finding]:
    from tradeloop.bootstrap.listing import newest_day
    from tradeloop.core.errors import BadInput
    from tradeloop.engine.clock import WallClock
    from tradeloop.markets.coverage import ending_within, unverified_rows
    from tradeloop.markets.own_rules import use_rules

    try:
        if own := use_rules(loaded.settings.markets.rules, newest_day(WallClock().now())):
            yield Finding("market rules", "ok", f"of your own in {loaded.settings.markets.rules}: {', '.join(own)}")
    except BadInput as error:
        yield Finding("market rules", "bad", f"{error}; nothing that trades starts before")
    ending: dict[int, list[Ending]] = {}
    for each in ending_within(_HORIZON_DAYS, _today()):
        ending.setdefault(each.days_left, []).append(each)
    for days, those in ending.items():
        yield _that_ends(days, those, state)
    if not ending:
        yield Finding("calendars", "ok", f"none ends within {_HORIZON_DAYS} days")
    unverified: dict[str, Counter[str]] = {}
    for row in unverified_rows():
        unverified.setdefault(row.file, Counter())[row.row] += 1
    for file, rows in unverified.items():
        named = ", ".join(f"{name} ({n} rows)" if n > 1 else name for name, n in rows.items())
        one = rows.total() == 1
        rest = "1 row rests" if one else f"{rows.total()} rows rest"
        yield Finding("market rows", "warn", f"{file}: {rest} on general knowledge: {named}")
    if not unverified:
        yield Finding("market rows", "ok", "every row was held against a source")
