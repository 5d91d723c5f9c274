"""Rules of eligibility: what may be opened at all, and by which account (R42, R43, S2-73).

They forbid, and have no figure: a limit of theirs is in force or not. What they forbid is to open; what is held may always be
sold. Lists are the limit's own (core/limit.py, `only` and `but`), so that an order which they do not concern is never asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tradeloop.core import market
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.risk.rule import ByList, Family, Look, Measured, Missing, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.risk.screens import of_quote
from tradeloop.core.types import ONE, ZERO

_MAINLAND: Final = ("CN_A", "CN_FUTURES")


def _forbids(
    of: Callable[[Instrument], bool] | None,
    now: Callable[[Look], bool] | None,
    what: Callable[[Look], str],
    unknown: Callable[[Look], str],
) -> Callable[[Look, RiskLimit], Measured | Missing | None]:
    def measure(look: Look, _: RiskLimit) -> Measured | Missing | None:
        if look.opens and (missing := unknown(look)):
            return Missing(missing)
        if (of is not None and not of(look.instrument)) or (now is not None and not now(look)) or not look.opens:
            return None
        return Measured(ZERO, ONE, what=what(look))

    return measure


def _symbol(look: Look) -> str:
    return look.order.symbol


def _nothing(_: Look) -> str:
    return ""


def _may_be_marked(instrument: Instrument) -> bool:
    """Whether nobody has said what a mainland stock is called: its name tells of special treatment and of a delisting."""
    is_marked = instrument.is_st or instrument.is_delisting
    return instrument.market == "CN_A" and instrument.asset_class is AssetClass.STOCK and not (instrument.name or is_marked)


def _name(look: Look) -> str:
    if not _may_be_marked(look.instrument):
        return ""
    return f"the name of {look.order.symbol}, which says what stands against it (column name of the file markets.facts)"


def _state_of_trading(look: Look) -> str:
    if look.quote is not None and (look.quote.suspended or market.is_current(look.around, look.quote, look.now)):
        return ""
    return f"a present quote of {look.order.symbol}, which says whether it trades"


def _rule(
    code: str,
    words: tuple[str, str, str, str],
    source: str,
    of: Callable[[Instrument], bool] | None = None,
    *,
    now: Callable[[Look], bool] | None = None,
    what: Callable[[Look], str] = _symbol,
    unknown: Callable[[Look], str] = _nothing,
    by_list: ByList = ByList.NO,
    number: str = "R42",
    family: Family | None = None,
) -> RiskRule:
    """`of`: the instruments that it is about; `now`: the moments; `unknown`: what is not known of the symbol of an order."""
    return RiskRule(
        code=code,
        number=number,
        group=RuleGroup.ELIGIBILITY,
        unit=Unit.NONE,
        words=Words(*words),
        source=source,
        measure=_forbids(of, now, what, unknown),
        scopes=(LimitScope.GLOBAL, LimitScope.ACCOUNT, LimitScope.STRATEGY),
        by_list=by_list,
        concerns=of,
        unlisted=_may_be_marked if unknown is _name else None,
        family=family,
    )


RULES: Final = (
    _rule(
        "blacklist",
        ("opening what is on the black list", "开仓标的在黑名单内", "trade something else", "请更换标的"),
        "R42, S2-73; the list is the user's",
        by_list=ByList.ONLY,
    ),
    _rule(
        "whitelist",
        ("opening what is not on the white list", "开仓标的不在白名单内", "trade what is on the list", "请选择白名单内标的"),
        "R42, S2-73; the list is the user's",
        by_list=ByList.BUT,
    ),
    _rule(
        "no_special_treatment",
        ("opening a stock under special treatment (ST)", "买入风险警示股票", "trade something else", "请更换标的"),
        "R42",
        lambda instrument: instrument.is_st or _may_be_marked(instrument),
        unknown=_name,
    ),
    _rule(
        "no_suspended",
        ("opening what is suspended", "买入停牌标的", "wait until it trades again", "请等待复牌"),
        "R29, R42",
        now=lambda look: look.quote is not None and look.quote.suspended,
        unknown=_state_of_trading,
        number="R29, R42",
        family=of_quote,
    ),
    _rule(
        "no_delisting",
        ("opening what trades before its delisting", "买入退市整理标的", "trade something else", "请更换标的"),
        "R42",
        lambda instrument: instrument.is_delisting or _may_be_marked(instrument),
        unknown=_name,
    ),
    _rule(
        "board_permission",
        (
            "opening on a board that the account has no permission for",
            "账户无该板块交易权限",
            "apply for it at the broker, then name the board under `but`",
            "请先向券商申请权限",
        ),
        "STAR: 500,000 CNY and 24 months; ChiNext and Beijing: general knowledge, unverified (markets/data/permissions.yaml)",
        lambda instrument: instrument.needs_permission,
        what=lambda look: f"{look.order.symbol} trades on {look.instrument.board}",
        by_list=ByList.BUT,
    ),
    _rule(
        "programme_report",
        (
            "opening without a report of programme trading on file",
            "程序化交易未报告",
            "report to the broker first, then name the account under `but`",
            "请先向券商报告程序化交易",
        ),
        "CSRC rules of programme trading: report first, then trade; for mainland markets, and to be set where orders are live",
        lambda instrument: instrument.market in _MAINLAND,
        what=lambda look: f"account {look.order.account}",
        by_list=ByList.BUT,
        number="R43",
    ),
)
