"""risk.yaml and the limits of the environment: taken as they read, or refused in one sentence that says where."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tradeloop.bootstrap import Configured, configured_in, configured_limits
from tradeloop.config import Home, load
from tradeloop.core.errors import BadInput
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import Unit

QTY = RiskLimit("max_order_qty", Decimal(100))


def configured(folder: Path, text: str | None = None, **environ: str) -> Configured:
    """The limits of a home whose risk.yaml is this."""
    if text is not None:
        (folder / "risk.yaml").write_text(text, encoding="utf-8")
    return configured_limits(load(home=Home(folder, folder, folder), environ=environ, folder=folder))


def one(folder: Path, rest: str, rule: str = "max_order_value") -> RiskLimit:
    (found,) = configured(folder, f"limits:\n  - rule: {rule}\n    {rest}\n").limits
    return found


def test_a_softer_figure_stands_in_the_same_entry(tmp_path: Path) -> None:
    limit = one(tmp_path, "value: 20000\n    soft: 16000\n    soft_severity: throttle", "max_requests_per_day")
    assert (limit.value, limit.soft) == (Decimal(20000), Decimal(16000))
    assert limit.soft_severity is Severity.THROTTLE
    assert one(tmp_path, "value: 10%\n    soft: 5%", "max_cancel_ratio").soft == Decimal("0.05")


def test_without_a_file_there_are_no_limits(tmp_path: Path) -> None:
    assert configured(tmp_path).limits == ()
    assert configured(tmp_path, "").limits == ()
    assert configured(tmp_path, "limits:\n").limits == ()
    assert configured(tmp_path, "limits: []\n").limits == ()


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        (None, "is not there"),
        ("", "says nothing of limits"),
        ("# ours\n", "says nothing of limits"),
        ("limits:\n", "says nothing"),
        ("limits: null\n", "says nothing"),
        ("limits: ~\n", "says nothing"),
    ],
)
def test_where_no_file_says_anything_what_was_in_force_stays_so(tmp_path: Path, text: str | None, silent: str) -> None:
    found = configured(tmp_path, text)
    before = {QTY.limit_id: QTY}
    assert found.kept(before) == (QTY,)
    assert (found.over(before).limits, found.over(before).origin) == ((QTY,), "the journal")
    assert found.why_kept(before).startswith(f"{tmp_path / 'risk.yaml'} {silent}")
    assert found.why_kept(before).endswith(
        "so 1 limit stays in force as before (max_order_qty of global); put it back, or write `limits: []` to have none"
    )
    assert found.why_kept({}) == ""


def test_a_file_that_says_that_there_are_none_ends_those_that_were(tmp_path: Path) -> None:
    found = configured(tmp_path, "limits: []\n")
    assert (found.over({QTY.limit_id: QTY}).limits, found.why_kept({QTY.limit_id: QTY})) == ((), "")


def test_what_the_environment_names_takes_the_place_of_what_stays(tmp_path: Path) -> None:
    before = RiskLimit("max_order_value", Decimal(7))
    found = configured(tmp_path, MAX_ORDER_VALUE="9")
    over = found.over({QTY.limit_id: QTY, before.limit_id: before})
    assert (over.limits, over.origin) == (
        (RiskLimit("max_order_value", Decimal(9)), QTY),
        "environment MAX_ORDER_VALUE, the journal",
    )


def test_every_key_of_a_limit_is_read_as_it_is_written(tmp_path: Path) -> None:
    text = (
        "limits:\n  - rule: max_order_value\n    value: 0.1\n    scope: symbol\n    name: '600519'\n    currency: cny\n"
        "    severity: approval\n    missing: allow\n    shadow: true\n"
    )
    (limit,) = configured(tmp_path, text).limits
    assert limit == RiskLimit(
        "max_order_value", Decimal("0.1"), LimitScope.SYMBOL, "600519.SH", "CNY", Severity.APPROVAL, True, True
    )


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    assert one(tmp_path, "value: 5") == RiskLimit("max_order_value", Decimal(5))


def test_each_limit_says_in_which_row_it_stands(tmp_path: Path) -> None:
    found = configured(
        tmp_path, "# ours\nlimits:\n  - {rule: max_order_qty, value: 1}\n\n  - {rule: max_order_value, value: 2}\n"
    )
    assert [found.origins[limit.limit_id] for limit in found.limits] == ["risk.yaml, row 3", "risk.yaml, row 5"]
    assert found.over({}).origin == "risk.yaml"


def test_limits_written_in_one_row_say_which_of_it_they_are(tmp_path: Path) -> None:
    two = "limits: [{rule: max_order_qty, value: 1}, {rule: max_order_value, value: 2}]\n"
    found = configured(tmp_path, two)
    assert list(found.origins.values()) == ["risk.yaml, row 1, entry 1", "risk.yaml, row 1, entry 2"]
    assert found.over({}).origin == "risk.yaml"
    with pytest.raises(BadInput, match=r"row 1, entry 2: the limit max_order_qty .* stands in risk.yaml, row 1, entry 1"):
        configured(tmp_path, two.replace("max_order_value", "max_order_qty"))


def test_a_fraction_may_be_a_percentage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "max_order_qty"
    monkeypatch.setitem(RULES, rule, msgspec.structs.replace(RULES[rule], unit=Unit.FRACTION))
    assert one(tmp_path, "value: 2.5%", rule).value == Decimal("0.025")
    assert one(tmp_path, "value: 0.025", rule).value == Decimal("0.025")
    assert configured(tmp_path).limits == configured(tmp_path, f"limits: [{{rule: {rule}, value: 2.5%}}]").limits


REFUSED = {
    "an unknown rule": (
        "limits: [{rule: max_order_vale, value: 1}]",
        "row 1: rule was 'max_order_vale', which is not known; did",
    ),
    "an unknown key": (
        "limits:\n- rule: max_order_qty\n  valu: 1\n",
        "row 3: valu is nothing that stands here; did you mean value",
    ),
    "another list": ("limit:\n- rule: max_order_qty\n", "row 1: limit is nothing that stands here; did you mean limits"),
    "a setting beside it": ("limits: []\nrun: {}\n", "row 2: run is nothing that stands here"),
    "a limit below zero": ("limits: [{rule: max_order_qty, value: -1}]", "was -1; expected a number that is not below zero"),
    "half an order": ("limits: [{rule: max_orders_per_day, value: 1.5}]", "was 1.5; expected a whole number, it counts"),
    "no number": ("limits: [{rule: max_order_qty, value: many}]", "value was 'many'; expected a plain decimal number"),
    "a number with an exponent": ("limits: [{rule: max_order_qty, value: 1e3}]", "value was '1e3'; expected a plain decimal"),
    "a number that is none": ("limits: [{rule: max_order_qty, value: .nan}]", "value was '.nan'; expected a plain decimal"),
    "a number of a hundred digits": (f"limits: [{{rule: max_order_qty, value: {'1' * 100}}}]", "(100 characters); expected"),
    "a percentage of no fraction": (
        "limits: [{rule: max_order_qty, value: 5%}]",
        "row 1: value was '5%', and max_order_qty counts quantity; give a plain number",
    ),
    "no value": ("limits:\n- {rule: max_order_qty}\n", "row 2: a limit has no value"),
    "no rule": ("limits:\n- {value: 1}\n", "row 2: a limit has no rule"),
    "a scope that is none": (
        "limits: [{rule: max_order_qty, value: 1, scope: desk}]",
        "scope was 'desk'; expected one of global, account, strategy, symbol, industry",
    ),
    "a scope that its rule does not count over": (
        "limits: [{rule: max_requests_per_second, value: 1, scope: symbol}]",
        "cannot be counted over symbol; expected global or account",
    ),
    "a severity that is none": (
        "limits: [{rule: max_order_qty, value: 1, severity: no}]",
        "severity was 'no'; expected one of",
    ),
    "a severity that its rule cannot": (
        "limits: [{rule: max_order_qty, value: 1, severity: throttle}]",
        "cannot throttle; expected deny or warn or approval",
    ),
    "a name without a scope": ("limits: [{rule: max_order_qty, value: 1, name: x}]", "a global limit has no name"),
    "a symbol that is none": ("limits: [{rule: max_order_qty, value: 1, scope: symbol, name: '6005'}]", "row 1: "),
    "money of no money": ("limits: [{rule: max_order_qty, value: 1, currency: CNY}]", "is not of money"),
    "no currency": (
        "limits: [{rule: max_order_value, value: 1, currency: 7}]",
        "currency was '7'; expected one of CNY, HKD, USD",
    ),
    "money called otherwise": ("limits: [{rule: max_order_value, value: 1, currency: RMB}]", "did you mean CNY"),
    "no name": ("limits: [{rule: max_order_qty, value: 1, scope: account, name: null}]", "leave it out where each is meant"),
    "a code that two markets have": ("limits: [{rule: blacklist, only: ['000001']}]", "write 000001.SZ"),
    "an unknown market": ("limits: [{rule: blacklist, only: [600519.XX]}]", "has the unknown market 'XX'"),
    "a symbol of an exchange": ("limits: [{rule: blacklist, only: ['NASDAQ:AAPL']}]", "which would match nothing"),
    "a board in other letters": (
        "limits: [{rule: blacklist, only: [star]}]",
        "is no board; did you mean STAR? Boards are MAIN_SH,",
    ),
    "a board misspelt": ("limits: [{rule: board_permission, but: [CHINEX]}]", "did you mean CHINEXT"),
    "a share of five": ("limits: [{rule: max_position_ratio, value: 5}]", "write 5%, or 500% if that is meant"),
    "more than all": (
        "limits: [{rule: max_drawdown, value: 150%}]",
        "more than all of it; expected at most 1",
    ),
    "a floor that counts": ("limits: [{rule: max_cancel_ratio, value: 50%, floor: 20%}]", "expected a whole number such as 20"),
    "a floor beyond all": ("limits: [{rule: max_minute_share, scope: symbol, value: 20%, floor: 2}]", "more than all of it"),
    "a trigger that warns": (
        "limits: [{rule: max_daily_loss, value: 5, severity: warn}]",
        "its severity was warn, take that out",
    ),
    "a trigger that halts twice": ("limits: [{rule: max_daily_loss, value: 5, severity: halt}]", "as much as its `tier` says"),
    "a missing that is no word": ("limits: [{rule: max_order_qty, value: 1, missing: 'true'}]", "expected deny or allow"),
    "a shadow that is no word": ("limits: [{rule: max_order_qty, value: 1, shadow: yes}]", "expected false or true"),
    "the same limit twice": (
        "limits:\n- {rule: max_order_qty, value: 1}\n- {rule: max_order_qty, value: 2}\n",
        "row 3: the limit max_order_qty of global stands in risk.yaml, row 2, too; keep one of them",
    ),
    "a key twice": ("limits:\n- rule: max_order_qty\n  value: 1\n  value: 2\n", "row 4: value stands twice"),
    "limits twice": ("limits: []\nlimits: []\n", "row 2: limits stands twice"),
    "a list for a name": ("limits: [{rule: [max_order_qty], value: 1}]", "rule was no plain text"),
    "a list for a limit": ("limits: [[max_order_qty, 1]]", "row 1: expected names with values: rule, value, scope"),
    "a map for limits": ("limits: {max_order_qty: 1}", "limits was no list"),
    "a list for everything": ("- rule: max_order_qty\n", "row 1: expected names with values: limits"),
    "a reference": ("limits: [&a {rule: max_order_qty, value: 1}, *a]", "*a stands for another value; write the value out"),
    "no YAML": ("limits: [", "is not YAML"),
    "a key that is a list": ("? [a]\n: b\n", "row 1: a list or a map is nothing that stands here"),
    "a letter that nobody sees": ('limits: [{rule: "max_order_qty\\u0000", value: 1}]', "rule was no plain text"),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        configured(tmp_path, text)
    said = str(refused.value)
    assert sentence in said
    assert said.startswith("risk.yaml")
    assert said.isprintable()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").write_bytes(b"limits: \xff")
    with pytest.raises(BadInput, match=r"risk\.yaml can not be read"):
        configured(tmp_path)


@pytest.mark.parametrize("name", ["MAX_ORDER_VALUE", "TRADELOOP_MAX_ORDER_VALUE", "TRADELOOP_RISK__MAX_ORDER_VALUE"])
def test_the_environment_sets_the_value_of_one_order_globally(tmp_path: Path, name: str) -> None:
    found = configured(tmp_path, **{name: "50000.5"})
    assert found.limits == (RiskLimit("max_order_value", Decimal("50000.5")),)
    assert list(found.origins.values()) == [f"environment {name}"]
    assert found.over({}).origin == f"environment {name}"


@pytest.mark.parametrize("name", ["MAX_POSITION_SIZE", "TRADELOOP_MAX_POSITION_SIZE"])
def test_the_environment_sets_the_size_of_a_position_or_is_refused(tmp_path: Path, name: str) -> None:
    if "max_position_qty" in RULES:
        assert configured(tmp_path, **{name: "900"}).limits == (RiskLimit("max_position_qty", Decimal(900)),)
    else:
        with pytest.raises(BadInput, match=f"environment {name}: rule was 'max_position_qty', which is not known"):
            configured(tmp_path, **{name: "900"})


def test_a_dotenv_file_sets_it_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_ORDER_VALUE=7\n", encoding="utf-8")
    assert list(configured(tmp_path).origins.values()) == [".env MAX_ORDER_VALUE"]


def test_file_and_environment_hold_together(tmp_path: Path) -> None:
    found = configured(tmp_path, "limits: [{rule: max_order_value, value: 1, scope: account}]", MAX_ORDER_VALUE="2")
    assert [limit.value for limit in found.limits] == [2, 1]
    assert found.over({}).origin == "environment MAX_ORDER_VALUE, risk.yaml"


def test_one_limit_is_not_set_in_two_places(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"row 1: the limit max_order_value of global stands in environment MAX_ORDER_VALUE, too"
    ):
        configured(tmp_path, "limits: [{rule: max_order_value, value: 1}]", MAX_ORDER_VALUE="2")
    with pytest.raises(BadInput, match="are the same setting; keep one of them"):
        configured(tmp_path, "", MAX_ORDER_VALUE="2", TRADELOOP_MAX_ORDER_VALUE="3")


@pytest.mark.parametrize("text", ["-1", "many", "1e3", "5%"])
def test_a_limit_of_the_environment_that_is_no_number_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"environment MAX_ORDER_VALUE: risk.max_order_value was"):
        configured(tmp_path, MAX_ORDER_VALUE=text)


def test_approvers_are_different_people(tmp_path: Path) -> None:
    (tmp_path / "tradeloop.yaml").write_text("risk:\n  approvers: [ann, bob, ann]\n", encoding="utf-8")
    with pytest.raises(BadInput, match="each name once"):
        configured(tmp_path)


def test_a_rule_that_forbids_needs_no_value_and_goes_by_a_list(tmp_path: Path) -> None:
    text = "limits:\n  - rule: blacklist\n    only: ['600519', MAIN, 000001.SZ]\n  - {rule: whitelist, but: [demo-1]}\n"
    black, white = configured(tmp_path, text).limits
    assert (black.value, black.only, black.but) == (Decimal(0), ("600519.SH", "MAIN", "000001.SZ"), ())
    assert (white.only, white.but) == ((), ("demo-1",))


def test_a_limit_may_say_from_which_figure_on_it_speaks(tmp_path: Path) -> None:
    (rule, *_) = [each.code for each in RULES.values() if each.floor is not None and each.unit is Unit.FRACTION]
    assert one(tmp_path, "value: 50%\n    floor: 20", rule).floor == 20


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("only: MAIN", "row 3: only was no list; expected names such as [600519.SH]"),
        ("only: []", "has an empty list; name the symbols, boards, industries or accounts under `only`"),
        ("only: [MAIN, MAIN]", "only holds an empty name or one twice; name each once"),
        ("only: ['']", "only holds an empty name or one twice"),
        ("only: [{a: b}]", "only was no plain text"),
        ("only: [MAIN]\n    but: [MAIN]", "has no list of exceptions"),
        ("only: [MAIN]\n    value: 1", "expected 0, it forbids and has no figure"),
        ("only: [MAIN]\n    floor: 1", "has no floor"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, rest: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        one(tmp_path, rest, "blacklist")
    assert sentence in str(refused.value)


def test_a_link_to_nothing_is_not_taken_for_no_limits(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(BadInput, match="where no file is"):
        configured_in(tmp_path / "risk.yaml")


def test_a_file_that_may_not_be_read_is_not_taken_for_no_limits(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").mkdir()
    with pytest.raises(BadInput, match="can not be read"):
        configured_in(tmp_path / "risk.yaml")


def test_names_are_taken_in_every_notation_that_means_one_thing(tmp_path: Path) -> None:
    text = "limits: [{rule: blacklist, only: [sh600519, SZ.000001, STAR, AU2512, bac.us, Banking, ann.lee, 80001234]}]"
    (tmp_path / "risk.yaml").write_text(text, encoding="utf-8")
    (limit,) = configured_in(tmp_path / "risk.yaml").limits
    assert limit.only == ("600519.SH", "000001.SZ", "STAR", "au2512.SHFE", "BAC.US", "Banking", "ann.lee", "80001234")


def test_an_account_may_be_called_whatever_its_broker_calls_it(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").write_text("limits: [{rule: programme_report, but: ['000001']}]", encoding="utf-8")
    assert configured_in(tmp_path / "risk.yaml").limits[0].but == ("000001",)


THREE = """limits:
  - rule: max_order_value
    value: 50000
    scope: account
  - {rule: max_order_qty, value: 500}
  - rule: max_orders_per_day
    value: 20
"""


def test_a_list_that_is_cut_off_in_a_row_is_refused_wherever_that_is(tmp_path: Path) -> None:
    began = THREE.index("- ") + 1  # before that no list has begun, and the file is silent
    assert len(configured(tmp_path, THREE).limits) == 3
    for end in range(began, len(THREE)):
        if THREE[end - 1] != "\n":
            with pytest.raises(BadInput, match=r"^.*risk\.yaml"):
                configured(tmp_path, THREE[:end])
    with pytest.raises(BadInput, match=r"risk\.yaml, row 3: the file ends without a line break and may be cut off"):
        configured(tmp_path, THREE[: THREE.index("50000") + 1])
    with pytest.raises(BadInput, match="may be cut off"):
        configured(tmp_path, THREE + "# the last word")


@pytest.mark.parametrize("whole", ["limits: [{rule: max_order_qty, value: 5}]", "{limits: [{rule: max_order_qty, value: 5}]}"])
def test_a_list_in_brackets_says_itself_where_it_ends(tmp_path: Path, whole: str) -> None:
    assert len(configured(tmp_path, whole).limits) == 1


def test_a_file_that_says_how_many_limits_it_has_is_held_to_it(tmp_path: Path) -> None:
    counted = f"count: 3\n{THREE}"
    assert len(configured(tmp_path, counted).limits) == 3
    with pytest.raises(BadInput, match=r"row 1: count was 3, and 1 limit stands in the file; complete one of them"):
        configured(tmp_path, counted[: counted.index("  - {")])
    for text in ("count: 3\nlimits:\n", "count: 3\n"):
        with pytest.raises(BadInput, match="count was 3, and 0 limits stand in the file"):
            configured(tmp_path, text)
    for wrong in ("'a few'", "3.0", "-1"):
        with pytest.raises(BadInput, match="count was"):
            configured(tmp_path, counted.replace("count: 3", f"count: {wrong}"))
