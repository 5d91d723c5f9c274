"""Several write the latch file at once: nothing that somebody wrote into it is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tradeloop.core.commands import HaltTrading
from tradeloop.core.halt import HaltTier
from tradeloop.engine.latch import FileLatch

ALL = HaltTrading(HaltTier.HALT, "ann", "look")


def test_halts_of_several_processes_at_once_all_stand(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tradeloop.engine.latch import FileLatch\n"
        "from tradeloop.core.commands import HaltTrading; from tradeloop.core.halt import HaltScope, HaltTier\n"
        "sys.stdin.readline()\n"
        "FileLatch(Path(sys.argv[1])).add(HaltTrading(HaltTier.HALT, 'x', 'r', HaltScope.SYMBOL, sys.argv[2]))"
    )
    names = ("A.US", "B.US", "C.US", "D.US")
    words = [sys.executable, "-c", program, str(tmp_path / "HALT")]
    several = [subprocess.Popen([*words, name], stdin=subprocess.PIPE, text=True) for name in names]
    for each in several:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.wait(60) for each in several] == [0] * len(names)
    for each in several:
        each.communicate()
    assert {each.name for each in FileLatch(tmp_path / "HALT").read()} == {*names}


@pytest.mark.parametrize("ours", [(), (ALL,)], ids=["a release", "a halt"])
def test_what_was_written_since_the_last_look_is_kept(tmp_path: Path, ours: tuple[HaltTrading, ...]) -> None:
    path = tmp_path / "HALT"
    latch = FileLatch(path)
    latch.add(ALL)
    latch.read()
    path.write_text("CANCEL_ALL the exchange called\n", encoding="ascii")
    latch.write(ours)
    assert HaltTier.CANCEL_ALL in {each.tier for each in FileLatch(path).read()}


def test_a_touch_since_the_last_look_is_a_halt_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "HALT"
    latch = FileLatch(path)
    latch.add(ALL)
    latch.read()
    os.utime(path, ns=(1, 1))
    latch.write(())
    assert path.exists()


def test_what_is_written_while_ours_is_on_its_way_to_the_disk_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, begun = tmp_path / "HALT", os.fsync, threading.Event()

    def slow(fd: int) -> None:
        if not begun.is_set():
            begun.set()
            path.write_text("CANCEL_ALL the exchange called\n", encoding="ascii")
        real(fd)

    monkeypatch.setattr(os, "fsync", slow)
    FileLatch(path).add(ALL)
    assert {each.tier for each in FileLatch(path).read()} == {HaltTier.CANCEL_ALL, HaltTier.HALT}
