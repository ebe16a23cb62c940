"""A history in a folder, with the stores in memory around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deltalake import DeltaTable, Transaction
from deltalake.transaction import AddAction

from functions.archive.handler import archive
from functions.commit.handler import LEDGER
from lab.faults import Plan, faulty
from lab.memory import MemoryClock, memory_ports
from shared.history.commit import Committer
from shared.history.lake import Action, Lake
from shared.history.ledger import Ledger
from shared.history.tables import FACTS, STAGING
from shared.ports import Ports
from shared.stream import NO_DEADLINE, Record
from tests.builders import KICK_OFF, delivered, event, packed

HORIZON_MS = 24 * 3_600_000
Row = dict[str, Any]


class FaultyLake(Lake):
    """A lake whose writes and commits meet mishaps."""

    def __init__(self, root: str, plan: Plan, name: str = FACTS) -> None:
        super().__init__(root, {}, name)
        self._plan = plan

    def write(self, *arguments: Any, **options: Any) -> AddAction:
        return self._plan.writing("lake.write", lambda: super(FaultyLake, self).write(*arguments, **options))

    def commit(
        self,
        decide: Callable[[DeltaTable], Sequence[Action] | None],
        transaction: Transaction | None = None,
    ) -> bool:
        return self._plan.writing("lake.commit", lambda: super(FaultyLake, self).commit(decide, transaction))


@dataclass
class World:
    """What survives a crash: the stores and the tables."""

    folder: Path
    clock: MemoryClock = field(default_factory=lambda: MemoryClock(KICK_OFF))

    def __post_init__(self) -> None:
        root = str(self.folder)
        self.ports: Ports = replace(memory_ports(self.clock), history_uri=lambda: (root, {}))
        self.lake = Lake(root, {}, FACTS)

    def stage(self, *records: Record) -> None:
        """What archive does with a batch."""
        archive(self.ports.objects(STAGING), self.ports.meter("archive"), records, NO_DEADLINE)

    def commit(self, plan: Plan | None = None) -> int:
        """What one committer does from start to end, or to its crash."""
        plan = plan or Plan()
        ports = faulty(self.ports, plan)
        return Committer(
            staging=ports.objects(STAGING),
            ledger=Ledger(ports.objects(LEDGER)),
            table=ports.table("history"),
            lake=FaultyLake(str(self.folder), plan),
            clock=self.clock,
            horizon_ms=HORIZON_MS,
        ).run(NO_DEADLINE)

    def staged(self) -> list[str]:
        return list(self.ports.objects(STAGING).list())

    def rows(self, *columns: str) -> list[Row]:
        """The history's rows in order of their columns."""
        rows = self.lake.snapshot().to_table(columns=list(columns) or None).to_pylist()
        return sorted(rows, key=lambda row: [str(value) for value in row.values()])

    def event_ids(self) -> list[str]:
        return [row["event_id"] for row in self.rows("event_id")]


def record(*event_ids: str, at: int = KICK_OFF, **header: Any) -> Record:
    """A record of ada's heartbeats with these ids."""
    return delivered(packed([event(event_id=event_id, event_timestamp=at) for event_id in event_ids], **header))
