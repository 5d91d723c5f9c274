"""When a desk takes its limits: before anything else is decided, and anew when told to; what cannot be read changes nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tradeloop.bootstrap import configured_limits, open_archive, open_desk
from tradeloop.bootstrap.limits import Author
from tradeloop.config import Home, Loaded, load
from tradeloop.core.commands import ChangeLimit
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replies import Done
from tradeloop.core.types import SECOND_NS
from tradeloop.journal import codec

ONE = "limits: [{rule: max_order_qty, value: 100}]\n"
TWO = "limits: [{rule: max_order_qty, value: 100}, {rule: max_order_value, value: 5}]\n"


def settings(folder: Path, text: str, **given: object) -> Loaded:
    """A home with this risk.yaml, and nothing of this machine's environment."""
    (folder / "risk.yaml").write_text(text, encoding="utf-8")
    return load(given, home=Home(folder, folder, folder), environ={}, folder=folder)


async def recorded(loaded: Loaded) -> list[str]:
    """What the journal holds, in order."""
    async with open_archive(loaded) as archive:
        return [type(e).__name__ async for batch in archive.reader.read() for e in codec.decode(batch.payload, "the journal")]


async def test_limits_hold_before_the_broker_can_be_ready(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ONE)
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        await desk.ready()
    events = await recorded(loaded)
    assert events.index("LimitsConfigured") < events.index("BrokerReady")
    (tmp_path / "risk.yaml").write_text(TWO, encoding="utf-8")
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        await desk.ready()
        assert desk.limited == "2 limits in force from risk.yaml"
    later = (await recorded(loaded))[len(events) :]
    assert later.index("LimitsConfigured") < later.index("BrokerReady")
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        assert desk.limited == "2 limits, as before"
    assert (await recorded(loaded)).count("LimitsConfigured") == 2


async def test_a_file_is_read_anew_and_one_that_is_wrong_leaves_in_force_what_was(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ONE)
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        (tmp_path / "risk.yaml").write_text(TWO, encoding="utf-8")
        assert await desk.reload_limits(Author("ann")) == "2 limits in force from risk.yaml"
        for wrong in (TWO.replace("max_order_qty", "nothing"), TWO.replace("100", "-1"), "limits: [", "\0"):
            (tmp_path / "risk.yaml").write_text(wrong, encoding="utf-8")
            with pytest.raises(BadInput, match=r"^risk\.yaml.*; the limits stay as they were$"):
                await desk.reload_limits(Author("ann"))
            assert [limit.value for limit in desk.state.limits.in_force.values()] == [100, 5]
    assert (await recorded(loaded)).count("LimitsConfigured") == 2


async def test_a_running_desk_loosens_nothing_that_nobody_agreed_to_and_a_start_only_tells(tmp_path: Path) -> None:
    loaded = settings(tmp_path, TWO, **{"risk.approvers": ["ann", "bob"]})
    alerts: list[RaiseAlert] = []
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        (tmp_path / "risk.yaml").write_text(ONE, encoding="utf-8")
        with pytest.raises(BadInput, match="by was empty; the limits stay as they were"):
            await desk.reload_limits(Author())
        with pytest.raises(BadInput, match="needs the approval of one of bob"):
            await desk.reload_limits(Author("ann", "results"))
        assert len(desk.state.limits.of_file) == 2
    with pytest.raises(BadInput, match="needs the approval of one of bob"):
        async with open_desk(loaded, command="test", alert=lambda _: None, author=Author("ann", "results")):
            pass
    async with open_desk(loaded, command="test", alert=alerts.append):
        pass
    told = [(each.level, each.text) for each in alerts if each.key == "limits"]
    assert told == [("WARNING", "1 limit of risk is in force from risk.yaml; ended: max_order_value of global (5)")]


async def test_what_a_person_set_outlives_a_restart_and_the_file_being_read_again(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ONE)
    mine = RiskLimit("max_order_qty", Decimal(7), by="ann", reason="news")
    async with open_desk(loaded, command="test", alert=lambda _: None, first=[ChangeLimit(mine, "", 60 * SECOND_NS)]) as desk:
        assert isinstance(desk.first_replies[0], Done)
        await desk.reload_limits(Author("ann"))
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        (limit,) = desk.state.limits.in_force.values()
        assert (limit.value, limit.by) == (Decimal(7), "ann")
        assert configured_limits(loaded).limits == tuple(desk.state.limits.of_file.values())


async def test_the_desk_knows_who_approves(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ONE, **{"risk.approvers": ["ann", "bob"]})
    mine = RiskLimit("max_order_qty", Decimal(7), by="ann", reason="news")
    async with open_desk(loaded, command="test", alert=lambda _: None) as desk:
        with pytest.raises(BadInput, match="needs the approval of one of bob"):
            await desk.engine.ask(ChangeLimit(mine, "", 60 * SECOND_NS))
        assert isinstance(await desk.engine.ask(ChangeLimit(mine, "bob", 60 * SECOND_NS)), Done)


async def test_no_desk_opens_on_a_file_that_is_wrong(tmp_path: Path) -> None:
    loaded = settings(tmp_path, "limits: [{rule: nothing, value: 1}]\n")
    with pytest.raises(BadInput, match=r"risk\.yaml, row 1: rule was 'nothing'"):
        async with open_desk(loaded, command="test", alert=lambda _: None):
            pass
    assert [each.name for each in tmp_path.iterdir()] == ["risk.yaml"]


async def test_a_file_that_is_gone_leaves_its_limits_in_force_and_every_start_says_so(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ONE)
    async with open_desk(loaded, command="test", alert=lambda _: None):
        pass
    (tmp_path / "risk.yaml").unlink()
    for _ in range(2):
        alerts: list[RaiseAlert] = []
        async with open_desk(loaded, command="test", alert=alerts.append) as desk:
            assert [limit.value for limit in desk.state.limits.in_force.values()] == [100]
            assert desk.limited == "1 limit, as before"
            with pytest.raises(BadInput, match=r"risk\.yaml is not there, so 1 limit stays in force as before"):
                await desk.reload_limits(Author("ann"))
        assert [each.level for each in alerts if "is not there, so 1 limit stays in force" in each.text] == ["WARNING"]
    assert (await recorded(loaded)).count("LimitsConfigured") == 1


async def test_a_file_without_limits_ends_them_at_the_start_and_says_so(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ONE)
    async with open_desk(loaded, command="test", alert=lambda _: None):
        pass
    (tmp_path / "risk.yaml").write_text("limits: []\n", encoding="utf-8")
    alerts: list[RaiseAlert] = []
    async with open_desk(loaded, command="test", alert=alerts.append) as desk:
        assert not desk.state.limits.in_force
    assert any(
        "no limit of risk is in force from risk.yaml any more; ended: max_order_qty of global (100)" in each.text
        for each in alerts
    )
