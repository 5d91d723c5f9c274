"""From a target to the command that starts a run: what settings, market and account add to what somebody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradeloop.bootstrap.policy import quote_age_ns
from tradeloop.config import Loaded
from tradeloop.core.commands import RunLimits, SeenPrice, StartRun
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, AccountID, Currency, Mode, Symbol, TradingDay
from tradeloop.markets.symbols import canonical
from tradeloop.targets.context import Context
from tradeloop.targets.target import Target, content_hash

if TYPE_CHECKING:
    from tradeloop.bootstrap.desk import Desk


def run_at(desk: Desk, target: Target, *, mode: Mode, by: str, hold: bool = False, execute: bool = True) -> StartRun:
    """The command at a working desk where the symbols of the target are listed."""
    first = desk.state.instruments[target.symbols[0]]
    return start_run(
        target,
        desk.loaded,
        mode=mode,
        currency=Currency(first.currency),
        trade_date=TradingDay(desk.state.hours[first.session].trading_day),
        prices=desk.seen_prices([*target.symbols, *desk.held_symbols()]),
        max_quote_age_ns=quote_age_ns(desk.loaded.settings),
        hold=hold,
        execute=execute,
        by=by,
    )


def start_run(
    target: Target,
    loaded: Loaded,
    *,
    mode: Mode,
    currency: Currency,
    trade_date: TradingDay,
    prices: tuple[SeenPrice, ...],
    max_quote_age_ns: int,
    hold: bool = False,
    execute: bool = True,
    by: str,
) -> StartRun:
    """The command. `currency` and `trade_date` hold where the context does not say."""
    run = loaded.settings.run
    context = target.context or Context.manual(
        trade_date=trade_date, decision_snapshot_id=f"sha256-{target.portfolio.sha256[:32]}"
    )
    inputs = [(target.name, target.portfolio.sha256)]
    if context.sha256:
        inputs.append(("execution_context.json", context.sha256))
    return StartRun(
        account=AccountID(loaded.settings.broker.account),
        currency=context.currency or currency,
        mode=mode,
        project_id=context.project_id,
        decision_snapshot_id=context.decision_snapshot_id,
        trade_date=context.trade_date,
        by=by,
        targets=target.portfolio.lines,
        prices=prices,
        content_hash=content_hash(target, run.rounding.value),
        champion_id=context.active_champion_id,
        risk_checks=context.passed,
        target_exposure=context.target_exposure,
        rounding=run.rounding,
        limits=RunLimits(
            min_cash=run.min_cash,
            max_weight=run.max_weight,
            max_positions=run.max_positions,
            max_total_weight=run.max_total_weight,
            max_industry_weight=run.max_industry_weight,
            blacklist=tuple(_listed(each) for each in run.blacklist),
            max_quote_age_ns=max_quote_age_ns,
        ),
        order_timeout_ns=None if run.order_timeout_s is None else int(run.order_timeout_s * SECOND_NS),
        sell_unlisted=run.sell_unlisted,
        execute=execute,
        hold_for_approval=hold,
        inputs=tuple(inputs),
        strategy_id=target.strategy_id,
    )


def _listed(written: str) -> Symbol:
    try:
        return canonical(written)
    except BadInput as error:
        raise BadInput(f"run.blacklist: {error}") from None
