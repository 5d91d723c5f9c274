"""The type that says an order has passed risk. Only core/risk/pipeline.py makes one; a tidy test holds that."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Approved(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """An order that passed every check of the pipeline, and the version of the rules it passed."""

    order: T
    risk_version: str
