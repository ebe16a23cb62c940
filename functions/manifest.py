"""Every function of the suite: what starts it, what it reads and writes, what it may use.

They stand in the order in which events meet them: of several in trouble, health names the first.

Local runner, CDK, Terraform, `serverless.yml`, least-privilege policies and the OpenAPI document are derived from
this list. A test runs each function with ports that record their use and fails when the two disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from shared.ports import Ports
from shared.settings import Settings
from shared.stream import EVENT_STREAM


@dataclass(frozen=True, slots=True)
class Http:
    """Serves HTTP: `entry(ports, settings)` returns its endpoints (functions/http/endpoint.py)."""


@dataclass(frozen=True, slots=True)
class OnStream:
    """Consumes a stream: `entry(ports, settings)` returns a BatchHandler (shared/stream.py)."""

    stream: str
    batch_records: int
    window_ms: int
    """How long a batch may be gathered before it is handed over."""


@dataclass(frozen=True, slots=True)
class OnQueue:
    """Consumes a queue: `entry(ports, settings)` returns a MessageHandler (shared/stream.py)."""

    queue: str
    max_attempts: int = 20
    """After so many a message goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class Every:
    """Runs on a schedule, at least once each time: `entry(ports, settings)` returns a Run (shared/stream.py)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Function:
    """One deployable function.

    Resources are named `table:x`, `objects:x`, `stream:x`, `queue:x`, `secret:x`, `mail`, `history`.
    """

    name: str
    entry: str
    trigger: Http | OnStream | OnQueue | Every
    reads: frozenset[str] = field(default_factory=frozenset)
    writes: frozenset[str] = field(default_factory=frozenset)
    memory_mb: int = 512
    timeout_seconds: int = 30

    def load(self) -> Callable[[Ports, Settings], Any]:
        """The entry, imported only now: one function never pays for another's imports."""
        module, _, name = self.entry.partition(":")
        entry: Callable[[Ports, Settings], Any] = getattr(import_module(module), name)
        return entry

    @property
    def hosted_reads(self) -> frozenset[str]:
        """What it reads, and what its host reads for it: the keys of who calls, or that of the dead letters."""
        match self.trigger:
            case Http():
                return self.reads | HTTP_READS
            case OnStream() | OnQueue():
                return self.reads | CONSUMER_READS
            case Every():
                return self.reads

    @property
    def hosted_writes(self) -> frozenset[str]:
        """What it writes, and what its host writes for it: pulses, and the dead letters of a consumer."""
        consumes = isinstance(self.trigger, OnStream | OnQueue)
        return self.writes | HOST_WRITES | (CONSUMER_WRITES if consumes else frozenset())


HOST_WRITES: Final = frozenset({"table:pulses"})
"""What the host of every function writes for it (shared/health). No entry repeats what hosts do."""
HTTP_READS: Final = frozenset(
    {"secret:operator-keys", "secret:publish-keys", "secret:viewer-token", "secret:write-keys"}
)
CONSUMER_READS: Final = frozenset({"secret:dead-letter-key"})
CONSUMER_WRITES: Final = frozenset({"objects:dead-letters", "table:dead-letters"})

FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="ingest",
        entry="functions.ingest.routes:make",
        trigger=Http(),
        reads=frozenset({"secret:pseudonym-keys", "table:schedules", "table:viewers"}),
        writes=frozenset({"stream:events", "table:viewers"}),
    ),
    Function(
        name="aggregate",
        entry="functions.aggregate.handler:make",
        trigger=OnStream(EVENT_STREAM, batch_records=1_000, window_ms=0),
        reads=frozenset({"table:audience", "table:audience-marks"}),
        writes=frozenset({"table:audience", "table:audience-marks", "table:contents", "table:dirty"}),
        memory_mb=1024,
        timeout_seconds=60,
    ),
    Function(
        name="archive",
        entry="functions.archive.handler:make",
        trigger=OnStream(EVENT_STREAM, batch_records=400, window_ms=5_000),
        writes=frozenset({"objects:staging"}),
        memory_mb=1024,
        timeout_seconds=60,
    ),
    Function(
        name="commit",
        entry="functions.commit.handler:make",
        trigger=Every(10),
        reads=frozenset({"history", "objects:history-ledger", "objects:staging", "table:history"}),
        writes=frozenset({"history", "objects:history-ledger", "objects:staging", "table:history"}),
        memory_mb=2048,
        timeout_seconds=120,
    ),
    Function(
        name="compact",
        entry="functions.compact.handler:make",
        trigger=Every(60),
        reads=frozenset({"history", "table:history"}),
        writes=frozenset({"history", "table:history"}),
        memory_mb=2048,
        timeout_seconds=600,
    ),
    Function(
        name="dimensions",
        entry="functions.dimensions.handler:make",
        trigger=Every(60),
        reads=frozenset({"history", "table:viewers"}),
        writes=frozenset({"history"}),
        memory_mb=2048,
        timeout_seconds=300,
    ),
    Function(
        name="watch",
        entry="functions.watch.handler:make",
        trigger=OnStream(EVENT_STREAM, batch_records=1_000, window_ms=10_000),
        writes=frozenset({"objects:viewer-log"}),
        memory_mb=1024,
        timeout_seconds=60,
    ),
    Function(
        name="merge_watch",
        entry="functions.merge_watch.handler:make",
        trigger=Every(300),
        reads=frozenset({"objects:viewer-log", "table:viewer-log"}),
        writes=frozenset({"objects:viewer-log", "table:viewer-log"}),
        memory_mb=1024,
        timeout_seconds=300,
    ),
    Function(
        name="viewers",
        entry="functions.viewers.routes:make",
        trigger=Http(),
        reads=frozenset({"objects:viewer-log", "secret:pseudonym-keys", "table:viewer-log", "table:viewers"}),
        writes=frozenset({"table:viewers"}),
    ),
    Function(
        name="roll",
        entry="functions.roll.handler:make",
        trigger=Every(2),
        reads=frozenset({"table:audience", "table:contents", "table:dirty", "table:rollups", "table:schedules"}),
        writes=frozenset({"table:contents", "table:dirty", "table:rollups"}),
    ),
    Function(
        name="plan_fan_out",
        entry="functions.plan_fan_out.handler:make",
        trigger=Every(5),
        reads=frozenset({"table:audience", "table:contents", "table:schedules"}),
        writes=frozenset({"table:schedules"}),
    ),
    Function(
        name="audience",
        entry="functions.audience.routes:make",
        trigger=Http(),
        reads=frozenset(
            {"table:audience", "table:contents", "table:dirty", "table:pulses", "table:rollups", "table:schedules"}
        ),
        writes=frozenset({"table:contents"}),
    ),
    Function(
        name="contents",
        entry="functions.contents.routes:make",
        trigger=Http(),
        reads=frozenset(
            {
                "table:audience",
                "table:contents",
                "table:dirty",
                "table:moments",
                "table:pulses",
                "table:rollups",
                "table:schedules",
            }
        ),
        writes=frozenset({"table:contents", "table:moments"}),
    ),
    Function(
        name="preferences",
        entry="functions.preferences.routes:make",
        trigger=Http(),
        reads=frozenset({"history", "table:contents"}),
        memory_mb=2048,
    ),
    Function(
        name="operations",
        entry="functions.operations.routes:make",
        trigger=Http(),
        reads=frozenset(
            {
                "objects:dead-letters",
                "secret:dead-letter-key",
                "table:audience",
                "table:contents",
                "table:dead-letters",
                "table:dirty",
                "table:pulses",
                "table:schedules",
            }
        ),
        writes=frozenset({"queue:rebuild", "stream:events", "table:dead-letters"}),
    ),
    Function(
        name="rebuild",
        entry="functions.rebuild.handler:make",
        trigger=OnQueue("rebuild"),
        reads=frozenset(
            {
                "history",
                "objects:dead-letters",
                "objects:staging",
                "secret:dead-letter-key",
                "table:audience",
                "table:audience-marks",
                "table:dead-letters",
                "table:schedules",
            }
        ),
        writes=frozenset(
            {"table:audience", "table:audience-marks", "table:contents", "table:dead-letters", "table:dirty"}
        ),
        memory_mb=2048,
        timeout_seconds=300,
    ),
)
