"""`tradeloop orders replace`: other terms for an order that stands, from the request to the broker's answer."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import msgspec
from tests.cli.commands import Said, orders, tradeloop
from tests.cli.test_orders import DEMO, faults, submit
from tests.core.risk.cases import MOUTAI, buys

from tradeloop.cli import control
from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.denied import Denied
from tradeloop.core.types import ClOrdID, Qty
from tradeloop.testing.builders import an_instrument
from tradeloop.testing.desk import Desk


def standing(home: Path) -> str:
    """A limit order away from the market."""
    said = submit(home, "BAC.US", "buy", "100", "--type", "limit", "--price", "10.00")
    assert said.document["order"]["ord_status"] == "NEW", said.err
    return str(said.document["order"]["id"])


def replace(home: Path, order: str, *words: str) -> Said:
    return tradeloop(home, "orders", "replace", order, *words, *DEMO)


def test_a_standing_order_gets_the_terms_that_were_asked_for(tmp_path: Path) -> None:
    order = standing(tmp_path)
    said = replace(tmp_path, order, "--qty", "200", "--price", "9.50", "--reason", "second thoughts", "--json")
    assert said.code == 0, said.err
    found = said.document
    assert found["done"] == f"order {order} is NEW: 200 at 9.50, 0 filled"
    assert (found["order"], found["symbol"], found["status"], found["change"]) == (order, "BAC.US", "NEW", "REPLACED")
    assert found["broker_order_id"]
    assert found["before"] == {"qty": "100", "price": "10.00", "stop_px": None}
    assert found["asked"] == found["in_force"] == {"qty": "200", "price": "9.50", "stop_px": None}
    assert (found["denied"], found["repeat"]) == (None, False)
    (row,) = orders(tmp_path)
    assert (row["qty"], row["price"], row["leaves_qty"], row["reserved"]) == ("200", "9.5", "200", "1900")


def test_what_is_not_named_stays_as_it_is(tmp_path: Path) -> None:
    order = standing(tmp_path)
    assert replace(tmp_path, order, "--price", "9.50").code == 0
    (row,) = orders(tmp_path)
    assert (row["qty"], row["price"]) == ("100", "9.5")


def test_a_held_stop_gets_another_trigger(tmp_path: Path) -> None:
    said = submit(tmp_path, "BAC.US", "buy", "100", "--type", "stop", "--stop-price", "90.00")
    order = said.document["order"]["id"]
    assert replace(tmp_path, order, "--stop", "95.00").code == 0
    (row,) = orders(tmp_path)
    assert (row["ord_status"], row["stop_px"]) == ("STAGED", "95")


def test_what_risk_denies_ends_with_the_code_of_a_denial_and_changes_nothing(tmp_path: Path) -> None:
    """S0-67."""
    order = standing(tmp_path)
    said = replace(tmp_path, order, "--qty", "10000000")
    assert said.code == 3
    assert next(line for line in said.err.splitlines() if "denied" in line).startswith("denied: BUY 10000000 BAC.US may cost")
    assert "error:" not in said.err
    assert orders(tmp_path)[0]["qty"] == "100"
    found = replace(tmp_path, order, "--qty", "10000000", "--json").document
    assert (found["order"], found["status"], found["change"]) == (order, "NEW", "DENIED")
    assert (found["denied"]["rule"], found["in_force"]["qty"], found["asked"]["qty"]) == ("cash", "100", "10000000")
    assert found["denied"]["text_zh"].startswith("委托被拒绝（cash）")


def test_a_change_that_changes_nothing_is_refused_with_what_is(tmp_path: Path) -> None:
    order = standing(tmp_path)
    said = replace(tmp_path, order, "--qty", "100")
    assert said.code == 2
    assert said.error == f"order {order} is 100 at 10.00 already; name another quantity, price or stop price"


def test_an_order_that_is_not_known_is_named(tmp_path: Path) -> None:
    standing(tmp_path)
    said = replace(tmp_path, "nobody", "--qty", "5")
    assert said.code == 2
    assert "order was 'nobody', which is not known" in said.error


def test_the_same_request_id_changes_once(tmp_path: Path) -> None:
    order = standing(tmp_path)
    assert replace(tmp_path, order, "--qty", "200", "--request-id", "r1").code == 0
    again = replace(tmp_path, order, "--qty", "200", "--request-id", "r1")
    assert again.code == 0, again.err
    assert orders(tmp_path)[0]["qty"] == "200"
    assert replace(tmp_path, order, "--qty", "300", "--request-id", "r1").code == 2


def test_a_lost_request_is_found_out_from_the_brokers_books(tmp_path: Path) -> None:
    """Modify is an ambiguous operation, too: asked about, never asked twice."""
    order = standing(tmp_path)
    faults(tmp_path, "reply_lost:1")
    said = replace(tmp_path, order, "--qty", "200")
    assert said.code == 0, said.err
    assert orders(tmp_path)[0]["qty"] == "200"


def test_the_process_that_trades_is_asked_with_every_word_of_the_command() -> None:
    """What is not named travels as nothing, not as a word."""
    command = ReplaceOrder(ClOrdID("c1"), "ann", Qty(Decimal(200)), None, None, "why", "r1")
    line = json.dumps({"do": "ReplaceOrder", **msgspec.to_builtins(command)}).encode()
    assert control._command(line) == command


def test_the_process_that_trades_answers_a_denial_with_its_code() -> None:
    command = ReplaceOrder(ClOrdID("c1"), "ann")
    denied = control.spoken(OrderReply(ClOrdID("c1"), Denied("cash", "1", "2", "too little cash")), command)
    assert (denied.ok, denied.text, denied.exit_code) == (False, "denied: too little cash", 3)
    asked = control.spoken(OrderReply(ClOrdID("c1")), command)
    assert (asked.ok, asked.text) == (True, "change of order c1 is on its way; the broker answers")


async def test_the_process_that_trades_tells_what_became_of_a_change_with_its_parts() -> None:
    desk = Desk().opened(an_instrument(MOUTAI))
    order = desk.order(buys(100))
    desk.ack(order)

    class Engine:
        async def ask(self, command: ReplaceOrder) -> object:
            return desk.give(command)

    async def asked(qty: int) -> control.Answer:
        command = ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(qty)))
        line = json.dumps({"do": "ReplaceOrder", **msgspec.to_builtins(command)}).encode()
        said = await control._decided(SimpleNamespace(loaded=None, state=desk.state, engine=Engine()), line)  # type: ignore[arg-type]
        return msgspec.json.decode(msgspec.json.encode(said), type=control.Answer)

    no = await asked(10_000_000)
    assert (no.ok, no.exit_code) == (False, 3)
    assert no.change is not None
    assert (no.change["change"], no.change["denied"]["rule"], no.change["in_force"]["qty"]) == ("DENIED", "cash", "100")
    yes = await asked(200)
    assert yes.change is not None
    assert (yes.change["change"], yes.change["before"]["qty"], yes.change["asked"]["qty"]) == ("PENDING", "100", "200")
