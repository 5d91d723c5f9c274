"""Schema patches: what they say, that they are applied once and in order, and that drift is seen."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import URL, make_url
from tests.journal.databases import fresh_database

import tradeloop
from tradeloop.core.errors import BadInput, JournalDamaged, JournalFailed
from tradeloop.journal.connection import Dialect, line_to
from tradeloop.journal.patches import (
    HEADERS,
    Patch,
    PatchState,
    apply,
    drift,
    folder,
    parse,
    patches,
    statements,
    status,
    upgrade,
)
from tradeloop.journal.sql import SqlJournal
from tradeloop.journal.tables import metadata
from tradeloop.views.tables import metadata as view_metadata

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")
HEADER = "-- description: d\n-- impact: i\n-- rollback: r\n"
JOURNAL_PATCH = "20261120_journal.sql"


@asynccontextmanager
async def a_database(dialect: Dialect, folder: Path) -> AsyncIterator[URL]:
    """An empty database of a dialect; for SQLite a file that does not exist yet."""
    if dialect == "sqlite":
        yield make_url(f"sqlite:///{folder}/journal.db")
    else:
        async with fresh_database(dialect) as url:
            yield url


def a_folder(tmp_path: Path, more: dict[str, str] | None = None, dialect: Dialect = "sqlite") -> Path:
    """The journal's own patch, and others by name."""
    where = tmp_path / "patches"
    where.mkdir(exist_ok=True)
    (where / JOURNAL_PATCH).write_bytes((folder(dialect) / JOURNAL_PATCH).read_bytes())
    for name, sql in (more or {}).items():
        (where / f"{name}.sql").write_text(HEADER + sql, encoding="utf-8")
    return where


def all_patches() -> list[tuple[Dialect, Patch]]:
    return [(dialect, patch) for dialect in DIALECTS for patch in patches(dialect)]


@pytest.mark.parametrize(("dialect", "patch"), all_patches(), ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_patch_says_what_it_does_what_it_touches_and_how_to_go_back(dialect: Dialect, patch: Patch) -> None:
    for header in HEADERS:
        assert len(getattr(patch, header)) > 20, f"{dialect} {patch.name}: {header}"
    assert statements(patch.sql, dialect)


def test_every_dialect_has_the_same_patches() -> None:
    names = {dialect: [patch.name for patch in patches(dialect)] for dialect in DIALECTS}
    assert names["sqlite"] == names["postgresql"] == names["mysql"]


@pytest.mark.parametrize("missing", HEADERS)
def test_a_patch_that_keeps_silent_is_refused(missing: str) -> None:
    header = "".join(f"-- {key}: something\n" for key in HEADERS if key != missing)
    with pytest.raises(BadInput, match=f"said nothing about {missing}"):
        parse("20260101_x.sql", header + "SELECT 1;")


def test_a_header_may_run_over_several_lines() -> None:
    patch = parse("20260101_x.sql", "-- description: one\n--   two: three\n-- impact: i\n-- rollback: r\nSELECT 1;")
    assert patch.description == "one two: three"


@pytest.mark.parametrize("name", ["journal.sql", "2026_x.sql", "20260101-x.sql", "20260101_X.sql"])
def test_a_patch_without_a_date_in_its_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"expected YYYYMMDD_what_it_does\.sql"):
        parse(name, HEADER)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_patches_are_applied_once_and_recorded(dialect: Dialect, tmp_path: Path) -> None:
    async with a_database(dialect, tmp_path) as url:
        names = [patch.name for patch in patches(dialect)]
        assert await upgrade(url) == names
        assert await upgrade(url) == []
        lines = await status(url)
        assert [line.name for line in lines] == names
        for line in lines:
            assert line.state is PatchState.APPLIED
            assert line.description
            assert len(line.applied_at) == len("2026-01-01T00:00:00Z")
            assert line.applied_at.startswith("20")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_running_the_sql_of_every_patch_twice_is_harmless(dialect: Dialect, tmp_path: Path) -> None:
    """A person ran the file by hand, then the runner comes."""
    async with a_database(dialect, tmp_path) as url:
        line = line_to(url, create=True)
        for _ in range(2):
            for patch in patches(dialect):
                for statement in statements(patch.sql, dialect):
                    await line.run(lambda c, sql=statement: c.exec_driver_sql(sql).close(), "by hand")  # type: ignore[misc]
        await line.close()
        assert await upgrade(url) == [patch.name for patch in patches(dialect)]
        assert await drift(url, metadata) == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_live_schema_is_what_the_program_expects(dialect: Dialect, tmp_path: Path) -> None:
    async with a_database(dialect, tmp_path) as url:
        await upgrade(url)
        assert await drift(url, metadata) == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_drift_is_seen_in_tables_columns_types_nulls_and_keys(dialect: Dialect, tmp_path: Path) -> None:
    expected = MetaData()
    Table(
        "ledger",
        expected,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("code", String(20), nullable=False, unique=True),
        Column("qty", Integer, nullable=False),
        Column("note", Text),
        Column("gone", Text),
        UniqueConstraint("code", "qty"),
    )
    Table("missing", expected, Column("id", Integer, primary_key=True))
    live = """
        CREATE TABLE ledger (id INTEGER NOT NULL, code VARCHAR(20) NOT NULL, qty VARCHAR(5), note VARCHAR(9) NOT NULL,
        extra INTEGER, PRIMARY KEY (id, code), UNIQUE (qty))
    """
    async with a_database(dialect, tmp_path) as url:
        line = line_to(url, create=True)
        await line.run(lambda c: c.exec_driver_sql(live).close(), "by hand")
        await line.close()
        assert sorted(await drift(url, expected)) == sorted(
            [
                "column ledger.qty: expected integer, was text",
                "column ledger.qty: expected NOT NULL, was NULL allowed",
                "column ledger.note: expected NULL allowed, was NOT NULL",
                "column ledger.gone is missing",
                "column ledger.extra is not expected",
                "table ledger: the unique key (code) is missing",
                "table ledger: the unique key (code, qty) is missing",
                "table ledger: the unique key (qty) is not expected",
                "table ledger: expected the primary key (id), was (code, id)",
                "table missing is missing",
            ]
        )


A_TRIGGER = {
    "sqlite": ["CREATE TRIGGER spy AFTER INSERT ON journal BEGIN DELETE FROM snapshots; END"],
    "postgresql": [
        "CREATE FUNCTION spied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "CREATE TRIGGER spy AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION spied()",
    ],
    "mysql": ["CREATE TRIGGER spy AFTER INSERT ON journal FOR EACH ROW DELETE FROM snapshots"],
}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_trigger_that_somebody_added_to_a_table_of_ours_is_drift(dialect: Dialect, tmp_path: Path) -> None:
    """It changes what is written, unseen by the program that wrote."""
    async with a_database(dialect, tmp_path) as url:
        await upgrade(url)
        line = line_to(url)
        for statement in A_TRIGGER[dialect]:
            await line.run(lambda c, said=statement: c.exec_driver_sql(said).close(), "by hand")  # type: ignore[misc]
        await line.close()
        assert await drift(url, metadata) == ["table journal: the trigger spy is not expected"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_index_that_somebody_dropped_is_drift_and_one_more_is_not(dialect: Dialect, tmp_path: Path) -> None:
    drop = "DROP INDEX ix_trade_orders_run" + (" ON trade_orders" if dialect == "mysql" else "")
    async with a_database(dialect, tmp_path) as url:
        await upgrade(url)
        assert await drift(url, view_metadata) == []
        line = line_to(url)
        await line.run(lambda c: c.exec_driver_sql("CREATE INDEX ix_more ON trade_orders (leg)").close(), "by hand")
        await line.run(lambda c: c.exec_driver_sql(drop).close(), "by hand")
        await line.close()
        assert await drift(url, view_metadata) == [
            "table trade_orders: the index ix_trade_orders_run (trade_run_id, leg) is missing"
        ]


async def test_patches_are_applied_in_the_order_of_their_names(tmp_path: Path) -> None:
    where = a_folder(
        tmp_path,
        {
            "20270102_second": "INSERT INTO a VALUES (2);",
            "20270101_first": "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
        },
    )
    url = f"sqlite:///{tmp_path}/x.db"
    assert await upgrade(url, where) == [JOURNAL_PATCH, "20270101_first.sql", "20270102_second.sql"]
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        assert connection.execute("SELECT x FROM a").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_a_patch_that_fails_leaves_nothing_behind(dialect: Dialect, tmp_path: Path) -> None:
    """MySQL commits each DDL statement by itself, so there a patch is only repeatable, not whole."""
    async with a_database(dialect, tmp_path) as url:
        await upgrade(url, a_folder(tmp_path, dialect=dialect))
        broken = a_folder(tmp_path, {"20270101_bad": "CREATE TABLE half (x INTEGER); CREATE TABEL other;"}, dialect)
        with pytest.raises(JournalFailed, match=r"upgrading the schema in .* failed"):
            await upgrade(url, broken)
        expected = MetaData()
        Table("half", expected, Column("x", Integer))
        assert await drift(url, expected) == ["table half is missing"]
        assert [line.state for line in await status(url, broken)] == [PatchState.APPLIED, PatchState.PENDING]


async def test_a_patch_that_was_edited_after_it_was_applied_is_an_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    await upgrade(url, a_folder(tmp_path, {"20270101_a": "CREATE TABLE a (x INTEGER);"}))
    edited = a_folder(tmp_path, {"20270101_a": "CREATE TABLE a (x INTEGER, y INTEGER);"})
    assert [line.state for line in await status(url, edited)] == [PatchState.APPLIED, PatchState.CHANGED]
    with pytest.raises(BadInput, match=r"20270101_a\.sql was changed after it was applied"):
        await upgrade(url, edited)


async def test_a_schema_of_a_newer_program_is_refused_naming_the_patch(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    await upgrade(url)
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO schema_patches VALUES ('20990101_newer.sql', 'x', '2099-01-01T00:00:00Z')")
    with pytest.raises(JournalDamaged, match=r"20990101_newer\.sql, which tradeloop .* does not know"):
        await upgrade(url)
    with pytest.raises(JournalDamaged, match=r"20990101_newer\.sql"):
        await SqlJournal(url).open()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_two_upgrades_at_once_apply_every_patch_once(dialect: Dialect, tmp_path: Path) -> None:
    async with a_database(dialect, tmp_path) as url:
        done = await asyncio.gather(*(upgrade(url) for _ in range(3)))
        assert sorted(name for names in done for name in names) == [patch.name for patch in patches(dialect)]


async def test_patches_are_found_inside_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel carries deploy/ as tradeloop/deploy; a checkout has it beside src."""
    assert (folder("sqlite") / JOURNAL_PATCH).is_file()
    package = tmp_path / "site-packages" / "tradeloop"
    installed = package / "deploy" / "sqlite" / "patches"
    installed.mkdir(parents=True)
    monkeypatch.setattr(tradeloop, "__file__", str(package / "__init__.py"))
    assert folder("sqlite") == installed
    with pytest.raises(BadInput, match="patches of mysql were not found"):
        folder("mysql")


async def test_a_database_that_is_made_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    await upgrade(f"sqlite:///{tmp_path}/x.db")
    assert stat.S_IMODE((tmp_path / "x.db").stat().st_mode) == 0o600


async def test_a_database_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="No such file or directory"):
        await upgrade(f"sqlite:///{tmp_path}/nowhere/x.db")


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("sqlite", "SELECT 1; SELECT 2", ["SELECT 1;", "SELECT 2"]),
        ("postgresql", "SELECT ';'; SELECT ';;''' ;", ["SELECT ';'", "SELECT ';;'''"]),
        ("postgresql", "SELECT 'C:\\'; SELECT 2;", ["SELECT 'C:\\'", "SELECT 2"]),
        ("mysql", "SELECT 'it\\'s; one'; SELECT 2;", ["SELECT 'it\\'s; one'", "SELECT 2"]),
        ("mysql", "SELECT `a;b`; SELECT 2;", ["SELECT `a;b`", "SELECT 2"]),
        ("sqlite", 'SELECT "a;b"; SELECT 2;', ['SELECT "a;b";', "SELECT 2;"]),
        ("sqlite", "-- a; comment\nSELECT 1; /* b;\n */ SELECT 2;", ["-- a; comment\nSELECT 1;", "/* b;\n */ SELECT 2;"]),
        ("sqlite", "-- only; comments\n/* ; */\n;", []),
        (
            "postgresql",
            "CREATE FUNCTION f() AS $x$ a; b; $$ c; $$ $x$; SELECT 1;",
            ["CREATE FUNCTION f() AS $x$ a; b; $$ c; $$ $x$", "SELECT 1"],
        ),
        (
            "sqlite",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END; SELECT 3;",
            ["CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;", "SELECT 3;"],
        ),
    ],
)
def test_a_patch_is_split_where_its_statements_end(dialect: str, sql: str, expected: list[str]) -> None:
    assert statements(sql, cast("Dialect", dialect)) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_percent_sign_and_a_colon_mean_themselves(dialect: Dialect, tmp_path: Path) -> None:
    async with a_database(dialect, tmp_path) as url:
        sql = "CREATE TABLE a (x VARCHAR(20)); INSERT INTO a VALUES ('5%s :b %');"
        where = a_folder(tmp_path, {"20270101_a": sql}, dialect)
        await upgrade(url, where)
        line = line_to(url)
        found = await line.run(lambda c: c.exec_driver_sql("SELECT x FROM a").scalar_one(), "reading")
        await line.close()
        assert found == "5%s :b %"


async def test_apply_gives_the_names_of_what_it_applied(tmp_path: Path) -> None:
    """Another part of the program may bring its own connection."""
    line = line_to(f"sqlite:///{tmp_path}/x.db", create=True)
    known = patches("sqlite")
    assert await line.run(lambda c: apply(c, known, "sqlite", "here"), "x") == [patch.name for patch in known]
    await line.close()
