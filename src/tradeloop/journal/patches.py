"""Schema changes: SQL files under deploy/<dialect>/patches, applied in the order of their names, once each, and recorded.

A patch opens with `-- description:`, `-- impact:` and `-- rollback:`, and may be run twice without harm, so that a
person who ran it by hand and this runner do not get in each other's way. A patch that was applied never changes: a
change is a new patch.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, MetaData, insert, inspect, select, text
from sqlalchemy.engine import URL

import tradeloop
from tradeloop.core.errors import BadInput, JournalDamaged
from tradeloop.journal.connection import Dialect, line_to
from tradeloop.journal.drift import differences
from tradeloop.journal.host import MACHINE, Host
from tradeloop.journal.tables import journal, schema_patches

HEADERS: Final = ("description", "impact", "rollback")

_NAME: Final = re.compile(r"\d{8}_[a-z0-9_]+\.sql")
_OUTSIDE: Final = r"--[^\n]*|/\*.*?\*/|(?P<end>;)"  # comments, and what ends a statement
_STANDARD: Final = re.compile(_OUTSIDE + r"""|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?P<tag>\$\w*\$).*?(?P=tag)""", re.DOTALL)
_MYSQL: Final = re.compile(_OUTSIDE + r"""|'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`[^`]*`""", re.DOTALL)
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)

# What begins a transaction of one runner alone; MySQL commits every DDL statement by itself, so it takes a named lock.
_BEGIN: Final[dict[Dialect, str]] = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN",
    "mysql": "DO GET_LOCK(LEFT(CONCAT('tradeloop.', DATABASE()), 64), 60)",
}
_ALONE: Final[dict[Dialect, str]] = {
    "sqlite": "SELECT 1",
    "postgresql": "SELECT pg_advisory_xact_lock(hashtext('tradeloop.patches'))",
    "mysql": "SELECT 1",
}
_END: Final[dict[Dialect, str]] = {
    "sqlite": "COMMIT",
    "postgresql": "COMMIT",
    "mysql": "DO RELEASE_LOCK(LEFT(CONCAT('tradeloop.', DATABASE()), 64))",
}
_ABANDON: Final = _END | {"sqlite": "ROLLBACK", "postgresql": "ROLLBACK"}
_NOW: Final[dict[Dialect, str]] = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')",
    "postgresql": "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    "mysql": "SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')",
}


class Patch(msgspec.Struct, frozen=True):
    """One file: its name, what its header says, its SQL and the checksum of the whole."""

    name: str
    description: str
    impact: str
    rollback: str
    sql: str
    checksum: str


class PatchState(Enum):
    """Where a patch stands in one database."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"
    """Applied, and the file has other content now."""
    NEWER = "newer"
    """Applied by a newer program: this one has no such file."""


class PatchStatus(msgspec.Struct, frozen=True):
    """One line of `tradeloop db status`; `applied_at` is the database's clock in UTC, empty where it was not applied."""

    name: str
    state: PatchState
    description: str = ""
    applied_at: str = ""


def folder(dialect: Dialect) -> Path:
    """Where the patches of a dialect lie: inside an installed package, or beside src in a checkout."""
    package = Path(tradeloop.__file__).parent
    for root in (package / "deploy", package.parent.parent / "deploy"):
        if (found := root / dialect / "patches").is_dir():
            return found
    raise BadInput(f"the patches of {dialect} were not found beside {package}; install tradeloop again")


def patches(dialect: Dialect, directory: Path | None = None) -> list[Patch]:
    """The patches of a dialect in the order they are applied."""
    found = sorted((directory or folder(dialect)).glob("*.sql"))
    return [parse(path.name, path.read_text(encoding="utf-8")) for path in found]


def parse(name: str, content: str) -> Patch:
    """A patch from its text; BadInput names what its header lacks."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"the patch was named {name!r}; expected YYYYMMDD_what_it_does.sql")
    said: dict[str, str] = {}
    current = ""
    for line in content.splitlines():
        if not line.startswith("--"):
            break
        words = line.removeprefix("--").strip()
        key, colon, rest = words.partition(":")
        if colon and key in HEADERS:
            current = key
            said[key] = rest.strip()
        elif current:
            said[current] = f"{said[current]} {words}".strip()
    if missing := [key for key in HEADERS if not said.get(key)]:
        raise BadInput(f"the patch {name} said nothing about {' and '.join(missing)}; expected `-- {missing[0]}: …` at its top")
    return Patch(
        name=name,
        sql=content,
        checksum=sha256(content.replace("\r\n", "\n").encode()).hexdigest(),
        **said,
    )


def statements(sql: str, dialect: Dialect) -> list[str]:
    """The single statements of a patch, without those that are comments alone.

    A semicolon inside a string, a quoted name, a comment, a dollar quote, or the body of a SQLite trigger does not end a
    statement. Bodies of MySQL procedures are not understood: a patch has none.
    """
    return [piece for piece in _pieces(sql, dialect) if _COMMENT.sub("", piece).strip(" \r\n\t;")]


def _pieces(sql: str, dialect: Dialect) -> Iterator[str]:
    start = 0
    for match in (_MYSQL if dialect == "mysql" else _STANDARD).finditer(sql):
        if match.group("end"):
            piece = sql[start : match.end()]
            if dialect != "sqlite" or sqlite3.complete_statement(piece):
                yield piece.rstrip(";").strip() if dialect != "sqlite" else piece.strip()
                start = match.end()
    yield sql[start:].strip()


def standing(connection: Connection, known: Sequence[Patch]) -> list[PatchStatus]:
    """Where every patch stands, in order; patches of a newer program come last."""
    applied: dict[str, tuple[str, str]] = {}
    if inspect(connection).has_table(schema_patches.name):
        applied = {row.name: (row.checksum, row.applied_at) for row in connection.execute(select(schema_patches))}
    lines = []
    for patch in known:
        checksum, at = applied.pop(patch.name, ("", ""))
        state = PatchState.PENDING if not checksum else PatchState.APPLIED if checksum == patch.checksum else PatchState.CHANGED
        lines.append(PatchStatus(patch.name, state, patch.description, at))
    return lines + [PatchStatus(name, PatchState.NEWER, "", at) for name, (_, at) in sorted(applied.items())]


def refuse_strange(lines: Sequence[PatchStatus], where: str) -> None:
    """Raises when the schema is newer than this program, or a patch was edited after it was applied."""
    for line in lines:
        if line.state is PatchState.NEWER:
            raise JournalDamaged(
                f"{where} has the patch {line.name}, which tradeloop {tradeloop.__version__} does not know;"
                " run the version of tradeloop that applied it, or a newer one"
            )
        if line.state is PatchState.CHANGED:
            raise BadInput(
                f"the patch {line.name} was changed after it was applied to {where} at {line.applied_at};"
                " put the file back as it was, and make the change a new patch"
            )


def apply(connection: Connection, known: Sequence[Patch], dialect: Dialect, where: str, *, again: bool = False) -> list[str]:
    """Apply what is pending, each patch with its record in one transaction where the database can; their names. `again`: say
    the statements of the others once more, too, which makes what is missing of them and harms nothing that is there.
    """
    done = []
    end = _ABANDON[dialect]
    _say(connection, _BEGIN[dialect])
    try:
        _say(connection, _ALONE[dialect])
        lines = standing(connection, known)
        refuse_strange(lines, where)
        pending = {line.name for line in lines if line.state is PatchState.PENDING}
        for patch in known:
            if patch.name in pending:
                for statement in statements(patch.sql, dialect):
                    _say(connection, statement)
                at = connection.execute(text(_NOW[dialect])).scalar_one()
                record = {"name": patch.name, "checksum": patch.checksum, "applied_at": at}
                connection.execute(insert(schema_patches), record)
                done.append(patch.name)
            elif again:
                for statement in statements(patch.sql, dialect):
                    _say(connection, statement)
        end = _END[dialect]
    finally:
        _say(connection, end)
    return done


def _say(connection: Connection, statement: str) -> None:
    """One statement as it stands: no parameters, so that a percent sign or a colon means itself."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True}).close()


async def status(url: str | URL, directory: Path | None = None) -> list[PatchStatus]:
    """Where every patch stands in the database at `url`."""
    line = line_to(url, read_only=True)
    try:
        known = patches(line.dialect, directory)
        return await line.run(lambda connection: standing(connection, known), "reading the list of patches")
    finally:
        await line.close()


async def is_begun(url: str | URL, directory: Path | None = None) -> bool:
    """Whether the database at `url` is more than one whose first upgrade did not come to its end: whatever its list of patches
    says, one with rows in the journal is.

    MySQL commits every statement of a patch by itself, so a process that is killed in its first start leaves some patches and
    no row in the journal; to finish those is harmless. An edited patch, or one of a newer program, is for a person to look at.
    """
    line = line_to(url, read_only=True)
    try:
        known = patches(line.dialect, directory)
        return await line.run(lambda connection: _begun(connection, known), "reading the list of patches")
    finally:
        await line.close()


def _begun(connection: Connection, known: Sequence[Patch]) -> bool:
    states = {each.state for each in standing(connection, known)}
    if PatchState.PENDING not in states or states - {PatchState.PENDING, PatchState.APPLIED}:
        return True
    if not inspect(connection).has_table(journal.name):
        return False
    return connection.execute(select(journal.c.batch).limit(1)).first() is not None


async def upgrade(url: str | URL, directory: Path | None = None, host: Host = MACHINE) -> list[str]:
    """Apply every pending patch and give their names; a missing SQLite file is made, for its owner alone to read."""
    line = line_to(url, create=True, answer_s=None, host=host)  # a patch may rewrite a large table
    try:
        known = patches(line.dialect, directory)
        return await line.run(lambda c: apply(c, known, line.dialect, line.label), "upgrading the schema")
    finally:
        await line.close()


async def remake(url: str | URL, metadata: MetaData, directory: Path | None = None) -> None:
    """Drop the tables of `metadata` whose live schema differs, and make them anew, empty. For what is derived alone."""
    line = line_to(url, answer_s=None)

    def work(connection: Connection) -> None:
        _drop_what_differs(connection, metadata)
        apply(connection, patches(line.dialect, directory), line.dialect, line.label, again=True)

    try:
        await line.run(work, "making tables anew")
    finally:
        await line.close()


def _drop_what_differs(connection: Connection, metadata: MetaData) -> None:
    for table in metadata.sorted_tables:
        alone = MetaData()
        table.to_metadata(alone)
        if differences(connection, alone):
            table.drop(connection, checkfirst=True)


async def drift(url: str | URL, metadata: MetaData) -> list[str]:
    """One sentence for every way in which the live schema is not what `metadata` says; empty when they agree."""
    line = line_to(url, read_only=True)
    try:
        return await line.run(lambda connection: differences(connection, metadata), "comparing the schema")
    finally:
        await line.close()
