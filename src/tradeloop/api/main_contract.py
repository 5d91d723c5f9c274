"""The main contract over HTTP (S4-49, S4-50): which it is, and its switch in five steps.

It is refused while one of the contract before is held or worked, so that nobody looks away from what they own.
"""

from __future__ import annotations

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.plain import Amount, Moment, amount, moment
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.symbols import exchange_of, symbol_of
from tradeloop.core.checked import checked_command
from tradeloop.core.commands import SwitchMainContract


class MainContract(msgspec.Struct, frozen=True):
    """The main contract in S4's words; all null before the first was named. The desk subscribes it at every start."""

    main_contract: str | None
    name: str | None
    contract_multiplier: Amount | None
    exchange: str | None
    last_update: Moment | None
    auto_subscribe: bool
    set_by: str | None
    reason: str | None


class NewMainContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which instrument it shall be, in any notation, and why, which is journalled."""

    symbol: str
    exchange: str = ""
    reason: str = ""


class Switched(msgspec.Struct, frozen=True):
    """What came of it: `steps` are the five of S4-50, each in a sentence; none where it was the main contract already."""

    done: str
    steps: list[str]
    contract: MainContract


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_MARKET, safe=True, rate=Rate.READ)
    sets = Policy(Scope.ORDER_PAPER, safe=False, rate=Rate.WORK)
    path = "/api/v1/main-contract"
    table.add("GET", path, show, reads, "market", gives=MainContract)
    table.add("PUT", path, switch, sets, "market", body=NewMainContract, gives=Switched)


async def show(call: Call) -> Answer:
    """Show the main contract."""
    await call.desk.settled()
    return ok(_shown(call))


async def switch(call: Call) -> Answer:
    """Switch the main contract; refused while one of it is held or an order works in it."""
    asked = call.asked(NewMainContract)
    symbol = symbol_of(asked.exchange, asked.symbol, call.desk.broker)
    command = SwitchMainContract(symbol, call.by, asked.reason)
    checked_command(command)
    call.desk.listed(symbol)
    found = await call.desk.switch_main(command)
    return ok(Switched(found.done, found.steps, _shown(call)))


def _shown(call: Call) -> MainContract:
    main = call.desk.state.main
    if main is None:
        return MainContract(None, None, None, None, None, auto_subscribe=True, set_by=None, reason=None)
    instrument = call.desk.state.instruments[main.symbol]
    return MainContract(
        main_contract=main.symbol,
        name=instrument.name,
        contract_multiplier=amount(instrument.multiplier),
        exchange=exchange_of(main.symbol),
        last_update=moment(main.at),
        auto_subscribe=True,
        set_by=main.by,
        reason=main.reason,
    )
