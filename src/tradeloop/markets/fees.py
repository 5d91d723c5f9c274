"""What a fill costs: the dated fee lines of a market put together into the core's `FeeSchedule`.

Three approximations, on purpose and on the safe side:

- A `FeeSchedule` is applied per fill, but brokers charge a minimum commission per *order*. An order that fills in
  several pieces is therefore estimated too dear, never too cheap, so cash is never overspent; an adapter whose broker
  reports the commission of a fill replaces the estimate (`Execution.commission`).
- A maximum bounds one fill, and nobody knows in how many an order will trade: before it has traded, its maxima are left aside.
- A broker's own terms replace the `commission` line alone. Chinese brokers usually quote a commission that contains
  the exchange's handling fee and the regulatory fee; `BrokerFees.passes_exchange_fees` adds them where the broker
  charges them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec
from typing_extensions import override

from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule
from tradeloop.core.types import ZERO, Side
from tradeloop.markets.futures import CostRow
from tradeloop.markets.tables import Dated, Table, kept, place_of, read_table

COMMISSION = "commission"
QUANTA: Mapping[str, Decimal] = {"CRYPTO": Decimal("0.00000001")}
"""The smallest unit a line is rounded to, where it is not the hundredth of the currency."""
_CENT = Decimal("0.01")


class FeeRow(Dated, frozen=True, kw_only=True):
    """One fee line for a while. Rates are fractions of the traded amount, `per_unit` money per share or coin, `maximum` the
    most that one fill pays (None: no such bound).
    """

    RULE = ("market", "name", "venues", "assets")

    name: str
    rate: Decimal = ZERO
    per_unit: Decimal = ZERO
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    side: Side | None = None
    assets: tuple[AssetClass, ...] = ()
    venues: tuple[str, ...] = ()
    within_commission: bool = False

    @override
    def fault(self) -> str:
        """Also a maximum that its own minimum breaks."""
        if fault := super().fault():
            return fault
        if self.maximum is not None and self.maximum < self.minimum:
            return f"maximum was {self.maximum:f}; expected at least the minimum, {self.minimum:f}"
        return ""


class BrokerFees(msgspec.Struct, frozen=True):
    """One broker's own terms, by market (`CN_A`, `US`, `HK`, `CRYPTO`) or by futures product (`zn.SHFE`).

    The line of a market replaces its default commission; the line of a product is the product's whole fee.
    """

    commission: Mapping[str, FeeLine] = {}
    passes_exchange_fees: bool = False


@kept
def fee_table() -> Table[FeeRow]:
    """The table of fees."""
    return read_table("fees.yaml", FeeRow)


def schedule(market: str, venue: str, asset_class: AssetClass, on: date, broker: BrokerFees) -> FeeSchedule:
    """The fee lines of a stock, fund or coin on a day; `BadInput` when a line that applies has no row for it."""
    by_name: dict[str, list[FeeRow]] = {}
    for row in fee_table().rows:
        concerns = row.market == market and (not row.assets or asset_class in row.assets)
        if concerns and (not row.venues or venue in row.venues):
            by_name.setdefault(row.name, []).append(row)
    if not by_name:
        raise BadInput(f"the fees do not know {market}; add rows to {place_of(fee_table().file)}")
    lines = []
    for name, rows in by_name.items():
        own = broker.commission.get(market) if name == COMMISSION else None
        if own is not None:
            lines.append(own)
            continue
        row = fee_table().on(on, f"{market} {name}", rows)
        if row.within_commission and not broker.passes_exchange_fees:
            continue
        if row.rate or row.per_unit or row.minimum:
            lines.append(FeeLine(row.name, row.rate, row.per_unit, row.minimum, side=row.side, maximum=row.maximum))
    return FeeSchedule(tuple(lines), QUANTA.get(market, _CENT))


def futures_schedule(product: str, exchange: str, cost: CostRow, broker: BrokerFees) -> FeeSchedule:
    """The fee of a futures product; an unknown fee is refused, because nothing is free."""
    own = broker.commission.get(f"{product}.{exchange}")
    if own is not None:
        return FeeSchedule((own,))
    if cost.rate is None and cost.per_lot is None:
        raise BadInput(f"the fee of {product}.{exchange} is not in the tables; set your broker's fee for {product}.{exchange}")
    line = FeeLine(
        COMMISSION,
        cost.rate or ZERO,
        cost.per_lot or ZERO,
        close_today_rate=cost.rate_close_today,
        close_today_per_unit=cost.per_lot_close_today,
    )
    return FeeSchedule((line,))
