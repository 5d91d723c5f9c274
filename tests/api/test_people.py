"""Sessions and keys of a real store before the gate: who they are until they are revoked, by the time of the world."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.api.desks import a_counter
from tests.api.houses import PASSWORD, a_house

from tradeloop.access.identity import Role, Scope
from tradeloop.bootstrap.served import ServedDesk

RELEASE = "/api/v1/halts/release"
"""Asks for a scope that a viewer has not: whoever is known is refused with 403, and who is not with 401."""


async def test_a_key_is_its_owner_until_it_is_revoked(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.VIEWER)
        key = await house.key("ann", Scope.READ_MARKET)
        before = await house.program(key).post(RELEASE, {})
        await house.access.keys.revoke(house.access.keys.shown(house.now())[0].id, house.asked())
        after = await house.program(key).post(RELEASE, {})
    assert (before.code, after.code) == ("forbidden", "not_identified")


async def test_a_session_is_its_user_until_it_ends(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.VIEWER)
        given = await house.access.door.sign_in("ann", SecretStr(PASSWORD), "", house.asked())
        page = house.browser()
        page.cookie, page.csrf = f"tradeloop_session={given.token.get_secret_value()}", given.csrf.get_secret_value()
        before = await page.send("POST", RELEASE, {})
        await house.access.sessions.end(given.identity.session_id, house.asked())
        after = await page.send("POST", RELEASE, {})
    assert (before.code, after.code) == ("forbidden", "not_identified")


async def test_a_user_who_is_disabled_is_nobody_with_the_next_request(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("root", Role.ADMIN)
        await house.add("ann", Role.VIEWER)
        key = await house.key("ann")
        await house.access.users.disable("ann", house.asked())
        said = await house.program(key).get("/api/v1/quotes")
    assert said.code == "not_identified"


async def test_keys_end_by_the_time_of_the_world_whatever_day_the_desk_trades(tmp_path: Path) -> None:
    """The demo plays a day of 2013, on which no key of today was made yet."""
    async with a_counter(tmp_path) as counter, a_house(tmp_path, desk=ServedDesk(counter.desk, "up")) as house:
        await house.add("ann", Role.VIEWER)
        robot = house.program(await house.key("ann", Scope.READ_ACCOUNT))
        inside = await robot.get("/api/v1/orders")
        house.pass_(86_400)
        over = await robot.get("/api/v1/orders")
    assert (inside.status, over.status) == (200, 401)


async def test_health_says_that_the_store_of_users_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_counter(tmp_path) as counter, a_house(tmp_path, desk=ServedDesk(counter.desk, "up")) as house:
        await house.add("ann", Role.VIEWER)
        robot = house.program(await house.key("ann", Scope.READ_ACCOUNT))
        well = await robot.get("/health")
        monkeypatch.setattr(house.access, "trouble", "the disk is full")
        ill = await robot.get("/health")
    assert (well.document["status"], well.document["details"]["access_trouble"]) == ("ok", "")
    assert (ill.document["status"], ill.document["details"]["access_trouble"]) == ("degraded", "the disk is full")
