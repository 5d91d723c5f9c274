"""Cases of the rules of eligibility."""

from __future__ import annotations

from typing import Final

from tests.core.risk.cases import BANK, MOUTAI, Case, a_limit, buys, limited, quoted, sells

from tradeloop.core.limit import RiskLimit
from tradeloop.testing.builders import an_instrument
from tradeloop.testing.desk import Desk


def with_trouble(limit: RiskLimit) -> Desk:
    """A desk that holds a stock which nobody should buy more of, beside one of which nothing is to be said."""
    sick = an_instrument(MOUTAI, is_st=True, is_delisting=True, needs_permission=True, board="STAR", industry="liquor")
    plain = an_instrument(BANK, market="US", board="MAIN_SH", industry="banks")
    return limited(limit, desk=Desk().opened(sick, plain, positions={MOUTAI: 1000}, costs={MOUTAI: 10_000}))


_ALONE: Final = "it looks at one order by itself"


def _case(limit: RiskLimit) -> Case:
    """A purchase of the other stock passes, a sale of this one does, and a purchase of it does not."""
    return Case(
        limit=limit,
        below=[buys(100, BANK)],
        at=[quoted("9.99", "10.00", suspended=True), sells(1000)],
        beyond=[quoted("9.99", "10.00", suspended=True), buys(100)],
        figures=("no", "no", "yes"),
        alone_only=_ALONE,
        desk=with_trouble,
    )


CASES: Final = (
    _case(a_limit("blacklist", 0, only=("000001.SZ", MOUTAI))),
    _case(a_limit("blacklist", 0, only=("liquor",))),
    _case(a_limit("whitelist", 0, but=(BANK,))),
    _case(a_limit("whitelist", 0, but=("banks", "MAIN_SZ"))),
    _case(a_limit("no_special_treatment", 0)),
    _case(a_limit("no_suspended", 0)),
    _case(a_limit("no_delisting", 0)),
    _case(a_limit("board_permission", 0, but=("BSE",))),
    _case(a_limit("programme_report", 0, but=("another",))),
)
