"""What a limit on losses has not known for too long: what an account is worth. Nobody can say then that it is within the limit.

Told once (core/tripping.py). Until it is known again nothing new is opened in the account, unless the limit lets through what
it does not know (`missing: allow`); what closes goes on. It ends by itself: a price is what is missing, not a decision.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.risk.denied import Denied, asked_for
from tradeloop.core.risk.judging import UNKNOWN
from tradeloop.core.risk.stopped import reduces
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, AccountID

PATIENCE_NS: Final = 60 * SECOND_NS
"""For how long nothing is said or stopped: as long as a quote may be old. A process that begins has seen no price yet."""
_MARK: Final = f"{UNKNOWN} "


def unmeasured(what: str) -> str:
    """The name under which it is recorded that a place of a limit cannot be measured, beside that place itself."""
    return f"{_MARK}{what}"


def is_measured(what: str) -> bool:
    """Whether a place that is recorded as exceeded was measured at all."""
    return not what.startswith(_MARK)


def kept_back(state: State, order: OrderStaged | Order, instrument: Instrument) -> Denied | None:
    """Why an order may not open anything in its account now, or None: what only closes passes, and so does the work of a
    FLATTEN.
    """
    if order.halt:
        return None
    for limit_id, what in state.limits.tripped:
        limit = state.limits.in_force[limit_id]
        if limit.shadow or limit.allow_missing or _account(what) != order.account:
            continue
        if reduces(state, order, instrument):
            return None
        text = (
            f"{limit.rule} ({limit.where}) bounds what {order.account} may lose, and what it is worth is not known: a holding "
            "has no price; start its feed, or send only what closes"
        )
        return Denied("equity_known", "known", UNKNOWN, text, limit.where, asked_for(order))
    return None


def _account(what: str) -> AccountID | None:
    """Of the name of a place of losses, "account currency", that cannot be measured: whose it is."""
    return AccountID(what.removeprefix(_MARK).rpartition(" ")[0]) if what.startswith(_MARK) else None
