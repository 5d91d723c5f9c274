"""The live schema against the metadata the program works with: tables, columns, families of types, NOT NULL, keys, indexes,
triggers.

Types are compared by family, because one column is BIGINT here and INTEGER there and both hold the same numbers.
Lengths are not compared. Tables the metadata does not know are other people's and left alone. An index more than expected
changes no answer and may stay; a trigger changes what is written, and the program makes none.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection, Inspector, MetaData, Table, UniqueConstraint, inspect, text
from sqlalchemy.types import TypeEngine

_FAMILIES: Final = (
    ("boolean", re.compile(r"BOOL|TINYINT\(1\)")),
    ("integer", re.compile(r"INT|SERIAL")),
    ("exact number", re.compile(r"NUMERIC|DECIMAL")),
    ("floating number", re.compile(r"FLOAT|DOUBLE|REAL")),
    ("bytes", re.compile(r"BLOB|BYTEA|BINARY")),
    ("text", re.compile(r"CHAR|TEXT|CLOB|JSON|ENUM|UUID")),  # MariaDB keeps JSON as LONGTEXT
    ("time", re.compile(r"TIME|DATE")),
)

_TRIGGERS: Final = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = current_schema()"
    ),
    "mysql": "SELECT event_object_table, trigger_name FROM information_schema.triggers WHERE event_object_schema = DATABASE()",
}


def differences(connection: Connection, metadata: MetaData) -> list[str]:
    """One sentence per difference, in the order of the metadata."""
    inspector = inspect(connection)
    live = set(inspector.get_table_names())
    found: list[str] = []
    triggers = _triggers(connection)
    for table in metadata.sorted_tables:
        if table.name not in live:
            found.append(f"table {table.name} is missing")
            continue
        found += _columns(inspector, table, connection)
        found += _keys(inspector, table)
        found += _indexes(inspector, table)
        found += [f"table {table.name}: the trigger {name} is not expected" for name in triggers.get(table.name, ())]
    return found


def _columns(inspector: Inspector, table: Table, connection: Connection) -> list[str]:
    found = []
    live = {column["name"]: column for column in inspector.get_columns(table.name)}
    for column in table.columns:
        where = f"column {table.name}.{column.name}"
        if (there := live.pop(column.name, None)) is None:
            found.append(f"{where} is missing")
            continue
        expected, was = _family(column.type, connection), _family(there["type"], connection)
        if expected != was:
            found.append(f"{where}: expected {expected}, was {was}")
        if there["nullable"] != column.nullable:
            found.append(f"{where}: expected {_null(column.nullable)}, was {_null(there['nullable'])}")
    return found + [f"column {table.name}.{name} is not expected" for name in live]


def _keys(inspector: Inspector, table: Table) -> list[str]:
    expected = {
        tuple(sorted(column.name for column in key.columns)) for key in table.constraints if isinstance(key, UniqueConstraint)
    } | {tuple(sorted(column.name for column in index.columns)) for index in table.indexes if index.unique}
    expected |= {(column.name,) for column in table.columns if column.unique}
    live = {_names(key["column_names"]) for key in inspector.get_unique_constraints(table.name)}
    live |= {_names(index["column_names"]) for index in inspector.get_indexes(table.name) if index["unique"]}
    found = [f"table {table.name}: the unique key ({', '.join(key)}) is missing" for key in sorted(expected - live)]
    found += [f"table {table.name}: the unique key ({', '.join(key)}) is not expected" for key in sorted(live - expected)]
    primary = _names(inspector.get_pk_constraint(table.name)["constrained_columns"])
    wanted = _names([column.name for column in table.primary_key.columns])
    if primary != wanted:
        found.append(f"table {table.name}: expected the primary key ({', '.join(wanted)}), was ({', '.join(primary)})")
    return found


def _indexes(inspector: Inspector, table: Table) -> list[str]:
    """Those that are missing; the order of their columns matters."""
    live = {tuple(str(name) for name in index["column_names"]) for index in inspector.get_indexes(table.name)}
    expected = {tuple(column.name for column in index.columns): index.name for index in table.indexes if not index.unique}
    return [
        f"table {table.name}: the index {name} ({', '.join(columns)}) is missing"
        for columns, name in sorted(expected.items())
        if columns not in live
    ]


def _triggers(connection: Connection) -> dict[str, list[str]]:
    """The names of the triggers by table."""
    dialect = "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
    found: dict[str, list[str]] = {}
    for table, name in sorted(tuple(row) for row in connection.execute(text(_TRIGGERS[dialect]))):
        found.setdefault(table, []).append(name)
    return found


def _names(columns: list[Any]) -> tuple[str, ...]:
    return tuple(sorted(str(name) for name in columns))


def _family(kind: TypeEngine[Any], connection: Connection) -> str:
    ddl = kind.compile(dialect=connection.dialect).upper()
    return next((name for name, pattern in _FAMILIES if pattern.search(ddl)), ddl)


def _null(nullable: bool | None) -> str:
    return "NULL allowed" if nullable else "NOT NULL"
