"""Keys, sessions, second factors and users over HTTP, before a real store: one's own, an admin's, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.access.made import Device
from tests.api.houses import PASSWORD, House, a_house

from tradeloop.access.identity import Role

KEYS, SESSIONS, USERS, FACTOR = "/api/v1/keys", "/api/v1/sessions", "/api/v1/users", "/api/v1/second-factor"
RELEASE = "/api/v1/halts/release"
ROBOT = {"name": "robot", "scopes": ["read:acct"], "accounts": ["paper"], "networks": ["127.0.0.0/8"]}
OTHER = "other words nobody says either"


async def opens(house: House, key: str) -> bool:
    """Whether a key is somebody's still: then it is refused for its scope."""
    return (await house.program(key).post(RELEASE, {})).code == "forbidden"


async def test_a_key_is_made_shown_once_and_opens_until_it_is_revoked(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", Role.VIEWER)
        made = await page.send("POST", KEYS, ROBOT)
        listed = await page.send("GET", KEYS)
        before = await opens(house, made.document["key"])
        await page.send("DELETE", f"{KEYS}/{made.document['id']}")
        after = await opens(house, made.document["key"])
    assert (made.status, before, after) == (201, True, False)
    (found,) = listed.document["keys"]
    assert (found["id"], found["owner"], found["accounts"]) == (made.document["id"], "ann", ["paper"])
    assert made.document["key"] not in str(listed.document)


async def test_a_key_holds_nothing_that_its_owner_lacks(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", Role.VIEWER)
        more = await page.send("POST", KEYS, {**ROBOT, "scopes": ["order:paper"]})
        unknown = await page.send("POST", KEYS, {**ROBOT, "scopes": ["everything"]})
    assert (more.code, unknown.code) == ("bad_input", "bad_input")


async def test_a_rotated_key_is_good_for_as_long_as_was_said(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", Role.VIEWER)
        made = (await page.send("POST", KEYS, ROBOT)).document
        new = (await page.send("POST", f"{KEYS}/{made['id']}/rotate", {"grace_s": 60})).document
        within = [await opens(house, each["key"]) for each in (made, new)]
        house.pass_(60)
        over = [await opens(house, each["key"]) for each in (made, new)]
    assert (within, over) == ([True, True], [False, True])


@pytest.mark.parametrize(("method", "path"), [("POST", KEYS), ("POST", FACTOR), ("POST", USERS), ("DELETE", f"{USERS}/bob")])
async def test_what_asks_for_a_proof_is_done_after_one(tmp_path: Path, method: str, path: str) -> None:
    bodies = {KEYS: ROBOT, USERS: {"name": "carl", "password": PASSWORD, "roles": ["viewer"]}}
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", *Role)
        await house.add("bob")
        house.pass_(301)
        stale = await page.send(method, path, bodies.get(path))
        await page.send("POST", "/api/v1/session/confirm", {"password": PASSWORD})
        done = await page.send(method, path, bodies.get(path))
    assert (stale.status, stale.code) == (403, "not_confirmed")
    assert done.status in (200, 201)


async def test_what_others_have_is_not_there_but_for_an_admin(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        ann, bob = await house.inside("ann", Role.VIEWER), await house.inside("bob", Role.RISK)
        root = await house.inside("root", Role.ADMIN)
        key = (await ann.send("POST", KEYS, ROBOT)).document["id"]
        session = (await ann.send("GET", "/api/v1/session")).document["session_id"]
        refused = [
            await bob.send("GET", f"{KEYS}?owner=ann"),
            await bob.send("GET", f"{SESSIONS}?user=*"),
            await bob.send("GET", USERS),
            await bob.send("DELETE", f"{KEYS}/{key}"),
            await bob.send("POST", f"{KEYS}/{key}/rotate", {}),
            await bob.send("DELETE", f"{SESSIONS}/{session}"),
            await root.send("POST", f"{KEYS}/{key}/rotate", {}),
        ]
        seen = await root.send("GET", f"{KEYS}?owner=*")
        done = [await root.send("DELETE", f"{KEYS}/{key}"), await root.send("DELETE", f"{SESSIONS}/{session}")]
        gone = await ann.send("GET", "/api/v1/session")
    assert [each.code for each in refused] == ["forbidden"] * 3 + ["not_known"] * 4
    assert [each["owner"] for each in seen.document["keys"]] == ["ann"]
    assert [each.status for each in (*done, gone)] == [200, 200, 401]


async def test_a_user_ends_their_other_sessions(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        here = await house.inside("ann")
        there = house.browser()
        await there.sign_in("ann")
        before = (await here.send("GET", SESSIONS)).document["sessions"]
        said = await here.send("DELETE", SESSIONS)
        left = (await here.send("GET", SESSIONS)).document["sessions"]
        after = await there.send("GET", "/api/v1/session")
    assert [each["current"] for each in before].count(True) == 1
    assert (len(before), len(left), after.status) == (2, 1, 401)
    assert said.document["done"] == "1 other session of yours ended"


async def test_a_second_factor_is_begun_confirmed_and_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", Role.TRADER)
        begun = (await page.send("POST", FACTOR)).document
        device = Device(SecretStr(begun["secret"]))
        wrong = await page.send("POST", f"{FACTOR}/confirm", {"code": "12345"})
        confirmed = await page.send("POST", f"{FACTOR}/confirm", {"code": house.shown(device)})
        house.pass_(30)
        anew = await page.send("POST", f"{FACTOR}/recovery-codes", {"code": house.shown(device)})
        spent = await house.browser().sign_in("ann", code=confirmed.document["recovery_codes"][0])
        lost = await house.browser().sign_in("ann", code=anew.document["recovery_codes"][0])
    assert begun["svg"].startswith("<svg")
    assert (wrong.code, len(confirmed.document["recovery_codes"])) == ("bad_input", 10)
    assert (spent.code, lost.status) == ("sign_in_refused", 201)


async def test_an_admin_helps_users_and_lets_them_go(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        root = await house.inside("root", Role.ADMIN)
        made = await root.send("POST", USERS, {"name": "ann", "password": PASSWORD, "roles": ["viewer"]})
        ann = house.browser()
        first = await ann.sign_in("ann")
        await root.send("PUT", f"{USERS}/ann/roles", {"roles": ["risk"]})
        await root.send("POST", f"{USERS}/ann/password", {"password": OTHER})
        ended = await ann.send("GET", "/api/v1/session")
        await root.send("POST", f"{USERS}/ann/disable")
        disabled = await house.browser().sign_in("ann", OTHER)
        await root.send("POST", f"{USERS}/ann/enable")
        listed = (await root.send("GET", USERS)).document["users"]
        removed = await root.send("DELETE", f"{USERS}/ann")
        last = await root.send("DELETE", f"{USERS}/root")
        nobody = await root.send("POST", f"{USERS}/ann/unlock")
    assert (made.status, first.document["must_change_password"], ended.status) == (201, True, 401)
    assert (disabled.code, removed.status, last.code, nobody.code) == ("sign_in_refused", 200, "bad_input", "not_known")
    assert [(each["name"], each["roles"]) for each in listed] == [("ann", ["risk"]), ("root", ["admin"])]


async def test_an_admin_lets_somebody_in_who_was_locked_out_and_lost_the_device(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann")
        await house.with_factor("ann")
        root = await house.inside("root", Role.ADMIN)
        for number in range(5):
            await house.browser().sign_in("ann", f"{OTHER} {number}")
        locked = await house.browser().sign_in("ann")
        reset = await root.send("POST", f"{USERS}/ann/reset-factor")
        unlocked = await root.send("POST", f"{USERS}/ann/unlock")
        said = await house.browser().sign_in("ann")
    assert (locked.code, reset.status, unlocked.document["done"], said.status) == ("locked_out", 200, "ann may try again", 201)


@pytest.mark.parametrize(("method", "path"), [("GET", KEYS), ("POST", KEYS), ("POST", FACTOR), ("GET", SESSIONS)])
async def test_who_was_given_a_password_changes_it_before_anything_else(tmp_path: Path, method: str, path: str) -> None:
    async with a_house(tmp_path) as house:
        await house.add("ann", Role.RISK, must_change=True)
        page = house.browser()
        await page.sign_in("ann")
        said = await page.send(method, path, ROBOT if (method, path) == ("POST", KEYS) else None)
    assert (said.status, said.code) == (403, "password_must_change")
