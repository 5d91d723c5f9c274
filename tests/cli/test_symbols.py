"""`tradeloop symbols`: an overfill halts a symbol, everybody who looks is told, and a named person releases it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.commands import FAST, tradeloop
from tests.cli.test_orders import submit
from tests.cli.test_second_factor import code, no_code, set_up

from tradeloop.bootstrap import brokers, open_desk
from tradeloop.config import find_home, load
from tradeloop.core.reports import Execution
from tradeloop.core.types import ClOrdID, ExecID, Px, Qty, Side, Symbol, TradingDay

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which a broker reported more fills of an order than were asked for."""
    order = submit(tmp_path, "BAC.US", "buy", "100").document["order"]

    async def overfill() -> None:
        loaded = load({"feed.kind": "demo", "feed.speed": 300.0}, home=find_home(tmp_path))
        async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
            await desk.ready()
            desk.engine.report(
                Execution(
                    broker="paper",
                    account=desk.account,
                    trading_day=TradingDay(order["trading_day"]),
                    exec_id=ExecID("more"),
                    symbol=Symbol("BAC.US"),
                    side=Side.BUY,
                    last_qty=Qty(Decimal(7)),
                    last_px=Px(Decimal("13.80")),
                    cl_ord_id=ClOrdID(order["id"]),
                )
            )
            await desk.settled()
            assert "BAC.US" in desk.state.halted

    asyncio.run(overfill())
    return tmp_path


def test_a_halted_symbol_is_listed_wherever_a_person_looks(home: Path) -> None:
    (halted,) = tradeloop(home, "symbols", "--json").document["halted"]
    assert halted["symbol"] == "BAC.US"
    assert "overfilled by 7" in halted["why"]
    assert "tradeloop symbols release BAC.US" in tradeloop(home, "symbols").out
    found = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "halted"]
    assert "symbols release BAC.US" in found[0]["text"]
    assert tradeloop(home, "account", "--json").document["halted"][0]["symbol"] == "BAC.US"
    assert "halted: " in tradeloop(home, "account").out


def test_a_named_person_releases_a_symbol_and_it_trades_again(home: Path) -> None:
    assert submit(home, "BAC.US", "buy", "1").document["rule"] == "halted"
    said = tradeloop(home, "symbols", "release", "bac", "--reason", "read the contract note", "--by", "ann", *DEMO)
    assert said.code == 0, said.err
    assert "BAC.US takes orders again" in said.out
    assert tradeloop(home, "symbols", "--json").document["halted"] == []
    assert tradeloop(home, "account", "--json").document["halted"] == []
    assert submit(home, "BAC.US", "buy", "1").code == 0


def test_a_release_needs_a_reason_and_something_halted(home: Path) -> None:
    assert tradeloop(home, "symbols", "release", "BAC.US", *DEMO).code == 2
    empty = tradeloop(home, "symbols", "release", "BAC.US", "--reason", " ", *DEMO)
    assert empty.code == 2
    assert "needs a name and a reason" in empty.error
    other = tradeloop(home, "symbols", "release", "AIG.US", "--reason", "why not", *DEMO)
    assert other.code == 2
    assert "'AIG.US', which is not halted" in other.error
    assert len(tradeloop(home, "symbols", "--json").document["halted"]) == 1


def test_where_the_broker_is_live_nobody_releases_a_symbol_without_a_code(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "REHEARSALS", frozenset())
    release = ("symbols", "release", "BAC.US", "--reason", "read the contract note", *DEMO)
    said = tradeloop(home, *release)
    assert (said.code, "none is set up: run `tradeloop second-factor set-up`" in said.error) == (2, True)
    set_up(home, monkeypatch)
    for given in ((), ("--code", no_code())):
        assert tradeloop(home, *release, *given).code == 2
    assert "'AIG.US', which is not halted" in tradeloop(home, *release[:2], "AIG.US", *release[3:], "--code", code()).error
    assert len(tradeloop(home, "symbols", "--json").document["halted"]) == 1
