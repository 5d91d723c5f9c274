"""Everything that may go wrong in a simulated world, by name and number, and which of it a seed lets happen.

Each seed enables a random part of the list (swarm testing): a world where everything fails at once hides as much as one
where nothing does. `Weather.strikes` is asked wherever something can go wrong; what struck is counted, so that a fault that
never strikes is found out. The numbers F1 to F80 are those of the fault list, those above it were found to be missing there;
NOT_YET names what the product cannot meet yet.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from random import Random
from typing import Final


class Fault(Enum):
    """One way to go wrong: its number in the list, and what happens."""

    # network to venue
    REQUEST_LOST = "F1 a request vanishes on its way; the caller hears nothing"
    REPLY_LOST = "F2 a request takes effect and its reply vanishes"
    REQUEST_LATE = "F3 a request arrives late, within the lifetime the venue declares"
    REQUEST_PAST_TIMEOUT = "F4 a request arrives after its caller has given up waiting"
    REQUEST_OUTLIVES_CLIENT = "F5 a request arrives after the process that sent it has died"
    REQUEST_TWICE = "F6 the network delivers a request twice, to a venue that knows repeats"
    ACKS_MIXED_UP = "F7 the acks of two orders in flight carry each other's broker number"
    RESET_AFTER_FIRST_BYTE = "F8 the connection is reset while a request is being written"
    HALF_OPEN = "F9 what is written to the socket vanishes for a while, without an error"
    FLAPPING = "F10 the session goes down and up every 200 ms"
    ONE_WAY = "F11 requests arrive, and nothing comes back for a while"
    NARROW_BAND = "F12 one message a second gets through for a while"
    # the venue
    ERROR_AFTER_EFFECT = "F16 the venue answers with an error after it took the order"
    ERROR_BEFORE_EFFECT = "F17 the venue answers with an error that says nothing, and did nothing"
    ACK_LOST = "F18 the ack vanishes, the order works"
    FILL_BEFORE_ACK = "F19 the ack comes after the fills"
    TRADE_BEFORE_REPLY = "F20 the fill comes before the request has returned, under the venue's number alone"
    STATUS_TWICE = "F21 a status report comes twice"
    FILL_TWICE = "F22 a fill is reported twice"
    OUT_OF_ORDER = "F24 reports overtake each other by up to two seconds"
    STREAM_DROPS = "F25 the stream drops reports while the session stays up"
    DAY_REPLAYED = "F26 all fills of the day are reported again after a reconnect"
    QUERY_LAGS = "F27 the books arrive late: they show what was some seconds ago"
    LIVE_ORDER_NOT_SHOWN = "F28 the books do not show a live order yet, within the lag the venue declares"
    TAKEN_BACK = "F29 a fill is busted or corrected, also after its order has ended"
    CANCELED_UNASKED = "F30 the venue cancels an order, or makes it smaller, and nobody asked it to"
    OVERFILL = "F31 a correction, or a further fill, lets an order trade more than was asked"
    REJECT_AFTER_ACCEPT = "F32 an order that was acknowledged is rejected"
    CANCEL_ANSWER_WRONG = "F33 a cancel is refused though it took effect, or acknowledged before the last fill is told"
    HALTED = "F34 trading in a symbol is suspended and resumed; in an auction no cancels are taken"
    THROTTLED = "F35 the venue refuses requests for their number, cancels too, and says so: it has not processed them"
    ID_TAKEN_TWICE = "F36 an id that surely did not arrive is sent again, to a venue that would take it twice"
    VENUE_RESTARTS = "F37 the venue restarts: sessions are gone, working orders are cancelled and nobody is told"
    # the process
    KILLED = "F41 the process is killed before any callback"
    KILLED_WRITING = "F42 it is killed while a commit is on its way"
    KILLED_BEFORE_SEND = "F43 it is killed when a commit is durable and nothing of it has left"
    KILLED_AFTER_SEND = "F44 it is killed when a request has left and its outcome is not recorded"
    KILLED_RECOVERING = "F45 it is killed while it recovers, up to five times in a row"
    PAUSED = "F46 it is stopped for up to 40 s, longer than a lease, and goes on, maybe after another took over"
    TWO_STARTED = "F49 a second instance is started by mistake"
    # the disk
    TORN_TAIL = "F52 the last record is cut off in the middle"
    BIT_FLIP = "F53 a bit of the record flips: in the tail that was never durable, or in a row that was"
    NO_SPACE = "F54 the disk is full"
    FSYNC_FAILS = "F55 a commit returns an error, and may be durable or not"
    FSYNC_STALLS = "F56 a commit takes two seconds"
    OLD_BACKUP = "F60 yesterday's journal is put in the place of today's"
    # time
    CLOCK_STEPS = "F61 the wall clock jumps, forward or back"
    CLOCK_DRIFTS = "F62 the wall clock drifts by 500 ppm"
    SLEEPS_OVER_THE_BELL = "F65 the process is stopped when the session ends, and wakes after it"
    # the store and its lease
    COMMIT_LOST = "F67 a failover of a database server loses the last commit; a journal in SQLite has no replica"
    LEASE_UNREACHABLE = "F68 the lease cannot be read or renewed for a while"
    STANDBY_TAKES_OVER = "F70 another process takes over while the holder of the lease is stopped"
    # operators
    ASKED_TWICE = "F72 a click is doubled, a client retries"
    SAME_KEY_OTHER_BODY = "F73 the same key comes with other content"
    CANCEL_ALL = "F74 everything is cancelled during a burst of orders"
    MANUAL_TRADE = "F77 somebody trades in the broker's own app"
    OTHER_POLICY = "F78 the process is restarted in mid-run with other settings"
    # added later
    KILL_SWITCH = "F76 the desk is halted while the fate of an order is unknown, by command or by the latch file"
    PART_NOT_READ = "F40 a part of the venue's books cannot be read for a while"
    TWO_IDS = "F23 a fill has one id on the stream and another where the books are asked for"
    LIMITS_LOWERED = "F75 a run comes under limits below what is held, while another works"
    END_TAKEN_BACK = "F91 the fill that ended a buy is busted, and the order works again"
    MOVED_UNTOLD = "F92 money or shares come or go in the venue's books, and no report tells of it"
    TWINS_MIXED_UP = "F93 two orders of one symbol and side leave together, and their acks carry each other's broker number"
    ROW_MISSING = "F94 a row is missing in the middle of the journal"
    FOREIGN_SNAPSHOT = "F95 a snapshot of another history of the journal lies among its own"
    NEWEST_GONE = "F96 the newest rows are gone with all memory of them, but for a snapshot that knows them"
    LOCK_IGNORED = "F71 the lock on a SQLite journal does not hold, and two processes each think that they lead"
    CANCEL_FAILS = "F81 a cancel is refused for no reason of the order's, or vanishes, and the order works on"
    NAME_LOST = "F82 an order is shown and told of without our id for a while, its ack is lost"
    OLD_BOOKS = "F83 books that were asked for before the session was lost arrive after it has come up again"
    LATCHED_IN_A_BURST = "F84 the latch file is made while orders are on their way"
    PAUSED_BEFORE_CHANGE = "F85 the process is stopped when a change of an order is durable and has not left"
    OLD_WORD_AGAIN = "F98 a correction is told again after a newer word about its fill"
    LINE_BEHIND_FILL = "F99 the list of orders lags behind that of fills: it shows an order long after its first fill is shown"
    FEES_NOT_TOLD = "F97 a venue tells no fee with its fills: never, or when the day is done"

    @property
    def number(self) -> str:
        """F and its number in the list."""
        return self.value.split(" ", 1)[0]

    __hash__ = object.__hash__


NOT_YET: Final = {
    "F69": "Redis flushed: no part of the product uses Redis yet",
}
"""Faults of the required part of the list that no world can play yet, and why."""

ENABLED_OF_ALL: Final = 0.3
"""The share of the faults that an ordinary seed enables."""

RATES: Final = (0.02, 0.05, 0.15, 0.4)
"""How often a fault strikes at its opportunities."""

RARE_RATES: Final = (0.002, 0.01, 0.03)
"""The same for what has an opportunity at every commit, renewal or request and changes everything after it."""

RARE: Final = (
    Fault.NO_SPACE, Fault.FSYNC_FAILS, Fault.FSYNC_STALLS, Fault.LEASE_UNREACHABLE,
    Fault.FLAPPING, Fault.HALF_OPEN, Fault.ONE_WAY, Fault.NARROW_BAND, Fault.HALTED,
)  # fmt: skip


LATER: Final = (
    Fault.PART_NOT_READ, Fault.LIMITS_LOWERED, Fault.KILL_SWITCH, Fault.TWO_IDS,
    Fault.END_TAKEN_BACK, Fault.MOVED_UNTOLD, Fault.TWINS_MIXED_UP, Fault.ROW_MISSING, Fault.FOREIGN_SNAPSHOT,
    Fault.NEWEST_GONE,
    Fault.CANCEL_FAILS, Fault.NAME_LOST, Fault.OLD_BOOKS, Fault.LATCHED_IN_A_BURST, Fault.PAUSED_BEFORE_CHANGE,
    Fault.FEES_NOT_TOLD, Fault.OLD_WORD_AGAIN, Fault.LINE_BEHIND_FILL,
)  # fmt: skip
"""Faults that came to the list when seeds were known already: each has dice of its own, so that a known seed which does not
meet it lives as it did.
"""


OF_SQLITE: Final = (Fault.LOCK_IGNORED,)
"""Faults of the real journal alone: they strike in the seeds that live on it (world/sqlite.py), and only there."""


class Weather:
    """Which faults this seed lets happen, how often, and which have struck."""

    def __init__(self, dice: Random, *later: Random) -> None:
        self._dice = dice
        self._later = dict(zip(LATER, later, strict=True))
        share = dice.choice((0.0, ENABLED_OF_ALL / 3, ENABLED_OF_ALL, ENABLED_OF_ALL, 2 * ENABLED_OF_ALL))
        self.rates: dict[Fault, float] = {
            fault: dice.choice(RARE_RATES if fault in RARE else RATES)
            for fault in Fault
            if fault not in (*LATER, *OF_SQLITE) and dice.random() < share
        }
        self.rates |= {fault: own.choice(RATES) for fault, own in self._later.items() if own.random() < share}
        self.calm = False
        """Whether the faults have stopped."""
        self.met: Counter[Fault] = Counter()

    def enables(self, fault: Fault) -> bool:
        """Whether this seed knows the fault at all."""
        return fault in self.rates and not self.calm

    def strikes(self, fault: Fault) -> bool:
        """Whether the fault happens now; asking is one opportunity."""
        happens = self.comes(fault)
        if happens:
            self.met[fault] += 1
        return happens

    def comes(self, fault: Fault) -> bool:
        """Whether the fault sets out to happen; whoever asks says when it has (`meet`), for it may come too late."""
        return self.also(fault, self._later.get(fault, self._dice))

    def also(self, fault: Fault, dice: Random) -> bool:
        """The same by other dice: for a part that a fault got when seeds were known already."""
        rate = self.rates.get(fault)
        return rate is not None and not self.calm and dice.random() < rate

    def meet(self, fault: Fault) -> None:
        """The fault happened, by way of the script of this seed."""
        self.met[fault] += 1
