"""Users: their names, passwords and roles, the first of them, and that somebody is always left who may add others."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.access.made import ALL, HERE, LOOPBACK, PASSWORD, Device, add, asked, later, opened, signed_in, with_factor

from tradeloop.access.identity import Role, Scope
from tradeloop.access.names import checked_name
from tradeloop.access.passwords import refuse_weak
from tradeloop.access.refusals import Missing, NotSignedIn, SignInRefused
from tradeloop.core.errors import BadInput

BAD_NAMES = ["", " ann", "ann ", "an n", "-ann", ".ann", "x" * 33, "ann\n", "\u0430nn", "ann\x00", "ann/..", "<b>"]
BAD_PASSWORDS = [
    "short",
    "elevenchars",
    "x" * 257,
    "password1234",
    "Passw0rd!!!!",
    "123456789012",
    "aaaaaaaaaaaa",
    "abcabcabcabc",
    "abcdefghijkl",
    "1qaz2wsx3edc",
    "ann-the-traderann-the-trader",
    "redart-eht-nna",
    "ann-the-trader1",
    "nul\x00nul\x00nul\x00nul",
    "half a letter \ud800",
]


def is_refused(password: str) -> bool:
    try:
        refuse_weak(SecretStr(password), "ann")
    except BadInput:
        return True
    return False


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_is_of_letters_that_every_keyboard_has(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path) as access:
        with pytest.raises(BadInput, match="expected 1 to 32"):
            await add(access, name)
        assert access.users.is_empty


@pytest.mark.parametrize("name", ["engine", "External", "TERMINAL", "tradeloop"])
def test_nobody_is_called_as_the_desk_itself_is(name: str) -> None:
    """The journal says `engine` where it decided by itself, and `external` where a broker did."""
    with pytest.raises(BadInput, match="stands in records for no person"):
        checked_name(name)


@given(st.text(max_size=40))
def test_a_name_that_is_taken_is_a_plain_word(name: str) -> None:
    try:
        assert checked_name(name) == name
    except BadInput:
        return
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set(" /\\'\"<>;")


async def test_two_names_do_not_differ_in_case_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "Ann")
        with pytest.raises(BadInput, match="there is a user 'Ann' already"):
            await add(access, "aNN")


async def test_of_two_who_take_a_name_at_once_one_has_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        found = await asyncio.gather(*(add(each, "ann") for each in (one, other)), return_exceptions=True)
        assert sorted(isinstance(each, BadInput) for each in found) == [False, True]


@pytest.mark.parametrize("password", BAD_PASSWORDS)
def test_a_password_that_is_tried_first_is_refused_and_not_told(password: str) -> None:
    with pytest.raises(BadInput) as refused:
        refuse_weak(SecretStr(password), "ann-the-trader")
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["four words nobody says", "x7#kQ!mz02Lp", "\u4e94\u4e2a\u6c49\u5b57\u4e5f\u884c" * 2])
def test_a_password_that_is_long_enough_needs_no_signs(password: str) -> None:
    assert not is_refused(password)


async def test_two_keyboards_make_one_password_of_the_same_letters(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", password=SecretStr("caf\u00e9 au lait, please"))
        signed = await access.door.sign_in("ann", SecretStr("cafe\u0301 au lait, please"), "", asked())
        assert signed.identity.name == "ann"


async def test_nobody_is_there_at_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        assert access.users.shown(later(0)) == []
        for name in ("admin", "root", "tradeloop"):
            for password in ("admin", "", "tradeloop", "changeme"):
                with pytest.raises(SignInRefused):
                    await access.door.sign_in(name, SecretStr(password), "", asked(0, "", LOOPBACK))


async def test_several_roles_do_what_each_does(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.ADMIN, Role.RISK)
        shown = access.users.one("ann", later(0))
        assert Scope.ADMIN in shown.scopes
        assert Scope.RISK in shown.scopes
        assert Scope.ORDER_PAPER not in shown.scopes


async def test_whoever_trades_live_needs_a_second_factor(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        signed = await signed_in(access, "ann", -7200)
        assert signed.identity.may(Scope.ORDER_PAPER)
        assert not signed.identity.may(Scope.ORDER_LIVE)
        await with_factor(access, "ann")
        now = access.by_session(signed.token.get_secret_value(), later(-3600), HERE)
        assert now is not None
        assert now.may(Scope.ORDER_LIVE)


async def test_roles_that_are_taken_are_gone_with_the_next_question(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
        await add(access, "ann", Role.RISK)
        token = (await signed_in(access, "ann")).token.get_secret_value()
        await access.users.set_roles("ann", [Role.VIEWER], asked())
        now = access.by_session(token, later(1), HERE)
        assert now is not None
        assert not now.may(Scope.RISK)


async def test_the_last_admin_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
        await add(access, "other", Role.ADMIN)
        await access.users.disable("other", asked())
        for attempt in (
            access.users.disable("root", asked()),
            access.users.remove("root", asked()),
            access.users.set_roles("root", [Role.VIEWER], asked()),
        ):
            with pytest.raises(BadInput, match="nobody would be left who may add users"):
                await attempt
        await access.users.enable("other", asked())
        await access.users.remove("root", asked())
        assert [each.name for each in access.users.shown(later(0))] == ["other"]


async def test_of_two_admins_who_disable_each_other_at_once_one_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        await add(one, "ann", Role.ADMIN)
        await add(one, "bob", Role.ADMIN)
        await other.tick(later(0))
        found = await asyncio.gather(
            one.users.disable("ann", asked()), other.users.disable("bob", asked()), return_exceptions=True
        )
        assert sorted(isinstance(each, BadInput) for each in found) == [False, True]


async def test_a_disabled_user_is_out_at_once_and_can_come_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
        await add(access, "ann")
        token = (await signed_in(access, "ann")).token.get_secret_value()
        await access.users.disable("ann", asked())
        assert access.by_session(token, later(1), HERE) is None
        await access.users.enable("ann", asked())
        assert access.by_session(token, later(1), HERE) is None
        await signed_in(access, "ann", 2)


async def test_a_password_that_an_admin_sets_ends_every_session(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        token = (await signed_in(access, "ann")).token.get_secret_value()
        await access.users.set_password("ann", SecretStr("new words for ann"), asked())
        assert access.by_session(token, later(1), HERE) is None
        assert access.users.one("ann", later(1)).must_change


async def test_what_is_erased_is_gone_from_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
        await add(access, "ann")
        await signed_in(access, "ann")
        await access.users.remove("ann", asked())
    with closing(sqlite3.connect(tmp_path / "access.db")) as file:
        left = file.execute("SELECT kind, id FROM access_records").fetchall()
    assert left == [("user", "root")]
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert raw.count(b"$argon2id$") == raw.count(b'"id":"root"')


@pytest.mark.parametrize("name", ["nobody", "", "x" * 500, "a\x00b"])
async def test_a_user_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path) as access:
        for attempt in (
            access.users.disable(name, asked()),
            access.users.enable(name, asked()),
            access.users.remove(name, asked()),
            access.users.set_roles(name, [Role.VIEWER], asked()),
            access.users.set_password(name, PASSWORD, asked()),
            access.factors.reset(name, asked()),
        ):
            with pytest.raises(Missing):
                await attempt


async def test_a_user_has_a_role(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        with pytest.raises(BadInput, match="no role was given"):
            await access.users.add("ann", PASSWORD, [], asked())


# --- the first one


async def test_the_link_makes_the_first_user_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        link = (await access.first_user.begin(asked())).get_secret_value()
        assert access.first_user.is_good(link, asked(1, "", LOOPBACK))
        await access.first_user.finish(link, "ann", PASSWORD, ALL, asked(1, "", "::1"))
        assert access.users.one("ann", later(1)).roles == ALL
        assert not access.first_user.is_good(link, asked(2, "", LOOPBACK))
        with pytest.raises(NotSignedIn):
            await access.first_user.finish(link, "bob", PASSWORD, ALL, asked(2, "", LOOPBACK))
        with pytest.raises(BadInput, match="there are users already"):
            await access.first_user.begin(asked(3))


async def test_two_who_use_the_link_at_once_make_one_user(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        link = (await access.first_user.begin(asked())).get_secret_value()
        found = await asyncio.gather(
            *(access.first_user.finish(link, name, PASSWORD, ALL, asked(1, "", LOOPBACK)) for name in ("ann", "bob")),
            return_exceptions=True,
        )
        assert sorted(isinstance(each, NotSignedIn) for each in found) == [False, True]
        assert len(access.users.shown(later(1))) == 1


@pytest.mark.parametrize(
    "address", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "", "localhost", "terminal", "127.0.0.1.evil"]
)
async def test_the_link_is_good_on_the_machine_alone(tmp_path: Path, address: str) -> None:
    async with opened(tmp_path) as access:
        link = (await access.first_user.begin(asked())).get_secret_value()
        assert not access.first_user.is_good(link, asked(1, "", address))
        with pytest.raises(NotSignedIn, match="on the machine of the desk alone"):
            await access.first_user.finish(link, "ann", PASSWORD, ALL, asked(1, "", address))
        assert access.users.is_empty


async def test_the_link_is_good_for_fifteen_minutes(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        link = (await access.first_user.begin(asked())).get_secret_value()
        assert access.first_user.is_good(link, asked(899, "", LOOPBACK))
        with pytest.raises(NotSignedIn, match="is not good"):
            await access.first_user.finish(link, "ann", PASSWORD, ALL, asked(900, "", LOOPBACK))


async def test_a_newer_link_and_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        old = (await access.first_user.begin(asked())).get_secret_value()
        new = (await access.first_user.begin(asked(1))).get_secret_value()
    async with opened(tmp_path) as access:
        assert not access.first_user.is_good(old, asked(2, "", LOOPBACK))
        assert access.first_user.is_good(new, asked(2, "", LOOPBACK))


@pytest.mark.parametrize("token", ["", "A" * 52, "a\ud800", "x" * 100_000])
async def test_another_token_is_not_good(tmp_path: Path, token: str) -> None:
    async with opened(tmp_path) as access:
        await access.first_user.begin(asked())
        with pytest.raises(NotSignedIn):
            await access.first_user.finish(token, "ann", PASSWORD, ALL, asked(1, "", LOOPBACK))


async def test_what_can_not_be_leaves_the_link_good(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        link = (await access.first_user.begin(asked())).get_secret_value()
        where = asked(1, "", LOOPBACK)
        for name, password, roles in (
            ("a n n", PASSWORD, ALL),
            ("ann", SecretStr("short"), ALL),
            ("ann", PASSWORD, frozenset({Role.TRADER})),
            ("ann", PASSWORD, frozenset[Role]()),
        ):
            with pytest.raises(BadInput):
                await access.first_user.finish(link, name, password, roles, where)
        await access.first_user.finish(link, "ann", PASSWORD, {Role.ADMIN}, where)


# --- second factors


async def test_a_factor_counts_when_a_code_of_it_was_typed(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        begun = access.factors.begin("ann", later(0), place="main")
        assert "ann%40main" in begun.uri.get_secret_value()
        device = Device(begun.secret)
        with pytest.raises(BadInput, match="the code was wrong"):
            await access.factors.confirm("ann", device.never_shows(0), asked(0, "ann"))
        assert access.users.one("ann", later(0)).factor_since is None
        await access.factors.confirm("ann", device.shows(0), asked(0, "ann"))
        assert access.users.one("ann", later(0)).factor_since == later(0)
        with pytest.raises(SignInRefused, match="was taken before"):
            await signed_in(access, "ann", 1, code=device.shows(1))


async def test_a_factor_that_nobody_confirms_is_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        device = Device(access.factors.begin("ann", later(0)).secret)
        with pytest.raises(BadInput, match="begin again"):
            await access.factors.confirm("ann", device.shows(600), asked(600, "ann"))


async def test_another_factor_takes_a_code_of_the_one_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        old, recovery = await with_factor(access, "ann")
        new = Device(access.factors.begin("ann", later(0)).secret)
        for present in ("", "000000", new.shows(0)):
            with pytest.raises(SignInRefused):
                await access.factors.confirm("ann", new.shows(0), asked(0, "ann"), present=present)
        await access.factors.confirm("ann", new.shows(0), asked(0, "ann"), present=recovery[0])
        with pytest.raises(SignInRefused):
            await signed_in(access, "ann", 60, code=old.shows(60))
        with pytest.raises(SignInRefused):
            await signed_in(access, "ann", 60, code=recovery[1])
        await signed_in(access, "ann", 60, code=new.shows(60))


async def test_new_recovery_codes_take_the_place_of_the_old(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        device, old = await with_factor(access, "ann")
        with pytest.raises(SignInRefused):
            await access.factors.new_recovery_codes("ann", "", asked(0, "ann"))
        new = await access.factors.new_recovery_codes("ann", device.shows(0), asked(0, "ann"))
        with pytest.raises(SignInRefused):
            await signed_in(access, "ann", code=old[0])
        await signed_in(access, "ann", code=new[0].get_secret_value())


async def test_a_reset_takes_the_factor_and_every_session(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        device, _ = await with_factor(access, "ann")
        token = (await signed_in(access, "ann", code=device.shows(0))).token.get_secret_value()
        assert await access.factors.reset("ann", asked(1))
        assert access.by_session(token, later(2), HERE) is None
        assert not (await signed_in(access, "ann", 2)).identity.may(Scope.ORDER_LIVE)
        assert not await access.factors.reset("ann", asked(3))


async def test_the_secret_comes_as_a_picture_and_as_lines(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        begun = access.factors.begin("ann", later(0))
        svg, lines = begun.svg.get_secret_value(), begun.lines.get_secret_value()
        assert svg.startswith("<svg xmlns=")
        assert "script" not in svg
        assert len(lines.splitlines()) > 15
        assert begun.secret.get_secret_value() not in svg + lines + repr(begun)
