"""The desk's settings as the core takes them; times that bound the machine grow with the speed of a replay."""

from __future__ import annotations

from tradeloop.bootstrap.brokers import is_live
from tradeloop.config import Loaded, Settings
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS
from tradeloop.engine.dispatch import PLACE_TIMEOUT_S


def policy_of(loaded: Loaded, speed: float) -> Policy:
    """Times that bound the machine grow with the speed of a replay, so that they stay what they are in the world."""
    settings = loaded.settings

    def world(seconds: float) -> int:
        return int(seconds * speed * SECOND_NS)

    times = settings.engine
    return Policy(
        market_buffer=settings.broker.market_buffer,
        max_drift=times.max_drift,
        max_quote_age_ns=quote_age_ns(settings),
        ack_timeout_ns=world(times.ack_timeout_s),
        send_within_ns=world(times.ack_timeout_s),
        place_timeout_ns=world(PLACE_TIMEOUT_S),
        resend_after_ns=(world(1), world(2), world(5)),
        probe_every_ns=world(1),
        unknown_alert_ns=world(times.unknown_alert_s),
        reconcile_every_ns=world(times.reconcile_every_s),
        recent_ns=world(2),
        approvers=settings.risk.approvers,
        live=(settings.broker.name,) if is_live(loaded) else (),
        live_accounts=settings.live.accounts,
        live_order_value=settings.live.order_value,
    )


def quote_age_ns(settings: Settings) -> int:
    """How old a price may be: the setting, but on a fast replay never less than what the machine may take to answer."""
    speed = 1.0 if settings.feed.kind == "none" else settings.feed.speed
    return int(max(settings.run.max_quote_age_s, settings.engine.ack_timeout_s * speed) * SECOND_NS)
