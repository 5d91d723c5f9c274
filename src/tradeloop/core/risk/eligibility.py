"""Rules of eligibility: what may be opened at all, and by which account (R42, R43, S2-73).

They forbid, and have no figure: a limit of theirs is in force or not. What they forbid is to open; what is held may always be
sold. Lists are the limit's own (core/limit.py, `only` and `but`), so that an order which they do not concern is never asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.risk.rule import ByList, Look, Measured, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.types import ONE, ZERO

_MAINLAND: Final = ("CN_A", "CN_FUTURES")


def _forbids(
    of: Callable[[Instrument], bool] | None, now: Callable[[Look], bool] | None, what: Callable[[Look], str]
) -> Callable[[Look, RiskLimit], Measured | None]:
    def measure(look: Look, _: RiskLimit) -> Measured | None:
        if (of is not None and not of(look.instrument)) or (now is not None and not now(look)) or not look.opens:
            return None
        return Measured(ZERO, ONE, what=what(look))

    return measure


def _symbol(look: Look) -> str:
    return look.order.symbol


def _rule(
    code: str,
    words: tuple[str, str, str, str],
    source: str,
    of: Callable[[Instrument], bool] | None = None,
    *,
    now: Callable[[Look], bool] | None = None,
    what: Callable[[Look], str] = _symbol,
    by_list: ByList = ByList.NO,
    number: str = "R42",
) -> RiskRule:
    """`of`: the instruments that it is about; `now`: the moments."""
    return RiskRule(
        code=code,
        number=number,
        group=RuleGroup.ELIGIBILITY,
        unit=Unit.NONE,
        words=Words(*words),
        source=source,
        measure=_forbids(of, now, what),
        scopes=(LimitScope.GLOBAL, LimitScope.ACCOUNT, LimitScope.STRATEGY),
        by_list=by_list,
        concerns=of,
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
        lambda instrument: instrument.is_st,
    ),
    _rule(
        "no_suspended",
        ("opening what is suspended", "买入停牌标的", "wait until it trades again", "请等待复牌"),
        "R29, R42",
        now=lambda look: look.quote is not None and look.quote.suspended,
        number="R29, R42",
    ),
    _rule(
        "no_delisting",
        ("opening what trades before its delisting", "买入退市整理标的", "trade something else", "请更换标的"),
        "R42",
        lambda instrument: instrument.is_delisting,
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
