"""The adapter of the toy venue, built out of the settings: the template that every adapter is copied from.

It is a broker in another process, as a real one is, and it can be killed, cut off and lied to by: that is what it is for.
"""

from __future__ import annotations

import msgspec

from tradeloop.bootstrap.market import Market
from tradeloop.brokers._template import CAPABILITIES, Secret, TemplateBroker, TemplateConfig
from tradeloop.config import Loaded
from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import BadInput
from tradeloop.core.types import AccountID

_MS_NS = 1_000_000


def toy_broker(loaded: Loaded, market: Market) -> TemplateBroker:
    """The adapter, not connected yet. Raises BadInput for a recording that plays faster than the venue's clock runs."""
    if market.speed != 1:
        raise BadInput(
            f"feed.speed was {market.speed:g}, and a venue in another process lives at the pace of the world;"
            " expected 1 with broker.kind toy"
        )
    broker = loaded.settings.broker
    toy = broker.toy
    config = TemplateConfig(
        name=broker.name,
        account=AccountID(broker.account),
        port=toy.port,
        token=Secret(toy.token.get_secret_value()),
        answer_within_ns=toy.answer_ms * _MS_NS,
        lives_ns=toy.lives_ms * _MS_NS,
    )
    # What bounds the proof that an order never arrived is what every request carries to the venue.
    able = msgspec.structs.replace(CAPABILITIES, request_lifetime_ns=config.lives_ns, dedupes=Dedupes(toy.dedupes))
    return TemplateBroker(config, market.clock, able)
