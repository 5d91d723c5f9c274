"""Starting and recovering are one path: snapshot and tail give what a full replay gives, and what is damaged is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import msgspec
import pytest
from tests.engine.made import A, B, House, TellingJournal, placed, settle

from tradeloop.core.errors import JournalDamaged
from tradeloop.core.evolve import evolve
from tradeloop.core.state import SNAPSHOT_FORMAT, State
from tradeloop.engine import engine as engines
from tradeloop.engine.recover import recover, take_snapshot
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal, MemoryStore
from tradeloop.ports.journal import Batch, StoredSnapshot
from tradeloop.testing.builders import buy


async def lived() -> House:
    """Two lives of an engine, so that one snapshot lies in the middle of the journal and one at its end."""
    house = House()
    for symbol in (A, B):
        engine = await house.open()
        house.venue.fill(await placed(engine, buy(symbol, 200)), 100)
        await settle()
        await engine.stop()
    return house


def full_replay(house: House) -> State:
    state = State()
    for event in house.durable:
        evolve(state, event)
    return state


async def test_an_empty_journal_gives_an_empty_state() -> None:
    recovered = await recover(MemoryJournal(), codec)
    assert (recovered.state.seq, recovered.head, recovered.tail_events) == (0, codec.EMPTY, 0)
    assert recovered.state.hash() == State().hash()


async def test_snapshot_and_tail_give_what_a_full_replay_gives() -> None:
    """Invariant 32."""
    house = await lived()
    newest, middle = house.store.snapshots
    whole = full_replay(house)
    hashes = {}
    for kept in ([newest], [middle], []):
        house.store.snapshots = kept
        recovered = await recover(MemoryJournal(house.store), codec)
        hashes[recovered.from_seq] = recovered.state.hash()
        assert recovered.tail_events == whole.seq - recovered.from_seq
        assert recovered.head == codec.head_of(house.store.rows[-1])

    assert list(hashes) == [newest.seq, middle.seq, 0]
    assert set(hashes.values()) == {whole.hash()}


async def test_the_derived_indexes_survive_a_snapshot() -> None:
    """What no decision walks must be there after a restart, too."""
    house = await lived()
    recovered = await recover(MemoryJournal(house.store), codec)
    whole = full_replay(house)

    def shape(state: State) -> object:
        return (
            {key: list(held) for key, held in state.working.items() if held},
            {key: list(held) for key, held in state.unknown.items()},
            state.id_prefix,
        )

    assert recovered.tail_events == 0
    assert shape(recovered.state) == shape(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"format": SNAPSHOT_FORMAT + 1},
        {"payload": b"garbage"},
        {"state_hash": "0" * 64},
        {"batch_hash": bytes(32)},
        {"batch": 1},
        {"batch": 0},
        {"batch": 999},
        {"seq": 3},
        {"payload": b"\xc1", "state_hash": sha256(b"\xc1").hexdigest()},
    ],
    ids=str,
)
async def test_a_snapshot_that_does_not_fit_is_passed_over(change: dict[str, object]) -> None:
    """F57, F58: it only saves time."""
    house = await lived()
    newest, middle = house.store.snapshots
    house.store.snapshots = [msgspec.structs.replace(newest, **change), middle]

    recovered = await recover(MemoryJournal(house.store), codec)

    assert recovered.from_seq == middle.seq
    assert recovered.state.hash() == full_replay(house).hash()


async def test_a_snapshot_that_knows_more_than_the_journal_refuses_the_start() -> None:
    """F60: the chain cannot show that its end was cut off; a snapshot can."""
    house = await lived()
    del house.store.rows[-1]

    with pytest.raises(JournalDamaged, match="its newest rows are gone"):
        await recover(MemoryJournal(house.store), codec)


async def test_a_snapshot_of_another_history_is_passed_over() -> None:
    """F58: never laid on a journal it does not belong to."""
    house, other = await lived(), House(cash=7)
    await (await other.open()).stop()
    house.store.snapshots = other.store.snapshots

    recovered = await recover(MemoryJournal(house.store), codec)

    assert recovered.from_seq == 0
    assert recovered.state.hash() == full_replay(house).hash()


async def test_a_state_of_another_seq_than_its_snapshot_says_is_passed_over() -> None:
    house = await lived()
    newest, middle = house.store.snapshots
    house.store.snapshots = [
        msgspec.structs.replace(newest, payload=middle.payload, state_hash=middle.state_hash),
        middle,
    ]
    assert (await recover(MemoryJournal(house.store), codec)).from_seq == middle.seq


@pytest.mark.parametrize("which", [1, 4, -1])
async def test_a_flipped_byte_is_refused_with_its_sequence_number(which: int) -> None:
    """F53, invariant 33."""
    house = await lived()
    house.store.snapshots = []
    row = house.store.rows[which]
    payload = bytearray(row.payload)
    payload[len(payload) // 2] ^= 1
    house.store.rows[which] = msgspec.structs.replace(row, payload=bytes(payload))

    with pytest.raises(JournalDamaged, match=f"sequence number {row.first_seq}"):
        await recover(MemoryJournal(house.store), codec)


async def test_a_missing_row_is_refused() -> None:
    """Invariant 33: seq is free of gaps."""
    house = await lived()
    house.store.snapshots = []
    gone = house.store.rows.pop(2)
    with pytest.raises(JournalDamaged, match=f"sequence number {gone.first_seq}"):
        await recover(MemoryJournal(house.store), codec)


async def test_rows_that_do_not_follow_are_refused_even_when_the_journal_does_not_notice() -> None:
    """The fold checks what it is given: a journal that read carelessly must not be believed."""

    house = await lived()
    house.store.snapshots = []
    del house.store.rows[2]
    careless = TellingJournal(house.store, [])

    async def read(after_batch: int = 0) -> AsyncIterator[Batch]:
        for row in house.store.rows[after_batch:]:
            yield row

    careless.read = read
    with pytest.raises(JournalDamaged, match="does not follow it; run `tradeloop verify`"):
        await recover(careless, codec)


async def test_an_engine_does_not_start_on_a_damaged_journal_and_gives_the_lease_back() -> None:
    house = await lived()
    house.store.snapshots = []
    house.store.rows[1] = msgspec.structs.replace(house.store.rows[1], payload=house.store.rows[2].payload)
    engine = house.engine()

    with pytest.raises(JournalDamaged):
        await engine.start()
    await engine.stop()

    assert house.venue.snapshots > 0
    assert house.store.holder is None


async def test_a_snapshot_is_the_state_at_the_head() -> None:
    house = await lived()
    recovered = await recover(MemoryJournal(house.store), codec)
    journal = MemoryJournal(MemoryStore())
    await take_snapshot(journal, recovered.state, recovered.head)

    (kept,) = await journal.load_snapshots()

    assert isinstance(kept, StoredSnapshot)
    assert (kept.batch, kept.seq, kept.batch_hash) == recovered.head
    assert State.unpack(kept.payload).hash() == kept.state_hash == recovered.state.hash()


async def test_a_long_tail_is_worth_a_snapshot_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that crashes in a loop must not replay the same tail for ever."""
    monkeypatch.setattr(engines, "SNAPSHOT_AFTER_EVENTS", 3)
    house = House()
    engine = await house.open()
    await house.kill(engine)
    assert house.store.snapshots == []

    again = house.engine()
    await again.start()

    assert [kept.seq for kept in house.store.snapshots] == [again.tail_events]
    await again.stop()


async def test_recovering_twice_changes_nothing() -> None:
    """Invariant 32: replay is idempotent."""
    house = await lived()
    rows, snapshots = list(house.store.rows), list(house.store.snapshots)
    one = await recover(TellingJournal(house.store, []), codec)
    two = await recover(TellingJournal(house.store, []), codec)
    assert one.state.hash() == two.state.hash()
    assert (house.store.rows, house.store.snapshots) == (rows, snapshots)
