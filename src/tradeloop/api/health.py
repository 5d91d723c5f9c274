"""Whether the desk does well: terse for anybody, in full for whoever is signed in; and in Prometheus' words (S3-36, S3-38)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.desk import Desk, Health
from tradeloop.api.metrics import MEDIA, Metrics
from tradeloop.api.plain import Moment, moment, moment_or_none
from tradeloop.api.policy import Policy, Rate, Routes, Who


class Details(msgspec.Struct, frozen=True):
    """What the word comes from."""

    version: str
    group: str
    epoch: int
    account: str
    is_live: bool
    broker: str
    broker_ready: bool
    broker_text: str
    lock_holder: str
    journal_seq: int
    views_seq: int
    views_lag: int
    views_trouble: str
    access_trouble: str
    inbox_waiting: int
    feed: str
    feed_ended: bool
    newest_quote_at: Moment | None
    now: Moment
    started_at: Moment
    orders_open: int
    orders_unknown: int
    breaks_open: int
    halts: int


class HowItDoes(msgspec.Struct, frozen=True):
    """`ok` where orders may be sent, `starting` while the broker is not heard, `degraded` where read models stay behind or
    the store of users and keys fails; the rest is for whoever is signed in.
    """

    status: str
    details: Details | None = None


def routes(table: Routes, metrics: Metrics, *, metrics_open: bool) -> None:
    """The routes of this file. `metrics_open`: whether anybody may read the metrics, as a scraper without a key does."""

    async def counted(call: Call) -> Answer:
        """Show what is counted, in Prometheus' text format (S3-38)."""
        return Answer(text=metrics.text(call.desk.health()), media=MEDIA)

    anybody = Policy(Who.OPEN, safe=True, rate=Rate.READ)
    table.add("GET", "/health", health, anybody, "health", gives=HowItDoes)
    scraper = anybody if metrics_open else Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    table.add("GET", "/metrics", counted, scraper, "health", gives=None)


async def health(call: Call) -> Answer:
    """Say whether the desk does well (S3-36); 503 while no order may be sent."""
    found = call.desk.health()
    trouble = "" if call.people is None else call.people.trouble
    word = status_of(found, trouble)
    status = HTTPStatus.SERVICE_UNAVAILABLE if word == "starting" else HTTPStatus.OK
    if call.who is None or not call.who.may(Scope.READ_ACCOUNT):
        return Answer(HowItDoes(word), status)
    return Answer(HowItDoes(word, details_of(call.desk, found, trouble)), status)


def status_of(found: Health, trouble: str = "") -> str:
    """One word for how the desk does. `trouble`: of the store of users and keys."""
    if not found.is_ready:
        return "starting"
    return "degraded" if found.views_trouble or trouble else "ok"


def details_of(desk: Desk, found: Health, trouble: str = "") -> Details:
    """What the word comes from. `trouble`: of the store of users and keys."""
    return Details(
        version=found.version,
        group=found.group,
        epoch=found.epoch,
        account=desk.account,
        is_live=desk.is_live,
        broker=found.broker,
        broker_ready=found.is_ready,
        broker_text=found.broker_text,
        lock_holder=found.holder,
        journal_seq=found.durable_seq,
        views_seq=found.shown_seq,
        views_lag=max(0, found.durable_seq - found.shown_seq),
        views_trouble=found.views_trouble,
        access_trouble=trouble,
        inbox_waiting=found.inbox_waiting,
        feed=found.feed,
        feed_ended=found.feed_ended,
        newest_quote_at=moment_or_none(found.newest_quote_at),
        now=moment(desk.now()),
        started_at=moment(found.started_at),
        orders_open=found.orders_open,
        orders_unknown=found.orders_unknown,
        breaks_open=found.breaks_open,
        halts=found.halts,
    )
