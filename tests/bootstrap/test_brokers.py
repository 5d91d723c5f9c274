"""Which broker an installation trades at: chosen by kind, built in one place, and never exchanged under a journal."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Never, get_args

import pytest
from tests.cli.commands import a_portfolio, tradeloop, us_run

from tradeloop.bootstrap import brokers, open_desk
from tradeloop.bootstrap.brokers import BROKERS
from tradeloop.config import Broker, BrokerKind, Home, Loaded, Section, load
from tradeloop.core.errors import BadInput
from tradeloop.core.events import TradedAt
from tradeloop.core.state import Account, State
from tradeloop.core.types import AccountID

HOUR = "2013-10-08T14:00:00Z"


def loaded(folder: Path, **given: object) -> Loaded:
    options = {name.replace("__", "."): value for name, value in given.items()}
    return load(options, home=Home(folder, folder, folder), environ={}, folder=folder)


def broker_yaml(folder: Path, text: str, mode: int = 0o600) -> None:
    path = folder / "broker.yaml"
    path.write_text(text, encoding="ascii")
    path.chmod(mode)


async def name_of(settings: Loaded) -> str:
    """What the desk of these settings calls its broker; it need not be reachable."""
    async with open_desk(settings, command="test", alert=lambda _: None) as desk:
        return desk.broker.name


@pytest.mark.parametrize("kind", get_args(BrokerKind))
def test_every_kind_has_a_section_of_settings_and_a_way_to_be_built(kind: BrokerKind) -> None:
    assert kind in BROKERS
    assert isinstance(getattr(Broker(), kind), Section)


async def test_paper_is_the_broker_where_nothing_is_said(tmp_path: Path) -> None:
    assert await name_of(loaded(tmp_path)) == "paper"


async def test_broker_yaml_chooses_the_kind_and_may_name_the_broker(tmp_path: Path) -> None:
    broker_yaml(tmp_path, "kind: toy\nname: floor-2\naccount: desk-1\n")
    assert await name_of(loaded(tmp_path)) == "floor-2"


def test_a_broker_bears_the_name_of_its_kind_unless_it_is_given_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, broker__kind="toy").settings.broker.name == "toy"


def test_an_unknown_kind_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    broker_yaml(tmp_path, "kind: acme\n")
    with pytest.raises(BadInput, match=r"broker\.yaml: broker\.kind was 'acme'; expected 'paper' or 'toy'"):
        loaded(tmp_path)


async def test_a_venue_that_nobody_reaches_leaves_the_desk_open_and_not_ready(tmp_path: Path) -> None:
    settings = loaded(tmp_path, broker__kind="toy", broker__toy__port=1)
    async with open_desk(settings, command="test", alert=lambda _: None) as desk:
        await asyncio.sleep(0)
        assert not desk.is_ready


async def test_a_recording_that_plays_fast_is_refused_where_the_venue_is_another_process(tmp_path: Path) -> None:
    settings = loaded(tmp_path, broker__kind="toy", feed__kind="demo", feed__speed=20, feed__start=HOUR)
    with pytest.raises(BadInput, match=r"feed\.speed was 20, and a venue in another process"):
        await name_of(settings)


def for_real(settings: Loaded) -> Loaded:
    """The same settings with a broker of a kind that trades at a market."""
    broker = settings.settings.broker.model_copy(update={"kind": "acme", "name": "acme"})
    return dataclasses.replace(settings, settings=settings.settings.model_copy(update={"broker": broker}))


@pytest.mark.parametrize(
    ("feed", "named"),
    [
        ({"feed__kind": "demo"}, "feed.kind demo"),
        ({"feed__kind": "replay", "feed__paths": ["quotes.csv"]}, "feed.kind replay"),
        ({"feed__kind": "synthetic"}, "feed.kind synthetic"),
        ({"feed__start": HOUR}, f"feed.start {HOUR}"),
    ],
    ids=["the demo", "a recording", "made-up quotes", "a clock of the past"],
)
async def test_prices_of_another_time_never_send_an_order_to_a_real_market(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: dict[str, object], named: str
) -> None:
    """Promise 4: paper and live are one path, so that here is where a replay has to stop."""

    def built(*_: object) -> Never:
        pytest.fail("the broker was built")

    monkeypatch.setattr(brokers, "BROKERS", {"acme": built})
    recording = tmp_path / "quotes.csv"
    recording.write_text("ts,symbol,bid,ask,bid_size,ask_size\n2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500\n", "ascii")
    if "feed__paths" in feed:
        feed = feed | {"feed__paths": [str(recording)]}
    with pytest.raises(BadInput) as refused:
        await name_of(for_real(loaded(tmp_path, **feed)))
    assert f"broker.kind was acme, which trades for real, with {named}: " in str(refused.value)
    assert "expected broker.kind paper or toy" in str(refused.value)


def test_a_journal_of_a_recorded_day_sends_no_order_to_a_real_market(tmp_path: Path) -> None:
    assert us_run(tmp_path, a_portfolio(tmp_path, "IBM.US,0.95\n"), "--yes").code == 0
    with pytest.raises(BadInput, match="with a journal that was written in the time of a recording: "):
        asyncio.run(name_of(for_real(loaded(tmp_path))))


def test_only_what_is_no_market_may_rehearse() -> None:
    """A kind that is added trades for real until somebody says here, and in the test before, that it does not."""
    assert {"paper", "toy"} == brokers.REHEARSALS


def test_a_journal_is_not_taken_to_another_broker(tmp_path: Path) -> None:
    """Its orders and positions would be looked for where they never were: S1-2."""
    assert us_run(tmp_path, a_portfolio(tmp_path, "IBM.US,0.95\n"), "--yes").code == 0
    before = tradeloop(tmp_path, "verify", "--json").document
    refused = us_run(tmp_path, a_portfolio(tmp_path, "SPY.US,0.95\n"), "--broker", "toy")
    assert "traded at broker paper, and the settings name toy" in refused.error
    assert refused.code == 2
    assert tradeloop(tmp_path, "verify", "--json").document["head"] == before["head"]


def test_an_account_that_the_journal_knows_at_another_broker_is_refused(tmp_path: Path) -> None:
    """Two brokers traded here, and the settings give the account of the one to the other."""
    state = State()
    state.brokers = {name: TradedAt(name, "toy", False) for name in ("floor-1", "floor-2")}
    state.accounts = {AccountID("desk-1"): Account("floor-1"), AccountID("desk-2"): Account("floor-2")}
    at = {"broker__kind": "toy", "broker__name": "floor-2"}
    brokers.refuse_another(loaded(tmp_path, **at, broker__account="desk-2"), state)
    brokers.refuse_another(loaded(tmp_path, **at, broker__account="desk-3"), state)

    with pytest.raises(BadInput) as refused:
        brokers.refuse_another(loaded(tmp_path, **at, broker__account="desk-1"), state)

    assert str(refused.value) == (
        f"broker.account was desk-1 at broker floor-2, and the journal of {tmp_path} knows that account at broker floor-1;"
        " expected floor-1: set broker.name and broker.kind back, or name the account of floor-2 in broker.account"
    )


def test_a_desk_does_not_open_on_an_account_of_another_broker(tmp_path: Path) -> None:
    assert us_run(tmp_path, a_portfolio(tmp_path, "IBM.US,0.95\n"), "--yes").code == 0

    def moved(state: State) -> None:
        """As a journal of two brokers would leave it."""
        state.accounts[AccountID("paper")].broker = "elsewhere"

    async def opened() -> None:
        async with open_desk(loaded(tmp_path, feed__kind="demo"), command="test", alert=lambda _: None, look=moved):
            pytest.fail("the desk is open")

    with pytest.raises(BadInput, match="knows that account at broker elsewhere; expected elsewhere"):
        asyncio.run(opened())


@pytest.mark.parametrize("words", [("config", "show"), ("config", "show", "--json"), ("doctor",)], ids=" ".join)
def test_no_command_shows_the_token(tmp_path: Path, words: Sequence[str]) -> None:
    """S1-58."""
    broker_yaml(tmp_path, "kind: toy\ntoy:\n  token: hush-4711\n")
    said = tradeloop(tmp_path, *words)
    assert "hush" not in said.out + said.err


def test_a_bad_token_is_not_repeated_by_the_error(tmp_path: Path) -> None:
    broker_yaml(tmp_path, "kind: toy\ntoy:\n  token: [hush-4711]\n")
    with pytest.raises(BadInput) as refused:
        loaded(tmp_path)
    assert "broker.toy.token" in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_file_that_holds_a_token_is_its_owners_alone(tmp_path: Path) -> None:
    broker_yaml(tmp_path, "kind: toy\ntoy:\n  token: hush-4711\n", mode=0o644)
    with pytest.raises(BadInput, match="mode was 0644; expected 0600"):
        loaded(tmp_path)
