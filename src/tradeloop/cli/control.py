"""How a command reaches the process that is trading: a Unix socket in its home, one JSON line there and one back.

Only the writer may change anything, so a second process does not try: it asks. The socket is its owner's alone (mode 0600 in a
folder of 0700), and a request is a command like any other, decided and journalled under the name of whoever asked.

    {"do": "CancelRun", "run_id": "…", "by": "…", "reason": "…"}   ->   {"ok": true, "text": "…"}
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloop.cli.known import refuse_here
from tradeloop.cli.record import iso
from tradeloop.cli.replace_answer import PENDING, REPLACED, change_document, terms_of
from tradeloop.cli.risk_answer import said_of
from tradeloop.cli.shell import DENIED
from tradeloop.cli.strategy_answer import StrategyAsked, answer_of_host
from tradeloop.core.commands import (
    ApproveRun,
    CancelOrder,
    CancelRun,
    ChangeLimit,
    Command,
    HaltTrading,
    PauseRun,
    ReleaseHalt,
    ReleaseSymbol,
    RepairBreak,
    ReplaceOrder,
    ResolveOrder,
    ResumeRun,
    RevertLimit,
    SubmitOrder,
)
from tradeloop.core.errors import BadInput, JournalFailed, TradeloopError
from tradeloop.core.replies import Done, OrderReply, RunReply
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.state import State
from tradeloop.core.terms_to_confirm import to_confirm
from tradeloop.core.types import SECOND_NS, Px, RunStatus, exact

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.bootstrap.confirming import Typed
    from tradeloop.core.confirmation import Confirmation, Frozen
    from tradeloop.core.halt import Halt

_KINDS: Final = (
    ApproveRun,
    CancelOrder,
    CancelRun,
    ChangeLimit,
    HaltTrading,
    PauseRun,
    ReleaseHalt,
    ReleaseSymbol,
    RepairBreak,
    ReplaceOrder,
    ResolveOrder,
    ResumeRun,
    RevertLimit,
)
_ALLOWED: Final[dict[str, type[Any]]] = {each.__name__: each for each in _KINDS}
_WHO: Final = "Who"
_RECONCILE: Final = "Reconcile"
_HALTS: Final = "Halts"
_CHECK: Final = "CheckOrder"
_STRATEGIES: Final = "Strategies"
_CODE: Final = "code"
_PHRASE: Final = "phrase"
_CONTENT: Final = "content"
_PX: Final = "px"
_SHOW: Final = "ShowChange"
"""A question of its own: a process of an older program refuses what it does not know, and drops a word that it does not."""
_READY_S: Final = 20.0
_LINE_MAX: Final = 65_536
_ANSWER_MAX: Final = 1 << 22
PATH_MAX: Final = 100
"""Bytes a socket's path may have on every system; Linux allows 107, macOS 103."""
ANSWER_S: Final = 30.0


class CheckOrder(msgspec.Struct, frozen=True):
    """What would risk say of this order? Nothing of it is recorded or sent."""

    order: SubmitOrder


class ShowChange(msgspec.Struct, frozen=True):
    """What has a person to confirm of this change? Nothing of it is recorded or sent."""

    change: ReplaceOrder


class ReloadLimits(msgspec.Struct, frozen=True):
    """Read risk.yaml anew: who wants that, why, and who agreed."""

    by: str = ""
    reason: str = ""
    approved_by: str = ""


Field = str | int | bool | list[str | int | bool | list[str] | None] | None
"""What a request is made of: amounts are text, and a number with a point is no field."""


class Answer(msgspec.Struct):
    """What the trading process says; `exit_code` is the one the asking command ends with. `change`: what became of a change
    of an order, as a document.
    """

    ok: bool
    text: str
    exit_code: int = 0
    change: dict[str, Any] | None = None


class Door:
    """Where other processes ask this one. What comes when it is shut is not read: whoever asks finds nobody, and no answer says
    that this process took what it does not see to any more.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._path = desk.loaded.home.socket
        self._server: asyncio.AbstractServer | None = None
        self._deciding = 0
        self._decided = asyncio.Event()

    async def open(self) -> None:
        """Take requests, from now until `shut`."""
        if os.name == "nt" or len(os.fsencode(self._path)) > PATH_MAX:
            return  # other processes then find no socket, and are told who trades
        self._path.unlink(missing_ok=True)  # left by a process that was killed; the lease is ours, so nobody listens there
        self._server = await asyncio.start_unix_server(self._answer, self._path, limit=_LINE_MAX)
        self._path.chmod(0o600)

    def close(self) -> None:
        """Take no request any more."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    async def shut(self) -> None:
        """Take no request any more, and return when those that were taken are decided."""
        self.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):  # whoever asked has given up by then
                while self._deciding:
                    self._decided.clear()
                    await self._decided.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            line = await reader.readline()
            if self._server is not None:
                writer.write(msgspec.json.encode(await self._said(line)) + b"\n")
                await writer.drain()
        writer.close()

    async def _said(self, line: bytes) -> Answer:
        self._deciding += 1
        try:
            return await _decided(self._desk, line)
        finally:
            self._deciding -= 1
            self._decided.set()


@asynccontextmanager
async def serving(desk: Desk) -> AsyncIterator[Door]:
    """Take requests of other processes while the block runs."""
    door = Door(desk)
    await door.open()
    try:
        yield door
    finally:
        door.close()


class Silent(JournalFailed):
    """A process lives and did not answer in time: held up, frozen or swapped out. It may do yet what it was asked."""


async def ask_the_writer(path: Path, command: Command | None, within_s: float = ANSWER_S) -> Answer | None:
    """Give `command` to the process that trades in this home; None where no process answers. Without a command, who it is."""
    if command is None:
        return await _asked(path, {"do": _WHO}, within_s)
    return await _asked(path, {"do": type(command).__name__, **msgspec.to_builtins(command)}, within_s)


async def ask_for_release(path: Path, command: ReleaseHalt | ReleaseSymbol, code: str) -> Answer | None:
    """As `ask_the_writer`, with the code of the second factor: whether it is right is decided there, and there alone."""
    return await _asked(path, {"do": type(command).__name__, **msgspec.to_builtins(command), _CODE: code})


async def ask_what_to_confirm(path: Path, command: ReplaceOrder) -> Answer | None:
    """What there is to confirm of a change at a live account, as a JSON object in the answer's text; an empty text where it
    needs nobody's word, also where the process that trades in this home is of a program that asks for none. None where none
    trades there.
    """
    answer = await _asked(path, {"do": _SHOW, **msgspec.to_builtins(command)})
    return Answer(True, "") if answer is not None and answer.text.startswith(f"the request was {_SHOW!r}; expected") else answer


async def ask_with_a_word(path: Path, command: ApproveRun | ReplaceOrder, typed: Typed) -> Answer | None:
    """As `ask_the_writer`, with what a person typed for a live account: whether it is right is decided there alone."""
    given = {
        _CODE: typed.code,
        _PHRASE: typed.phrase,
        _CONTENT: typed.content,
        _PX: None if typed.px is None else str(typed.px),
    }
    return await _asked(path, {"do": type(command).__name__, **msgspec.to_builtins(command), **given})


async def ask_for_halts(path: Path, within_s: float = ANSWER_S) -> Answer | None:
    """The halts in force, as a JSON array in the answer's text; None where no process trades in this home."""
    return await _asked(path, {"do": _HALTS}, within_s)


def halts_in_force(state: State) -> list[dict[str, Any]]:
    """The halts in force, and what each has come to."""
    fields = ("number", "tier", "scope", "name", "by", "reason", "trigger", "at", "found", "done", "unknown", "held")
    return [
        {**{field: msgspec.to_builtins(getattr(halt, field)) for field in fields}, "at_iso": iso(halt.at)}
        for halt in state.halts.values()
    ]


async def ask_to_reload(path: Path, reload: ReloadLimits) -> Answer | None:
    """Have the process that trades in this home read its risk.yaml anew; None where none does."""
    return await _asked(path, {"do": ReloadLimits.__name__, **msgspec.to_builtins(reload)})


async def ask_of_risk(path: Path, order: SubmitOrder) -> Answer | None:
    """What risk would say of an order, as a JSON object in the answer's text; None where no process trades in this home."""
    return await _asked(path, {"do": _CHECK, **msgspec.to_builtins(order)})


async def ask_of_strategies(path: Path, asked: StrategyAsked) -> Answer | None:
    """Have the host of strategies do something, or say what there is; None where no process trades in this home."""
    return await _asked(path, {"do": _STRATEGIES, **msgspec.to_builtins(asked)})


async def ask_to_reconcile(path: Path) -> Answer | None:
    """Have the process that trades in this home compare the books now, and show it in the read models; None where none does."""
    return await _asked(path, {"do": _RECONCILE})


async def _asked(path: Path, request: dict[str, Any], within_s: float = ANSWER_S) -> Answer | None:
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=_ANSWER_MAX)
            try:
                writer.write(msgspec.json.encode(request) + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
    except (ConnectionError, FileNotFoundError):
        return None
    except TimeoutError:  # an OSError, too
        raise Silent(
            f"the process that trades here did not answer within {within_s:g} s, and may do it yet; see what it does"
        ) from None
    except OSError as error:
        if len(os.fsencode(path)) > PATH_MAX:
            return None  # nobody could listen there
        raise JournalFailed(f"{path} could not be asked ({error.strerror or error}); see its rights") from None
    return msgspec.json.decode(line, type=Answer) if line else None


async def _decided(desk: Desk, line: bytes) -> Answer:
    try:
        command = _command(line)
        if command == _WHO:
            return Answer(True, _who(desk))
        if command == _RECONCILE:
            return await _compared(desk)
        if command == _HALTS:
            return Answer(True, msgspec.json.encode(halts_in_force(desk.state)).decode())
        if isinstance(command, ReloadLimits):
            from tradeloop.bootstrap.limits import Author

            return Answer(True, await desk.reload_limits(Author(command.by, command.reason, command.approved_by)))
        if isinstance(command, CheckOrder):
            return Answer(True, msgspec.json.encode(said_of(desk, command.order)).decode())
        if isinstance(command, StrategyAsked):
            return Answer(True, await answer_of_host(desk, command))
        if isinstance(command, ShowChange):
            refuse_here(desk.loaded, desk.state, command.change)
            frozen = to_confirm(desk.state, desk.engine.around, command.change, desk.clock.now())
            return Answer(True, "" if frozen is None else msgspec.json.encode(frozen).decode())
        assert not isinstance(command, str)
        refuse_here(desk.loaded, desk.state, command)
        if isinstance(command, ReleaseHalt | ReleaseSymbol):
            from tradeloop.bootstrap.release import checked_release

            command = await checked_release(desk.loaded, desk.state, command, _code(line), desk.engine.alert)
        if isinstance(command, ApproveRun | ReplaceOrder):
            command = msgspec.structs.replace(command, confirmed=None)  # nobody says of themselves that they were looked at
        if isinstance(command, ApproveRun):
            command = await _with_a_word(desk, command, line)
        if isinstance(command, ReplaceOrder):
            typed = _field(line, _PHRASE)
            frozen = to_confirm(desk.state, desk.engine.around, command, desk.clock.now()) if typed else None
            if frozen is not None:
                given = await _word(desk, line, frozen, desk.account, command.by)
                command = msgspec.structs.replace(command, confirmed=given)
            return await _changed(desk, command)
        reply = await desk.engine.ask(command)
        if isinstance(command, HaltTrading):  # asked of this process: it works at it, also where it stood before
            like = [halt.number for halt in desk.state.halts.values() if _is_asked(halt, command)]
            desk.stood.difference_update(like)
        return spoken(reply, command)
    except BadInput as error:
        return Answer(False, str(error), 2)
    except TradeloopError as error:
        return Answer(False, str(error), 1)


async def _with_a_word(desk: Desk, command: ApproveRun, line: bytes) -> ApproveRun:
    """The approval with what was typed for it, once that was looked at here; as it is where nothing was."""
    from tradeloop.core.run.conduct import refuse_to_go
    from tradeloop.core.run.confirming import plan_of
    from tradeloop.core.types import RunStatus

    run = desk.state.runs.get(command.run_id)
    if run is None or not _field(line, _PHRASE):
        return command
    frozen = plan_of(desk.state, desk.engine.around, run)
    if run.status in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL):
        refuse_to_go(desk.state, desk.engine.around, run, desk.clock.now())
    return msgspec.structs.replace(command, confirmed=await _word(desk, line, frozen, run.created.account, command.by))


async def _word(desk: Desk, line: bytes, frozen: Frozen, account: str, by: str) -> Confirmation:
    """What was typed for this, once it was looked at here; of what it is the core looks itself."""
    from tradeloop.bootstrap.confirming import Typed, confirmed

    px = _field(line, _PX)
    typed = Typed(_field(line, _CONTENT), _field(line, _PHRASE), _code(line), Px(exact(px, "px")) if px else None)
    return await confirmed(desk.loaded, typed, account, frozen.orders, by, desk.engine.alert)


def _is_asked(halt: Halt, command: HaltTrading) -> bool:
    return (halt.tier, halt.scope, halt.name) == (command.tier, command.scope, command.name)


async def _changed(desk: Desk, command: ReplaceOrder) -> Answer:
    """Other terms for an order: the broker's answer is not waited for here."""
    order = desk.state.orders.get(command.cl_ord_id)
    before = None if order is None else terms_of(order)
    reply = await desk.engine.ask(command)
    said = spoken(reply, command)
    order = desk.state.orders.get(command.cl_ord_id)
    if isinstance(reply, OrderReply) and order is not None and before is not None:
        change = PENDING if order.replaces else REPLACED
        said.change = change_document(order, before, command, reply, change, said.text)
    return said


def _who(desk: Desk) -> str:
    """Which process this is, and how old its newest quote is."""
    newest = desk.latest.newest_at()
    if newest is None:
        return f"pid {os.getpid()}, no quote yet"
    return f"pid {os.getpid()}, newest quote {max(0, desk.clock.now() - newest) / SECOND_NS:.1f} s old"


async def _compared(desk: Desk) -> Answer:
    if not desk.is_ready:
        link = desk.state.links.get(desk.broker.name)
        return Answer(False, f"broker {desk.broker.name} is not ready: {link.text if link is not None else 'not heard yet'}", 1)
    try:
        async with asyncio.timeout(_READY_S):
            await desk.reconcile()
            await desk.views_caught_up()
    except TimeoutError:
        return Answer(False, f"broker {desk.broker.name} did not give its books within {_READY_S:g} s; try again", 1)
    return Answer(True, "compared")


def _code(line: bytes) -> str:
    """The code of a second factor that came with a request."""
    return _field(line, _CODE)


def _field(line: bytes, name: str) -> str:
    """A text that came with a request; empty where none did."""
    return str(msgspec.json.decode(line, type=dict[str, Field]).get(name) or "")


def _command(line: bytes) -> Command | CheckOrder | ShowChange | ReloadLimits | StrategyAsked | str:
    """The command asked for, or a question."""
    try:
        fields = msgspec.json.decode(line, type=dict[str, Field])
        kind = str(fields.pop("do", None) or "")
        if kind in (_WHO, _RECONCILE, _HALTS):
            return kind
        if kind == ReloadLimits.__name__:
            return msgspec.convert(fields, ReloadLimits)
        if kind == _CHECK:
            return CheckOrder(msgspec.convert(fields, SubmitOrder))
        if kind == _SHOW:
            return ShowChange(msgspec.convert(fields, ReplaceOrder))
        if kind == _STRATEGIES:
            return msgspec.convert(fields, StrategyAsked)
        if kind not in _ALLOWED:
            raise BadInput(f"the request was {kind[:40]!r}; expected one of {', '.join(_ALLOWED)}")
        found: Command = msgspec.convert(fields, _ALLOWED[kind])
        return found
    except msgspec.MsgspecError as error:
        raise BadInput(f"the request was not one ({error}); expected one JSON object of texts a line") from None


def spoken(reply: object, command: object = None) -> Answer:
    """A reply as a sentence."""
    match reply:
        case RunReply(run_id=run_id, status=status, repeat=True) if status in ENDED:
            return Answer(False, f"run {run_id} has ended as {status.value} meanwhile; nothing was changed", 2)
        case RunReply(run_id=run_id, status=status) if isinstance(command, CancelRun) and status is not RunStatus.CANCELED:
            return Answer(True, f"cancel of run {run_id} was accepted; what works is being cancelled")
        case Done(text=text):
            return Answer(True, text)
        case RunReply(run_id=run_id, status=status):
            return Answer(True, f"run {run_id} is {status.value if status is not None else 'not made'}")
        case OrderReply(denied=denied) if denied is not None:
            return Answer(False, f"denied: {denied.text}", DENIED)
        case OrderReply(cl_ord_id=cl_ord_id, repeat=repeat) if isinstance(command, ReplaceOrder):
            if repeat:
                return Answer(True, f"this request has changed order {cl_ord_id} before; nothing was sent")
            return Answer(True, f"change of order {cl_ord_id} is on its way; the broker answers")
        case OrderReply(cl_ord_id=cl_ord_id):
            return Answer(True, f"order {cl_ord_id}")
        case _:
            return Answer(True, "done")
