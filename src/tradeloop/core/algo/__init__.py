"""Station 2 of the flow: how a parent is worked as child orders. `immediate` is the only way so far."""

from __future__ import annotations

from typing import Final

from tradeloop.core.algo.base import Algo
from tradeloop.core.algo.immediate import Immediate

ALGOS: Final[dict[str, Algo]] = {"immediate": Immediate()}
"""Name of an algorithm, as configuration and journal spell it, to the algorithm."""
