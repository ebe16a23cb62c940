"""A stream's records, an aggregate to hand them to, and what its states say in the end."""

from collections.abc import Iterable, Sequence

from functions.aggregate.handler import make
from lab.memory import MemoryClock, memory_ports
from shared.audience.codec import decode
from shared.audience.keys import AUDIENCE_TABLE, state_key
from shared.audience.measures import TALLIES
from shared.audience.window import WindowState
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Answer, BatchHandler, Record
from tests.builders import KICK_OFF

SETTINGS = Settings()


def ports_at_kick_off() -> Ports:
    return memory_ports(MemoryClock(KICK_OFF + 60_000))


def aggregate(ports: Ports) -> BatchHandler:
    return make(ports, SETTINGS)


def handed(ports: Ports, records: Sequence[Record]) -> list[Answer | None]:
    """The answers of a fresh instance to one batch."""
    return list(aggregate(ports)(records, NO_DEADLINE))


def stored(ports: Ports, content_id: str, windows: Iterable[int], partitions: int = 1) -> dict[int, WindowState]:
    """By window the states that are there, all k merged."""
    table = ports.table(AUDIENCE_TABLE)
    found: dict[int, WindowState] = {}
    for window in windows:
        for k in range(partitions):
            item = table.get(*state_key(content_id, k, window))
            if item is not None:
                found.setdefault(window, WindowState(window)).merge(decode(item.value))
    return found


def completeness(states: Iterable[WindowState]) -> dict[str, int]:
    """Tallies over all states; `rejected` of every code."""
    totals = dict.fromkeys((*TALLIES, "rejected"), 0)
    for state in states:
        for name, count in state.tallies().items():
            totals[name] += count
        totals["rejected"] += sum(state.rejected.values())
    return totals


def adds_up(totals: dict[str, int]) -> bool:
    known = totals["counted"] + totals["duplicate"] + totals["rejected"] + totals["sampled_out"]
    return totals["received"] == known
