"""The client at `tradeloop up` as a real process: it streams, and ends when its key is revoked at the command line."""

from __future__ import annotations

import signal
import time
from collections import deque
from pathlib import Path

import pytest
from tests.api.test_up import ended, healthy, up
from tests.cli.commands import tradeloop

from tradeloop.client import Client, NotAllowed, Snapshot, books

pytestmark = pytest.mark.crash


def test_a_stream_ends_with_its_key_that_another_process_revokes(tmp_path: Path) -> None:
    password = "four words nobody says\n"
    assert tradeloop(tmp_path, "users", "add", "ann", "--roles", "admin,trader", "--from-stdin", given=password).code == 0
    made = tradeloop(tmp_path, "keys", "make", "--owner", "ann", "--scopes", "read:acct", "robot", "--json").document
    with up(tmp_path, "--feed", "demo") as (process, address):
        healthy(address)
        with Client(address, made["key"]) as desk:
            assert desk.send(books.account()).money
            news = desk.stream(["orders", "system"])
            topics: set[str] = set()
            while len(topics) < 2:
                each = next(news)
                if isinstance(each, Snapshot):
                    topics.add(each.topic)
            assert tradeloop(tmp_path, "keys", "revoke", made["id"]).code == 0
            revoked = time.monotonic()
            with pytest.raises(NotAllowed):
                deque(news, maxlen=0)
            took = time.monotonic() - revoked
        ended(process, signal.SIGINT)
    assert took < 2  # a second, and another for a machine that is busy
