from collections.abc import Iterator

import pytest

from adapters.azure.purging import MARGIN_MS, PAGE, REST_MS, purged_by
from adapters.azure.suite import Suite
from functions.manifest import FUNCTIONS, Function
from lab.memory import MemoryClock
from shared.errors import Misconfigured
from shared.ports import query_all
from shared.stream import Deadline
from tests.unit.azure.conftest import TABLE

AGES = Deadline(lambda: 10 * MARGIN_MS)


def function(name: str) -> Function:
    return next(each for each in FUNCTIONS if each.name == name)


@pytest.fixture
def deployed(suite: Suite) -> Suite:
    """A suite with every table that the function "aggregate" looks after."""
    for name in purged_by(function("aggregate")):
        if name != TABLE:
            suite.clients.tables.create_table(suite.table_name(name))
    return suite


def entities(suite: Suite) -> int:
    """Whatever the service has, but for the bookmark."""
    client = suite.clients.tables.get_table_client(suite.table_name(TABLE))
    return sum(1 for entity in client.list_entities() if entity["PartitionKey"] != "purge")


def test_every_table_is_looked_after_by_one_function_that_writes_it() -> None:
    written = {each[6:] for function in FUNCTIONS for each in function.hosted_writes if each.startswith("table:")}
    looked_after = [name for function in FUNCTIONS for name in purged_by(function)]

    assert sorted(looked_after) == sorted(written)


def test_what_has_expired_is_deleted_and_nothing_else(deployed: Suite, clock: MemoryClock) -> None:
    table = deployed.ports.table(TABLE)
    for number in range(30):
        table.put(f"p{number % 3}", f"{number}", b"state", expires_at=clock.now_ms() + 1 + number // 10)
    table.put("p", "for ever", b"state")
    clock.advance(2)

    assert deployed.purge(function("aggregate"), AGES) == 20

    assert entities(deployed) == 11
    assert [item.sort for item in query_all(table, "p")] == ["for ever"]


def test_a_walk_comes_once_a_day(deployed: Suite, clock: MemoryClock) -> None:
    table = deployed.ports.table(TABLE)
    deployed.purge(function("aggregate"), AGES)
    table.put("p", "s", b"", expires_at=clock.now_ms() + 1)
    clock.advance(3_600_000)
    assert deployed.purge(function("aggregate"), AGES) == 0

    clock.advance(REST_MS)

    assert deployed.purge(function("aggregate"), AGES) == 1


def test_a_walk_goes_on_where_its_time_was_up(deployed: Suite, clock: MemoryClock) -> None:
    table = deployed.ports.table(TABLE)
    client = deployed.clients.tables.get_table_client(deployed.table_name(TABLE))
    table.put("p", "s", b"", expires_at=clock.now_ms() + 1)
    (one,) = client.list_entities()
    for start in range(0, PAGE + 50, 100):
        client.submit_transaction(
            [("upsert", {**one, "RowKey": f"{number:08x}"}) for number in range(start, min(start + 100, PAGE + 50))]
        )
    clock.advance(1)
    times: Iterator[int] = iter([MARGIN_MS + 1, MARGIN_MS])

    first = deployed.purge(function("aggregate"), Deadline(lambda: next(times, 0)))
    assert first == PAGE
    assert entities(deployed) == 51

    assert deployed.purge(function("aggregate"), AGES) == 51
    assert entities(deployed) == 0


def test_a_table_that_is_missing_is_told_after_the_others_were_walked(suite: Suite, clock: MemoryClock) -> None:
    suite.ports.table(TABLE).put("p", "s", b"", expires_at=clock.now_ms() + 1)
    clock.advance(1)

    with pytest.raises(Misconfigured, match="az storage table create"):
        suite.purge(function("aggregate"), AGES)

    assert entities(suite) == 0
