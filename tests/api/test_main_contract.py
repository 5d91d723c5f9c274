"""The main contract over HTTP (S4-49, S4-50): five steps, and refused while one of it is held or worked."""

from __future__ import annotations

from pathlib import Path

from tests.api.desks import a_counter, buy, resting

from tradeloop.access.identity import Scope
from tradeloop.bootstrap import open_desk
from tradeloop.core.types import Symbol

PATH = "/api/v1/main-contract"
BAC, IBM = {"symbol": "BAC.US", "reason": "it begins"}, {"symbol": "ibm.us", "reason": "the month rolls"}


async def test_it_is_nothing_at_first_then_what_was_named_in_the_words_of_the_source(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann = counter.client("ann")
        none = (await ann.get(PATH)).document
        first = await ann.send("PUT", PATH, BAC)
        shown = (await ann.get(PATH)).document
    assert none["main_contract"] is None
    assert len(first.document["steps"]) == 5
    assert first.document["contract"] == shown
    wanted = {"main_contract": "BAC.US", "contract_multiplier": "1", "exchange": "US", "auto_subscribe": True}
    assert {name: shown[name] for name in wanted} == wanted
    assert (shown["set_by"], shown["reason"]) == ("ann", "it begins")


async def test_a_switch_leaves_the_one_before_and_its_quotes(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann = counter.client("ann")
        await ann.send("PUT", PATH, BAC)
        said = await ann.send("PUT", PATH, IBM)
        again = await ann.send("PUT", PATH, IBM)
        quotes = (await ann.get("/api/v1/quotes", symbols="BAC.US,IBM.US")).document
        deeds = (await ann.get("/api/v1/audit", what="MainContractSwitched")).document["audit"]
        order = await ann.post("/api/v1/orders", buy())
        followed = counter.desk.follows(Symbol("BAC.US"))
    assert said.status == 200
    assert said.document["steps"][2:4] == ["the feed delivers BAC.US no more", "its newest quote is forgotten"]
    assert again.document["steps"] == []
    assert quotes["missing"] == ["BAC.US"]
    assert [each["symbol"] for each in quotes["quotes"]] == ["IBM.US"]
    assert [(each["subject"], each["who"]) for each in deeds] == [("IBM.US", "ann"), ("BAC.US", "ann")]
    assert (order.status, followed) == (201, True)  # an order in it has it quoted again


async def test_it_is_refused_while_an_order_works_or_something_is_held(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann = counter.client("ann")
        await ann.send("PUT", PATH, BAC)
        order = (await ann.post("/api/v1/orders", resting())).document["order_id"]
        works = await ann.send("PUT", PATH, IBM)
        await ann.post(f"/api/v1/orders/{order}/cancel")
        await counter.order_is(ann, order, "CANCELED")
        order = (await ann.post("/api/v1/orders", buy())).document["order_id"]
        await counter.order_is(ann, order, "FILLED")
        held = await ann.send("PUT", PATH, IBM)
        shown = (await ann.get(PATH)).document
        quoted = (await ann.get("/api/v1/quotes", symbols="BAC.US")).document["quotes"]
    assert [(each.status, each.code) for each in (works, held)] == [(409, "conflict")] * 2
    assert "works in BAC.US" in works.document["detail"]
    assert "held" in held.document["detail"]
    assert (shown["main_contract"], len(quoted)) == ("BAC.US", 1)


async def test_what_is_no_instrument_or_asked_without_the_right_changes_nothing(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann, viewer = counter.client("ann"), counter.client("vic", Scope.READ_MARKET, Scope.READ_ACCOUNT)
        odd = [await ann.send("PUT", PATH, body) for body in ({"symbol": "NOPE.XX"}, {"symbol": ""}, {}, {**BAC, "more": 1})]
        refused = await viewer.send("PUT", PATH, BAC)
        seen = await viewer.get(PATH)
    assert {each.status for each in odd} <= {400, 404, 422}
    assert (refused.code, seen.document["main_contract"]) == ("forbidden", None)


async def test_it_is_followed_again_after_a_restart(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        await counter.client("ann").send("PUT", PATH, IBM)
        loaded = counter.desk.loaded
    async with open_desk(loaded, command="up", alert=lambda _: None) as desk:
        assert desk.state.main is not None
        assert desk.follows(Symbol("IBM.US"))


async def test_what_a_run_that_has_not_ended_needs_goes_on_being_quoted(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann = counter.client("ann")
        await ann.send("PUT", PATH, BAC)
        target = {"portfolio": [{"symbol": "BAC.US", "weight": "0.01"}], "hold": True}
        run_id = (await ann.post("/api/trade/runs", target)).document["run_id"]
        said = await ann.send("PUT", PATH, IBM)
        followed = counter.desk.follows(Symbol("BAC.US"))
    assert said.document["steps"][2] == f"BAC.US is quoted on: run {run_id} has not ended"
    assert followed
