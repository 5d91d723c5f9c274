"""The simulation finds what is there: every planted bug fits the code, was found, and the guards are missed at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mutants import recorded
from tests.mutants.planted import MOST_SEEDS, ROOT, Mutant, does_not_apply, every, plant, read
from tests.mutants.proof import PAGE, load, page
from tests.mutants.search import find

MUTANTS = {mutant.name: mutant for mutant in every()}
GUARDS = ("03_fsync_after_send", "23_no_dedupe_of_fills", "24_no_quarantine", "25_no_lease_check", "37_synchronous_normal")
FEW_SEEDS = 100

A_PATCH = """Breaks:    something
Invariant: 1, 6
Loses:     something, which takes
           two lines to say

--- a/src/tradeloop/__init__.py
+++ b/src/tradeloop/__init__.py
@@ -1,1 +1,1 @@
-no such line
+another
"""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_fits_the_present_code(name: str) -> None:
    assert does_not_apply(MUTANTS[name]) == "", f"make tests/mutants/{name}.patch anew for the code as it is"


def test_the_whole_list_is_planted() -> None:
    assert [name[:2] for name in MUTANTS] == [f"{number:02}" for number in range(1, len(MUTANTS) + 1)]
    assert len(MUTANTS) >= 22


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_was_found_by_an_invariant_that_has_to_name_it(name: str) -> None:
    found = load().get(name)
    assert found is not None, f"run `python -m tests.mutants {name}`"
    assert found.tried <= MOST_SEEDS
    assert found.invariant in MUTANTS[name].invariants


def test_the_page_shows_what_was_found() -> None:
    assert PAGE.read_text(encoding="utf-8") == page([*MUTANTS.values()], load(), recorded.load())


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_gone_is_missed_within_few_worlds(name: str) -> None:
    """Removing any one guard makes the simulation fail, and names the invariant."""
    found = find(MUTANTS[name], FEW_SEEDS)
    assert found is not None
    assert found.invariant in MUTANTS[name].invariants


def test_a_change_that_breaks_nothing_is_not_found(tmp_path: Path) -> None:
    """Otherwise the search would find whatever it is given."""
    first = (ROOT / "src/tradeloop/core/fate.py").read_text(encoding="utf-8").splitlines()[0]
    harmless = f"""Breaks:    nothing
Invariant: {", ".join(map(str, range(1, 43)))}
Loses:     nothing

--- a/src/tradeloop/core/fate.py
+++ b/src/tradeloop/core/fate.py
@@ -1 +1,2 @@
+# a remark
 {first}
"""
    assert find(_read(tmp_path, harmless), 3) is None


def test_a_header_says_what_a_planted_bug_is(tmp_path: Path) -> None:
    mutant = _read(tmp_path, A_PATCH)
    assert (mutant.invariants, mutant.loses) == ((1, 6), "something, which takes two lines to say")


def test_a_header_without_an_invariant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Invariant"):
        _read(tmp_path, A_PATCH.replace("Invariant", "Number"))


def test_a_patch_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    mutant = _read(tmp_path, A_PATCH)
    assert "patch does not apply" in does_not_apply(mutant)
    with pytest.raises(ValueError, match="make it anew"):
        plant(mutant, tmp_path / "tree")


def _read(folder: Path, text: str) -> Mutant:
    patch = folder / "99_a_bug.patch"
    patch.write_text(text, encoding="utf-8")
    return read(patch)
