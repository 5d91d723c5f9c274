"""Sessions, API keys and tickets: what each is good for, for how long, and that none is good a moment longer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.access.made import HERE, LOOPBACK, NOON, add, asked, later, opened, signed_in, with_factor

from tradeloop.access.access import Access
from tradeloop.access.identity import Identity, Role, Scope
from tradeloop.access.keys import DAY_NS, LONGEST_NS, MadeKey
from tradeloop.access.refusals import Missing
from tradeloop.access.sessions import PER_USER_MAX, SessionTimes, csrf_of, is_csrf_of
from tradeloop.access.tickets import PER_IDENTITY_MAX, Tickets
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

SHORT = SessionTimes(idle_ns=600 * SECOND_NS, longest_ns=1800 * SECOND_NS)
YEAR = UtcNs(NOON + LONGEST_NS)


async def key_of(access: Access, owner: str, *scopes: Scope, **more: object) -> MadeKey:
    given_ = {"expires_at": YEAR} | more
    return await access.keys.make(owner, "robot", scopes or (Scope.READ_ACCOUNT,), asked(0, owner), **given_)  # type: ignore[arg-type]


def by_key(access: Access, key: MadeKey, seconds: float = 0, address: str = HERE) -> Identity | None:
    return access.by_key(key.text.get_secret_value(), later(seconds), address)


# --- sessions


async def test_a_session_that_nobody_uses_ends(tmp_path: Path) -> None:
    async with opened(tmp_path, times=SHORT) as access:
        await add(access, "ann")
        token = (await signed_in(access, "ann")).token.get_secret_value()
        assert access.by_session(token, later(599), HERE) is not None
        assert access.by_session(token, later(1198), HERE) is not None
        assert access.by_session(token, later(1798), HERE) is None


async def test_a_session_ends_after_its_longest_time_however_it_is_used(tmp_path: Path) -> None:
    async with opened(tmp_path, times=SHORT) as access:
        await add(access, "ann")
        token = (await signed_in(access, "ann")).token.get_secret_value()
        assert all(access.by_session(token, later(second), HERE) for second in range(0, 1800, 300))
        assert access.by_session(token, later(1800), HERE) is None


async def test_a_session_outlasts_a_restart_and_so_does_its_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        stays, ends = [(await signed_in(access, "ann")) for _ in range(2)]
        await access.sessions.end(ends.identity.session_id, asked(1))
    async with opened(tmp_path) as access:
        assert access.by_session(stays.token.get_secret_value(), later(2), HERE) == stays.identity
        assert access.by_session(ends.token.get_secret_value(), later(2), HERE) is None


async def test_a_session_that_is_ended_is_gone_with_the_next_question_and_the_next_frame(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        signed = await signed_in(access, "ann")
        assert access.still(signed.identity, later(1)) == signed.identity
        await access.sessions.end(signed.identity.session_id, asked(1))
        assert access.still(signed.identity, later(1)) is None
        assert access.by_session(signed.token.get_secret_value(), later(1), HERE) is None
        with pytest.raises(Missing):
            await access.sessions.end(signed.identity.session_id, asked(1))


async def test_what_another_process_ends_is_gone_after_the_next_look(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, opened(tmp_path) as terminal:
        await add(desk, "ann")
        signed = await signed_in(desk, "ann")
        key = await key_of(desk, "ann")
        await terminal.tick(later(1))
        await terminal.sessions.end_all("ann", asked(1))
        await terminal.keys.revoke(key.id, asked(1))
        await desk.tick(later(1))
        assert desk.still(signed.identity, later(1)) is None
        assert by_key(desk, key, 1) is None


async def test_all_sessions_of_one_user_end_but_the_one_that_is_named(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        await add(access, "bob")
        mine, *_ = [(await signed_in(access, "ann")) for _ in range(3)]
        await signed_in(access, "bob")
        assert await access.sessions.end_all("ann", asked(1), but=mine.identity.session_id) == 2
        assert {each.user for each in access.sessions.shown(later(1))} == {"ann", "bob"}
        assert [each.id for each in access.sessions.shown(later(1), "ann")] == [mine.identity.session_id]


async def test_a_list_says_when_a_session_was_made_last_used_and_from_where(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        signed = await signed_in(access, "ann")
        access.by_session(signed.token.get_secret_value(), later(5), "198.51.100.9")
        (shown,) = access.sessions.shown(later(6))
        assert (shown.user, shown.made_at, shown.seen_at) == ("ann", later(0), later(5))
        assert (shown.address, shown.agent) == ("198.51.100.9", "Browser 1")


async def test_when_a_session_was_last_used_is_written_now_and_then(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        signed = await signed_in(access, "ann")
        access.by_session(signed.token.get_secret_value(), later(70), HERE)
        await access.tick(later(70))
        async with opened(tmp_path) as other:
            assert other.sessions.shown(later(71))[0].seen_at == later(70)


async def test_the_oldest_session_of_a_user_makes_room(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        first = await signed_in(access, "ann", -1)
        for _ in range(PER_USER_MAX):
            await signed_in(access, "ann")
        assert len(access.sessions.shown(later(1))) == PER_USER_MAX
        assert access.still(first.identity, later(1)) is None


async def test_signing_out_ends_the_session(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        token = (await signed_in(access, "ann")).token.get_secret_value()
        await access.door.sign_out(token, asked(1, "ann"))
        await access.door.sign_out(token, asked(1, "ann"))
        assert access.by_session(token, later(1), HERE) is None


@pytest.mark.parametrize("token", ["", "a", "A" * 51, "A" * 53, "A" * 52 + "\n", "\ud800" * 52, "x" * 100_000, "tlk_a.b"])
async def test_what_is_no_token_is_nobody(tmp_path: Path, token: str) -> None:
    async with opened(tmp_path) as access:
        assert access.by_session(token, later(0), HERE) is None
        assert access.by_key(token, later(0), HERE) is None
        assert access.by_ticket(token, later(0)) is None


async def test_a_token_with_one_letter_changed_is_nobodys(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        token = (await signed_in(access, "ann")).token.get_secret_value()
        for place in range(52):
            other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            assert access.by_session(other, later(0), HERE) is None


def test_the_token_against_forged_requests_is_of_one_session() -> None:
    assert is_csrf_of("A" * 52, csrf_of("A" * 52).get_secret_value())
    for forged in ("", csrf_of("B" * 52).get_secret_value(), "\u00e9", "A" * 52):
        assert not is_csrf_of("A" * 52, forged)


# --- keys


async def test_a_key_does_what_its_scopes_say_for_its_accounts(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        key = await key_of(access, "ann", Scope.ORDER_PAPER, accounts=["desk-1"])
        found = by_key(access, key)
        assert found is not None
        assert (found.name, found.scopes) == ("ann", frozenset({Scope.ORDER_PAPER}))
        assert found.accounts == frozenset({"desk-1"})
        assert (found.key_id, found.session_id) == (key.id, "")


async def test_a_key_holds_nothing_that_its_owner_lacks(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.VIEWER)
        with pytest.raises(BadInput, match="ann has not order:paper now"):
            await key_of(access, "ann", Scope.ORDER_PAPER)


async def test_a_key_for_live_orders_needs_the_owners_second_factor_always(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        with pytest.raises(BadInput, match="a second factor is missing"):
            await key_of(access, "ann", Scope.ORDER_LIVE)
        await with_factor(access, "ann")
        key = await key_of(access, "ann", Scope.ORDER_LIVE)
        await access.factors.reset("ann", asked(1))
        found = by_key(access, key, 2)
        assert found is not None
        assert found.scopes == frozenset()


async def test_a_key_loses_what_its_owner_loses(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.TRADER)
        key = await key_of(access, "ann", Scope.ORDER_PAPER, Scope.READ_ACCOUNT)
        await access.users.set_roles("ann", [Role.ADMIN], asked(1))
        found = by_key(access, key, 2)
        assert found is not None
        assert found.scopes == {Scope.READ_ACCOUNT}
        await access.users.set_roles("ann", [Role.TRADER, Role.ADMIN], asked(3))
        again = by_key(access, key, 4)
        assert again is not None
        assert again.scopes == {Scope.ORDER_PAPER, Scope.READ_ACCOUNT}


async def test_keys_of_a_disabled_user_open_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
        await add(access, "ann")
        key = await key_of(access, "ann")
        await access.users.disable("ann", asked(1))
        assert by_key(access, key, 2) is None
        with pytest.raises(Missing):
            await key_of(access, "ann")


async def test_a_key_is_good_until_it_expires_and_a_year_at_most(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        key = await key_of(access, "ann", expires_at=later(100))
        assert by_key(access, key, 99) is not None
        assert by_key(access, key, 100) is None
        for expiry in (later(0), later(-1), UtcNs(YEAR + 1)):
            with pytest.raises(BadInput, match="a year at most"):
                await key_of(access, "ann", expires_at=expiry)


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.1", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("", False),
        ("not an address", False),
        (LOOPBACK, False),
    ],
)
async def test_a_key_is_good_from_its_networks_alone(tmp_path: Path, address: str, is_good: bool) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        key = await key_of(access, "ann", allowed_from=["192.0.2.0/24", "2001:db8::/32"])
        assert (by_key(access, key, 1, address) is not None) is is_good


@pytest.mark.parametrize(
    "bad",
    [
        {"allowed_from": ["192.0.2.0/33"]},
        {"allowed_from": ["192.0.2.1/24"]},
        {"allowed_from": ["example.org"]},
        {"allowed_from": [f"192.0.2.{each}" for each in range(60)]},
        {"accounts": []},
        {"accounts": ["a b"]},
        {"accounts": [f"a{each}" for each in range(101)]},
    ],
)
async def test_a_key_that_can_not_be_is_refused(tmp_path: Path, bad: dict[str, object]) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        with pytest.raises(BadInput, match="expected"):
            await key_of(access, "ann", **bad)
        assert access.keys.shown(later(0)) == []


async def test_a_rotated_key_keeps_its_old_secret_for_the_time_that_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        old = await key_of(access, "ann")
        new = await access.keys.rotate(old.id, 3600 * SECOND_NS, asked(0, "ann"))
        assert new.expires_at == old.expires_at
        assert by_key(access, old, 3599) is not None
        assert by_key(access, new, 3599) is not None
        assert by_key(access, old, 3600) is None
        newest = await access.keys.rotate(old.id, 0, asked(3601, "ann"))
        assert by_key(access, new, 3601) is None
        assert by_key(access, newest, 3601) is not None
        for grace in (-1, DAY_NS + 1):
            with pytest.raises(BadInput, match="a day at most"):
                await access.keys.rotate(old.id, grace, asked(3602))


async def test_a_revoked_key_is_gone_also_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        revoked, stays = await key_of(access, "ann"), await key_of(access, "ann")
        await access.keys.revoke(revoked.id, asked(1))
        assert by_key(access, revoked, 1) is None
    async with opened(tmp_path) as access:
        assert by_key(access, revoked, 1) is None
        assert by_key(access, stays, 1) is not None
        with pytest.raises(Missing):
            await access.keys.revoke(revoked.id, asked(2))


async def test_another_secret_with_a_known_id_is_nobody_and_is_noted(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        key = await key_of(access, "ann")
        for _ in range(3):
            assert access.by_key(f"tlk_{key.id}.{'A' * 52}", later(1), HERE) is None
        await access.tick(later(2))
        (line,) = [each for each in await access.log(50) if each.what == "key refused"]
        assert (line.subject, line.address, line.text) == (key.id, HERE, "another secret, 3 times")
        for second in range(3, 60):
            assert access.by_key(f"tlk_{key.id}.{'A' * 52}", later(second), HERE) is None
            await access.tick(later(second))
        assert len([each for each in await access.log(50) if each.what == "key refused"]) == 1
        await access.tick(later(62))
        assert (await access.log(1))[0].text == "another secret, 57 times"


async def test_a_list_says_when_a_key_was_last_used(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        key = await key_of(access, "ann")
        assert access.keys.one(key.id, later(0)).used_at is None
        by_key(access, key, 7)
        shown = access.keys.one(key.id, later(8))
        assert (shown.used_at, shown.used_from, shown.name) == (later(7), HERE, "robot")
        await access.tick(later(8))
        async with opened(tmp_path) as other:
            assert other.keys.one(key.id, later(9)).used_at == later(7)


async def test_a_key_can_not_be_made_for_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        with pytest.raises(Missing):
            await key_of(access, "nobody")


# --- tickets


async def test_a_ticket_is_good_once_for_thirty_seconds(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        who = (await signed_in(access, "ann")).identity
        tickets = [access.tickets.give(who, later(0)).get_secret_value() for _ in range(2)]
        assert access.by_ticket(tickets[0], later(29)) == who
        assert access.by_ticket(tickets[0], later(29)) is None
        assert access.by_ticket(tickets[1], later(30)) is None


async def test_of_two_who_use_a_ticket_at_once_one_is_let_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        ticket = access.tickets.give((await signed_in(access, "ann")).identity, later(0)).get_secret_value()

        async def use() -> Identity | None:
            return access.by_ticket(ticket, later(1))

        found = await asyncio.gather(*(use() for _ in range(10)))
        assert sum(each is not None for each in found) == 1


async def test_a_ticket_is_good_no_longer_than_the_session_or_the_key(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        who = (await signed_in(access, "ann")).identity
        key = await key_of(access, "ann")
        program = by_key(access, key)
        assert program is not None
        tickets = [access.tickets.give(each, later(0)).get_secret_value() for each in (who, program)]
        await access.sessions.end(who.session_id, asked(1))
        await access.keys.revoke(key.id, asked(1))
        assert [access.by_ticket(each, later(2)) for each in tickets] == [None, None]


def test_tickets_take_bounded_room() -> None:
    tickets = Tickets()
    who = Identity("ann", frozenset(), frozenset(), session_id="s")
    given_ = [tickets.give(who, later(0)).get_secret_value() for _ in range(PER_IDENTITY_MAX + 1)]
    assert tickets.take(given_[0], later(1)) is None
    assert tickets.take(given_[1], later(1)) == ("s", "")
