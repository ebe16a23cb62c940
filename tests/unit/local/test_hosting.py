"""What surrounds the functions in one process: threads, schedules, housekeeping, locks."""

import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.local.consumers import Host
from adapters.local.locks import SUITE_LOCK, consumers_run, hold_consumer_lock, lock_folder
from adapters.local.logs import JsonLines
from adapters.local.serve import is_loopback, listen
from adapters.local.suite import Suite
from adapters.local.triggers import Delivery
from functions.manifest import Every, Function, OnStream
from lab.memory import MemoryClock
from shared.dead_letters import DeadLetters
from shared.errors import Misconfigured, Unavailable
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NewRecord

HERE = "tests.unit.local.test_hosting"
seen: list[str] = []
troubles: list[int] = []


def record(number: int) -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), "match#0", b"goal %d" % number)


def collect(ports: Ports, settings: Settings) -> Any:
    def handle(records: Any, deadline: Any) -> Any:
        seen.extend(each.body.decode() for each in records)
        return [DONE] * len(records)

    return handle


def write(ports: Ports, settings: Settings) -> Any:
    def handle(records: Any, deadline: Any) -> Any:
        ports.table("goals").put("all", "goals", b"%d" % len(records))
        return [DONE] * len(records)

    return handle


def stumble(ports: Ports, settings: Settings) -> Any:
    def run(deadline: Any) -> None:
        assert deadline.remaining_ms() > 0
        troubles.append(1)
        raise Unavailable("a store is away; wait")

    return run


COLLECT = Function("collect", f"{HERE}:collect", OnStream("events", 10, 0))
STUMBLE = Function("stumble", f"{HERE}:stumble", Every(1))


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    seen.clear()
    troubles.clear()
    suite = Suite(tmp_path / "data", Settings(), clock=MemoryClock())
    yield suite
    suite.close()


def eventually(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.mark.parametrize("delivery", list(Delivery))
def test_records_reach_their_function_and_the_host_stops_cleanly(suite: Suite, delivery: Delivery) -> None:
    host = Host([COLLECT], suite, Settings(), delivery)
    suite.ports.stream("events").append([record(1)])

    host.start()
    eventually(lambda: seen == ["goal 1"])
    suite.ports.stream("events").append([record(2)])
    eventually(lambda: seen == ["goal 1", "goal 2"])
    host.stop()

    assert not [thread for thread in threading.enumerate() if thread.name == "collect"]


def test_what_a_delivery_wrote_is_synced_before_its_checkpoint(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(
        "adapters.local.store._fsync",
        lambda path: None if path.is_dir() else steps.append(f"sync {path.name}"),
    )
    save = suite.progress("events").save

    def saving(*arguments: Any) -> None:
        steps.append("checkpoint")
        save(*arguments)

    monkeypatch.setattr(suite.progress("events"), "save", saving)
    suite.ports.stream("events").append([record(1)])
    host = Host([Function("write", f"{HERE}:write", OnStream("events", 10, 0))], suite, Settings())

    host.start()
    eventually(lambda: "checkpoint" in steps)
    host.stop()

    assert steps[-2:] == ["sync tables.db-wal", "checkpoint"]
    assert suite.ports.table("goals").get("all", "goals") is not None
    suite.flush()
    assert steps[-1] == "checkpoint"


def test_a_log_that_fails_for_a_while_is_tried_again(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.ports.stream("events").append([record(1)])
    heads = suite.stream("events").heads
    failing = [True, True]

    def flaky() -> Any:
        if failing:
            failing.pop()
            raise Unavailable("the disk is away; wait")
        return heads()

    monkeypatch.setattr(suite.stream("events"), "heads", flaky)
    host = Host([COLLECT], suite, Settings())
    host.start()
    eventually(lambda: seen == ["goal 1"])
    host.stop()


def test_a_schedule_that_fails_runs_again(suite: Suite) -> None:
    host = Host([STUMBLE], suite, Settings())
    host.start()
    eventually(lambda: len(troubles) >= 2)
    host.stop()


def test_housekeeping_forgets_what_everyone_has_passed_and_no_more(suite: Suite) -> None:
    assert isinstance(suite.clock, MemoryClock)
    late = Function("late", f"{HERE}:collect", OnStream("events", 10, 60_000))
    suite.ports.stream("events").append([record(1)])
    suite.ports.table("t").put("p", "s", b"", expires_at=suite.clock.now_ms() + 1)
    host = Host([COLLECT, late], suite, Settings())
    host.start()
    eventually(lambda: seen == ["goal 1"])
    while len(seen) < 2:  # the late one waits for its window
        suite.clock.advance(60_000)
        time.sleep(0.01)
    suite.clock.advance(2 * 3_600_000)
    host.stop()

    host._keep_house(None)  # type: ignore[arg-type]

    assert all(
        not suite.stream("events").read(each, 0, 9, 1 << 20) for each in suite.stream("events").heads().positions
    )
    left = "SELECT count(*) FROM items WHERE name='t'"
    assert suite.table_store.read(lambda connection: connection.execute(left).fetchone()) == (0,)


def test_housekeeping_does_the_rest_when_one_part_fails(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(suite.clock, MemoryClock)
    suite.clock.time_ms -= suite.clock.time_ms % 3_600_000
    swept: list[bool] = []

    def fail(*_: object) -> None:
        raise Unavailable("a table is away; wait")

    monkeypatch.setattr("adapters.local.consumers.purge", fail)
    monkeypatch.setattr(DeadLetters, "sweep", lambda _: swept.append(True))
    suite.ports.objects("staging").put("a", b"")

    with pytest.raises(Unavailable, match="a table is away"):
        Host([], suite, Settings())._keep_house(None)  # type: ignore[arg-type]

    assert swept == [True]


def test_the_folder_of_a_living_suite_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / SUITE_LOCK).write_text(str(os.getppid()))
    holder = os.open(tmp_path / SUITE_LOCK, os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(Misconfigured, match=rf"Another serve is using .* \(pid {os.getppid()}\)"):
        lock_folder(tmp_path)
    os.close(holder)

    os.close(lock_folder(tmp_path))
    assert (tmp_path / SUITE_LOCK).read_text() == str(os.getpid())


@pytest.mark.parametrize("pid", ["", "2147483000", "nonsense"])
def test_the_folder_of_a_dead_suite_is_waited_for_until_its_processes_end(tmp_path: Path, pid: str) -> None:
    (tmp_path / SUITE_LOCK).write_text(pid)
    holder = os.open(tmp_path / SUITE_LOCK, os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(Misconfigured, match="Another serve"):
        lock_folder(tmp_path, wait_seconds=0.1)
    threading.Timer(0.2, os.close, [holder]).start()

    os.close(lock_folder(tmp_path))


def test_whether_consumers_run_is_told_by_their_lock(tmp_path: Path) -> None:
    assert not consumers_run(tmp_path)
    lock = hold_consumer_lock(tmp_path)
    assert consumers_run(tmp_path)
    os.close(lock)
    assert not consumers_run(tmp_path)


HERE_ONLY = ("127.0.0.1", "127.8.8.8", "::1", "localhost")
FROM_ELSEWHERE = ("0.0.0.0", "::", "10.0.0.1", "example.org")


@pytest.mark.parametrize("host", [*HERE_ONLY, *FROM_ELSEWHERE])
def test_loopback_is_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host) is (host in HERE_ONLY)


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(Misconfigured, match="--host"):
        listen("no such host.invalid", 0)
    with pytest.raises(Misconfigured, match="Cannot listen"):
        listen("192.0.2.1", 8080)


def test_a_free_port_is_listened_on() -> None:
    with listen("127.0.0.1", 0) as listener:
        socket.create_connection(listener.getsockname()).close()


def test_a_log_line_is_json_with_the_error_in_it() -> None:
    logger = logging.getLogger("test")
    try:
        raise ValueError("of some kind")
    except ValueError as error:
        entry = logger.makeRecord("test", logging.ERROR, "f", 1, "it %s", ("failed",), (ValueError, error, None))

    line = orjson.loads(JsonLines("http").format(entry))

    assert (line["level"], line["process"], line["message"]) == ("error", "http", "it failed")
    assert "ValueError: of some kind" in line["error"]
