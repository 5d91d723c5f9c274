"""What risk says of an order that nobody sends: every check and every limit with its figures, where an order is told the first
that says no. And what limits would have said of orders that were sent: the journal's facts, with other limits in force.
"""

from __future__ import annotations

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.evolve import evolve
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replacement import Terms
from tradeloop.core.reports import Quote
from tradeloop.core.risk.change import as_intent, lessens
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.judging import Beyond, Verdict, asked, figures, is_beyond, judge
from tradeloop.core.risk.pipeline import PIPELINE
from tradeloop.core.risk.rule import Look, Missing
from tradeloop.core.staging import intent_of
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy, Surroundings
from tradeloop.core.types import UtcNs


class Checked(msgspec.Struct, frozen=True):
    """One of the checks that hold for every order, by its name, and its no."""

    name: str
    denied: Denied | None


class Figure(msgspec.Struct, frozen=True):
    """One limit that covers the order. `missing`: what its rule would need to know; `silent`: it has nothing to say of such an
    order.
    """

    limit: RiskLimit
    most: str
    was: str
    adds: str
    is_beyond: bool
    missing: str = ""
    silent: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Everything that risk says of an order; `denied` is what whoever sends it would be told."""

    intent: ev.OrderStaged
    checks: tuple[Checked, ...]
    figures: tuple[Figure, ...]
    verdict: Verdict

    @property
    def denied(self) -> Denied | None:
        """The first no, as the pipeline gives it."""
        return next((each.denied for each in self.checks if each.denied is not None), self.verdict.denied)


def explain(state: State, around: Surroundings, want: SubmitOrder, now: UtcNs) -> Answer:
    """Ask everything of an order, and record nothing. Raises BadInput as submitting it would."""
    intent, instrument = intent_of(state, around, want, now)
    checks = tuple(Checked(rule.__name__, rule(state, around, intent, instrument, now)) for rule in PIPELINE)
    look = Look(state, around, intent, instrument, now)
    return Answer(intent, checks, tuple(_figures(look)), judge(look))


def _figures(look: Look) -> list[Figure]:
    every: list[Figure] = []
    for limit, rule in asked(look):
        found = rule.measure(look, limit)
        if found is None or not (rule.of_closing or look.may_open):
            every.append(Figure(limit, figures(rule, Beyond(limit, Missing("")))[0], "", "", False, silent=True))
            continue
        missing = found.what if isinstance(found, Missing) else ""
        every.append(Figure(limit, *figures(rule, Beyond(limit, found)), is_beyond(rule, limit, found), missing))
    return every


class Hindsight:
    """The facts of a journal, one after the other, with these limits in force instead of those that were.

    What would have been denied has happened all the same, and counts for what came after it. Each order is looked at with the
    price that was recorded with it; nothing else of the market is (docs/adr/0008-quotes-are-not-journalled.md), so a rule that
    needs more of it does not know.
    """

    def __init__(self, limits: tuple[RiskLimit, ...]) -> None:
        self.state = State()
        self._around = Surroundings(Policy(), {})
        self.state.limits.configure(limits)
        self.state.activity.watch(self.state.limits.scopes)

    def feed(self, event: ev.Event) -> Verdict | None:
        """The next fact; what the limits say of an order, or of the terms of one, before it is made. None of other facts."""
        if isinstance(event, ev.LimitsConfigured | ev.LimitSet | ev.LimitEnded):
            return None
        verdict = self._judged(event)
        evolve(self.state, event)
        return verdict

    def _judged(self, event: ev.Event) -> Verdict | None:
        state, around = self.state, self._around
        match event:
            case ev.OrderStaged():
                if event.arrival_px is not None:
                    seen = UtcNs(event.at if event.arrival_at is None else event.arrival_at)
                    around.quotes[event.symbol] = Quote(event.symbol, seen, last=event.arrival_px)
                return judge(Look(state, around, event, state.instruments[event.symbol], event.at))
            case ev.ReplaceRequested():
                order = state.orders.open[event.cl_ord_id]
                terms = Terms(event.order_qty, event.price, event.stop_px)
                intent = as_intent(order, terms, approved_by=event.approved_by, by=event.by)
                look = Look(state, around, intent, state.instruments[order.symbol], event.at, order)
                return judge(look, lessens=lessens(order, terms))
            case _:
                return None
