"""What a process of the local suite tells of its functions."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.local.consumers import Host
from adapters.local.http import make_app
from adapters.local.pulsing import ProcessorTime, Pulsing
from adapters.local.suite import Suite
from adapters.local.triggers import Delivery
from functions.http.endpoint import Endpoint, Scope
from functions.manifest import Every, Function, Http, OnStream
from lab.memory import MemoryClock
from shared.errors import Unavailable
from shared.health.meter import SLOT_MS, Backlog, Meters, Pulse
from shared.health.pulses import read_pulses
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NewRecord, Retry
from tests.asgi import Client, speak
from tests.unit.local.test_hosting import eventually

HERE = "tests.unit.local.test_pulsing"


def patient(ports: Ports, settings: Settings) -> Any:
    return lambda records, deadline: [Retry("a store is away")] * len(records)


def prompt(ports: Ports, settings: Settings) -> Any:
    return lambda records, deadline: [DONE] * len(records)


def stumble(ports: Ports, settings: Settings) -> Any:
    def run(deadline: Any) -> None:
        raise Unavailable("the disk is full")

    return run


def words(ports: Ports, settings: Settings) -> list[Endpoint]:
    async def fail(_: Any) -> Any:
        raise Unavailable("the stream is away")

    return [Endpoint(("POST",), "/v1/words", fail, Scope.WRITE, "Append a word")]


PATIENT = Function("patient", f"{HERE}:patient", OnStream("events", 10, 0))
PROMPT = Function("prompt", f"{HERE}:prompt", OnStream("events", 10, 0))
STUMBLE = Function("stumble", f"{HERE}:stumble", Every(1))
WORDS = Function("words", f"{HERE}:words", Http())


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    suite = Suite(tmp_path / "data", Settings(), clock=MemoryClock())
    yield suite
    suite.close()


def told(suite: Suite, function: str) -> Pulse | None:
    running = suite.clock.now_ms() // SLOT_MS
    found = [pulse for pulse in read_pulses(suite.ports.table("pulses"), 0, running) if pulse.function == function]
    return max(found, key=lambda pulse: pulse.slot, default=None)


def backlog(suite: Suite, function: str) -> Backlog | None:
    pulse = told(suite, function)
    return pulse.counts.backlog if pulse else None


def append(suite: Suite, *numbers: int) -> None:
    new = [NewRecord(number.to_bytes(16, "big"), f"match-{number}#0", b"goal") for number in numbers]
    assert list(suite.ports.stream("events").append(new)) == [None] * len(new)


def test_what_waits_is_told_with_the_age_of_the_oldest(suite: Suite) -> None:
    assert isinstance(suite.clock, MemoryClock)
    append(suite, 1)
    suite.clock.advance(4_000)
    append(suite, 2, 3)
    suite.clock.advance(1_000)
    host = Host([PATIENT, PROMPT], suite, Settings())
    host.start()
    eventually(lambda: (pulse := told(suite, "prompt")) and pulse.counts.calls)
    host.stop()

    assert backlog(suite, "patient") == Backlog(waiting=3, oldest_ms=5_000, parked=0)
    assert backlog(suite, "prompt") == Backlog(waiting=0, oldest_ms=0, parked=0)
    pulse = told(suite, "patient")
    assert pulse is not None
    assert pulse.counts.failures == pulse.counts.calls > 0
    assert pulse.last_error is not None
    assert pulse.last_error.reason == "a store is away"


def test_parked_records_are_told_apart(suite: Suite) -> None:
    append(suite, 1, 2)
    host = Host([PATIENT], suite, Settings(), Delivery.PARKED)
    host.start()
    eventually(lambda: suite.progress("events").parked("patient") == 2)
    host.stop()

    assert backlog(suite, "patient") == Backlog(waiting=0, oldest_ms=0, parked=2)


def test_a_schedule_that_fails_says_why(suite: Suite) -> None:
    host = Host([STUMBLE], suite, Settings())
    host.start()
    eventually(lambda: suite.ports.meter("stumble").took_ns)
    host.stop()

    pulse = told(suite, "stumble")
    assert pulse is not None
    assert pulse.last_failed
    assert pulse.last_error is not None
    assert pulse.last_error.reason == "Unavailable: the disk is full"


def test_requests_are_told_from_the_start_of_serving_to_its_end(suite: Suite) -> None:
    import asyncio

    app = make_app([WORDS], suite, Settings(), loopback=True)
    assert Client(app).post("/v1/words").status_code == 503
    assert told(suite, "words") is None

    messages = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    sent = asyncio.run(speak(app, "lifespan", *messages))

    assert [each["type"] for each in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    pulse = told(suite, "words")
    assert pulse is not None
    assert (pulse.counts.calls, pulse.counts.failures, pulse.next_within_ms) == (1, 1, 5_000)


def test_a_store_that_is_away_does_not_end_the_pulse(suite: Suite, caplog: pytest.LogCaptureFixture) -> None:
    looked: list[bool] = []

    def look() -> None:
        looked.append(True)
        raise Unavailable("the log is away")

    suite.ports.meter("words").add(1)
    pulsing = Pulsing(suite, look)
    pulsing.start()
    eventually(lambda: looked)
    pulsing.stop()

    assert len(looked) == 2
    assert told(suite, "words") is not None
    assert "what waits cannot be told: the log is away" in caplog.text


def test_processor_time_is_split_by_how_long_requests_took() -> None:
    meters = Meters()
    meters("idle")
    share = ProcessorTime(meters)
    deadline = time.process_time() + 0.05
    while time.process_time() < deadline:
        pass
    meters("ingest").add(3_000_000)
    meters("audience").add(1_000_000)
    share.split()

    busy = {meter: sum(pulse.counts.busy_us for pulse in meters(meter).pulses(None)) for meter in ("ingest", "idle")}
    others = sum(pulse.counts.busy_us for pulse in meters("audience").pulses(None))
    assert busy["ingest"] >= 37_500
    assert busy["ingest"] == pytest.approx(3 * others, abs=3)
    assert busy["idle"] == 0
