"""The confirmation of what goes to a live account, in two steps over HTTP (R39, S0-42, S0-52).

The first shows what would leave, frozen, with its hash and a one-time token of whoever was shown it. The second brings the
token back with the words and a code of the person's own second factor. Whatever is wrong with them, nothing is changed; and the
core makes the hash anew from what is about to leave, so that no mistake here lets out what nobody saw.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec

from tradeloop.access.live_tokens import Given
from tradeloop.access.one_time import is_code
from tradeloop.access.refusals import CodeNeeded, LockedOut, SignInRefused, TooBusy
from tradeloop.access.second_factor import KIND
from tradeloop.api.call import Call
from tradeloop.api.persons import Secret, Secretive, ShownOnce, TellsOnce, access_of, asked_by, people_of
from tradeloop.api.plain import Amount, Moment, amount, amount_or_none, moment
from tradeloop.api.problem import Problem
from tradeloop.core.confirmation import Confirmation, Frozen, ShownOrder, are_words

CODE: Final = "live_not_confirmed"
RECOVERY: Final = "recovery code"
"""What the journal calls a code that stands in for a device that is gone."""


class LiveWord(Secretive, frozen=True, forbid_unknown_fields=True):
    """A person's word for what goes to a live account: the token they were shown it with, the words, and a code of now."""

    live_confirm_token: Secret = ""
    phrase: str = ""
    code: Secret = ""


class OrderToConfirm(msgspec.Struct, frozen=True):
    """One order as it is confirmed. `reference_price` is the price that it was planned or seen at: a market order that is no
    longer near it (`engine.max_drift`) does not go. `value`: what it may be worth, null where that is not known.
    """

    leg: int
    symbol: str
    side: str
    quantity: Amount
    order_type: str
    price: Amount | None
    stop_price: Amount | None
    reference_price: Amount | None
    position_effect: str
    value: Amount | None
    currency: str


class Total(msgspec.Struct, frozen=True):
    """What the orders in one currency may be worth together; null where that of one of them is not known."""

    currency: str
    value: Amount | None


class ToConfirm(TellsOnce, frozen=True):
    """What is to be confirmed: the hash of what was shown, how many orders that is, and the words to type. The token is good
    once, until then, for whoever asked. The orders, and what they may be worth together, are what the hash is of.
    """

    content: str
    account: str
    orders: int
    phrase: str
    live_confirm_token: ShownOnce
    until: Moment
    totals: list[Total]
    lines: list[OrderToConfirm]


def offered(call: Call, frozen: Frozen | None, kept: object = None) -> ToConfirm | None:
    """What a person in a session may confirm; None for a program, and where nothing asks for it."""
    if frozen is None or call.who is None or not call.who.session_id or not call.desk.is_live:
        return None
    token, until = access_of(call).live_tokens.give(call.who, frozen.content, people_of(call).now(), kept)
    what = (frozen.content, call.desk.account, frozen.orders, frozen.phrase, token.get_secret_value(), moment(until))
    totals = [Total(currency, amount_or_none(value)) for currency, value in frozen.totals.items()]
    return ToConfirm(*what, totals, [_line(line) for line in frozen.lines])


def _line(line: ShownOrder) -> OrderToConfirm:
    return OrderToConfirm(
        leg=line.leg,
        symbol=line.symbol,
        side=line.side.value,
        quantity=amount(line.order_qty),
        order_type=line.ord_type.value,
        price=amount_or_none(line.price),
        stop_price=amount_or_none(line.stop_px),
        reference_price=amount_or_none(line.px),
        position_effect=line.position_effect.value,
        value=amount_or_none(line.value),
        currency=line.currency,
    )


def other_than_shown() -> Problem:
    """What is said where a token was given for something else."""
    return _not_confirmed(
        "the live_confirm_token is none of yours for exactly this, was used, or is older than 60 s; look at it again,"
        " nothing was sent"
    )


def taken(call: Call, word: LiveWord, frozen: Frozen | None = None) -> Given:
    """What the token was given for. Raises Problem where it is none of theirs, or not for this."""
    if not word.live_confirm_token:
        raise _not_confirmed(
            "this goes to a live account, and nobody confirmed it: ask for its preview, and send live_confirm_token, phrase and"
            " code; nothing was sent"
        )
    assert call.who is not None
    if not call.who.session_id:
        raise _not_confirmed("a person confirms what goes to a live account, signed in; no API key may, and nothing was sent")
    content = None if frozen is None else frozen.content
    given = access_of(call).live_tokens.take(word.live_confirm_token, call.who, people_of(call).now(), content)
    if given is None:
        raise other_than_shown()
    return given


def untouched(call: Call, given: Given) -> None:
    """Have a token good once more that nothing came of."""
    access_of(call).live_tokens.give_back(given)


async def confirmed(call: Call, word: LiveWord, given: Given, frozen: Frozen) -> Confirmation:
    """The confirmation, once the words are those and the code was taken. Raises Problem, and what the proof of a code raises;
    the token is good once more then.
    """
    tokens = access_of(call).live_tokens
    if not are_words(word.phrase, frozen.phrase):
        tokens.give_back(given)
        raise _not_confirmed(f"the words were not {frozen.phrase!r}; nothing was sent")
    try:
        await access_of(call).factors.prove(call.by, word.code, asked_by(call), "live confirmation", frozen.content[:12])
    except (SignInRefused, CodeNeeded, LockedOut, TooBusy):
        tokens.give_back(given)
        raise
    kind = KIND if is_code(word.code) else RECOVERY
    return Confirmation(given.content, word.phrase, kind, call.by, frozen.px)


def _not_confirmed(text: str) -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, CODE, text)
