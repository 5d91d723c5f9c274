"""Files that nobody wrote, at the command line: one sentence, exit code 2, and nothing left behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.commands import FILES, Said, tradeloop

FEWER = settings(
    deadline=None,
    max_examples=max(15, settings().max_examples // 5),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""Each example is a whole command."""

GOOD = FILES / "good"
PORTFOLIO = (GOOD / "portfolio_us.csv").read_bytes()
CONTEXT = (GOOD / "execution_context_us.json").read_bytes()
HUGE = b"x" * 200_000

PORTFOLIOS = {
    "a NUL": PORTFOLIO + b"\0",
    "a field of two hundred thousand letters": PORTFOLIO + HUGE + b",0.01\n",
    "a header of two hundred thousand letters": HUGE + b"," + PORTFOLIO,
    "UTF-16": PORTFOLIO.decode().encode("utf-16"),
    "UTF-16 without a mark": PORTFOLIO.decode().encode("utf-16-le"),
    "a weight named twice": b"ts_code,weight,weight\nAIG.US,0.5,0.4\n",
    "a code named twice": b"ts_code,code,weight\nAIG.US,IBM.US,0.4\n",
    "five million bytes": PORTFOLIO + b"#" * 5_000_000,
    "a quote that never closes": PORTFOLIO + b'"AIG.US,0.1\n' * 50,
    "a cursor that moves": b"ts_code,weight\n\x1b[2J,0.1\n",
    "one hundred thousand columns": b"ts_code,weight" + b",a" * 100_000 + b"\nAIG.US,0.1\n",
}
CONTEXTS = {
    "a list a million deep": b"[" * 1_000_000,
    "an object a hundred thousand deep": b'{"a":' * 100_000,
    "a deep field": CONTEXT.replace(b"{", b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b",", 1),
    "a name twice": CONTEXT.replace(b"{", b'{"trade_date": "2013-10-08",', 1),
    "UTF-16": CONTEXT.decode().encode("utf-16"),
    "a NUL": CONTEXT + b"\0",
    "a number of a million digits": CONTEXT.replace(b"{", b'{"target_exposure": ' + b"1" * 1_000_000 + b", ", 1),
    "half of a character": CONTEXT.replace(b"{", b'{"project_id": "\\ud800", ', 1),
    "no text": bytes(range(256)),
}
RECORDINGS = {
    "a header of two hundred thousand letters": HUGE,
    "the year 9999": b"ts,symbol,bid,ask\n9999-12-31T23:59:59Z,AIG.US,1,2\n",
    "a size twice": b"ts,symbol,bid,ask,bid_size,bid_size\n2013-10-08T13:30:01Z,AIG.US,1,2,3,4\n",
    "a day that is none": b"trade_date,ts_code,open,high,low,close,pre_close,volume_shares\ntoday,AIG.US,1,1,1,1,1,1\n",
    "UTF-16": "ts,symbol,bid,ask\n".encode("utf-16"),
}


def run(folder: Path, portfolio: bytes = PORTFOLIO, context: bytes = CONTEXT, *words: str) -> Said:
    """A run that would send orders, if only it could, of files with these bytes in a home that is not there yet."""
    shutil.rmtree(folder / "home", ignore_errors=True)
    (folder / "p.csv").write_bytes(portfolio)
    (folder / "c.json").write_bytes(context)
    feed = words or ("--feed", "demo")
    return tradeloop(folder / "home", "run", str(folder / "p.csv"), "--context", str(folder / "c.json"), "--yes", *feed)


def refused(said: Said, folder: Path, name: str) -> None:
    """One sentence that names the file, exit code 2, and no home: no run was made."""
    assert (said.code, said.out) == (2, "")
    assert said.error.startswith(name)
    assert said.error.isprintable()
    assert len(said.error) < 1000
    assert len(said.err.splitlines()) == 1
    assert not (folder / "home").exists()


@pytest.mark.parametrize("raw", PORTFOLIOS.values(), ids=PORTFOLIOS)
def test_a_portfolio_that_is_none_ends_with_one_sentence_and_no_run(tmp_path: Path, raw: bytes) -> None:
    refused(run(tmp_path, portfolio=raw), tmp_path, "p.csv")


@pytest.mark.parametrize("raw", CONTEXTS.values(), ids=CONTEXTS)
def test_a_context_that_is_none_ends_with_one_sentence_and_no_run(tmp_path: Path, raw: bytes) -> None:
    refused(run(tmp_path, context=raw), tmp_path, "c.json")


@pytest.mark.parametrize("raw", RECORDINGS.values(), ids=RECORDINGS)
def test_a_recording_that_is_none_ends_with_one_sentence_and_no_run(tmp_path: Path, raw: bytes) -> None:
    recording = tmp_path / "r.csv"
    recording.write_bytes(raw)
    said = run(tmp_path, PORTFOLIO, CONTEXT, "--feed", str(recording))
    assert said.code == 2
    assert said.error.startswith("r.csv")
    assert said.error.isprintable()
    assert len(said.err.splitlines()) == 1
    assert not list(tmp_path.rglob("broker_submit_*"))


@FEWER
@given(st.binary(max_size=120))
def test_any_bytes_for_a_portfolio_end_with_one_sentence_and_no_run(tmp_path: Path, raw: bytes) -> None:
    refused(run(tmp_path, portfolio=b"ts_code,weight\n\xff" + raw), tmp_path, "p.csv")


@FEWER
@given(st.binary(max_size=120))
def test_any_bytes_for_a_context_end_with_one_sentence_and_no_run(tmp_path: Path, raw: bytes) -> None:
    refused(run(tmp_path, context=b"{" + raw), tmp_path, "c.json")
