"""What risk says of an order that nobody sends: every check and every limit with its figures, where an order is told the first
that says no. And what limits would have said of orders that were sent: the journal's facts, with other limits in force.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.evolve import evolve
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replacement import Terms
from tradeloop.core.reports import Quote
from tradeloop.core.risk.change import as_intent, lessens
from tradeloop.core.risk.checks import Check
from tradeloop.core.risk.codes import ORDER_CODES
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.judging import Beyond, Verdict, asked, figures, is_beyond, judge
from tradeloop.core.risk.pipeline import LAST, PIPELINE, SAYS
from tradeloop.core.risk.rule import Look, Missing
from tradeloop.core.staging import intent_of
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy, Surroundings
from tradeloop.core.types import UtcNs


class Checked(msgspec.Struct, frozen=True):
    """One code of the checks that hold for every order (core/risk/codes.py), and the no that carries it. `asked` is false where
    another code was the answer of the same check, so that nobody knows of this one.
    """

    code: str
    denied: Denied | None
    asked: bool = True


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
    """Everything that risk says of an order; `denied` is what whoever sends it would be told, the pipeline's first no."""

    intent: ev.OrderStaged
    checks: tuple[Checked, ...]
    figures: tuple[Figure, ...]
    verdict: Verdict
    denied: Denied | None


def explain(state: State, around: Surroundings, want: SubmitOrder, now: UtcNs) -> Answer:
    """Ask everything of an order, and record nothing. Raises BadInput as submitting it would."""
    intent, instrument = intent_of(state, around, want, now)
    said = {rule: rule(state, around, intent, instrument, now) for rule in PIPELINE + LAST}
    look = Look(state, around, intent, instrument, now)
    verdict = judge(look)
    before, last = ([denied for rule in asked if (denied := said[rule])] for asked in (PIPELINE, LAST))
    first = next(iter(before), None) or verdict.denied or next(iter(last), None)
    return Answer(intent, _by_code(said), tuple(_figures(look)), verdict, first)


def _by_code(said: Mapping[Check, Denied | None]) -> tuple[Checked, ...]:
    """What the checks said, code by code, in the order of the registry: two checks may say one code, and one check several."""
    denials: dict[str, Denied] = {}
    asked: dict[str, bool] = {}
    for rule, denied in said.items():
        if denied is not None:
            denials.setdefault(denied.rule, denied)
        for code in SAYS[rule]:
            asked[code] = asked.get(code, True) and (denied is None or denied.rule == code)
    return tuple(Checked(code, denials.get(code), asked[code] or code in denials) for code in ORDER_CODES if code in asked)


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
        self.state.exposure.own.watch(self.state.limits.rules, {}, {})

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
