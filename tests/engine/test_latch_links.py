"""Whatever stands where the latch file stands is a halt of everything."""

from __future__ import annotations

from pathlib import Path

from tradeloop.core.commands import HaltTrading
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.engine.latch import FileLatch

ALL = HaltTrading(HaltTier.HALT, "ann", "look")


def test_a_link_to_nowhere_halts_everything_until_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "HALT"
    latch = FileLatch(path)
    latch.read()
    before = latch.mark()
    path.symlink_to("/nonexistent/place")
    (found,) = latch.read()
    assert (found.tier, found.scope) == (HaltTier.HALT, HaltScope.GLOBAL)
    assert latch.is_newer(ALL, before)
    latch.remove([found])
    assert not path.is_symlink()
    assert latch.read() == ()
