"""Adapters that break one promise each: the template adapter, and between it and the port somebody who meddles.

Each class is named after what it does wrong, and says which card has to notice. No other card does, but those in `also`.
"""

from __future__ import annotations

from tests.contract.broken import acks, cancels, fills, manners, replaces, snapshots, wire, words
from tests.contract.broken.meddler import Broken

__all__ = ["BROKEN", "Broken"]

BROKEN: tuple[type[Broken], ...] = tuple(
    each
    for part in (acks, fills, cancels, replaces, wire, snapshots, words, manners)
    for each in Broken.__subclasses__()
    if each.__module__ == part.__name__
)
