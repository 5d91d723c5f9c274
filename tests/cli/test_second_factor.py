"""A halt of a live desk is released with a second factor alone: here, over the socket, and by nobody who has none."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pyotp
import pytest
from tests.cli.commands import tradeloop
from tests.cli.watched import watching

from tradeloop.access.second_factor import SecondFactor
from tradeloop.cli import control, resume, second_factor
from tradeloop.config import Home, load
from tradeloop.core.commands import HaltTrading, ReleaseSymbol
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import HaltReleased, SymbolReleased
from tradeloop.core.halt import HaltTier
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import Side, UtcNs
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk as Core

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DAY_NS = 86_400 * 10**9


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a short name, for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        yield Path(folder)


@contextmanager
def a_venue() -> Iterator[int]:
    """The toy venue as a process; its port."""
    command = [sys.executable, "-m", "tradeloop.venues.toy", "--account", "desk-1", "--cash", "10000"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["listening"].rpartition(":")[2])
    finally:
        process.kill()
        process.communicate()


def live(home: Path, port: int = 1) -> None:
    """Settings of a broker that counts as live; with port 1 nobody reaches it."""
    text = f"kind: toy\naccount: desk-1\ntoy:\n  port: {port}\n  as_live: true\n"
    path = home / "broker.yaml"
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)


def set_up(home: Path, monkeypatch: pytest.MonkeyPatch, by: str = "") -> None:
    """A second factor, whose newest used code is a day old."""
    with monkeypatch.context() as drawn:
        drawn.setattr(pyotp, "random_base32", lambda: SECRET)
        pending = SecondFactor(home / "second-factor.json").begin()
    yesterday = UtcNs(time.time_ns() - DAY_NS)
    pending.confirm(pyotp.TOTP(SECRET).at(yesterday // 10**9), yesterday, by)


def code(steps: int = 0) -> str:
    """What the authenticator shows now, or some steps from now."""
    return pyotp.TOTP(SECRET).at(int(time.time()) + 30 * steps)


def no_code() -> str:
    """Six digits that are shown at no time near this one."""
    near = {code(each) for each in range(-3, 4)}
    return next(f"{each}" * 6 for each in range(8) if f"{each}" * 6 not in near)


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_factor, "_is_terminal", lambda: True)


def releases(home: Path) -> list[HaltReleased]:
    """What the journal holds of releases."""
    with closing(sqlite3.connect(f"file:{home / 'tradeloop.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT payload FROM journal ORDER BY batch").fetchall()
    return [event for (payload,) in rows for event in codec.decode(payload) if isinstance(event, HaltReleased)]


def asked_on_the_socket(home: Path, **request: object) -> dict[str, Any]:
    """What the process that trades answers to a line that somebody else wrote."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(home / "control.sock"))
        line.sendall(json.dumps(request).encode() + b"\n")
        answer: dict[str, Any] = json.loads(line.makefile().readline())
    return answer


def test_where_none_is_set_up_a_live_halt_is_released_by_nobody(home: Path) -> None:
    live(home)
    assert tradeloop(home, "halt", "--by", "ann").code == 0
    for given in ((), ("--code", "123456")):
        said = tradeloop(home, "resume", "--reason", "looked", *given)
        assert said.code == 2
        assert said.error == (
            "broker toy trades live, and a halt there is released with a second factor, and none is set up: run `tradeloop"
            " second-factor set-up` at a terminal, then release again; the halt stays"
        )
    assert (home / "HALT").exists()
    assert tradeloop(home, "halts", "--json").document["halts"][0]["recorded"]


def test_a_release_while_the_broker_is_away_says_that_it_was_done_and_what_is_left(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is spent and the halt ended: whoever read that nothing was done would try again, and find nothing to release."""
    live(home)
    (home / "tradeloop.yaml").write_text("engine:\n  ready_within_s: 0.3\n", encoding="utf-8")
    set_up(home, monkeypatch, "hal")
    assert tradeloop(home, "halt", "--by", "ann").code == 0
    said = tradeloop(home, "resume", "--reason", "looked", "--code", code(), "--json")
    assert said.code == 0, said.err
    assert said.document["done"].startswith("released: everything (HALT)")
    assert "warning: broker toy was not ready within 0.3 s" in said.err
    assert "nothing was sent" not in said.err
    assert [(each.second_factor, each.set_up_by) for each in releases(home)] == [("totp", "hal")]
    assert not (home / "HALT").exists()
    assert tradeloop(home, "halts", "--json").document["halts"] == []


def test_what_is_recorded_while_the_broker_is_away_is_said_to_stand(home: Path) -> None:
    live(home)
    (home / "tradeloop.yaml").write_text("engine:\n  ready_within_s: 0.3\n", encoding="utf-8")
    said = tradeloop(home, "risk", "reload")
    assert said.code == 1
    assert "and that stands; nothing was sent yet: broker toy was not ready within 0.3 s" in said.error


def test_without_a_code_it_is_refused_with_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    assert tradeloop(home, "halt", "--by", "ann").code == 0
    said = tradeloop(home, "resume", "--reason", "looked")
    assert said.code == 2
    assert said.error == (
        "broker toy trades live, and a halt there is released with a second factor: give the code that your authenticator"
        " shows now with --code; the halt stays"
    )
    said = tradeloop(home, "resume", "--reason", "looked", "--code", no_code())
    assert (said.code, "the code was wrong, 1 in a row" in said.error) == (2, True)
    assert no_code() not in said.out + said.err
    assert (home / "HALT").exists()


def test_a_paper_desk_needs_none(home: Path) -> None:
    """Not even where somebody gives one."""
    for given in ((), ("--code", "123456")):
        assert tradeloop(home, "halt", "--feed", "demo", "--speed", "300").code == 0
        assert tradeloop(home, "resume", "--reason", "looked", "--feed", "demo", "--speed", "300", *given).code == 0
    assert [each.second_factor for each in releases(home)] == ["", ""]


def test_a_file_that_is_touched_while_the_code_is_typed_is_not_released_and_spends_no_code(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    (home / "tradeloop.yaml").write_text("engine:\n  ready_within_s: 0.3\n", encoding="utf-8")
    set_up(home, monkeypatch)
    assert tradeloop(home, "halt", "--by", "ann").code == 0
    given = code()

    def touched(_: object) -> str:
        os.utime(home / "HALT", ns=(1, 1))
        return given

    with monkeypatch.context() as typing:
        typing.setattr(resume, "asked_for", touched)
        said = tradeloop(home, "resume", "--reason", "looked")
    assert (said.code, said.error) == (
        2,
        f"{home / 'HALT'} was written meanwhile, nothing was released; look at it and release again",
    )
    assert (home / "HALT").exists()
    assert tradeloop(home, "resume", "--reason", "looked", "--code", given).code == 0
    assert not (home / "HALT").exists()


@pytest.mark.crash
def test_with_a_code_it_is_released_once_and_the_journal_says_that_one_was_given(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_venue() as port:
        live(home, port)
        set_up(home, monkeypatch)
        given = code()
        assert tradeloop(home, "halt", "--by", "ann").code == 0
        said = tradeloop(home, "resume", "--reason", "looked", "--code", given, "--by", "bob", "--json")
        assert said.code == 0, said.err
        assert not (home / "HALT").exists()

        assert tradeloop(home, "halt", "--by", "ann").code == 0
        again = tradeloop(home, "resume", "--reason", "looked", "--code", given)
        assert again.code == 2
        assert "a code is good once; wait for the next one" in again.error
        assert (home / "HALT").exists()

        at_a_terminal(monkeypatch)
        said = tradeloop(home, "resume", "--reason", "looked", given=f"{code(1)}\n")
        assert said.code == 0, said.err
    assert [each.second_factor for each in releases(home)] == ["totp", "totp"]
    database = b"".join(path.read_bytes() for path in home.glob("tradeloop.db*"))
    for secret in (SECRET, given, code(1)):
        assert secret.encode() not in database
        assert secret not in said.out + said.err


@pytest.mark.crash
def test_the_process_that_trades_decides_about_the_code_whoever_asks_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_venue() as port:
        live(home, port)
        set_up(home, monkeypatch)
        with watching(home, "--feed", "synthetic"):
            assert tradeloop(home, "halt", "--by", "ann").code == 0
            release = {"do": "ReleaseHalt", "by": "eve", "reason": "let me", "scope": "global", "name": "", "numbers": [1]}
            for claimed in ({}, {"second_factor": "totp"}, {"second_factor": "totp", "code": ""}):
                answer = asked_on_the_socket(home, **release, **claimed)
                assert (answer["ok"], answer["exit_code"]) == (False, 2), answer
                assert "give the code that your authenticator shows now" in answer["text"]
            wrong = asked_on_the_socket(home, **release, code=no_code())
            assert "the code was wrong, 1 in a row" in wrong["text"]
            given = code()
            nothing = asked_on_the_socket(home, **{**release, "scope": "symbol", "name": "BAC.US"}, code=given)
            assert "nothing to release" in nothing["text"]
            said = tradeloop(home, "resume", "--reason", "looked", "--code", given, "--by", "bob")
            assert said.code == 0, said.err
            assert tradeloop(home, "halt", "--by", "ann").code == 0
            assert "a code is good once" in asked_on_the_socket(home, **{**release, "numbers": [2]}, code=given)["text"]
        assert [(each.by, each.second_factor) for each in releases(home)] == [("bob", "totp")]
        assert (home / "HALT").exists()


def test_it_is_set_up_by_typing_a_code_of_what_is_shown_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch)
    monkeypatch.setattr(pyotp, "random_base32", lambda: SECRET)
    said = tradeloop(home, "second-factor", "set-up", "--by", "ann", "--json", given=f"{no_code()}\n{code()}\n")
    assert said.code == 0, said.err
    assert f"otpauth://totp/Tradeloop:ann%40main?secret={SECRET}&issuer=Tradeloop" in said.err
    assert said.document == {"second_factor": f"the second factor is set up, in {home / 'second-factor.json'}"}
    again = tradeloop(home, "second-factor", "set-up", given=f"{code()}\n")
    assert (again.code, "is set up already" in again.error) == (2, True)
    assert SECRET not in again.out + again.err


def test_without_a_right_code_nothing_is_set_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch)
    said = tradeloop(home, "second-factor", "set-up", given="12\nabcdef\n12345\n")
    assert (said.code, said.err.endswith("that the authenticator shows now; nothing is set up\n")) == (2, True)
    assert not (home / "second-factor.json").exists()


def test_without_a_terminal_nothing_is_set_up_and_no_secret_is_shown(home: Path) -> None:
    said = tradeloop(home, "second-factor", "set-up", given=f"{code()}\n")
    assert (said.code, said.error) == (
        2,
        "a second factor is set up by a person who types a code of it; expected a terminal, was none",
    )
    assert not re.search("otpauth", said.out + said.err)


def test_only_a_code_removes_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing to remove" in tradeloop(home, "second-factor", "remove", "--code", "123456").error
    set_up(home, monkeypatch)
    assert "no code was given" in tradeloop(home, "second-factor", "remove").error
    assert "the code was wrong" in tradeloop(home, "second-factor", "remove", "--code", no_code()).error
    assert tradeloop(home, "second-factor", "remove", "--code", code()).code == 0
    assert not (home / "second-factor.json").exists()


def test_doctor_says_whether_a_live_halt_could_be_released(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[tuple[str, str]]:
        findings = tradeloop(home, "doctor", "--json").document["findings"]
        return [(each["state"], each["text"]) for each in findings if each["what"] == "second factor"]

    assert found() == []
    live(home)
    ((state, text),) = found()
    assert (state, "none is set up: run `tradeloop second-factor set-up`" in text) == ("warn", True)
    set_up(home, monkeypatch, "hal")
    assert found() == [("ok", "set up by hal; a halt is released with a code of it")]


def test_wrong_codes_that_nobody_heard_are_told_by_whatever_starts_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    assert tradeloop(home, "halt", "--by", "ann").code == 0
    for _ in range(2):
        assert tradeloop(home, "resume", "--reason", "let me", "--by", "mallory", "--code", no_code()).code == 2
    told = r"2 wrong codes in a row were given to the second factor, the last at \S+ \S+ by mallory"
    (found,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "codes"]
    assert found["state"] == "warn"
    assert re.match(told, found["text"])
    assert re.search(f"warning: {told}", tradeloop(home, "resume", "--reason", "look").err)
    assert re.search(f"critical: {told}", tradeloop(home, "halt", "--by", "ann", "--symbol", "BAC.US").err)


async def test_the_desk_alerts_from_the_second_wrong_code_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(home)
    set_up(home, monkeypatch)
    with (home / "broker.yaml").open("a", encoding="ascii") as settings:
        settings.write(f"name: {BROKER}\n")
    core = Core(Policy(live=(BROKER,))).opened()
    alerts: list[RaiseAlert] = []
    core.give(HaltTrading(HaltTier.HALT, "ann", "fat finger"))
    loaded = load({}, home=Home(home, home, home), environ={}, folder=home)
    desk = SimpleNamespace(loaded=loaded, state=core.state, engine=SimpleNamespace(alert=alerts.append))
    asked = {"do": "ReleaseHalt", "by": "mallory", "reason": "let me", "numbers": [1], "seen": 1, "code": no_code()}
    line = json.dumps(asked).encode()
    for count in (1, 2, 3):
        answer = await control._decided(cast("Desk", desk), line)
        assert f"the code was wrong, {count} in a row" in answer.text
    assert [(each.level, each.key) for each in alerts] == [("CRITICAL", "second factor")] * 2
    assert alerts[0].text.startswith("mallory asked for the release of a halt (global): the code was wrong, 2 in a row")


async def test_the_release_of_a_symbol_is_decided_by_the_code_too_whoever_asks(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(home)
    set_up(home, monkeypatch)
    with (home / "broker.yaml").open("a", encoding="ascii") as settings:
        settings.write(f"name: {BROKER}\n")
    core = Core(Policy(live=(BROKER,), live_accounts=(ACCOUNT,), live_order_value=Decimal(1_000_000))).opened(
        an_instrument("600519.SH")
    )
    order = core.order(buy("600519.SH", 100))
    core.give(an_execution(order.cl_ord_id, "600519.SH", Side.BUY, 300, "10.00"))
    alerts: list[RaiseAlert] = []

    async def ask(command: ReleaseSymbol) -> object:
        return core.give(command)

    loaded = load({}, home=Home(home, home, home), environ={}, folder=home)
    desk = cast("Desk", SimpleNamespace(loaded=loaded, state=core.state, engine=SimpleNamespace(alert=alerts.append, ask=ask)))

    async def said(**given: object) -> control.Answer:
        asked = {"do": "ReleaseSymbol", "symbol": "600519.SH", "by": "mallory", "reason": "let me", **given}
        return await control._decided(desk, json.dumps(asked).encode())

    for claimed in ({}, {"second_factor": "totp", "set_up_by": "eve"}, {"second_factor": "totp", "code": ""}):
        answer = await said(**claimed)
        assert (answer.exit_code, "give the code that your authenticator shows now" in answer.text) == (2, True)
    for _ in range(2):
        assert (await said(code=no_code())).exit_code == 2
    assert [each.text for each in alerts if "mallory asked for the release of 600519.SH" in each.text]
    assert "is not halted" in (await said(symbol="600000.SH", code=code())).text
    assert core.of(SymbolReleased) == []
    assert (await said(code=code(), set_up_by="eve")).ok
    assert [(each.by, each.second_factor, each.set_up_by) for each in core.of(SymbolReleased)] == [("mallory", "totp", "")]
