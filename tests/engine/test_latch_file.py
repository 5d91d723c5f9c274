"""The latch file by itself: what was written here reads back as it was written, what cannot be read stops everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.made import House

from tradeloop.core.commands import HaltTrading, ReleaseHalt
from tradeloop.core.events import Halted
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.engine import latch as latch_file
from tradeloop.engine.guard import LOOK_NS
from tradeloop.engine.latch import FileLatch, key_of

POLL_S = LOOK_NS / 1e9
STRATEGY, SYMBOL, GLOBAL = HaltScope.STRATEGY, HaltScope.SYMBOL, HaltScope.GLOBAL
ODD_NAMES = (
    "trend\u3000one",
    " trend",
    "trend ",
    "trend\tone",
    "s" * 300,
    "a\nb",
    "a\u2028b\x85c\x0bd",
    '"}',
    "\ufeff",
    "\u200b",
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300)


@st.composite
def a_halt(draw: st.DrawFn) -> HaltTrading:
    scope = draw(st.sampled_from(HaltScope))
    name = "" if scope is GLOBAL else draw(st.one_of(st.sampled_from(ODD_NAMES), texts.filter(bool)))
    return HaltTrading(draw(st.sampled_from(HaltTier)), draw(texts.filter(str.strip)), draw(texts), scope, name, draw(texts))


@pytest.fixture
def latch(tmp_path: Path) -> FileLatch:
    return FileLatch(tmp_path / "HALT")


@given(st.lists(a_halt(), unique_by=key_of, max_size=8))
def test_what_was_written_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, halts: list[HaltTrading]
) -> None:
    path = tmp_path_factory.mktemp("home") / "HALT"
    FileLatch(path).write(halts)
    latch = FileLatch(path)
    found = latch.read()
    assert sorted(found, key=halts.index) == halts
    assert [latch.file_of(each).name for each in found] == sorted(latch.file_of(each).name for each in found)


def test_a_halt_is_written_once(latch: FileLatch, tmp_path: Path) -> None:
    halt = HaltTrading(HaltTier.HALT, "ann", "", SYMBOL, "600001.SH")
    latch.write([halt, HaltTrading(HaltTier.HALT, "bob", "me too", SYMBOL, "600001.SH"), halt])
    assert (tmp_path / "HALT.part").read_text().count("\n") == 1
    assert latch.read() == (halt,)


def test_hundreds_of_halts_are_read_to_the_last(latch: FileLatch) -> None:
    halts = tuple(HaltTrading(HaltTier.HALT, "risk", "r" * 150, SYMBOL, f"{600000 + i}.SH") for i in range(3000))
    latch.write(halts)
    assert latch.read() == halts


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_file_stops_everything_and_what_is_left_of_it(latch: FileLatch, tmp_path: Path, cut: int) -> None:
    kept = HaltTrading(HaltTier.CANCEL_ALL, "ann", "x", SYMBOL, "600001.SH")
    latch.write([kept, HaltTrading(HaltTier.CANCEL_ALL, "ann", "x", SYMBOL, "600002.SH")])
    part = tmp_path / "HALT.part"
    part.write_bytes(part.read_bytes()[: -1 - cut])
    first, second = latch.read()
    assert first == kept
    assert (second.tier, second.scope, second.name) == (HaltTier.HALT, GLOBAL, "")


@pytest.mark.parametrize(
    "line",
    [
        b'{"tier":"HALT","by":"ann","scope":"symbol","nmae":"600001.SH"}',
        b'{"tier":"HALT","by":"ann","scope":"strategy","name":"tr\xffnd"}',
        b'{"tier":"HALT","by":"ann","scope":"strategy","name":"a\\u0000b"}',
        b'{"tier":"HALT","by":"ann","scope":"strategy","name":"\\ud800"}',
        b'{"tier":"HALT","by":"ann","scope":"strategy","name":"' + b"s" * 600 + b'"}',
        b'{"tier":"HALT","by":"ann","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"tier":"HALT","by":"ann","scope":"symbol","name":"600001.SH","trigger":"a\\u0000b"}',
        b"\0" * 80,
    ],
    ids=["no name", "no UTF-8", "NUL", "no Unicode", "too long", "deep", "trigger", "zeros"],
)
def test_a_line_that_names_nothing_stops_everything(latch: FileLatch, tmp_path: Path, line: bytes) -> None:
    (tmp_path / "HALT.part").write_bytes(line + b"\n")
    (found,) = latch.read()
    assert (found.tier, found.scope, found.name) == (HaltTier.HALT, GLOBAL, "")


def test_a_file_larger_than_any_desk_writes_stops_everything_and_none_is_made(
    latch: FileLatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latch_file, "_BYTES_MAX", 1000)
    halts = [HaltTrading(HaltTier.REDUCE_ONLY, "ann", "", SYMBOL, f"{600000 + i}.SH") for i in range(50)]
    with pytest.raises(OSError, match="too large"):
        latch.write(halts)
    assert latch.read() == ()
    (tmp_path / "HALT.part").write_bytes(b" " * 1001)
    (found,) = latch.read()
    assert (found.tier, found.scope) == (HaltTier.HALT, GLOBAL)


def test_who_and_why_are_written_as_the_journal_can_hold_them(latch: FileLatch) -> None:
    latch.add(HaltTrading(HaltTier.HALT, "ann\udcff", "no \0 text" + "x" * 9000))
    (found,) = latch.read()
    assert (found.by, found.reason[:9], len(found.reason)) == ("ann?", "no ? text", 2048)


def test_a_halt_of_everything_has_no_name_whatever_a_hand_has_written(latch: FileLatch, tmp_path: Path) -> None:
    """Else no release would name it."""
    (tmp_path / "HALT").write_text('{"tier":"FLATTEN","by":" ","name":"all"}')
    (found,) = latch.read()
    assert (found.tier, found.scope, found.name, found.by) == (HaltTier.FLATTEN, GLOBAL, "", "the latch file")


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_a_halt_of_any_name_is_one_halt_and_one_release_ends_it(latch: FileLatch, name: str) -> None:
    house = House()
    engine = await house.open(house.engine(latch))
    await engine.ask(HaltTrading(HaltTier.HALT, "ann", "why", STRATEGY, name))
    await house.clock.forward(5 * POLL_S)
    assert [event.name for event in house.on_disk(Halted)] == [name]
    assert [each.name for each in latch.read()] == [name]

    await engine.ask(ReleaseHalt("ann", "fine", STRATEGY, name, numbers=(1,)))
    await house.clock.forward(5 * POLL_S)
    assert latch.read() == ()
    assert len(house.on_disk(Halted)) == 1
    await engine.stop()
