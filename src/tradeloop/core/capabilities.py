"""What a venue can do, declared by its adapter and tested by the contract suite.

What is absent here the engine does itself (it holds stops) or refuses; it never assumes.
"""

from __future__ import annotations

import re
from enum import Enum
from string import ascii_lowercase, digits
from typing import Final

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.replacement import REPLACE_ID_LENGTH
from tradeloop.core.types import OrdType, TimeInForce


class Dedupes(Enum):
    """For how long the venue refuses a second order with the same client id."""

    NEVER = "never"
    OPEN_ONLY = "open_only"
    DAY = "day"
    FOR_EVER = "for_ever"


class Capabilities(msgspec.Struct, frozen=True):
    """What a venue can do. What is declared here is tested by the contract suite; what is absent the engine does itself or
    refuses.

    `request_lifetime_ns`: the longest a request may still take effect after it was sent. `visibility_lag_ns`: the longest an
    accepted order may be missing from the books. Both bound the proof that an order was never received.
    `cl_ord_id_alphabet`: the characters an id may have, as a regular expression's brackets hold them (`a-z0-9`).
    `orders_complete`: a snapshot shows closed orders of the day too. `rate_per_second`: orders, changes of orders and cancels
    the venue takes in any second, None for no limit; the engine keeps it (core/pacing.py), reading the books does not count.
    `replaces`: a working order's quantity and price can be changed in one request that the venue carries out whole or not at
    all; `replaces_filled`: also those of an order that has filled (FIX 4.4 vol. 7, appendix D, C.1.c).
    `echoes_ids`: each order of ours that the books show bears our id there, whatever became of it and however long ago: one
    that bears none is not ours. Where that is not so, an order elsewhere that is no larger leaves one of unknown fate unknown.
    `second_ids`: one fill may have another id in the books than on the stream, and the adapter cannot bring the two together;
    what looks alike is then held until the books decide (docs/adr/0021-fills-told-twice.md).
    `rebates`: a fill may have a commission below zero. `fractions`: parts of a unit are traded. `shorts`: what is not held may
    be sold. `many_currencies`: an account holds cash of more than one. The engine asks for none of these four, for the rules
    of an instrument say what may be ordered; they say which cards of the contract an adapter has to pass.
    """

    ord_types: frozenset[OrdType]
    tifs: frozenset[TimeInForce]
    cl_ord_id_max: int
    cl_ord_id_alphabet: str
    dedupes: Dedupes
    query_by_cl_ord_id: bool
    orders_complete: bool
    stream_replay: bool
    request_lifetime_ns: int
    visibility_lag_ns: int
    rate_per_second: int | None = None
    holds_stops: bool = False
    replaces: bool = False
    replaces_filled: bool = False
    echoes_ids: bool = False
    second_ids: bool = False
    rebates: bool = False
    fractions: bool = False
    shorts: bool = False
    many_currencies: bool = False


CL_ORD_ID_LENGTH: Final = 18
"""Characters of [a-z0-9] in every id we make (core/state.py, docs/adr/0006-ids.md)."""


def takes_our_ids(broker: str, able: Capabilities) -> None:
    """Raises BadInput when the venue cannot carry the ids that name our orders: what it cut short could never be matched."""
    if able.cl_ord_id_max < CL_ORD_ID_LENGTH:
        raise BadInput(
            f"broker {broker} takes ids of at most {able.cl_ord_id_max} characters; ours have {CL_ORD_ID_LENGTH}, use another"
        )
    if able.replaces and able.cl_ord_id_max < REPLACE_ID_LENGTH:
        raise BadInput(
            f"broker {broker} says that it replaces orders and takes ids of at most {able.cl_ord_id_max} characters; the id "
            f"of a replace has {REPLACE_ID_LENGTH}, use another or declare no replaces"
        )
    if re.fullmatch(f"[{able.cl_ord_id_alphabet}]{{36}}", ascii_lowercase + digits) is None:
        raise BadInput(f"broker {broker} takes ids of [{able.cl_ord_id_alphabet}]; ours are of [a-z0-9], use another")
