"""Every route, tried without sign-in, with the wrong scope, from another origin, without the token, and over its rate.

The routes are those of the table that the application is made of, so that a new one is tried without anybody thinking of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.routing import Route
from tests.api.desks import HERE, Client, Said
from tests.api.identities import Known

from tradeloop.access.identity import Role, Scope
from tradeloop.api.app import Manners, application, table_of
from tradeloop.api.metrics import Metrics
from tradeloop.api.policy import Entry, Policy, Rate, Routes, Who, refuse_unpoliced
from tradeloop.api.rates import Allowance
from tradeloop.core.types import SECOND_NS

ENTRIES = table_of(Metrics(), Manners()).entries
CLOSED = [entry for entry in ENTRIES if entry.policy.who is not Who.OPEN]
SCOPED = [entry for entry in CLOSED if isinstance(entry.policy.who, Scope)]
PERSONAL = [entry for entry in CLOSED if entry.policy.of_person]
FRESH = [entry for entry in CLOSED if entry.policy.fresh]
UNSAFE = [entry for entry in ENTRIES if not entry.policy.safe]
TRADING = [entry for entry in ENTRIES if entry.policy.trades]
PLENTY = {rate: Allowance(1_000_000, 1_000_000) for rate in Rate}


class Untouched:
    """A desk that no request may reach: it knows what the gate asks, and anything else fails the test."""

    account = "paper"

    def __init__(self, *, live: bool) -> None:
        self.is_live = live

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the desk was asked for {name}")


def called(entry: Entry) -> str:
    """The name of a route in the report of the tests."""
    return f"{entry.method} {entry.path}"


@asynccontextmanager
async def a_gate(
    allowed: Mapping[Rate, Allowance] | None = None,
    *,
    live: bool = False,
    origins: frozenset[str] = frozenset(),
    elapsed: Callable[[], int] = lambda: 0,
) -> AsyncIterator[tuple[httpx2.AsyncClient, Known]]:
    """The application before a desk that must not be reached, at a moment that does not pass."""
    known = Known()
    manners = Manners(origins=origins, allowed=PLENTY if allowed is None else allowed)
    app = application(Untouched(live=live), known, elapsed, manners)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=HERE) as http:
        yield http, known


def seconds() -> Callable[[], int]:
    """A clock on which a second passes with every look: what an address may ask without being known is not used up."""
    return itertools.count(0, SECOND_NS).__next__


async def sent(http: httpx2.AsyncClient, entry: Entry, headers: Mapping[str, str] | None = None, **cookies: str) -> Said:
    """The request of a route with nothing in it, as somebody would send it who only wants to get through."""
    path = re.sub(r"\{[^}]+\}", "x", entry.path)
    more = dict(headers or {})
    if cookies:
        more["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    body = b"{}" if entry.method != "GET" else None
    return await Client(http, None).send(entry.method, path, body, headers=more)


def others(found: Mapping[str, Said], status: int, code: str) -> dict[str, tuple[int, object]]:
    """The routes that answered otherwise than that, and what they said; at least one route was asked."""
    assert found
    return {name: (said.status, said.document) for name, said in found.items() if (said.status, said.code) != (status, code)}


async def test_nobody_gets_through_who_is_not_signed_in() -> None:
    async with a_gate() as (http, _):
        found = {called(entry): await sent(http, entry) for entry in CLOSED}
    assert others(found, 401, "not_identified") == {}
    assert all("Bearer" in said.headers["www-authenticate"] for said in found.values())


@pytest.mark.parametrize("forged", ["tlk_alicf", "alice", "tlk_" + "x" * 10_000, ""], ids=["other", "bare", "long", "none"])
async def test_a_key_that_is_not_known_gets_nobody_through(forged: str) -> None:
    async with a_gate(elapsed=seconds()) as (http, known):
        known.key("alice", *Scope)
        found = {called(entry): await sent(http, entry, {"Authorization": f"Bearer {forged}"}) for entry in CLOSED}
        basic = {called(entry): await sent(http, entry, {"Authorization": "Basic dGxrX2FsaWNl"}) for entry in CLOSED}
    assert others(found, 401, "not_identified") == {}
    assert others(basic, 401, "not_identified") == {}


async def test_what_was_revoked_is_gone_with_the_next_request() -> None:
    async with a_gate(elapsed=seconds()) as (http, known):
        cookie, csrf = known.session("alice", *Role)
        known.revoke(cookie)
        found = {called(entry): await sent(http, entry, _page(csrf), tradeloop_session=cookie) for entry in CLOSED}
    assert others(found, 401, "not_identified") == {}


async def test_every_scope_but_the_right_one_is_not_enough() -> None:
    found = {}
    async with a_gate() as (http, known):
        for entry in SCOPED:
            key = known.key("alice", *(each for each in Scope if each is not entry.policy.who))
            found[called(entry)] = said = await sent(http, entry, {"Authorization": f"Bearer {key}"})
            assert said.document["scope"] == entry.policy.document()["who"], called(entry)
    assert others(found, 403, "forbidden") == {}


async def test_a_viewer_changes_nothing() -> None:
    seen = [entry for entry in SCOPED if entry.policy.who in (Scope.READ_ACCOUNT, Scope.READ_MARKET)]
    unsafe = {entry.path for entry in seen if not entry.policy.safe}
    assert unsafe == {"/api/v1/positions/sync/{exchange}", "/api/v1/risk/check"}
    async with a_gate() as (http, known):
        cookie, csrf = known.session("victor", Role.VIEWER)
        kept = [entry for entry in SCOPED if entry not in seen]
        found = {called(entry): await sent(http, entry, _page(csrf), tradeloop_session=cookie) for entry in kept}
    assert others(found, 403, "forbidden") == {}


@pytest.mark.parametrize(
    "from_elsewhere",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
        {},
    ],
    ids=str,
)
async def test_a_session_is_not_used_from_another_place(from_elsewhere: dict[str, str]) -> None:
    async with a_gate() as (http, known):
        cookie, csrf = known.session("alice", *Role)
        headers = {"X-CSRF-Token": csrf, **from_elsewhere}
        found = {called(entry): await sent(http, entry, headers, tradeloop_session=cookie) for entry in UNSAFE}
    assert others(found, 403, "wrong_origin") == {}


@pytest.mark.parametrize("token", [None, "", "csrf-of-bob", "csrf-of-alic"])
async def test_a_session_without_its_token_changes_nothing(token: str | None) -> None:
    async with a_gate() as (http, known):
        cookie, _ = known.session("alice", *Role)
        known.session("bob", *Role)
        headers = {"Origin": HERE} if token is None else {"Origin": HERE, "X-CSRF-Token": token}
        found = {called(entry): await sent(http, entry, headers, tradeloop_session=cookie) for entry in UNSAFE}
    assert others(found, 403, "no_csrf") == {}


async def test_no_key_does_what_a_person_has_to_do() -> None:
    async with a_gate() as (http, known):
        key = {"Authorization": f"Bearer {known.key('robot', *Scope)}"}
        found = {called(entry): await sent(http, entry, key) for entry in PERSONAL}
    assert others(found, 403, "forbidden") == {}
    assert all("no API key may" in said.document["detail"] for said in found.values())


async def test_a_session_that_was_left_alone_does_nothing_that_asks_for_a_proof() -> None:
    async with a_gate() as (http, known):
        cookie, csrf = known.session("alice", *Role)
        known.grow_stale(cookie)
        found = {called(entry): await sent(http, entry, _page(csrf), tradeloop_session=cookie) for entry in FRESH}
    assert others(found, 403, "not_confirmed") == {}


async def test_whoever_asks_too_much_is_told_to_come_later() -> None:
    first, second = {}, {}
    async with a_gate({rate: Allowance(0.5, 1) for rate in Rate}) as (http, known):
        for number, entry in enumerate(CLOSED):
            key = known.key(f"asker-{number}")  # without a scope: what is counted is the request, not its success
            first[called(entry)] = await sent(http, entry, {"Authorization": f"Bearer {key}"})
            second[called(entry)] = await sent(http, entry, {"Authorization": f"Bearer {key}"})
    assert others(first, 403, "forbidden") == {}
    assert others(second, 429, "over_rate") == {}
    assert all(int(said.headers["retry-after"]) >= 1 for said in second.values())


async def test_nothing_is_traded_live_but_where_a_person_confirms_it() -> None:
    """What is confirmed passes the gate, and stops at the core: tests/api/test_live.py."""
    async with a_gate(live=True) as (http, known):
        paper = {"Authorization": f"Bearer {known.key('paper', Scope.ORDER_PAPER, Scope.READ_ACCOUNT)}"}
        live = {"Authorization": f"Bearer {known.key('live', *Scope)}"}
        without = {called(entry): await sent(http, entry, paper) for entry in TRADING}
        found = {called(entry): await sent(http, entry, live) for entry in TRADING if not entry.policy.confirms}
    assert others(without, 403, "forbidden") == {}
    assert {said.document["scope"] for said in without.values()} == {"order:live"}
    assert others(found, 403, "live_not_confirmed") == {}


def test_what_is_confirmed_is_orders_and_runs_alone() -> None:
    assert {entry.path.split("/")[3] for entry in TRADING if entry.policy.confirms} == {"orders", "runs"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:8003@evil.example"])
async def test_a_name_that_is_not_ours_reaches_nothing(host: str) -> None:
    async with a_gate() as (http, _):
        found = {called(entry): await sent(http, entry, {"Host": host}) for entry in ENTRIES}
    assert others(found, 421, "wrong_host") == {}


async def test_where_nobody_is_known_nobody_is_anybody() -> None:
    async with a_gate(elapsed=seconds()) as (http, _):
        headers = {"Authorization": "Bearer tlk_anybody"}
        found = {called(entry): await sent(http, entry, headers, tradeloop_session="anything") for entry in CLOSED}
    assert others(found, 401, "not_identified") == {}


async def test_an_origin_that_was_allowed_is_ours() -> None:
    async with a_gate(origins=frozenset({"https://desk.example"})) as (http, known):
        cookie, csrf = known.session("victor", Role.VIEWER)
        headers = {"Origin": "https://desk.example", "X-CSRF-Token": csrf}
        said = await sent(http, UNSAFE[0], headers, tradeloop_session=cookie)
    assert said.code == "forbidden"  # past the origin and the token, and a viewer all the same


async def test_over_tls_a_cookie_that_plain_connections_can_set_is_not_taken() -> None:
    known = Known()
    app = application(Untouched(live=False), known, lambda: 0)  # type: ignore[arg-type]
    cookie, _ = known.session("victor", Role.VIEWER)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://localhost") as http:
        plain = await sent(http, SCOPED[0], tradeloop_session=cookie)
    assert plain.status == 401


async def test_guessing_keys_is_slowed_down_by_address() -> None:
    async with a_gate() as (http, _):
        codes = [(await sent(http, CLOSED[0], {"Authorization": f"Bearer tlk_{n}"})).status for n in range(150)]
    assert codes[:100] == [401] * 100
    assert set(codes[100:]) == {429}


async def test_an_open_route_has_its_rate_by_address() -> None:
    (health,) = [entry for entry in ENTRIES if entry.path == "/health"]
    async with a_gate({rate: Allowance(1, 0) for rate in Rate}) as (http, _):
        said = await sent(http, health)
    assert (said.status, said.code) == (429, "over_rate")


async def test_one_who_asks_too_much_slows_nobody_else_down() -> None:
    async with a_gate({rate: Allowance(1, 1) for rate in Rate}) as (http, known):
        loud, quiet = known.key("loud"), known.key("quiet")
        for _ in range(5):
            await sent(http, SCOPED[0], {"Authorization": f"Bearer {loud}"})
        said = await sent(http, SCOPED[0], {"Authorization": f"Bearer {quiet}"})
    assert said.status == 403


async def test_an_answer_says_that_it_is_not_to_be_kept_or_framed() -> None:
    async with a_gate() as (http, _):
        said = await sent(http, CLOSED[0])
    assert said.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in said.headers["content-security-policy"]
    assert said.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("given", "kept"), [("abc-123", True), ("a b", False), ("x" * 100, False), ("<script>", False)])
async def test_the_id_of_a_request_is_the_clients_where_it_is_one(given: str, kept: bool) -> None:
    async with a_gate() as (http, _):
        said = await sent(http, CLOSED[0], {"X-Request-ID": given})
    assert (said.headers["x-request-id"] == given) is kept
    assert said.document["request_id"] == said.headers["x-request-id"]


async def test_an_address_that_there_is_not_is_a_problem_too() -> None:
    async with a_gate() as (http, _):
        gone = await Client(http, None).get("/api/v1/nothing")
        method = await Client(http, None).send("DELETE", "/api/v1/orders")
    assert (gone.status, gone.code) == (404, "no_route")
    assert (method.status, method.code) == (405, "method")


async def test_a_fault_of_the_program_says_nothing_of_itself() -> None:
    known = Known()
    app = application(Untouched(live=False), known, lambda: 0)  # type: ignore[arg-type]
    key = known.key("alice", *Scope)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=HERE) as http:
        said = await Client(http, key).get("/api/v1/orders")
    assert (said.status, said.code) == (500, "fault")
    assert "asked for" not in str(said.document)


def test_a_route_that_came_to_be_in_another_way_keeps_the_application_from_starting() -> None:
    with pytest.raises(ValueError, match="declares no policy"):
        refuse_unpoliced([Route("/secret", lambda request: request)])


def test_a_route_contradicts_its_policy_nowhere() -> None:
    table = Routes()
    policy = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    with pytest.raises(ValueError, match="safe exactly where it is a GET"):
        table.add("POST", "/x", ENTRIES[0].handler, policy, "x")


def _page(csrf: str) -> dict[str, str]:
    """What our own page sends."""
    return {"Origin": HERE, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": csrf}
