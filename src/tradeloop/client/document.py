"""The base of what the desk tells. A field that nobody here knows is passed over, so that a newer desk is understood."""

from __future__ import annotations

import msgspec


class Document(msgspec.Struct, frozen=True):
    """One of them."""
