"""At a live account a person confirms at a terminal, with words and a code; `--yes` does not stand in for them (R39)."""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from tests.cli.commands import FILES, tradeloop
from tests.cli.test_second_factor import code, home, no_code, set_up
from tests.core.live_made import a_live_desk, as_waiting
from tests.core.runs_made import LISTED, A, a_run

from tradeloop.cli import control
from tradeloop.cli.shell import DENIED
from tradeloop.config import Home, load
from tradeloop.core.commands import ApproveRun, ReplaceOrder
from tradeloop.core.confirmation import Confirmation
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import Event, OrderStaged, ReplaceRequested, RunApproved, RunCreated, RunDenied, RunStarted
from tradeloop.core.replies import RunReply
from tradeloop.core.types import ClOrdID, Mode, OrdType, Qty
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, buy

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk

__all__ = ["home"]

PORTFOLIO, CONTEXT = (str(FILES / "good" / name) for name in ("portfolio_us.csv", "execution_context_us.json"))
RUN = ("run", PORTFOLIO, "--context", CONTEXT, "--feed", "demo", "--speed", "60")
ORDER = ("orders", "submit", "BAC.US", "buy", "100", "--feed", "demo", "--speed", "60")
ASKED_S = 60


def live(home: Path, accounts: str = "U1") -> None:
    """A paper broker that a person is asked as a live one for."""
    for name, text in (
        ("broker.yaml", "kind: paper\naccount: U1\npaper:\n  as_live: true\n"),
        ("tradeloop.yaml", f"live:\n  accounts: [{accounts}]\n"),
    ):
        (home / name).write_text(text, encoding="ascii")
        (home / name).chmod(0o600)


def facts(home: Path) -> list[Event]:
    with closing(sqlite3.connect(f"file:{home / 'tradeloop.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT payload FROM journal ORDER BY batch").fetchall()
    return [event for (payload,) in rows for event in codec.decode(payload)]


class Typist:
    """A process at a terminal, and somebody who answers what it asks."""

    def __init__(self, keyboard: int, process: subprocess.Popen[bytes]) -> None:
        self._keyboard, self.process, self.shown = keyboard, process, ""

    def until(self, text: str) -> None:
        """Wait until that is shown."""
        end = time.monotonic() + ASKED_S
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self._keyboard], [], [], 1)[0]:
                self.shown += os.read(self._keyboard, 65536).decode(errors="replace")

    def until_again(self, text: str) -> None:
        """Wait until that is shown once more, after all that was read."""
        read = len(self.shown)
        end = time.monotonic() + ASKED_S
        while text not in self.shown[read:]:
            assert time.monotonic() < end, self.shown
            if select.select([self._keyboard], [], [], 1)[0]:
                self.shown += os.read(self._keyboard, 65536).decode(errors="replace")

    def types(self, text: str) -> None:
        os.write(self._keyboard, f"{text}\n".encode())

    def ends(self) -> int:
        """Its exit code."""
        while self.process.poll() is None or select.select([self._keyboard], [], [], 0)[0]:
            if select.select([self._keyboard], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._keyboard, 65536).decode(errors="replace")
                except OSError:
                    break
        return self.process.wait(ASKED_S)


@contextmanager
def at_a_terminal(home: Path, *words: str) -> Iterator[Typist]:
    keyboard, terminal = os.openpty()
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), *words]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        try:
            yield Typist(keyboard, process)
        finally:
            process.kill()
            os.close(keyboard)


@pytest.mark.crash
def test_a_live_run_goes_with_the_words_and_a_code_and_records_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch, by="ann")
    with at_a_terminal(home, *RUN, "--yes") as typist:
        typist.until("REAL MONEY")
        typist.until("to send")
        orders = typist.shown.partition("REAL MONEY: ")[2].split()[0]
        typist.types(f"LIVE U1 {orders}")
        typist.until("code of the second factor")
        typist.types(given := code())
        assert typist.ends() == 0, typist.shown
        assert given not in typist.shown
    (created,) = [event for event in facts(home) if isinstance(event, RunCreated)]
    assert created.mode is Mode.LIVE
    assert isinstance(created.confirmed, Confirmation)
    said = created.confirmed
    assert (said.phrase, said.second_factor, said.set_up_by) == (f"LIVE U1 {orders}", "totp", "ann")
    assert [event for event in facts(home) if isinstance(event, RunStarted)]


@pytest.mark.crash
@pytest.mark.parametrize("wrong", ["LIVE", "yes", "live U1 7", ""])
def test_with_other_words_nothing_is_sent_and_no_code_is_asked_for(
    wrong: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    set_up(home, monkeypatch)
    with at_a_terminal(home, *RUN, "--yes") as typist:
        typist.until("to send")
        typist.types(wrong)
        assert typist.ends() == 2, typist.shown
    assert "code of the second factor" not in typist.shown
    assert not [event for event in facts(home) if isinstance(event, RunCreated | OrderStaged)]


@pytest.mark.crash
def test_with_a_wrong_code_nothing_is_sent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    with at_a_terminal(home, *RUN, "--yes") as typist:
        typist.until("to send")
        orders = typist.shown.partition("REAL MONEY: ")[2].split()[0]
        typist.types(f"LIVE U1 {orders}")
        typist.until("code of the second factor")
        typist.types(no_code())
        assert typist.ends() == 2, typist.shown
    assert "the code was wrong" in typist.shown
    assert not [event for event in facts(home) if isinstance(event, RunCreated | OrderStaged)]


@pytest.mark.parametrize("accounts", ["'*'", "''", "' U1'", "U1, 'U 2'"])
def test_a_list_of_accounts_that_names_none_is_refused_at_the_start(accounts: str, home: Path) -> None:
    live(home, accounts)
    said = tradeloop(home, *ORDER)
    assert said.code == 2, said.err
    assert "live.accounts" in said.err
    assert "accounts as broker.account names them, each by itself" in said.err


def test_a_yes_in_a_script_sends_nothing_live(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    said = tradeloop(home, *RUN, "--yes")
    assert said.code == 2, said.err
    assert "--yes does not stand in for that: nothing was sent" in said.err
    assert not [event for event in facts(home) if isinstance(event, RunCreated | OrderStaged)]


def test_a_live_order_in_a_script_is_not_sent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    said = tradeloop(home, *ORDER, "--json")
    assert said.code == 2, said.err
    assert "a live account asks a person at a terminal" in said.err
    assert not [event for event in facts(home) if isinstance(event, OrderStaged)]


def test_a_dry_run_of_a_live_account_shows_its_plan_and_asks_nothing(home: Path) -> None:
    live(home)
    said = tradeloop(home, *RUN, "--dry-run", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["dry_run"] is True


def confirms(typist: Typist, since: str = "REAL MONEY", next_code: int = 0) -> None:
    """Words for what was shown last, and a code."""
    orders = typist.shown.rpartition(since)[2].split(" order")[0].split()[-1]
    typist.types(f"LIVE U1 {orders}")
    typist.until_again("code of the second factor")
    typist.types(code(next_code))


@pytest.mark.crash
def test_a_market_order_is_shown_with_its_price_and_worth_and_again_once_that_has_drifted(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    with (home / "tradeloop.yaml").open("a", encoding="ascii") as settings:
        settings.write("engine:\n  max_drift: 0.00001\n")
    set_up(home, monkeypatch)
    with at_a_terminal(home, *ORDER) as typist:
        typist.until("to send")
        shown = typist.shown
        assert "BUY 100 BAC.US at the market, seen at " in shown
        assert ", worth up to " in shown
        time.sleep(8)  # of which the market makes eight minutes
        typist.types("LIVE U1 1")
        typist.until("it is shown again, and no code was spent")
        assert "code of the second factor" not in typist.shown
        typist.process.send_signal(signal.SIGINT)
        assert typist.ends() != 0
    assert "nothing was sent" in typist.shown
    assert not [event for event in facts(home) if isinstance(event, OrderStaged)]


@pytest.mark.crash
def test_a_market_order_goes_at_the_price_that_was_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    with at_a_terminal(home, *ORDER) as typist:
        typist.until("to send")
        confirms(typist)
        assert typist.ends() == 0, typist.shown
    (staged,) = [event for event in facts(home) if isinstance(event, OrderStaged)]
    assert staged.live
    assert staged.confirmed is not None
    assert f"seen at {staged.confirmed.px:f}, worth up to" in typist.shown


@pytest.mark.crash
def test_a_run_whose_plan_has_changed_is_shown_again_and_asked_for_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    with at_a_terminal(home, *RUN[:-1], "10", "--yes") as typist:
        typist.until("to send")
        time.sleep(20)  # of which the market makes more than prices may age
        orders = typist.shown.partition("REAL MONEY: ")[2].split()[0]
        typist.types(f"LIVE U1 {orders}")
        typist.until("it is shown again, and no code was spent; --hold gives time")
        typist.until_again("to send")
        confirms(typist)
        assert typist.ends() == 0, typist.shown
    assert [event for event in facts(home) if isinstance(event, RunStarted)]
    assert not [event for event in facts(home) if isinstance(event, RunDenied)]


@pytest.mark.crash
def test_ctrl_c_at_the_live_question_says_that_nothing_was_sent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    with at_a_terminal(home, *ORDER) as typist:
        typist.until("to send")
        typist.process.send_signal(signal.SIGINT)
        typist.ends()
    assert "nothing was sent" in typist.shown
    assert not [event for event in facts(home) if isinstance(event, OrderStaged)]


LIMIT = (*ORDER[:5], "--type", "limit", "--price", "5", "--tif", "gtc", *ORDER[5:])


@pytest.mark.crash
def test_a_change_is_confirmed_at_a_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    with at_a_terminal(home, *LIMIT) as typist:
        typist.until("to send")
        confirms(typist)
        assert typist.ends() == 0, typist.shown
    (staged,) = [event for event in facts(home) if isinstance(event, OrderStaged)]
    change = ("orders", "replace", staged.cl_ord_id, "--qty", "200", *ORDER[5:])
    assert "a live account asks a person at a terminal" in tradeloop(home, *change).err
    with at_a_terminal(home, *change) as typist:
        typist.until("BUY 200 BAC.US at 5, seen at ")
        typist.until("to send")
        confirms(typist, next_code=1)
        assert typist.ends() == 0, typist.shown
    (asked,) = [event for event in facts(home) if isinstance(event, ReplaceRequested)]
    assert asked.confirmed is not None
    assert (asked.confirmed.phrase, f"{asked.order_qty}") == ("LIVE U1 1", "200")


async def test_over_the_socket_a_change_is_shown_and_looked_at_where_it_is_decided(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    set_up(home, monkeypatch, by="ann")
    core = a_live_desk(*LISTED, small=1000)
    order = core.order(buy(A, 100, ord_type=OrdType.LIMIT, price="10"))
    core.ack(order)

    async def ask(command: ReplaceOrder) -> object:
        return core.give(command)

    loaded = load({}, home=Home(home, home, home), environ={}, folder=home)
    engine = SimpleNamespace(alert=lambda alert: None, ask=ask, around=core.around)
    clock = SimpleNamespace(now=lambda: core.now)
    desk = cast("Desk", SimpleNamespace(loaded=loaded, state=core.state, engine=engine, clock=clock, account=ACCOUNT))

    async def said(**given: object) -> control.Answer:
        asked = {"do": "ReplaceOrder", "cl_ord_id": order.cl_ord_id, "by": "bob", "order_qty": "200", **given}
        return await control._decided(desk, json.dumps(asked).encode())

    frozen = json.loads((await said(do="ShowChange")).text)
    assert (frozen["phrase"], frozen["lines"][0]["order_qty"]) == (f"LIVE {ACCOUNT} 1", "200")
    assert (await said(do="ShowChange", order_qty="90")).text == ""
    assert "needs a confirmation" in (await said(confirmed=[frozen["content"], frozen["phrase"], "totp", "eve"])).text
    typed = {"content": frozen["content"], "phrase": frozen["phrase"]}
    assert "the words were not" in (await said(**typed | {"phrase": "LIVE"}, code=code())).text
    assert core.of(ReplaceRequested) == []
    assert (await said(**typed, code=code())).ok
    assert [each.confirmed for each in core.of(ReplaceRequested)] == [
        Confirmation(frozen["content"], frozen["phrase"], "totp", "ann")
    ]


@pytest.mark.crash
def test_what_is_denied_anyhow_is_asked_for_no_word_and_a_repeat_of_it_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    set_up(home, monkeypatch)
    assert tradeloop(home, "halt", "--reason", "look", "--feed", "demo", "--speed", "60").code == 0
    for again in (False, True):
        with at_a_terminal(home, *ORDER, "--request-id", "r1") as typist:
            assert typist.ends() == DENIED, typist.shown
        assert "denied: " in typist.shown
        assert "REAL MONEY" not in typist.shown
        assert ("this request id met that before" in typist.shown) is again


async def test_over_the_socket_an_approval_is_looked_at_where_it_is_decided(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    set_up(home, monkeypatch, by="ann")
    core = a_live_desk(*LISTED)
    made = core.give(a_run({A: "0.2"}, mode=Mode.LIVE, execute=False))
    assert isinstance(made, RunReply)
    assert made.run_id is not None
    frozen = as_waiting(core, core.state.runs[made.run_id])
    alerts: list[RaiseAlert] = []

    async def ask(command: ApproveRun) -> object:
        return core.give(command)

    loaded = load({}, home=Home(home, home, home), environ={}, folder=home)
    engine = SimpleNamespace(alert=alerts.append, ask=ask, around=core.around)
    clock = SimpleNamespace(now=lambda: core.now)
    desk = cast("Desk", SimpleNamespace(loaded=loaded, state=core.state, engine=engine, clock=clock))

    async def said(**given: object) -> control.Answer:
        asked = {"do": "ApproveRun", "run_id": made.run_id, "by": "bob", **given}
        return await control._decided(desk, json.dumps(asked).encode())

    forged = [frozen.content, frozen.phrase, "totp", "eve"]
    assert "nobody confirmed them" in (await said(confirmed=forged)).text
    typed = {"content": frozen.content, "phrase": frozen.phrase}
    assert "the words were not" in (await said(content=frozen.content, phrase="LIVE", code=code())).text
    for count in (1, 2):
        assert f"the code was wrong, {count} in a row" in (await said(**typed, code=no_code())).text
    assert [each.text for each in alerts if each.text.startswith("bob confirmed 1 order of live account demo")]
    assert "another one than was confirmed" in (await said(**typed | {"content": "0" * 64}, code=code(-1))).text
    assert core.of(RunStarted) == []
    assert (await said(**typed, code=code())).ok
    assert [(each.by, each.confirmed) for each in core.of(RunApproved)] == [
        ("bob", Confirmation(frozen.content, frozen.phrase, "totp", "ann"))
    ]


async def test_a_process_of_an_older_program_is_asked_plainly(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows no such question, and must not take it for the change."""
    asked: list[dict[str, object]] = []

    async def older(_: Path, fields: dict[str, object], *__: object) -> control.Answer:
        asked.append(fields)
        return control.Answer(False, f"the request was {fields['do']!r}; expected one of ReplaceOrder", 2)

    monkeypatch.setattr(control, "_asked", older)
    command = ReplaceOrder(ClOrdID("o1"), "bob", Qty(Decimal(200)))
    assert await control.ask_what_to_confirm(home / "socket", command) == control.Answer(True, "")
    assert [each["do"] for each in asked] == ["ShowChange"]
