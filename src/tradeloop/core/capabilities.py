"""What a venue can do, declared by its adapter and tested by the contract suite.

What is absent here the engine does itself (it holds stops) or refuses; it never assumes.
"""

from __future__ import annotations

from enum import Enum

import msgspec

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
    `orders_complete`: a snapshot shows closed orders of the day too. `rate_per_second`: requests, None for no limit.
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
