"""What a person decides over HTTP: orders of unknown fate, differences between books, halted symbols; and what sessions do."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.api.desks import HERE, a_counter, buy, resting

from tradeloop.access.identity import Role

ORDERS = "/api/v1/orders"


async def test_an_order_whose_fate_is_known_is_not_declared_to_be_another(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, resting())).document["order_id"]
        await counter.order_is(alice, order_id, "NEW")
        said = await alice.post(f"{ORDERS}/{order_id}/resolve", {"as": "CANCELED", "reason": "I think so"})
        order = await counter.order_is(alice, order_id, "NEW")
    assert (said.status, said.code) == (422, "bad_input")
    assert order["is_open"] is True


async def test_an_order_of_unknown_fate_is_shown_as_that_until_it_is_proven(tmp_path: Path) -> None:
    """The broker drops its first acknowledgement: the books prove later that the order is there."""
    async with a_counter(tmp_path, broker__paper__faults__script=("drop_ack:1",), engine__ack_timeout_s="1") as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, resting())).document["order_id"]
        unknown = await counter.order_is(alice, order_id, "UNKNOWN")
        listed = (await alice.get(ORDERS, unknown="true")).document["orders"]
        proven = await counter.order_is(alice, order_id, "NEW")
    assert (unknown["s0_status"], unknown["is_open"]) == ("SUBMITTED", True)
    assert [each["order_id"] for each in listed] == [order_id]
    assert proven["broker_order_id"]


async def test_the_same_amendment_again_changes_nothing_more(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, resting())).document["order_id"]
        await counter.order_is(alice, order_id, "NEW")
        headers = {"Idempotency-Key": "a1"}
        first = await alice.send("PATCH", f"{ORDERS}/{order_id}", {"price": "13.05"}, headers=headers)
        again = await alice.send("PATCH", f"{ORDERS}/{order_id}", {"price": "13.05"}, headers=headers)
        other = await alice.send("PATCH", f"{ORDERS}/{order_id}", {"price": "13.10"}, headers=headers)
    assert (first.status, again.status, other.status) == (202, 202, 409)
    assert "has changed order" in again.document["done"]
    assert again.headers["idempotent-replayed"] == "true"


async def test_what_is_no_difference_and_no_halted_symbol_is_not_found(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        accepted = await alice.post("/api/v1/breaks/none/accept", {"reason": "because"})
        released = await alice.post("/api/v1/symbols/BAC.US/release", {"reason": "because"})
        silent = await alice.post("/api/v1/breaks/none/accept", {"reason": " "})
        breaks = (await alice.get("/api/v1/breaks")).document
        alerts = (await alice.get("/api/v1/alerts")).document
    assert (accepted.code, released.code, silent.code) == ("not_known", "not_known", "bad_input")
    assert (breaks, alerts) == ({"breaks": [], "next": None}, {"alerts": [], "next": None})


async def test_a_trader_orders_in_a_session_and_is_gone_when_it_is_revoked(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        cookie, csrf = counter.known.session("tom", Role.TRADER)
        page = {"Origin": HERE, "X-CSRF-Token": csrf, "Cookie": f"theme=dark; tradeloop_session={cookie}"}
        nobody = counter.stranger()
        taken = await nobody.send("POST", ORDERS, buy(), headers=page)
        counter.known.revoke(cookie)
        gone = await nobody.send("POST", ORDERS, buy(), headers=page)
        count = len(counter.desk.state.orders.open) + len(counter.desk.state.orders.closed)
    assert (taken.status, gone.status, count) == (201, 401, 1)


async def test_a_read_while_orders_stream_in_shows_each_of_them_once(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()

        async def order(number: int) -> str:
            said = await alice.post(ORDERS, resting(price="12.00"), key=f"k{number}")
            assert said.status == 201, said.document
            found = (await alice.get(ORDERS, limit="1000")).document["orders"]
            assert said.document["order_id"] in {each["order_id"] for each in found}
            return str(said.document["order_id"])

        ids = await asyncio.gather(*(order(number) for number in range(25)))
        found = (await alice.get(ORDERS, limit="1000")).document["orders"]
    assert sorted(each["order_id"] for each in found) == sorted(ids)
