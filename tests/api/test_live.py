"""A live account over HTTP: two steps, and nothing leaves without both; a wrong word, code or token changes nothing (S0-42)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.access.made import Device
from tests.api.desks import settings_of
from tests.api.houses import Browser, House, a_house
from tests.api.test_runs import RUNS, a_run

from tradeloop.access.identity import Role, Scope
from tradeloop.access.live_tokens import PER_SESSION_MAX, LiveTokens
from tradeloop.bootstrap import Desk, open_desk
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.core.commands import HaltTrading
from tradeloop.core.events import OrderStaged
from tradeloop.core.halt import HaltTier
from tradeloop.core.types import SECOND_NS, Mode, Px, RunID, Symbol, UtcNs
from tradeloop.feeds.demo import DEMO_SYMBOLS
from tradeloop.journal import codec

ORDERS = "/api/v1/orders"
ORDER = {"symbol": "BAC.US", "side": "buy", "quantity": "100", "order_type": "limit", "price": "13.00"}


@dataclass
class Floor:
    """A live desk, those who may use it, and Ann, who trades there."""

    desk: Desk
    house: House
    ann: Browser
    device: Device

    def code(self) -> str:
        """What Ann's device shows next."""
        self.house.pass_(30)
        return self.house.shown(self.device)

    def word(self, confirm: dict[str, Any], **changes: str) -> dict[str, str]:
        """Ann's word for what she was shown."""
        given = {"live_confirm_token": confirm["live_confirm_token"], "phrase": confirm["phrase"]}
        return given | {"code": self.code()} | changes

    async def waiting(self, **more: Any) -> dict[str, Any]:
        """A run that waits, and what confirms it."""
        said = await self.ann.send("POST", RUNS, a_run(mode="live", **more))
        assert said.status == 201, said.document
        assert said.document["status"] == "NEW"
        found: dict[str, Any] = said.document
        return found

    async def someone(self, name: str) -> tuple[Browser, Device]:
        """Somebody else who trades, signed in with a second factor."""
        await self.house.add(name, Role.TRADER)
        device = await self.house.with_factor(name)
        browser = self.house.browser()
        self.house.pass_(30)
        assert (await browser.sign_in(name, code=self.house.shown(device))).status == 201
        return browser, device

    @property
    def is_untouched(self) -> bool:
        """Whether no order was made."""
        return not self.desk.state.orders.open and self.desk.state.counter == 0


@asynccontextmanager
async def a_floor(home: Path, **given: object) -> AsyncIterator[Floor]:
    settings = {"broker__paper__as_live": "true", "live__accounts": "paper", **given}
    async with open_desk(settings_of(home, **settings), command="up", alert=lambda _: None, symbols=DEMO_SYMBOLS) as desk:
        await desk.ready()
        await desk.quoted(DEMO_SYMBOLS)
        async with a_house(home, desk=ServedDesk(desk, "up")) as house:
            floor = Floor(desk, house, house.browser(), None)  # type: ignore[arg-type]
            floor.ann, floor.device = await floor.someone("ann")
            yield floor


async def execute(who: Browser, run_id: str, word: dict[str, str] | None = None, how: str = "execute") -> Any:
    return await who.send("POST", f"{RUNS}/{run_id}/{how}", word)


async def test_a_run_goes_in_two_steps_and_the_journal_says_who_confirmed_it(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        made = await floor.waiting()
        confirm, run_id = made["confirm"], made["run_id"]
        assert confirm["phrase"] == f"LIVE paper {confirm['orders']}"
        assert floor.is_untouched
        said = await execute(floor.ann, run_id, floor.word(confirm))
        assert said.status == 200, said.document
        run = floor.desk.state.runs[RunID(run_id)]
    assert run.created.mode is Mode.LIVE
    assert run.confirmed_by == "ann"
    assert run.started_at is not None


@pytest.mark.parametrize("how", ["execute", "approve"])
async def test_without_a_word_a_live_run_does_not_go(how: str, tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        made = await floor.waiting(hold=False)
        found = [await execute(floor.ann, made["run_id"], word, how) for word in (None, {}, {"phrase": "LIVE"})]
        assert floor.is_untouched
    assert {(said.status, said.code) for said in found} == {(403, "live_not_confirmed")}


async def test_a_wrong_word_and_a_wrong_code_change_nothing_and_the_right_ones_let_it_go(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        made = await floor.waiting()
        confirm, run_id = made["confirm"], made["run_id"]
        token, phrase = confirm["live_confirm_token"], confirm["phrase"]
        found = [
            await execute(floor.ann, run_id, {"live_confirm_token": token, "phrase": each, "code": "000000"})
            for each in ("LIVE", phrase.lower(), f"{phrase}0", "")
        ]
        none = await execute(floor.ann, run_id, {"live_confirm_token": token, "phrase": phrase})
        bad = await execute(floor.ann, run_id, {"live_confirm_token": token, "phrase": phrase, "code": "000000"})
        assert floor.is_untouched
        right = await execute(floor.ann, run_id, floor.word(confirm))
    assert {(said.status, said.code) for said in found} == {(403, "live_not_confirmed")}
    assert all(phrase in said.document["detail"] for said in found)
    assert (none.status, none.code) == (403, "code_needed")
    assert (bad.status, bad.code) == (403, "sign_in_refused")
    assert right.status == 200, right.document


async def test_a_token_that_was_used_or_forged_or_is_over_confirms_nothing(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        first, second = await floor.waiting(), await floor.waiting(context=None)
        forged = await execute(floor.ann, first["run_id"], floor.word(first["confirm"], live_confirm_token="A" * 52))
        other = await execute(floor.ann, second["run_id"], floor.word(first["confirm"]))
        burnt = await execute(floor.ann, first["run_id"], floor.word(first["confirm"]))
        late = (await floor.ann.send("POST", f"{RUNS}/{first['run_id']}/preview")).document["confirm"]
        floor.house.pass_(61)
        over = await execute(floor.ann, first["run_id"], floor.word(late))
        assert floor.is_untouched
    assert [(said.status, said.code) for said in (forged, other, burnt, over)] == [(403, "live_not_confirmed")] * 4


async def test_a_token_of_somebody_else_or_of_another_session_confirms_nothing(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        made = await floor.waiting()
        bob, device = await floor.someone("bob")
        token = (await floor.ann.send("POST", f"{RUNS}/{made['run_id']}/preview")).document["confirm"]
        word = floor.word(token)
        floor.house.pass_(30)
        stolen = await execute(bob, made["run_id"], word | {"code": floor.house.shown(device)})
        token = (await floor.ann.send("POST", f"{RUNS}/{made['run_id']}/preview")).document["confirm"]
        elsewhere = floor.house.browser()
        assert (await elsewhere.sign_in("ann", code=floor.code())).status == 201
        another = await execute(elsewhere, made["run_id"], floor.word(token))
        assert floor.is_untouched
    assert [(said.status, said.code) for said in (stolen, another)] == [(403, "live_not_confirmed")] * 2


async def test_a_key_confirms_nothing_and_is_given_no_token(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        robot = floor.house.program(await floor.house.key("ann", Scope.ORDER_LIVE))
        made = await robot.post(RUNS, a_run(mode="live"))
        confirm = (await floor.ann.send("POST", f"{RUNS}/{made.document['run_id']}/preview")).document["confirm"]
        said = await robot.post(f"{RUNS}/{made.document['run_id']}/execute", floor.word(confirm))
        order = await robot.post(ORDERS, ORDER)
        assert floor.desk.state.runs[RunID(made.document["run_id"])].started_at is None
        assert not floor.desk.state.orders.open
    assert made.document["confirm"] is None
    assert (said.status, said.code) == (403, "live_not_confirmed")
    assert (order.status, order.document["denied"]["rule"]) == (422, "live_confirmation")


async def test_a_plan_that_was_shown_goes_at_once_as_it_was_shown(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        shown = (await floor.ann.send("POST", RUNS, a_run(mode="live", dry_run=True))).document
        bare = await floor.ann.send("POST", RUNS, a_run(mode="live", execute=True))
        said = await floor.ann.send("POST", RUNS, a_run(mode="live", execute=True, **floor.word(shown["confirm"])))
        assert said.status == 201, said.document
        created = floor.desk.state.runs[RunID(said.document["run_id"])].created
    assert (bare.status, bare.code) == (403, "live_not_confirmed")
    assert created.confirmed is not None
    assert (created.confirmed.content, created.confirmed.set_up_by) == (shown["confirm"]["content"], "ann")


async def test_the_token_of_one_plan_sends_no_other(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        shown = (await floor.ann.send("POST", RUNS, a_run(mode="live", dry_run=True))).document
        other = a_run(mode="live", execute=True, portfolio=[{"symbol": "BAC.US", "weight": "0.3"}])
        said = await floor.ann.send("POST", RUNS, other | floor.word(shown["confirm"]))
        assert floor.is_untouched
    assert (said.status, said.code) == (403, "live_not_confirmed")


async def test_a_run_of_a_live_desk_says_that_it_is_live(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        said = await floor.ann.send("POST", RUNS, a_run(mode="paper"))
    assert (said.status, said.code) == (422, "bad_input")


async def test_an_account_that_is_not_listed_makes_no_live_run(tmp_path: Path) -> None:
    async with a_floor(tmp_path, live__accounts="another") as floor:
        said = await floor.ann.send("POST", RUNS, a_run(mode="live"))
        assert floor.is_untouched
    assert said.status == 422
    assert "live_account" in said.document["detail"]


async def test_an_order_goes_in_two_steps(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        bare = await floor.ann.send("POST", ORDERS, ORDER)
        confirm = (await floor.ann.send("POST", f"{ORDERS}/preview", ORDER)).document["confirm"]
        wrong = await floor.ann.send("POST", ORDERS, ORDER | {"live": floor.word(confirm, phrase="LIVE")})
        other = await floor.ann.send("POST", ORDERS, ORDER | {"quantity": "200", "live": floor.word(confirm)})
        confirm = (await floor.ann.send("POST", f"{ORDERS}/preview", ORDER)).document["confirm"]
        assert not floor.desk.state.orders.open
        right = await floor.ann.send("POST", ORDERS, ORDER | {"live": floor.word(confirm)})
    assert (bare.status, bare.document["denied"]["rule"]) == (422, "live_confirmation")
    assert [(said.status, said.code) for said in (wrong, other)] == [(403, "live_not_confirmed")] * 2
    assert right.status == 201, right.document


async def test_an_order_up_to_the_figure_asks_for_nothing(tmp_path: Path) -> None:
    async with a_floor(tmp_path, live__order_value="2000") as floor:
        shown = await floor.ann.send("POST", f"{ORDERS}/preview", ORDER)
        said = await floor.ann.send("POST", ORDERS, ORDER)
    assert shown.document == {"confirm": None}
    assert said.status == 201, said.document


MARKET = {"symbol": "BAC.US", "side": "buy", "quantity": "100"}


def moved(floor: Floor, by: str) -> None:
    """The market of BAC stands elsewhere from now on."""
    quotes = floor.desk.engine.around.quotes
    quote = quotes[Symbol("BAC.US")]
    px = {name: Px(getattr(quote, name) * Decimal(by)) for name in ("bid", "ask", "last")}
    quotes[Symbol("BAC.US")] = replace(quote, **px)


async def shown(floor: Floor, order: dict[str, Any] = MARKET) -> dict[str, Any]:
    """What confirms an order."""
    said = await floor.ann.send("POST", f"{ORDERS}/preview", order)
    assert said.status == 200, said.document
    found: dict[str, Any] = said.document["confirm"]
    return found


async def test_what_is_confirmed_of_an_order_is_shown_with_its_price_and_its_worth(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        market, limit = await shown(floor), await shown(floor, ORDER)
        seen = floor.desk.engine.around.quotes[Symbol("BAC.US")].mid_or_last
    (line,) = market["lines"]
    assert (line["symbol"], line["side"], line["quantity"], line["order_type"]) == ("BAC.US", "BUY", "100", "MARKET")
    assert (line["price"], Decimal(line["reference_price"])) == (None, seen)
    assert market["totals"] == [{"currency": "USD", "value": line["value"]}]
    assert [(each["price"], each["value"]) for each in limit["lines"]] == [("13.00", "1300.00")]


async def test_a_plan_says_what_its_orders_come_to(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        confirm = (await floor.waiting())["confirm"]
    assert len(confirm["lines"]) == confirm["orders"]
    assert {each["currency"] for each in confirm["totals"]} == {"USD"}
    assert sum(Decimal(each["value"]) for each in confirm["lines"]) == Decimal(confirm["totals"][0]["value"])


@pytest.mark.parametrize(("by", "status"), [("1.015", 201), ("1.025", 422), ("1.5", 422)])
async def test_a_market_order_goes_as_far_as_its_price_may_drift_and_no_further(by: str, status: int, tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        confirm = await shown(floor)
        moved(floor, by)
        word = floor.word(confirm)
        said = await floor.ann.send("POST", ORDERS, MARKET | {"live": word})
        assert said.status == status, said.document
        if status == 201:
            return
        assert said.document["denied"]["rule"] == "live_changed"
        assert "since it was shown and confirmed; look at it again and confirm it" in said.document["detail"]
        assert floor.is_untouched
        again = floor.word(await shown(floor)) | {"code": word["code"]}
        said = await floor.ann.send("POST", ORDERS, MARKET | {"live": again})
    assert said.status == 201, "no code was spent on it"


async def test_no_code_is_spent_on_what_cannot_go(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        word = floor.word(await shown(floor))
        await floor.desk.engine.ask(HaltTrading(HaltTier.HALT, "root", "stop"))
        said = await floor.ann.send("POST", ORDERS, MARKET | {"live": word})
        looked = await floor.ann.send("POST", f"{ORDERS}/preview", MARKET)
        await floor.house.access.factors.prove("ann", word["code"], floor.house.asked("ann"), "test", "not taken before")
    assert (said.status, said.document["denied"]["rule"]) == (422, "halted")
    assert said.document["order_id"], "the denial is recorded"
    assert (looked.status, looked.document["denied"]["rule"], "order_id" in looked.document) == (422, "halted", False)


async def test_no_code_is_spent_on_a_run_that_cannot_go(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        made = await floor.waiting()
        word = floor.word(made["confirm"])
        await floor.desk.engine.ask(HaltTrading(HaltTier.HALT, "root", "stop"))
        said = await execute(floor.ann, made["run_id"], word)
        await floor.house.access.factors.prove("ann", word["code"], floor.house.asked("ann"), "test", "not taken before")
    assert said.status == 422
    assert "HALT" in said.document["detail"]


async def test_an_account_that_is_not_listed_is_given_no_words(tmp_path: Path) -> None:
    async with a_floor(tmp_path, live__accounts="another") as floor:
        said = await floor.ann.send("POST", f"{ORDERS}/preview", MARKET)
    assert (said.status, said.document["denied"]["rule"]) == (422, "live_account")


async def test_a_key_that_met_a_denial_is_answered_with_it_and_asks_for_nothing(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        first = await floor.ann.send("POST", ORDERS, MARKET, headers={"idempotency-key": "k1"})
        word = floor.word(await shown(floor))
        again = await floor.ann.send("POST", ORDERS, MARKET | {"live": word}, headers={"idempotency-key": "k1"})
        new = await floor.ann.send("POST", ORDERS, MARKET | {"live": word}, headers={"idempotency-key": "k2"})
    assert (first.status, again.status) == (422, 422)
    assert first.document["order_id"] == again.document["order_id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.document["repeat"], "answered so before" in again.document["detail"]) == (True, True)
    assert new.status == 201, "neither token nor code was spent on the answer of before"


async def test_a_change_goes_in_two_steps(tmp_path: Path) -> None:
    async with a_floor(tmp_path, live__order_value="2000") as floor:
        made = (await floor.ann.send("POST", ORDERS, ORDER | {"price": "5.00"})).document["order_id"]
        while floor.desk.state.orders.open[made].acked_at is None:
            await asyncio.sleep(0.01)
        at, more = f"{ORDERS}/{made}", {"quantity": "500"}
        less = await floor.ann.send("POST", f"{at}/preview", {"quantity": "50"})
        bare = await floor.ann.send("PATCH", at, more)
        confirm = (await floor.ann.send("POST", f"{at}/preview", more)).document["confirm"]
        wrong = await floor.ann.send("PATCH", at, more | {"live": floor.word(confirm, phrase="LIVE")})
        other = await floor.ann.send("PATCH", at, {"quantity": "600", "live": floor.word(confirm)})
        confirm = (await floor.ann.send("POST", f"{at}/preview", more)).document["confirm"]
        right = await floor.ann.send("PATCH", at, more | {"live": floor.word(confirm)})
        beyond = await floor.ann.send("POST", f"{at}/preview", {"quantity": "99999999"})
    assert less.document == {"confirm": None}
    assert (beyond.status, beyond.code, "confirm" in beyond.document) == (422, "denied", False)
    assert (bare.status, bare.document["denied"]["rule"]) == (422, "live_confirmation")
    assert [(said.status, said.code) for said in (wrong, other)] == [(403, "live_not_confirmed")] * 2
    assert [(each["quantity"], each["value"]) for each in confirm["lines"]] == [("500", "2500.00")]
    assert right.status == 202, right.document


async def test_words_that_are_a_code_are_not_said_again(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        confirm = await shown(floor)
        said = await floor.ann.send("POST", ORDERS, MARKET | {"live": floor.word(confirm, phrase="123456")})
    assert said.code == "live_not_confirmed"
    assert "123456" not in said.document["detail"]


async def test_the_journal_says_which_kind_of_factor_it_was(tmp_path: Path) -> None:
    async with a_floor(tmp_path) as floor:
        (spare, *_) = await floor.house.access.factors.new_recovery_codes("ann", floor.code(), floor.house.asked("ann"))
        for quantity, code in (("100", floor.code()), ("200", spare.get_secret_value())):
            order = MARKET | {"quantity": quantity}
            word = floor.word(await shown(floor, order), code=code)
            assert (await floor.ann.send("POST", ORDERS, order | {"live": word})).status == 201
    with closing(sqlite3.connect(tmp_path / "tradeloop.db")) as db:
        rows = db.execute("SELECT payload FROM journal ORDER BY batch").fetchall()
    made = [event for (payload,) in rows for event in codec.decode(payload) if isinstance(event, OrderStaged)]
    assert [event.confirmed.second_factor for event in made if event.confirmed] == ["totp", "recovery code"]


def test_a_session_keeps_its_newest_tokens_and_each_is_good_once() -> None:
    from tradeloop.access.identity import Identity

    ann = Identity("ann", frozenset(), frozenset(), session_id="s1")
    now, tokens = UtcNs(100 * SECOND_NS), LiveTokens()
    given = [tokens.give(ann, str(number), now)[0].get_secret_value() for number in range(PER_SESSION_MAX + 1)]
    assert tokens.take(given[0], ann, now) is None
    kept = tokens.take(given[1], ann, now, "1")
    assert kept is not None
    assert tokens.take(given[1], ann, now, "1") is None
    tokens.give_back(kept)
    assert tokens.take(given[1], ann, UtcNs(now + 60 * SECOND_NS), "1") is None
