"""compact: keeps the history in few sorted files, without repeats, and forgets what is past its retention."""

from shared.history.compact import Compactor
from shared.history.lake import Lake
from shared.history.retention import forget, vacuum
from shared.history.tables import COLUMNS, FACTS
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Deadline, Run


def make(ports: Ports, settings: Settings) -> Run:
    """The scheduled compaction."""
    compactors: list[Compactor] = []

    def run(deadline: Deadline) -> bool:
        lakes = {name: Lake(*ports.history_uri(), name) for name in COLUMNS}
        if not compactors:
            compactors.append(Compactor(lakes[FACTS], ports.clock))
        compactors[0].run(deadline)
        forget(lakes[FACTS], settings.history_days, ports.clock)
        vacuum(list(lakes.values()), ports.table("history"), ports.clock)
        return True

    return run
