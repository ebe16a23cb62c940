"""compact: keeps the history in few sorted files, without repeats, and forgets what is past its retention."""

from collections.abc import Callable

from shared.history.compact import Compactor
from shared.history.lake import Lake
from shared.history.retention import forget, vacuum
from shared.history.schema import FACTS, SCHEMAS
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Deadline


def make(ports: Ports, settings: Settings) -> Callable[[Deadline], None]:
    """The scheduled compaction."""
    compactors: list[Compactor] = []

    def run(deadline: Deadline) -> None:
        lakes = {name: Lake(*ports.history_uri(), name) for name in SCHEMAS}
        if not compactors:
            compactors.append(Compactor(lakes[FACTS], ports.clock))
        compactors[0].run(deadline)
        forget(lakes[FACTS], settings.history_days, ports.clock)
        vacuum(list(lakes.values()), ports.table("history"), ports.clock)

    return run
