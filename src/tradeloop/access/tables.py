"""The tables of the access store: its format and version, its records, and the log of access.

They are the same on SQLite, PostgreSQL and MySQL/MariaDB, are made where they are missing, and hold text and 64-bit numbers
alone. What a record is made of stands in records.py: the store is read whole, and nobody asks the database about a field.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import LONGTEXT

metadata: Final = MetaData()
_MYSQL: Final[dict[str, Any]] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
_Words = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
# SQLite gives a row its place by an INTEGER key alone; a BIGINT key would be an index of its own.
_Number = BigInteger().with_variant(Integer(), "sqlite")

access_store: Final = Table(
    "access_store",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("format", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("log_lines", BigInteger, nullable=False),
    **_MYSQL,
)
"""One row. `version` grows with every change: whoever has not seen the present one reads anew before writing. `log_lines`: how
many the log was given; it keeps the newest.
"""

access_records: Final = Table(
    "access_records",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("id", String(160), primary_key=True),
    Column("body", _Words, nullable=False),
    **_MYSQL,
)

access_log: Final = Table(
    "access_log",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("what", String(64), nullable=False),
    Column("who", String(128), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("address", String(64), nullable=False),
    Column("text", _Words, nullable=False),
    **_MYSQL,
)
