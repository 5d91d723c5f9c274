"""`tradeloop orders`: one order by hand, from the request to its end, and what a person does where its fate is unknown."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import FAST, FILES, Said, orders, runs, tradeloop, us_run

DEMO = ("--feed", "demo", "--speed", FAST)
BROKEN = "momen\ntum"


def submit(home: Path, *words: str) -> Said:
    return tradeloop(home, "orders", "submit", *words, *DEMO, "--json")


def faults(home: Path, script: str, **engine: Any) -> None:
    """Have the paper broker misbehave in this home."""
    home.mkdir(exist_ok=True)
    (home / "broker.yaml").write_text(f"paper:\n  faults:\n    script: {script}\n    outage_ms: 3600000\n", encoding="utf-8")
    lines = "".join(f"  {name}: {value}\n" for name, value in engine.items())
    (home / "tradeloop.yaml").write_text(f"engine:\n{lines}" if lines else "", encoding="utf-8")


def test_a_market_order_is_filled(tmp_path: Path) -> None:
    said = submit(tmp_path, "BAC", "buy", "100")
    assert said.code == 0, said.err
    assert said.document["order"]["ord_status"] == "FILLED"
    assert said.document["order"]["cum_qty"] == "100"


def test_a_limit_order_away_from_the_market_stands_until_it_is_cancelled(tmp_path: Path) -> None:
    said = submit(tmp_path, "BAC.US", "buy", "100", "--type", "limit", "--price", "10.00")
    assert said.document["order"]["ord_status"] == "NEW"
    order = said.document["order"]["id"]
    cancelled = tradeloop(tmp_path, "orders", "cancel", order, "--reason", "changed my mind", *DEMO)
    assert cancelled.code == 0, cancelled.err
    assert orders(tmp_path)[0]["ord_status"] == "CANCELED"


def test_a_stop_is_held_and_survives_the_process(tmp_path: Path) -> None:
    said = submit(tmp_path, "BAC.US", "buy", "100", "--type", "stop", "--stop-price", "20.00")
    assert said.code == 0, said.err
    assert said.document["order"]["ord_status"] == "STAGED"
    again = submit(tmp_path, "AIG.US", "buy", "1")
    assert again.code == 0
    assert {order["symbol"]: order["ord_status"] for order in orders(tmp_path)} == {"BAC.US": "STAGED", "AIG.US": "FILLED"}


def test_an_order_above_the_cash_is_denied_and_kept(tmp_path: Path) -> None:
    said = submit(tmp_path, "IBM.US", "buy", "100000")
    assert said.code == 3
    assert said.document["rule"] == "cash"
    (order,) = orders(tmp_path)
    assert order["ord_status"] == "DENIED"
    assert "free cash is" in order["error"]


def test_a_denial_says_all_its_parts_in_english_and_chinese_when_it_is_made_and_ever_after(tmp_path: Path) -> None:
    """S0-56: rule, scope, limit, what there is, what the order asks for, and what to do."""
    said = submit(tmp_path, "IBM.US", "sell", "1")
    denied = said.document["denied"]
    parts = {"rule": "sellable", "scope": "account paper, symbol IBM.US", "limit": "0", "was": "0", "this_order": "1"}
    assert {name: denied[name] for name in parts} == parts
    assert denied["remedy"] == "reduce it, or wait for settlement"
    assert denied["text_zh"].startswith("委托被拒绝（sellable）：账户 paper，证券 IBM.US，要求可平数量充足（0），现为 0，本")
    (order,) = orders(tmp_path)
    assert order["denied"] == denied | {"late": False}


def test_selling_what_is_not_held_is_denied(tmp_path: Path) -> None:
    assert submit(tmp_path, "IBM.US", "sell", "1").document["rule"] == "sellable"


def test_the_same_request_id_gives_the_first_order(tmp_path: Path) -> None:
    """S0-62, S1-42."""
    first = submit(tmp_path, "BAC.US", "buy", "100", "--request-id", "r1")
    again = submit(tmp_path, "BAC.US", "buy", "100", "--request-id", "r1")
    assert again.document["repeat"] is True
    assert again.document["order"]["id"] == first.document["order"]["id"]
    assert len(orders(tmp_path)) == 1


def test_the_same_request_id_for_another_order_is_refused(tmp_path: Path) -> None:
    submit(tmp_path, "BAC.US", "buy", "100", "--request-id", "r1")
    other = submit(tmp_path, "BAC.US", "buy", "200", "--request-id", "r1")
    assert other.code == 2
    assert "r1" in other.error
    assert len(orders(tmp_path)) == 1


def test_prices_and_stops_have_columns_of_their_own(tmp_path: Path) -> None:
    words = ("--type", "stop_limit", "--stop-price", "20.00", "--price", "21.00")
    submit(tmp_path, "BAC.US", "buy", "100", *words)
    listed = tradeloop(tmp_path, "orders").out
    assert "price" in listed
    assert "stop" in listed
    assert "20.00" in listed
    assert "21.00" in listed


def test_numbers_that_could_not_be_carried_exactly_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for qty in ("NaN", "1e400", "inf", "0." + "1" * 60, "ten"):
        said = tradeloop(home, "orders", "submit", "BAC.US", "buy", qty, *DEMO)
        assert said.code == 2
        assert said.error.startswith("the quantity was ")
    assert not home.exists()


def test_a_negative_quantity_is_refused_with_what_to_write_instead(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "orders", "submit", *DEMO, "--", "BAC.US", "buy", "-5")
    assert said.code == 2
    assert "the side says the direction" in said.error


def test_a_side_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "expected buy or sell" in tradeloop(tmp_path, "orders", "submit", "BAC.US", "hold", "5").error


def test_a_lost_request_is_found_out_and_the_order_sent_once(tmp_path: Path) -> None:
    """Promise 1: the fate is proven, nothing is doubled."""
    faults(tmp_path, "request_lost:1")
    said = submit(tmp_path, "BAC.US", "buy", "100")
    assert said.code == 0, said.err
    assert "is unknown" in said.err
    assert said.document["order"]["cum_qty"] == "100"


def test_a_lost_reply_is_found_out_and_nothing_is_sent_again(tmp_path: Path) -> None:
    faults(tmp_path, "[reply_lost:1, drop_ack:1]")
    said = submit(tmp_path, "BAC.US", "buy", "100")
    assert said.code == 0, said.err
    held = tradeloop(tmp_path, "positions", "--json").document["positions"]
    assert [row["volume"] for row in held] == ["100"]


def a_run_of_unknown_fate(home: Path) -> Said:
    """The request of the first order is lost, and with the second the broker goes away: nobody can tell."""
    faults(home, "[request_lost:1, disconnect:2]", unknown_alert_s="0.2")
    said = us_run(home, FILES / "good" / "portfolio_us.csv", "--yes")
    (home / "broker.yaml").unlink()
    return said


def unknown_orders(home: Path) -> dict[str, str]:
    """Symbol -> id of what nobody knows the fate of."""
    found = tradeloop(home, "orders", "--unknown", "--json").document["orders"]
    return {order["symbol"]: order["id"] for order in found}


def resolve_all(home: Path) -> None:
    """Say of every unknown order that it was not sent; one command may already let the books prove the next."""
    for order in unknown_orders(home).values():
        tradeloop(home, "orders", "resolve", order, "--as", "not_sent", "--reason", "asked by phone", *DEMO)
    assert unknown_orders(home) == {}


def test_a_fate_that_stays_unknown_ends_with_a_code_of_its_own(tmp_path: Path) -> None:
    said = a_run_of_unknown_fate(tmp_path)
    assert said.code == 4
    assert "orders resolve" in said.error
    assert "AIG.US" in unknown_orders(tmp_path)


def test_unknown_orders_are_listed_with_their_age_their_deadline_and_what_to_do(tmp_path: Path) -> None:
    """Promise 2: what is unknown is known to be."""
    a_run_of_unknown_fate(tmp_path)
    found = {each["symbol"]: each for each in tradeloop(tmp_path, "orders", "--unknown", "--json").document["orders"]}
    order = found["AIG.US"]
    assert order["deadline_at"] > order["unknown_at"]
    assert order["unknown_for_s"] >= 0
    assert f"tradeloop orders resolve {order['id']} --as NOT_SENT|CANCELED --reason" in order["remedy"]
    assert "tradeloop watch" in order["remedy"]  # nobody trades here, so nobody asks the broker
    said = tradeloop(tmp_path, "orders", "--unknown").out
    assert "unknown for" in said
    assert f"AIG.US: {order['remedy']}" in said.splitlines()


def test_no_unknown_orders_is_said(tmp_path: Path) -> None:
    submit(tmp_path, "BAC.US", "buy", "100")
    assert tradeloop(tmp_path, "orders", "--unknown").out == "Orders of unknown fate: none\n"


def test_an_order_that_arrived_is_resolved_as_cancelled_and_its_fills_still_come(tmp_path: Path) -> None:
    """The reply was lost, not the request: a person who says CANCELED too early is overruled by the broker's fill."""
    faults(tmp_path, "[reply_lost:1, drop_ack:1, disconnect:2]", unknown_alert_s="0.2")
    us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    (tmp_path / "broker.yaml").unlink()
    order = unknown_orders(tmp_path)["AIG.US"]
    (ordered,) = [each["qty"] for each in orders(tmp_path) if each["id"] == order]
    said = tradeloop(tmp_path, "orders", "resolve", order, "--as", "CANCELED", "--reason", "asked by phone", *DEMO)
    assert said.code == 0, said.err
    assert f"order {order} is closed as CANCELED" in said.out
    held = tradeloop(tmp_path, "positions", "--symbol", "AIG", "--json").document["positions"]
    assert [row["volume"] for row in held] == [ordered]
    again = tradeloop(tmp_path, "orders", "resolve", order, "--as", "CANCELED", "--reason", "asked by phone", *DEMO)
    assert again.code == 2


def test_a_fill_is_imported_and_never_declared(tmp_path: Path) -> None:
    a_run_of_unknown_fate(tmp_path)
    order = unknown_orders(tmp_path)["AIG.US"]
    refused = tradeloop(tmp_path, "orders", "resolve", order, "--as", "FILLED", "--reason", "the broker said so", *DEMO)
    assert refused.code == 2
    assert "expected NOT_SENT or CANCELED" in refused.error


def test_a_person_resolves_an_unknown_fate_and_the_run_comes_to_its_end(tmp_path: Path) -> None:
    """S1-43, S1-45: what is left is a list for a person, and so is the exit code."""
    a_run_of_unknown_fate(tmp_path)
    resolve_all(tmp_path)
    ended = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    assert ended.code in (0, 1)
    (run,) = runs(tmp_path)
    assert run["status"] in ("COMPLETED", "FAILED")
    assert "AIG.US" not in {order["symbol"] for order in orders(tmp_path) if order["ord_status"] == "FILLED"}


def test_a_retry_covers_what_a_run_left_over(tmp_path: Path) -> None:
    """S0-59, S1-45."""
    a_run_of_unknown_fate(tmp_path)
    resolve_all(tmp_path)
    us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    (run,) = runs(tmp_path)
    said = tradeloop(tmp_path, "runs", "retry", run["id"], *DEMO, "--by", "a named person", "--json")
    assert said.code == 0, said.err
    assert said.document["run"]["supersedes"] == run["id"]
    held = {row["symbol"]: Decimal(row["volume"]) for row in said.document["positions"]}
    assert set(held) == {"AIG.US", "BAC.US", "IBM.US", "SPY.US"}
    again = tradeloop(tmp_path, "runs", "retry", run["id"], *DEMO)
    assert again.code == 2
    assert "was retried as" in again.error


def test_filters_of_orders_add_up(tmp_path: Path) -> None:
    submit(tmp_path, "BAC.US", "buy", "100")
    submit(tmp_path, "AIG.US", "buy", "100")
    found = tradeloop(tmp_path, "orders", "--symbol", "bac", "--status", "filled", "--json").document["orders"]
    assert [order["symbol"] for order in found] == ["BAC.US"]
    assert tradeloop(tmp_path, "orders", "--status", "gone").code == 2


def test_a_name_that_is_no_unicode_text_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """What a terminal of another encoding hands over; recorded, it would have ended everybody's batch."""
    said = submit(tmp_path, "BAC.US", "buy", "100", "--by", "\udce9milie")
    assert said.code == 2
    assert said.error == "command line: operator was '\\udce9milie'; expected text in UTF-8, correct it"
    assert not (tmp_path / "tradeloop.db").exists()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("orders", "submit", "BAC.US", "buy", "1", "--strategy", BROKEN), "strategy_id"),
        (("orders", "submit", "BAC.US", "buy", "1", "--request-id", BROKEN), "request_id"),
        (("orders", "submit", "BAC.US", "buy", "1", "--approved-by", BROKEN), "--approved-by"),
        (("orders", "submit", "BAC.US", "buy", "1", "--by", BROKEN), "operator"),
        (("orders", "replace", "o1", "--qty", "1", "--request-id", BROKEN), "request_id"),
        (("risk", "check", "BAC.US", "buy", "1", "--strategy", BROKEN), "strategy_id"),
        (
            ("risk", "set", "max_order_qty", "1", "--scope", "strategy", "--name", BROKEN, "--for", "1h", "--reason", "r"),
            "name",
        ),
        (("halt", "--strategy", BROKEN), "--strategy"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else value,
)
def test_a_name_of_two_lines_is_refused_in_one_sentence_and_leaves_no_trace(
    tmp_path: Path, words: tuple[str, ...], what: str
) -> None:
    """It would stand in rows of tables and files, and be two of them."""
    said = tradeloop(tmp_path, *words, *DEMO)
    assert said.code == 2, said.err
    assert what in said.error
    assert "signs that are not seen; type the name anew" in said.error
    assert list(tmp_path.iterdir()) == []
