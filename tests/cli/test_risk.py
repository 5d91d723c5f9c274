"""Limits of risk at the command line: where they come from, what they say, and who changes them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import FAST, Said, orders, tradeloop
from tests.cli.watched import watching

from tradeloop.bootstrap import brokers
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.triggers import TRIGGERS

ROOT = Path(__file__).resolve().parents[2]
DEMO = ("--feed", "demo", "--speed", FAST)
ORDER = ("orders", "submit", "BAC.US", "buy", "100")
FILE = "limits:\n  - rule: max_order_qty\n    value: 100\n    scope: account\n"


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a short name, for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        yield Path(folder)


def limits(home: Path, text: str) -> None:
    (home / "risk.yaml").write_text(text, encoding="utf-8")


def shown(home: Path) -> Any:
    said = tradeloop(home, "risk", "show", "--json")
    assert said.code == 0, said.err
    return said.document


def recorded(home: Path) -> dict[str, Any]:
    """What the journal gives, from its first row."""
    said = tradeloop(home, "replay", "--json")
    assert said.code == 0, said.err
    found: dict[str, Any] = {name: value for name, value in said.document.items() if name != "seconds"}
    return found


def finding(home: Path, what: str) -> tuple[str, str]:
    (found,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == what]
    return found["state"], found["text"]


def set_(home: Path, *words: str) -> Said:
    return tradeloop(home, "risk", "set", *words, *DEMO)


def test_without_a_file_nothing_is_said_of_what_it_says(home: Path) -> None:
    said = tradeloop(home, "risk", "show", "--json")
    assert (said.code, said.document["changed_since"]) == (0, False)
    assert "risk.yaml says something else" not in said.err


def test_a_limit_of_the_file_holds_from_the_next_start_on_and_is_recorded_once(home: Path) -> None:
    limits(home, FILE)
    assert not shown(home)["recorded"]
    assert "from the first start on" in tradeloop(home, "risk", "show").out
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "101", *DEMO, "--json")
    assert (said.code, said.document["rule"]) == (3, "max_order_qty")
    assert "may be at most 100, is 0, and this order adds 101" in said.document["text"]
    (row,) = shown(home)["limits"]
    assert (row["rule"], row["value"], row["where"], row["origin"]) == (
        "max_order_qty",
        "100",
        "each account",
        "risk.yaml, row 2",
    )
    assert recorded(home)["events"]["LimitsConfigured"] == 1


def test_a_file_that_is_gone_leaves_its_limits_in_force_and_is_told(home: Path) -> None:
    limits(home, FILE)
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    (home / "risk.yaml").unlink()
    told = (
        f"{home / 'risk.yaml'} is not there, so 1 limit stays in force as before (max_order_qty of each account); put it back"
    )
    found = shown(home)
    assert (found["changed_since"], found["kept"].startswith(told)) == (False, True)
    assert [row["origin"] for row in found["limits"]] == [f"the journal; {home / 'risk.yaml'} is not there"]
    assert (finding(home, "risk.yaml")[0], finding(home, "risk.yaml")[1].startswith(told)) == ("warn", True)
    before = recorded(home)
    said = tradeloop(home, "risk", "reload", *DEMO)
    assert (said.code, said.error.startswith(told)) == (2, True)
    assert recorded(home) == before
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "101", *DEMO)
    assert said.code == 3
    assert f"warning: {told}" in said.err


def test_a_file_that_says_that_there_are_none_ends_them_and_is_told(home: Path) -> None:
    limits(home, FILE)
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    limits(home, "limits: []\n")
    assert shown(home)["changed_since"]
    said = tradeloop(home, "risk", "reload", *DEMO)
    assert said.code == 2
    assert "is taken for a reason, and it was empty; ended: max_order_qty of each account (100)" in said.error
    said = tradeloop(home, "risk", "reload", "--reason", "closed", "--by", "ann", *DEMO)
    ended = "ended: max_order_qty of each account (100)"
    assert (said.code, said.out.strip()) == (0, f"0 limits in force from risk.yaml; {ended}")
    assert f"warning: no limit of risk is in force from risk.yaml any more, by ann: closed; {ended}" in said.err
    assert shown(home)["limits"] == []


def test_the_environment_sets_a_global_limit_and_config_show_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits(home, FILE)
    monkeypatch.setenv("MAX_ORDER_VALUE", "1000")
    rows = tradeloop(home, "config", "show", "--json").document["limits"]
    assert [(row["rule"], row["shown"], row["origin"]) for row in rows] == [
        ("max_order_value", "1000", "environment MAX_ORDER_VALUE"),
        ("max_order_qty", "100", "risk.yaml, row 2"),
    ]
    said = tradeloop(home, *ORDER, *DEMO)
    assert said.code == 3
    assert "the value of one order (global) may be at most 1000" in said.err


def test_a_file_that_is_wrong_stops_the_start_and_changes_nothing(home: Path) -> None:
    limits(home, FILE)
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    before = recorded(home)
    limits(home, FILE.replace("value", "valeu"))
    sentence = "risk.yaml, row 3: valeu is nothing that stands here; did you mean value"
    for words in (ORDER, ("risk", "reload"), ("watch",), ("risk", "check", "BAC.US", "buy", "1")):
        said = tradeloop(home, *words, *DEMO)
        assert (said.code, said.error) == (2, sentence)
    assert (tradeloop(home, "config", "show").code, tradeloop(home, "config", "show").error) == (2, sentence)
    assert recorded(home) == before
    said = tradeloop(home, "risk", "show", "--json")
    assert (said.code, [row["rule"] for row in said.document["limits"]]) == (1, ["max_order_qty"])
    assert said.document["refused"] == sentence
    assert finding(home, "limits") == ("bad", f"{sentence}; nothing that trades starts before")


def test_a_wrong_file_keeps_nobody_from_halting(home: Path) -> None:
    limits(home, "limits: [nonsense]\n")
    said = tradeloop(home, "halt", "--reason", "x", "--json", *DEMO)
    assert (said.document["latched"], said.document["recorded"]) == (True, False)
    assert (home / "HALT").exists()


def test_a_wrong_file_makes_nothing_in_a_new_home(home: Path) -> None:
    limits(home, "limits: [nonsense]\n")
    assert tradeloop(home, *ORDER, *DEMO).code == 2
    assert [each.name for each in home.iterdir()] == ["risk.yaml"]


def test_a_person_changes_a_limit_for_a_time_and_takes_it_back(home: Path) -> None:
    limits(home, FILE)
    of = ("max_order_qty", "--scope", "account")
    said = set_(home, "max_order_qty", "99", *of[1:], "--for", "2h", "--reason", "news", "--by", "ann")
    assert (said.code, said.out.strip()) == (0, "max_order_qty of each account is 99 until its time is up")
    (row,) = shown(home)["limits"]
    assert (row["value"], row["by"], row["reason"]) == ("99", "ann", "news")
    assert row["until_iso"].startswith("2013-10-08T15:")
    assert tradeloop(home, *ORDER, *DEMO).code == 3
    said = tradeloop(home, "risk", "revert", *of, "--reason", "read it", "--by", "ann", *DEMO)
    assert said.code == 0, said.err
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    said = tradeloop(home, "risk", "revert", *of, "--reason", "read it", "--by", "ann", *DEMO)
    assert said.error == "no limit max_order_qty of each account was set by a person; see `tradeloop risk show`"
    assert said.code == 2


def test_a_limit_in_shadow_is_recorded_and_stops_nothing(home: Path) -> None:
    words = ("max_order_qty", "1", "--scope", "symbol", "--name", "BAC", "--for", "1d", "--reason", "try it", "--by", "ann")
    said = tradeloop(home, "risk", "shadow", *words, *DEMO)
    assert said.code == 0
    assert "max_order_qty of symbol BAC.US is 1, in shadow, until its time is up" in said.out
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    assert recorded(home)["events"]["LimitPassed"] == 1
    assert finding(home, "limits in shadow") == ("ok", "asked, and stop nothing: max_order_qty 1 (symbol BAC.US)")
    assert finding(home, "limits") == ("ok", "none is in force, and nothing real is traded at paper")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("max_order_vale", "1"), "rule was 'max_order_vale', which is not known; did you mean max_order_value?"),
        (("max_order_qty", "many"), "value was 'many'; expected a plain decimal number"),
        (("max_order_qty", "5%"), "value was '5%', and max_order_qty counts quantity"),
        (("max_order_qty", "1", "--for", "soon"), "--for was 'soon'; expected a time such as 90s, 30min, 2h or 3d"),
        (("max_order_qty", "1", "--for", "0h"), "--for was '0h'; expected a time"),
        (("max_order_qty", "1", "--reason", " "), "--reason was empty"),
        (("max_order_qty", "1", "--name", "x"), "a global limit has no name"),
        (("max_order_qty", "1", "--severity", "throttle"), "cannot throttle; expected deny or warn or approval"),
        (("max_orders_per_day", "1", "--currency", "USD"), "is not of money"),
    ],
)
def test_a_change_that_cannot_be_opens_nothing(home: Path, words: tuple[str, ...], sentence: str) -> None:
    given = [
        *words,
        *(("--for", "2h") if "--for" not in words else ()),
        *(("--reason", "r") if "--reason" not in words else ()),
    ]
    said = set_(home, *given)
    assert said.code == 2
    assert sentence in said.error
    assert not (home / "tradeloop.db").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--scope", "account", "--name", "papre"),
            "name was 'papre', which is no account known here, known: paper; did you mean",
        ),
        (
            ("--scope", "strategy", "--name", "nosuch"),
            "name was 'nosuch', which is no strategy known here, known: momentum; what",
        ),
        (
            ("--scope", "industry", "--name", "nosuch"),
            "name was 'nosuch', which is no industry known here, known: none yet; what",
        ),
    ],
)
def test_a_limit_on_a_name_that_nobody_knows_is_refused_with_those_that_are_known(
    home: Path, words: tuple[str, ...], sentence: str
) -> None:
    assert tradeloop(home, *ORDER, "--strategy", "momentum", *DEMO).code == 0
    before = recorded(home)
    rule = "max_industry_value" if "industry" in words else "max_orders_per_day"
    said = set_(home, rule, "5", *words, "--for", "2h", "--reason", "news")
    assert (said.code, said.error.startswith(sentence)) == (2, True), said.err
    assert "what is to come stands in risk.yaml" in said.error
    assert recorded(home) == before


def test_a_list_of_a_person_with_a_name_that_nobody_knows_is_refused(home: Path) -> None:
    said = set_(home, "blacklist", "--only", "nosuch,BAC.US", "--for", "2h", "--reason", "news")
    assert said.code == 2
    assert said.error.startswith("only was 'nosuch', which is no symbol, board, account or industry known here, known: paper")
    assert not (home / "tradeloop.db").exists()


@pytest.mark.parametrize("written", ["order", "file"])
def test_a_strategy_is_known_by_its_orders_and_by_risk_yaml(home: Path, written: str) -> None:
    if written == "file":
        limits(home, "limits: [{rule: max_orders_per_day, value: 9, scope: strategy, name: momentum}]\n")
    else:
        assert tradeloop(home, *ORDER, "--strategy", "momentum", *DEMO).code == 0
    words = ("max_orders_per_day", "5", "--scope", "strategy", "--name", "momentum", "--for", "2h", "--reason", "news")
    assert set_(home, *words).code == 0


def test_an_industry_is_known_by_the_file_of_facts(home: Path) -> None:
    (home / "facts.csv").write_text("symbol,industry\nBAC.US,banks\n", encoding="utf-8")
    (home / "tradeloop.yaml").write_text(f"markets:\n  facts: {home / 'facts.csv'}\n", encoding="utf-8")
    of = ("max_industry_value", "5", "--scope", "industry", "--for", "2h", "--reason", "news")
    assert set_(home, *of, "--name", "banks").code == 0
    assert "known: banks; did you mean banks?" in set_(home, *of, "--name", "bank").error


def test_the_answer_says_that_nobody_has_traded_the_symbol_of_a_limit(home: Path) -> None:
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    of = ("max_order_qty", "5", "--scope", "symbol", "--for", "2h", "--reason", "news")
    said = set_(home, *of, "--name", "BAX.US")
    assert said.code == 0
    assert "no BAX.US was ever held, planned or traded here, look how it is written" in said.out
    assert "ever held" not in set_(home, *of, "--name", "BAC.US").out


def test_a_person_forbids_symbols_for_a_time_and_takes_it_back(home: Path) -> None:
    said = set_(home, "blacklist", "--only", "600519, BAC.US", "--for", "2h", "--reason", "news")
    assert said.code == 0, said.err
    assert "blacklist of global is in force until its time is up" in said.out
    (row,) = shown(home)["limits"]
    assert (row["only"], row["but"], row["floor"]) == (["600519.SH", "BAC.US"], [], None)
    assert "only 600519.SH, BAC.US" in tradeloop(home, "risk", "show").out.replace("\n", "")
    assert tradeloop(home, *ORDER, *DEMO).code == 3
    assert tradeloop(home, "risk", "revert", "blacklist", "--reason", "over", *DEMO).code == 0
    assert tradeloop(home, *ORDER, *DEMO).code == 0


def test_a_person_sets_both_figures_of_a_limit(home: Path) -> None:
    softly = ("--soft", "4", "--soft-severity", "throttle")
    said = set_(home, "max_requests_per_day", "10", *softly, "--for", "2h", "--reason", "news")
    assert said.code == 0, said.err
    (row,) = shown(home)["limits"]
    assert (row["value"], row["soft"], row["soft_severity"]) == ("10", "4", "throttle")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("blacklist",), "has an empty list"),
        (("max_order_qty",), "a limit has no value; expected at least rule and value"),
        (("blacklist", "--only", "MAIN,MAIN"), "--only holds an empty name or one twice; name each once"),
        (("blacklist", "--only", "MAIN,"), "--only holds an empty name or one twice; name each once"),
        (("max_order_qty", "1", "--floor", "1"), "max_order_qty of global has no floor"),
    ],
)
def test_a_change_that_does_not_fit_its_rule_is_refused(home: Path, words: tuple[str, ...], sentence: str) -> None:
    said = set_(home, *words, "--for", "2h", "--reason", "r")
    assert (said.code, sentence in said.error) == (2, True), said.err
    assert not (home / "tradeloop.db").exists()


def test_a_change_that_lasts_too_long_is_refused(home: Path) -> None:
    said = set_(home, "max_order_qty", "1", "--for", "8d", "--reason", "r")
    assert said.code == 2
    assert "at most 7 days away" in said.error
    assert shown(home)["limits"] == []


def test_where_two_approve_one_is_not_enough(home: Path) -> None:
    (home / "tradeloop.yaml").write_text("risk:\n  approvers: [ann, bob]\n", encoding="utf-8")
    words = ("max_order_qty", "1", "--for", "2h", "--reason", "r", "--by", "ann")
    said = set_(home, *words)
    assert said.code == 2
    assert "needs the approval of one of bob (risk.approvers), nobody had; give --approved-by" in said.error
    assert set_(home, *words, "--approved-by", "bob").code == 0
    assert [row["by"] for row in shown(home)["limits"]] == ["ann"]
    said = tradeloop(home, "risk", "revert", "max_order_qty", "--reason", "r", "--by", "bob", *DEMO)
    assert said.code == 2
    said = tradeloop(home, "risk", "revert", "max_order_qty", "--reason", "r", "--by", "bob", "--approved-by", "ann", *DEMO)
    assert said.code == 0


def test_a_limit_below_what_there_is_holds_and_says_so(home: Path) -> None:
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    said = set_(home, "max_daily_traded_value", "5", "--for", "2h", "--reason", "enough")
    assert said.code == 0
    assert "it is beyond that now (BAC.US of paper: " in said.out
    assert "of at most 5), and only orders that lessen it pass" in said.out
    assert tradeloop(home, *ORDER, "--anyway", *DEMO).code == 3


def test_an_order_beyond_a_limit_that_asks_for_approval_goes_with_one(home: Path) -> None:
    (home / "tradeloop.yaml").write_text("risk:\n  approvers: [bob]\n", encoding="utf-8")
    limits(home, FILE + "    severity: approval\n")
    alone = ("BAC.US", "buy", "101", "--by", "ann", *DEMO)
    assert tradeloop(home, "risk", "check", *alone).code == 3
    agreed = (*alone, "--approved-by", "bob")
    assert tradeloop(home, "risk", "check", *agreed).code == 0
    assert tradeloop(home, "orders", "submit", *alone).code == 3
    assert tradeloop(home, "orders", "submit", *alone, "--approved-by", "mallory").code == 3
    assert tradeloop(home, "orders", "submit", *agreed).code == 0
    assert [row["approved_by"] for row in orders(home)] == ["bob", "mallory", ""]
    assert "approved by" in tradeloop(home, "orders", "--open").out + tradeloop(home, "orders").out


def test_a_limit_of_a_strategy_covers_the_order_typed_for_it(home: Path) -> None:
    limits(home, "limits:\n  - {rule: max_orders_per_day, value: 1, scope: strategy, name: momentum}\n")
    order = ("orders", "submit", "BAC.US", "buy", "1", "--anyway", *DEMO)
    codes = [tradeloop(home, *order, "--strategy", each).code for each in ("momentum", "momentum", "value")]
    assert codes == [0, 3, 0]


def test_check_gives_every_figure_and_sends_nothing(home: Path) -> None:
    limits(home, FILE + "  - {rule: max_order_value, value: 1, severity: warn}\n")
    said = tradeloop(home, "risk", "check", "BAC.US", "buy", "101", "--json", *DEMO)
    assert said.code == 3
    found = said.document
    assert (found["denied"]["rule"], found["denied"]["this_order"]) == ("max_order_qty", "101")
    assert found["denied"]["text_zh"].startswith("委托被拒绝（max_order_qty）：单笔委托数量（每个账户）上限 100，现值 0")
    assert all(each["passed"] for each in found["checks"])
    assert {each["check"] for each in found["checks"]} >= {"halted", "session_open", "tick", "cash"}
    qty, value = found["limits"]
    assert (qty["limit"], qty["was"], qty["this_order"], qty["beyond"]) == ("100", "0", "101", True)
    assert (value["severity"], value["beyond"], Decimal(value["this_order"]) > 1000) == ("warn", True, True)
    said = tradeloop(home, "risk", "check", "BAC.US", "buy", "100", *DEMO)
    assert said.code == 0
    assert "passes; nothing was sent" in said.out
    assert orders(home) == []


def test_replay_says_what_a_file_would_have_denied(home: Path) -> None:
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    before = recorded(home)
    other = home / "other.yaml"
    other.write_text(
        "limits: [{rule: max_order_value, value: 1, shadow: true}, {rule: max_order_qty, value: 99},"
        " {rule: max_daily_loss, value: 1}]\n",
        encoding="utf-8",
    )
    said = tradeloop(home, "risk", "replay", "--from", "2013-10-08", "--file", str(other), "--json")
    assert said.code == 0
    (order,) = orders(home)
    assert (said.document["orders"], said.document["not_replayed"]) == (1, ["max_daily_loss"])
    assert [(each["order"], each["would"], each["rule"]) for each in said.document["found"]] == [
        (order["id"], "shadow", "max_order_value"),
        (order["id"], "deny", "max_order_qty"),
    ]
    assert (said.document["found"][1]["limit"], said.document["found"][1]["this_order"]) == ("99", "100")
    said = tradeloop(home, "risk", "replay", "--from", "2013-10-09", "--file", str(other), "--json")
    assert (said.document["orders"], said.document["found"]) == (0, [])
    assert recorded(home) == before
    said = tradeloop(home, "risk", "replay", "--from", "2013-10-08")
    assert (said.code, "holds no limits or is not there" in said.error) == (2, True)
    assert tradeloop(home, "risk", "replay", "--from", "yesterday").code == 2
    other.write_text("limits: [{rule: nothing, value: 1}]\n", encoding="utf-8")
    said = tradeloop(home, "risk", "replay", "--from", "2013-10-08", "--file", str(other))
    assert (said.code, said.error.startswith("other.yaml, row 1: rule was 'nothing'")) == (2, True)


def test_the_rules_are_listed_with_their_words(home: Path) -> None:
    found = tradeloop(home, "risk", "show", "--rules", "--json").document["rules"]
    assert [each["rule"] for each in found] == [*RULES, *TRIGGERS]
    assert not (home / "tradeloop.db").exists()
    assert "单笔委托金额" in tradeloop(home, "risk", "show", "--rules").out


def test_doctor_warns_where_real_money_has_no_limit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "REHEARSALS", frozenset())
    state, text = finding(home, "limits")
    assert (state, text.startswith("none is in force, and paper trades for real; set some in ")) == ("warn", True)
    limits(home, FILE.replace("scope: account", "scope: account\n    name: elsewhere"))
    assert finding(home, "limits")[0] == "ok"
    state, text = finding(home, "limits elsewhere")
    assert (state, text) == (
        "warn",
        "of other accounts than paper: max_order_qty 100 (account elsewhere); no order here ever meets them",
    )


def test_a_list_that_a_person_sets_is_told_by_its_names_and_not_as_nought(home: Path) -> None:
    said = set_(home, "blacklist", "--only", "AIG.US,BAC.US", "--for", "2h", "--reason", "news", "--by", "ann")
    assert "limit blacklist of global is set for AIG.US, BAC.US for a time, by ann: news" in said.err


def test_doctor_names_the_list_of_a_limit_that_has_no_figure(home: Path) -> None:
    limits(home, "limits:\n  - {rule: blacklist, only: [600519.SH, STAR]}\n  - {rule: no_suspended}\n")
    state, text = finding(home, "limits")
    assert state == "ok"
    assert "blacklist of 600519.SH STAR (global), no_suspended (global)" in text


@pytest.mark.crash
def test_a_process_that_trades_is_asked_told_and_reloaded(home: Path) -> None:
    limits(home, FILE)
    assert tradeloop(home, *ORDER, *DEMO).code == 0
    with watching(home):
        said = tradeloop(home, "risk", "check", "BAC.US", "buy", "101", "--json")
        assert (said.code, said.document["denied"]["rule"]) == (3, "max_order_qty")
        words = ("max_order_qty", "50", "--scope", "account", "--for", "2h", "--reason", "news", "--by", "ann")
        assert tradeloop(home, "risk", "set", *words).code == 0
        said = tradeloop(home, "risk", "check", "BAC.US", "buy", "100", "--json")
        assert (said.code, said.document["denied"]["limit"]) == (3, "50")
        assert tradeloop(home, "risk", "check", "600519.SH", "buy", "100").code == 2
        assert tradeloop(home, "risk", "revert", *words[:1], *words[2:4], "--reason", "read it", "--by", "ann").code == 0
        limits(home, FILE + "  - {rule: max_orders_per_day, value: 1}\n")
        said = tradeloop(home, "risk", "reload")
        assert said.code == 0
        assert "2 limits in force from risk.yaml" in said.out
        limits(home, "limits: [{rule: nothing, value: 1}]\n")
        said = tradeloop(home, "risk", "reload")
        assert said.code == 2
        limits(home, FILE.replace("100", "1000") + "  - {rule: max_orders_per_day, value: 1}\n")
        assert tradeloop(home, "risk", "reload").code == 2
        said = tradeloop(home, "risk", "reload", "--reason", "results", "--by", "ann")
        assert (said.code, "looser: max_order_qty of each account (1000, was 100)" in said.out) == (0, True)
        said = tradeloop(home, "risk", "check", "BAC.US", "buy", "100", "--json")
        assert (said.code, said.document["denied"]["rule"]) == (3, "max_orders_per_day")


@pytest.mark.crash
def test_the_commands_of_the_how_to_run(home: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "limit-risk.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```bash\n")[1:]]
    (home / "tradeloop.yaml").write_text(f"feed:\n  kind: demo\n  speed: {FAST}\n", encoding="utf-8")
    script = f"set -e\nexport TRADELOOP_HOME={home}\n" + "tradeloop() { " + f'{sys.executable} -m tradeloop "$@"; }}\n'
    script += f"tradeloop {' '.join(ORDER)}\n" + "\n".join(blocks)
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "approved by bob" in ran.stderr
    assert "1 order since 2013-10-08 looked at, 0 would have been denied" in ran.stdout
    (standing,) = [row for row in shown(home)["limits"] if row["rule"] == "max_order_value" and row["by"]]
    assert standing["value"] == "2000"
