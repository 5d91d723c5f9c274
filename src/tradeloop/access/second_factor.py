"""The second factor: a code that only somebody with the device at hand can give, good once.

A code counts within one step of its time and after the last one that was taken; that is on the disk before the code counts, so
that no restart and no second process takes it again. From the fifth wrong code in a row on, each locks the factor for twice as
long, up to an hour; while it is locked no code is looked at. What is wrong is told without the code.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import attempts
from tradeloop.access.attempts import Attempts
from tradeloop.access.kept import Kept, KeptFile
from tradeloop.access.one_time import DIGITS, STEP_S, draw, is_code, step_of, uri
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

KIND: Final = "totp"
"""What the journal says was given."""
WRONG_MAX: Final = 5
LOCK_S: Final = 60
SUSPICIOUS: Final = 2
"""From so many wrong codes in a row on people are told: one is a slip."""
LOCK_MAX_S: Final = 3600
SET_UP: Final = "run `tradeloop second-factor set-up` at a terminal"


class WrongCode(BadInput):
    """A code was wrong, for the `count`th time in a row."""

    def __init__(self, text: str, count: int) -> None:
        super().__init__(text)
        self.count = count


class SecondFactor:
    """The one of an installation, kept in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = KeptFile(path)
        self._attempts = Attempts(path)

    def suspicion(self) -> str:
        """What should make a person look, empty where nothing should: wrong codes since the last right one, and by whom. Raises
        BadInput where the factor cannot be read.
        """
        kept = self._file.read()
        if kept is None or not kept.wrong:
            return ""
        try:
            wrong = [each for each in self._attempts.newest() if each.what == attempts.WRONG]
        except OSError:
            wrong = []
        last = f", the last at {_moment(wrong[-1].at // SECOND_NS)} by {wrong[-1].by or 'nobody named'}" if wrong else ""
        codes = "1 wrong code was" if kept.wrong == 1 else f"{kept.wrong} wrong codes in a row were"
        return f"{codes} given to the second factor{last}; every attempt is in {self._attempts.path}"

    @property
    def wrong_codes(self) -> int:
        """How many were wrong since the last right one. Raises BadInput where the factor cannot be read."""
        kept = self._file.read()
        return 0 if kept is None else kept.wrong

    @property
    def is_set_up(self) -> bool:
        """Whether there is one. Raises BadInput where it cannot be read."""
        return self._file.read() is not None

    @property
    def set_up_by(self) -> str:
        """Who set it up; empty where that is not known. Raises BadInput where it cannot be read."""
        kept = self._file.read()
        return "" if kept is None else kept.by

    def begin(self) -> Pending:
        """A new one that counts for nothing until it is confirmed. Raises BadInput where there is one already."""
        _refuse_a_second(self._file.read())
        return Pending(self._file, draw())

    def check(self, code: str, now: UtcNs, by: str = "") -> str:
        """Take a code, which is good for nothing after that, from `by`; who had set up the factor. Raises BadInput saying
        why it was not taken, WrongCode where it was wrong, JournalFailed where that could not be recorded.
        """
        with self._file.locked():
            return self._take(code, now, by)

    def remove(self, code: str, now: UtcNs, by: str = "") -> None:
        """Have none any more; it takes a code. Raises as `check` does."""
        with self._file.locked():
            self._take(code, now, by)
            self._attempts.add(now, attempts.REMOVED, by)
            self._file.remove()

    def _take(self, code: str, now: UtcNs, by: str) -> str:
        kept = self._file.read()
        if kept is None:
            raise BadInput(f"no second factor is set up; {SET_UP}")
        now_s = now // SECOND_NS
        if kept.locked_until > now_s + _lock_s(
            kept.wrong
        ):  # longer than any lock: the clock was set back since, or the file says so
            kept = msgspec.structs.replace(kept, locked_until=now_s + _lock_s(kept.wrong))
            self._file.write(kept)
        if now_s < kept.locked_until:
            self._attempts.add(now, attempts.LOCKED, by)
            raise BadInput(f"{_locked(kept)}; no code is looked at before that")
        _refuse_no_code(code)
        step = step_of(kept.secret, code, now)
        if step is None:
            lock_s = _lock_s(kept.wrong + 1)
            kept = msgspec.structs.replace(kept, wrong=kept.wrong + 1, locked_until=now_s + lock_s if lock_s else 0)
            self._file.write(kept)
            self._attempts.add(now, attempts.WRONG, by)
            locked = f"; {_locked(kept)}" if kept.locked_until > now_s else ""
            raise WrongCode(
                f"the code was wrong, {kept.wrong} in a row{locked}; give the one that is shown now, and see that both clocks"
                f" are right to {STEP_S} s",
                kept.wrong,
            )
        if step <= kept.last_step:
            self._attempts.add(now, attempts.USED, by)
            raise BadInput("this code, or a newer one, was taken before, and a code is good once; wait for the next one")
        self._attempts.add(now, attempts.TAKEN, by)
        self._file.write(Kept(kept.secret, last_step=step, by=kept.by))
        return attempts.as_kept(kept.by)


class Pending:
    """A secret that was drawn and counts for nothing yet. It is in no file."""

    def __init__(self, file: KeptFile, secret: SecretStr) -> None:
        self._file, self._secret = file, secret

    def uri(self, name: str) -> str:
        """What an authenticator app is given; whoever reads it has the secret."""
        return uri(self._secret, name)

    def confirm(self, code: str, now: UtcNs, by: str = "") -> None:
        """Have it count from now on: the device shows its codes. Raises BadInput where this is none of them, or somebody else
        was quicker.
        """
        _refuse_no_code(code)
        step = step_of(self._secret, code, now)
        if step is None:
            raise BadInput(
                f"the code was wrong; give the one that is shown now, and see that both clocks are right to {STEP_S} s"
            )
        with self._file.locked():
            _refuse_a_second(self._file.read())
            Attempts(self._file.path).add(now, attempts.SET_UP, by)
            self._file.write(Kept(self._secret, last_step=step, by=attempts.as_kept(by)))


def _refuse_a_second(kept: Kept | None) -> None:
    if kept is not None:
        raise BadInput("a second factor is set up already; `tradeloop second-factor remove` takes it away, with a code of it")


def _refuse_no_code(code: str) -> None:
    if not is_code(code):
        raise BadInput(f"the code was not {DIGITS} digits; give the one that the authenticator shows now")


def _lock_s(wrong: int) -> int:
    """How long the factor is locked after so many wrong codes in a row."""
    over = wrong - WRONG_MAX
    return 0 if over < 0 else min(LOCK_S << min(over, 6), LOCK_MAX_S)


def _locked(kept: Kept) -> str:
    return f"after {kept.wrong} wrong codes the second factor is locked until {_moment(kept.locked_until)}"


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"
