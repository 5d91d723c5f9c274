"""The paper broker's reject codes, each with the sentence that explains it.

A code is the broker's own word and part of its contract: README.md lists them all, and a test holds the two together.
The text of a report adds the figures of the case.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Code(Enum):
    """Why an order, a cancel or a hand-typed order was refused."""

    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    BAD_CL_ORD_ID = "BAD_CL_ORD_ID"
    DUPLICATE_CL_ORD_ID = "DUPLICATE_CL_ORD_ID"
    UNSUPPORTED_ORD_TYPE = "UNSUPPORTED_ORD_TYPE"
    PRICE_REQUIRED = "PRICE_REQUIRED"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    PRICE_OUTSIDE_LIMITS = "PRICE_OUTSIDE_LIMITS"
    ILLEGAL_QTY = "ILLEGAL_QTY"
    QTY_ABOVE_MAXIMUM = "QTY_ABOVE_MAXIMUM"
    MARKET_CLOSED = "MARKET_CLOSED"
    SUSPENDED = "SUSPENDED"
    NO_QUOTE = "NO_QUOTE"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    INSUFFICIENT_POSITION = "INSUFFICIENT_POSITION"
    NOT_SELLABLE_T1 = "NOT_SELLABLE_T1"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    TOO_LATE_TO_CANCEL = "TOO_LATE_TO_CANCEL"
    TOO_LATE_TO_REPLACE = "TOO_LATE_TO_REPLACE"
    REPLACE_PENDING = "REPLACE_PENDING"


MEANING: Final[dict[Code, str]] = {
    Code.UNKNOWN_ACCOUNT: "the order names an account that is not this broker's",
    Code.UNKNOWN_SYMBOL: "the instrument is not listed here",
    Code.BAD_CL_ORD_ID: "the client order id is empty, longer than 36, or has a character outside [a-z0-9-]",
    Code.DUPLICATE_CL_ORD_ID: "the client order id was used before with other content; the first order stands untouched",
    Code.UNSUPPORTED_ORD_TYPE: "only MARKET and LIMIT are taken; stops are held by the engine",
    Code.PRICE_REQUIRED: "a limit order came without a price",
    Code.PRICE_OFF_TICK: "the price is not a positive multiple of the tick",
    Code.PRICE_OUTSIDE_LIMITS: "the price lies outside the day's price limits",
    Code.ILLEGAL_QTY: "the quantity is below the minimum or not a multiple of the lot",
    Code.QTY_ABOVE_MAXIMUM: "the quantity is above the largest order allowed",
    Code.MARKET_CLOSED: "no trading window of the instrument's session is open",
    Code.SUSPENDED: "trading in the instrument is suspended",
    Code.NO_QUOTE: "a market order cannot be funded before the first quote of the instrument",
    Code.INSUFFICIENT_CASH: "available cash does not cover the order and its fees",
    Code.INSUFFICIENT_POSITION: "the position, less what other orders are closing, is smaller than the order",
    Code.NOT_SELLABLE_T1: "part of the position was bought today and can be sold from the next trading day on",
    Code.UNKNOWN_ORDER: "no order has this id",
    Code.TOO_LATE_TO_CANCEL: "the order is already closed",
    Code.TOO_LATE_TO_REPLACE: "the order is already closed, or on its way out",
    Code.REPLACE_PENDING: "another replace of the order has not been carried out yet",
}
