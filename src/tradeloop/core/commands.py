"""What a person, a strategy or a schedule asks. Imperatives; asking changes nothing until a decision is journalled.

Every command names who asked (`by`). A command that must not act twice carries its idempotency: a run by its key, an order by
`request_id`.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.confirmation import Confirmation
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.types import (
    ZERO,
    AccountID,
    ClOrdID,
    Currency,
    Mode,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Rounding,
    RunID,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)


class SubmitOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask for one order. `request_id` makes a repeat harmless: the same id answers with the first order."""

    account: AccountID
    symbol: Symbol
    side: Side
    order_qty: Qty
    by: str
    ord_type: OrdType = OrdType.MARKET
    price: Px | None = None
    stop_px: Px | None = None
    tif: TimeInForce = TimeInForce.DAY
    position_effect: PositionEffect = PositionEffect.AUTO
    request_id: str = ""
    strategy_id: str = ""
    reason: str = ""
    approved_by: str = ""
    """Who approved it beside whoever sends it, where a limit asks for that."""
    confirmed: Confirmation | None = None
    """What a live account asks for beyond the desk's figure (core/risk/live.py)."""


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask the broker to take a working order out of the market."""

    cl_ord_id: ClOrdID
    by: str
    reason: str = ""


class ReplaceOrder(msgspec.Struct, frozen=True, gc=False):
    """Ask for another quantity, limit or trigger of a working order; None leaves what is.

    `order_qty` is the whole order's, what has filled included. `request_id` and `approved_by` as in SubmitOrder: an approval is
    of the terms that it was given for; what asks for more needs one of its own.
    """

    cl_ord_id: ClOrdID
    by: str
    order_qty: Qty | None = None
    price: Px | None = None
    stop_px: Px | None = None
    reason: str = ""
    request_id: str = ""
    approved_by: str = ""
    confirmed: Confirmation | None = None


class ResolveOrder(msgspec.Struct, frozen=True, gc=False):
    """A person decides what became of an order whose fate stayed unknown past its deadline: `as_` is NOT_SENT or CANCELED.

    Or of one that the broker acknowledged and shows no more: that one was sent, and is CANCELED.
    """

    cl_ord_id: ClOrdID
    as_: str
    by: str
    reason: str


class TargetLine(msgspec.Struct, frozen=True, gc=False):
    """One line of a target portfolio. `weight` is a fraction of the equity; `row` is its place in the imported file.

    `price` overrides the quote as valuation price when the file brings one.
    """

    symbol: Symbol
    weight: Decimal
    row: int
    price: Px | None = None
    name: str = ""
    industry: str = ""


class SeenPrice(msgspec.Struct, frozen=True, gc=False):
    """A price in a frozen snapshot: what it was, what it is for, and how old it was when it was frozen."""

    symbol: Symbol
    px: Px
    at: UtcNs
    source: str
    prev_close: Px | None = None
    suspended: bool = False


class RunLimits(msgspec.Struct, frozen=True, gc=False):
    """The checks before a run is generated (S0-53..56, S1-39..41); None switches one off."""

    min_cash: Decimal = ZERO
    max_weight: Decimal | None = None
    max_positions: int | None = None
    max_total_weight: Decimal = Decimal(1)
    max_industry_weight: Decimal | None = None
    blacklist: tuple[Symbol, ...] = ()
    max_quote_age_ns: int = 60_000_000_000


class StartRun(msgspec.Struct, frozen=True):
    """Ask for a target portfolio to become positions. The key (project, snapshot, mode, trade date, attempt) acts once (S0-46).

    `execute` False plans and stops at NEW; `hold_for_approval` plans and waits for `ApproveRun`. `content_hash` is the hash of
    the imported files, so that the same key with other content is refused.
    """

    account: AccountID
    currency: Currency
    mode: Mode
    project_id: str
    decision_snapshot_id: str
    trade_date: TradingDay
    by: str
    targets: tuple[TargetLine, ...]
    prices: tuple[SeenPrice, ...]
    content_hash: str
    champion_id: str = ""
    risk_checks: dict[str, bool] = {}
    target_exposure: Decimal | None = None
    rounding: Rounding = Rounding.FLOOR_TO_LOT
    limits: RunLimits = RunLimits()
    order_timeout_ns: int | None = None
    sell_unlisted: bool = True
    execute: bool = True
    hold_for_approval: bool = False
    inputs: tuple[tuple[str, str], ...] = ()
    """(what, sha256) of every imported file."""
    strategy_id: str = ""
    """The strategy that its orders belong to; without one, that is its project."""
    confirmed: Confirmation | None = None
    """That of its plan, where it goes at once at a live account (core/run/confirming.py)."""

    @property
    def strategy(self) -> str:
        """The strategy that its orders belong to."""
        return self.strategy_id or self.project_id


class ApproveRun(msgspec.Struct, frozen=True, gc=False):
    """Let a planned run go; at a live account with the confirmation of its plan."""

    run_id: RunID
    by: str
    confirmed: Confirmation | None = None


class PauseRun(msgspec.Struct, frozen=True, gc=False):
    """Release no further orders of a run; what works goes on working."""

    run_id: RunID
    by: str
    reason: str = ""


class ResumeRun(msgspec.Struct, frozen=True, gc=False):
    """Go on with a paused run."""

    run_id: RunID
    by: str


class CancelRun(msgspec.Struct, frozen=True, gc=False):
    """Release no further orders and cancel what works; fills stay (S0-40)."""

    run_id: RunID
    by: str
    reason: str = ""


class RetryRun(msgspec.Struct, frozen=True):
    """A named person asks for a new attempt that covers only the residual of a run that ended (S0-59)."""

    run_id: RunID
    by: str
    prices: tuple[SeenPrice, ...]


class RepairBreak(msgspec.Struct, frozen=True, gc=False):
    """A named person accepts the proposed repair of a reconciliation break."""

    break_id: str
    by: str
    reason: str


class ReleaseSymbol(msgspec.Struct, frozen=True, gc=False):
    """A named person allows orders in an instrument again that an overfill had halted. `second_factor`, `set_up_by`: as in
    ReleaseHalt.
    """

    symbol: Symbol
    by: str
    reason: str
    second_factor: str = ""
    set_up_by: str = ""


class SwitchMainContract(msgspec.Struct, frozen=True, gc=False):
    """A person has another instrument be the desk's main contract (S4-50); refused while one of it is held or worked."""

    symbol: Symbol
    by: str
    reason: str = ""


class AcknowledgeAlert(msgspec.Struct, frozen=True, gc=False):
    """A person has seen an alert. It stays open until its trouble is over."""

    alert_id: str
    by: str
    note: str = ""


class HaltTrading(msgspec.Struct, frozen=True, gc=False):
    """Stop trading, as much as `tier` says, in the whole desk or in one `scope` of it by `name`.

    `trigger`: what asks for it by itself, as the id of a limit of risk does; empty where a person does.
    """

    tier: HaltTier
    by: str
    reason: str = ""
    scope: HaltScope = HaltScope.GLOBAL
    name: str = ""
    trigger: str = ""


class ReleaseHalt(msgspec.Struct, frozen=True, gc=False):
    """A named person ends halts of exactly this scope, for a reason: those of these `numbers`. `seen` is the newest of the
    scope that was looked at, where it is none of them; one that is newer nobody has seen, and then nothing is released.

    `second_factor`: which one the person gave, such as `totp`, and `set_up_by` who had set it up. Only the process that has
    checked it says so: what a request from elsewhere says of it is not believed (bootstrap/release.py).
    """

    by: str
    reason: str
    scope: HaltScope = HaltScope.GLOBAL
    name: str = ""
    second_factor: str = ""
    numbers: tuple[int, ...] = ()
    seen: int = 0
    set_up_by: str = ""


class SetLimits(msgspec.Struct, frozen=True):
    """Make these the limits of risk.yaml, all of them; the same ones again cause nothing. `origin`: which file says so.

    `by`, `reason`, `approved_by`: who has a running desk take them, as of ChangeLimit; nobody where a desk starts with them.
    """

    limits: tuple[RiskLimit, ...]
    origin: str = ""
    by: str = ""
    reason: str = ""
    approved_by: str = ""


class ChangeLimit(msgspec.Struct, frozen=True, gc=False):
    """A named person sets a limit for a reason and a time. `limit` carries `by`, `reason` and `until`; `lasts_ns` says
    instead of `until` how long it holds from now on.
    """

    limit: RiskLimit
    approved_by: str = ""
    lasts_ns: int = 0


class RevertLimit(msgspec.Struct, frozen=True, gc=False):
    """A named person takes back a limit that was set for a time before that is up."""

    rule: str
    by: str
    reason: str
    scope: LimitScope = LimitScope.GLOBAL
    name: str = ""
    currency: str = ""
    shadow: bool = False
    approved_by: str = ""


class ListInstruments(msgspec.Struct, frozen=True):
    """Make instruments known, as the dated market rules resolve them for a day; unchanged ones cause nothing."""

    instruments: tuple[Instrument, ...]


class OpenTradingDay(msgspec.Struct, frozen=True):
    """A session begins its trading day: today's holdings of the day before become yesterday's, T+1 stock becomes sellable.

    `windows` are the [start, end) spans in which orders may be sent, `auctions` those of them that end in one price for all.
    In `limits_only` an order needs a limit, and in `no_cancels` the exchange takes no cancels.
    """

    session: str
    trading_day: TradingDay
    windows: tuple[tuple[UtcNs, UtcNs], ...]
    auctions: tuple[tuple[UtcNs, UtcNs], ...] = ()
    limits_only: tuple[tuple[UtcNs, UtcNs], ...] = ()
    no_cancels: tuple[tuple[UtcNs, UtcNs], ...] = ()


Command = (
    SubmitOrder
    | CancelOrder
    | ReplaceOrder
    | ResolveOrder
    | StartRun
    | ApproveRun
    | PauseRun
    | ResumeRun
    | CancelRun
    | RetryRun
    | RepairBreak
    | ReleaseSymbol
    | HaltTrading
    | ReleaseHalt
    | SetLimits
    | ChangeLimit
    | RevertLimit
    | ListInstruments
    | OpenTradingDay
    | SwitchMainContract
    | AcknowledgeAlert
)
