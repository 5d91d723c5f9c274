"""What an account holds, as a run is compared with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from tradeloop.cli.record import held_by
from tradeloop.views.rows import PositionRow


class Rows:
    """Read models with one row: three contracts short."""

    async def positions(self, **of: Any) -> list[PositionRow]:
        """The row."""
        figures = {name: Decimal(0) for name in ("today_volume", "yesterday_volume", "frozen_volume")}
        return [
            PositionRow(
                id="a|au2512.SHFE|short",
                account_id="a",
                broker="b",
                symbol="au2512.SHFE",
                direction="short",
                currency="CNY",
                multiplier=Decimal(1000),
                volume=Decimal(3),
                avg_price=None,
                cost=None,
                current_price=None,
                price_at=None,
                unrealized_pnl=None,
                realized_pnl=None,
                margin=None,
                open_time=None,
                update_time=0,
                updated_seq=1,
                book="",
                **figures,
            )
        ]


async def test_a_short_position_counts_below_zero() -> None:
    assert await held_by(cast("Any", Rows()), "a") == {"au2512.SHFE": Decimal(-3)}
