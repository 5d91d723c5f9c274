"""Secrets of brokers and the log of access over HTTP, before a real store (S2-77..S2-79): written, listed, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.api.houses import PASSWORD, a_house

from tradeloop.access import database
from tradeloop.access.identity import Role, Scope

SECRETS, LOG = "/api/v1/secrets", "/api/v1/access-log"
ONE = f"{SECRETS}/ib/U123/password"
VALUE = "canary words of the sea: qzxj"


async def test_a_secret_is_set_set_anew_listed_and_removed_and_never_said(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        said = [await page.send("PUT", ONE, {"value": VALUE}), await page.send("GET", SECRETS)]
        house.pass_(60)
        said += [await page.send("PUT", ONE, {"value": VALUE + "!"}), await page.send("GET", SECRETS)]
        kept = house.access.secrets.reveal("ib", "U123", "password")
        said += [await page.send("DELETE", ONE), await page.send("GET", SECRETS), await page.send("DELETE", ONE)]
        said += [await page.send("GET", LOG)]
    first, listed, anew, again, removed, none, gone, log = said
    assert kept == SecretStr(VALUE + "!")
    assert (first.status, anew.status, removed.status, gone.status) == (200, 200, 200, 404)
    assert "set anew" in anew.document["done"]
    assert "set anew" not in first.document["done"]
    (there,) = listed.document["secrets"]
    assert {name: there[name] for name in ("broker", "account", "name", "set_by")} == {
        "broker": "ib",
        "account": "U123",
        "name": "password",
        "set_by": "root",
    }
    assert set(there) == {"broker", "account", "name", "set_by", "set_at"}
    assert again.document["secrets"][0]["set_at"] > there["set_at"]
    assert none.document["secrets"] == []
    assert [each["what"] for each in log.document["lines"][:3]] == ["secret removed", "secret replaced", "secret set"]
    everything = "".join(str(each.document) for each in said)
    assert VALUE not in everything
    assert VALUE[-4:] not in everything


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.RISK])
async def test_nobody_but_an_admin_sees_or_sets_any(tmp_path: Path, role: Role) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", role)
        asked = (("GET", SECRETS, None), ("PUT", ONE, {"value": VALUE}), ("DELETE", ONE, None), ("GET", LOG, None))
        said = [await page.send(method, path, body) for method, path, body in asked]
        assert house.access.secrets.shown() == []
    assert {each.code for each in said} == {"forbidden"}


async def test_a_secret_asks_for_a_fresh_proof_and_for_a_person(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        key = house.program(await house.key("root", Scope.ADMIN))
        house.pass_(301)
        stale = await page.send("PUT", ONE, {"value": VALUE})
        by_key = await key.send("PUT", ONE, {"value": VALUE})
        listed = await key.get(SECRETS)
        await page.send("POST", "/api/v1/session/confirm", {"password": PASSWORD})
        fresh = await page.send("PUT", ONE, {"value": VALUE})
    assert (stale.code, by_key.code, listed.status, fresh.status) == ("not_confirmed", "forbidden", 200, 200)


@pytest.mark.parametrize("body", [{}, {"value": ""}, {"value": 7}, {"value": VALUE, "more": "x"}, {"value": "x" * 8193}])
async def test_what_is_no_secret_changes_nothing_and_comes_back_in_no_answer(tmp_path: Path, body: dict[str, object]) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        said = await page.send("PUT", ONE, body)
        odd = await page.send("PUT", f"{SECRETS}/i%20b/U123/password", {"value": VALUE})
        assert house.access.secrets.shown() == []
    assert said.code in ("malformed", "bad_input")
    assert odd.code == "bad_input"
    assert VALUE not in str(said.document) + str(odd.document)


async def test_the_log_has_who_signed_in_who_failed_and_who_was_locked_out(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        await house.add("bob")
        for _ in range(6):
            await house.browser().sign_in("bob", "wrong words that nobody says")
            house.pass_(1)
        of_bob = (await page.send("GET", f"{LOG}?who=bob")).document["lines"]
        refused = (await page.send("GET", f"{LOG}?what=sign-in%20refused")).document["lines"]
        mine = (await page.send("GET", f"{LOG}?who=root&what=signed%20in")).document["lines"]
    assert {"user added", "sign-in refused", "locked out"} == {each["what"] for each in of_bob}
    assert {each["who"] for each in refused} == {"bob"}
    assert [(each["who"], each["address"]) for each in mine] == [("root", "127.0.0.1")]


async def test_the_log_has_the_first_use_of_a_key_on_a_day_and_from_an_address(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        key = await house.key("root", Scope.READ_MARKET)
        for seconds in (0, 120, 60_000):
            house.pass_(seconds)
            assert house.access.by_key(key, house.now(), "10.0.0.1") is not None
            await house.access.tick(house.now())
        house.pass_(120)
        house.access.by_key(key, house.now(), "10.0.0.2")
        await house.access.tick(house.now())
        await page.sign_in("root")
        used = (await page.send("GET", f"{LOG}?what=key%20used")).document["lines"]
    assert [(each["who"], each["address"]) for each in used] == [
        ("root", each) for each in ("10.0.0.2", "10.0.0.1", "10.0.0.1")
    ]


async def test_the_log_is_read_page_by_page(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        for name in ("ann", "bob", "carl"):
            await house.add(name)
        whole = (await page.send("GET", LOG)).document
        first = (await page.send("GET", f"{LOG}?limit=2")).document
        second = (await page.send("GET", f"{LOG}?limit=2&cursor={first['next']}")).document
        odd = await page.send("GET", f"{LOG}?limit=0")
    assert whole["next"] is None
    assert [*first["lines"], *second["lines"]] == whole["lines"][:4]
    assert odd.code == "bad_input"


async def test_the_log_is_bounded_and_the_oldest_lines_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOG_MAX", 3)
    async with a_house(tmp_path) as house:
        page = await house.inside("root", Role.ADMIN)
        for name in ("ann", "bob", "carl", "dora"):
            await house.add(name)
        lines = (await page.send("GET", LOG)).document["lines"]
    assert [each["subject"] for each in lines] == ["dora", "carl", "bob"]
