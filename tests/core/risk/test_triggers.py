"""What stops trading by itself: each trigger at its limit and beyond, once, after a restart, in shadow, and unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, refused, sells

from tradeloop.core.commands import OpenTradingDay, ReleaseHalt, RepairBreak, SetLimits
from tradeloop.core.effects import RaiseAlert, SetTimer
from tradeloop.core.events import EquityMarked, Halted, LimitCleared, LimitTripped
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import after_restart
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.triggers import TRIGGERS, Place
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.tripping import RISK_LOOK
from tradeloop.core.types import SECOND_NS, AccountID, Amount, Px, Symbol, TradingDay, UtcNs
from tradeloop.core.valuation import Valuation
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument
from tradeloop.testing.desk import Desk

GLOBAL: Final = LimitScope.GLOBAL


def looks(desk: Desk, after: float = 1) -> None:
    """A look at the risk, some seconds later."""
    desk.wait(after)
    desk.give(TimerFired(RISK_LOOK, ""))


def quoted(desk: Desk, px: str) -> None:
    """The market is at this price, now."""
    desk.give(a_quote(MOUTAI, px, px, at=desk.now))


def a_holder(limit: RiskLimit) -> Desk:
    """Holds 1000 at 10, so that its equity is 10,000 and its cash; the day's mark is taken."""
    desk = limited(limit, desk=Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, cash=10_000, quoted=False))
    quoted(desk, "10")
    looks(desk)
    return desk


def falls_to(px: str) -> Callable[[Desk], None]:
    """The held share falls, and it is looked."""

    def fall(desk: Desk) -> None:
        quoted(desk, px)
        looks(desk)

    return fall


def a_difference(limit: RiskLimit) -> Desk:
    """The broker shows a share that our books have not; it is found now."""
    desk = limited(limit)
    desk.give(a_snapshot(positions={BANK: 100}, as_of=desk.now))
    return desk


def the_books_agree(desk: Desk) -> None:
    desk.give(a_snapshot(as_of=desk.now))


def clock_is_off(seconds: str) -> Callable[[Desk], None]:
    """A look at the books whose time lies so far from ours."""

    def look(desk: Desk) -> None:
        off = UtcNs(desk.now + int(Decimal(seconds) * SECOND_NS))
        desk.give(a_snapshot(as_of=off, asked_at=desk.now))
        looks(desk, 0)

    return look


def waits(seconds: float) -> Callable[[Desk], None]:
    """So long nothing comes, then it is looked."""
    return lambda desk: looks(desk, seconds)


@dataclass(frozen=True)
class Case:
    """`at` comes to the limit, `beyond` goes past it; `again` brings it back within."""

    limit: RiskLimit
    desk: Callable[[RiskLimit], Desk]
    at: Callable[[Desk], None]
    beyond: Callable[[Desk], None]
    again: Callable[[Desk], None]
    halts: tuple[HaltScope, str]


OF_ACCOUNT: Final = (HaltScope.ACCOUNT, ACCOUNT)
CASES: Final = (
    Case(a_limit("max_daily_loss", 1000), a_holder, falls_to("9"), falls_to("8.99"), falls_to("10"), OF_ACCOUNT),
    Case(a_limit("max_drawdown", "0.05"), a_holder, falls_to("9"), falls_to("8.99"), falls_to("10"), OF_ACCOUNT),
    Case(a_limit("max_break_seconds", 30), a_difference, waits(30), waits(31), the_books_agree, OF_ACCOUNT),
    Case(
        limit=a_limit("max_feed_silence_seconds", 30, GLOBAL),
        desk=limited,
        at=waits(30),
        beyond=waits(31),
        again=falls_to("10"),
        halts=(HaltScope.GLOBAL, ""),
    ),
    Case(
        limit=a_limit("max_clock_offset_seconds", "0.5", GLOBAL),
        desk=limited,
        at=clock_is_off("0.5"),
        beyond=clock_is_off("0.6"),
        again=clock_is_off("0"),
        halts=(HaltScope.BROKER, BROKER),
    ),
)
each_trigger = pytest.mark.parametrize("case", CASES, ids=lambda case: case.limit.rule)


def test_every_trigger_has_a_case() -> None:
    assert sorted(case.limit.rule for case in CASES) == sorted(TRIGGERS)


@each_trigger
def test_what_comes_to_its_limit_stops_nothing(case: Case) -> None:
    desk = case.desk(case.limit)
    case.at(desk)
    assert desk.of(Halted) == []


@each_trigger
def test_what_goes_beyond_its_limit_halts_its_place_and_says_the_figures(case: Case) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    (halted,) = desk.of(Halted)
    assert (halted.scope, halted.name, halted.tier, halted.by) == (*case.halts, HaltTier.HALT, "risk")
    assert TRIGGERS[case.limit.rule].words.title in halted.reason
    reply = desk.give(buys(100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "halted"


@each_trigger
def test_it_stops_as_much_as_its_limit_says(case: Case) -> None:
    desk = case.desk(msgspec.structs.replace(case.limit, tier=HaltTier.REDUCE_ONLY))
    case.beyond(desk)
    assert [each.tier for each in desk.of(Halted)] == [HaltTier.REDUCE_ONLY]


@each_trigger
def test_whoever_releases_it_is_not_overruled_a_second_later(case: Case) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    desk.give(ReleaseHalt("ann", "looked at it", *case.halts, numbers=tuple(desk.state.halts)))
    looks(desk)
    assert desk.state.halts == {}


@each_trigger
def test_it_trips_again_when_it_was_within_its_limit_in_between(case: Case) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    desk.give(ReleaseHalt("ann", "looked at it", *case.halts, numbers=tuple(desk.state.halts)))
    case.again(desk)
    looks(desk, 0)
    assert len(desk.of(LimitCleared)) == 1
    if case.desk is a_difference:
        desk.give(a_snapshot(positions={BANK: 100}, as_of=desk.now))
    case.beyond(desk)
    assert len(desk.of(Halted)) == 2


@each_trigger
def test_in_shadow_it_says_what_it_would_have_stopped(case: Case) -> None:
    desk = case.desk(msgspec.structs.replace(case.limit, shadow=True))
    case.beyond(desk)
    assert [each.shadow for each in desk.of(LimitTripped)] == [True]
    assert desk.of(Halted) == []
    assert "would have halted" in desk.of(RaiseAlert)[-1].text


@pytest.mark.parametrize("from_snapshot", [False, True], ids=["journal", "snapshot"])
@each_trigger
def test_a_restart_measures_by_the_same_marks_and_trips_once(case: Case, from_snapshot: bool) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    if from_snapshot:
        desk.state = State.unpack(desk.state.pack())
    else:
        desk.state = State()
        for event in desk.events:
            evolve(desk.state, event)
    looks(desk)
    assert len(desk.of(Halted)) == 1
    assert RISK_LOOK in [each.kind for each in after_restart(desk.state, desk.around) if isinstance(each, SetTimer)]


def test_without_a_trigger_nobody_looks() -> None:
    desk = limited(a_limit("max_order_value", 5000))
    assert RISK_LOOK not in [each.kind for each in desk.of(SetTimer)]
    desk.give(SetLimits((a_limit("max_daily_loss", 1000),), "risk.yaml"))
    assert RISK_LOOK in [each.kind for each in desk.of(SetTimer)]


LOSSES: Final = (a_limit("max_daily_loss", 1000), a_limit("max_drawdown", "0.05"))
each_loss = pytest.mark.parametrize("limit", LOSSES, ids=lambda limit: limit.rule)


def an_unpriced_holder(limit: RiskLimit, *, marked: bool = False) -> Desk:
    """Holds 1000 of a stock with a price and 1000 of one that nobody has named a price of, looked at for a minute and more.
    `marked`: what it was worth when its day began is on record.
    """
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(BANK), positions={MOUTAI: 1000, BANK: 1000}, quoted=marked)
    quoted(desk, "10")
    limited(limit, desk=desk)
    looks(desk)
    if marked:  # a new process: it has heard of one of the two prices
        desk.around.quotes.clear()
        desk.around.valuation = Valuation()
        desk.give(a_quote(MOUTAI, "10", "10", at=desk.now))
    looks(desk)
    for _ in range(3):
        looks(desk, 25)
    quoted(desk, "10")
    return desk


def unknowns(desk: Desk) -> list[RaiseAlert]:
    return [alert for alert in desk.of(RaiseAlert) if "cannot be measured" in alert.text]


@pytest.mark.parametrize("marked", [False, True], ids=["never known", "known before"])
@each_loss
def test_where_a_loss_cannot_be_measured_people_are_told_once_and_only_closing_goes_on(limit: RiskLimit, marked: bool) -> None:
    desk = an_unpriced_holder(limit, marked=marked)
    (told,) = unknowns(desk)
    assert told.level == "CRITICAL"
    assert BANK in told.text
    assert desk.of(Halted) == []
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.rule, denied.was) == ("equity_known", "unknown")
    assert refused(desk, sells(100)) is None


@each_loss
def test_it_opens_again_as_soon_as_the_price_is_known(limit: RiskLimit) -> None:
    desk = an_unpriced_holder(limit)
    desk.give(a_quote(BANK, at=desk.now))
    looks(desk)
    assert len(desk.of(LimitCleared)) == 1
    assert refused(desk, buys(100)) is None


@each_loss
def test_within_the_patience_nothing_is_said_of_an_unknown_loss(limit: RiskLimit) -> None:
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(BANK), positions={BANK: 1000}, quoted=False)
    quoted(desk, "10")
    limited(limit, desk=desk)
    looks(desk)
    looks(desk, 59)
    assert unknowns(desk) == []
    looks(desk, 1)
    assert len(unknowns(desk)) == 1


@pytest.mark.parametrize("changes", [{"allow_missing": True}, {"shadow": True}], ids=["missing: allow", "shadow"])
@each_loss
def test_an_unknown_loss_refuses_nothing_where_its_limit_says_so(limit: RiskLimit, changes: dict[str, bool]) -> None:
    desk = an_unpriced_holder(msgspec.structs.replace(limit, **changes))
    assert len(unknowns(desk)) == 1
    assert refused(desk, buys(100)) is None


@each_loss
def test_after_a_restart_an_unknown_loss_refuses_as_before_and_is_not_told_again(limit: RiskLimit) -> None:
    desk = an_unpriced_holder(limit)
    desk.state = State.unpack(desk.state.pack())
    desk.around.unmeasured.clear()
    looks(desk)
    denied = refused(desk, buys(100))
    assert denied is not None
    assert denied.rule == "equity_known"
    assert len(unknowns(desk)) == 1


@pytest.mark.parametrize("loser", [0, 1])
@pytest.mark.parametrize(("rule", "value"), [("max_daily_loss", 1000), ("max_drawdown", "0.05")])
def test_of_two_accounts_in_one_currency_each_is_measured(rule: str, value: int | str, loser: int) -> None:
    """Whichever of them loses is halted, and the other is not."""
    other = AccountID("other")
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(BANK), positions={MOUTAI: 1000}, cash=10_000)
    theirs = a_snapshot(positions={BANK: 1000}, cash=10_000)
    assert theirs.positions is not None
    assert theirs.cash is not None
    held, cash = ([msgspec.structs.replace(each, account=other) for each in of] for of in (theirs.positions, theirs.cash))
    desk.give(msgspec.structs.replace(theirs, account=other, positions=tuple(held), cash=tuple(cash)))
    limited(a_limit(rule, value), desk=desk)
    looks(desk)
    desk.give(a_quote((MOUTAI, BANK)[loser], "8.5", "8.5", at=desk.now))
    looks(desk)
    assert [(halted.scope, halted.name) for halted in desk.of(Halted)] == [(HaltScope.ACCOUNT, (ACCOUNT, other)[loser])]


def repaired(desk: Desk, **books: object) -> None:
    """The broker shows other books, and a person takes them over."""
    desk.wait(5)
    for _ in range(4):
        desk.wait(5)
        desk.give(a_snapshot(**{"positions": {MOUTAI: 1000}, "cash": 10_000, **books}, as_of=desk.now))  # type: ignore[arg-type]
    (known,) = desk.state.breaks.values()
    desk.give(RepairBreak(known.break_id, "ann", "moved by us"))
    quoted(desk, "10")
    looks(desk)


@pytest.mark.parametrize(
    "books",
    [{"cash": 5000}, {"cash": 15_000}, {"positions": {MOUTAI: 500}}, {"positions": {MOUTAI: 1500}}],
    ids=["withdrawn", "paid in", "shares moved away", "shares moved in"],
)
@each_loss
def test_what_is_moved_in_or_out_is_no_profit_and_no_loss(limit: RiskLimit, books: dict[str, object]) -> None:
    desk = a_holder(limit)
    repaired(desk, **books)
    assert desk.of(Halted) == []
    quoted(desk, "7")
    looks(desk)
    assert len(desk.of(Halted)) == 1


def test_a_fee_is_a_loss_too() -> None:
    desk = a_holder(a_limit("max_daily_loss", 50))
    order = desk.order(buys(100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, order.side, 100, "10", commission=Amount(Decimal(51))))
    looks(desk)
    assert len(desk.of(Halted)) == 1


def test_the_highest_equity_is_recorded_when_it_is_higher_by_a_part_in_a_thousand() -> None:
    desk = a_holder(a_limit("max_drawdown", "0.05"))
    for px in ("10.01", "10.02", "10.03"):
        falls_to(px)(desk)
    assert [each.equity for each in desk.of(EquityMarked)] == [Decimal(20_000), Decimal(20_030)]


def fails(case: Case, desk: Desk, monkeypatch: pytest.MonkeyPatch, after: float = 1) -> None:
    """The trigger meets what nobody thought of, and it is looked."""

    def watch(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
        raise ZeroDivisionError("no price")

    with monkeypatch.context() as patched:
        patched.setitem(TRIGGERS, case.limit.rule, msgspec.structs.replace(TRIGGERS[case.limit.rule], watch=watch))
        looks(desk, after)


@each_trigger
def test_a_trigger_that_fails_halts_what_it_watches_over_and_says_it_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = case.desk(case.limit)
    fails(case, desk, monkeypatch)
    fails(case, desk, monkeypatch)
    (halted,) = desk.of(Halted)
    scope = (HaltScope.GLOBAL, "") if case.limit.scope is GLOBAL else OF_ACCOUNT
    assert (halted.scope, halted.name, halted.tier, halted.by) == (*scope, HaltTier.HALT, "risk")
    assert "could not be measured: ZeroDivisionError: no price" in halted.reason
    told = [alert for alert in desk.of(RaiseAlert) if "ZeroDivisionError" in alert.text]
    assert [alert.level for alert in told] == ["CRITICAL"]
    reply = desk.give(buys(100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "halted"


@each_trigger
def test_a_trigger_that_failed_measures_again_and_whoever_released_it_is_not_overruled(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = case.desk(case.limit)
    fails(case, desk, monkeypatch)
    (halted,) = desk.of(Halted)
    desk.give(ReleaseHalt("ann", "looked at it", halted.scope, halted.name, numbers=(halted.number,)))
    fails(case, desk, monkeypatch)
    assert desk.state.halts == {}
    looks(desk)
    assert [each.what for each in desk.of(LimitCleared)] == ["failed"]
    fails(case, desk, monkeypatch, 0)
    assert len(desk.of(Halted)) == 2


@each_trigger
def test_a_trigger_that_fails_in_shadow_is_told_and_stops_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = case.desk(msgspec.structs.replace(case.limit, shadow=True))
    fails(case, desk, monkeypatch)
    assert desk.of(Halted) == []
    assert desk.of(RaiseAlert)[-1].level == "CRITICAL"
    assert "ZeroDivisionError: no price" in desk.of(RaiseAlert)[-1].text


def test_a_place_that_is_a_strategy_has_no_position_to_close_and_its_orders_are_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def watch(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
        yield Place(HaltScope.STRATEGY, "trend", "trend", Decimal(2000))

    monkeypatch.setitem(TRIGGERS, "max_daily_loss", msgspec.structs.replace(TRIGGERS["max_daily_loss"], watch=watch))
    desk = a_holder(a_limit("max_daily_loss", 1000, tier=HaltTier.FLATTEN))
    looks(desk)
    assert [(each.tier, each.scope, each.name) for each in desk.of(Halted)] == [
        (HaltTier.CANCEL_ALL, HaltScope.STRATEGY, "trend")
    ]


def test_what_cannot_be_marked_halts_the_account_whose_loss_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_holder(a_limit("max_daily_loss", 1000))

    def equity(*_: object) -> None:
        raise InvalidOperation("no number")

    monkeypatch.setattr(Valuation, "equity", equity)
    looks(desk)
    assert [(each.scope, each.name) for each in desk.of(Halted)] == [OF_ACCOUNT]


SILENCE: Final = a_limit("max_feed_silence_seconds", 30, GLOBAL)


def with_a_break(desk: Desk) -> UtcNs:
    """The session trades for 100 seconds more, and then again an hour later: when that is."""
    again = UtcNs(desk.now + 3700 * SECOND_NS)
    windows = (UtcNs(desk.now - SECOND_NS), UtcNs(desk.now + 100 * SECOND_NS)), (again, UtcNs(again + 3600 * SECOND_NS))
    desk.give(OpenTradingDay(desk.state.instruments[Symbol(MOUTAI)].session, TradingDay("2026-07-18"), windows))
    return again


def test_a_feed_is_not_silent_while_its_market_is_shut() -> None:
    """The first look after the lunch break finds a quote of the morning."""
    desk = limited(SILENCE)
    again = with_a_break(desk)
    desk.wait(99)
    for symbol in (MOUTAI, BANK):
        desk.give(a_quote(symbol, at=desk.now))
    looks(desk, 2000)
    desk.now = again
    looks(desk, 30)
    assert desk.of(Halted) == []
    looks(desk, 1)
    assert len(desk.of(Halted)) == 1


def test_a_feed_that_never_told_anything_is_silent_where_something_is_held() -> None:
    held = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, quoted=False)
    flat = Desk().opened(an_instrument(MOUTAI), quoted=False)
    for desk, halted in ((held, 1), (flat, 0)):
        limited(SILENCE, desk=desk)
        looks(desk, 31)
        assert len(desk.of(Halted)) == halted


NEW_YORK: Final = Symbol("BAC.US")


@pytest.mark.parametrize("works", [False, True], ids=["held", "works"])
def test_a_market_that_talks_hides_no_other_that_is_silent(works: bool) -> None:
    """Something is at stake in Shanghai, whose feed is dead; New York goes on telling."""
    shares = an_instrument(MOUTAI), an_instrument(NEW_YORK, market="US", session="US")
    desk = Desk().opened(*shares, positions={} if works else {MOUTAI: 1000}, cash=10_000)
    if works:
        desk.order(buys(100))
    limited(SILENCE, desk=desk)
    for _ in range(4):
        desk.wait(10)
        desk.give(a_quote(NEW_YORK, at=desk.now))
        looks(desk, 0)
    (halted,) = desk.of(Halted)
    assert "the silence of the feed is 40" in halted.reason
    assert "feed of CN_A" in halted.reason


def test_a_market_in_which_nothing_is_at_stake_may_be_silent_while_another_talks() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(NEW_YORK, market="US", session="US"), positions={MOUTAI: 1000})
    limited(SILENCE, desk=desk)
    for _ in range(4):
        desk.wait(10)
        desk.give(a_quote(MOUTAI, at=desk.now))
        looks(desk, 0)
    assert desk.of(Halted) == []


def test_what_an_account_is_worth_is_recorded_only_where_a_limit_on_losses_asks() -> None:
    two = (a_limit("max_break_seconds", 30), a_limit("max_feed_silence_seconds", 30, GLOBAL))
    desk = limited(*two, desk=Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, cash=10_000))
    looks(desk)
    assert desk.of(EquityMarked) == []
    desk.give(SetLimits((*two, a_limit("max_daily_loss", 10, name="elsewhere")), "risk.yaml"))
    looks(desk)
    assert desk.of(EquityMarked) == []
    desk.give(SetLimits((*two, a_limit("max_daily_loss", 10, currency="USD")), "risk.yaml"))
    looks(desk)
    assert desk.of(EquityMarked) == []
    desk.give(SetLimits((*two, a_limit("max_daily_loss", 10)), "risk.yaml"))
    looks(desk)
    assert [(each.account, each.currency) for each in desk.of(EquityMarked)] == [(ACCOUNT, "CNY")]


def test_a_loss_in_money_of_which_there_is_none_is_a_loss_all_the_same() -> None:
    """A share of Hong Kong in an account with yuan alone."""
    hong_kong = an_instrument("00700.HK", currency="HKD", market="HK")
    desk = limited(
        a_limit("max_daily_loss", 100, GLOBAL), desk=Desk().opened(hong_kong, positions={"00700.HK": 1000}, quoted=False)
    )
    for px in ("400", "399.91", "399.90", "399.89"):
        desk.give(a_quote("00700.HK", px, px, at=desk.now))
        looks(desk)
    (halted,) = desk.of(Halted)
    assert "110" in halted.reason


def test_a_quote_from_far_ahead_hides_no_silence() -> None:
    """A feed whose clock is hours ahead, once, and is silent then."""
    held = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 100})
    desk = limited(a_limit("max_feed_silence_seconds", 5, GLOBAL), desk=held)
    desk.give(a_quote(BANK, at=desk.now + 8 * 3600 * SECOND_NS))
    looks(desk, 5)
    assert desk.of(Halted) == []
    looks(desk, 1)
    assert len(desk.of(Halted)) == 1


def test_the_gap_over_night_is_a_loss_of_the_day_however_late_the_desk_starts() -> None:
    """Carried over at 10, and the desk looks first when the next day has brought it to 9."""
    held = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, quoted=False)
    desk = limited(a_limit("max_daily_loss", 999), desk=held)
    quoted(desk, "10")
    looks(desk)
    desk.wait(24 * 3600)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((UtcNs(desk.now), UtcNs(desk.now + 3600 * SECOND_NS)),)))
    desk.give(a_quote(MOUTAI, "9", "9", at=desk.now, prev_close=Px(Decimal(10))))
    looks(desk)
    looks(desk)
    (halted,) = desk.of(Halted)
    assert "1000" in halted.reason


def test_what_was_bought_before_anybody_looked_is_no_loss_of_the_day() -> None:
    """Adopted today, bought at 9 today where the day before closed at 10: nobody has lost anything."""
    held = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, quoted=False)
    desk = limited(a_limit("max_daily_loss", 500), desk=held)
    desk.give(a_quote(MOUTAI, "9", "9", at=desk.now, prev_close=Px(Decimal(10))))
    looks(desk)
    looks(desk)
    assert desk.of(Halted) == []
