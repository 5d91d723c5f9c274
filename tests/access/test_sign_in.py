"""Signing in: what lets in, what does not, how often somebody may guess, and what is said of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from argon2.exceptions import VerifyMismatchError
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.access.made import HERE, LOOPBACK, PASSWORD, Device, add, asked, later, opened, quick, signed_in, with_factor

from tradeloop.access import backoff, passwords, proof
from tradeloop.access.access import Access
from tradeloop.access.identity import Role, Scope
from tradeloop.access.passwords import Passwords
from tradeloop.access.records import Guesses, User
from tradeloop.access.refusals import CodeNeeded, LockedOut, NotSignedIn, SignInRefused, TooBusy
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

WRONG = SecretStr("some other words here")


async def refusal(access: Access, name: str, password: SecretStr, seconds: float = 0, address: str = HERE) -> SignInRefused:
    with pytest.raises(SignInRefused) as refused:
        await access.door.sign_in(name, password, "", asked(seconds, "", address))
    return refused.value


async def test_the_right_password_lets_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "Ann", Role.VIEWER)
        given_ = await signed_in(access, "ann")
        found = access.by_session(given_.token.get_secret_value(), later(1), HERE)
        assert found == given_.identity
        assert (found.name, found.may(Scope.READ_ACCOUNT), found.may(Scope.HALT)) == ("Ann", True, False)


async def test_a_wrong_password_an_unknown_name_and_a_disabled_user_are_told_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
        await add(access, "ann")
        await add(access, "bob")
        await access.users.disable("bob", asked())
        said = {
            str(await refusal(access, "ann", WRONG, address=LOOPBACK)),
            str(await refusal(access, "bob", PASSWORD, address=LOOPBACK)),
            str(await refusal(access, "nobody", PASSWORD, address=LOOPBACK)),
            str(await refusal(access, "", PASSWORD, address=LOOPBACK)),
            str(await refusal(access, "x" * 10_000, PASSWORD, address=LOOPBACK)),
            str(await refusal(access, "a\x00\ud800", PASSWORD, address=LOOPBACK)),
        }
        assert said == {"the name or the password was wrong"}


async def test_an_unknown_name_costs_the_same_work_as_a_known_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        worked: list[str] = []
        compare = Passwords._matches

        def counted(self: Passwords, kept: str, password: SecretStr) -> bool:
            worked.append(kept.rpartition("$")[0].rpartition("$")[0])
            return compare(self, kept, password)

        monkeypatch.setattr(Passwords, "_matches", counted)
        await refusal(access, "ann", WRONG)
        known = worked.copy()
        worked.clear()
        await refusal(access, "nobody", WRONG)
        assert worked == known == ["$argon2id$v=19$m=8,t=1,p=1"]


@pytest.mark.parametrize("made", [Passwords(), quick()])
def test_what_an_unknown_name_is_compared_with_is_a_hash_of_the_same_cost(made: Passwords) -> None:
    """One that could not be read would be refused at once, and the time would tell who is a user."""
    with pytest.raises(VerifyMismatchError):
        made._hasher.verify(made.nobodys, "any password")
    assert not made.is_outdated(made.nobodys)


async def test_the_fifth_wrong_one_locks_and_a_right_one_is_not_looked_at_then(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for _ in range(5):
            assert not isinstance(await refusal(access, "ann", WRONG), LockedOut)
        locked = await refusal(access, "ANN", PASSWORD, 59, "198.51.100.1")
        assert isinstance(locked, LockedOut)
        assert locked.until == later(60)
        assert "2027-01-15 08:01:00Z" in str(locked)
        assert (await signed_in(access, "ann", 60)).identity.name == "ann"


async def test_a_name_that_nobody_has_is_locked_as_one_that_somebody_has(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        heard: dict[str, list[str]] = {}
        for name in ("ann", "nobody"):
            heard[name] = [str(await refusal(access, name, WRONG, address=LOOPBACK)) for _ in range(7)]
        assert heard["ann"] == heard["nobody"]
        assert "nothing is looked at before" in heard["nobody"][-1]


async def test_whoever_tries_many_names_from_one_address_is_locked_out_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for number in range(5):
            await refusal(access, f"guess{number}", WRONG, address="2001:db8:1:2::1")
        assert isinstance(await refusal(access, "ann", PASSWORD, 1, "2001:db8:1:2:ffff::9"), LockedOut)
        assert (await signed_in(access, "ann", 1, address="2001:db8:1:3::1")).identity.name == "ann"


async def test_an_address_of_ipv4_is_the_same_in_the_clothes_of_ipv6(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        for number in range(5):
            await refusal(access, f"guess{number}", WRONG, address="::ffff:192.0.2.7")
        assert isinstance(await refusal(access, "ann", WRONG, 1, "192.0.2.7"), LockedOut)


async def test_on_the_machine_itself_nobody_locks_out_another_name(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for number in range(20):
            await refusal(access, f"guess{number}", WRONG, address=LOOPBACK)
        assert (await signed_in(access, "ann", 1, address=LOOPBACK)).identity.name == "ann"


async def test_a_lock_outlasts_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for _ in range(5):
            await refusal(access, "ann", WRONG)
    async with opened(tmp_path) as access:
        assert isinstance(await refusal(access, "ann", PASSWORD, 1), LockedOut)


async def test_an_admin_unlocks(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for _ in range(5):
            await refusal(access, "ann", WRONG, address=LOOPBACK)
        assert access.users.one("ann", later(1)).locked_until == later(60)
        assert await access.users.unlock("ann", asked(1))
        assert (await signed_in(access, "ann", 1, address=LOOPBACK)).identity.name == "ann"
        assert not await access.users.unlock("ann", asked(2))


async def test_while_it_is_locked_one_line_is_noted_however_many_come(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for _ in range(5):
            await refusal(access, "ann", WRONG, address=LOOPBACK)
        for second in range(30):
            await refusal(access, "ann", WRONG, second, LOOPBACK)
        told = [each.what for each in await access.log(50)]
        assert (told.count("locked out"), told.count("sign-in refused")) == (1, 5)


async def test_names_that_nobody_has_are_counted_when_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "STRANGERS_AN_HOUR", 3)
    async with opened(tmp_path) as access:
        for number in range(8):
            await refusal(access, f"guess{number}", WRONG, address=LOOPBACK)
        await refusal(access, "one more", WRONG, 3600, LOOPBACK)
        texts = [each.text for each in await access.log(50)]
        assert texts == ["a name that nobody has, after 5 more that were only counted", *["a name that nobody has"] * 3]


async def test_what_is_known_of_guesses_takes_bounded_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that of a user stays, however many names are guessed."""
    monkeypatch.setattr(proof, "GUESSES_MAX", 10)
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for _ in range(5):
            await refusal(access, "ann", WRONG, -10, LOOPBACK)
        for number in range(20):
            await refusal(access, f"guess{number}", WRONG, address=LOOPBACK)
        assert len(access._store.all(Guesses)) == 10
        assert isinstance(await refusal(access, "ann", PASSWORD, 1, LOOPBACK), LockedOut)


async def test_of_ten_guesses_at_once_five_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        looked = 0
        compare = Passwords._matches

        def counted(self: Passwords, kept: str, password: SecretStr) -> bool:
            nonlocal looked
            looked += 1
            return compare(self, kept, password)

        monkeypatch.setattr(Passwords, "_matches", counted)
        found = await asyncio.gather(
            *(access.door.sign_in("ann", WRONG, "", asked(0, "")) for _ in range(10)), return_exceptions=True
        )
        assert looked == 5
        assert sum(isinstance(each, LockedOut) for each in found) == 5


async def test_whoever_goes_away_before_the_answer_has_guessed_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        for _ in range(5):
            guess = asyncio.ensure_future(access.door.sign_in("ann", WRONG, "", asked(0, "", LOOPBACK)))
            await asyncio.sleep(0)
            guess.cancel()
            with pytest.raises(asyncio.CancelledError):
                await guess
        assert isinstance(await refusal(access, "ann", PASSWORD, 1, LOOPBACK), LockedOut)


async def test_too_many_at_once_are_sent_away_unlooked_at(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        many = [signed_in(access, "ann") for _ in range(proof.WAITING_MAX + 3)]
        found = await asyncio.gather(*many, return_exceptions=True)
        assert sum(isinstance(each, TooBusy) for each in found) == 3


async def test_two_who_sign_in_at_once_have_a_session_each(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        await add(access, "bob")
        one, other = await asyncio.gather(signed_in(access, "ann"), signed_in(access, "bob"))
        assert {each.user for each in access.sessions.shown(later(1))} == {"ann", "bob"}
        assert one.token.get_secret_value() != other.token.get_secret_value()


async def test_with_a_second_factor_the_password_alone_does_not_let_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        device, _ = await with_factor(access, "ann")
        assert isinstance(await refusal(access, "ann", PASSWORD), CodeNeeded)
        with pytest.raises(SignInRefused, match="the code was wrong"):
            await signed_in(access, "ann", code=device.never_shows(0))
        assert access.sessions.shown(later(0)) == []
        signed = await signed_in(access, "ann", code=device.shows(0))
        assert signed.identity.may(Scope.ORDER_LIVE)


async def test_wrong_codes_lock_as_wrong_passwords_do(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        device, _ = await with_factor(access, "ann")
        for _ in range(5):
            with pytest.raises(SignInRefused):
                await signed_in(access, "ann", code=device.never_shows(0))
        with pytest.raises(LockedOut):
            await signed_in(access, "ann", 1, code=device.shows(1))


@pytest.mark.parametrize(
    "typed", ["abc", "12345", "1234567", "x" * 5000, "\u0661\u0662\u0663\u0664\u0665\u0666", "000000 or 1=1"]
)
async def test_what_is_no_code_is_a_wrong_one(tmp_path: Path, typed: str) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        await with_factor(access, "ann")
        with pytest.raises(SignInRefused, match="the code was wrong"):
            await signed_in(access, "ann", code=typed)


async def test_a_code_is_good_once_also_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        device, _ = await with_factor(access, "ann")
        await signed_in(access, "ann", code=device.shows(0))
    async with opened(tmp_path) as access:
        with pytest.raises(SignInRefused, match="was taken before"):
            await signed_in(access, "ann", 1, code=device.shows(0))
        await signed_in(access, "ann", 30, code=device.shows(30))


async def test_of_two_who_give_one_code_at_once_one_is_let_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        device, _ = await with_factor(access, "ann")
        both = [signed_in(access, "ann", code=device.shows(0)) for _ in range(2)]
        found = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(isinstance(each, SignInRefused) for each in found) == [False, True]


async def test_of_two_processes_that_are_given_one_code_one_lets_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        await add(one, "ann")
        device, _ = await with_factor(one, "ann")
        await other.tick(later(0))
        both = [signed_in(each, "ann", code=device.shows(0)) for each in (one, other)]
        found = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(isinstance(each, SignInRefused) for each in found) == [False, True]


async def test_each_recovery_code_is_good_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        _, recovery = await with_factor(access, "ann")
        assert len(set(recovery)) == 10
        await signed_in(access, "ann", code=recovery[3])
        assert access.users.one("ann", later(0)).recovery_codes_left == 9
        with pytest.raises(SignInRefused, match="the code was wrong"):
            await signed_in(access, "ann", code=recovery[3])
        await signed_in(access, "ann", code=recovery[4].replace("-", " ").lower())
    async with opened(tmp_path) as access:
        with pytest.raises(SignInRefused, match="the code was wrong"):
            await signed_in(access, "ann", code=recovery[4])


async def test_a_new_token_comes_with_each_sign_in_and_the_one_before_ends(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        first = (await signed_in(access, "ann")).token.get_secret_value()
        again = await access.door.sign_in("ann", PASSWORD, "", asked(1, ""), instead_of=first)
        assert again.token.get_secret_value() != first
        assert access.by_session(first, later(1), HERE) is None


async def test_a_token_that_a_browser_came_with_is_not_taken_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        planted = "A" * 52
        signed = await access.door.sign_in("ann", PASSWORD, "", asked(0, ""), instead_of=planted)
        assert signed.token.get_secret_value() != planted
        assert access.by_session(planted, later(1), HERE) is None


async def test_confirming_takes_a_code_where_there_is_a_factor(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        device, _ = await with_factor(access, "ann")
        signed = await signed_in(access, "ann", code=device.shows(0))
        session = signed.identity.session_id
        assert not access.sessions.is_fresh(session, later(600), 60 * SECOND_NS)
        with pytest.raises(CodeNeeded):
            await access.door.confirm(session, asked(600, "ann"), password=PASSWORD)
        await access.door.confirm(session, asked(600, "ann"), code=device.shows(600))
        assert access.sessions.is_fresh(session, later(650), 60 * SECOND_NS)
        assert not access.sessions.is_fresh(session, later(661), 60 * SECOND_NS)


async def test_confirming_takes_the_password_where_there_is_no_factor(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        session = (await signed_in(access, "ann")).identity.session_id
        with pytest.raises(BadInput, match="password is needed once more"):
            await access.door.confirm(session, asked(600, "ann"), code="123456")
        with pytest.raises(SignInRefused):
            await access.door.confirm(session, asked(600, "ann"), password=WRONG)
        assert not access.sessions.is_fresh(session, later(600), 60 * SECOND_NS)
        assert await access.door.confirm(session, asked(600, "ann"), password=PASSWORD) == later(600)
        with pytest.raises(NotSignedIn):
            await access.door.confirm("no such session", asked(600, "ann"), password=PASSWORD)


async def test_wrong_confirmations_count_as_guesses(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        session = (await signed_in(access, "ann")).identity.session_id
        for _ in range(5):
            with pytest.raises(SignInRefused):
                await access.door.confirm(session, asked(0, "ann"), password=WRONG)
        assert isinstance(await refusal(access, "ann", PASSWORD, 1, "198.51.100.1"), LockedOut)


async def test_a_changed_password_ends_every_other_session(tmp_path: Path) -> None:
    new = SecretStr("quite other words now")
    async with opened(tmp_path) as access:
        await add(access, "ann")
        mine, other = [(await signed_in(access, "ann")).token.get_secret_value() for _ in range(2)]
        session = access.sessions.session_of(mine)
        assert session is not None
        with pytest.raises(SignInRefused):
            await access.door.change_password("ann", WRONG, new, asked(0, "ann"), session_id=session.id)
        await access.door.change_password("ann", PASSWORD, new, asked(0, "ann"), session_id=session.id)
        assert access.by_session(mine, later(1), HERE) is not None
        assert access.by_session(other, later(1), HERE) is None
        await refusal(access, "ann", PASSWORD)
        await access.door.sign_in("ann", new, "", asked(1, ""))


async def test_a_password_that_somebody_else_knows_lets_nothing_be_done_but_change_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await access.users.add("ann", PASSWORD, [Role.TRADER], asked())
        signed = await signed_in(access, "ann")
        assert signed.identity.scopes == frozenset()
        await access.door.change_password(
            "ann", PASSWORD, SecretStr("words of my own now"), asked(), session_id=signed.identity.session_id
        )
        now = access.by_session(signed.token.get_secret_value(), later(1), HERE)
        assert now is not None
        assert now.may(Scope.ORDER_PAPER)


async def test_a_password_kept_at_a_lower_cost_is_kept_anew_at_the_next_sign_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
    dearer = Passwords(passes=2, memory_kib=16)
    async with opened(tmp_path, passwords=dearer) as access:
        await signed_in(access, "ann")
    async with opened(tmp_path, passwords=dearer) as access:
        kept = access._store.all(User)[0].password
        assert not dearer.is_outdated(kept)
        assert quick().is_outdated(kept)


async def test_the_loop_goes_on_while_a_password_is_compared(tmp_path: Path) -> None:
    """At its full cost: trading does not wait for whoever signs in."""
    async with opened(tmp_path, passwords=Passwords()) as access:
        comparing = asyncio.ensure_future(refusal(access, "nobody", WRONG))
        turns = 0
        while not comparing.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 100


def test_a_password_costs_what_the_standard_advises() -> None:
    """Passes and memory of RFC 9106 section 4, the second recommendation; 0.18 s of one core where it was measured."""
    assert (passwords.PASSES, passwords.MEMORY_KIB) == (3, 65_536)


@given(st.lists(st.tuples(st.integers(0, 900), st.booleans()), max_size=120))
@example([(1, False), (1, False), (1, False), (1, False), (1, True)] * 5)
def test_in_no_hour_are_more_than_ten_wrong_guesses_looked_at(tries: list[tuple[int, bool]]) -> None:
    """Whoever guesses beside an honest user, whose right password comes between, gains nothing by it."""
    guesses: Guesses | None = None
    now, looked = UtcNs(0), list[int]()
    for wait_s, right in tries:
        now = UtcNs(now + wait_s * SECOND_NS)
        if backoff.locked_until(guesses, now) is not None:
            continue
        if right:
            guesses = None if guesses is None else backoff.after_right(guesses, now)
        else:
            guesses = backoff.after_wrong(guesses, "name:x", now)
            looked.append(now)
    for first in looked:
        assert sum(first <= each < first + backoff.HOUR_NS for each in looked) <= backoff.IN_AN_HOUR


@given(st.integers(1, 300))
def test_guesses_without_a_rest_get_fewer_and_fewer(number: int) -> None:
    guesses: Guesses | None = None
    now = UtcNs(0)
    for _ in range(number):
        guesses = backoff.after_wrong(guesses, "name:x", now)
        now = backoff.locked_until(guesses, now) or now
        assert now <= guesses.wrong[-1] + backoff.HOUR_NS
    assert number < 6 or now >= (number - 5) * backoff.LOCK_NS


def test_guesses_that_are_looked_at_in_another_order_are_counted() -> None:
    guesses: Guesses | None = None
    for second in range(backoff.IN_AN_HOUR, 0, -1):
        guesses = backoff.after_wrong(guesses, "name:x", later(second))
    assert backoff.locked_until(guesses, later(11)) is not None
    assert guesses is not None
    assert len(guesses.wrong) == backoff.IN_AN_HOUR


def test_a_clock_that_was_set_back_locks_nobody_for_days() -> None:
    guesses: Guesses | None = None
    for _ in range(6):
        guesses = backoff.after_wrong(guesses, "name:x", later(86_400))
    assert backoff.locked_until(guesses, later(0)) is None
    assert backoff.locked_until(backoff.after_wrong(guesses, "name:x", later(0)), later(1)) == later(240)


def test_the_device_of_these_tests_shows_what_the_standard_says() -> None:
    device = Device(SecretStr("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
    assert device.codes.at(59) == "287082"
