"""The journal's tables as SQLAlchemy metadata; deploy/<dialect>/patches creates them and a drift check compares the two.

Numbers are 64-bit, hashes 32 bytes. `journal` has no key but `batch`: one more index would be one more page in every
commit, and batch, seq and time all grow together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, Column, ColumnElement, Integer, LargeBinary, MetaData, String, Table, func
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

metadata: Final = MetaData()


class _Hex(TypeEngine[bytes]):
    """Bytes sent to MySQL as hexadecimal text.

    The driver would send the same by itself, but aiomysql 0.3 cannot escape bytes together with PyMySQL 1.2
    (https://github.com/PyMySQL/PyMySQL/issues/1274).
    """

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:  # type: ignore[explicit-override]  # noqa: ARG002
        return bytes.hex

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:  # type: ignore[explicit-override]
        return func.unhex(bindvalue)


class _HexBinary(_Hex, mysql.BINARY):
    pass


class _HexLongBlob(_Hex, mysql.LONGBLOB):
    pass


# SQLite gives a row its place by an INTEGER key alone; a BIGINT key would be an index of its own.
_Key = BigInteger().with_variant(Integer(), "sqlite")
_Hash = LargeBinary(32).with_variant(_HexBinary(32), "mysql", "mariadb")
_Bytes = LargeBinary().with_variant(_HexLongBlob(), "mysql", "mariadb")

journal: Final = Table(
    "journal",
    metadata,
    Column("batch", _Key, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("appended_at", BigInteger, nullable=False),
    Column("prev_hash", _Hash, nullable=False),
    Column("hash", _Hash, nullable=False),
    Column("payload", _Bytes, nullable=False),
)

snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("seq", _Key, primary_key=True, autoincrement=False),
    Column("batch", BigInteger, nullable=False),
    Column("batch_hash", _Hash, nullable=False),
    Column("state_hash", String(128), nullable=False),
    Column("format", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
)

# A state may be larger than a server takes in one statement, and writing it at once would hold up the commits of the journal.
snapshot_parts: Final = Table(
    "snapshot_parts",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("part", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", _Bytes, nullable=False),
)

lease: Final = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(512), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

schema_patches: Final = Table(
    "schema_patches",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("applied_at", String(32), nullable=False),
)
