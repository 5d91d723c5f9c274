"""The template's words and messages, as tables: what the venue says is read exactly, what cannot be read is never guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.brokers._template import Secret, TemplateConfig, translate, words
from tradeloop.core.errors import BadInput
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    CancelAck,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    OrderAck,
    OrderExpire,
    ReplaceAck,
    Report,
)
from tradeloop.core.types import (
    AccountID,
    Amount,
    ClOrdID,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)

ACCOUNT = AccountID("demo")
READ = translate.Translator("template", ACCOUNT)
AT = UtcNs(7)
DAY = TradingDay("2026-07-17")
TRADE: dict[str, Any] = {
    "say": "trade", "exec_id": "T1", "order_id": "O1", "cl_ord_id": "a1", "symbol": "US:ACME", "side": "S", "qty": "3",
    "px": "10.10", "fee": "0.003", "day": "2026-07-17", "at": 7,
}  # fmt: skip
FILL = Execution(
    "template", ACCOUNT, DAY, ExecID("T1"), Symbol("ACME.US"), Side.SELL, Qty(Decimal(3)), Px(Decimal("10.10")), ClOrdID("a1"),
    OrderID("O1"), commission=Amount(Decimal("0.003")), transact_at=AT,
)  # fmt: skip
OF_A1: dict[str, Any] = {"cl_ord_id": "a1", "order_id": "O1", "at": 7}

SAID: list[tuple[dict[str, Any], Report | None]] = [
    ({"say": "new", **OF_A1}, OrderAck("template", ClOrdID("a1"), OrderID("O1"), AT)),
    (TRADE, FILL),
    ({**TRADE, "cl_ord_id": None}, msgspec.structs.replace(FILL, cl_ord_id=None)),
    ({**TRADE, "fee": None}, msgspec.structs.replace(FILL, commission=None)),
    (
        {"say": "bust", "ref": "T1", "side": "B", "day": DAY, "at": 7},
        ExecutionBust("template", ACCOUNT, DAY, ExecID("T1"), Side.BUY, AT),
    ),
    (
        {"say": "correct", "ref": "T1", "side": "B", "day": DAY, "qty": "2", "px": "9.9", "fee": "0", "at": 7},
        ExecutionCorrect(
            "template", ACCOUNT, DAY, ExecID("T1"), Side.BUY, Qty(Decimal(2)), Px(Decimal("9.9")), Amount(Decimal(0)), AT
        ),
    ),
    (
        {"say": "canceled", **OF_A1, "text": "as asked", "cum": "2"},
        CancelAck("template", ClOrdID("a1"), "as asked", AT, Qty(Decimal(2)), OrderID("O1")),
    ),
    ({"say": "canceled", **OF_A1, "cl_ord_id": None, "text": "", "cum": "0"}, None),
    (
        {"say": "lapsed", **OF_A1, "text": "the day ended", "cum": "0"},
        OrderExpire("template", ClOrdID("a1"), "the day ended", AT, Qty(Decimal(0)), OrderID("O1")),
    ),
    (
        {"say": "cancel_reject", **OF_A1, "code": "TOO_LATE", "text": "the order is done"},
        CancelReject("template", ClOrdID("a1"), "TOO_LATE", "the order is done", AT),
    ),
    (
        {"say": "replaced", **OF_A1, "number": 2, "qty": "5", "px": "9.5", "cum": "1"},
        ReplaceAck(
            "template", ClOrdID("a1"), Qty(Decimal(5)), Px(Decimal("9.5")), number=2, cum_qty=Qty(Decimal(1)), transact_at=AT
        ),
    ),
]

UNREADABLE = [
    ({"say": "halted", "symbol": "US:ACME"}, "halted"),
    ({**TRADE, "side": "X"}, "'X'"),
    ({**TRADE, "px": "ten"}, "ten"),
    ({**TRADE, "px": 10.1}, "10.1"),
    ({**TRADE, "qty": None}, "None"),
    ({**TRADE, "at": "yesterday"}, "yesterday"),
    ({**TRADE, "exec_id": 17}, "17"),
    ({**TRADE, "order_id": None}, "None"),
    ({**TRADE, "symbol": "ACME"}, "ACME"),
    ({k: v for k, v in TRADE.items() if k != "day"}, "day"),
]


@pytest.mark.parametrize(("said", "report"), SAID, ids=lambda v: v["say"] if isinstance(v, dict) else "")
def test_what_the_venue_says_is_read_exactly(said: dict[str, Any], report: Report | None) -> None:
    assert READ.report(said) == report


@pytest.mark.parametrize(("said", "raw"), UNREADABLE)
def test_what_cannot_be_read_is_named_and_never_guessed(said: dict[str, Any], raw: str) -> None:
    with pytest.raises(BadInput, match=raw):
        READ.report(said)


def an_order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "cl_ord_id": ClOrdID("a1"), "broker": "template", "account": ACCOUNT, "symbol": Symbol("ACME.US"), "side": Side.BUY,
        "order_qty": Qty(Decimal(100)), "ord_type": OrdType.LIMIT, "price": Px(Decimal("9.87")), "stop_px": None,
        "tif": TimeInForce.DAY, "position_effect": PositionEffect.AUTO, "trading_day": DAY, "by": "test", "risk_version": "1",
        "staged_at": AT,
    }  # fmt: skip
    return Order(**(fields | changes))


PLACED = {
    "do": "place", "account": "demo", "cl_ord_id": "a1", "symbol": "US:ACME", "side": "B", "qty": "100", "type": "LMT",
    "px": "9.87", "tif": "DAY", "expires_at": 99,
}  # fmt: skip


def test_an_order_is_written_in_their_words() -> None:
    assert translate.placing(an_order(), UtcNs(99)) == PLACED


def test_a_market_order_has_no_price_on_the_wire() -> None:
    written = translate.placing(an_order(ord_type=OrdType.MARKET, price=None), UtcNs(99))
    assert (written["type"], written["px"]) == ("MKT", None)


def test_a_large_quantity_is_written_without_an_exponent() -> None:
    assert translate.placing(an_order(order_qty=Qty(Decimal("1E+5"))), UtcNs(99))["qty"] == "100000"


def test_a_stop_they_do_not_hold_has_no_words() -> None:
    with pytest.raises(BadInput, match="STOP"):
        translate.placing(an_order(ord_type=OrdType.STOP, stop_px=Px(Decimal(9)), price=None), UtcNs(99))


@pytest.mark.parametrize("symbol", ["ACME", ".US", "ACME."])
def test_a_symbol_without_code_or_venue_is_refused(symbol: str) -> None:
    with pytest.raises(BadInput, match=r"CODE\.VENUE"):
        words.their_symbol(Symbol(symbol))


def test_every_status_of_ours_that_they_have_is_told_apart() -> None:
    assert len(set(words.STATUSES.values())) == len(words.STATUSES)
    assert OrdStatus.UNKNOWN not in words.STATUSES.values()


BAD_SETTINGS = [{"port": 0}, {"lives_ns": 0}, {"answer_within_ns": 9_000_000_000}, {"backoff_s": ()}, {"backoff_s": (0,)}]


@pytest.mark.parametrize("changes", BAD_SETTINGS)
def test_settings_that_mean_nothing_are_refused(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"port": 1, "token": Secret("t")}
    with pytest.raises(BadInput):
        TemplateConfig(**(fields | changes))


def test_a_secret_is_shown_by_nothing() -> None:
    config = TemplateConfig(port=1, token=Secret("open-sesame"))
    assert "open-sesame" not in f"{config!r} {config} {config.token!r} {config.token}"
    assert config.token.reveal() == "open-sesame"
