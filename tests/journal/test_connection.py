"""What a database that cannot be used is told as: what failed, and what to do about it."""

from __future__ import annotations

import pytest

from tradeloop.core.errors import JournalFailed
from tradeloop.journal.connection import told


@pytest.mark.parametrize("said", ['database "orders" does not exist', "(1049, \"Unknown database 'orders'\")"])
def test_a_server_without_the_database_asks_for_it_to_be_created(said: str) -> None:
    """As PostgreSQL and MySQL say it: the server is up, and that it be up is no remedy."""
    with (
        pytest.raises(JournalFailed, match=r"create it on the server, empty, or correct database\.url$"),
        told("x", (OSError,)),
    ):
        raise OSError(said)
