"""What an account was worth when its trading day began, and at most since that is kept: what losses are measured by."""

from __future__ import annotations

import msgspec

from tradeloop.core.types import Amount, TradingDay


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """One account in one currency."""

    trading_day: TradingDay
    start: Amount
    highest: Amount
