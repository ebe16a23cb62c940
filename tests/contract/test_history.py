"""The history's tables lie in every provider's own store: written, raced for, compacted, asked and cleaned there."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from deltalake import DeltaTable, Transaction

from functions.archive.handler import archive
from functions.commit.handler import make as make_commit
from functions.compact.handler import make as make_compact
from functions.dimensions.handler import make as make_dimensions
from shared.errors import InvalidInput
from shared.history.compact import Compactor
from shared.history.lake import Action, Lake, sorted_batches
from shared.history.retention import forget, vacuum
from shared.history.schema import ROWS
from shared.history.tables import CONTENT, FACTS, SORTED_BY, STAGING, USERS
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Record
from shared.units import HOUR_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.contract.rig import Rig

SETTINGS = Settings()


def record(*event_ids: str, at: int = KICK_OFF, **header: object) -> Record:
    """A record of ada's heartbeats with these ids."""
    return delivered(packed([event(event_id=event_id, event_timestamp=at) for event_id in event_ids], **header))


def stage(rig: Rig, *records: Record) -> None:
    archive(rig.ports.objects(STAGING), rig.ports.meter("archive"), records, NO_DEADLINE)


def commit(rig: Rig) -> None:
    make_commit(rig.ports, SETTINGS)(NO_DEADLINE)


def facts(rig: Rig) -> Lake:
    return Lake(*rig.ports.history_uri(), FACTS)


def ids_of(lake: Lake) -> list[object]:
    return [row["event_id"] for row in lake.snapshot().to_table(["event_id"]).sort_by("event_id").to_pylist()]


def asked(rig: Rig, sql: str, **parameters: object) -> list[dict[str, object]]:
    return rig.ports.warehouse().query(sql, parameters)


def test_before_anything_is_written_the_tables_are_empty(provider: Rig) -> None:
    provider.ports.history_uri()  # a deployment has made what it names
    for name in (FACTS, CONTENT, USERS):
        assert asked(provider, f"SELECT count(*) AS n FROM {name}") == [{"n": 0}]


def test_what_is_committed_is_found_by_whoever_comes_next(provider: Rig) -> None:
    stage(provider, record("a", "b"), record("c", at=KICK_OFF + HOUR_MS))
    commit(provider)
    reopened = provider.reopen()
    assert ids_of(facts(reopened)) == ["a", "b", "c"]
    sql = "SELECT hour, count(*) AS events FROM fact_stream_events WHERE content_id = $content GROUP BY 1 ORDER BY 1"
    assert asked(reopened, sql, content="match") == [{"hour": 18, "events": 2}, {"hour": 19, "events": 1}]
    assert list(provider.ports.objects(STAGING).list()) == []


def test_a_record_that_comes_again_is_committed_once(provider: Rig) -> None:
    again = record("a")
    stage(provider, again)
    commit(provider)
    provider.clock.advance(SETTINGS.horizon_seconds * 1_000 + 1)  # the ledger may have forgotten it
    stage(provider, again, record("b"))
    commit(provider)
    assert ids_of(facts(provider)) == ["a", "b"]


def test_of_two_who_commit_at_once_one_wins_and_the_other_looks_again(provider: Rig) -> None:
    stage(provider, record("a"))
    commit(provider)
    first, second = facts(provider), facts(provider)
    rows = first.snapshot().to_table(ROWS.names)
    asked_with: list[int] = []

    def transaction(n: int, lake: Lake) -> bool:
        file = lake.write(sorted_batches(rows, SORTED_BY), ROWS, KICK_OFF // HOUR_MS)

        def decide(table: DeltaTable) -> list[Action] | None:
            asked_with.append(table.version())
            if len(asked_with) == 1:
                assert transaction(n, second)
            return None if (table.transaction_version("rivals") or 0) >= n else [file]

        return lake.commit(decide, Transaction("rivals", n))

    before = first.open().version()
    assert not transaction(1, first)
    assert asked_with == [before, before, before + 1]
    assert ids_of(first) == ["a", "a"]


def test_committers_that_race_double_nothing(provider: Rig) -> None:
    for number in range(3):
        again = record(f"b{number}")
        stage(provider, record(f"a{number}"), again)
        stage(provider, again)
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(commit, [provider, provider]))
    commit(provider)
    assert ids_of(facts(provider)) == [f"{name}{number}" for name in "ab" for number in range(3)]


def test_compaction_leaves_one_file_without_repeats_and_readers_their_version(provider: Rig) -> None:
    for received in range(3):
        stage(provider, record(f"{received}"), record("again", exact=False, received_at=KICK_OFF + received))
        commit(provider)
    lake = facts(provider)
    opened = lake.snapshot()
    assert Compactor(lake, provider.clock).run(NO_DEADLINE, everything=True) == 1
    assert len(lake.files(lake.open())) == 1
    assert ids_of(lake) == ["0", "1", "2", "again"]
    assert opened.to_table(["event_id"]).num_rows == 6


def test_contents_are_told_by_their_table(provider: Rig) -> None:
    stage(provider, record("a", content_type="live"))
    commit(provider)
    make_dimensions(provider.ports, SETTINGS)(NO_DEADLINE)
    assert asked(provider, "SELECT content_id, content_type FROM dim_content") == [
        {"content_id": "match", "content_type": "live"}
    ]


def test_what_no_version_needs_is_deleted_from_the_store(provider: Rig) -> None:
    for name in "ab":
        stage(provider, record(name))
        commit(provider)
    lake = facts(provider)
    rows = lake.snapshot().to_table(ROWS.names)
    lake.write(rows.to_batches(), ROWS, KICK_OFF // HOUR_MS)  # by someone who died before the commit
    assert lake.open().vacuum(24, dry_run=True, full=True) == []
    Compactor(lake, provider.clock).run(NO_DEADLINE, everything=True)
    deleted = lake.open().vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    assert len(deleted) == 3
    assert ids_of(lake) == ["a", "b"]


def test_the_scheduled_clean_up_keeps_what_is_young_and_forgets_days_past_their_time(provider: Rig) -> None:
    stage(provider, record("old"), record("new", at=KICK_OFF + 30 * 24 * HOUR_MS))
    commit(provider)
    lake = facts(provider)
    make_compact(provider.ports, SETTINGS)(NO_DEADLINE)
    assert not vacuum([lake], provider.ports.table("history"), provider.clock)
    provider.clock.time_ms = KICK_OFF + 40 * 24 * HOUR_MS
    assert forget(lake, 20, provider.clock) == 1
    assert ids_of(lake) == ["new"]


def test_a_query_may_say_anything_in_a_value_and_nothing_but_a_select(provider: Rig) -> None:
    hostile = "'; DROP TABLE fact_stream_events; -- \\' \" \0 é😀 $other"
    assert asked(provider, "SELECT $said AS said", said=hostile) == [{"said": hostile}]
    with pytest.raises(InvalidInput):
        asked(provider, "DELETE FROM fact_stream_events")
