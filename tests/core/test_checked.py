"""What may enter: nothing that could end the writer or spoil the record gets past the boundary, and what is sound does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.runs_made import A, a_run, prices

from tradeloop.core.checked import Distrusted, checked, checked_command, checked_quote
from tradeloop.core.commands import (
    CancelOrder,
    ChangeLimit,
    Command,
    ListInstruments,
    OpenTradingDay,
    ReplaceOrder,
    RetryRun,
    RunLimits,
    TargetLine,
)
from tradeloop.core.errors import BadInput
from tradeloop.core.fit import TEXT_MAX
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.reports import (
    BrokerDown,
    BrokerSnapshot,
    CancelAck,
    ExecutionBust,
    ExecutionCorrect,
    HeldPosition,
    OrderAck,
    OrderReject,
    Quote,
    SendOutcome,
)
from tradeloop.core.types import (
    Amount,
    ClOrdID,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    RunID,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    a_quote,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    number,
    their_order,
)

NO_NUMBERS = ["NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1E+400", "10." + "1" * 58]
SURROGATE = "e\ud800"


def reason(found: object) -> str:
    assert isinstance(found, Distrusted), found
    return found.reason


@pytest.mark.parametrize("name", ["momen\ntum", "a\tb", "\x1b[31mred", "a\x7f", "a\u200bb"])
def test_a_name_with_a_line_end_or_a_sign_that_nobody_sees_is_refused(name: str) -> None:
    """Names stand in rows of tables and files: one of two lines would be two rows."""
    limit = RiskLimit("max_order_qty", Decimal(1), LimitScope.STRATEGY, name=name, by="ann", reason="r")
    target = msgspec.structs.replace(a_run({A: "0.1"}).targets[0], name=name)
    for command in (
        buy(A, 100, strategy_id=name),
        buy(A, 100, request_id=name),
        ReplaceOrder(ClOrdID("o1"), "ann", Qty(Decimal(1)), request_id=name),
        ChangeLimit(limit, lasts_ns=1),
        a_run({A: "0.1"}, project_id=name),
        a_run({A: "0.1"}, decision_snapshot_id=name),
        a_run({A: "0.1"}, champion_id=name),
        a_run({A: "0.1"}, by=name),
        msgspec.structs.replace(a_run({A: "0.1"}), targets=(target,)),
    ):
        with pytest.raises(BadInput, match="signs that are not seen; type the name anew"):
            checked_command(command)


def test_a_name_of_any_script_and_a_reason_of_several_lines_may_enter() -> None:
    checked_command(buy(A, 100, strategy_id="动量 1", request_id="r-1", reason="news\nand more"))


@pytest.mark.parametrize("text", [*NO_NUMBERS, "0", "-50"])
def test_a_fill_whose_quantity_or_price_cannot_be_is_not_believed(text: str) -> None:
    assert "last_qty was" in reason(checked(an_execution("o1", A, Side.BUY, text, "10")))
    assert "last_px was" in reason(checked(an_execution("o1", A, Side.BUY, 100, text)))


@pytest.mark.parametrize("text", NO_NUMBERS[:6])
def test_a_fill_whose_commission_is_no_amount_counts_without_it(text: str) -> None:
    """What was traded is worth more than what it cost."""
    found = checked(an_execution("o1", A, Side.BUY, 100, "10", commission=Amount(number(text))))
    assert "commission was" in reason(found)
    assert isinstance(found, Distrusted)
    assert found.rest == an_execution("o1", A, Side.BUY, 100, "10", commission=None)


def test_a_correction_whose_commission_is_no_amount_counts_without_it() -> None:
    correct = ExecutionCorrect(
        BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(5)), Px(Decimal(1)), Amount(Decimal("NaN"))
    )
    found = checked(correct)
    assert isinstance(found, Distrusted)
    assert isinstance(found.rest, ExecutionCorrect)
    assert (found.rest.last_qty, found.rest.commission) == (Decimal(5), None)


def test_of_a_snapshot_a_fill_whose_commission_is_no_amount_is_kept_without_it() -> None:
    odd = an_execution("o1", A, Side.BUY, 100, "10", commission=Amount(Decimal("NaN")))
    found = checked(a_snapshot(executions=(odd, an_execution("o1", A, Side.BUY, 100, "10", "e2"))))
    assert isinstance(found, Distrusted)
    assert isinstance(found.rest, BrokerSnapshot)
    assert [x.commission for x in found.rest.executions or ()] == [None, Decimal(0)]


@pytest.mark.parametrize("text", ["0", "5", "-0.25", "0.300000000000", "999"])
def test_a_commission_that_can_be_is_taken_a_rebate_too(text: str) -> None:
    fill = an_execution("o1", A, Side.BUY, 100, "10", commission=Amount(number(text)))
    assert checked(fill) == fill


def test_a_commission_finer_than_the_ledger_is_rounded_to_twelve_places() -> None:
    found = checked(an_execution("o1", A, Side.BUY, 100, "10", commission=Amount(number("0.30000000000000004"))))
    assert found == an_execution("o1", A, Side.BUY, 100, "10", commission=Amount(number("0.300000000000")))


def test_a_fill_worth_more_than_the_ledger_can_hold_is_not_believed() -> None:
    assert "was worth 1.00E+16" in reason(checked(an_execution("o1", A, Side.BUY, 100_000_000, 100_000_000)))


@pytest.mark.parametrize("field", ["exec_id", "symbol", "account", "trading_day", "cl_ord_id", "order_id", "broker"])
@pytest.mark.parametrize("bad", [SURROGATE, "x" * (TEXT_MAX + 1), "a\0b", 7])
def test_an_identity_that_cannot_be_written_is_not_believed(field: str, bad: Any) -> None:
    found = checked(an_execution(**{"cl_ord_id": "o1", "symbol": A, "side": Side.BUY, "qty": 1, "px": 1, field: bad}))
    why = reason(found)
    assert why.startswith(f"{field} was")
    why.encode()


def test_a_fill_without_an_id_is_not_believed() -> None:
    """The second of them would be taken for the first come twice."""
    assert "no exec_id" in reason(checked(an_execution("o1", A, Side.BUY, 1, 1, "")))


def test_a_long_sound_identity_in_another_script_is_believed() -> None:
    fill = an_execution("o1", A, Side.BUY, 1, 1, "\u6210" * 200, order_id=OrderID("\u59d4" * 200))
    assert checked(fill) == fill


@pytest.mark.parametrize("words", [SURROGATE, "x" * 50_000_000, "a\0b"])
def test_an_answer_is_not_lost_for_the_sake_of_its_words(words: str) -> None:
    for report in (
        OrderReject(BROKER, ClOrdID("o1"), "1", words),
        SendOutcome(BROKER, ClOrdID("o1"), "NOT_SENT", words),
        CancelAck(BROKER, ClOrdID("o1"), words),
        BrokerDown(BROKER, words),
    ):
        found = checked(report)
        assert type(found) is type(report)
        assert len(found.text.encode()) <= TEXT_MAX
        assert "\0" not in found.text


def test_reports_of_orders_and_corrections_are_looked_at_alike() -> None:
    bad = Qty(Decimal("NaN"))
    assert "order_id was" in reason(checked(OrderAck(BROKER, ClOrdID("o1"), OrderID(SURROGATE))))
    assert "transact_at was" in reason(checked(OrderAck(BROKER, ClOrdID("o1"), OrderID("b"), UtcNs(2**70))))
    assert "cum_qty was" in reason(checked(CancelAck(BROKER, ClOrdID("o1"), cum_qty=bad)))
    correct = ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, bad, Px(Decimal(1)))
    assert "last_qty was" in reason(checked(correct))
    assert "side was" in reason(checked(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), "BUY")))  # type: ignore[arg-type]


# --- snapshots


def rest(snapshot: BrokerSnapshot) -> BrokerSnapshot:
    found = checked(snapshot)
    assert isinstance(found, Distrusted)
    assert isinstance(found.rest, BrokerSnapshot)
    return found.rest


def test_a_sound_snapshot_is_taken_as_it_is() -> None:
    books = a_snapshot(
        positions={A: 100},
        orders=(their_order("o1", A, Side.BUY, 100, OrdStatus.NEW),),
        executions=(an_execution("o1", A, Side.BUY, 100, "10"),),
    )
    assert checked(books) == books


@pytest.mark.parametrize("figure", ["NaN", "sNaN", "1E+15"])
def test_cash_that_cannot_be_is_unknown_and_the_rest_of_the_books_is_read(figure: str) -> None:
    books = rest(a_snapshot(cash=figure, positions={A: 100}))
    assert (books.cash, len(books.positions or ())) == (None, 1)


def test_positions_with_one_row_that_cannot_be_are_unknown_not_flat() -> None:
    assert rest(a_snapshot(positions={A: "NaN"})).positions is None
    cost = HeldPosition(ACCOUNT, Symbol(A), Qty(Decimal(1)), Qty(Decimal(0)), cost=Amount(Decimal("3E+16")))
    assert rest(msgspec.structs.replace(a_snapshot(), positions=(cost,))).positions is None


@pytest.mark.parametrize("qty", ["NaN", "0", "-1"])
def test_orders_with_one_row_that_cannot_be_are_unknown_so_that_nothing_is_proven_absent(qty: str) -> None:
    assert rest(a_snapshot(orders=(their_order(None, A, Side.SELL, qty, OrdStatus.NEW),))).orders is None


def test_a_fill_that_cannot_be_is_left_out_of_a_snapshot_and_named() -> None:
    """What it moved shows as a break against positions and cash."""
    good, bad = an_execution("o1", A, Side.BUY, 1, 1, "good"), an_execution("o1", A, Side.BUY, "NaN", 1, "bad")
    found = checked(a_snapshot(executions=(good, bad)))
    assert "execution 'bad' left out" in reason(found)
    assert rest(a_snapshot(executions=(good, bad))).executions == (good,)


# --- quotes


@pytest.mark.parametrize("field", ["bid", "ask", "last", "prev_close", "volume", "bid_size", "ask_size", "high", "low"])
@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_quote_with_a_figure_that_is_no_number_is_not_seen(field: str, text: str) -> None:
    assert f"{field} was" in reason(checked_quote(msgspec.structs.replace(a_quote(), **{field: Decimal(text)})))


def test_a_quote_of_no_moment_or_no_symbol_is_not_seen() -> None:
    assert "at was" in reason(checked_quote(a_quote(at=2**70)))
    assert "symbol was" in reason(checked_quote(Quote(Symbol(SURROGATE), UtcNs(0))))
    assert checked_quote(a_quote()) == a_quote()


# --- commands


NAN = Decimal("NaN")
BAD: list[Command] = [
    buy(A, 100, reason=SURROGATE),
    buy(A, 100, by=SURROGATE),
    buy(A, 100, request_id="\udfff"),
    buy(A, 100, strategy_id="x" * 513),
    msgspec.structs.replace(buy(A, 100), order_qty=1.5),
    msgspec.structs.replace(buy(A, 100), side="BUY"),
    CancelOrder(ClOrdID("o1"), "t", SURROGATE),
    a_run({A: "NaN"}),
    a_run({A: "Infinity"}),
    a_run({A: "1E+400"}),
    a_run({A: "0.5"}, prices=prices(px="NaN")),
    msgspec.structs.replace(a_run({}), targets=(TargetLine(Symbol(A), Decimal("0.5"), 1, Px(NAN)),)),
    a_run({A: "0.5"}, limits=RunLimits(max_weight=NAN)),
    a_run({A: "0.5"}, order_timeout_ns=-5),
    a_run({A: "0.5"}, order_timeout_ns=2**70),
    RetryRun(RunID("r"), "t", prices(px="sNaN")),
    ListInstruments((an_instrument(lot=0),)),
    ListInstruments((an_instrument(tick="NaN"),)),
    ListInstruments((an_instrument(margin_rate=0),)),
    OpenTradingDay("CN_A", TradingDay("zzzz"), ()),
]


@pytest.mark.parametrize("command", BAD, ids=range(len(BAD)))
def test_a_command_that_cannot_be_decided_or_recorded_is_refused_in_words_that_can(command: Command) -> None:
    with pytest.raises(BadInput, match=r" was .*expected|no Unicode") as refused:
        checked_command(command)
    str(refused.value).encode()


@pytest.mark.parametrize("day", ["", "today", "20260717", "2026-7-17", "2026-02-30", "2026-13-01", "0000-01-01", "2026-07-17 "])
def test_a_run_for_a_trade_date_that_is_no_date_is_refused(day: str) -> None:
    """S0-46: it is part of what makes two commands the same run."""
    with pytest.raises(BadInput, match=r"trade_date was '.*'; expected a date such as 2026-07-17"):
        checked_command(a_run({A: "0.5"}, trade_date=TradingDay(day)))


@pytest.mark.parametrize(
    "command",
    [
        buy("\u8305\u53f0", 100, by="\xe9milie", ord_type=OrdType.LIMIT, price="10.01"),
        a_run({A: "0.333333333333333333"}, order_timeout_ns=1),
        ListInstruments((an_instrument(),)),
        OpenTradingDay("CN_A", DAY, ((UtcNs(0), UtcNs(1)),)),
    ],
)
def test_a_sound_command_passes(command: Command) -> None:
    checked_command(command)


_anything = st.text() | st.decimals(allow_nan=True) | st.integers() | st.none() | st.floats() | st.just("e\ud800")


@given(st.lists(_anything, min_size=8, max_size=8))
def test_law_whatever_a_fill_says_it_is_believed_and_can_be_written_or_refused(values: list[Any]) -> None:
    fields = ("exec_id", "symbol", "last_qty", "last_px", "commission", "transact_at", "order_id", "liquidity")
    found = checked(msgspec.structs.replace(an_execution("o1", A, Side.BUY, 1, 1), **dict(zip(fields, values, strict=True))))
    if not isinstance(found, Distrusted):
        msgspec.msgpack.encode(found)
