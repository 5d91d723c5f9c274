"""Where a setting comes from, and what is said where it can not be taken."""

from __future__ import annotations

from decimal import Decimal
from getpass import getuser
from pathlib import Path

import pytest

from tradeloop.config import Home, Loaded, find_home, load
from tradeloop.core.errors import BadInput


def loaded(folder: Path, given: dict[str, object] | None = None, environ: dict[str, str] | None = None) -> Loaded:
    """The settings of a home in `folder`, with nothing of this machine's environment."""
    return load(given, home=Home(folder, folder, folder), environ=environ or {}, folder=folder)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("ts_code,weight\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"p\.csv', which is a file; name a folder with --home"):
        find_home(tmp_path / "p.csv")


def test_the_command_line_wins_over_environment_dotenv_yaml_and_default(tmp_path: Path) -> None:
    name = "run.max_positions"
    origins = []
    files = {
        "tradeloop.yaml": "run:\n  max_positions: 1\n",
        ".env": "TRADELOOP_RUN__MAX_POSITIONS=2\nOTHER_PROGRAMS_KEY=x\n",
    }
    for file, text in files.items():
        write(tmp_path, file, text)
        found = loaded(tmp_path)
        origins.append((found.settings.run.max_positions, found.origins[name]))
    by_environment = loaded(tmp_path, environ={"TRADELOOP_RUN__MAX_POSITIONS": "3"})
    by_hand = loaded(tmp_path, {name: 4}, {"TRADELOOP_RUN__MAX_POSITIONS": "3"})
    assert origins == [(1, "tradeloop.yaml"), (2, ".env TRADELOOP_RUN__MAX_POSITIONS")]
    assert by_environment.settings.run.max_positions == 3
    assert (by_hand.settings.run.max_positions, by_hand.origins[name]) == (4, "command line")


def test_an_option_that_was_not_given_leaves_the_lower_layers_alone(tmp_path: Path) -> None:
    write(tmp_path, "tradeloop.yaml", "feed:\n  speed: 30\n")
    assert loaded(tmp_path, {"feed.speed": None}).settings.feed.speed == 30


def test_broker_yaml_is_the_section_broker(tmp_path: Path) -> None:
    write(tmp_path, "broker.yaml", "account: desk-1\npaper:\n  cash:\n    usd: 250000.50\n")
    broker = loaded(tmp_path).settings.broker
    assert broker.account == "desk-1"
    assert broker.paper.cash == {"USD": Decimal("250000.50")}


def test_a_yaml_number_is_read_as_it_is_written(tmp_path: Path) -> None:
    write(tmp_path, "tradeloop.yaml", "run:\n  max_weight: 0.1\n")
    assert loaded(tmp_path).settings.run.max_weight == Decimal("0.1")


@pytest.mark.parametrize(
    ("yaml", "environment", "sentence"),
    [
        ("run:\n  max_wieght: 0.1\n", {}, "tradeloop.yaml: run.max_wieght is not a setting; did you mean run.max_weight"),
        ("", {"TRADELOOP_RUN__MAX_WIEGHT": "1"}, "did you mean TRADELOOP_RUN__MAX_WEIGHT"),
        ("run:\n  max_weight: much\n", {}, "run.max_weight was 'much'; expected a plain decimal number"),
        ("run:\n  max_weight: NaN\n", {}, "run.max_weight was 'NaN'; expected a plain decimal number"),
        ("", {"TRADELOOP_BROKER__PAPER__CASH__EUR": "-1"}, "broker.paper.cash.eur was '-1'; expected greater than"),
        ("feed:\n  start: tomorrow\n", {}, "feed.start was 'tomorrow'; expected 'open' or a time with its zone"),
        ("feed:\n  speed: 0.5\n", {}, "feed.speed was '0.5'; expected greater than or equal to 1"),
        ("run: [\n", {}, "tradeloop.yaml, row 2: is not YAML"),
        ("- run\n", {}, "tradeloop.yaml: was a list; expected names with values"),
        ("group: A B\n", {}, "tradeloop.yaml: group was 'A B'"),
    ],
)
def test_what_can_not_be_taken_is_one_sentence_with_its_source(
    yaml: str, environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    write(tmp_path, "tradeloop.yaml", yaml)
    with pytest.raises(BadInput) as refused:
        loaded(tmp_path, environ=environment)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_password_in_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "tradeloop.yaml", "database:\n  url: mysql+aiomysql://u:hunter2@h/db\n")
    (tmp_path / "tradeloop.yaml").chmod(0o644)
    with pytest.raises(BadInput, match="expected 0600, run: chmod 600") as refused:
        loaded(tmp_path)
    assert "hunter2" not in str(refused.value)


def test_one_variable_puts_everything_into_one_folder(tmp_path: Path) -> None:
    home = find_home(environ={"TRADELOOP_HOME": str(tmp_path)})
    assert home.config == home.data == home.state == tmp_path


def test_without_it_the_xdg_folders_are_used(tmp_path: Path) -> None:
    home = find_home(environ={"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert home.database == tmp_path / "data" / "tradeloop" / "tradeloop.db"
    assert home.config == tmp_path / "config" / "tradeloop"
    assert home.state == Path.home() / ".local/state" / "tradeloop"


def test_an_empty_home_is_none_and_a_relative_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the desk would write into the root folder, or into another one with every change of folder."""
    monkeypatch.setenv("HOME", "")
    own = Path(f"~{getuser()}").expanduser()
    assert find_home(environ={"HOME": ""}).database == own / ".local/share/tradeloop/tradeloop.db"
    monkeypatch.setenv("HOME", "relative/folder")
    with pytest.raises(BadInput, match="expected the whole path of a folder"):
        find_home(environ={"HOME": "relative/folder"})


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    below = tmp_path / "file" / "home"
    with pytest.raises(BadInput, match="can not be made"):
        Home(below, below, below).prepare()


def test_cash_from_a_variable_names_that_variable_as_its_origin(tmp_path: Path) -> None:
    loaded = load(home=find_home(tmp_path), environ={"TRADELOOP_BROKER__PAPER__CASH__USDT": "5"}, folder=tmp_path)
    origins = {name: origin for name, _, origin in loaded.shown()}
    assert origins["broker.paper.cash.USDT"] == "environment TRADELOOP_BROKER__PAPER__CASH__USDT"
    assert origins["broker.paper.latency_ms"] == "default"


def test_a_map_may_be_one_variable_of_json_whose_amounts_stay_exact(tmp_path: Path) -> None:
    environ = {"TRADELOOP_BROKER__PAPER__CASH": '{"USDT": "100000", "BTC": 0.1}'}
    loaded = load(home=find_home(tmp_path), environ=environ, folder=tmp_path)
    assert loaded.settings.broker.paper.cash == {"USDT": Decimal(100_000), "BTC": Decimal("0.1")}


@pytest.mark.parametrize("written", ["100000", "[1]", '{"USDT": [1]}', "{"])
def test_a_map_that_is_none_is_told_both_ways_to_write_it(tmp_path: Path, written: str) -> None:
    with pytest.raises(BadInput, match=r"CASH was .*as JSON such as .* or .* TRADELOOP_BROKER__PAPER__CASH__NAME=1.5"):
        load(home=find_home(tmp_path), environ={"TRADELOOP_BROKER__PAPER__CASH": written}, folder=tmp_path)
