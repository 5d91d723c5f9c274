"""The stop at the command line: in a process that trades, without one, and without a journal."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cli.commands import FAST, orders, tradeloop
from tests.cli.watched import watching

from tradeloop.cli import halt
from tradeloop.cli.shell import Voice
from tradeloop.core.commands import HaltTrading, SubmitOrder
from tradeloop.core.events import OrderCanceled
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.types import OrdType, Px, Qty, Side, Symbol, UtcNs
from tradeloop.engine.latch import FileLatch
from tradeloop.testing.builders import ACCOUNT, an_instrument
from tradeloop.testing.desk import Desk as Core

ROOT = Path(__file__).resolve().parents[2]
DEMO = ("--feed", "demo", "--speed", FAST)
STANDS = ("orders", "submit", "BAC.US", "buy", "100", "--type", "limit", "--price", "5", "--tif", "gtc", *DEMO)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a short name, for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        yield Path(folder)


def test_a_halt_denies_orders_until_it_is_released_for_a_reason(home: Path) -> None:
    assert tradeloop(home, "halt", "--reason", "fat finger", "--by", "ann", *DEMO).code == 0
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO)
    assert said.code == 3
    assert "HALT by ann" in said.err + said.out
    assert tradeloop(home, "resume", "--reason", " ", *DEMO).code == 2
    assert (home / "HALT").exists()
    assert tradeloop(home, "resume", "--reason", "looked", *DEMO).code == 0
    assert not (home / "HALT").exists()
    assert tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO).code == 0


def test_cancel_all_without_a_process_ends_with_nothing_open(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    said = tradeloop(home, "cancel-all", "--symbol", "BAC.US", *DEMO, "--json")
    assert (said.code, said.document["done"], said.document["recorded"]) == (0, True, True)
    assert said.document["halt"]["found"] == "no open orders left"
    assert [order["ord_status"] for order in orders(home)] == ["CANCELED"]


def test_flatten_without_prices_says_what_it_needs_and_who_goes_on_with_it(home: Path) -> None:
    assert tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO).code == 0
    said = tradeloop(home, "flatten", "--reason", "home", "--within", "1", "--json")
    assert said.code == 1
    assert "no feed is configured, and without a price no position is closed; give --feed" in said.err
    assert said.document["halted"].endswith("goes on with it: `tradeloop watch`")
    assert said.document["halt"]["at_iso"].endswith("Z")


def test_flatten_closes_what_is_held_and_tells_it(home: Path) -> None:
    assert tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO).code == 0
    said = tradeloop(home, "flatten", "--reason", "home", *DEMO)
    assert said.code == 0, said.err
    assert "no open orders left, no positions left" in said.out
    assert "1 position left (BAC.US closing)" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("halt", "--account", "nobody"), "account was 'nobody', known are none yet; nothing was halted"),
        (
            ("halt", "--symbol", "BAC.US", "--account", "x"),
            "expected one of --account, --symbol, --broker, --venue, --strategy, were 2",
        ),
        (("cancel-all", "--symbol", "nonsense!"), "nonsense!"),
        (("flatten", "--broker", " "), "--broker was empty"),
        (
            ("flatten", "--venue", "LSE"),
            "venue was 'LSE'; expected one of SH, SZ, BJ, HK, US, SHFE, CZCE, CFFEX, GFEX, INE, DCE",
        ),
        (
            ("halt", "--strategy", "s" * 600),
            "name was 600 characters long, beginning 'ssssssssssssssssssss'; expected at most 512",
        ),
    ],
)
def test_what_cannot_be_halted_is_one_sentence_and_changes_nothing(home: Path, words: tuple[str, ...], sentence: str) -> None:
    said = tradeloop(home, *words)
    assert said.code == 2
    assert sentence in said.error
    assert not list(home.iterdir())


LONG = "r" * 100_000


@pytest.mark.parametrize(
    "words",
    [
        ("resume",),
        ("runs", "cancel", "x"),
        ("orders", "cancel", "x"),
        ("symbols", "release", "BAC.US"),
        ("risk", "revert", "max_order_qty"),
    ],
    ids=lambda words: words[0],
)
def test_a_reason_that_no_journal_takes_is_refused_in_one_short_sentence_and_changes_nothing(
    home: Path, words: tuple[str, ...]
) -> None:
    said = tradeloop(home, *words, "--reason", LONG)
    assert said.code == 2
    assert said.error == "--reason was 100,000 characters long; expected at most 512"
    assert len(said.out) + len(said.err) < 500
    assert not list(home.iterdir())


@pytest.mark.parametrize("words", ["halt", "cancel-all", "flatten"])
def test_no_reason_is_too_long_to_stop(home: Path, words: str) -> None:
    """A watchdog may give a whole traceback for it."""
    said = tradeloop(home, words, "--reason", LONG, *DEMO)
    assert said.code == 0
    assert len(said.out) + len(said.err) < 5_000
    assert tradeloop(home, "halts", "--json").document["halts"][0]["reason"] == LONG[:512]


def test_a_reason_as_long_as_a_journal_takes_halts_and_releases(home: Path) -> None:
    assert tradeloop(home, "halt", "--reason", LONG[:512], "--by", "ann", *DEMO).code == 0
    assert tradeloop(home, "halts", "--json").document["halts"][0]["reason"] == LONG[:512]
    assert tradeloop(home, "resume", "--reason", LONG[:512], *DEMO).code == 0


def test_without_a_journal_the_broker_is_asked_and_the_next_start_is_halted(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    shutil.move(home / "tradeloop.db", home / "away")
    (home / "tradeloop.db").mkdir()

    said = tradeloop(home, "cancel-all", "--reason", "disk lost", *DEMO, "--json")

    assert (said.code, said.document["done"], said.document["recorded"]) == (1, True, False)
    assert "1 order cancelled at the broker, none is left open" in said.document["halted"]
    (home / "tradeloop.db").rmdir()
    shutil.move(home / "away", home / "tradeloop.db")
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO)
    assert said.code == 3
    assert "CANCEL_ALL by" in said.out + said.err
    assert [order["ord_status"] for order in orders(home)] == ["DENIED", "CANCELED"]


def test_what_keeps_a_stop_from_its_record_and_from_the_broker_is_said_once(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    (home / "paper.db").rename(home / "away")
    said = tradeloop(home, "cancel-all", "--reason", "news", *DEMO)
    assert said.code == 1
    assert said.out.replace("\n", " ").count("are gone") == 1
    assert "for the same reason the broker was not asked to cancel" in said.out


NO_LIMITS = "limits: [{rule: nosuch, value: 1}]"


@pytest.mark.parametrize(
    ("words", "cancelled"), [(("--account", "paper"), 1), (("--broker", "paper"), 1), (("--broker", "other"), 0), ((), 1)]
)
def test_limits_that_cannot_be_read_keep_no_stop_of_an_account_or_a_broker_from_it(
    home: Path, words: tuple[str, ...], cancelled: int
) -> None:
    assert tradeloop(home, *STANDS).code == 0
    (home / "risk.yaml").write_text(NO_LIMITS)
    said = tradeloop(home, "cancel-all", *words, "--reason", "news", *DEMO, "--json")
    assert (said.code, said.document["latched"], said.document["recorded"]) == (1, True, False)
    assert f"{cancelled} order{'' if cancelled == 1 else 's'} cancelled at the broker" in said.document["halted"]
    assert "rule was 'nosuch'" in said.document["halted"]
    (home / "risk.yaml").unlink()
    assert [(each["tier"], each["name"]) for each in standing(home)] == [("CANCEL_ALL", words[1] if words else "")]


BROKEN = {
    "tradeloop.yaml": ("foo: 1", "tradeloop.yaml: foo is not a setting"),
    "broker.yaml": ("kind: nosuch", "broker.yaml: broker.kind was 'nosuch'"),
    "MAX_ORDER_VALUE": ("abc", "environment MAX_ORDER_VALUE: risk.max_order_value was 'abc'"),
}


def break_settings(home: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> str:
    """Have settings that no command can read; what is wrong with them."""
    text, sentence = BROKEN[where]
    if where.endswith(".yaml"):
        (home / where).write_text(text)
    else:
        monkeypatch.setenv(where, text)
    return sentence


@pytest.mark.parametrize("where", BROKEN)
@pytest.mark.parametrize(
    "words", [("halt",), ("halt", "--account", "paper"), ("cancel-all", "--symbol", "BAC.US"), ("flatten",)], ids=" ".join
)
def test_settings_that_cannot_be_read_keep_no_stop_from_being_latched(
    home: Path, monkeypatch: pytest.MonkeyPatch, where: str, words: tuple[str, ...]
) -> None:
    sentence = break_settings(home, monkeypatch, where)
    said = tradeloop(home, *words, "--reason", "panic", "--by", "ann", "--json")
    assert (said.code, said.document["latched"], said.document["recorded"]) == (1, True, False)
    assert f"is latched by {home / 'HALT'}" in said.document["halted"]
    assert f"could not be recorded: {sentence}" in said.document["halted"]
    assert ("for the same reason the broker was not asked to cancel" in said.document["halted"]) is (words[0] != "halt")
    (latched,) = FileLatch(home / "HALT").read()
    assert (latched.by, latched.reason, latched.name) == ("ann", "panic", words[2] if len(words) > 1 else "")


@pytest.mark.crash
@pytest.mark.parametrize("where", BROKEN)
def test_settings_that_cannot_be_read_keep_no_stop_from_a_process_that_trades(
    home: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    assert tradeloop(home, *STANDS).code == 0
    with watching(home):
        with monkeypatch.context() as broken:
            sentence = break_settings(home, broken, where)
            said = tradeloop(home, "cancel-all", "--account", "paper", "--reason", "panic", "--by", "ann", "--json")
            assert (said.code, said.document["done"], said.document["halt"]["by"]) == (0, True, "ann")
            assert f"warning: {sentence}" in said.err
            said = tradeloop(home, "halt", "--symbol", "BAC.US", "--reason", "panic", "--by", "ann", "--json")
            assert (said.code, said.document["latched"], said.document["recorded"]) == (0, True, True)
            assert f"warning: {sentence}" in said.err
        (home / where).unlink(missing_ok=True)
        assert [order["ord_status"] for order in orders(home)] == ["CANCELED"]


def test_an_option_that_is_wrong_is_refused_and_halts_nothing(home: Path) -> None:
    said = tradeloop(home, "cancel-all", "--start", "yesterday")
    assert (said.code, "expected 'open' or a time with its zone" in said.error) == (2, True)
    assert not list(home.iterdir())


def test_a_name_that_the_journal_does_not_know_is_refused_while_it_can_be_asked(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    for words in (("--account", "nobody"), ("--broker", "nobody")):
        said = tradeloop(home, "halt", *words, *DEMO)
        assert (said.code, "nothing was halted" in said.error) == (2, True)
    assert not [path for path in home.iterdir() if "HALT" in path.name]


def no_journal(home: Path) -> None:
    (home / "tradeloop.db").mkdir()


def full_disk(monkeypatch: pytest.MonkeyPatch, *, no_file_either: bool = False) -> None:
    """A disk that takes new names, and no block of what is written; `no_file_either`: it takes no name."""
    opened = os.open

    def fsync(fd: int) -> None:
        if os.fstat(fd).st_size and stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_(path: Any, flags: int, *more: Any, **given: Any) -> int:
        if no_file_either and flags & os.O_CREAT and str(path).endswith("HALT"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return opened(path, flags, *more, **given)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "open", open_)


@pytest.mark.parametrize("words", [("halt",), ("halt", "--symbol", "BAC.US"), ("cancel-all",), ("flatten",)])
def test_on_a_full_disk_an_empty_file_halts_and_nothing_else_is_left(
    home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    no_journal(home)
    with monkeypatch.context() as disk:
        full_disk(disk)
        said = tradeloop(home, *words, *([] if words[0] == "halt" else ["--within", "0"]), *DEMO, "--json")
    assert (said.code, said.document["latched"], said.document["recorded"]) == (1, True, False)
    assert ("HALT is latched by" if words == ("halt",) else "HALT stands in for") in said.document["halted"]
    assert "only the journal holds" not in said.err
    assert [path.name for path in home.iterdir() if "HALT" in path.name] == ["HALT"]
    (home / "tradeloop.db").rmdir()
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO)
    assert said.code == 3
    assert "HALT by the latch file" in said.out + said.err


@pytest.mark.parametrize("words", [("halt",), ("cancel-all",), ("flatten",)])
def test_what_is_not_latched_is_never_said_to_be(home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    no_journal(home)
    full_disk(monkeypatch, no_file_either=True)
    said = tradeloop(home, *words, *([] if words[0] == "halt" else ["--within", "0"]), *DEMO, "--json")
    assert (said.code, said.document["latched"]) == (1, False)
    assert f"NOTHING IS HALTED: {home / 'HALT'} could not be written" in said.document["halted"]
    assert f"touch {home / 'HALT'} yourself" in said.document["halted"]
    assert "is latched by" not in said.document["halted"]
    assert "only the journal holds" not in said.err
    assert not [path for path in home.iterdir() if "HALT" in path.name]


def test_only_the_journal_holds_a_halt_once_it_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileLatch, "add", full)
    monkeypatch.setattr(FileLatch, "write", full)
    said = tradeloop(home, "halt", "--symbol", "BAC.US", *DEMO, "--json")
    assert (said.code, said.document["recorded"], said.document["latched"]) == (0, True, False)
    assert "only the journal holds this halt" in said.err


def test_a_strategy_is_not_cancelled_by_a_broker_that_knows_none(home: Path) -> None:
    """Without the journal nobody knows which orders are its: to cancel those of others was not asked for."""
    assert tradeloop(home, *STANDS).code == 0
    shutil.move(home / "tradeloop.db", home / "away")
    (home / "tradeloop.db").mkdir()
    said = tradeloop(home, "cancel-all", "--strategy", "s1", *DEMO, "--json")
    assert (said.code, said.document["done"], said.document["recorded"]) == (1, False, False)
    assert "the broker knows no strategies, nothing was cancelled" in said.document["halted"]


@pytest.mark.crash
def test_a_process_that_trades_is_stopped_by_the_command_and_by_the_file(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    with watching(home):
        said = tradeloop(home, "cancel-all", "--symbol", "BAC.US", "--by", "ann", "--json")
        assert (said.code, said.document["halt"]["by"], said.document["done"]) == (0, "ann", True)
        (home / "HALT").touch()
        time.sleep(0.5)
        said = tradeloop(home, "halt", "--by", "bob", "--json")
        assert said.document["halt"]["by"] == "the latch file"
        assert tradeloop(home, "resume", "--reason", "looked").code == 0
        assert not (home / "HALT").exists()


@pytest.mark.crash
def test_a_process_that_is_killed_under_the_file_leaves_a_halt_that_stands(home: Path) -> None:
    """Touched while a desk trades, or before it starts."""
    assert tradeloop(home, *STANDS).code == 0
    for touched_first in (False, True):
        if touched_first:
            (home / "HALT").touch()
        with watching(home) as process:
            (home / "HALT").touch()
            time.sleep(0.5)
            process.kill()
            process.wait()
        assert [each["by"] for each in standing(home)] == ["the latch file"]
        said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO)
        assert (said.code, "HALT by the latch file" in said.out + said.err) == (3, True)
        assert tradeloop(home, "resume", "--reason", "looked", *DEMO).code == 0
        assert not (home / "HALT").exists()
    assert [order["ord_status"] for order in orders(home)] == ["DENIED", "DENIED", "NEW"]


@pytest.mark.crash
def test_the_commands_of_the_how_to_run(home: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "stop.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```bash\n")[1:]]
    script = f"set -e\nexport TRADELOOP_HOME={home}\n" + "tradeloop() { " + f'{sys.executable} -m tradeloop "$@"; }}\n'
    script += f"tradeloop {' '.join(STANDS)}\n" + "\n".join(blocks)
    script = script.replace("touch", "tradeloop resume --reason again || true\ntouch")
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (home / "HALT").read_text().startswith("CANCEL_ALL")


def standing(home: Path) -> list[dict[str, Any]]:
    said = tradeloop(home, "halts", "--json")
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = said.document["halts"]
    return found


def test_the_halts_that_stand_are_listed_with_who_why_and_where(home: Path) -> None:
    assert standing(home) == []
    assert tradeloop(home, "halt", "--reason", "fat finger", "--by", "ann", *DEMO).code == 0
    assert tradeloop(home, "halt", "--reduce-only", "--symbol", "BAC", "--reason", "news", "--by", "bob", *DEMO).code == 0
    everything, one = standing(home)
    assert (everything["tier"], everything["scope"], everything["by"], everything["reason"]) == (
        "HALT",
        "global",
        "ann",
        "fat finger",
    )
    assert everything["at_iso"].startswith("2013-10-08T")
    assert everything["latch_file"] == str(home / "HALT")
    assert (one["tier"], one["scope"], one["name"], one["number"]) == ("REDUCE_ONLY", "symbol", "BAC.US", 2)
    assert one["latch_file"] == str(home / "HALT.part")
    assert one["done"] is None
    assert "nothing to verify" in one["said"]
    assert "tradeloop resume --symbol BAC.US --reason …" in tradeloop(home, "halts").out
    assert tradeloop(home, "resume", "--reason", "looked", *DEMO).code == 0
    assert [each["number"] for each in standing(home)] == [2]


def test_a_stop_that_begins_a_home_says_in_which_time(home: Path) -> None:
    """Once, and not where the recording is named: time does not go back to it."""
    said = "its books begin in the present: play a recording of an earlier day in a home of its own (--home)"
    assert said in tradeloop(home, "halt").err
    assert said not in tradeloop(home, "resume", "--reason", "tried").err
    assert said not in tradeloop(home / "recorded", "halt", *DEMO).err


def test_what_a_halt_has_come_to_is_listed(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    assert tradeloop(home, "flatten", *DEMO).code == 0
    (found,) = standing(home)
    assert (found["done"], found["found"]) == (True, "no open orders left, no positions left")
    assert (found["orders_unknown"], found["positions_left"]) == (0, 0)
    assert found["said"] == "done: no open orders left, no positions left"


def test_a_halt_that_a_file_alone_holds_is_listed_where_nothing_is_recorded(home: Path) -> None:
    (home / "HALT").write_text("CANCEL_ALL the exchange called\n", encoding="utf-8")
    (found,) = standing(home)
    assert (found["tier"], found["reason"], found["recorded"]) == ("CANCEL_ALL", "the exchange called", False)
    assert (found["number"], found["at"], found["done"]) == (None, None, None)
    assert not (home / "tradeloop.db").exists()


def test_the_release_of_a_halt_that_a_file_alone_holds_says_so(home: Path) -> None:
    (home / "HALT").write_text("CANCEL_ALL the exchange called")
    said = tradeloop(home, "resume", "--reason", "settled", *DEMO)
    assert said.code == 0
    where = "by the latch file, in the file alone and not recorded yet"
    assert f"would release halt 1 of everything: CANCEL_ALL {where}: the exchange called" in said.err
    assert "1970" not in said.out + said.err


def test_a_halt_in_the_file_is_listed_though_the_journal_cannot_be_read(home: Path) -> None:
    assert tradeloop(home, "halt", "--reason", "first", *DEMO).code == 0
    with sqlite3.connect(home / "tradeloop.db") as db:
        db.execute("UPDATE journal SET payload = x'00' WHERE batch = 1")
        db.execute("DELETE FROM snapshots")
    said = tradeloop(home, "halts", "--json")
    assert said.code == 1
    assert [each["reason"] for each in said.document["halts"]] == ["first"]
    assert "only what the files say is told" in said.error


def test_a_halt_of_a_symbol_nobody_knows_stands_and_says_that_nobody_knows_it(home: Path) -> None:
    """It may be a slip of the pen, and what should stop trades on."""
    said = tradeloop(home, "halt", "--symbol", "NOPE", "--by", "ann", *DEMO)
    assert said.code == 0, said.err
    assert "warning: no instrument NOPE.US is known here" in said.err
    assert [one["name"] for one in standing(home)] == ["NOPE.US"]
    assert "no instrument" not in tradeloop(home, "halt", "--symbol", "BAC", "--by", "ann", *DEMO).err


def test_a_halt_of_a_strategy_that_no_order_has_carried_stands_and_says_so(home: Path) -> None:
    said = tradeloop(home, "halt", "--strategy", "no such", "--by", "ann", *DEMO)
    assert said.code == 0, said.err
    assert "warning: no order here has ever carried the strategy no such: if another one should stop, halt that one" in said.err
    assert "`tradeloop resume --strategy 'no such' --reason …` ends this halt" in said.err


def test_a_strategy_that_an_open_or_a_closed_order_has_carried_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    desk, voice = Core().opened(an_instrument("600519.SH")), Voice(json=False)
    for name in ("alpha", "beta"):
        order = SubmitOrder(ACCOUNT, Symbol("600519.SH"), Side.BUY, Qty(Decimal(100)), "ann", strategy_id=name)
        desk.give(msgspec.structs.replace(order, ord_type=OrdType.LIMIT, price=Px(Decimal("9.90"))))
    first = next(iter(desk.state.orders.open))
    desk.apply(OrderCanceled(UtcNs(desk.now), first, "enough"))
    assert [each.strategy_id for each in desk.state.orders.open.values()] == ["beta"]
    for name in ("alpha", "beta", "alph", "gamma"):
        halt._warn_of_unknown(voice, HaltScope.STRATEGY, name, desk.state)
    said = capsys.readouterr().err
    assert re.findall(r"carried the strategy (\w+)", said) == ["alph", "gamma"]


def test_a_venue_is_halted_listed_and_released_by_any_of_its_names(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    said = tradeloop(home, "cancel-all", "--venue", "NASDAQ", "--reason", "news", *DEMO, "--json")
    assert (said.code, said.document["done"], said.document["halt"]["name"]) == (0, True, "US")
    assert [order["ord_status"] for order in orders(home)] == ["CANCELED"]
    assert "is known here" not in said.err
    (listed,) = standing(home)
    assert (listed["scope"], listed["name"], Path(listed["latch_file"]).name) == ("venue", "US", "HALT.part")
    assert listed["release"] == "tradeloop resume --venue US --reason …"
    refused = tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", *DEMO)
    assert (refused.code, "venue US takes no new orders" in refused.out + refused.err) == (3, True)
    assert tradeloop(home, "resume", "--venue", "us", "--reason", "read it", *DEMO).code == 0
    assert standing(home) == []
    said = tradeloop(home, "halt", "--venue", "SSE", *DEMO)
    assert (said.code, "warning: no instrument of venue SH is known here" in said.err) == (0, True)


def test_without_a_journal_what_trades_elsewhere_stays_at_work(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    shutil.move(home / "tradeloop.db", home / "away")
    no_journal(home)
    said = tradeloop(home, "cancel-all", "--venue", "SH", *DEMO, "--json")
    assert "0 orders cancelled at the broker" in said.document["halted"]
    said = tradeloop(home, "cancel-all", "--venue", "US", *DEMO, "--json")
    assert "1 order cancelled at the broker, none is left open" in said.document["halted"]


def test_what_stops_a_part_is_latched_by_the_file_of_parts_and_said_so(home: Path) -> None:
    """`HALT` stops everything: who reads that it holds the halt of one symbol looks in the wrong place, or deletes too much."""
    (home / "risk.yaml").write_text("limits: 7\n", encoding="ascii")  # no desk opens
    for option, name in ((), "HALT"), (("--symbol", "BAC.US"), "HALT.part"), (("--strategy", "alpha"), "HALT.part"):
        said = tradeloop(home, "halt", *option, "--by", "ann")
        assert said.out.startswith(f"HALT is latched by {home / name};"), said.out


def test_a_release_lists_what_it_ends_and_asks_where_a_limit_has_tripped_beside_a_persons_halt(home: Path) -> None:
    assert tradeloop(home, "halt", "--reason", "lunch", "--by", "ann", *DEMO).code == 0
    tripped = HaltTrading(HaltTier.HALT, "risk", "the loss of the day is 1500", trigger="max_daily_loss|account|||")
    FileLatch(home / "HALT").add(tripped)

    both = tradeloop(home, "resume", "--reason", "lunch is over", *DEMO)

    assert both.code == 2
    assert (
        "a person's halt and one that tripped by itself stand together, name what is to end: --number 1 is HALT by ann"
        in both.err
    )
    assert "--number 2 is HALT by risk" in both.err
    assert tradeloop(home, "resume", "--reason", "lunch is over", "--number", "7", *DEMO).code == 2

    own = tradeloop(home, "resume", "--reason", "lunch is over", "--number", "1", *DEMO)

    assert own.code == 0, own.err
    assert "would release halt 1 of everything: HALT by ann" in own.err
    (left,) = standing(home)
    assert (left["number"], left["by"], left["trigger"]) == (2, "risk", "max_daily_loss|account|||")
    assert [each.by for each in FileLatch(home / "HALT").read()] == ["risk"]
    assert tradeloop(home, "resume", "--reason", "looked at it", *DEMO).code == 0
    assert standing(home) == []
