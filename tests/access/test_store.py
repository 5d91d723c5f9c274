"""The access store: durable before it is answered, one truth for several processes, and nothing that others may read."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.engine import URL
from tests.access.made import ALL, HERE, LOOPBACK, PASSWORD, add, asked, file_in, later, opened, signed_in, with_factor
from tests.journal.databases import fresh_database

from tradeloop.access import database
from tradeloop.access.database import AccessDatabase
from tradeloop.access.identity import Role, Scope
from tradeloop.access.refusals import SignInRefused, StoreFailed
from tradeloop.access.store import AccessStore, Draft
from tradeloop.access.tables import access_store, metadata
from tradeloop.core.errors import BadInput, JournalDamaged
from tradeloop.engine.clock import WallClock
from tradeloop.journal import patches

EVERYWHERE = pytest.mark.parametrize(
    "where",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres), pytest.param("mysql", marks=pytest.mark.mysql)],
)


@asynccontextmanager
async def a_store(where: str, folder: Path) -> AsyncIterator[str | URL]:
    """The URL of a store that is not there yet."""
    if where == "sqlite":
        yield file_in(folder)
    else:
        async with fresh_database(where) as url:
            yield url


@EVERYWHERE
async def test_everything_outlasts_a_restart(where: str, tmp_path: Path) -> None:
    async with a_store(where, tmp_path) as url:
        async with opened(url) as access:
            link = (await access.first_user.begin(asked())).get_secret_value()
            await access.first_user.finish(link, "ann", PASSWORD, ALL, asked(0, "", LOOPBACK))
            device, _ = await with_factor(access, "ann")
            signed = await signed_in(access, "ann", code=device.shows(0))
            key = await access.keys.make("ann", "robot", [Scope.ORDER_LIVE], asked(0), expires_at=later(1000))
            await access.secrets.put("ib", "U1", "password", SecretStr("a secret of a broker"), asked())
            before = (access.users.shown(later(1)), access.keys.shown(later(1)), access.sessions.shown(later(1)))
            log = await access.log(50)
        async with opened(url) as access:
            assert (access.users.shown(later(1)), access.keys.shown(later(1)), access.sessions.shown(later(1))) == before
            assert access.by_session(signed.token.get_secret_value(), later(1), HERE) == signed.identity
            assert access.by_key(key.text.get_secret_value(), later(1), HERE) is not None
            revealed = access.secrets.reveal("ib", "U1", "password")
            assert revealed is not None
            assert revealed.get_secret_value() == "a secret of a broker"
            assert await access.log(50) == log
            await signed_in(access, "ann", 30, code=device.shows(30))


@EVERYWHERE
async def test_two_processes_overwrite_nothing_of_each_other(where: str, tmp_path: Path) -> None:
    """Each reads the other's change before its own goes in."""
    async with a_store(where, tmp_path) as url, opened(url) as one, opened(url) as other:
        await asyncio.gather(*(add(each, name) for each, names in ((one, "abcd"), (other, "efgh")) for name in names))
        await asyncio.gather(one.tick(later(0)), other.tick(later(0)))
        names = [each.name for each in one.users.shown(later(0))]
        assert names == list("abcdefgh")
        assert [each.name for each in other.users.shown(later(0))] == names
        numbers = [each.number for each in await one.log(50)]
        assert numbers == list(range(len(numbers), 0, -1))


@EVERYWHERE
async def test_two_processes_that_start_at_once_make_one_store(where: str, tmp_path: Path) -> None:
    async with a_store(where, tmp_path) as url:
        stores = [AccessStore(url) for _ in range(4)]
        try:
            await asyncio.gather(*(each.open() for each in stores))
            for number, each in enumerate(stores):
                await each.change(lambda draft, of=number: draft.note(asked(), f"line {of}"))  # type: ignore[misc]
            assert len(await stores[0].log()) == 4
        finally:
            for each in stores:
                await each.close()


@EVERYWHERE
async def test_the_tables_are_those_that_the_program_works_with(where: str, tmp_path: Path) -> None:
    async with a_store(where, tmp_path) as url:
        async with opened(url):
            pass
        assert await patches.drift(url, metadata) == []


@EVERYWHERE
async def test_a_store_of_a_newer_program_is_refused_and_left_alone(where: str, tmp_path: Path) -> None:
    async with a_store(where, tmp_path) as url:
        async with opened(url) as access:
            await add(access, "ann")
        there = AccessDatabase(url)
        try:
            async with there._writing("testing") as connection:
                await connection.execute(update(access_store).values(format=999))
                await connection.commit()
        finally:
            await there.close()
        for _ in range(2):
            with pytest.raises(JournalDamaged, match="has format 999, and this version of tradeloop knows 1"):
                async with opened(url):
                    pass


@EVERYWHERE
async def test_the_log_is_read_page_by_page(where: str, tmp_path: Path) -> None:
    async with a_store(where, tmp_path) as url, opened(url) as access:
        for number in range(10):
            await access.note(asked(number), "noted", f"thing {number}", "words with 'quotes' and \x00 and \ud800 and \u4e2d")
        first = await access.log(4)
        second = await access.log(4, before=first[-1].number)
        assert [each.subject for each in first + second] == [f"thing {number}" for number in range(9, 1, -1)]
        assert first[0].text == "words with 'quotes' and   and   and \u4e2d"


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"access.db": 0o600, "access.db-wal": 0o600, "access.db-shm": 0o600}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
async def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    async with opened(tmp_path):
        pass
    (tmp_path / "access.db").chmod(mode)
    with pytest.raises(BadInput, match=f"its mode was {mode:04o}; expected 0600"):
        async with opened(tmp_path):
            pass


async def test_a_file_that_is_none_of_ours_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "access.db").write_bytes(b"this is no database at all, and longer than a header of one\n" * 100)
    (tmp_path / "access.db").chmod(0o600)
    with pytest.raises(StoreFailed, match="opening users and keys"):
        async with opened(tmp_path):
            pass


@pytest.mark.parametrize("url", ["postgresql://ann:canary-8842@127.0.0.1:1/books", "mysql://ann:canary-8842@127.0.0.1:1/books"])
async def test_a_server_that_is_away_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StoreFailed, match=r"opening users and keys in .*://127.0.0.1/books failed") as refused:
        async with opened(url):
            pass
    assert "canary" not in str(refused.value)


async def test_a_file_that_somebody_else_holds_for_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    async with opened(tmp_path) as access:
        await add(access, "ann")
        with closing(sqlite3.connect(tmp_path / "access.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreFailed, match="SQLITE_BUSY"):
                await add(access, "bob")
        await add(access, "bob")
        assert len(access.users.shown(later(0))) == 2


async def test_a_row_that_can_not_be_read_is_named_and_not_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
    with closing(sqlite3.connect(tmp_path / "access.db")) as file:
        file.execute("UPDATE access_records SET body = replace(body, '\"disabled\"', '\"enabled\"')")
        file.commit()
    with pytest.raises(JournalDamaged, match="holds a 'user' of id 'ann' that can not be read") as refused:
        async with opened(tmp_path):
            pass
    assert "argon2" not in str(refused.value)


async def test_a_row_that_was_copied_to_another_name_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as access:
        await add(access, "root", Role.ADMIN)
    with closing(sqlite3.connect(tmp_path / "access.db")) as file:
        file.execute("INSERT INTO access_records SELECT kind, 'mallory', body FROM access_records")
        file.commit()
    with pytest.raises(JournalDamaged):
        async with opened(tmp_path):
            pass


async def test_what_could_not_be_written_is_not_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        with monkeypatch.context() as failing:
            failing.setattr(AccessDatabase, "write", _fails)
            with pytest.raises(StoreFailed):
                await signed_in(access, "ann")
            with pytest.raises(StoreFailed):
                await add(access, "bob")
        assert access.sessions.shown(later(0)) == []
        await add(access, "bob")
        assert [each.name for each in access.users.shown(later(0))] == ["ann", "bob"]


async def _fails(self: AccessDatabase, *given: object) -> bool:
    raise StoreFailed("the disk is full")


async def test_a_commit_whose_answer_was_lost_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took effect, and nobody was told: the next change sees it."""
    async with opened(tmp_path) as access:
        written = AccessDatabase.write

        async def loses_the_answer(self: AccessDatabase, *given: object) -> bool:
            await written(self, *given)  # type: ignore[arg-type]
            raise StoreFailed("the connection was lost")

        with monkeypatch.context() as failing:
            failing.setattr(AccessDatabase, "write", loses_the_answer)
            with pytest.raises(StoreFailed):
                await add(access, "ann")
        with pytest.raises(BadInput, match="there is a user 'ann' already"):
            await add(access, "ann")


async def test_what_follows_a_commit_whose_answer_was_lost_is_decided_on_what_took_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second admin is there, though nobody was told: the first one may go."""
    async with opened(tmp_path) as access:
        await add(access, "ann", Role.ADMIN)
        written = AccessDatabase.write

        async def loses_the_answer(self: AccessDatabase, *given: object) -> bool:
            await written(self, *given)  # type: ignore[arg-type]
            raise StoreFailed("the connection was lost")

        with monkeypatch.context() as failing:
            failing.setattr(AccessDatabase, "write", loses_the_answer)
            with pytest.raises(StoreFailed):
                await add(access, "bob", Role.ADMIN)
        await access.users.disable("ann", asked())
        assert access.users.one("ann", later(0)).disabled


async def test_whoever_stops_waiting_does_not_stop_the_change(tmp_path: Path) -> None:
    """A browser that goes away while a session is ended leaves neither half of it."""
    async with opened(tmp_path) as access:
        await add(access, "ann")
        signed = await signed_in(access, "ann")
        ending = asyncio.ensure_future(access.sessions.end(signed.identity.session_id, asked(1)))
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        await access.tick(later(1))
        assert access.still(signed.identity, later(1)) is None
    async with opened(tmp_path) as access:
        assert access.sessions.shown(later(1)) == []


async def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    store = AccessStore(file_in(tmp_path))
    await store.open()
    try:

        def refused(draft: Draft) -> None:
            draft.note(asked(), "begun")
            raise BadInput("no")

        with pytest.raises(BadInput):
            await store.change(refused)
        assert await store.log() == []
    finally:
        await store.close()


async def test_answers_come_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as access:
        await add(access, "ann")
        signed = await signed_in(access, "ann")
        with monkeypatch.context() as away:
            away.setattr(AccessDatabase, "version", _fails)
            away.setattr(AccessDatabase, "read", _fails)
            assert access.by_session(signed.token.get_secret_value(), later(1), HERE) == signed.identity


async def test_a_desk_that_follows_sees_what_a_terminal_does_and_says_when_it_can_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as desk, opened(tmp_path) as terminal:
        following = asyncio.ensure_future(desk.follow(WallClock()))
        await add(terminal, "ann")
        async with asyncio.timeout(20):
            while desk.users.is_empty:
                await asyncio.sleep(0.05)
        monkeypatch.setattr(AccessDatabase, "version", _fails)
        async with asyncio.timeout(20):
            while not desk.trouble:
                await asyncio.sleep(0.05)
        monkeypatch.undo()
        following.cancel()
        assert desk.trouble == "the disk is full"
        assert desk.users.one("ann", later(0)).name == "ann"


async def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    """Each name was printed after `add` returned; the process is killed in the midst of the next one."""
    program = tmp_path / "adding.py"
    program.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.access.made import add, opened\n"
        "async def main():\n"
        "    async with opened(Path(sys.argv[1])) as access:\n"
        "        for number in range(1000):\n"
        "            await add(access, f'user{number}')\n"
        "            print(number, flush=True)\n"
        "asyncio.run(main())\n",
        encoding="ascii",
    )
    home = tmp_path / "home"
    home.mkdir()
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    process = subprocess.Popen(
        [sys.executable, str(program), str(home)], stdout=subprocess.PIPE, text=True, env=environment, cwd=root
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(7)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    told += [int(each) for each in rest.split()]
    async with opened(home) as access:
        names = {each.name for each in access.users.shown(later(0))}
        assert {f"user{number}" for number in told} <= names
        assert len(names) <= len(told) + 1


async def test_a_copy_of_the_file_opens_nothing_without_its_secrets(tmp_path: Path) -> None:
    """Whoever finds a backup has neither a password, nor a token, nor a code of a second factor."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    home.mkdir()
    async with opened(home) as access:
        await add(access, "ann", Role.TRADER)
        device, recovery = await with_factor(access, "ann")
        signed = await signed_in(access, "ann", code=device.shows(0))
        key = await access.keys.make("ann", "robot", [Scope.ORDER_LIVE], asked(), expires_at=later(1000))
        link_secrets = [device.codes.secret, signed.token.get_secret_value(), key.text.get_secret_value().partition(".")[2]]
    shutil.copytree(home, copy)
    found = b"".join(path.read_bytes() for path in copy.iterdir())
    for secret in [*link_secrets, *recovery, *(each.replace("-", "") for each in recovery), PASSWORD.get_secret_value()]:
        assert secret.encode() not in found


async def test_a_user_who_was_disabled_meanwhile_is_not_let_in(tmp_path: Path) -> None:
    """Another process disables them while the password is compared."""
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        await add(one, "root", Role.ADMIN)
        await add(one, "ann")
        await other.tick(later(0))
        await other.users.disable("ann", asked())
        with pytest.raises(SignInRefused):
            await signed_in(one, "ann")


async def test_a_password_that_was_changed_meanwhile_lets_in_no_more(tmp_path: Path) -> None:
    """Another process changes it after this one has read the old one."""
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        await add(one, "ann")
        await other.tick(later(0))
        await other.users.set_password("ann", SecretStr("new words for ann"), asked())
        with pytest.raises(SignInRefused):
            await signed_in(one, "ann")
        assert one.sessions.shown(later(1)) == []
