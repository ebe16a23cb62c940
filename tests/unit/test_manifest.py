"""The manifest says of every function what it uses: no less, and no more."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapters.common.warehouse import DeltaWarehouse
from functions.archive.handler import make as make_archive
from functions.commit.handler import make as make_commit
from functions.http.app import build_app
from functions.http.endpoint import Endpoint
from functions.manifest import FUNCTIONS, Function, Http, OnStream
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Record
from tests.asgi import Client
from tests.builders import delivered, event, packed

MINUTE_MS = 60_000
SETTINGS = Settings(fan_out_viewers=1)
READING = frozenset({"get", "batch_get", "query", "list"})
NAMES = [function.name for function in FUNCTIONS]
REBUILD = FUNCTIONS[NAMES.index("rebuild")]


@dataclass
class Use:
    """What one function has used, in the manifest's words."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)


class Watched:
    """A store that notes which of its methods are called, as reading or as writing `name`."""

    def __init__(self, store: Any, name: str, use: Use) -> None:
        self._store = store
        self._name = name
        self._use = use

    def __getattr__(self, method: str) -> Any:
        called = getattr(self._store, method)
        (self._use.reads if method in READING else self._use.writes).add(self._name)
        return called


def watched(ports: Ports, use: Use) -> Ports:
    """The same stores; `use` tells which of them were used."""

    def history_uri() -> tuple[str, dict[str, str]]:
        use.reads.add("history")
        return ports.history_uri()

    class Secrets:
        def get(self, name: str) -> bytes:
            use.reads.add(f"secret:{name}")
            return ports.secrets.get(name)

    noting = replace(
        ports,
        secrets=Secrets(),
        stream=cache(lambda name: Watched(ports.stream(name), f"stream:{name}", use)),
        table=cache(lambda name: Watched(ports.table(name), f"table:{name}", use)),
        objects=cache(lambda name: Watched(ports.objects(name), f"objects:{name}", use)),
        queue=cache(lambda name: Watched(ports.queue(name), f"queue:{name}", use)),
        history_uri=history_uri,
    )
    return replace(noting, warehouse=cache(lambda: DeltaWarehouse(noting.history_uri)))


class Story:
    """A match on a suite in memory, in which every function does all that it ever does."""

    def __init__(self, folder: Path) -> None:
        self.suite = MemorySuite()
        self.clock = self.suite.clock
        self.ports = replace(self.suite.ports, history_uri=lambda: (str(folder), {}))
        self.uses = {function.name: Use() for function in FUNCTIONS}
        self._folder = folder
        self._read = dict.fromkeys(self.suite.stream("events").heads().positions, 0)
        self._entries = {function.name: self._made(function) for function in FUNCTIONS}
        endpoints: list[Endpoint] = []
        for function in FUNCTIONS:
            if isinstance(function.trigger, Http):
                endpoints += self._entries[function.name]
        self.client = Client(build_app(endpoints, self.ports, SETTINGS, loopback=True))

    def play(self) -> None:
        for number in range(4):
            self.report(number)
            self.deliver()
            self.run("commit", "dimensions", "merge_watch")
        self.clock.advance(10_000)
        self.run("plan_fan_out")
        self.ask("GET", "/v1/overview")
        self.ask("GET", "/v1/completeness")
        self.ask("GET", "/v1/contents/match/audience", resolution="5s")
        self.ask("GET", "/v1/contents/match/audience", resolution="1h")
        for _ in range(12):
            self.clock.advance(10 * MINUTE_MS)
            self.run("roll", "compact", "merge_watch")
        self.ask("GET", "/v1/contents/match/audience", resolution="1h")
        self.ask("GET", "/v1/contents/match/audience/now")
        self.ask("GET", "/v1/contents/match/audience/recent", resolution="1m")
        self.ask("GET", "/v1/contents/top")
        self.ask("PUT", "/v1/contents/match/listing", json={"listed": True})
        self.ask("PUT", "/v1/contents/match", json={"title": "Final"})
        self.ask("GET", "/v1/contents/match")
        self.ask("PUT", "/v1/contents/match/marks/goal", json={"kind": "goal"})
        self.ask("GET", "/v1/contents/match/marks")
        self.ask("GET", "/v1/contents/match/also-watched")
        self.ask("GET", "/v1/contents/match/segments")
        self.ask("GET", "/v1/preferences/top")
        self.ask("DELETE", "/v1/contents/match/marks/goal")
        self.ask("DELETE", "/v1/contents/match")
        self.ask("GET", "/v1/completeness")
        self.ask("GET", "/v1/viewers/ada/watch-time")
        self.ask("PUT", "/v1/viewers/ada/attributes", json={"consent": "personalisation", "country": "NL"})
        self.ask("GET", "/v1/viewers/ada/attributes")
        self.ask("DELETE", "/v1/viewers/ada/attributes")
        DeadLetters(self.ports, SETTINGS).put(self.records[0], "in this story", "aggregate")
        self.ask("GET", "/v1/dead-letters")
        self.ask("GET", "/v1/health")
        self.ask("POST", "/v1/dead-letters/replay", json={})
        goal_at = self.clock.now_ms()
        for _ in range(2):
            self.rebuild(goal_at)

    def rebuild(self, goal_at: int) -> None:
        """Records that only the history took in reach aggregate a day later, and an operator asks for a rebuild."""
        events = [event(event_timestamp=goal_at, content_id="late")]
        late = [delivered(packed(events)) for _ in range(4)]
        assert make_archive(self.ports, SETTINGS)(late, NO_DEADLINE) == [DONE] * len(late)
        make_commit(self.ports, SETTINGS)(NO_DEADLINE)
        self.clock.advance(25 * 60 * MINUTE_MS)
        letters = DeadLetters(self.ports, SETTINGS)
        for record in late:
            letters.put(record, "beyond_horizon", "aggregate")
        self.ask("POST", "/v1/rebuild")
        (message,) = self.suite.queue("rebuild").receive()
        assert self._made(REBUILD)(message, NO_DEADLINE) == DONE
        self.suite.queue("rebuild").settle(message)
        assert letters.count() == 0

    def report(self, number: int) -> None:
        """A few viewers report, and one says who she is."""
        now = self.clock.now_ms()
        events = [
            {
                "event_type": "heartbeat",
                "event_timestamp": now + number,
                "content_id": "match",
                "viewer_id": viewer,
                "session_id": f"{viewer}-tv",
                "watched_ms": 5_000,
            }
            for viewer in ("ada", "bea", "cor", "dee", "eve")
        ]
        self.ask("POST", "/v1/events", json={"batch_id": str(number), "events": events})
        who = {"userId": "ada", "traits": {"country": "NL", "consent": "personalisation"}}
        self.ask("POST", "/v1/identify", json=who)

    def deliver(self) -> None:
        """What is new in the stream reaches every consumer, each time an instance that was just started."""
        log = self.suite.stream("events")
        self.records: Sequence[Record] = []
        for partition, after in self._read.items():
            self.records = [*self.records, *log.read(partition, after, 1_000, 1 << 30)]
            self._read[partition] = log.heads().positions[partition]
        for function in FUNCTIONS:
            if isinstance(function.trigger, OnStream):
                answers = self._made(function)(self.records, NO_DEADLINE)
                assert list(answers) == [DONE] * len(self.records)

    def run(self, *names: str) -> None:
        """Schedules that are due."""
        for name in names:
            with self._history_watched(self.uses[name]):
                self._entries[name](NO_DEADLINE)

    def ask(self, method: str, path: str, *, json: Any = None, **query: Any) -> None:
        answer = self.client.request(method, path, json=json, params=query)
        assert answer.is_success, answer.text

    def _made(self, function: Function) -> Any:
        return function.load()(watched(self.ports, self.uses[function.name]), SETTINGS)

    @contextmanager
    def _history_watched(self, use: Use) -> Iterator[None]:
        before = set(self._folder.rglob("*"))
        yield
        if set(self._folder.rglob("*")) != before:
            use.writes.add("history")


@pytest.fixture(scope="module")
def uses() -> Iterator[dict[str, Use]]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.audience.marks.PAGE_RECEPTIONS", 2)
        story = Story(Path(folder))
        story.play()
        yield story.uses


@pytest.fixture
def function(request: pytest.FixtureRequest) -> Function:
    name: str = request.param
    return next(function for function in FUNCTIONS if function.name == name)


@pytest.mark.parametrize("function", NAMES, indirect=True)
def test_a_function_reads_and_writes_what_the_manifest_says(function: Function, uses: dict[str, Use]) -> None:
    use = uses[function.name]

    assert use.reads == function.reads
    assert use.writes == function.writes


def test_every_function_has_a_name_of_its_own_and_an_entry_that_loads() -> None:
    assert len(set(NAMES)) == len(NAMES)
    entries: list[Callable[..., Any]] = [function.load() for function in FUNCTIONS]
    assert all(callable(entry) for entry in entries)
