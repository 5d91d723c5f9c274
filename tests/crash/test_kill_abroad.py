"""Real processes that work a target at a venue in another process are killed with -9, again and again; the venue goes on.

The venue misbehaves all the while: it loses answers and reports, repeats trades, lets requests arrive after their sender has
died, and cuts the session. The judge is its books. Kills fall at random moments, at moments drawn between rows of the journal,
and while an order is on its way, between `SendBegun` and its outcome. `make crash KILLS=200` is the long form; every moment is
drawn from the number of its history, so that a failure names what to repeat.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.crash.abroad import (
    HELD,
    LATE_MS,
    SILENCE,
    WANTED,
    Books,
    DeskAbroad,
    DeskProcess,
    VenueProcess,
    write_market,
    write_switch,
)

KILLS = int(os.environ.get("TRADELOOP_TEST_CRASH_ABROAD_KILLS", "6"))
FROM = int(os.environ.get("TRADELOOP_TEST_CRASH_ABROAD_FROM", "0"))
KILLS_EACH = 10
TRIES_MAX = KILLS + 20
"""On a slow machine few processes come as far as a send before they are killed: then it goes on until one has."""
WITHIN_S = 120 + 12 * TRIES_MAX
"""However slow the machine: a lane that hangs is a finding, not a wait."""

LIFE_MAX_S = 4.0
"""How long a process may live before it is killed wherever it is: long enough to come to the moment that was drawn."""


@dataclass
class Tally:
    """What was met on the way; a crash test that never hits the window proves nothing."""

    kills: int = 0
    before_ready: int = 0
    in_the_window: int = 0
    orders_in_the_window: int = 0
    died_with: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path], Books]:
    """The market, the target, and how it ends undisturbed."""
    folder = tmp_path_factory.mktemp("abroad")
    market, target = write_market(folder), write_switch(folder)
    with VenueProcess() as venue, DeskAbroad(folder / "undisturbed", market, venue) as desk:
        desk.finish(target)
        undisturbed = Books(venue.type("books"))
    assert sorted(undisturbed.positions) == WANTED
    return market, target, undisturbed


@pytest.mark.timeout(WITHIN_S + 300)
def test_a_venue_in_another_process_never_sees_an_order_lost_or_doubled(
    stage: tuple[Path, tuple[Path, Path], Books], tmp_path: Path
) -> None:
    """S0-4, S0-65, S1-2: whatever was killed and lost on the way, the day ends as the undisturbed one did."""
    market, target, undisturbed = stage
    tally, began, history = Tally(), time.monotonic(), FROM

    while tally.kills < KILLS or (not tally.in_the_window and tally.kills < TRIES_MAX):
        assert time.monotonic() - began < WITHIN_S, f"{tally} in {WITHIN_S} s; expected {KILLS} kills"
        _live_through(history, min(KILLS_EACH, max(KILLS - tally.kills, 1)), tally, market, target, undisturbed, tmp_path)
        print(f"history {history}, {time.monotonic() - began:.0f} s: {tally}", file=sys.stderr, flush=True)
        history += 1

    assert tally.in_the_window > 0


@pytest.mark.timeout(300)
def test_requests_that_arrive_after_their_sender_died_are_found_and_not_sent_again(
    stage: tuple[Path, tuple[Path, Path], Books], tmp_path: Path
) -> None:
    """Every order of the first life is under way when it dies, and arrives when the next one has looked at the books and could
    have sent it again: "not found" is not "not sent".
    """
    market, target, undisturbed = stage
    with VenueProcess(LATE_MS[-1]) as venue, DeskAbroad(tmp_path / "home", market, venue) as desk:
        venue.type(f"fault late {len(HELD)}")
        process = desk.start(target)
        _wait(process, 30, lambda: len(desk.unanswered(0)) == len(HELD))
        process.kill()
        assert len(desk.unanswered(0)) == len(HELD)
        assert venue.type("books")["orders"] == []
        _end_as(undisturbed, desk, target, "five late orders")


def _live_through(
    history: int, kills: int, tally: Tally, market: Path, target: tuple[Path, Path], undisturbed: Books, folder: Path
) -> None:
    """One day: lives that are killed, and a last one that comes to the end."""
    moments = random.Random(history)
    late_ms = LATE_MS[-1 - history % len(LATE_MS)]
    with VenueProcess(late_ms) as venue, DeskAbroad(folder / f"history-{history}", market, venue) as desk:
        for life in range(kills):
            # The first life of a day surely has orders to send.
            how = moments.choice(("any moment", "between rows", "on its way", "on its way")) if life else "on its way"
            if not _live_and_die(desk, target, how, moments, tally):
                break
        venue.misbehave(moments)
        _end_as(undisturbed, desk, target, f"history {history} (TRADELOOP_TEST_CRASH_ABROAD_FROM={history})")


def _end_as(undisturbed: Books, desk: DeskAbroad, target: tuple[Path, Path], story: str) -> None:
    """The last life comes to the end, and the venue's books judge."""
    document = desk.finish(target)
    books = Books(desk.venue.type("books"))
    staged = desk.staged()
    positions = {each["symbol"]: each["volume"] for each in desk.asked("positions")["positions"]}
    [account] = desk.asked("account")["accounts"]
    verified = desk.asked("verify")

    assert len(books.ids) == len(set(books.ids)), f"{story}: an id twice at the venue"
    assert set(books.ids) <= staged, f"{story}: the venue has an order that our journal never meant"
    assert not books.open, f"{story}: left working at the venue"
    assert books.traded == undisturbed.traded, f"{story}: something was lost or doubled"
    assert books.positions == undisturbed.positions, story
    assert books.cash == undisturbed.cash, story
    assert positions == {symbol: f"{qty:f}" for symbol, qty in books.positions.items()}, f"{story}: ours and the venue's"
    assert account["balance"] == f"{books.cash:f}", f"{story}: our cash and the venue's"
    assert document["unexplained_breaks"] == 0, story
    assert verified["sound"], f"{story}: {verified}"


def _live_and_die(desk: DeskAbroad, target: tuple[Path, Path], how: str, moments: random.Random, tally: Tally) -> bool:
    """One life under faults, and its end. False where the run came to its end first."""
    venue = desk.venue
    before = desk.rows()
    if how == "on its way":
        for fault in moments.choice((("late 3",), SILENCE)):
            venue.type(f"fault {fault}")
    else:
        venue.misbehave(moments)
    process = desk.start(target)
    if how == "any moment":
        _wait(process, moments.uniform(0.2, 3), lambda: False)
        if moments.random() < 0.5:
            venue.type("cut")
            _wait(process, moments.uniform(0, 3), lambda: False)
    elif how == "between rows":
        row = before + moments.randint(1, 20)
        _wait(process, LIFE_MAX_S, lambda: desk.rows() > before)
        venue.say_again(moments)
        _wait(process, LIFE_MAX_S / 2, lambda: desk.rows() >= row)
    else:
        _wait(process, LIFE_MAX_S, lambda: bool(desk.unanswered(before)))
        time.sleep(moments.uniform(0, 0.1))
    if process.exit_code is not None:
        assert process.exit_code == 0, f"a life ended by itself with {process.exit_code}\n{process.said()}"
        return False
    process.kill()
    tally.kills += 1
    tally.died_with[how] = tally.died_with.get(how, 0) + 1
    tally.before_ready += desk.rows() == before
    on_their_way = desk.unanswered(before)
    tally.in_the_window += bool(on_their_way)
    tally.orders_in_the_window += len(on_their_way)
    return True


def _wait(process: DeskProcess, most_s: float, come: Callable[[], bool]) -> None:
    """Until the moment has come, the process has ended by itself, or time is up."""
    until = time.monotonic() + most_s
    while time.monotonic() < until and process.exit_code is None and not come():
        time.sleep(0.003)
