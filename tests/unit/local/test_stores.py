"""What only the local files can suffer: damage, full disks, crashes of writers, many processes at once."""

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.local.objects import LocalObjects
from adapters.local.store import Database, translate
from adapters.local.suite import Suite
from adapters.local.table import Put, purge
from adapters.local.triggers import Consumer, Terms
from lab.memory import MemoryClock
from shared.dead_letters import DeadLetters
from shared.errors import CorruptData, Misconfigured, Throttled, Unavailable, VersionConflict
from shared.settings import Settings
from shared.stream import DONE, Answer, Deadline, NewRecord, Record

SCHEMA = ("CREATE TABLE notes(text TEXT)",)


def note(database: Database, text: str) -> None:
    database.write(lambda connection: connection.execute("INSERT INTO notes VALUES (?)", (text,)))


def notes(database: Database) -> list[str]:
    return database.read(lambda connection: [row[0] for row in connection.execute("SELECT text FROM notes")])


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "notes.db", SCHEMA)


def run(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process of its own, at the root of the checkout."""
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], cwd=root, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("size", [0, 10, 1_000, 4_096, 6_000])
def test_a_truncated_file_is_told_and_not_touched(database: Database, size: int) -> None:
    note(database, "x" * 20_000)
    database.close()
    truncated = database.path.read_bytes()[:size]
    database.path.write_bytes(truncated)

    with pytest.raises(CorruptData, match=rf"{database.path} is damaged.*backup"):
        notes(database)
    with pytest.raises(CorruptData, match="damaged"):
        note(database, "more")

    assert database.path.read_bytes() == truncated


def test_a_file_of_garbage_is_told_and_not_touched(database: Database) -> None:
    database.path.write_bytes(b"not a database at all, " * 1_000)

    with pytest.raises(CorruptData, match="not a database"):
        note(database, "x")

    assert database.path.read_bytes().startswith(b"not a database at all")


def test_damage_inside_a_file_is_told_when_it_is_met(database: Database) -> None:
    note(database, "x" * 50_000)
    database.close()
    data = bytearray(database.path.read_bytes())
    data[4_096 : 4_096 + 200] = b"\xff" * 200
    database.path.write_bytes(data)

    with pytest.raises(CorruptData, match="damaged"):
        notes(database)


def test_a_file_of_another_release_is_refused(database: Database) -> None:
    note(database, "x")
    database.write(lambda connection: connection.execute("PRAGMA user_version=99"))
    database.close()

    with pytest.raises(Misconfigured, match="has format 99"):
        notes(database)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(Unavailable, match="folder"):
        notes(Database(tmp_path / "file" / "notes.db", SCHEMA))


def test_a_lock_that_never_ends_is_throttling(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.local.store.BUSY_SECONDS", 0.05)
    note(database, "before")
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database.close()

    with pytest.raises(Throttled, match="locked"):
        note(database, "during")

    other.execute("ROLLBACK")
    other.close()
    note(database, "after")
    assert notes(database) == ["before", "after"]


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, Unavailable, "disk is full"),
        (sqlite3.SQLITE_IOERR, Unavailable, "health"),
        (sqlite3.SQLITE_IOERR_SHORT_READ, CorruptData, "backup"),
        (sqlite3.SQLITE_READONLY, Misconfigured, "owner"),
        (sqlite3.SQLITE_BUSY, Throttled, "locked"),
    ],
)
def test_each_error_of_sqlite_is_one_of_the_house(code: int, kind: type[Exception], words: str) -> None:
    error = sqlite3.OperationalError("as SQLite tells it")
    error.sqlite_errorcode = code

    translated = translate(Path("/data/tables.db"), error)

    assert isinstance(translated, kind)
    assert "/data/tables.db" in str(translated)
    assert words in str(translated)


def test_a_mistake_of_ours_stays_what_it_is(database: Database) -> None:
    with pytest.raises(sqlite3.ProgrammingError):
        database.write(lambda connection: connection.execute("INSERT INTO notes VALUES (?)", ()))
    with pytest.raises(ZeroDivisionError):
        database.read(lambda connection: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        database.write(lambda connection: 1 // 0)

    note(database, "still works")
    assert notes(database) == ["still works"]


def test_one_callers_trouble_is_not_that_of_those_who_share_its_commit(database: Database) -> None:
    note(database, "first")
    in_turn, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        in_turn.set()
        assert go_on.wait(10)

    def refuse(connection: sqlite3.Connection) -> None:
        raise VersionConflict("mine alone")

    def break_it(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES ('half done')")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    outcomes: dict[str, BaseException | None] = {}

    def call(name: str, work: object) -> None:
        try:
            database.write(work)  # type: ignore[arg-type]
            outcomes[name] = None
        except BaseException as error:
            outcomes[name] = error

    works = {"slow": slow, "refused": refuse, "broken": break_it}
    threads = [threading.Thread(target=call, args=pair) for pair in works.items()]
    threads += [threading.Thread(target=note, args=(database, f"note {n}")) for n in range(3)]
    threads[0].start()
    assert in_turn.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(database._waiting) < len(threads) - 1:
        time.sleep(0.001)
    go_on.set()
    for thread in threads:
        thread.join()

    assert outcomes["slow"] is None
    assert isinstance(outcomes["refused"], VersionConflict)
    assert isinstance(outcomes["broken"], Unavailable)
    assert sorted(notes(database)) == ["first", "note 0", "note 1", "note 2"]


def test_processes_that_write_the_same_item_lose_no_update(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from adapters.local.suite import Suite
        from shared.errors import VersionConflict
        from shared.settings import Settings
        suite = Suite(Path(sys.argv[1]), Settings())
        table = suite.ports.table("counts")
        done = 0
        while done < 100:
            item = table.get("p", "s")
            try:
                count, version = (int(item.value), item.version) if item else (0, "")
                table.put("p", "s", str(count + 1).encode(), if_version=version)
                done += 1
            except VersionConflict:
                continue
        suite.close()
    """
    processes = [run(code, str(tmp_path / "data")) for _ in range(3)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]

    suite = Suite(tmp_path / "data", Settings())
    item = suite.ports.table("counts").get("p", "s")
    suite.close()
    assert item is not None
    assert int(item.value) == 300


def test_a_full_disk_is_told_and_what_was_accepted_is_kept(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from pathlib import Path
        from adapters.local.suite import Suite
        from shared.errors import Unavailable
        from shared.settings import Settings
        from shared.stream import DONE, Answer, Deadline, NewRecord, Record
        suite = Suite(Path(sys.argv[1]), Settings())
        stream = suite.ports.stream("events")
        objects = suite.ports.objects("staging")
        stream.append([NewRecord(bytes(16), "k", b"first")])
        objects.put("first", b"first")
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
        accepted = 1
        try:
            for n in range(1, 10_000):
                assert stream.append([NewRecord(n.to_bytes(16, "big"), "k", bytes(50_000))]) == [None]
                accepted += 1
        except Unavailable as error:
            print(error)
        try:
            objects.put("large", bytes(3_000_000))
        except Unavailable as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert stream.append([NewRecord(b"\\xff" * 16, "k", b"last")]) == [None]
        print(accepted + 1)
        suite.close()
    """
    process = run(code, str(tmp_path / "data"))
    told, _ = process.communicate()
    assert process.returncode == 0
    log, objects, accepted = told.splitlines()

    assert str(tmp_path / "data" / "stream.db") in log
    assert "space" in log
    assert "disk is full" in objects
    suite = Suite(tmp_path / "data", Settings())
    stream = suite.stream("events")
    read = [record for each in stream.heads().positions for record in stream.read(each, 0, 10_000, 1 << 40)]
    assert len(read) == int(accepted)
    assert list(suite.ports.objects("staging").list()) == ["first"]
    assert list((tmp_path / "data" / "objects" / "staging" / "%tmp").iterdir()) == []
    suite.close()


def test_put_many_writes_each_on_its_own_condition(tmp_path: Path) -> None:
    suite = Suite(tmp_path, Settings())
    table = suite.ports.table("audience")
    assert hasattr(table, "put_many")
    old = table.put("p", "a", b"1")

    versions = table.put_many([Put("p", "a", b"2", old), Put("p", "a", b"3", old), Put("p", "b", b"4", "")])

    assert [version is None for version in versions] == [False, True, False]
    assert [(item.sort, item.value) for item in table.query("p").items] == [("a", b"2"), ("b", b"4")]
    suite.close()


def test_expired_items_are_purged_and_the_others_stay(tmp_path: Path) -> None:
    clock = MemoryClock()
    suite = Suite(tmp_path, Settings(), clock=clock)
    table = suite.ports.table("audience")
    assert hasattr(table, "put_many")
    soon = clock.now_ms() + 5
    table.put_many([Put("p", f"{n:04d}", b"", expires_at=soon if n % 2 else None) for n in range(1_200)])
    clock.advance(5)

    assert purge(suite.table_store, clock.now_ms()) == 600
    assert purge(suite.table_store, clock.now_ms()) == 0
    assert len(table.query("p").items) == 600
    suite.close()


def test_the_log_forgets_only_what_is_old_and_passed(tmp_path: Path) -> None:
    clock = MemoryClock()
    suite = Suite(tmp_path, Settings(), clock=clock)
    stream = suite.stream("events")
    for _ in range(2):
        stream.append([NewRecord(bytes(16), "match#0", b"old")] * 700)
        clock.advance(1_000)
    (partition,) = [each for each, position in stream.heads().positions.items() if position]

    assert stream.trim({partition: 900}, clock.now_ms() - 1_000) == 700
    assert stream.trim({partition: 900}, clock.now_ms() + 1) == 200
    assert stream.trim({partition: 0}, clock.now_ms() + 1) == 0

    assert stream.heads().positions[partition] == 1_400
    assert [record.position for record in stream.read(partition, 0, 2, 1 << 20)] == [901, 902]
    suite.close()


def test_the_number_of_partitions_is_fixed_when_a_stream_is_made(tmp_path: Path) -> None:
    from adapters.local.stream import LocalStream

    suite = Suite(tmp_path, Settings())
    first = LocalStream(suite.log_store, "events", suite.clock, 2)
    first.append([NewRecord(bytes(16), "k", b"")])

    assert len(LocalStream(suite.log_store, "events", suite.clock, 8).heads().positions) == 2
    with pytest.raises(ValueError, match="partitions"):
        LocalStream(suite.log_store, "events", suite.clock, 0)
    suite.close()


class Reader:
    """A function that remembers what it was handed."""

    def __init__(self, suite: Suite) -> None:
        self.read: list[bytes] = []
        self.consumer = Consumer(
            "reader",
            self,
            source=suite.stream("events"),
            progress=suite.progress("events"),
            dead_letters=DeadLetters(suite.ports, Settings()),
            clock=suite.clock,
            terms=Terms(),
        )

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        self.read += [record.body for record in records]
        return [DONE] * len(records)


def test_a_log_that_was_lost_starts_again_and_nothing_new_is_skipped(tmp_path: Path) -> None:
    suite = Suite(tmp_path, Settings())
    suite.stream("events").append([NewRecord(bytes(16), "k", b"%d" % n) for n in range(5)])
    assert Reader(suite).consumer.poll() == 5
    suite.close()
    for path in tmp_path.glob("stream.db*"):
        path.unlink()

    anew = Suite(tmp_path, Settings())
    anew.stream("events").append([NewRecord(bytes(16), "k", b"new")])
    reader = Reader(anew)
    reader.consumer.poll()

    assert reader.read == [b"new"]
    anew.close()


def test_a_log_restored_from_a_backup_is_read_again_rather_than_skipped(tmp_path: Path) -> None:
    suite = Suite(tmp_path, Settings())
    suite.stream("events").append([NewRecord(bytes(16), "k", b"old")])
    suite.close()
    backup = (tmp_path / "stream.db").read_bytes()
    suite.stream("events").append([NewRecord(bytes(16), "k", b"%d" % n) for n in range(5)])
    assert Reader(suite).consumer.poll() == 6
    suite.close()
    (tmp_path / "stream.db").write_bytes(backup)

    restored = Suite(tmp_path, Settings())
    restored.stream("events").append([NewRecord(bytes(16), "k", b"new")])
    reader = Reader(restored)
    reader.consumer.poll()

    assert reader.read == [b"old", b"new"]
    restored.close()


def test_a_function_that_is_new_begins_with_what_the_log_still_holds(tmp_path: Path) -> None:
    clock = MemoryClock()
    suite = Suite(tmp_path, Settings(), clock=clock)
    stream = suite.stream("events")
    stream.append([NewRecord(bytes(16), "k", b"forgotten")])
    stream.trim(stream.heads().positions, clock.now_ms() + 1)
    reader = Reader(suite)
    assert reader.consumer.poll() == 0

    stream.append([NewRecord(bytes(16), "k", b"new")])

    assert reader.consumer.poll() == 1
    assert reader.read == [b"new"]
    suite.close()


def test_what_crashed_writers_left_is_not_listed_and_swept_when_old(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    objects.put("whole", b"whole")
    old, young = tmp_path / "%tmp" / "old", tmp_path / "%tmp" / "young"
    for leftover in (old, young):
        leftover.write_bytes(b"ha")
    os.utime(old, (time.time() - 7_200, time.time() - 7_200))

    assert list(objects.list()) == ["whole"]
    assert objects.sweep() == 1

    assert young.exists()
    assert not old.exists()


def test_objects_in_a_place_that_is_no_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(Unavailable, match="folder"):
        LocalObjects(tmp_path / "file").put("a", b"")


def test_a_secret_is_rotated_without_a_restart(tmp_path: Path) -> None:
    secrets = Suite(tmp_path, Settings()).ports.secrets
    path = tmp_path / "secrets.json"
    assert secrets.get("write-keys") == b"{}"
    assert path.stat().st_mode & 0o777 == 0o600

    path.write_text(json.dumps(json.loads(path.read_text()) | {"write-keys": {"web": "new"}, "viewer-token": "text"}))

    assert json.loads(secrets.get("write-keys")) == {"web": "new"}
    assert secrets.get("viewer-token") == b"text"


def test_a_half_edited_file_of_secrets_changes_nothing_yet(tmp_path: Path) -> None:
    secrets = Suite(tmp_path, Settings()).ports.secrets
    before = secrets.get("pseudonym-keys")

    (tmp_path / "secrets.json").write_text('{"pseudonym-keys": [')

    assert secrets.get("pseudonym-keys") == before


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_secrets_that_cannot_be_read_stop_the_start_and_are_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(Misconfigured, match=r"secrets\.json cannot be read"):
        Suite(tmp_path, Settings()).ports.secrets.get("pseudonym-keys")

    assert path.read_text(encoding="latin-1") == text


def test_a_folder_that_is_whole_passes_its_check(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "new", Settings())
    suite.check()
    suite.close()

    assert {path.name for path in (tmp_path / "new").glob("*.db")} == {
        "consumers.db",
        "queue.db",
        "stream.db",
        "tables.db",
    }
