"""What a decision may look at besides the state: the volatile market, the brokers' abilities, and the desk's policy.

None of it is journalled, because facts are not re-decided on replay: what a decision saw of it stands inside its events.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.capabilities import Capabilities
from tradeloop.core.events import PlanLine
from tradeloop.core.halt import HaltScope
from tradeloop.core.instrument import Instrument
from tradeloop.core.minute import Minute
from tradeloop.core.pacing import Pace
from tradeloop.core.recent import RecentFills
from tradeloop.core.reports import Execution, OpenOrder, Quote
from tradeloop.core.room import Room
from tradeloop.core.shown_lines import ShownLines
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, ExecID, Px, Qty, Symbol, UtcNs
from tradeloop.core.valuation import Valuation

ShownFills = dict[ExecID, tuple[Execution, Execution, str, bytes]]
"""By the broker's id of a fill: the line that showed it, the fill as it is kept, its key, and its record at that time."""


class FillLines:
    """The lines of fills, bought and sold, that were gone through; and of the last look all of them, with the fills that it
    showed as before, by their keys, and those of ours that it lacks: beside what that was found from.
    """

    __slots__ = ("again", "buys", "lacks", "last", "sells")

    def __init__(self) -> None:
        self.buys: ShownFills = {}
        self.sells: ShownFills = {}
        self.last: ShownLines[Execution] | None = None
        self.again: dict[str, Execution] = {}
        self.lacks: tuple[ShownLines[Execution], RecentFills, int, UtcNs, list[str]] | None = None


class OrderLines:
    """The lines that said nothing new at the last look, of orders that have ended on both sides, each with the order's bytes at
    that time; and all lines of that look.
    """

    __slots__ = ("last", "settled")

    def __init__(self) -> None:
        self.settled: dict[ClOrdID, tuple[OpenOrder, bytes]] = {}
        self.last: ShownLines[OpenOrder] | None = None


class Policy(msgspec.Struct, frozen=True):
    """Settings of the core. Times in nanoseconds.

    `market_buffer`: how far above the offer a market order may fill before cash could fall short. `max_drift`: how far the
    price may have moved since an order was staged for it to be sent late. `ack_timeout_ns`: silence after which a sent
    order's fate is unknown. `send_within_ns` and `place_timeout_ns`: how long after SendBegun an order may still be handed to
    its adapter, and how long the adapter may take; the second is dispatch's own limit, on this clock.
    `resend_after_ns`: back-off for an order that surely did not leave (S1-43); after the last one a person decides.
    `recent_ns`: an order that changed more recently is not yet compared. `looks`: complete looks that prove absence.
    `approvers`: who may change a limit of risk; where there are two or more, one of them changes it and another approves.
    `live`: the brokers that trade live: a halt there is released by nobody without a second factor, and nothing is sent there
    but of `live_accounts`; an order of its own worth more than `live_order_value` is confirmed by a person, as every run is.
    """

    market_buffer: Decimal = Decimal("0.01")
    max_drift: Decimal = Decimal("0.02")
    max_quote_age_ns: int = 60 * SECOND_NS
    ack_timeout_ns: int = 5 * SECOND_NS
    send_within_ns: int = 5 * SECOND_NS
    place_timeout_ns: int = 10 * SECOND_NS
    resend_after_ns: tuple[int, ...] = (1 * SECOND_NS, 2 * SECOND_NS, 5 * SECOND_NS)
    probe_every_ns: int = 1 * SECOND_NS
    unknown_alert_ns: int = 10 * SECOND_NS
    reconcile_every_ns: int = 30 * SECOND_NS
    recent_ns: int = 2 * SECOND_NS
    looks: int = 3
    approvers: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    live_accounts: tuple[str, ...] = ()
    live_order_value: Decimal = Decimal(0)

    @property
    def leaves_within_ns(self) -> int:
        """How long after SendBegun at the latest a request has left this process, or never will."""
        return self.send_within_ns + self.place_timeout_ns


class Surroundings:
    """The market as last seen, the brokers by name, the policy in force, and the pace of each broker that has a rate.

    `accounts` is the one account that each adapter shows; one that is not named here may show any.
    `offsets`: by how much each broker's clock was ahead of ours at its last look, in nanoseconds.
    `settled` and `fills` are lines of each account's books that need no second look (core/standing.py, core/shown_again.py);
    `bands` are the legal prices of the day as last found (core/market.py). These three save work and change no figure.
    `unseen`: acknowledged orders that a broker which shows open orders only did not show at its last looks: at how many in a
    row, and when the first of them was read, by our clock and by the broker's; a new process begins to count anew.
    `moving`: figures of each account that its last looks could not be compared with: at how many in a row, and when the first
    of them was read (core/uncompared.py); counted anew like these.
    `again`: fills taken back that the books of an account show all the same, by symbol, and when the first of its looks in a
    row that said so was read (core/shown_otherwise.py); counted anew, too.
    `minutes`: the market's last minute by symbol, while a limit asks for it.
    `valuation` is what positions are worth by these quotes, kept up while limits ask for it.
    `unmeasured`: since when a place of a limit cannot be measured (core/tripping.py); a new process begins to count anew.
    `room`: the orders that a limit of frequency holds back (core/room.py). `set_aside`: what a line of a run may cost,
    by what it was reckoned from (core/run/sending.py); it saves work and changes no figure. `quiet`: the halts that have
    nothing left to do, by what they are of (core/quiet.py).
    """

    __slots__ = (
        "accounts",
        "again",
        "bands",
        "brokers",
        "fills",
        "minutes",
        "moving",
        "offsets",
        "paces",
        "policy",
        "quiet",
        "quotes",
        "room",
        "set_aside",
        "settled",
        "unmeasured",
        "unseen",
        "valuation",
    )

    def __init__(self, policy: Policy, brokers: dict[str, Capabilities], accounts: dict[str, AccountID] | None = None) -> None:
        self.policy = policy
        self.brokers = brokers
        self.accounts = {} if accounts is None else accounts
        self.quotes: dict[Symbol, Quote] = {}
        self.bands: dict[Symbol, tuple[Instrument, Px, tuple[Px, Px]]] = {}
        self.minutes: dict[Symbol, Minute] = {}
        self.valuation = Valuation()
        self.room = Room()
        self.set_aside: dict[tuple[AccountID, Symbol], tuple[Quote | None, PlanLine, Qty, Instrument, Decimal]] = {}
        self.quiet: dict[tuple[HaltScope, str], dict[int, None]] = {}
        self.unmeasured: dict[tuple[str, str], UtcNs] = {}
        self.offsets: dict[str, int] = {}
        self.settled: dict[AccountID, OrderLines] = {}
        self.fills: dict[AccountID, FillLines] = {}
        self.unseen: dict[ClOrdID, tuple[int, UtcNs, UtcNs]] = {}
        self.again: dict[AccountID, dict[Symbol, tuple[UtcNs, dict[str, Execution]]]] = {}
        self.moving: dict[tuple[AccountID, str], dict[str, tuple[int, UtcNs]]] = {}
        self.paces = {
            name: Pace(name, able.rate_per_second) for name, able in brokers.items() if able.rate_per_second is not None
        }

    def serves(self, broker: str, account: AccountID) -> bool:
        """Whether a configured adapter shows this account: the journal may know others, from another configuration."""
        return broker in self.brokers and self.accounts.get(broker, account) == account
