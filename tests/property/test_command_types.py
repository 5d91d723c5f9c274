"""The law of the types, for what is asked: a field of a command holds what it declares, or its asker alone is refused.

Each field of each command, and of the rows in it, is given values of every other type: what passes is of the declared types,
and what it makes of the books is the same after a replay.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from tests.core.runs_made import a_run
from tests.property.test_report_types import WRONG, A, a_busy_desk

from tradeloop.core import commands as c
from tradeloop.core.checked import checked_command
from tradeloop.core.errors import BadInput
from tradeloop.core.evolve import evolve
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.instrument import FeeLine, FeeSchedule
from tradeloop.core.limit import RiskLimit
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdType, Px, Qty, RunID, Symbol, UtcNs
from tradeloop.journal import codec
from tradeloop.testing.builders import DAY, NOON, an_instrument, buy, fees
from tradeloop.testing.desk import Desk

LISTED = an_instrument(
    A,
    **{one: Decimal("0.5") for one in ("price_limit", "price_limit_down", "margin_rate", "cage", "large_cancel_qty")},
    **{one: Decimal(1000) for one in ("max_qty_limit", "max_qty_market")},
    lot=1,
    min_qty=1,
    counts_killed=True,
    fees=fees(),
)
LIMIT = RiskLimit("max_order_value", Decimal(10**9), by="t", reason="r")
LINE = c.TargetLine(Symbol(A), Decimal("0.1"), 1, Px(Decimal(10)), "name", "industry")
SEEN = c.SeenPrice(Symbol(A), Px(Decimal(10)), NOON, "q", Px(Decimal(10)))
RUN = msgspec.structs.replace(
    a_run({}),
    targets=(LINE,),
    prices=(SEEN,),
    risk_checks={"cash": True},
    target_exposure=Decimal("0.1"),
    order_timeout_ns=SECOND_NS,
    limits=c.RunLimits(max_weight=Decimal(1), max_positions=9, max_industry_weight=Decimal(1), blacklist=(Symbol("x.SH"),)),
    inputs=(("portfolio", "h"),),
)
FIRST = next(iter(a_busy_desk().state.orders.open))
COMMANDS: tuple[Any, ...] = (
    buy(A, 10, ord_type=OrdType.LIMIT, price="10", request_id="q", strategy_id="s", reason="r", approved_by="a"),
    buy(A, 10, ord_type=OrdType.STOP, stop_px="11"),
    c.CancelOrder(FIRST, "t", "r"),
    c.ReplaceOrder(FIRST, "t", Qty(Decimal(9)), Px(Decimal(10)), None, "r", "q2"),
    c.ResolveOrder(FIRST, "CANCELED", "t", "r"),
    RUN,
    *(kind(RunID("r1"), "t") for kind in (c.ApproveRun, c.PauseRun, c.ResumeRun, c.CancelRun)),
    c.RetryRun(RunID("r1"), "t", (SEEN,)),
    c.RepairBreak("cash:paper:demo:CNY", "t", "r"),
    c.ReleaseSymbol(Symbol(A), "t", "r"),
    c.HaltTrading(HaltTier.HALT, "t", "r", HaltScope.STRATEGY, "s"),
    c.ReleaseHalt("t", "r"),
    c.SetLimits((LIMIT,), "risk.yaml"),
    c.ChangeLimit(LIMIT, "", 60 * SECOND_NS),
    c.RevertLimit("max_order_value", "t", "r"),
    c.ListInstruments((LISTED,)),
    c.OpenTradingDay("CN_A", DAY, ((UtcNs(0), UtcNs(5)),), ((UtcNs(0), UtcNs(5)),)),
    c.SwitchMainContract(Symbol(A), "t", "r"),
    c.AcknowledgeAlert("fate:x", "t", "r"),
)
NESTED: dict[str, tuple[Any, Any]] = {
    "target": (LINE, lambda row: msgspec.structs.replace(RUN, targets=(row,))),
    "price": (SEEN, lambda row: msgspec.structs.replace(RUN, prices=(row,))),
    "limits of a run": (RUN.limits, lambda row: msgspec.structs.replace(RUN, limits=row)),
    "price of a retry": (SEEN, lambda row: c.RetryRun(RunID("r1"), "t", (row,))),
    "limit": (LIMIT, lambda row: c.SetLimits((row,))),
    "limit of a person": (LIMIT, lambda row: c.ChangeLimit(row, "", 60 * SECOND_NS)),
    "instrument": (LISTED, lambda row: c.ListInstruments((row,))),
    "fees": (LISTED.fees, lambda row: c.ListInstruments((msgspec.structs.replace(LISTED, fees=row),))),
    "fee": (
        FeeLine(
            "c", Decimal("0.001"), Decimal(0), Decimal(5), Decimal("0.5"), None, Decimal("0.001"), Decimal("0.1"), Decimal(9)
        ),
        lambda row: c.ListInstruments((msgspec.structs.replace(LISTED, fees=FeeSchedule((row,))),)),
    ),
    "window": ((UtcNs(0), UtcNs(5)), lambda row: c.OpenTradingDay("CN_A", DAY, (row,))),
}
ODD_PAIRS = ((1,), (1, 2, 3), ("a", "b"), [1, 2], (None, 1), ((1, 2),))


def test_every_command_is_asked() -> None:
    assert {type(one) for one in COMMANDS} == set(get_args(c.Command))


def test_the_commands_here_are_sound() -> None:
    for command in COMMANDS:
        checked_command(command)


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=[type(one).__name__ for one in COMMANDS])
def test_a_field_of_a_wrong_type_is_refused_to_its_asker(number: int) -> None:
    for field in COMMANDS[number].__struct_fields__:
        for value in (*WRONG, ODD_PAIRS, *ODD_PAIRS):
            holds(msgspec.structs.replace(COMMANDS[number], **{field: value}))


@pytest.mark.parametrize("where", NESTED)
def test_a_row_of_a_wrong_type_is_refused_to_its_asker(where: str) -> None:
    row, command_of = NESTED[where]
    for odd in (*WRONG, *ODD_PAIRS):
        holds(command_of(odd))
    for field in getattr(row, "__struct_fields__", ()):
        for value in (*WRONG, *ODD_PAIRS):
            holds(command_of(msgspec.structs.replace(row, **{field: value})))


@pytest.mark.parametrize("what", [one for one in WRONG if type(one) is not type], ids=lambda one: type(one).__name__)
def test_what_is_no_command_is_refused(what: Any) -> None:
    with pytest.raises(BadInput, match="a command was"):
        checked_command(what)


def test_a_refusal_names_the_field_what_was_expected_and_what_was_found() -> None:
    with pytest.raises(BadInput, match="tier was 'HALT'; expected a HaltTier"):
        checked_command(c.HaltTrading("HALT", "t"))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="reason was None; expected text"):
        checked_command(c.HaltTrading(HaltTier.HALT, "t", None))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"windows was '.*', a tuple; expected a tuple of 2"):
        checked_command(c.OpenTradingDay("US", DAY, ((1,),)))  # type: ignore[arg-type]


def holds(command: Any) -> None:
    """Refused in a sentence, or of the declared types, and then the books are the same after a replay."""
    try:
        checked_command(command)
    except BadInput as refused:
        assert "expected" in str(refused), refused  # noqa: PT017 - of many commands few are refused
        return
    assert repr(msgspec.msgpack.decode(msgspec.msgpack.encode(command), type=type(command))) == repr(command)
    desk = a_busy_desk()
    given(desk, command)
    given(desk, buy(A, 1, ord_type=OrdType.LIMIT, price="10"))
    fresh = State()
    for event in codec.decode(codec.encode(desk.events)):
        evolve(fresh, event)
    assert fresh.hash() == desk.state.hash()
    assert State.unpack(desk.state.pack()).pack() == desk.state.pack()


def given(desk: Desk, command: Any) -> None:
    """What a decision refuses is refused to its asker."""
    with suppress(BadInput):
        desk.give(command)
