"""Every route again, with sessions and keys of a real store; and what was typed is in no log, problem or list."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.api.houses import PASSWORD, House, a_house
from tests.api.test_gate import CLOSED, ENTRIES, SCOPED, UNSAFE, called, sent

from tradeloop.access.identity import Role, Scope, scopes_of
from tradeloop.api.app import Manners
from tradeloop.api.openapi import rendered
from tradeloop.api.policy import Entry, Rate, Who
from tradeloop.api.rates import Allowance

CANARY = "canary words nobody ever says"


async def answers(house: House, entries: list[Entry], headers: dict[str, str]) -> dict[str, set[str]]:
    """What these routes say, by the code of the problem."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        said = await sent(house.http, entry, headers)
        code = said.document.get("code", "") if isinstance(said.document, dict) else ""
        found.setdefault(code, set()).add(called(entry))
    return found


async def test_a_session_that_was_revoked_opens_no_route(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", *Role)
        await house.access.sessions.end_all("ann", house.asked())
        found = await answers(house, CLOSED, page.page())
    assert set(found) == {"not_identified"}


async def test_a_key_that_was_revoked_opens_no_route(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.VIEWER)
        key = await house.key("ann")
        await house.access.keys.revoke(house.access.keys.shown(house.now())[0].id, house.asked())
        found = await answers(house, CLOSED, {"Authorization": f"Bearer {key}"})
    assert set(found) == {"not_identified"}


@pytest.mark.parametrize("role", Role)
async def test_a_role_opens_no_route_of_another(tmp_path: Path, role: Role) -> None:
    wrong = [entry for entry in SCOPED if entry.policy.who not in scopes_of(frozenset({role}))]
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", role)
        found = await answers(house, wrong, page.page())
    assert set(found) == {"forbidden"}


@pytest.mark.parametrize("scope", [each for each in Scope if each is not Scope.ORDER_LIVE])
async def test_a_scope_of_a_key_opens_no_route_of_another(tmp_path: Path, scope: Scope) -> None:
    wrong = [entry for entry in CLOSED if entry.policy.of_person or entry.policy.who not in (scope, Who.SIGNED_IN)]
    async with a_house(tmp_path) as house:
        await house.add("ann", *Role)
        key = await house.key("ann", scope)
        found = await answers(house, wrong, {"Authorization": f"Bearer {key}"})
    assert set(found) == {"forbidden"}


async def test_a_session_changes_nothing_from_another_page(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", *Role)
        found = await answers(house, UNSAFE, {**page.page(), "Origin": "https://evil.example"})
    assert set(found) == {"wrong_origin"}


async def test_a_session_changes_nothing_with_the_token_of_another(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page, other = await house.inside("ann", *Role), await house.inside("bob", *Role)
        found = await answers(house, UNSAFE, {**page.page(), "X-CSRF-Token": other.csrf})
    assert set(found) == {"no_csrf"}


async def test_a_session_that_is_over_opens_no_route(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", *Role)
        house.pass_(8 * 3600)
        found = await answers(house, CLOSED, page.page())
    assert set(found) == {"not_identified"}


async def test_guesses_at_the_door_have_an_allowance_before_any_is_looked_at(tmp_path: Path) -> None:
    allowed = {**{rate: Allowance(100, 100) for rate in Rate}, Rate.PROOF: Allowance(1, 3)}
    async with a_house(tmp_path, manners=Manners(allowed=allowed)) as house:
        await house.add("ann")
        said = [await house.browser().sign_in("ann", f"{CANARY} {number}") for number in range(4)]
    assert [each.code for each in said] == ["sign_in_refused"] * 3 + ["over_rate"]


def typed(names: tuple[str, ...]) -> dict[str, object]:
    """A body with the canary wherever somebody types a secret."""
    known: dict[str, object] = {"name": "ann", "roles": ["admin"]}
    secret = {"password", "code", "old", "new", "token", "present"}
    return {name: CANARY if name in secret else known[name] for name in names if name in secret or name in known}


async def test_what_was_typed_comes_back_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", *Role)
        for entry in ENTRIES:
            if entry.body is None or entry.tag not in ("session", "second-factor", "users"):
                continue
            said = await page.send(
                entry.method, entry.path.replace("{name}", "ann"), typed(entry.body.__struct_encode_fields__)
            )
            told += f"{said.document}{said.headers}"
        log = await house.access.log(1000)
    assert CANARY not in told
    assert CANARY not in caplog.text
    assert CANARY not in str(log)


async def test_a_fault_under_a_request_with_a_secret_says_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*given: object, **more: object) -> None:
        raise RuntimeError(f"broken with {given!r} {more!r}")

    async with a_house(tmp_path) as house:
        page = await house.inside("ann")
        monkeypatch.setattr(house.access.door, "sign_in", broken)
        with pytest.raises(RuntimeError) as fault:
            await page.sign_in("ann", CANARY)
    assert CANARY not in str(fault.value)
    assert CANARY not in caplog.text


async def test_a_secret_shown_once_is_in_no_list(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", *Role)
        made = (await page.send("POST", "/api/v1/keys", {"name": "robot", "scopes": ["read:acct"]})).document["key"]
        cookie = page.cookie.partition("=")[2]
        lists = [await page.send("GET", f"/api/v1/{each}") for each in ("keys", "sessions", "users", "session")]
        log = await house.access.log(1000)
    told = "".join(str(each.document) for each in lists) + str(log)
    assert made.partition(".")[2] not in told
    assert cookie not in told


def test_the_document_of_the_api_gives_no_example_of_a_secret() -> None:
    text = rendered().decode()
    assert '"tlk_' not in text
    assert PASSWORD not in text
