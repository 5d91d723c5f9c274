"""Rules of the user's own: files of a folder in the place of the packaged ones of the same name.

So the calendar of next year, or a rule that changed this morning, needs no other program. A file replaces the packaged
one whole, and all files are taken or none: what was in force stays so where one of them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tradeloop.core.errors import BadInput
from tradeloop.markets.boards import BoardRow
from tradeloop.markets.calendars import CALENDAR_FILES, decoded_calendar
from tradeloop.markets.fees import FeeRow
from tradeloop.markets.futures import ConductRow, CostRow, ProductRow
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
from tradeloop.markets.tables import Dated, decoded, replace_files

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


def use_rules(folder: Path | None) -> tuple[str, ...]:
    """Takes the files of `folder`, or the packaged ones alone where it is None; says the names of those it took.

    `BadInput`, in one sentence, for a folder that is not there, a file of no table or calendar, and what
    `markets.tables.decoded` refuses. One process has one set of rules.
    """
    own = {} if folder is None else _read(folder)
    replace_files(own)
    return tuple(own)


def _read(folder: Path) -> dict[str, tuple[Path, bytes]]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
        own = {path.name: (path, path.read_bytes()) for path in paths}
    except OSError as wrong:
        raise BadInput(f"the folder of market rules {folder} cannot be read: {wrong.strerror}") from wrong
    calendars = {file: name for name, file in CALENDAR_FILES.items()}
    for name, (path, content) in own.items():
        if name in calendars:
            decoded_calendar(calendars[name], content, str(path))
        elif name in TABLE_FILES:
            decoded(name, content, TABLE_FILES[name], str(path))
        else:
            known = ", ".join(sorted((*TABLE_FILES, *calendars)))
            raise BadInput(f"{path} is the file of no market and no rule there is; expected one of {known}")
    return own
