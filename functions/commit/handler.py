"""commit: adds what archive has staged to the history, each record once."""

from functools import cache
from typing import Final

from shared.history.commit import Committer
from shared.history.lake import Lake
from shared.history.ledger import Ledger
from shared.history.tables import FACTS, STAGING
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Deadline, Run

LEDGER: Final = "history-ledger"
DAY_SECONDS: Final = 24 * 3_600


def make(ports: Ports, settings: Settings) -> Run:
    """The scheduled committer. The ledger's objects are merged and pruned as it goes."""

    @cache
    def ledger() -> Ledger:
        return Ledger(ports.objects(LEDGER))

    def run(deadline: Deadline) -> bool:
        committer = Committer(
            staging=ports.objects(STAGING),
            ledger=ledger(),
            table=ports.table("history"),
            lake=Lake(*ports.history_uri(), FACTS),
            clock=ports.clock,
            horizon_ms=settings.horizon_seconds * 1_000,
        )
        added = committer.run(deadline)
        ports.meter("commit").count(events_in=committer.taken, events_out=added)
        ledger().tidy(ports.clock.now_ms(), (settings.horizon_seconds + DAY_SECONDS) * 1_000)
        return committer.taken > 0

    return run
