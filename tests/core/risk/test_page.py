"""docs/reference/risk-rules.md: what the registry says today, and every code that a denial can carry."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.risk.checks_cases import CASES as CHECKED
from tests.core.risk.test_rules import CASES

from tradeloop.core.risk.codes import NUMBERS, ORDER_CODES, RUN_CODES
from tradeloop.core.risk.registry import RULES
from tradeloop.testing.risk_numbers import BY_CASES, ELSEWHERE, codes_of
from tradeloop.testing.risk_rules import MARKER, rendered, shown_by

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "risk-rules.md"


def codes_said(function: str) -> Iterator[tuple[str, str]]:
    """(file, code) of every call of `Denied` or `Finding` in the core; a name stands for its constant."""
    for file in sorted((ROOT / "src" / "tradeloop" / "core").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function and node.args:
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield file.name, part.value
                    elif isinstance(part, ast.Name) and part.id in constants:
                        yield file.name, str(constants[part.id])


def test_the_page_is_what_the_rules_say_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    written = PAGE.read_text(encoding="utf-8")
    now = rendered(shown_by(Path("tests/core/risk")))
    below = written[written.index(MARKER) :]
    assert below == now, (
        f"write it anew: the head of {PAGE.name}, then `python -m tradeloop.testing.risk_rules tests/core/risk`"
    )


def test_every_case_that_is_lived_stands_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = shown_by(Path("tests/core/risk"))
    assert {rule: len(every) for rule, every in shown.items()} == Counter(
        [*(case.rule for case in CASES), *(case.rule for case in CHECKED)]
    )
    written = PAGE.read_text(encoding="utf-8")
    assert f"{len(RULES)} rules of limits, of which {len(RULES)} are shown" in written
    assert f"{len(ORDER_CODES)} codes of checks of every order, of which {len(ORDER_CODES)} are." in written


def test_a_rule_without_a_case_says_so() -> None:
    rule = next(iter(RULES))
    assert "shown by: nothing yet" in rendered({code: ["a case"] for code in RULES if code != rule})


def test_a_check_without_a_case_says_so() -> None:
    assert "| `cash` | R7 | nothing yet |" in rendered({})


def test_every_number_of_the_table_of_rules_is_kept_by_a_code_or_says_how() -> None:
    found = codes_of()
    assert list(found) == [f"R{number}" for number in range(1, 45)]
    assert [number for number, codes in found.items() if not codes and number not in ELSEWHERE] == []
    assert NUMBERS.keys() <= ORDER_CODES.keys()


@pytest.mark.parametrize("number", ELSEWHERE)
def test_what_keeps_a_number_is_there(number: str) -> None:
    how, test = ELSEWHERE[number]
    assert test != BY_CASES or codes_of()[number], "there has to be a case"
    named = [*filter(None, [test]), *re.findall(r"`(src/[\w/.]+)`", how)]
    assert [file for file in named if not (ROOT / file).is_file()] == []


def test_every_code_of_a_denial_stands_on_the_page() -> None:
    said = dict.fromkeys(code for _, code in codes_said("Denied"))
    assert {"halted", "reduce_only", "cash", "sellable", "price_drift", "no_price"} <= said.keys()
    assert sorted(said) == sorted(ORDER_CODES)
    assert not [code for code in (*said, *RULES) if f"`{code}`" not in PAGE.read_text(encoding="utf-8")]


def test_every_code_of_a_finding_stands_on_the_page() -> None:
    said = {code for _, code in codes_said("Finding")}
    assert sorted(said) == sorted(RUN_CODES)
    assert not [code for code in said if f"`{code}`" not in PAGE.read_text(encoding="utf-8")]


def test_every_code_of_a_check_is_met_in_a_test() -> None:
    files = (file for file in (ROOT / "tests").rglob("test_*.py") if file != Path(__file__))
    written = "".join(file.read_text(encoding="utf-8") for file in files)
    assert not [code for code in ORDER_CODES if f'"{code}"' not in written]


def test_no_code_means_two_things() -> None:
    assert not RULES.keys() & ORDER_CODES.keys()


@pytest.mark.parametrize("code", [*RULES, *ORDER_CODES, *RUN_CODES])
def test_every_code_has_words_in_english_and_chinese(code: str) -> None:
    words = RULES[code].words if code in RULES else {**RUN_CODES, **ORDER_CODES}[code]
    for english, chinese in ((words.title, words.title_zh), (words.remedy, words.remedy_zh)):
        assert english.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
