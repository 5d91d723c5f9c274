"""Rules of the user's own: files of a folder in the place of the packaged ones of the same name.

So the calendar of next year, or a rule that changed this morning, needs no other program. A file replaces the packaged
one whole, and all files are taken or none: what was in force stays so where one of them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from tradeloop.core.errors import BadInput
from tradeloop.markets.across import refuse_strangers
from tradeloop.markets.boards import BoardRow
from tradeloop.markets.calendars import CALENDAR_FILES, Calendar, decoded_calendar
from tradeloop.markets.fees import FeeRow
from tradeloop.markets.futures import ConductRow, CostRow, ProductRow
from tradeloop.markets.left_out import parts_of, parts_within, refuse_left_out
from tradeloop.markets.rules import (
    ListingDaysRow,
    OrderLimitsRow,
    OrderRulesRow,
    PermissionRow,
    PriceCageRow,
    PriceLimitRow,
    ShortMarginRow,
    TickLadderRow,
)
from tradeloop.markets.sessions import SessionRow
from tradeloop.markets.tables import Dated, Table, data_bytes, decoded, replace_files

TABLE_FILES: Final[Mapping[str, type[Dated]]] = {
    "boards.yaml": BoardRow,
    "fees.yaml": FeeRow,
    "futures_conduct.yaml": ConductRow,
    "futures_costs.yaml": CostRow,
    "futures_products.yaml": ProductRow,
    "listing_days.yaml": ListingDaysRow,
    "order_limits.yaml": OrderLimitsRow,
    "order_rules.yaml": OrderRulesRow,
    "permissions.yaml": PermissionRow,
    "price_cages.yaml": PriceCageRow,
    "price_limits.yaml": PriceLimitRow,
    "sessions.yaml": SessionRow,
    "short_margins.yaml": ShortMarginRow,
    "tick_ladders.yaml": TickLadderRow,
}


def use_rules(folder: Path | None, today: date | None = None) -> tuple[str, ...]:
    """Takes the files of `folder`, or the packaged ones alone where it is None; says the names of those it took.

    `BadInput`, in one sentence, for a folder that is not there, a file of no table or calendar, what
    `markets.tables.decoded` refuses, on the day of reading where it is given, for one that lacks what the packaged one has
    and does not say so, and what does not fit the other files. One process has one set of rules.
    """
    own = {} if folder is None else _read(folder, today)
    replace_files(own)
    return tuple(own)


def _read(folder: Path, today: date | None) -> dict[str, tuple[Path, bytes]]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
        own = {path.name: (path, path.read_bytes()) for path in paths}
    except OSError as wrong:
        raise BadInput(f"the folder of market rules {folder} cannot be read: {wrong.strerror}") from wrong
    calendars = {file: name for name, file in CALENDAR_FILES.items()}
    tables: dict[str, Table[Any]] = {}
    days: dict[str, Calendar] = {}
    for name, (path, content) in own.items():
        if name in calendars:
            days[name] = decoded_calendar(calendars[name], content, str(path), today)
        elif name in TABLE_FILES:
            tables[name] = decoded(name, content, TABLE_FILES[name], str(path), today)
        else:
            known = ", ".join(sorted((*TABLE_FILES, *calendars)))
            raise BadInput(f"{path} is the file of no market and no rule there is; expected one of {known}")
    if tables:
        whole = {name: tables[name] if name in tables else _packaged(name) for name in TABLE_FILES}
        refuse_strangers(whole, list(tables), lambda name: str(own[name][0]) if name in own else f"markets/data/{name}")
    for name, table in tables.items():
        refuse_left_out(str(own[name][0]), parts_of(table), parts_of(_packaged(name)), table.drops)
    for name, mine in days.items():
        theirs = parts_within(_packaged_calendar(calendars[name]), mine)
        refuse_left_out(str(own[name][0]), parts_within(mine, mine), theirs, mine.drops)
    return own


@cache
def _packaged(name: str) -> Table[Any]:
    return decoded(name, data_bytes(name), TABLE_FILES[name], f"markets/data/{name}")


@cache
def _packaged_calendar(name: str) -> Calendar:
    file = CALENDAR_FILES[name]
    return decoded_calendar(name, data_bytes(file), f"markets/data/{file}")
