"""What a live account asks for before an order leaves: to be on the list of those, and a person's confirmation (R39).

Asked here, where every order passes, so that no command line, no page and no program can forget it. An order of a run goes by
the confirmation of its run; an order of its own needs one where it is worth more than the desk's figure for that. What closes
positions under a FLATTEN asks for nothing: a stop is never held up.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.confirmation import Confirmation, Frozen, ShownOrder, content_hash, is_phrase, phrase_of
from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.risk.cost import bound_px
from tradeloop.core.risk.denied import Denied, asked_for, of_account, of_symbol
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ClOrdID, Px, RunID, Symbol, UtcNs

LIVE_ACCOUNT = "live_account"
LIVE_CONFIRMATION = "live_confirmation"
LIVE_CHANGED = "live_changed"


def trades_live(state: State, around: Surroundings, broker: str) -> bool:
    """Whether real money is traded at a broker: by the settings, or by the journal, where it was once."""
    if broker in around.policy.live:
        return True
    known = state.brokers.get(broker)
    return known is not None and known.live


def is_listed(around: Surroundings, account: str) -> bool:
    """Whether the settings name the account as one that trades live."""
    return account in around.policy.live_accounts


def unlisted(account: str, broker: str) -> str:
    """What is said of an account that they do not name."""
    return (
        f"broker {broker} trades live, and account {account} is not among live.accounts; whoever owns it adds it there, and the"
        " desk is started again"
    )


def account_listed(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An account trades at a live broker only where the settings name it. Asked again of what is sent late."""
    if order.halt or not trades_live(state, around, order.broker) or is_listed(around, order.account):
        return None
    text = unlisted(order.account, order.broker)
    return Denied(LIVE_ACCOUNT, "listed", "not listed", text, of_account(order), asked_for(order))


def run_confirmed(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An order of a run leaves for a live broker only where a person confirmed the run. Asked again of what is sent late."""
    if order.run_id is None or not trades_live(state, around, order.broker) or is_confirmed(state, order.run_id):
        return None
    text = f"run {order.run_id} was not confirmed for live account {order.account}; cancel it, and make and confirm a new one"
    return Denied(LIVE_CONFIRMATION, "confirmed", "not confirmed", text, of_account(order), asked_for(order))


def is_confirmed(state: State, run_id: RunID) -> bool:
    """Whether a person confirmed a run for a live account."""
    run = state.runs.get(run_id)
    return run is not None and bool(run.confirmed_by)


def own_confirmed(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An order of its own that was made before its broker was live, a stop that is held above all, does not leave for it where
    it is worth more than the desk's figure: nobody was asked. Asked of what is sent late.
    """
    if not isinstance(order, Order) or order.live or order.run_id is not None or order.halt:
        return None
    if not trades_live(state, around, order.broker):
        return None
    worth = value_of(around, order, instrument)
    most = around.policy.live_order_value
    if worth is not None and worth <= most:
        return None
    was = "no price known" if worth is None else f"{worth:f}"
    text = (
        f"order {order.cl_ord_id} ({asked_for(order)} {order.symbol}) was made before broker {order.broker} traded live, and"
        f" nobody confirmed it for live account {order.account}; make and confirm a new one"
    )
    return Denied(LIVE_CONFIRMATION, f"{most:f}", "", text, of_account(order), was)


def order_confirmed(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An order of its own leaves for a live broker with the confirmation of exactly it, or where it is worth no more than the
    desk's figure. Asked when it is made.
    """
    if isinstance(order, Order) or order.run_id is not None or order.halt or not trades_live(state, around, order.broker):
        return None
    worth = value_of(around, order, instrument)
    if worth is not None and worth <= around.policy.live_order_value:
        return None
    given = order.confirmed
    return _refused(around, order, worth, given, content_of_order(order, None if given is None else given.px))


def change_confirmed(
    state: State, around: Surroundings, intent: OrderStaged, instrument: Instrument, given: Confirmation | None
) -> Denied | None:
    """The same of other terms that ask for more of an order, whatever made it."""
    if not trades_live(state, around, intent.broker):
        return None
    worth = value_of(around, intent, instrument)
    if worth is not None and worth <= around.policy.live_order_value:
        return None
    return _refused(around, intent, worth, given, content_of_change(intent, None if given is None else given.px))


def frozen_order(
    state: State, around: Surroundings, intent: OrderStaged, instrument: Instrument, now: UtcNs, px: Px | None = None
) -> Frozen | None:
    """What there is to confirm of an order that was asked for, or that was shown at `px` before; None where it leaves without
    a person's word.
    """
    bare = msgspec.structs.replace(intent, confirmed=None)
    if order_confirmed(state, around, bare, instrument, now) is None:
        return None
    px = shown_px(around, intent) if px is None else px
    return _frozen(around, intent, instrument, content_of_order(intent, px), px)


def frozen_change(around: Surroundings, intent: OrderStaged, instrument: Instrument) -> Frozen:
    """The same of an order under the terms asked for, which need a person's word."""
    px = shown_px(around, intent)
    return _frozen(around, intent, instrument, content_of_change(intent, px), px)


def _frozen(around: Surroundings, intent: OrderStaged, instrument: Instrument, content: str, px: Px | None) -> Frozen:
    what = (intent.symbol, intent.side, intent.order_qty, intent.ord_type, intent.price, intent.stop_px)
    seen = seen_px(around, intent.symbol) if px is None else px
    worth = value_of(around, intent, instrument)
    line = ShownOrder(0, *what, seen, intent.position_effect, worth, instrument.currency)
    return Frozen(content, 1, phrase_of(intent.account, 1), (line,), px)


def shown_px(around: Surroundings, order: OrderStaged) -> Px | None:
    """The price that a person is shown, and bound to, of an order without one of its own; None of one that has a limit or a
    trigger, and where no market is seen.
    """
    return seen_px(around, order.symbol) if order.price is None and order.stop_px is None else None


def seen_px(around: Surroundings, symbol: Symbol) -> Px | None:
    """The present price, as the quote shows it."""
    quote = around.quotes.get(symbol)
    seen = None if quote is None else quote.mid_or_last
    return None if seen is None else Px(seen)


def drifted(around: Surroundings, order: OrderStaged | Order, then: Px | None, since: str) -> Denied | None:
    """The market has moved further from `then` than an order may leave at; `since` when that is the price."""
    seen, limit = seen_px(around, order.symbol), around.policy.max_drift
    if seen is None or then is None or abs(seen - then) <= then * limit:
        return None
    return Denied(
        "price_drift",
        f"{limit:%}",
        f"{then:f} to {seen:f}",
        f"{order.symbol} moved from {then:f} to {seen:f} since {since}",
        of_symbol(order),
        asked_for(order),
    )


def value_of(around: Surroundings, order: OrderStaged | Order, instrument: Instrument) -> Decimal | None:
    """The most that an order may be worth; None where no price bounds it."""
    quote = around.quotes.get(order.symbol)
    px = bound_px(around, order.side, order.ord_type, order.price, order.stop_px, instrument, quote)
    return None if px is None else instrument.notional(px, order.order_qty)


def content_of_order(order: OrderStaged, px: Px | None) -> str:
    """The hash of an order that is about to be made, whatever its id will be; `px`: the price that was shown of one without a
    price of its own.
    """
    return content_hash("order", (*_terms(order), px))


def content_of_change(order: OrderStaged, px: Px | None) -> str:
    """The hash of an order that is there, under the terms asked for."""
    return content_hash("change", (ClOrdID(order.cl_ord_id), *_terms(order), px))


def _terms(order: OrderStaged) -> tuple[str | Decimal | None, ...]:
    return (
        order.broker,
        order.account,
        order.symbol,
        order.side.value,
        order.order_qty,
        order.ord_type.value,
        order.price,
        order.stop_px,
        order.tif.value,
        order.position_effect.value,
        order.strategy_id,
        order.risk_version,
    )


def _refused(
    around: Surroundings, order: OrderStaged, worth: Decimal | None, given: Confirmation | None, content: str
) -> Denied | None:
    most = around.policy.live_order_value
    was = "no price known" if worth is None else f"{worth:f}"
    where = of_account(order)
    if given is None or not given.second_factor or not is_phrase(given.phrase, order.account, 1):
        text = (
            f"{asked_for(order)} {order.symbol} may be worth {was} at live account {order.account}, above {most:f}: it needs a"
            f" confirmation, the words {phrase_of(order.account, 1)!r} and a second factor"
        )
        return Denied(LIVE_CONFIRMATION, f"{most:f}", "", text, where, was)
    if given.content != content:
        text = (
            f"what was confirmed for live account {order.account} is another order, or the limits changed since; look at this"
            " one and confirm it"
        )
        return Denied(LIVE_CHANGED, content[:12], given.content[:12], text, where, asked_for(order))
    if order.price is not None or order.stop_px is not None:
        return None
    if given.px is None:
        text = f"{asked_for(order)} {order.symbol} was confirmed without a price; wait for a quote, and confirm it anew"
        return Denied(LIVE_CHANGED, "a price", "none", text, where, asked_for(order))
    gone = drifted(around, order, given.px, "it was shown and confirmed; look at it again and confirm it")
    return None if gone is None else Denied(LIVE_CHANGED, gone.limit, gone.was, gone.text, where, gone.this_order)
