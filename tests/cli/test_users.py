"""Users, keys, sessions and secrets at the command line: what is typed is in no argument, and what is told is told once."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr
from tests.access.made import LOOPBACK, Device
from tests.cli.commands import Said, tradeloop

from tradeloop.access.access import Access
from tradeloop.access.asked import Asked
from tradeloop.access.identity import Identity
from tradeloop.access.passwords import Passwords
from tradeloop.bootstrap.access import access_url, open_access
from tradeloop.config import find_home, load
from tradeloop.engine.clock import WallClock

T = TypeVar("T")
PASSWORD = "four words nobody says"
OTHER = "four other words to say"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords at the lowest cost there is; what a program of its own does costs what it costs."""
    monkeypatch.setattr(Passwords.__init__, "__defaults__", (1, 8))


def inside(home: Path, work: Callable[[Access], Awaitable[T]]) -> T:
    """What a desk in this home would be answered."""

    async def run() -> T:
        async with open_access(load(home=find_home(home), environ={})) as access:
            return await work(access)

    return asyncio.run(run())


def here() -> Asked:
    return Asked("", LOOPBACK, WallClock().now())


def add(home: Path, name: str, roles: str = "viewer", password: str = PASSWORD) -> Said:
    return tradeloop(home, "users", "add", name, "--roles", roles, "--from-stdin", given=f"{password}\n")


def user(home: Path, name: str) -> dict[str, object]:
    said = tradeloop(home, "users", "list", "--json")
    found: dict[str, object] = next(each for each in said.document["users"] if each["name"] == name)
    return found


def sign_in(home: Path, name: str, password: str = PASSWORD, code: str = "") -> str:
    async def work(access: Access) -> str:
        return (await access.door.sign_in(name, SecretStr(password), code, here())).identity.session_id

    return inside(home, work)


def test_questions_of_an_empty_home_make_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for group, named in (("users", "users"), ("sessions", "sessions"), ("keys", "keys"), ("secrets", "secrets")):
        assert tradeloop(home, group, "list", "--json").document == {named: []}
    assert not home.exists()


def test_the_first_user_is_an_admin_and_keeps_their_password(tmp_path: Path) -> None:
    assert "the first user was no admin" in add(tmp_path, "ann", "trader").error
    assert add(tmp_path, "ann", "admin,trader").code == 0
    found = user(tmp_path, "ann")
    assert (found["roles"], found["must_change"]) == (["trader", "admin"], False)
    assert sign_in(tmp_path, "ann")


def test_others_change_theirs_at_their_first_sign_in(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin")
    assert add(tmp_path, "bob", "trader").out == "bob is a user, as trader\n"
    assert user(tmp_path, "bob")["must_change"] is True
    assert "must change the password" in tradeloop(tmp_path, "users", "list").out


@pytest.mark.parametrize(
    ("name", "roles", "password", "sentence"),
    [
        ("a b", "admin", PASSWORD, "expected 1 to 32 of the letters"),
        ("ann", "boss", PASSWORD, "--roles was 'boss'; expected one or more of viewer, trader, risk, admin"),
        ("ann", "", PASSWORD, "the first user was no admin"),
        ("ann", "admin", "short", "the password had 5 characters; expected 12 to 256"),
        ("ann", "admin", "password1234", "one of the first that are tried"),
        ("ann", "admin", "", "the password had 0 characters"),
    ],
)
def test_a_user_that_can_not_be_is_refused(tmp_path: Path, name: str, roles: str, password: str, sentence: str) -> None:
    said = add(tmp_path, name, roles, password)
    assert (said.code, sentence in said.error) == (2, True)
    assert tradeloop(tmp_path, "users", "list", "--json").document == {"users": []}


def test_a_password_is_no_option_and_without_a_terminal_none_is_asked_for(tmp_path: Path) -> None:
    assert tradeloop(tmp_path, "users", "add", "ann", "--roles", "admin", "--password", PASSWORD).code == 2
    said = tradeloop(tmp_path, "users", "add", "ann", "--roles", "admin", "--json")
    assert said.code == 2
    assert "there is no terminal to ask for it; use --from-stdin" in said.document["error"]


def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "tradeloop", "--home", str(tmp_path), "users", "add", "ann", "--roles", "admin"]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, close_fds=True, env={**os.environ})
    os.close(follower)
    heard = b""
    for typed in (b"password of ann: ", b"Repeat for confirmation: "):
        while typed not in heard:
            heard += os.read(leader, 4096)
        os.write(leader, f"{PASSWORD}\n".encode())
    while b"ann is a user" not in heard:
        heard += os.read(leader, 4096)
    assert process.wait(timeout=60) == 0
    os.close(leader)
    assert PASSWORD.encode() not in heard
    assert sign_in(tmp_path, "ann")


def test_roles_are_given_and_the_last_admin_stays(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin")
    add(tmp_path, "bob")
    assert tradeloop(tmp_path, "users", "roles", "bob", "--roles", "risk, trader").code == 0
    assert user(tmp_path, "bob")["roles"] == ["trader", "risk"]
    for command in (("disable", "ann"), ("remove", "ann"), ("roles", "ann", "--roles", "viewer")):
        said = tradeloop(tmp_path, "users", *command)
        assert (said.code, "nobody would be left" in said.error) == (2, True)


def test_who_is_disabled_or_removed_is_let_in_no_more(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin")
    add(tmp_path, "bob")
    session = sign_in(tmp_path, "bob")
    assert session in tradeloop(tmp_path, "sessions", "list").out
    assert tradeloop(tmp_path, "users", "disable", "bob").code == 0
    assert tradeloop(tmp_path, "sessions", "list", "--json").document == {"sessions": []}
    assert tradeloop(tmp_path, "users", "enable", "bob").code == 0
    assert sign_in(tmp_path, "bob")
    assert tradeloop(tmp_path, "users", "remove", "bob").code == 0
    assert "there is no user 'bob'" in tradeloop(tmp_path, "users", "disable", "bob").error


def test_a_forgotten_password_and_a_lost_device(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin")

    async def a_factor(access: Access) -> None:
        asked = here()
        device = Device(access.factors.begin("ann", asked.at).secret)
        await access.factors.confirm("ann", device.codes.at(asked.at // 10**9), asked)

    inside(tmp_path, a_factor)
    assert user(tmp_path, "ann")["recovery_codes_left"] == 10
    said = tradeloop(tmp_path, "users", "password", "ann", "--from-stdin", given=f"{OTHER}\n")
    assert said.code == 0
    assert tradeloop(tmp_path, "users", "reset-factor", "ann").out == "ann has no second factor any more\n"
    assert tradeloop(tmp_path, "users", "reset-factor", "ann").out == "ann had no second factor\n"
    assert sign_in(tmp_path, "ann", OTHER)


def test_who_was_locked_out_is_let_try_again(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin")

    async def guess(access: Access) -> None:
        for _ in range(5):
            await asyncio.gather(access.door.sign_in("ann", SecretStr("wrong"), "", here()), return_exceptions=True)

    inside(tmp_path, guess)
    assert "locked until" in tradeloop(tmp_path, "users", "list").out
    assert tradeloop(tmp_path, "users", "unlock", "ann").out == "ann may try again\n"
    assert sign_in(tmp_path, "ann")


def test_the_link_makes_the_first_user_while_there_is_nobody(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "users", "set-up-link", "--json")
    base, _, token = said.document["link"].partition("#")
    assert base == "http://127.0.0.1:8003/set-up"

    async def finish(access: Access) -> None:
        from tradeloop.access.identity import Role

        await access.first_user.finish(token, "ann", SecretStr(PASSWORD), list(Role), here())

    inside(tmp_path, finish)
    assert user(tmp_path, "ann")["roles"] == ["viewer", "trader", "risk", "admin"]
    assert "there are users already" in tradeloop(tmp_path, "users", "set-up-link").error


def test_a_session_is_ended_alone_or_with_all_of_its_user(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin")
    first, *_ = [sign_in(tmp_path, "ann") for _ in range(3)]
    assert tradeloop(tmp_path, "sessions", "revoke", first).code == 0
    assert tradeloop(tmp_path, "sessions", "revoke", first).code == 2
    assert tradeloop(tmp_path, "sessions", "revoke", "--user", "ann").out == "2 sessions of ann have ended\n"
    assert tradeloop(tmp_path, "sessions", "revoke").code == 2


def key_opens(home: Path, text: str, address: str = LOOPBACK) -> Identity | None:
    async def work(access: Access) -> Identity | None:
        return access.by_key(text, WallClock().now(), address)

    return inside(home, work)


def test_a_key_is_made_listed_rotated_and_revoked(tmp_path: Path) -> None:
    add(tmp_path, "ann", "admin,trader")
    made = tradeloop(
        tmp_path, "keys", "make", "robot", "--owner", "ann", "--scopes", "order:paper,read:md", "--accounts", "desk-1", "--json"
    ).document
    found = key_opens(tmp_path, made["key"])
    assert found is not None
    assert found.accounts == frozenset({"desk-1"})
    (listed,) = tradeloop(tmp_path, "keys", "list", "--json").document["keys"]
    assert (listed["id"], listed["scopes"]) == (made["id"], ["read:md", "order:paper"])
    assert made["key"] not in json.dumps(listed)
    rotated = tradeloop(tmp_path, "keys", "rotate", made["id"], "--grace", "0", "--json").document
    assert key_opens(tmp_path, made["key"]) is None
    assert key_opens(tmp_path, rotated["key"]) is not None
    assert tradeloop(tmp_path, "keys", "revoke", made["id"]).code == 0
    assert key_opens(tmp_path, rotated["key"]) is None
    assert tradeloop(tmp_path, "keys", "revoke", made["id"]).code == 2


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--scopes", "everything"], "--scopes was 'everything'"),
        (["--scopes", "order:live"], "a second factor is missing"),
        (["--scopes", "admin"], "ann has not admin now"),
        (["--scopes", "read:md", "--days", "366"], "expected a whole number from 1 to 365"),
        (["--scopes", "read:md", "--from", "nowhere"], "the network was 'nowhere'"),
        (["--scopes", "read:md", "--accounts", ","], "0 accounts were given"),
    ],
)
def test_a_key_that_can_not_be_is_refused(tmp_path: Path, more: list[str], sentence: str) -> None:
    add(tmp_path, "root", "admin")
    add(tmp_path, "ann", "trader")
    tradeloop(tmp_path, "users", "password", "ann", "--from-stdin", given=f"{OTHER}\n")

    async def own_words(access: Access) -> None:
        await access.door.change_password("ann", SecretStr(OTHER), SecretStr(PASSWORD), here())

    inside(tmp_path, own_words)
    said = tradeloop(tmp_path, "keys", "make", "robot", "--owner", "ann", *more)
    assert said.code == 2
    assert sentence in " ".join(said.err.split())


def test_a_secret_is_set_and_never_shown(tmp_path: Path) -> None:
    canary = "a-canary-that-nobody-may-read-8842"
    said = tradeloop(tmp_path, "secrets", "set", "ib", "U1", "password", "--from-stdin", given=f"{canary}\n")
    assert (said.code, canary in said.out + said.err) == (0, False)
    listed = tradeloop(tmp_path, "secrets", "list")
    assert "...8842" in listed.out
    assert canary not in listed.out
    before = (tmp_path / "master.key").read_text(encoding="ascii")
    assert tradeloop(tmp_path, "secrets", "new-master-key").code == 0
    assert (tmp_path / "master.key").read_text(encoding="ascii") != before

    async def reveal(access: Access) -> str:
        found = access.secrets.reveal("ib", "U1", "password")
        return "" if found is None else found.get_secret_value()

    assert inside(tmp_path, reveal) == canary
    assert tradeloop(tmp_path, "secrets", "remove", "ib", "U1", "password").code == 0
    assert tradeloop(tmp_path, "secrets", "remove", "ib", "U1", "password").code == 2


def test_a_master_key_of_a_setting_makes_no_file_and_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = bytes(range(40, 72)).hex()
    monkeypatch.setenv("TRADELOOP_MASTER_KEY", key)
    assert tradeloop(tmp_path, "secrets", "set", "ib", "U1", "pin", "--from-stdin", given="12345678\n").code == 0
    assert not (tmp_path / "master.key").exists()
    assert key not in tradeloop(tmp_path, "config", "show").out
    monkeypatch.setenv("TRADELOOP_MASTER_KEY", "changeme")
    said = tradeloop(tmp_path, "secrets", "list")
    assert "environment TRADELOOP_MASTER_KEY held a text of 8 characters that is no key" in said.error
    monkeypatch.setenv("TRADELOOP_MASTER_KEY", bytes(range(90, 122)).hex())
    assert "sealed with the master key" in tradeloop(tmp_path, "secrets", "list").error


def test_a_master_key_file_that_is_named_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADELOOP_MASTER_KEY_FILE", str(tmp_path / "elsewhere.key"))
    assert "is not there; put the master key there" in add(tmp_path, "ann", "admin").error


def test_the_store_stands_beside_the_journal_or_in_its_server(tmp_path: Path) -> None:
    def url(database: str) -> str:
        home = find_home(tmp_path)
        return str(access_url(load({"database.url": database}, home=home, environ={})))

    assert url("") == f"sqlite:///{tmp_path}/access.db"
    assert url(f"sqlite:///{tmp_path}/books/j.db") == f"sqlite:///{tmp_path}/books/access.db"
    assert url("postgresql://ann@db/books") == "postgresql://ann@db/books"
