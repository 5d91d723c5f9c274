"""Whether a portfolio is the same is decided by what it means, not by its bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.commands import FILES

from tradeloop.core.errors import BadInput
from tradeloop.targets.target import content_hash, of_strategy, read_target

WRITTEN = "ts_code,weight\nAIG.US,0.25\nBAC.US,0.25\nIBM.US,0.20\nSPY.US,0.25\n"


def hashed(folder: Path, text: str, rounding: str = "floor_to_lot") -> str:
    """The content of a portfolio with the packaged decision."""
    file = folder / "portfolio.csv"
    file.write_bytes(text.encode())
    return content_hash(read_target(file, FILES / "good" / "execution_context_us.json"), rounding)


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN.replace("\n", "\r\n"),
        "ts_code,weight\nSPY.US,0.25\nIBM.US,0.20\nBAC.US,0.25\nAIG.US,0.25\n",
        WRITTEN.replace("0.20", "0.2"),
        "code,name,weight\nAIG.US,AIG,25%\nBAC.US,BofA,25%\nIBM.US,IBM,20%\nSPY.US,Spiders,25%\n",
    ],
    ids=["ends of lines", "rows reversed", "idle zero", "percent and names"],
)
def test_the_same_targets_in_other_bytes_are_the_same_content(tmp_path: Path, text: str) -> None:
    """S0-46, S0-60: nothing about the decision has changed."""
    assert hashed(tmp_path, text) == hashed(tmp_path, WRITTEN)


def test_what_means_something_else_is_another_content(tmp_path: Path) -> None:
    other = [
        hashed(tmp_path, WRITTEN.replace("IBM.US,0.20", "IBM.US,0.21")),
        hashed(tmp_path, WRITTEN.replace("IBM.US,0.20", "GE.US,0.20")),
        hashed(tmp_path, WRITTEN, "half_up"),
        hashed(
            tmp_path,
            "".join(f"{line}{end}\n" for line, end in zip(WRITTEN.split(), (",price", ",48.9", ",", ",", ","), strict=True)),
        ),
        hashed(tmp_path, WRITTEN),
    ]
    assert len(set(other)) == len(other)


def test_another_strategy_is_another_content_and_none_is_what_it_was(tmp_path: Path) -> None:
    file = tmp_path / "portfolio.csv"
    file.write_text(WRITTEN, encoding="utf-8")
    context = FILES / "good" / "execution_context_us.json"
    said = tmp_path / "context.json"
    said.write_text(context.read_text(encoding="utf-8").replace("{", '{"strategy_id": "trend",', 1), encoding="utf-8")
    plain, by_file = read_target(file, context), read_target(file, said)
    assert (plain.strategy_id, by_file.strategy_id) == ("", "trend")
    assert of_strategy(by_file, "mean").strategy_id == "mean", "who runs it says last"
    assert of_strategy(plain, "") == plain
    assert content_hash(of_strategy(plain, "trend"), "x") == content_hash(by_file, "x")
    assert content_hash(plain, "x") != content_hash(by_file, "x")
    assert content_hash(plain, "x") == "0a003494db6fa210f923e57063d818e01db710b0c5a7be9bfd6ca0954bd06554"


@pytest.mark.parametrize("name", ["=1+1", "a\nb", " ", "x" * 65])
def test_what_can_be_no_strategy_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "portfolio.csv"
    file.write_text(WRITTEN, encoding="utf-8")
    with pytest.raises(BadInput, match="strategy"):
        of_strategy(read_target(file, None), name)


def test_a_decision_written_otherwise_is_the_same_decision(tmp_path: Path) -> None:
    context = FILES / "good" / "execution_context_us.json"
    other = tmp_path / "context.json"
    other.write_text(" " + context.read_text(encoding="utf-8").replace("\n", "\r\n"), encoding="utf-8", newline="")
    portfolio = FILES / "good" / "portfolio_us.csv"
    assert content_hash(read_target(portfolio, other), "x") == content_hash(read_target(portfolio, context), "x")
