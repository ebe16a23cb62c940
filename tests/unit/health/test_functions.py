"""What functions say of the events that they handle."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from functions.aggregate.handler import make as make_aggregate
from functions.archive.handler import make as make_archive
from functions.ingest.handler import Ingest, Sent
from functions.watch.handler import make as make_watch
from lab.memory import MemorySuite
from shared.errors import InvalidInput, Unavailable
from shared.health.merging import percentile
from shared.health.meter import Counts
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, NewRecord, Record
from tests.unit.ingest.doubles import as_json

SETTINGS = Settings()


class Case:
    """A suite in memory whose functions' counts are asked for."""

    def __init__(self) -> None:
        self.suite = MemorySuite()
        self.ports = self.suite.ports

    def post(self, events: int, *, bad: int = 0, ago_ms: int = 0, ports: Ports | None = None) -> None:
        """One body: so many heartbeats that happened some time ago, and some that cannot be read."""
        now = self.suite.clock.now_ms() - ago_ms
        common = {"content_id": "match", "viewer_id": "ada", "session_id": "ada-tv", "watched_ms": 1_000}
        good = {**common, "event_type": "heartbeat", "event_timestamp": now}
        body = as_json([good] * events + [{**common, "event_type": "heartbeat"}] * bad)
        Ingest(ports or self.ports, SETTINGS).ingest(Sent(body, "web"))

    def records(self) -> list[Record]:
        log = self.suite.stream("events")
        return [record for each in log.heads().positions for record in log.read(each, 0, 1_000, 1 << 30)]

    def counts(self, function: str) -> Counts:
        (pulse,) = self.ports.meter(function).pulses(None)
        return pulse.counts

    def events(self, function: str) -> tuple[int | None, int | None]:
        counts = self.counts(function)
        return counts.events_in, counts.events_out


def test_ingest_tells_what_it_received_and_what_it_accepted() -> None:
    case = Case()
    case.post(5, bad=2)
    case.post(1)
    assert case.events("ingest") == (8, 6)


class Refusing:
    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        return ["the stream is away"] * len(records)


def test_what_the_stream_refuses_came_in_and_did_not_go_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.ingest.append.FIRST_PAUSE_SECONDS", 0)
    case = Case()
    with pytest.raises(Unavailable):
        case.post(5, ports=replace(case.ports, stream=lambda _: Refusing()))
    assert case.events("ingest") == (5, 0)


def test_a_body_that_cannot_be_read_holds_no_events() -> None:
    case = Case()
    with pytest.raises(InvalidInput):
        Ingest(case.ports, SETTINGS).ingest(Sent(b"not json", "web"))
    case.ports.meter("ingest").count()
    assert case.events("ingest") == (0, 0)


def test_what_is_delivered_again_goes_in_again_and_out_once() -> None:
    case = Case()
    case.post(3)
    case.post(4)
    aggregate = make_aggregate(case.ports, SETTINGS)
    for _ in range(2):
        assert list(aggregate(case.records(), NO_DEADLINE)) == [DONE, DONE]
    assert case.events("aggregate") == (14, 7)


def test_lag_is_from_the_event_and_from_its_arrival_until_its_state_is_stored() -> None:
    case = Case()
    case.post(9, ago_ms=8_000)
    case.post(1, ago_ms=500_000)
    case.suite.clock.advance(50)
    make_aggregate(case.ports, SETTINGS)(case.records(), NO_DEADLINE)

    counts = case.counts("aggregate")
    assert sum(counts.event_lag.values()) == sum(counts.received_lag.values()) == 10
    assert percentile(counts.event_lag, 0.5) == pytest.approx(8_050, rel=0.045)
    assert percentile(counts.event_lag, 0.99) == pytest.approx(500_050, rel=0.045)
    assert percentile(counts.received_lag, 0.99) == pytest.approx(50, rel=0.045)


def test_an_event_ahead_of_our_clock_has_no_lag() -> None:
    case = Case()
    case.post(2, ago_ms=-3_000)
    make_aggregate(case.ports, SETTINGS)(case.records(), NO_DEADLINE)
    assert case.counts("aggregate").event_lag == {0: 2}


def test_archive_and_watch_tell_what_they_kept() -> None:
    case = Case()
    case.post(6)
    for name, make in (("archive", make_archive), ("watch", make_watch)):
        assert list(make(case.ports, SETTINGS)(case.records(), NO_DEADLINE)) == [DONE]
        assert case.events(name) == (6, 6)
