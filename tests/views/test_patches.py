"""The patch of the read models makes exactly the tables the program works with, as often as it is run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import BigInteger, Boolean, Connection, Integer
from sqlalchemy.engine import make_url
from tests.views.builders import Story, random_story
from tests.views.databases import a_database, bare_database, dump, every_dialect

from tradeloop.journal import patches
from tradeloop.journal.codec import decode
from tradeloop.journal.connection import Dialect, line_to
from tradeloop.views.errors import ViewsFailed
from tradeloop.views.sql import SqlViews
from tradeloop.views.tables import metadata

NAME = "20261121_read_models.sql"
APPROVED = "20261121_who_approved.sql"
WHY_DENIED = "20261121_why_denied.sql"
CURVE = "20261122_curve_of_equity.sql"
SEEN = "20261122_seen_alerts.sql"
OF_STRATEGIES = "20261122_strategy_tables.sql"


@every_dialect
async def test_the_patch_leaves_no_drift_and_a_second_upgrade_does_nothing(dialect: str, tmp_path: Path) -> None:
    """S0-37."""
    async with bare_database(dialect, tmp_path) as url:
        assert NAME in await patches.upgrade(url)
        assert await patches.drift(url, metadata) == []
        assert await patches.upgrade(url) == []


@every_dialect
async def test_a_person_may_run_the_patch_by_hand_once_more_without_harm(dialect: str, tmp_path: Path) -> None:
    """S0-37: idempotent."""
    story = random_story(3, 100)
    async with a_database(dialect, tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal())
        before = await dump(url)
        line = line_to(url)
        patch = next(p for p in patches.patches(line.dialect) if p.name == NAME)
        for statement in patches.statements(patch.sql, line.dialect):
            await line.run(partial(Connection.exec_driver_sql, statement=statement), "running a patch by hand")
        await line.close()
        await views.close()
        assert await dump(url) == before
        assert await patches.drift(url, metadata) == []


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_the_patch_says_what_it_does_what_it_touches_and_how_to_take_it_back(dialect: Dialect) -> None:
    """S0-37."""
    patch = next(p for p in patches.patches(dialect) if p.name == NAME)
    assert "Read models" in patch.description
    assert "no table that exists" in patch.impact
    assert all(table in patch.rollback for table in metadata.tables if table != "trade_denials")


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_every_statement_of_the_patch_may_be_run_again(dialect: Dialect) -> None:
    patch = next(p for p in patches.patches(dialect) if p.name == NAME)
    made = patches.statements(patch.sql, dialect)
    made += patches.statements(next(p.sql for p in patches.patches(dialect) if p.name == WHY_DENIED), dialect)
    assert made
    assert all("IF NOT EXISTS" in statement for statement in made)


def up_to(dialect: Dialect, last: str, where: Path) -> Path:
    """A folder with the patches of a dialect up to one of them: an older version of the program."""
    where.mkdir()
    for file in sorted(patches.folder(dialect).glob("*.sql")):
        if file.name <= last:
            (where / file.name).write_bytes(file.read_bytes())
    return where


@every_dialect
async def test_who_approved_comes_into_a_database_with_orders_and_none_is_lost(dialect: Dialect, tmp_path: Path) -> None:
    """S0-37: a database of an older version, with rows; afterwards the patch runs by hand once more."""
    async with bare_database(dialect, tmp_path) as url:
        await patches.upgrade(url, up_to(dialect, NAME, tmp_path / "older"))
        line = line_to(url)

        async def say(sentence: str) -> None:
            await line.run(lambda c: c.exec_driver_sql(sentence).close(), "by hand")

        older = [each.name for each in metadata.tables["trade_orders"].columns if each.name != "approved_by"]
        values = {"id": "'o1'", "trade_run_id": "NULL", "is_open": "true", "is_external": "false", "qty": "'100'"}
        numbers = (Boolean, Integer, BigInteger)
        kinds = {each.name: each.type for each in metadata.tables["trade_orders"].columns}
        written = [values.get(name, "7" if isinstance(kinds[name], numbers) else "'1'") for name in older]
        await say(f"INSERT INTO trade_orders ({', '.join(older)}) VALUES ({', '.join(written)})")
        assert await patches.drift(url, metadata) == [
            "column account_curve.held_value is missing",
            *(f"column alerts.{each} is missing" for each in ("acknowledged_at", "acknowledged_by", "note")),
            "table trade_denials is missing",
            "column trade_orders.approved_by is missing",
        ]

        assert await patches.upgrade(url) == [APPROVED, WHY_DENIED, CURVE, SEEN, OF_STRATEGIES]
        assert await patches.upgrade(url) == []
        assert await patches.drift(url, metadata) == []
        await say("UPDATE trade_orders SET approved_by = 'bob' WHERE approved_by = ''")
        patch = next(p for p in patches.patches(line.dialect) if p.name == APPROVED)
        for statement in patches.statements(patch.sql, line.dialect):
            await say(statement)

        def row(c: Connection) -> tuple[object, ...]:
            return tuple(c.exec_driver_sql("SELECT id, trade_run_id, reason, seq, approved_by FROM trade_orders").one())

        assert await line.run(row, "by hand") == ("o1", None, "1", 7, "bob")
        await line.close()
        assert await patches.drift(url, metadata) == []


@every_dialect
async def test_who_has_seen_an_alert_comes_into_a_database_that_has_alerts(dialect: Dialect, tmp_path: Path) -> None:
    """S0-37: a database of an older version, with a row; afterwards the patches run by hand once more."""
    async with bare_database(dialect, tmp_path) as url:
        await patches.upgrade(url, up_to(dialect, WHY_DENIED, tmp_path / "older"))
        line = line_to(url)

        async def say(sentence: str) -> None:
            await line.run(lambda c: c.exec_driver_sql(sentence).close(), "by hand")

        names = "id, level, subject, text, times, raised_at, last_at, resolved_at, seq, updated_seq"
        await say(f"INSERT INTO alerts ({names}) VALUES ('halt:1', 'CRITICAL', 's', 't', 1, 2, 3, NULL, 4, 5)")
        points = "id, account_id, currency, at, balance, available, realized_pnl, equity, batch, seq"
        await say(f"INSERT INTO account_curve ({points}) VALUES ('c1', 'a', 'USD', 1, '9', '8', '0', NULL, 2, 3)")
        assert await patches.upgrade(url) == [CURVE, SEEN, OF_STRATEGIES]
        assert await patches.drift(url, metadata) == []
        await say("UPDATE account_curve SET held_value = '5' WHERE held_value IS NULL")
        await say("UPDATE alerts SET acknowledged_at = 7, acknowledged_by = 'ann' WHERE note = ''")
        for name in (CURVE, SEEN, OF_STRATEGIES):
            patch = next(p for p in patches.patches(line.dialect) if p.name == name)
            for statement in patches.statements(patch.sql, line.dialect):
                await say(statement)

        def row(c: Connection) -> tuple[object, ...]:
            return tuple(c.exec_driver_sql("SELECT id, resolved_at, acknowledged_at, acknowledged_by, note FROM alerts").one())

        def of_curve(c: Connection) -> tuple[object, ...]:
            return tuple(c.exec_driver_sql("SELECT id, batch, seq, held_value FROM account_curve").one())

        assert await line.run(row, "by hand") == ("halt:1", None, 7, "ann", "")
        found = await line.run(of_curve, "by hand")
        assert (*found[:3], int(str(found[3]).partition(".")[0])) == ("c1", 2, 3, 5)
        await line.close()
        assert await patches.drift(url, metadata) == []


async def test_without_the_patch_the_views_say_what_to_do(tmp_path: Path) -> None:
    story = Story.begun()
    async with bare_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        with pytest.raises(ViewsFailed, match="tradeloop db status") as caught:
            await views.catch_up(story.journal())
        await views.close()
    assert str(make_url(url).database) in str(caught.value)
