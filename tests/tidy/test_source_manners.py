"""The sources keep their manners, and each check is shown able to fail on a planted example."""

from __future__ import annotations

from pathlib import Path

from tests.tidy import source_manners as manners
from tests.tidy.tree import ROOT, files, plant


def test_the_walk_sees_the_sources() -> None:
    """A walk that finds nothing would let every other test here pass."""
    assert Path("src/tradeloop/__init__.py") in files(ROOT, "src/*.py")


def test_the_walk_leaves_out_what_tools_made(tmp_path: Path) -> None:
    plant(tmp_path, ".venv/lib/x.py")
    plant(tmp_path, "src/__pycache__/x.py")
    plant(tmp_path, "src/x.py")
    assert files(tmp_path) == [Path("src/x.py")]


def test_every_module_opens_with_a_sentence() -> None:
    assert manners.modules_without_an_opening_sentence(ROOT) == []


def test_a_module_without_a_docstring_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/a.py", "X = 1\n")
    plant(tmp_path, "src/b.py", '"""the b module"""\n')
    plant(tmp_path, "src/c.py", '"""One order, and what it may become."""\n')
    found = manners.modules_without_an_opening_sentence(tmp_path)
    assert [line.split(":")[0] for line in found] == ["src/a.py", "src/b.py"]


def test_no_file_or_folder_is_named_after_a_drawer() -> None:
    assert manners.forbidden_names(ROOT) == []


def test_a_drawer_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/tradeloop/utils/x.py")
    plant(tmp_path, "src/tradeloop/core/helpers.py")
    plant(tmp_path, "src/tradeloop/core/order.py")
    assert len(manners.forbidden_names(tmp_path)) == 2


def test_a_long_file_says_why() -> None:
    assert manners.long_files_without_a_reason(ROOT) == []


def test_a_long_file_without_a_reason_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/long.py", "x = 1\n" * 501)
    plant(tmp_path, "src/reasoned.py", "# size: one table of a venue's words\n" + "x = 1\n" * 501)
    plant(tmp_path, "src/short.py", "x = 1\n" * 500)
    assert [line.split(":")[0] for line in manners.long_files_without_a_reason(tmp_path)] == ["src/long.py"]


def test_every_amount_in_a_sentence_is_written_out() -> None:
    assert manners.amounts_without_a_form(ROOT) == []


def test_an_amount_that_could_show_an_exponent_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/bare.py", 'X = f"{order.order_qty} at {px}"\n')
    plant(tmp_path, "src/formed.py", 'X = f"{order.order_qty:f} at {px!s} by {name} for {price_of(x)}"\n')
    found = manners.amounts_without_a_form(tmp_path)
    assert [line.split(": ")[1] for line in found] == [
        "order.order_qty may be shown with an exponent; write {order.order_qty:f}",
        "px may be shown with an exponent; write {px:f}",
    ]


def test_only_the_risk_pipeline_approves() -> None:
    assert manners.approvals_made_outside_the_pipeline(ROOT) == []


def test_an_approval_made_elsewhere_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/tradeloop/core/risk/pipeline.py", "def f(o):\n    return Approved(o)\n")
    plant(tmp_path, "src/tradeloop/api/a.py", "def f(o):\n    return Approved(o)\n")
    plant(tmp_path, "src/tradeloop/api/b.py", "def f(o):\n    return pipeline.Approved[Order](o)\n")
    plant(tmp_path, "src/tradeloop/api/c.py", "def f(o: Approved[Order]) -> None:\n    return None\n")
    found = manners.approvals_made_outside_the_pipeline(tmp_path)
    assert [line.split(":")[0] for line in found] == ["src/tradeloop/api/a.py", "src/tradeloop/api/b.py"]


def test_nothing_catches_everything() -> None:
    assert manners.blind_catches(ROOT) == []


def test_a_blind_catch_is_found(tmp_path: Path) -> None:
    body = "try:\n    f()\nexcept {}:\n    pass\n"
    plant(tmp_path, "src/a.py", body.format("Exception"))
    plant(tmp_path, "src/b.py", body.format("(ValueError, BaseException) as e"))
    plant(tmp_path, "src/c.py", body.replace(" {}", ""))
    plant(tmp_path, "src/d.py", body.format("ValueError"))
    plant(tmp_path, "src/tradeloop/engine/supervise.py", body.format("Exception"))
    assert [line.split(":")[0] for line in manners.blind_catches(tmp_path)] == [
        "src/a.py",
        "src/b.py",
        "src/c.py",
    ]


def test_the_core_is_exact() -> None:
    """A float anywhere in the core would round an amount one day (docs/adr/0005-decimals.md)."""
    assert manners.floats_in_the_core(ROOT) == []


def test_a_float_in_the_core_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/tradeloop/core/a.py", "def f(x: float) -> None: ...\n")
    plant(tmp_path, "src/tradeloop/core/risk/b.py", "LIMIT = 0.05\n")
    plant(tmp_path, "src/tradeloop/core/c.py", "LIMIT = Decimal('0.05')\n")
    plant(tmp_path, "src/tradeloop/views/d.py", "RATIO = 0.5\n")
    assert len(manners.floats_in_the_core(tmp_path)) == 2
