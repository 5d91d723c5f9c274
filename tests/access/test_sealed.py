"""Secrets of brokers and of second factors: sealed, bound to what they are for, and in no text that anybody reads."""

from __future__ import annotations

import base64
import logging
import os
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.access.made import HERE, MASTERS, Device, add, asked, later, opened, signed_in, with_factor, words

from tradeloop.access.identity import Role, Scope
from tradeloop.access.master_key import MasterKeyFile, keys_in
from tradeloop.access.records import User
from tradeloop.access.refusals import SignInRefused
from tradeloop.access.sealed import MasterKey, Vault
from tradeloop.core.errors import BadInput, TradeloopError

CANARY = "canary-5f1c-do-not-tell-8842"
OTHER = MasterKey(bytes(range(100, 132)))


def vault(*masters: MasterKey) -> Vault:
    return Vault(lambda: masters or MASTERS)


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_what_is_sealed_comes_out_for_the_same_purpose(secret: str, about: list[str]) -> None:
    sealed = vault().seal(SecretStr(secret), *about)
    assert vault().open(sealed, *about).get_secret_value() == secret


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_it_comes_out_for_no_other_purpose(about: list[str], other: list[str]) -> None:
    """Neither moved to another record, broker or account, nor with the words cut elsewhere."""
    if about == other:
        return
    sealed = vault().seal(SecretStr("x"), *about)
    with pytest.raises(BadInput, match="altered or belongs to another record"):
        vault().open(sealed, *other)


@given(st.sampled_from(["key", "text"]), st.integers(0, 40), st.integers(1, 255))
def test_it_does_not_come_out_altered(field: str, place: int, change: int) -> None:
    sealed = vault().seal(SecretStr("a secret"), "a")
    raw = bytearray(base64.b64decode(getattr(sealed, field)))
    raw[place % len(raw)] ^= change
    altered = msgspec.structs.replace(sealed, **{field: base64.b64encode(raw).decode()})
    with pytest.raises(BadInput, match="altered"):
        vault().open(altered, "a")


@pytest.mark.parametrize("text", ["", "AAAA", "no base64!", "QQ=="])
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    sealed = vault().seal(SecretStr("a secret"), "a")
    for field in ("key", "text"):
        with pytest.raises(BadInput, match="altered"):
            vault().open(msgspec.structs.replace(sealed, **{field: text}), "a")


def test_the_same_secret_is_sealed_otherwise_each_time() -> None:
    one, other = (vault().seal(SecretStr("a secret"), "a") for _ in range(2))
    assert one.text != other.text
    assert one.key != other.key


def test_another_master_key_opens_nothing_and_says_which_is_missing() -> None:
    sealed = vault().seal(SecretStr("a secret"), "a")
    with pytest.raises(BadInput, match=f"sealed with the master key {MASTERS[0].id}, which was not given"):
        vault(OTHER).open(sealed, "a")


def test_sealed_anew_it_needs_the_new_master_key_alone() -> None:
    sealed = vault().seal(SecretStr("a secret"), "a")
    anew = vault(OTHER, *MASTERS).sealed_anew(sealed, "a")
    assert vault(OTHER).open(anew, "a").get_secret_value() == "a secret"
    assert anew.text == sealed.text


# --- secrets of brokers


async def test_a_secret_is_written_and_shown_by_its_ending_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await access.secrets.put("ib", "U1", "password", SecretStr(CANARY), asked())
        await access.secrets.put("ib", "U1", "pin", SecretStr("1234567"), asked())
        shown = {each.name: each.ending for each in access.secrets.shown()}
        assert shown == {"password": "8842", "pin": ""}
        assert CANARY not in words(access.secrets.shown())


async def test_a_secret_is_replaced_and_removed(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await access.secrets.put("ib", "U1", "password", SecretStr("one"), asked())
        await access.secrets.put("ib", "U1", "password", SecretStr("two"), asked())
        revealed = access.secrets.reveal("ib", "U1", "password")
        assert revealed is not None
        assert revealed.get_secret_value() == "two"
        await access.secrets.remove("ib", "U1", "password", asked())
        assert access.secrets.reveal("ib", "U1", "password") is None
        with pytest.raises(BadInput, match="there is no secret"):
            await access.secrets.remove("ib", "U1", "password", asked())


@pytest.mark.parametrize(
    ("broker", "account", "name", "secret"),
    [("", "a", "n", "s"), ("b", "a/c", "n", "s"), ("b", "a", "n\n", "s"), ("b", "a", "n", ""), ("b", "a", "n", "s" * 9000)],
)
async def test_a_secret_that_can_not_be_is_refused(tmp_path: Path, broker: str, account: str, name: str, secret: str) -> None:
    async with opened(tmp_path) as access:
        with pytest.raises(BadInput, match="expected 1 to"):
            await access.secrets.put(broker, account, name, SecretStr(secret), asked())
        assert access.secrets.shown() == []


# --- master keys


def test_the_first_start_makes_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    (made,) = file.read_or_make()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [each.id for each in file.read_or_make()] == [made.id]
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_of_two_processes_that_start_at_once_both_have_one_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tradeloop.access.master_key import MasterKeyFile;"
        "print(MasterKeyFile(Path(sys.argv[1])).read_or_make()[0].id)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "master.key")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    file.read_or_make()
    file.path.chmod(0o640)
    with pytest.raises(BadInput, match="its mode was 0640; expected 0600"):
        file.read()


@pytest.mark.parametrize("text", ["", "  \n", "secret", "changeme" * 8, "A" * 43, "00" * 32, "\ufffd", "AA" * 16])
def test_what_nobody_drew_is_no_key_and_is_not_told(text: str) -> None:
    with pytest.raises(BadInput, match="expected 32 bytes") as refused:
        keys_in(SecretStr(text), "TRADELOOP_MASTER_KEY")
    assert not text.strip() or text.strip() not in str(refused.value)


def test_a_key_is_read_in_each_spelling() -> None:
    raw = bytes(range(200, 232))
    spelled = [raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
    found = keys_in(SecretStr(f"{spelled[0]}, {spelled[1]}\n{spelled[2]}"), "the file")
    assert len({each.id for each in found}) == 1
    assert raw.hex() not in words(found)


async def test_a_new_master_key_leaves_everything_readable(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    async with opened(tmp_path, file.read_or_make) as access:
        await add(access, "ann", Role.TRADER)
        device, _ = await with_factor(access, "ann")
        await access.secrets.put("ib", "U1", "password", SecretStr(CANARY), asked())
        before = file.read_or_make()[0].id
        assert await access.draw_new_master(file, asked()) == 2
    (after,) = file.read_or_make()
    assert after.id != before
    async with opened(tmp_path, file.read_or_make) as access:
        assert {each.master for each in access.secrets.shown()} == {after.id}
        await signed_in(access, "ann", code=device.shows(0))


async def test_a_desk_goes_on_while_a_terminal_draws_a_new_master_key(tmp_path: Path) -> None:
    file = MasterKeyFile(tmp_path / "master.key")
    async with opened(tmp_path, file.read_or_make) as desk, opened(tmp_path, file.read_or_make) as terminal:
        await add(desk, "ann")
        device, _ = await with_factor(desk, "ann")
        await terminal.tick(later(0))
        await terminal.draw_new_master(file, asked())
        assert (await signed_in(desk, "ann", code=device.shows(0))).identity.name == "ann"


@pytest.mark.parametrize("killed_after", [1, 2, 3])
async def test_a_change_of_the_master_key_may_be_killed_anywhere(tmp_path: Path, killed_after: int) -> None:
    """After the new key is in the file, after all is sealed anew, or after the old one went: the same command ends it."""
    file = MasterKeyFile(tmp_path / "master.key")
    async with opened(tmp_path, file.read_or_make) as access:
        await access.secrets.put("ib", "U1", "password", SecretStr(CANARY), asked())
        file.put_first(bytes(range(50, 82)))
        if killed_after > 1:
            access._vault.reload()
            await access.seal_anew(asked())
        if killed_after > 2:
            file.keep_first()
    async with opened(tmp_path, file.read_or_make) as access:
        await access.draw_new_master(file, asked())
        revealed = access.secrets.reveal("ib", "U1", "password")
        assert revealed is not None
        assert revealed.get_secret_value() == CANARY
        assert len(file.read_or_make()) == 1


async def test_a_store_whose_master_key_is_missing_is_refused_at_the_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await access.secrets.put("ib", "U1", "password", SecretStr(CANARY), asked())
    with pytest.raises(BadInput, match=f"sealed with the master key {MASTERS[0].id}, and the one that was given is {OTHER.id}"):
        async with opened(tmp_path, lambda: [OTHER]):
            pass
    async with opened(tmp_path, lambda: [OTHER, *MASTERS]) as access:
        assert await access.seal_anew(asked()) == 1
    async with opened(tmp_path, lambda: [OTHER]):
        pass


# --- nothing secret is told


async def test_no_text_holds_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not the log of access, not what is logged or printed, not an error with its traceback, not a repr."""
    caplog.set_level(logging.DEBUG)
    password = SecretStr(f"{CANARY} as a password")
    said: list[object] = []
    async with opened(tmp_path) as access:
        await access.users.add("ann", password, [Role.TRADER, Role.ADMIN], asked(), must_change=False)
        begun = access.factors.begin("ann", later(-3600))
        device = Device(begun.secret)
        recovery = await access.factors.confirm("ann", device.shows(-3600), asked(-3600, "ann"))
        await access.secrets.put("ib", "U1", "password", SecretStr(CANARY), asked())
        code = device.shows(0)
        signed = await access.door.sign_in("ann", password, code, asked(0, ""))
        key = await access.keys.make("ann", "robot", [Scope.READ_ACCOUNT], asked(), expires_at=later(1000))
        secrets = [
            CANARY,
            device.codes.secret,
            signed.token.get_secret_value(),
            signed.csrf.get_secret_value(),
            key.text.get_secret_value().partition(".")[2],
            *(each.get_secret_value() for each in recovery),
            *(user.password for user in access._store.all(User)),
        ]
        for attempt in (
            access.door.sign_in(CANARY, SecretStr(CANARY), CANARY, asked(0, "")),
            access.door.sign_in("ann", SecretStr(CANARY), code, asked(0, "")),
            access.door.sign_in("ann", password, code, asked(0, "")),
            access.users.set_password("ann", SecretStr(CANARY[:9]), asked()),
            access.first_user.finish(CANARY, "bob", password, [Role.ADMIN], asked(0, "", "127.0.0.1")),
            access.factors.confirm("ann", CANARY, asked()),
        ):
            try:
                await attempt
            except TradeloopError as error:
                said += traceback.format_exception(error)
        said += [access.by_key(f"tlk_{key.id}.{'A' * 52}", later(1), HERE), begun, signed, key, access._vault, *MASTERS]
        said += [each for kind in access._store._kept.values() for each in kind.values()]
        said += [access.users.shown(later(1)), access.keys.shown(later(1)), access.sessions.shown(later(1))]
        await access.tick(later(1))
        said += await access.log(100)
        with pytest.raises(SignInRefused):
            await access.door.sign_in("ann", SecretStr("x"), "", asked(2, ""))
    out = capfd.readouterr()
    everything = words(said) + caplog.text + out.out + out.err
    assert [each for each in secrets if each in everything] == []
    assert f"'{code}'" not in everything
