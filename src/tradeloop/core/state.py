"""State: everything the journal has made true, in one mutable object that only core/evolve.py touches.

"Pure" here means deterministic: no clock, no randomness, no I/O, no walk over a set. The same events give the same state,
and the same state gives the same bytes (`pack`), whose SHA-256 is the state hash; a snapshot is those bytes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec

from tradeloop.core.activity import Activity, PackedActivity
from tradeloop.core.cash import CashBook
from tradeloop.core.doubts import Doubts
from tradeloop.core.events import BreakFound, MainContractSwitched, OrderDenied, ReplaceDenied, ReplaceRequested, TradedAt
from tradeloop.core.execution import Executions
from tradeloop.core.exposure import Exposure
from tradeloop.core.halt import Halt
from tradeloop.core.hours import Hours
from tradeloop.core.ids_of_fills import DayOfIds, IdsOfFills
from tradeloop.core.instrument import Instrument
from tradeloop.core.lately import Lately, PackedLately
from tradeloop.core.limit import PackedLimits, RiskLimits
from tradeloop.core.marks import Mark
from tradeloop.core.numbers import Numbers
from tradeloop.core.offers import Offers
from tradeloop.core.order import Order
from tradeloop.core.order_book import OrderBook
from tradeloop.core.position import Position
from tradeloop.core.recent import PackedFills, RecentFills
from tradeloop.core.run_book import Run, RunBook
from tradeloop.core.shards import Shards
from tradeloop.core.strangers import Strangers
from tradeloop.core.types import (
    AUTO,
    SELL,
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    Px,
    Qty,
    RunID,
    Symbol,
    TradingDay,
    UtcNs,
)

SNAPSHOT_FORMAT: Final = 42


class Link(msgspec.Struct, array_like=True):
    """The session with one broker. An account is READY once its books have been compared since the last connect: those of one
    say nothing of another's.
    """

    connected: bool = False
    compared: dict[AccountID, None] = {}
    text: str = ""
    since: UtcNs = UtcNs(0)
    """When it came up or went down; books read before that say nothing about this session."""

    @property
    def ready(self) -> bool:
        """Whether the books of any account have been compared; `State.is_ready` answers for one of them."""
        return bool(self.compared)


class Account(msgspec.Struct, array_like=True):
    """One account at one broker; adopted once its books became ours."""

    broker: str
    adopted: bool = False
    cash: dict[Currency, CashBook] = {}


class Early(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A bust or a correction that overtook its fill; `fee` None: the broker named none. `own_id`, `told`, `told_at` as in Exec:
    what is known of the fill is handed on to it.
    """

    busted: bool
    qty: Qty = Qty(ZERO)
    px: Px = Px(ZERO)
    fee: Amount | None = None
    own_id: ExecID | None = None
    told: tuple[str, ...] = ()
    told_at: UtcNs | None = None


class Page(msgspec.Struct, array_like=True, gc=False):
    """One trading day of a position: what it was before, and the fills that moved it, in the order in which they are booked;
    `times` are the venue's of these, `marks` is what the position was before some of them, by their place. `ordered`: each fill
    has a time, and none is before that of the fill in front of it, so that a place among them is found by halving. `stale`: a
    fill of the day before has changed since `start` was made.
    """

    start: Position
    keys: list[str]
    times: list[UtcNs | None]
    marks: list[tuple[int, Position]] = []
    ordered: bool = True
    stale: bool = False


class State:
    """What is true now. Keys are documented by the comment behind each field."""

    __slots__ = (
        "accounts",
        "activity",
        "breaks",
        "brokers",
        "by_order_id",
        "changes",
        "clock",
        "counter",
        "denied",
        "doubts",
        "early",
        "epoch",
        "execs",
        "exposure",
        "group",
        "halt_count",
        "halted",
        "halts",
        "hours",
        "id_prefix",
        "ids",
        "instruments",
        "lately",
        "limits",
        "links",
        "main",
        "marks",
        "numbers",
        "offers",
        "orders",
        "pages",
        "positions",
        "predecessor_dead",
        "recent",
        "requests",
        "run_keys",
        "runs",
        "seq",
        "started_at",
        "stops",
        "strangers",
        "unknown",
        "working",
    )

    def __init__(self) -> None:
        self.seq = 0
        self.started_at = UtcNs(0)  # when the present process began
        self.clock = ""  # which time it lives in: "wall" or "replay"
        self.predecessor_dead = False  # whether the process before it is proven to have ended by then
        self.epoch = 0
        self.group = ""
        self.counter = 0
        self.id_prefix = ""
        self.instruments: dict[Symbol, Instrument] = {}
        self.hours: dict[str, Hours] = {}  # session key -> its day
        self.links: dict[str, Link] = {}  # broker name -> its session
        self.brokers: dict[str, TradedAt] = {}  # broker name -> its kind, and whether it was ever live in this journal
        self.accounts: dict[AccountID, Account] = {}
        self.positions: dict[AccountID, dict[Symbol, Position]] = {}
        self.orders = OrderBook()
        self.execs = Executions()
        self.pages: dict[tuple[AccountID, Symbol], list[Page]] = {}  # of the last two trading days (core/rebooking.py)
        self.by_order_id: Shards[ClOrdID] = Shards()  # order key (core/execution.py) -> our id
        self.recent = RecentFills()  # the fills of the last trading days, by account
        self.ids = IdsOfFills()  # which channel told of a fill first and how, and second ids of fills
        self.early: dict[str, Early] = {}  # execution key -> what is to become of the fill when it comes
        self.strangers = Strangers()
        self.requests: Shards[ClOrdID] = Shards()  # request_id -> the order it made
        self.denied: Shards[bytes] = Shards()  # request_id -> the denial it met, packed
        self.changes: Shards[bytes] = Shards()  # request_id -> the change of an order it asked for, or its denial, packed
        self.runs = RunBook()
        self.run_keys: dict[str, RunID] = {}  # run key without attempt -> newest attempt
        self.breaks: dict[str, BreakFound] = {}  # open breaks by id
        self.halted: dict[Symbol, str] = {}  # symbol -> why it takes no new orders
        self.halts: dict[int, Halt] = {}  # in force, by number, the oldest first
        self.halt_count = 0
        self.limits = RiskLimits()
        self.marks: dict[tuple[AccountID, Currency], Mark] = {}
        self.main: MainContractSwitched | None = None  # the main contract, by who made it that
        self.activity = Activity()  # what was asked and traded today
        self.lately = Lately()  # what rules of conduct remember of the last minute and of the last trades
        # Derived from the orders above, kept so that no decision walks them:
        self.unknown: dict[tuple[AccountID, Symbol], dict[ClOrdID, None]] = {}  # orders of unknown fate
        self.stops: dict[Symbol, dict[ClOrdID, None]] = {}  # stops held here, and fired ones that have not left
        self.working: dict[tuple[AccountID, Symbol], dict[ClOrdID, None]] = {}  # open orders
        self.offers = Offers()  # what working orders may still trade
        self.exposure = Exposure()  # the same by account, symbol and side, of all of them
        self.numbers = Numbers()  # working orders by the number of their broker
        # Derived from the breaks:
        self.doubts = Doubts()

    def cash(self, account: AccountID, currency: Currency) -> CashBook:
        """The cash book of an account in a currency; an empty one where there is none yet."""
        books = self.accounts[account].cash
        book = books.get(currency)
        if book is None:
            book = books[currency] = CashBook()
        return book

    def is_ready(self, broker: str, account: AccountID) -> bool:
        """Whether the account's books have been compared since the session came up, so that its orders may be sent."""
        link = self.links.get(broker)
        return link is not None and account in link.compared

    def not_compared(self, broker: str) -> list[AccountID]:
        """The accounts at a broker whose books have not been compared since its session came up."""
        return [
            account for account, its in self.accounts.items() if its.broker == broker and not self.is_ready(broker, account)
        ]

    def position(self, account: AccountID, symbol: Symbol) -> Position:
        """The position, created flat where there is none yet. For evolve; readers use `held`."""
        by_symbol = self.positions.get(account)
        if by_symbol is None:
            by_symbol = self.positions[account] = {}
        position = by_symbol.get(symbol)
        if position is None:
            position = by_symbol[symbol] = Position()
        return position

    def held(self, account: AccountID, symbol: Symbol) -> Position:
        """The position as it stands; a flat one where there is none. Changes nothing."""
        by_symbol = self.positions.get(account)
        held = None if by_symbol is None else by_symbol.get(symbol)
        return Position() if held is None else held

    def deny_request(self, event: OrderDenied) -> None:
        """Remember a denial, so that asking again is answered and not decided again. For evolve."""
        self.denied[event.request_id] = _PACK.encode(event)

    def was_asked(self, request_id: str) -> bool:
        """Whether a request of this id was answered before, by an order or by a denial: the next one is answered alike."""
        return request_id in self.requests or request_id in self.denied

    def denied_request(self, request_id: str) -> OrderDenied | None:
        """The denial that the first request of this id met, or None."""
        packed = self.denied.get(request_id)
        return None if packed is None else _UNPACK_DENIED.decode(packed)

    def keep_change(self, event: ReplaceRequested | ReplaceDenied) -> None:
        """Remember what a request to change an order led to, so that asking again is answered alike. For evolve."""
        self.changes[event.request_id] = _PACK.encode(event)

    def change_asked(self, request_id: str) -> ReplaceRequested | ReplaceDenied | None:
        """What the first request of this id to change an order led to, or None."""
        packed = self.changes.get(request_id)
        return None if packed is None else _UNPACK_CHANGE.decode(packed)

    def pack(self) -> bytes:
        """The state as bytes: the same state gives the same bytes, whatever process made it."""
        return _PACK.encode(
            Packed(
                seq=self.seq,
                epoch=self.epoch,
                group=self.group,
                counter=self.counter,
                instruments=sorted(self.instruments.items()),
                hours=sorted(self.hours.items()),
                links=sorted(self.links.items()),
                accounts=sorted((a, v.broker, v.adopted, sorted(v.cash.items())) for a, v in self.accounts.items()),
                positions=sorted((a, sorted(v.items())) for a, v in self.positions.items()),
                open_orders=list(self.orders.open.values()),
                closed_orders=list(self.orders.closed.items()),
                execs=list(self.execs.packed.items()),
                pages=sorted((a, s, pages) for (a, s), pages in self.pages.items()),
                by_order_id=list(self.by_order_id.items()),
                requests=list(self.requests.items()),
                runs=list(self.runs.live.items()),
                run_keys=sorted(self.run_keys.items()),
                breaks=sorted(self.breaks.items()),
                halted=sorted(self.halted.items()),
                halts=list(self.halts.values()),
                halt_count=self.halt_count,
                started_at=self.started_at,
                clock=self.clock,
                predecessor_dead=self.predecessor_dead,
                unanswered=list(self.orders.unanswered),
                denied=list(self.denied.items()),
                early=sorted(self.early.items()),
                strangers=self.strangers.pack(),
                changes=list(self.changes.items()),
                recent=self.recent.pack(),
                ids=self.ids.pack(),
                ended_runs=self.runs.pack(),
                limits=self.limits.pack(),
                activity=self.activity.pack(),
                lately=self.lately.pack(),
                marks=sorted(self.marks.items()),
                brokers=list(self.brokers.values()),
                main=self.main,
            )
        )

    def hash(self) -> str:
        """SHA-256 of `pack()`, in hex."""
        return sha256(self.pack()).hexdigest()

    @classmethod
    def unpack(cls, payload: bytes) -> State:
        """The state that `pack` wrote. Raises msgspec.DecodeError on anything else."""
        try:
            packed = _UNPACK.decode(payload)
        except (UnicodeDecodeError, RecursionError) as error:  # msgspec lets these two through as they are
            raise msgspec.DecodeError(f"expected a state, was something else ({error})") from error
        if not 0 <= packed.epoch < EPOCHS:
            raise msgspec.DecodeError(f"expected an epoch from 0 to {EPOCHS - 1}, was {packed.epoch}")
        state = cls()
        state.started_at, state.predecessor_dead = packed.started_at, packed.predecessor_dead
        state.clock = packed.clock
        state.seq, state.epoch, state.group, state.counter = (
            packed.seq,
            packed.epoch,
            packed.group,
            packed.counter,
        )
        state.id_prefix = id_prefix(packed.group, packed.epoch)
        state.instruments = dict(packed.instruments)
        state.hours = dict(packed.hours)
        state.links = dict(packed.links)
        state.accounts = {a: Account(broker, adopted, dict(cash)) for a, broker, adopted, cash in packed.accounts}
        state.positions = {a: dict(rows) for a, rows in packed.positions}
        state.orders.closed.update(packed.closed_orders)
        state.orders.unanswered = dict.fromkeys(packed.unanswered)
        state.by_order_id.update(packed.by_order_id)
        state.requests.update(packed.requests)
        state.execs.packed.update(packed.execs)
        state.pages = {(a, s): pages for a, s, pages in packed.pages}
        state.denied.update(packed.denied)
        state.changes.update(packed.changes)
        state.runs.unpack(packed.runs, packed.ended_runs)
        state.run_keys = dict(packed.run_keys)
        state.breaks = dict(packed.breaks)
        for known in state.breaks.values():
            state.doubts.found(known)
        state.halted = dict(packed.halted)
        state.halts = {halt.number: halt for halt in packed.halts}
        state.halt_count = packed.halt_count
        state.early = dict(packed.early)
        state.recent = RecentFills.unpack(packed.recent)
        state.ids = IdsOfFills.unpack(packed.ids, state.execs.root)
        for order in packed.open_orders:
            state.orders.open[order.cl_ord_id] = order
            state.index(order)
            if order.side is SELL or order.position_effect is not AUTO or state.instruments[order.symbol].can_be_short:
                state.offers.count(order, state.instruments[order.symbol])
            state.exposure.count(order, order.exposed_qty)
        for cl_ord_id, fills in packed.strangers:
            stranger = state.orders.get(cl_ord_id)
            if stranger is None:
                raise msgspec.DecodeError(f"expected the order of every stranger, {cl_ord_id} has none")
            state.strangers.add(stranger, fills)
        state.limits = RiskLimits.unpack(packed.limits)
        state.activity = Activity.unpack(packed.activity)
        state.activity.watch(state.limits.scopes)
        state.exposure.own.watch(state.limits.rules, state.orders.open, state.instruments)
        state.lately = Lately.unpack(packed.lately)
        state.marks = dict(packed.marks)
        state.brokers = {each.name: each for each in packed.brokers}
        state.main = packed.main
        return state

    def index(self, order: Order) -> None:
        """Make the derived indexes agree with an order, whatever they said before."""
        key = (order.account, order.symbol)
        done = order.is_done
        self.numbers.count(order, None if done else order.order_id)
        working = self.working.get(key)
        if done:
            if working is not None and order.cl_ord_id in working:
                del working[order.cl_ord_id]
        else:
            if working is None:
                working = self.working[key] = {}
            working[order.cl_ord_id] = None
        if order.unknown_at is not None and not done:
            self.unknown.setdefault(key, {})[order.cl_ord_id] = None
        elif self.unknown and key in self.unknown:
            self.unknown[key].pop(order.cl_ord_id, None)
            if not self.unknown[key]:
                del self.unknown[key]
        if order.stop_px is not None:
            held = self.stops.setdefault(order.symbol, {})
            if not order.may_be_at_broker and not done:
                held[order.cl_ord_id] = None
            else:
                held.pop(order.cl_ord_id, None)


class Packed(msgspec.Struct, array_like=True):
    """The shape of a snapshot; fields only ever added at the end, with a default."""

    seq: int
    epoch: int
    group: str
    counter: int
    instruments: list[tuple[Symbol, Instrument]]
    hours: list[tuple[str, Hours]]
    links: list[tuple[str, Link]]
    accounts: list[tuple[AccountID, str, bool, list[tuple[Currency, CashBook]]]]
    positions: list[tuple[AccountID, list[tuple[Symbol, Position]]]]
    open_orders: list[Order]
    closed_orders: list[tuple[str, bytes]]
    execs: list[tuple[str, bytes]]
    by_order_id: list[tuple[str, ClOrdID]]
    requests: list[tuple[str, ClOrdID]]
    runs: list[tuple[RunID, Run]]
    run_keys: list[tuple[str, RunID]]
    breaks: list[tuple[str, BreakFound]]
    halted: list[tuple[Symbol, str]]
    started_at: UtcNs = UtcNs(0)
    early: list[tuple[str, Early]] = []
    predecessor_dead: bool = False
    unanswered: list[ClOrdID] = []
    denied: list[tuple[str, bytes]] = []
    clock: str = ""
    changes: list[tuple[str, bytes]] = []
    recent: PackedFills = []
    pages: list[tuple[AccountID, Symbol, list[Page]]] = []
    strangers: list[tuple[ClOrdID, list[str]]] = []
    halts: list[Halt] = []
    halt_count: int = 0
    ids: list[tuple[AccountID, list[tuple[TradingDay, DayOfIds]]]] = []
    ended_runs: list[tuple[RunID, bytes]] = []
    limits: PackedLimits = PackedLimits()
    activity: PackedActivity = PackedActivity()
    lately: PackedLately = PackedLately()
    marks: list[tuple[tuple[AccountID, Currency], Mark]] = []
    brokers: list[TradedAt] = []
    main: MainContractSwitched | None = None


_PACK: Final = msgspec.msgpack.Encoder(order="deterministic")
_UNPACK: Final = msgspec.msgpack.Decoder(Packed)
_UNPACK_DENIED: Final = msgspec.msgpack.Decoder(OrderDenied)
_UNPACK_CHANGE: Final = msgspec.msgpack.Decoder(ReplaceRequested | ReplaceDenied)

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH_CHARS: Final = 5
EPOCHS: Final = 36**_EPOCH_CHARS
"""How many epochs an id can carry."""


def id_prefix(group: str, epoch: int) -> str:
    """The first seven characters of every id of one process: two of the account group, five of the fencing token in base 36.

    A group of two characters of [a-z0-9] stands as it is, any other as two characters of its hash.
    """
    letters = group
    if len(group) != 2 or not set(group) <= set(_BASE36):
        letters = _base36(int.from_bytes(sha256(group.encode()).digest()[:4]) % 36**2, 2)
    return letters + _base36(epoch, _EPOCH_CHARS)


def _base36(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    assert number == 0, f"number too large for {length} base-36 digits"
    return digits


def cl_ord_id_of(prefix: str, counter: int) -> ClOrdID:
    """18 characters: prefix, ten digits of a counter, a check character (counter weighted with the prefix's letters).

    Derived, never drawn; legal everywhere (QMT 24 ASCII, Binance 36, OKX 32 alphanumeric; reference: docs/adr/0006-ids.md).
    """
    return ClOrdID(f"{prefix}{counter:010d}{_BASE36[(counter * 7 + ord(prefix[-1]) + ord(prefix[0])) % 31]}")


def run_key(project_id: str, decision_snapshot_id: str, mode: str, trade_date: str, account: str) -> str:
    """What makes two runs the same run, their attempts aside (S0-46)."""
    return repr((project_id, decision_snapshot_id, mode, trade_date, account))
