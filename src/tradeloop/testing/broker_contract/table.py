"""The table of brokers, from a run of the contract: `python -m tradeloop.testing.broker_contract.table tests/contract`.

docs/brokers/README.md holds it below a marker; a test keeps the two the same. An adapter is supported when each card passed or
its subject is declared absent; anything else, a card that was not run above all, and it is not.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Generator, Sequence
from typing import Any, Final

import msgspec
import pytest

from tradeloop.core.capabilities import Capabilities
from tradeloop.core.types import SECOND_NS, OrdType, TimeInForce
from tradeloop.testing.broker_contract import BrokerContract
from tradeloop.testing.broker_contract.cards import cards
from tradeloop.testing.broker_contract.session import ABSENT

MARKER: Final = (
    "<!-- Below: written by `python -m tradeloop.testing.broker_contract.table`. Run the contract, do not write here. -->"
)

PASSED: Final = "passed"
FAILED: Final = "FAILED"
NOT_RUN: Final = "not run"


class Verdict(msgspec.Struct):
    """What the contract found of one adapter: its declaration, and an outcome for each card by the name of its test."""

    adapter: str
    declares: Capabilities
    outcomes: dict[str, str]

    def of(self, test: str) -> str:
        """The outcome of one card."""
        return self.outcomes.get(test, NOT_RUN)

    @property
    def is_supported(self) -> bool:
        """Whether every card passed, or speaks of what is declared absent."""
        return all(self.of(c.test) == PASSED or self.of(c.test).startswith("absent") for c in cards(BrokerContract))


class Listener:
    """A pytest plugin that runs the contract's classes alone and keeps what became of each card."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the contract's tests of adapters that have a name."""
        items[:] = [item for item in items if _contract_of(item) is not None]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the outcome; a card with several rows keeps the worst."""
        report = yield
        contract = _contract_of(item)
        if contract is not None and (call.when == "call" or not report.passed):
            verdict = self.verdicts.setdefault(contract.adapter, Verdict(contract.adapter, contract.declares, {}))
            test = item.name.partition("[")[0]
            verdict.outcomes[test] = _worse(verdict.outcomes.get(test), _outcome(report))
        return report


def _contract_of(item: pytest.Item) -> type[BrokerContract] | None:
    kind = getattr(item, "cls", None)
    return kind if isinstance(kind, type) and issubclass(kind, BrokerContract) and kind.adapter else None


def _outcome(report: pytest.TestReport) -> str:
    if report.passed:
        return PASSED
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        return f"absent: {reason.removeprefix(ABSENT)}" if reason.startswith(ABSENT) else f"SKIPPED: {reason}"
    return FAILED


def _worse(before: str | None, now: str) -> str:
    return now if before is None or before == PASSED else before


def run(paths: Sequence[str]) -> list[Verdict]:
    """Run the contract where these paths hold it; pytest's own words go to standard error."""
    listener = Listener()
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main([*paths, "-q", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "-p", "no:xdist"], plugins=[listener])
    return [listener.verdicts[name] for name in sorted(listener.verdicts)]


def rendered(verdicts: Sequence[Verdict]) -> str:
    """The page below its marker."""
    names = [verdict.adapter for verdict in verdicts]
    lines = [MARKER, "", "## What each is and declares", ""]
    lines += _table(["", *names], [[what, *(show(v) for v in verdicts)] for what, show in _ROWS])
    lines += ["", "## What the contract found", ""]
    lines += _table(
        ["card", "promise", *names],
        [[card.id, card.promise, *(v.of(card.test) for v in verdicts)] for card in cards(BrokerContract)],
    )
    return "\n".join(lines) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _seconds(ns: int) -> str:
    return f"{ns / SECOND_NS:g} s"


_ROWS: Final[list[tuple[str, Any]]] = [
    ("supported", lambda v: "**yes**" if v.is_supported else "no"),
    ("order types", lambda v: ", ".join(t.value for t in OrdType if t in v.declares.ord_types)),
    ("time in force", lambda v: ", ".join(t.value for t in TimeInForce if t in v.declares.tifs)),
    ("longest client order id", lambda v: str(v.declares.cl_ord_id_max)),
    ("its characters", lambda v: f"`{v.declares.cl_ord_id_alphabet}`"),
    ("remembers ids", lambda v: v.declares.dedupes.value.replace("_", " ")),
    ("can be asked for one id", lambda v: _yes(v.declares.query_by_cl_ord_id)),
    ("shows closed orders of the day", lambda v: _yes(v.declares.orders_complete)),
    ("says missed fills again", lambda v: _yes(v.declares.stream_replay)),
    ("a request may still arrive after", lambda v: _seconds(v.declares.request_lifetime_ns)),
    ("an order is in the books after", lambda v: _seconds(v.declares.visibility_lag_ns)),
    ("requests a second", lambda v: str(v.declares.rate_per_second or "no limit")),
    ("holds stops", lambda v: _yes(v.declares.holds_stops)),
    ("replaces orders", lambda v: _yes(v.declares.replaces)),
    ("replaces filled orders", lambda v: _yes(v.declares.replaces_filled)),
    ("shows our orders under our ids", lambda v: _yes(v.declares.echoes_ids)),
    ("second ids of fills", lambda v: _yes(v.declares.second_ids)),
    ("pays rebates", lambda v: _yes(v.declares.rebates)),
    ("trades parts of a unit", lambda v: _yes(v.declares.fractions)),
    ("short positions", lambda v: _yes(v.declares.shorts)),
    ("several currencies in an account", lambda v: _yes(v.declares.many_currencies)),
]


def main() -> None:
    """Run the contract and write the table to standard output; fail when an adapter is not supported."""
    parser = argparse.ArgumentParser(prog="python -m tradeloop.testing.broker_contract.table")
    parser.add_argument("paths", nargs="*", default=["tests/contract"], help="where the contract's tests are")
    verdicts = run(parser.parse_args().paths)
    sys.stdout.write(rendered(verdicts))
    sys.exit(0 if verdicts and all(verdict.is_supported for verdict in verdicts) else 1)


if __name__ == "__main__":
    main()
