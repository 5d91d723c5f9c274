"""Several write the latch file at once: nothing that somebody wrote into it is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradeloop.core.commands import HaltTrading
from tradeloop.core.halt import HaltScope, HaltTier
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


def just_before(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, path: Path, act: Callable[[], object]) -> None:
    """Have `act` done right before the first call of a function that changes what stands at `path`."""
    real: Callable[..., Any] = getattr(owner, name)
    done: list[object] = []

    def called(*given: Any, **named: Any) -> Any:
        if path in given[:2] and not done:
            done.append(act())
        return real(*given, **named)

    monkeypatch.setattr(owner, name, called)


@pytest.mark.parametrize("there", [True, False], ids=["a file", "no file"])
def test_what_is_written_at_the_moment_of_ours_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    path = tmp_path / "HALT"
    latch = FileLatch(path)
    if there:
        latch.add(ALL)
    latch.read()
    owner, name = (Path, "replace") if there else (os, "link")
    just_before(monkeypatch, owner, name, path, lambda: path.write_text("CANCEL_ALL the exchange called\n", encoding="ascii"))
    latch.write((ALL, HaltTrading(HaltTier.FLATTEN, "ann", "out")))
    assert [each.tier for each in FileLatch(path).read()] == [HaltTier.CANCEL_ALL]
    assert [each.name for each in tmp_path.iterdir()] == ["HALT"]


def test_a_touch_at_the_moment_of_a_release_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "HALT"
    latch = FileLatch(path)
    latch.add(ALL)
    latch.read()
    just_before(monkeypatch, Path, "unlink", path, lambda: os.utime(path, ns=(1, 1)))
    latch.write(())
    assert FileLatch(path).read() == (ALL,)
    assert [each.name for each in tmp_path.iterdir()] == ["HALT"]


def test_where_the_file_system_has_no_links_the_file_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    latch, part = FileLatch(tmp_path / "HALT"), HaltTrading(HaltTier.HALT, "ann", "look", HaltScope.SYMBOL, "A.US")
    for halts in ((ALL,), (part,), (ALL, part), ()):
        latch.write(halts)
        assert FileLatch(tmp_path / "HALT").read() == halts


def test_what_was_written_here_is_nobody_elses_and_each_file_is_looked_at_by_itself(tmp_path: Path) -> None:
    latch, part = FileLatch(tmp_path / "HALT"), HaltTrading(HaltTier.HALT, "ann", "look", HaltScope.SYMBOL, "A.US")
    latch.read()
    mark = latch.mark()
    latch.add(ALL)
    latch.add(part)
    latch.read()
    assert (latch.is_newer(ALL, mark), latch.is_newer(part, mark)) == (False, False)
    os.utime(tmp_path / "HALT", ns=(1, 1))
    latch.read()
    assert (latch.is_newer(ALL, mark), latch.is_newer(part, mark)) == (True, False)
