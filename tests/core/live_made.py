"""A desk whose broker trades live, and confirmations of what is about to leave there, for tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from tradeloop.core.commands import StartRun, SubmitOrder
from tradeloop.core.confirmation import Confirmation, Frozen
from tradeloop.core.instrument import Instrument
from tradeloop.core.risk.live import content_of_order, shown_px
from tradeloop.core.run.conduct import preview, run_id_of
from tradeloop.core.run.confirming import frozen_plan, plan_of
from tradeloop.core.run_book import Run
from tradeloop.core.staging import intent_of
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import Px
from tradeloop.testing.builders import ACCOUNT, BROKER
from tradeloop.testing.desk import Desk

FACTOR: Final = "totp"


def a_live_desk(*instruments: Instrument, small: int = 0, accounts: tuple[str, ...] = (ACCOUNT,), **opened: Any) -> Desk:
    """One where orders of their own worth no more than `small` need no word of a person."""
    policy = Policy(live=(BROKER,), live_accounts=accounts, live_order_value=Decimal(small))
    return Desk(policy).opened(*instruments, **opened)


def as_seen(desk: Desk, cmd: StartRun) -> Frozen:
    """What a person is shown of a run before it is made."""
    seen = preview(desk.state, cmd, desk.now, desk.around.policy.max_drift)
    assert not seen.findings, seen.findings
    return frozen_plan(desk.state, desk.around, run_id_of(cmd, 1), BROKER, cmd.account, seen.lines)


def as_waiting(desk: Desk, run: Run) -> Frozen:
    """The same of a run that was made and waits."""
    return plan_of(desk.state, desk.around, run)


def word_for(frozen: Frozen, **changes: str) -> Confirmation:
    """A person's word for exactly that."""
    return _word(frozen.content, frozen.phrase, frozen.px, changes)


def word_for_order(desk: Desk, command: SubmitOrder, **changes: str) -> Confirmation:
    """The same for an order of its own."""
    intent, _ = intent_of(desk.state, desk.around, command, desk.now)
    px = shown_px(desk.around, intent)
    return _word(content_of_order(intent, px), f"LIVE {ACCOUNT} 1", px, changes)


def _word(content: str, phrase: str, px: Px | None, changes: dict[str, str]) -> Confirmation:
    made: Confirmation = replace(Confirmation(content, phrase, FACTOR, px=px), **changes)
    return made
