"""At a broker that trades live a halt or symbol is released with a second factor alone; which one is a fact, its code not."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec
import pytest

from tradeloop.core.commands import HaltTrading, ReleaseHalt, ReleaseSymbol
from tradeloop.core.errors import BadInput
from tradeloop.core.events import HaltReleased, SymbolReleased, TradedAt
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import Start
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import Side
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
LIVE: Final = Policy(live=(BROKER,), live_accounts=(ACCOUNT,), live_order_value=Decimal(1_000_000))


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (HaltScope.GLOBAL, ""),
        (HaltScope.BROKER, BROKER),
        (HaltScope.ACCOUNT, ACCOUNT),
        (HaltScope.VENUE, "SH"),
        (HaltScope.SYMBOL, MOUTAI),
        (HaltScope.STRATEGY, "alpha"),
    ],
)
def test_where_the_broker_is_live_no_halt_is_released_without_a_second_factor(scope: HaltScope, name: str) -> None:
    desk = Desk(LIVE).opened(an_instrument(MOUTAI))
    desk.give(HaltTrading(HaltTier.HALT, "ann", "fat finger", scope, name))
    with pytest.raises(BadInput, match=f"broker {BROKER} trades live: a halt there is released with a second factor"):
        desk.give(ReleaseHalt("bob", "looked at it", scope, name, numbers=(1,)))
    assert desk.of(HaltReleased) == []
    desk.give(ReleaseHalt("bob", "looked at it", scope, name, "totp", (1,), set_up_by="ann"))
    assert [(event.second_factor, event.set_up_by) for event in desk.of(HaltReleased)] == [("totp", "ann")]


def test_where_the_broker_is_live_no_symbol_is_released_without_a_second_factor() -> None:
    desk = Desk(LIVE).opened(an_instrument(MOUTAI))
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 300, "10.00"))
    release = ReleaseSymbol(order.symbol, "bob", "looked at the contract note")
    with pytest.raises(BadInput, match=f"broker {BROKER} trades live: a symbol there is released with a second factor"):
        desk.give(release)
    assert (desk.of(SymbolReleased), [*desk.state.halted]) == ([], [MOUTAI])
    desk.give(msgspec.structs.replace(release, second_factor="totp", set_up_by="ann"))
    assert [(event.second_factor, event.set_up_by) for event in desk.of(SymbolReleased)] == [("totp", "ann")]
    assert not desk.state.halted


def test_a_halt_of_another_broker_than_the_live_one_needs_no_second_factor() -> None:
    desk = Desk(Policy(live=("elsewhere",))).opened(an_instrument(MOUTAI))
    for scope, name in ((HaltScope.BROKER, BROKER), (HaltScope.ACCOUNT, ACCOUNT)):
        desk.give(HaltTrading(HaltTier.HALT, "ann", "fat finger", scope, name))
        desk.give(ReleaseHalt("bob", "looked at it", scope, name, numbers=tuple(desk.state.halts)))
    assert [event.second_factor for event in desk.of(HaltReleased)] == ["", ""]


def test_a_broker_that_the_journal_knows_as_live_stays_live_whatever_a_later_process_says() -> None:
    desk = Desk().opened(an_instrument(MOUTAI))
    desk.give(Start(2, "test", "t1", brokers=(TradedAt(BROKER, "acme", live=True),)))
    desk.give(Start(3, "test", "t1", brokers=(TradedAt(BROKER, "acme", live=False),)), Start(4, "test", "t1"))
    assert desk.state.brokers[BROKER].live
    desk.state = State.unpack(desk.state.pack())
    desk.give(HaltTrading(HaltTier.HALT, "ann", "fat finger"))
    with pytest.raises(BadInput, match=f"broker {BROKER} trades live"):
        desk.give(ReleaseHalt("bob", "looked at it", numbers=(1,)))
    desk.give(ReleaseHalt("bob", "looked at it", second_factor="totp", numbers=(1,)))
    assert [event.second_factor for event in desk.of(HaltReleased)] == ["totp"]


def test_a_rehearsal_that_became_live_is_live() -> None:
    desk = Desk().opened(an_instrument(MOUTAI))
    for epoch, live in ((2, False), (3, True)):
        desk.give(Start(epoch, "test", "t1", brokers=(TradedAt(BROKER, "toy", live=live),)))
    assert desk.state.brokers == {BROKER: TradedAt(BROKER, "toy", live=True)}
