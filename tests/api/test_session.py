"""Signing in and out over HTTP, before a real store: cookies, tokens, proofs, guesses, and the first user."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.api.desks import HERE, Client
from tests.api.houses import PASSWORD, a_house

from tradeloop.access.identity import Role

SESSION = "/api/v1/session"
RELEASE = "/api/v1/halts/release"
OTHER = "other words nobody says either"


async def test_who_signs_in_is_told_who_they_are(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.TRADER)
        page = house.browser()
        given = await page.sign_in("ann")
        again = await page.send("GET", SESSION)
    assert given.status == 201
    assert again.document == given.document
    assert (again.document["name"], again.document["roles"]) == ("ann", ["trader"])
    assert "order:live" not in again.document["scopes"]  # without a second factor


async def test_the_cookie_is_of_this_host_alone_and_no_script_reads_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann")
        plain = (await house.browser().sign_in("ann")).headers["set-cookie"]
    assert plain.startswith("tradeloop_session=")
    assert plain.endswith("; Path=/; HttpOnly; SameSite=Strict")


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with a_house(tmp_path, base="https://localhost") as house:
        await house.add("ann")
        page = house.browser()
        page.origin = "https://localhost"
        cookie = (await page.sign_in("ann")).headers["set-cookie"]
        said = await page.send("GET", SESSION)
    assert cookie.startswith("__Host-tradeloop_session=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
    assert said.status == 200


async def test_signed_out_the_cookie_opens_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann")
        kept = page.cookie
        said = await page.send("DELETE", SESSION)
        page.cookie = kept
        after = await page.send("GET", SESSION)
    assert "Max-Age=0" in said.headers["set-cookie"]
    assert (said.status, after.code) == (200, "not_identified")


async def test_signing_in_again_ends_the_session_before(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann")
        before = page.cookie
        await page.sign_in("ann")
        page.cookie = before
        said = await page.send("GET", SESSION)
    assert said.status == 401


@pytest.mark.parametrize(
    "elsewhere", [{}, {"Origin": "https://evil.example"}, {"Origin": HERE, "Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize("path", [SESSION, "/api/v1/set-up"])
async def test_nobody_is_signed_in_by_another_sites_page(tmp_path: Path, path: str, elsewhere: dict[str, str]) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann")
        body = {"name": "ann", "password": PASSWORD}
        said = await Client(house.http, None).send("POST", path, body, headers=elsewhere)
    assert (said.status, said.code) == (403, "wrong_origin")


async def test_a_name_that_nobody_has_is_answered_as_a_wrong_password_is(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann")
        wrong = await house.browser().sign_in("ann", OTHER)
        nobody = await house.browser().sign_in("bob", OTHER)
    assert (wrong.status, wrong.code, wrong.document["detail"]) == (nobody.status, nobody.code, nobody.document["detail"])
    assert (wrong.status, wrong.code) == (403, "sign_in_refused")


async def test_who_guesses_is_locked_out_and_told_until_when(tmp_path: Path) -> None:
    async with a_house(tmp_path, address="192.0.2.7") as house:
        await house.add("ann")
        said = [await house.browser().sign_in("ann", f"{OTHER} {number}") for number in range(6)]
        right = await house.browser().sign_in("ann")
        elsewhere = await house.browser().sign_in("bob", OTHER)
        house.pass_(61)
        after = await house.browser().sign_in("ann")
    assert [each.code for each in said] == ["sign_in_refused"] * 5 + ["locked_out"]
    assert (right.status, right.code, right.headers["retry-after"]) == (429, "locked_out", "60")
    assert elsewhere.code == "locked_out"  # by the address
    assert after.status == 201


async def test_a_second_factor_is_asked_for_after_the_password(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.TRADER)
        device = await house.with_factor("ann")
        without = await house.browser().sign_in("ann")
        wrong = await house.browser().sign_in("ann", OTHER)
        within = await house.browser().sign_in("ann", code=house.shown(device))
        replayed = await house.browser().sign_in("ann", code=house.shown(device))
    assert (without.code, wrong.code, replayed.code) == ("code_needed", "sign_in_refused", "sign_in_refused")
    assert within.document["with_factor"] is True
    assert "order:live" in within.document["scopes"]


async def test_a_proof_makes_the_session_fresh_again(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann")
        house.pass_(301)
        refused = await page.send("POST", f"{SESSION}/confirm", {"password": OTHER})
        said = await page.send("POST", f"{SESSION}/confirm", {"password": PASSWORD})
    assert refused.code == "sign_in_refused"
    assert said.document["fresh_until"] == "2027-01-15T08:10:01.000000Z"


async def test_a_password_that_is_changed_ends_every_other_session(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        here = await house.inside("ann")
        there = house.browser()
        await there.sign_in("ann")
        weak = await here.send("POST", "/api/v1/password", {"old": PASSWORD, "new": "short"})
        wrong = await here.send("POST", "/api/v1/password", {"old": OTHER, "new": f"{OTHER} now"})
        said = await here.send("POST", "/api/v1/password", {"old": PASSWORD, "new": OTHER})
        kept, ended = await here.send("GET", SESSION), await there.send("GET", SESSION)
        old, new = await house.browser().sign_in("ann"), await house.browser().sign_in("ann", OTHER)
    assert (weak.code, wrong.code, said.status) == ("bad_input", "sign_in_refused", 200)
    assert (kept.status, ended.status) == (200, 401)
    assert (old.status, new.status) == (403, 201)


async def test_who_was_given_a_password_may_only_change_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.RISK, must_change=True)
        page = house.browser()
        given = await page.sign_in("ann")
        refused = await page.send("POST", RELEASE, {})
        await page.send("POST", "/api/v1/password", {"old": PASSWORD, "new": OTHER})
        after = await page.send("GET", SESSION)
    assert (given.document["must_change_password"], given.document["scopes"]) == (True, [])
    assert refused.code == "forbidden"
    assert "risk:write" in after.document["scopes"]


def first(token: str, **more: object) -> dict[str, object]:
    return {"token": token, "name": "ann", "password": PASSWORD, "roles": ["admin", "trader"], **more}


async def test_the_link_makes_the_first_user_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        token = (await house.access.first_user.begin(house.asked())).get_secret_value()
        page = house.browser()
        no_admin = await page.send("POST", "/api/v1/set-up", first(token, roles=["trader"]))
        made = await page.send("POST", "/api/v1/set-up", first(token))
        again = await page.send("POST", "/api/v1/set-up", first(token, name="eve"))
        said = await page.sign_in("ann")
    assert (no_admin.code, made.status, again.code) == ("bad_input", 201, "not_identified")
    assert said.document["roles"] == ["trader", "admin"]


async def test_the_link_is_good_on_this_machine_alone(tmp_path: Path) -> None:
    async with a_house(tmp_path, address="192.0.2.7") as house:
        token = (await house.access.first_user.begin(house.asked())).get_secret_value()
        far = await house.browser().send("POST", "/api/v1/set-up", first(token))
    assert far.status == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_the_link_is_not_passed_on_by_a_proxy_on_this_machine(tmp_path: Path, header: str) -> None:
    async with a_house(tmp_path) as house:
        token = (await house.access.first_user.begin(house.asked())).get_secret_value()
        said = await house.browser().send("POST", "/api/v1/set-up", first(token), {header: "127.0.0.1"})
    assert said.status == 401


async def test_the_link_is_over_after_fifteen_minutes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        token = (await house.access.first_user.begin(house.asked())).get_secret_value()
        house.pass_(900)
        said = await house.browser().send("POST", "/api/v1/set-up", first(token))
    assert said.status == 401
