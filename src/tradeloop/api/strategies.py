"""Strategies over HTTP: what there is, how each stands, start, pause and stop, and the log of triggers (S4-18, 19, 44, 45).

Which file is run stands in strategies.yaml on the machine of the desk; nothing that is sent here names a file.
"""

from __future__ import annotations

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.pages import LIMIT, Cursor, Limit, following, page_from, page_size
from tradeloop.api.plain import Amount, Moment, moment, moment_or_none, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.core.errors import NotKnown
from tradeloop.strategies.host import Host, Shown
from tradeloop.strategies.rows import Trigger


class Strategy(msgspec.Struct, frozen=True):
    """A strategy: `standing` is STOPPED, STARTING, RUNNING, PAUSED or FAILED, `why` says by whom or of what."""

    name: str
    file: str
    symbols: list[str]
    standing: str
    why: str
    since: Moment | None
    version: int
    pid: int | None
    triggers: int


class Strategies(msgspec.Struct, frozen=True):
    """All strategies of this desk, by name."""

    strategies: list[Strategy]


class ConfigVersion(msgspec.Struct, frozen=True):
    """A version of a configuration that was started; `config_data` is JSON, and the hash is that of the strategy's file."""

    strategy_name: str
    version: int
    config_data: str
    source_sha256: str
    is_active: bool
    started_by: str
    create_time: Moment
    update_time: Moment


class ConfigVersions(msgspec.Struct, frozen=True):
    """The newest versions, newest first."""

    versions: list[ConfigVersion]


class Triggered(msgspec.Struct, frozen=True):
    """A trigger: `execution_result` is PENDING, TAKEN, DENIED, REFUSED, DONE or UNKNOWN; of a TARGET `order_id` is a run's."""

    id: int
    strategy_name: str
    config_version: int
    trigger_time: Moment
    trigger_condition: str
    trigger_price: Amount | None
    action_type: str
    execution_result: str
    order_id: str | None
    error_message: str
    create_time: Moment


class Triggers(msgspec.Struct, frozen=True):
    """Triggers, newest first; `next` is the cursor of the next page."""

    triggers: list[Triggered]
    next: str | None


class WhichTriggers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Page by page."""

    limit: Limit = LIMIT
    cursor: Cursor = None


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    trade = Policy(Scope.ORDER_PAPER, safe=False, rate=Rate.ORDER, trades=True)
    stops = Policy(Scope.CANCEL, safe=False, rate=Rate.STOP)
    path, add = "/api/v1/strategies", table.add
    add("GET", path, listed, reads, "strategies", gives=Strategies)
    add("GET", f"{path}/{{name}}", one, reads, "strategies", gives=Strategy)
    add("GET", f"{path}/{{name}}/configs", configs, reads, "strategies", gives=ConfigVersions)
    add("GET", f"{path}/{{name}}/triggers", triggers, reads, "strategies", query=WhichTriggers, gives=Triggers)
    add("POST", f"{path}/{{name}}/start", start, trade, "strategies", gives=Said)
    add("POST", f"{path}/{{name}}/pause", pause, stops, "strategies", gives=Said)
    add("POST", f"{path}/{{name}}/stop", stop, stops, "strategies", gives=Said)


async def listed(call: Call) -> Answer:
    """List the strategies and how each stands."""
    host = call.desk.strategies
    return ok(Strategies([] if host is None else [_strategy(each) for each in await host.strategies()]))


async def one(call: Call) -> Answer:
    """Show one strategy."""
    return ok(_strategy(await _host(call).strategy(call.path["name"])))


async def configs(call: Call) -> Answer:
    """List the versions of a strategy's configuration."""
    found = await _host(call).versions(call.path["name"])
    times = [(moment(each.create_time), moment(each.update_time)) for each in found]
    pairs = zip(found, times, strict=True)
    return ok(ConfigVersions([told(ConfigVersion, each, create_time=made, update_time=last) for each, (made, last) in pairs]))


async def triggers(call: Call) -> Answer:
    """List what a strategy asked for, and what came of it."""
    wanted = call.wanted(WhichTriggers)
    limit = page_size(wanted.limit)
    found = await _host(call).triggers(call.path["name"], page_from(wanted.cursor), limit)
    return ok(Triggers([_triggered(each) for each in found], following(found[-1].id if len(found) == limit else None)))


async def start(call: Call) -> Answer:
    """Start a strategy, or have it go on after a pause."""
    return ok(Said(await _host(call).start(call.path["name"], call.by)))


async def pause(call: Call) -> Answer:
    """Pause a strategy: no new entries, and what only closes still goes."""
    return ok(Said(await _host(call).pause(call.path["name"], call.by)))


async def stop(call: Call) -> Answer:
    """Stop a strategy; what it holds stays."""
    return ok(Said(await _host(call).stop(call.path["name"], call.by)))


def _host(call: Call) -> Host:
    host = call.desk.strategies
    if host is None:
        raise NotKnown("this desk hosts no strategies")
    return host


def _strategy(shown: Shown) -> Strategy:
    return told(Strategy, shown, since=moment_or_none(shown.since))


def _triggered(trigger: Trigger) -> Triggered:
    return told(Triggered, trigger, trigger_time=moment(trigger.trigger_time), create_time=moment(trigger.create_time))
