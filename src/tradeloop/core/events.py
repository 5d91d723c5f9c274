"""What became true. Past tense; the journal holds these and nothing else, and the state is their fold.

Encoded as msgpack arrays `[tag, field, …]` (journal/codec.py), so the order of fields is the format: a new field goes to
the end and has a default; anything else is a new format version with an upcaster (journal/upcast.py). Tags are the class
names and never change. Every event begins with `at`, when it was decided, on the engine's clock.
"""

# size: the whole vocabulary in one place; half a dictionary is harder to read than a long one.

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.commands import RunLimits, SeenPrice, TargetLine
from tradeloop.core.confirmation import Confirmation
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import RiskLimit, Severity
from tradeloop.core.position import Rebooked
from tradeloop.core.reports import HeldCash, HeldPosition
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    Mode,
    OrderID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Rounding,
    RunID,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)


class Fact(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of all events. An unknown field makes one unreadable: to drop what a newer program wrote would be worse."""

    at: UtcNs


# --- the engine and what it knows of the world


class TradedAt(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """A broker that a process trades at: what the settings call it, of which kind it is, and whether it trades live."""

    name: str
    kind: str
    live: bool


class EngineStarted(Fact, frozen=True):
    """A process took the lease of this journal under `epoch`; ids made from now on carry it.

    `predecessor_dead`: the process before it is proven to have ended; one whose lease merely ran out may only be paused, and
    send what it had begun when it wakes. `clock` is "wall" or "replay": whether the times that follow are the world's.
    `brokers`: where it trades; none in journals that did not say so yet.
    """

    epoch: int
    version: str
    group: str
    config_hash: str = ""
    predecessor_dead: bool = False
    clock: str = ""
    brokers: tuple[TradedAt, ...] = ()


class InstrumentListed(Fact, frozen=True):
    """The dated rules resolved an instrument; it holds until listed anew.

    `moved` is what accounts have reserved for open orders in it, where it is in another currency from here on.
    """

    instrument: Instrument
    moved: tuple[tuple[AccountID, Amount], ...] = ()


class TradingDayOpened(Fact, frozen=True):
    """A session began a trading day."""

    session: str
    trading_day: TradingDay
    windows: tuple[tuple[UtcNs, UtcNs], ...]
    auctions: tuple[tuple[UtcNs, UtcNs], ...] = ()
    limits_only: tuple[tuple[UtcNs, UtcNs], ...] = ()
    no_cancels: tuple[tuple[UtcNs, UtcNs], ...] = ()


class BrokerConnected(Fact, frozen=True):
    """The session is up; not yet READY."""

    broker: str


class BrokerReady(Fact, frozen=True):
    """The broker's books of the account have been compared since the last connect; its orders may be sent."""

    broker: str
    account: AccountID


class BrokerDisconnected(Fact, frozen=True):
    """The session is down; nothing is sent, what was in flight may be anywhere."""

    broker: str
    text: str


class AccountAdopted(Fact, frozen=True):
    """The broker's books became ours, once, at the first snapshot of an account. `seen` are the fills already inside them."""

    broker: str
    account: AccountID
    cash: tuple[HeldCash, ...]
    positions: tuple[HeldPosition, ...]
    seen: tuple[str, ...] = ()


# --- orders


class OrderStaged(Fact, frozen=True):
    """The intent to trade is durable and has passed risk. `reserve` is the cash it may cost at worst, fees included;
    `cash_px` the price
    that bound was computed with. `leg` places it in its run. `cancel_at` is the fixed time-out (S1-58)."""

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    symbol: Symbol
    side: Side
    order_qty: Qty
    ord_type: OrdType
    price: Px | None
    stop_px: Px | None
    tif: TimeInForce
    position_effect: PositionEffect
    trading_day: TradingDay
    by: str
    risk_version: str
    reserve: Amount = Amount(ZERO)
    arrival_px: Px | None = None
    arrival_at: UtcNs | None = None
    run_id: RunID | None = None
    leg: int = 0
    parent: ClOrdID | None = None
    request_id: str = ""
    strategy_id: str = ""
    cancel_at: UtcNs | None = None
    reason: str = ""
    halt: int = 0
    """The number of the FLATTEN that closes a position with it; 0 for everybody else's orders."""
    approved_by: str = ""
    """Who approved it beside whoever sent it; empty where nobody did."""
    confirmed: Confirmation | None = None
    """What whoever sent it confirmed of it, where the account is live and asked for that."""
    live: bool = False
    """It was made where real money is traded, and was asked for what that asks for."""


class OrderDenied(Fact, frozen=True):
    """We refused an order before anything was sent: the rule, its limit and what was found."""

    cl_ord_id: ClOrdID
    account: AccountID
    symbol: Symbol
    side: Side
    order_qty: Qty
    ord_type: OrdType
    price: Px | None
    rule: str
    limit: str
    was: str
    text: str
    by: str
    run_id: RunID | None = None
    leg: int = 0
    request_id: str = ""
    stop_px: Px | None = None
    tif: TimeInForce = TimeInForce.DAY
    position_effect: PositionEffect = PositionEffect.AUTO
    strategy_id: str = ""
    scope: str = ""
    this_order: str = ""
    approved_by: str = ""
    """Who was named as having approved it; `uncounted` says why that changed nothing, where it might have."""
    uncounted: str = ""


class LateOrderDenied(Fact, frozen=True):
    """We refused an order that was staged before, when its turn to leave came; its end follows. What was compared, as in
    OrderDenied.
    """

    cl_ord_id: ClOrdID
    rule: str
    limit: str
    was: str
    text: str
    scope: str
    this_order: str


class SendBegun(Fact, frozen=True):
    """From here on the order may be at the broker; journalled before the wire is touched."""

    cl_ord_id: ClOrdID


class SendFailed(Fact, frozen=True):
    """The order surely did not reach the broker."""

    cl_ord_id: ClOrdID
    text: str


class FateLost(Fact, frozen=True):
    """The order may or may not be at the broker. Nobody sends it again; proof or a person decides."""

    cl_ord_id: ClOrdID
    text: str


class AbsenceSeen(Fact, frozen=True):
    """One complete look at the broker's books did not show an order of unknown fate.

    `as_of` is the moment up to which it surely shows everything, `broker_at` the broker's own time of it.
    """

    cl_ord_id: ClOrdID
    as_of: UtcNs
    broker_at: UtcNs | None = None


class NotSentProven(Fact, frozen=True):
    """Enough complete looks over a long enough time did not show the order: it never reached the broker."""

    cl_ord_id: ClOrdID
    looks: int


class OrderResolved(Fact, frozen=True):
    """A person decided what became of an order of unknown fate."""

    cl_ord_id: ClOrdID
    as_: str
    by: str
    reason: str


class OrderAcknowledged(Fact, frozen=True):
    """The broker has the order under `order_id`."""

    cl_ord_id: ClOrdID
    order_id: OrderID
    transact_at: UtcNs | None = None


class OrderRejected(Fact, frozen=True):
    """The broker refused the order; its words."""

    cl_ord_id: ClOrdID
    code: str
    text: str
    transact_at: UtcNs | None = None


BY_ENGINE: Final = "engine"
"""Who asks again for a cancel that was not answered in time."""


class CancelRequested(Fact, frozen=True):
    """Somebody wants the order out of the market."""

    cl_ord_id: ClOrdID
    by: str
    reason: str


NOT_DELIVERED: Final = "not_delivered"
"""The code of what surely or maybe never reached the broker; no broker has said it."""


class CancelRejected(Fact, frozen=True):
    """The broker did not cancel, or was not asked; the order stands as it stood."""

    cl_ord_id: ClOrdID
    code: str
    text: str


class OrderCanceled(Fact, frozen=True):
    """The order is out of the market; `by_us` False when nobody here asked.

    `given_up`: it never left, and the engine ended it because it may not go any more or could not be handed over.
    `proven`: nobody said so; looks at the broker's books have proven it of an order of unknown fate.
    """

    cl_ord_id: ClOrdID
    text: str = ""
    by_us: bool = True
    transact_at: UtcNs | None = None
    given_up: bool = False
    proven: bool = False


class OrderExpired(Fact, frozen=True):
    """The order ended by its time in force."""

    cl_ord_id: ClOrdID
    text: str = ""
    transact_at: UtcNs | None = None


class StopTriggered(Fact, frozen=True):
    """The market reached the stop price of an order held by the engine."""

    cl_ord_id: ClOrdID
    px: Px
    quote_at: UtcNs


class ExternalOrderFound(Fact, frozen=True):
    """The broker shows an order that is not ours; it counts for exposure and is left alone."""

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    order_id: OrderID
    symbol: Symbol
    side: Side
    order_qty: Qty
    price: Px | None
    trading_day: TradingDay
    position_effect: PositionEffect = PositionEffect.AUTO
    reserve: Amount = Amount(ZERO)


# --- executions


class Traded(Fact, frozen=True):
    """A fill is booked. `fee` in the instrument's currency; `fee_by_broker` False when our dated schedule computed it.

    `realized` is the profit this fill realised before fees, None where it opened only or where what it closed has cost nobody
    knows what. It is decided before it is booked, so that every reader of the journal sees the same figure. `rebooked`: by the
    venue's clock it happened before fills that were booked already, and the position becomes what it is in the venue's order of
    them; `realized` is then what all of them have realised more by it. None: it is booked behind the others. `by_books`: the
    broker's books told of it, and no report before them. `by_number`: it named its order by the broker's number alone, and no
    books showed our id beside that. Both are told of brokers with second ids only.
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    symbol: Symbol
    side: Side
    last_qty: Qty
    last_px: Px
    position_effect: PositionEffect
    fee: Amount
    fee_by_broker: bool
    liquidity: str = ""
    transact_at: UtcNs | None = None
    order_id: OrderID | None = None
    run_id: RunID | None = None
    realized: Amount | None = None
    rebooked: Rebooked | None = None
    by_books: bool = False
    by_number: bool = False


class TradeBusted(Fact, frozen=True):
    """A booked fill was taken back by the broker; its quantity, cash and fee are reversed.

    An empty `cl_ord_id`: this overtook the fill, and is kept for it; or the fill was inside the books when they became ours.
    `by_exec_id` is the bust's own id, where the venue gave one. `rebooked` is what the position becomes, as if the fill had
    never been; None where only the opposite trade can be booked.
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    side: Side
    by_exec_id: ExecID | None = None
    transact_at: UtcNs | None = None
    rebooked: Rebooked | None = None


class TradeCorrected(Fact, frozen=True):
    """A booked fill has other figures; the difference is booked. `rebooked`: as if they had always been so. All else as in
    TradeBusted.

    `fee_by_broker` False: the broker named no fee, and that of the fill stays.
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    side: Side
    last_qty: Qty
    last_px: Px
    fee: Amount
    fee_by_broker: bool = True
    by_exec_id: ExecID | None = None
    transact_at: UtcNs | None = None
    rebooked: Rebooked | None = None


class TradeMoved(Fact, frozen=True):
    """A fill that came under the broker's number alone, before we knew whose that was, is of our order `cl_ord_id`, not of the
    stranger's `from_cl_ord_id` it was booked on, or of another order of ours whose number was not its own. `rebooked` where
    our order closes or opens otherwise than was assumed.
    """

    cl_ord_id: ClOrdID
    from_cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    symbol: Symbol
    side: Side
    last_qty: Qty
    last_px: Px
    position_effect: PositionEffect
    fee: Amount
    busted: bool
    run_id: RunID | None = None
    rebooked: Rebooked | None = None


class TradeNeverCame(Fact, frozen=True):
    """A bust or a correction overtook its fill, whose day is over now, and the broker's books of a later day were read whole:
    it is no longer waited for. Should the fill come still, it is booked as it comes. The same of one whose fill was inside the
    books when they became ours: no longer kept in mind.
    """

    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    side: Side


class ExecIDJoined(Fact, frozen=True):
    """The broker names one fill twice: `secondary_exec_id` is another id of the fill `exec_id` of order `cl_ord_id`, and books
    nothing. Its books show the fill under one of them, however long they have had to show both, or a person said so (`by`).
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    side: Side
    secondary_exec_id: ExecID
    secondary_day: TradingDay
    by: str = ""


class ExecIDParted(Fact, frozen=True):
    """What was taken for a second id of a fill is the id of a fill of its own, booked next: the broker's books show both."""

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    side: Side
    secondary_exec_id: ExecID
    secondary_day: TradingDay


class FeeChanged(Fact, frozen=True):
    """What our schedule charges for a fill is another now that a fill of the same order was taken back or corrected: a minimum
    holds per order.
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    symbol: Symbol
    side: Side
    fee: Amount


class ListingRefused(Fact, frozen=True):
    """An instrument keeps the rules it had: by those it was to be listed with it would be in other money or something else, and
    something depends on it.
    """

    symbol: Symbol
    text: str


class FeeDistrusted(Fact, frozen=True):
    """A commission that cannot be true of its fill was not booked; `charged` is what stands in its place, by our schedule or as
    it was before. The fill itself counts.
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    symbol: Symbol
    side: Side
    commission: Amount
    charged: Amount


class Overfilled(Fact, frozen=True):
    """The broker filled more than was ordered. The position has it; the instrument takes no new orders until a person looks."""

    cl_ord_id: ClOrdID
    symbol: Symbol
    excess: Qty


class SymbolReleased(Fact, frozen=True):
    """A person allows orders in an instrument again after an overfill. `second_factor`, `set_up_by`: as in HaltReleased."""

    symbol: Symbol
    by: str
    reason: str
    second_factor: str = ""
    set_up_by: str = ""


# --- runs


class PlanLine(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """One line of a plan: what is wanted, what is held, what will be ordered, and why not more.

    `order_qty` zero means nothing is ordered and `code` says why (`unchanged`, `below_one_lot`, `no_price`, …).
    `residual_qty` is wanted minus planned, in units, signed like the wish. `wave` 0 are sells, 1 buys. `leg` numbers the
    orders of a run from 1.
    """

    leg: int
    symbol: Symbol
    row: int
    side: Side
    target_weight: Decimal
    target_value: Amount
    target_qty: Qty
    held_qty: Qty
    order_qty: Qty
    ref_px: Px | None
    wave: int
    residual_qty: Decimal = ZERO
    residual_value: Decimal = ZERO
    code: str = ""
    reason: str = ""
    position_effect: PositionEffect = PositionEffect.AUTO


class RunCreated(Fact, frozen=True):
    """A target was frozen with everything it was planned from, and its plan. The key (project_id, decision_snapshot_id, mode,
    trade_date, attempt) exists once."""

    run_id: RunID
    project_id: str
    decision_snapshot_id: str
    mode: Mode
    trade_date: TradingDay
    attempt: int
    broker: str
    account: AccountID
    currency: Currency
    by: str
    content_hash: str
    targets: tuple[TargetLine, ...]
    prices: tuple[SeenPrice, ...]
    cash: Amount
    equity: Amount
    rounding: Rounding
    limits: RunLimits
    lines: tuple[PlanLine, ...]
    champion_id: str = ""
    risk_checks: dict[str, bool] = {}
    target_exposure: Decimal | None = None
    order_timeout_ns: int | None = None
    sell_unlisted: bool = True
    execute: bool = True
    hold_for_approval: bool = False
    inputs: tuple[tuple[str, str], ...] = ()
    supersedes: RunID | None = None
    strategy_id: str = ""
    """Of its orders; a run of before had none."""
    confirmed: Confirmation | None = None
    """What its maker confirmed, where it went at once at a live account."""


class RunDenied(Fact, frozen=True):
    """A run was refused before any order existed; every failed check with its numbers (S0-56)."""

    project_id: str
    decision_snapshot_id: str
    mode: Mode
    trade_date: TradingDay
    account: AccountID
    by: str
    content_hash: str
    failed: tuple[str, ...]


class RunApproved(Fact, frozen=True):
    """A person let a waiting run go; `confirmed`: what they confirmed of its plan, where the account is live."""

    run_id: RunID
    by: str
    confirmed: Confirmation | None = None


class RunStarted(Fact, frozen=True):
    """The first wave may be released."""

    run_id: RunID


class RunPaused(Fact, frozen=True):
    """Nothing more is released until the run is resumed."""

    run_id: RunID
    by: str
    reason: str


class RunResumed(Fact, frozen=True):
    """The run goes on."""

    run_id: RunID
    by: str


class RunCancelRequested(Fact, frozen=True):
    """Nothing more is released; working orders are being cancelled."""

    run_id: RunID
    by: str
    reason: str


class LineResized(Fact, frozen=True):
    """A line is worked with a smaller quantity than before, and why: zero gives it up.

    Code `waits` with the same quantity: the line could have gone long ago and is held back. Any other code after that, still
    with the same quantity: its wait is over.
    """

    run_id: RunID
    leg: int
    order_qty: Qty
    code: str
    reason: str


class RunEnded(Fact, frozen=True):
    """A run reached its end. `code` refines FAILED (`FAILED_BATCH`) and COMPLETED (`partial`); `todo` are the legs a person
    has to
    look at."""

    run_id: RunID
    status: RunStatus
    code: str
    text: str
    todo: tuple[int, ...] = ()


# --- reconciliation


class BreakFound(Fact, frozen=True):
    """Our books and the broker's, or the target, differ. `break_id` derives from kind and subject, so a second look finds the
    same break. `repair` says in words what would close it; `delta` is theirs minus ours where it is a number; `ended`, of an
    order, that it has ended there. Of a fill that a report told and that is held, `named` and `number` are our id and the
    broker's number by which it named its order."""

    break_id: str
    kind: str
    broker: str
    account: AccountID
    subject: str
    ours: str
    theirs: str
    cause: str
    repair: str
    delta: Decimal | None = None
    ended: bool = False
    named: ClOrdID | None = None
    number: OrderID | None = None


class BreakChanged(Fact, frozen=True):
    """A known break has other figures now, or the order that it speaks of has ended there, or works there again."""

    break_id: str
    ours: str
    theirs: str
    delta: Decimal | None = None
    ended: bool = False


class BreakClosed(Fact, frozen=True):
    """A break is no more, and why."""

    break_id: str
    why: str
    by: str = ""


class BooksAdjusted(Fact, frozen=True):
    """Our books took the broker's figure after a person accepted a repair. `subject` is a symbol or a currency. `worth`: of a
    repaired position, what the account is worth more for it at the price of that moment, in the currency of the instrument;
    None where no price was known.
    """

    break_id: str
    account: AccountID
    kind: str
    subject: str
    delta: Decimal
    by: str
    reason: str
    worth: Amount | None = None


class ReserveRaised(Fact, frozen=True):
    """An order may cost more than is promised to it: at present prices, by a new margin rate, after a fill was taken back or
    turned out to be another order's, after the holding was closed that it was to close. Or it may cost less, once a fill that
    was told too dear is taken back or corrected, or has closed what it was to open. `reserve` is what is promised to it from
    now on; while changes wait for an answer, `own` is that of its own terms and `asked` that of each change, in the order they
    were asked for, and `reserve` the largest.
    """

    cl_ord_id: ClOrdID
    reserve: Amount
    own: Amount | None = None
    asked: tuple[Amount, ...] = ()


class EndAnnounced(Fact, frozen=True):
    """The broker says that an order has ended as `as_` (CANCELED or EXPIRED) with `cum_qty` traded, which is more than we have
    heard of; None where it does not count, and had not said a word of the order before. It ends here when that has come, or a
    look shows how much it was; what it may still cost stays promised.
    """

    cl_ord_id: ClOrdID
    as_: str
    cum_qty: Qty | None
    text: str = ""
    transact_at: UtcNs | None = None


class OrderHeard(Fact, frozen=True):
    """The broker has told by our id of an order that it had not answered, or whose fate was unknown, and what it told changes
    nothing else: it has the order. No number of it is known by that.
    """

    cl_ord_id: ClOrdID
    text: str


# --- other terms for an order


class ReplaceRequested(Fact, frozen=True):
    """Somebody wants other terms for an order, and they have passed risk; the terms in force stand until an answer.

    `number` counts the replaces of the order from 1. `reserve` is promised to the order from now on: its worst cost under its
    present terms or any that were asked for. `need` is that under these terms alone. `approved_by`: who agreed to them, where a
    limit asks for that. `confirmed`: what whoever asked confirmed of them, where the account is live and they ask for more.
    """

    cl_ord_id: ClOrdID
    number: int
    order_qty: Qty
    price: Px | None
    stop_px: Px | None
    by: str
    reason: str
    risk_version: str
    reserve: Amount
    need: Amount
    request_id: str = ""
    approved_by: str = ""
    confirmed: Confirmation | None = None


class ReplaceDenied(Fact, frozen=True):
    """We refused other terms before anything was sent: the rule, its limit and what was found. The order stands as it stood.
    `approved_by` and `uncounted` as in OrderDenied.
    """

    cl_ord_id: ClOrdID
    order_qty: Qty
    price: Px | None
    stop_px: Px | None
    rule: str
    limit: str
    was: str
    text: str
    by: str
    reason: str = ""
    request_id: str = ""
    scope: str = ""
    this_order: str = ""
    approved_by: str = ""
    uncounted: str = ""


class OrderReplaced(Fact, frozen=True):
    """These are the order's terms from now on; replaces up to `number` have their answer. `reserve` and `need` as in
    ReplaceRequested. `transact_at`: when the broker changed them; where they were `shown` by its books, up to when these surely
    show them.
    """

    cl_ord_id: ClOrdID
    number: int
    order_qty: Qty
    price: Px | None
    stop_px: Px | None
    reserve: Amount
    need: Amount
    order_id: OrderID | None = None
    transact_at: UtcNs | None = None
    shown: bool = False


class ReplaceRejected(Fact, frozen=True):
    """A replace did not take effect: the broker said so, or it surely never got there. `reserve` as in ReplaceRequested."""

    cl_ord_id: ClOrdID
    number: int
    code: str
    text: str
    reserve: Amount


class ReplaceFateLost(Fact, frozen=True):
    """Nobody knows whether a replace reached the broker. It is not sent again; the broker's books say which terms hold."""

    cl_ord_id: ClOrdID
    number: int
    text: str


class OrderRestated(Fact, frozen=True):
    """The broker changed the order's terms without being asked. `reserve` and `need` as in ReplaceRequested, `transact_at`
    and `shown` as in OrderReplaced.
    """

    cl_ord_id: ClOrdID
    order_qty: Qty
    price: Px | None
    stop_px: Px | None
    reserve: Amount
    need: Amount
    text: str = ""
    transact_at: UtcNs | None = None
    order_id: OrderID | None = None
    shown: bool = False


# --- halts


class Halted(Fact, frozen=True):
    """Trading is stopped, as much as `tier` says, within a scope, until HaltReleased names its number. `from_file`: the latch
    file said so. `trigger`: what tripped, where no person asked for it.
    """

    number: int
    tier: HaltTier
    scope: HaltScope
    name: str
    by: str
    reason: str
    from_file: bool = False
    trigger: str = ""


class HaltReleased(Fact, frozen=True):
    """A person ended a halt. `second_factor`: which one was given, such as `totp`; empty where none was. No code is kept.
    `set_up_by`: who had set that one up; empty where it does not say.
    """

    number: int
    by: str
    reason: str
    second_factor: str = ""
    set_up_by: str = ""


class HaltChecked(Fact, frozen=True):
    """It was looked what a halt has come to: that is not what it was before, or it has been so for long. `done`: nothing more
    can be done for it now, and nobody has to let go of anything first.

    `open_orders` counts what may still trade within its scope, `unknown` those of them whose fate nobody knows; `held` says of
    each position that is left why it is.
    """

    number: int
    open_orders: int
    done: bool
    text: str
    held: tuple[str, ...] = ()
    unknown: int = 0


# --- limits of risk


class LimitsConfigured(Fact, frozen=True):
    """These are the limits of risk.yaml from now on, all of them. What people have set for a time stands over them.

    `by`, `reason`, `approved_by`: who had a running desk take them, and who agreed; empty where a desk started with them.
    `ended`, `looser`, `tighter`: in words, what that changed of the limits of the file before (core/risk/limit_changes.py).
    """

    limits: tuple[RiskLimit, ...]
    origin: str = ""
    by: str = ""
    reason: str = ""
    approved_by: str = ""
    ended: tuple[str, ...] = ()
    looser: tuple[str, ...] = ()
    tighter: tuple[str, ...] = ()


class LimitSet(Fact, frozen=True):
    """A person set a limit for a time: `limit` says who, why and until when. `approved_by`: who agreed, where two have to."""

    limit: RiskLimit
    approved_by: str = ""


class LimitEnded(Fact, frozen=True):
    """A limit that a person had set is over: its time was up (`by` the engine), or somebody took it back. `approved_by` as in
    LimitSet.
    """

    limit_id: str
    by: str
    reason: str
    approved_by: str = ""


class LimitPassed(Fact, frozen=True):
    """An order went beyond a limit that only warns, or that stands in shadow: what was compared, as in OrderDenied."""

    cl_ord_id: ClOrdID
    rule: str
    limit: str
    was: str
    this_order: str
    scope: str
    severity: Severity
    shadow: bool


class LimitTripped(Fact, frozen=True):
    """A limit that no order has to come for is exceeded at one place, and halts it; in `shadow` it is recorded alone. Where
    `was` begins with "unknown", nobody has known for a while whether it is, and nothing new is opened there.
    """

    limit_id: str
    what: str
    rule: str
    limit: str
    was: str
    shadow: bool = False


class LimitCleared(Fact, frozen=True):
    """What had tripped a limit is within it again: it may trip anew."""

    limit_id: str
    what: str


class EquityMarked(Fact, frozen=True):
    """What an account is worth in one currency: at the first look of its trading day, or more than ever since that is kept."""

    account: AccountID
    currency: Currency
    equity: Amount
    trading_day: TradingDay


class OrderThrottled(Fact, frozen=True):
    """A limit of frequency has no room for an order: it stays here until `until`, and is asked again then."""

    cl_ord_id: ClOrdID
    rule: str
    limit: str
    was: str
    until: UtcNs


# --- what people say of the desk


class MainContractSwitched(Fact, frozen=True):
    """The main contract of the desk is `symbol` from now on (S4-49); `before`: the one that it was, None for the first."""

    symbol: Symbol
    before: Symbol | None
    by: str
    reason: str = ""


class AlertAcknowledged(Fact, frozen=True):
    """Somebody has seen an alert, by the id that the read models give it (views/wanted.py). Its trouble is not over by that."""

    alert_id: str
    by: str
    note: str = ""


Event = (
    EngineStarted
    | InstrumentListed
    | TradingDayOpened
    | BrokerConnected
    | BrokerReady
    | BrokerDisconnected
    | AccountAdopted
    | OrderStaged
    | OrderDenied
    | SendBegun
    | SendFailed
    | FateLost
    | AbsenceSeen
    | NotSentProven
    | OrderResolved
    | OrderAcknowledged
    | OrderRejected
    | CancelRequested
    | CancelRejected
    | OrderCanceled
    | OrderExpired
    | StopTriggered
    | ExternalOrderFound
    | Traded
    | TradeBusted
    | TradeCorrected
    | Overfilled
    | SymbolReleased
    | RunCreated
    | RunDenied
    | RunApproved
    | RunStarted
    | RunPaused
    | RunResumed
    | RunCancelRequested
    | LineResized
    | RunEnded
    | BreakFound
    | BreakChanged
    | BreakClosed
    | BooksAdjusted
    | ReserveRaised
    | ReplaceRequested
    | ReplaceDenied
    | OrderReplaced
    | ReplaceRejected
    | ReplaceFateLost
    | OrderRestated
    | FeeDistrusted
    | ListingRefused
    | FeeChanged
    | TradeMoved
    | TradeNeverCame
    | EndAnnounced
    | OrderHeard
    | Halted
    | HaltReleased
    | HaltChecked
    | ExecIDJoined
    | ExecIDParted
    | LimitsConfigured
    | LimitSet
    | LimitEnded
    | LimitPassed
    | LateOrderDenied
    | OrderThrottled
    | LimitTripped
    | LimitCleared
    | EquityMarked
    | MainContractSwitched
    | AlertAcknowledged
)
