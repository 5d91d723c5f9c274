"""Settings that nobody means: whatever tradeloop.yaml holds is taken as it reads, or refused in one sentence, and soon."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.commands import FILES, tradeloop

from tradeloop.config import Home, Loaded, load
from tradeloop.core.errors import BadInput

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
SOON_S = 10.0

LEVELS = 9
BILLION = "feed:\n  prices:\n    l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"    l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, LEVELS + 1)
)
"""A billion letters in half a kilobyte, for a reader that follows references."""


def told(folder: Path, raw: bytes, environ: dict[str, str] | None = None) -> Loaded | str:
    """The settings of a home with this tradeloop.yaml, or the sentence that refused it."""
    (folder / "tradeloop.yaml").write_bytes(raw)
    begun = monotonic()
    try:
        found: Loaded | str = load(home=Home(folder, folder, folder), environ=environ or {}, folder=folder)
    except BadInput as refused:
        found = str(refused)
        assert found.isprintable()
        assert len(found) < 1000
    assert monotonic() - begun < SOON_S
    return found


REFUSED = {
    "references to references": (BILLION, "stands for another value"),
    "a reference to itself": ("feed: &a\n  prices: *a\n", "row 2: *a stands for another value; write the value out"),
    "a merge of a reference": ("run: &a\n  min_cash: 1\nfeed:\n  <<: *a\n", "row 4: *a stands for another value"),
    "a list five thousand deep": ("[" * 5000, "nested too deeply"),
    "a map five thousand deep": ("{a: " * 5000, "nested too deeply"),
    "blocks a thousand deep": ("\n".join(" " * n + "a:" for n in range(600)), "nested too deeply"),
    "a setting named twice": ("run:\n  max_weight: 0.1\n  max_weight: 0.9\n", "row 3: max_weight stands twice"),
    "a section named twice": ("run:\n  max_weight: 0.1\nrun:\n  min_cash: 1\n", "row 3: run stands twice"),
    "a setting named in two ways": ("run:\n  max_weight: 0.1\nrun.max_weight: 0.9\n", "run.max_weight stands twice"),
    "a map that is a value too": ("feed:\n  prices: 5\n  prices.A: 3\n", "feed.prices and feed.prices.A are both set"),
    "an object of Python": ("run:\n  max_weight: !!python/object/apply:os.system ['true']\n", "run.max_weight was 'true'"),
    "a document of Python": ("!!python/object/apply:os.system ['true']\n", "was a list"),
    "half of a character": ('operator: "\\ud800"\n', "row 1: '\\ud800' is not text"),
    "half of a character in a list": ('run:\n  blacklist: [a, "\\udfff"]\n', "row 2: '\\udfff' is not text"),
    "half of a character for a name": ('"\\ud800": 1\n', "row 1: '\\ud800' is not text"),
    "a NUL": ("run:\n  min_cash: 1\0\n", "is not YAML"),
    "two documents": ("run:\n  min_cash: 1\n---\nrun:\n  min_cash: 2\n", "row 3"),
    "a name that is a list": ("? [a]\n: b\n", "row 1"),
    "a number of a hundred thousand digits": (f"run:\n  min_cash: {'1' * 100_000}\n", "run.min_cash was '1111"),
    "a seed of a hundred thousand digits": (f"feed:\n  seed: {'1' * 100_000}\n", "feed.seed was '1111"),
    "a name of a hundred thousand letters": (f"? {'a' * 100_000}\n: 1\n", "is not a setting"),
    "a name that moves the cursor": ('"\\e[2J\\n": 1\n', "is not a setting"),
    "a megabyte": ("# " + "x" * 1_000_000, "is larger than"),
    "a replay of the year 1": ("feed:\n  start: 0001-01-01T00:00:00+14:00\n", "feed.start was"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_settings_that_can_not_be_meant_are_refused_at_once_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    said = told(tmp_path, text.encode())
    assert isinstance(said, str)
    assert says in said
    assert "tradeloop.yaml" in said


def test_settings_in_utf_16_are_refused(tmp_path: Path) -> None:
    said = told(tmp_path, "run:\n  min_cash: 1\n".encode("utf-16"))
    assert isinstance(said, str)
    assert "its encoding, UTF-8" in said


def test_a_variable_for_a_map_and_one_for_a_name_in_it_are_refused(tmp_path: Path) -> None:
    both = {"TRADELOOP_FEED__PRICES": "5", "TRADELOOP_FEED__PRICES__A": "3"}
    said = told(tmp_path, b"", both)
    assert said == "environment TRADELOOP_FEED__PRICES__A: feed.prices and feed.prices.a are both set; keep one of them"


def test_a_variable_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """What an environment holds that is no UTF-8 comes as halves of characters, and no journal could hold the name."""
    said = told(tmp_path, b"", {"TRADELOOP_OPERATOR": "\udce9ric"})
    assert isinstance(said, str)
    assert said.startswith("environment TRADELOOP_OPERATOR: operator was '\\udce9ric'; expected text in UTF-8")


def test_a_bomb_in_the_settings_ends_a_command_with_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "tradeloop.yaml").write_text(BILLION, encoding="utf-8")
    said = tradeloop(tmp_path, "run", str(FILES / "good" / "portfolio_us.csv"), "--yes")
    assert said.code == 2
    assert said.out == ""
    assert said.error == "tradeloop.yaml, row 4: *l0 stands for another value; write the value out"
    assert [path.name for path in tmp_path.iterdir()] == ["tradeloop.yaml"]


@CALM
@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_refused_in_one_sentence(tmp_path: Path, raw: bytes) -> None:
    found = told(tmp_path, raw)
    assert isinstance(found, Loaded) or found


NAMES = st.sampled_from(
    [
        *("run", "feed", "broker", "engine", "database", "markets", "paper", "faults", "prices", "cash", "rates"),
        *(
            "max_weight",
            "min_cash",
            "seed",
            "speed",
            "start",
            "paths",
            "url",
            "script",
            "blacklist",
            "kind",
            "operator",
            "group",
        ),
        *("feed.prices", "feed.prices.A", "broker.paper.cash", "broker.paper.cash.USD", "run.max_weight", "", "x"),
    ]
)
SCALARS = st.sampled_from(
    ["", "0", "1", "-1", "0.1", "1e9", "nan", ".inf", "~", "null", "true", "a,b", "open", "USD"]
) | st.text(max_size=8)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@CALM
@given(st.dictionaries(NAMES, TREES, max_size=4), st.dictionaries(NAMES, SCALARS, max_size=2))
def test_any_tree_of_names_is_settings_or_refused_in_one_sentence(
    tmp_path: Path, tree: dict[str, object], variables: dict[str, str]
) -> None:
    environ = {f"TRADELOOP_{name.upper().replace('.', '__')}": value for name, value in variables.items()}
    found = told(tmp_path, yaml.safe_dump(tree, allow_unicode=True).encode(errors="replace"), environ)
    assert isinstance(found, str) or all(isinstance(value, str) for _, value, _ in found.shown())


@CALM
@given(st.lists(st.tuples(st.integers(0, 80), st.sampled_from([*"&*!?:-[]{}|>%@`'\"#,\n\t \\"])), max_size=6))
def test_changed_settings_are_taken_as_they_read_or_refused_in_one_sentence(
    tmp_path: Path, edits: list[tuple[int, str]]
) -> None:
    text = list("run:\n  max_weight: 0.1\n  blacklist: [600519.SH, IBM.US]\nfeed:\n  prices:\n    IBM.US: 182.5\n")
    for place, mark in edits:
        text[place] = mark
    found = told(tmp_path, "".join(text).encode())
    assert isinstance(found, Loaded) or found
