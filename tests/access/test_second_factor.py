"""The second factor: which codes count, how often, and what is left in files, errors and texts of it."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pyotp
import pytest

from tradeloop.access.attempts import Attempts
from tradeloop.access.one_time import STEP_S, step_of
from tradeloop.access.second_factor import LOCK_MAX_S, WRONG_MAX, SecondFactor, WrongCode
from tradeloop.core.errors import BadInput, JournalFailed
from tradeloop.core.types import SECOND_NS, UtcNs

FILES = ["second-factor.json", "second-factor.json.lock", "second-factor.log"]
NOON = UtcNs(1_800_000_000 * SECOND_NS)
"""The beginning of a step."""


def later(seconds: float) -> UtcNs:
    return UtcNs(NOON + int(seconds * SECOND_NS))


class Device:
    """Shows the codes of a secret, by its own clock."""

    def __init__(self, uri: str) -> None:
        self.secret = re.search(r"secret=([A-Z2-7]+)", uri)[1]  # type: ignore[index]

    def shows(self, at: UtcNs) -> str:
        return pyotp.TOTP(self.secret).at(at // SECOND_NS)

    def never_shows(self, at: UtcNs) -> str:
        """Six digits that are no code of a moment near this one."""
        near = {self.shows(UtcNs(at + each * STEP_S * SECOND_NS)) for each in range(-3, 4)}
        return next(
            code
            for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
            if code not in near
        )


def set_up(folder: Path) -> tuple[SecondFactor, Device]:
    """A second factor that was confirmed a day before noon."""
    factor = SecondFactor(folder / "second-factor.json")
    pending = factor.begin()
    device = Device(pending.uri("ann@main"))
    pending.confirm(device.shows(later(-86_400)), later(-86_400))
    return factor, device


def wrong(factor: SecondFactor, device: Device, at: UtcNs) -> str:
    """What is said of a wrong code."""
    with pytest.raises(BadInput) as refused:
        factor.check(device.never_shows(at), at)
    return str(refused.value)


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238 appendix B, SHA-1, the last six of its eight digits."""
    from pydantic import SecretStr

    secret = SecretStr("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert step_of(secret, code, UtcNs(seconds * SECOND_NS)) == seconds // STEP_S


def test_it_counts_only_when_a_code_of_it_was_typed(tmp_path: Path) -> None:
    factor = SecondFactor(tmp_path / "second-factor.json")
    pending = factor.begin()
    device = Device(pending.uri("ann@main"))
    with pytest.raises(BadInput, match="the code was wrong"):
        pending.confirm(device.never_shows(NOON), NOON)
    assert not factor.is_set_up
    with pytest.raises(BadInput, match="no second factor is set up; run `tradeloop second-factor set-up`"):
        factor.check(device.shows(NOON), NOON)
    pending.confirm(device.shows(NOON), NOON)
    assert factor.is_set_up


def test_the_code_that_confirmed_it_is_used(tmp_path: Path) -> None:
    factor = SecondFactor(tmp_path / "second-factor.json")
    pending = factor.begin()
    device = Device(pending.uri("ann@main"))
    pending.confirm(device.shows(NOON), NOON)
    with pytest.raises(BadInput, match="was taken before"):
        factor.check(device.shows(NOON), NOON)


def test_there_is_one_and_a_second_is_refused(tmp_path: Path) -> None:
    factor, _ = set_up(tmp_path)
    with pytest.raises(BadInput, match="is set up already"):
        factor.begin()


def test_of_two_that_are_set_up_at_once_the_first_to_confirm_counts(tmp_path: Path) -> None:
    factor = SecondFactor(tmp_path / "second-factor.json")
    one, other = factor.begin(), factor.begin()
    mine, theirs = Device(one.uri("ann@main")), Device(other.uri("bob@main"))
    one.confirm(mine.shows(NOON), NOON)
    with pytest.raises(BadInput, match="is set up already"):
        other.confirm(theirs.shows(NOON), NOON)
    factor.check(mine.shows(later(STEP_S)), later(STEP_S))


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_a_clock_may_be_off_by_one_step(tmp_path: Path, drift: int) -> None:
    factor, device = set_up(tmp_path)
    factor.check(device.shows(later(drift * STEP_S)), NOON)


@pytest.mark.parametrize("drift", [-2, 2])
def test_a_clock_may_not_be_off_by_two(tmp_path: Path, drift: int) -> None:
    factor, device = set_up(tmp_path)
    with pytest.raises(BadInput, match="the code was wrong, 1 in a row"):
        factor.check(device.shows(later(drift * STEP_S)), NOON)


def test_a_code_is_good_once_and_so_is_every_older_one(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    factor.check(device.shows(NOON), NOON)
    for code in (device.shows(NOON), device.shows(later(-STEP_S))):
        with pytest.raises(BadInput, match="a code is good once; wait for the next one"):
            factor.check(code, NOON)
    factor.check(device.shows(later(STEP_S)), later(STEP_S))


def test_a_code_that_was_used_here_is_used_in_every_other_process(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    code = device.shows(NOON)
    factor.check(code, NOON)
    program = (
        "import sys, pathlib; from tradeloop.access.second_factor import SecondFactor\n"
        "SecondFactor(pathlib.Path(sys.argv[1])).check(sys.argv[2], int(sys.argv[3]))"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "second-factor.json")]
    again = subprocess.run([*words, code, str(NOON)], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 1
    assert "a code is good once" in again.stderr
    after = later(STEP_S)
    subprocess.run([*words, device.shows(after), str(after)], capture_output=True, timeout=60, check=True)
    with pytest.raises(BadInput, match="a code is good once"):
        factor.check(device.shows(after), after)


def test_of_many_processes_that_give_the_same_code_at_once_one_gets_through(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    program = (
        "import sys, pathlib; from tradeloop.access.second_factor import SecondFactor\n"
        "sys.stdin.readline()\n"
        "SecondFactor(pathlib.Path(sys.argv[1])).check(sys.argv[2], int(sys.argv[3]))"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "second-factor.json"), device.shows(NOON), str(NOON)]
    several = [subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(4)]
    for each in several:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in several:
        each.communicate(timeout=60)
    assert sorted(each.returncode for each in several) == [0, 1, 1, 1]
    assert factor.is_set_up


def test_five_wrong_codes_lock_it_and_each_more_for_twice_as_long(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    for count in range(1, WRONG_MAX):
        assert "locked" not in wrong(factor, device, NOON), count
    assert "after 5 wrong codes the second factor is locked until 2027-01-15 08:01:00Z" in wrong(factor, device, NOON)
    with pytest.raises(BadInput, match="no code is looked at before that"):
        factor.check(device.shows(later(59)), later(59))
    assert "locked until 2027-01-15 08:03:00Z" in wrong(factor, device, later(60))
    assert "locked until 2027-01-15 08:07:00Z" in wrong(factor, device, later(180))
    factor.check(device.shows(later(420)), later(420))
    assert "the code was wrong, 1 in a row; give" in wrong(factor, device, later(480))


def test_the_lock_grows_to_an_hour_and_holds_over_a_restart(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    at = NOON
    for _ in range(WRONG_MAX + 12):
        wrong(factor, device, at)
        at = UtcNs(at + LOCK_MAX_S * SECOND_NS)
    started_anew = SecondFactor(tmp_path / "second-factor.json")
    before = UtcNs(at - SECOND_NS)
    with pytest.raises(BadInput, match="after 17 wrong codes the second factor is locked until"):
        started_anew.check(device.shows(before), before)
    started_anew.check(device.shows(at), at)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", " 12345"])
def test_what_is_no_code_is_refused_and_counts_as_none(tmp_path: Path, code: str) -> None:
    factor, device = set_up(tmp_path)
    for _ in range(WRONG_MAX + 1):
        with pytest.raises(BadInput, match="the code was not 6 digits"):
            factor.check(code, NOON)
    factor.check(device.shows(NOON), NOON)


def test_only_a_code_takes_it_away(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    with pytest.raises(BadInput, match="the code was wrong"):
        factor.remove(device.never_shows(NOON), NOON)
    assert factor.is_set_up
    factor.remove(device.shows(NOON), NOON)
    assert not factor.is_set_up


def test_the_file_is_its_owners_alone_and_stays_so(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    factor.check(device.shows(NOON), NOON)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "second-factor.json",
        "second-factor.json.lock",
        "second-factor.log",
    ]


def test_a_file_that_others_may_read_counts_for_nothing(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    (tmp_path / "second-factor.json").chmod(0o640)
    with pytest.raises(BadInput, match="its mode was 0640; expected 0600") as refused:
        factor.check(device.shows(NOON), NOON)
    assert device.secret not in str(refused.value)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"secret": 7}', b'{"secret": "AB"}', b'{"secret": "AB', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_lets_nobody_through(tmp_path: Path, text: bytes) -> None:
    factor, device = set_up(tmp_path)
    path = tmp_path / "second-factor.json"
    path.write_bytes(text)
    with pytest.raises(BadInput, match="is no second factor that can be read"):
        factor.check(device.shows(NOON), NOON)


def test_a_code_whose_use_cannot_be_recorded_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factor, device = set_up(tmp_path)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        with pytest.raises(JournalFailed, match=r"could not be read or written \(No space left on device\)"):
            factor.check(device.shows(NOON), NOON)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "second-factor.json",
        "second-factor.json.lock",
        "second-factor.log",
    ]
    factor.check(device.shows(NOON), NOON)


def test_neither_code_nor_secret_is_in_what_is_said_or_shown(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    code = device.shows(NOON)
    said = wrong(factor, device, NOON)
    assert device.never_shows(NOON) not in said
    factor.check(code, NOON)
    with pytest.raises(BadInput) as used:
        factor.check(code, NOON)
    kept = factor._file.read()
    for text in (said, str(used.value), repr(kept), repr(vars(factor)), repr(vars(SecondFactor(tmp_path / "other").begin()))):
        assert code not in text
        assert device.secret not in text


def attempts(folder: Path) -> list[tuple[str, str]]:
    """What was tried, and by whom."""
    lines = (folder / "second-factor.log").read_text("utf-8").splitlines()
    return [(found["what"], found["by"]) for found in map(json.loads, lines)]


def test_every_attempt_is_kept_beside_it_also_when_it_is_gone(tmp_path: Path) -> None:
    factor = SecondFactor(tmp_path / "second-factor.json")
    pending = factor.begin()
    device = Device(pending.uri("ann@main"))
    pending.confirm(device.shows(later(-60)), later(-60), "ann")
    for _ in range(WRONG_MAX):
        with pytest.raises(WrongCode):
            factor.check(device.never_shows(NOON), NOON, "mallory")
    with pytest.raises(BadInput, match="is locked until"):
        factor.check(device.shows(NOON), NOON, "mallory\n")
    factor.check(device.shows(later(90)), later(90), "bob")
    with pytest.raises(BadInput, match="good once"):
        factor.check(device.shows(later(90)), later(90), "bob")
    factor.remove(device.shows(later(120)), later(120), "ann")
    (tmp_path / "second-factor.json").unlink(missing_ok=True)
    wrongs = [("wrong", "mallory")] * WRONG_MAX
    bobs = [("taken", "bob"), ("used before", "bob")]
    assert attempts(tmp_path) == [
        ("set up", "ann"),
        *wrongs,
        ("while locked", "mallory "),
        *bobs,
        ("taken", "ann"),
        ("removed", "ann"),
    ]
    text = (tmp_path / "second-factor.log").read_text("utf-8")
    assert device.secret not in text
    assert device.shows(later(90)) not in text


def test_wrong_codes_are_told_with_how_many_when_and_by_whom_until_a_right_one(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    assert factor.suspicion() == ""
    for count in (1, 2):
        with pytest.raises(WrongCode) as refused:
            factor.check(device.never_shows(NOON), NOON, "mallory")
        assert refused.value.count == count
    said = SecondFactor(tmp_path / "second-factor.json").suspicion()
    assert said.startswith(
        "2 wrong codes in a row were given to the second factor, the last at 2027-01-15 08:00:00Z by mallory;"
    )
    factor.check(device.shows(NOON), NOON)
    assert factor.suspicion() == ""


def test_who_tries_for_days_fills_no_disk(tmp_path: Path) -> None:
    found = Attempts(tmp_path / "second-factor.json")
    (tmp_path / "second-factor.log").write_bytes(b"x" * (1 << 20))
    for at in range(3):
        found.add(at, "wrong", "mallory")
    assert [each.at for each in found.newest()] == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["second-factor.log", "second-factor.log.old"]


def test_an_attempt_that_cannot_be_kept_lets_nobody_through(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    (tmp_path / "second-factor.log").unlink()
    (tmp_path / "second-factor.log").mkdir()
    with pytest.raises(JournalFailed, match="so no code can be taken"):
        factor.check(device.shows(NOON), NOON)


def test_a_clock_that_is_set_back_locks_nobody_out_after_a_slip(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    wrong(factor, device, NOON)
    factor.check(device.shows(later(-3600)), later(-3600))


def test_a_clock_that_is_set_back_makes_no_lock_longer(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    for _ in range(WRONG_MAX):
        wrong(factor, device, NOON)
    with pytest.raises(BadInput, match="is locked until 2027-01-15 07:01:00Z"):
        factor.check(device.shows(later(-3600)), later(-3600))
    factor.check(device.shows(later(-3540)), later(-3540))


@pytest.mark.parametrize("until", [10**17, 10**30])
def test_a_lock_without_an_end_is_one_of_the_usual_length(tmp_path: Path, until: int) -> None:
    factor, device = set_up(tmp_path)
    path = tmp_path / "second-factor.json"
    kept = json.loads(path.read_text("ascii"))
    path.write_text(json.dumps({**kept, "wrong": 5, "locked_until": until}), "ascii")
    with pytest.raises(BadInput, match="is locked until 2027-01-15 08:01:00Z"):
        factor.check(device.shows(NOON), NOON)
    factor.check(device.shows(later(60)), later(60))


def test_counts_below_nothing_are_none(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    path = tmp_path / "second-factor.json"
    path.write_text(json.dumps({**json.loads(path.read_text("ascii")), "wrong": -1000}), "ascii")
    with pytest.raises(BadInput, match="is no second factor that can be read"):
        factor.check(device.shows(NOON), NOON)


def test_who_set_it_up_is_kept_through_every_code_and_told_with_it(tmp_path: Path) -> None:
    factor = SecondFactor(tmp_path / "second-factor.json")
    pending = factor.begin()
    device = Device(pending.uri("ann@main"))
    pending.confirm(device.shows(later(-86_400)), later(-86_400), "ann\n" + "x" * 99)
    name = "ann " + "x" * 60
    wrong(factor, device, NOON)
    assert factor.check(device.shows(NOON), NOON, "bob") == name
    assert (factor.check(device.shows(later(60)), later(60), "bob"), factor.set_up_by) == (name, name)


def test_of_one_that_was_set_up_before_names_were_kept_nobody_is_named(tmp_path: Path) -> None:
    factor, device = set_up(tmp_path)
    path = tmp_path / "second-factor.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    del kept["by"]
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert (factor.check(device.shows(NOON), NOON), factor.set_up_by) == ("", "")
