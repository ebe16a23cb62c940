"""How far the audience is behind what was received."""

from shared.health.delay import DelayReader
from tests.unit.health.stage import Stage


def test_nothing_is_known_until_aggregate_has_told() -> None:
    stage = Stage()
    delay = DelayReader(stage.ports)
    assert delay.delay_ms() is None

    stage.process().waits(900, function="archive")
    stage.clock.advance(1_000)
    assert delay.delay_ms() is None


def test_it_is_the_age_of_the_oldest_record_that_waits() -> None:
    stage = Stage()
    process, delay = stage.process(), DelayReader(stage.ports)
    for oldest in (0, 3_200, 0):
        process.waits(oldest)
        assert delay.delay_ms() == oldest
        stage.clock.advance(5_000)


def test_it_is_read_once_a_second() -> None:
    stage = Stage()
    process, delay = stage.process(), DelayReader(stage.ports)
    process.waits(0)
    assert delay.delay_ms() == 0

    process.waits(700)
    stage.clock.advance(999)
    assert delay.delay_ms() == 0
    stage.clock.advance(1)
    assert delay.delay_ms() == 700


def test_of_several_instances_the_one_most_behind_counts() -> None:
    stage = Stage()
    stage.process().waits(100)
    stage.process().waits(4_000)
    assert DelayReader(stage.ports).delay_ms() == 4_000


def test_an_instance_that_died_is_no_delay_while_another_goes_on() -> None:
    stage = Stage()
    stage.process().waits(9_000)
    other = stage.process()
    for _ in range(4):
        stage.clock.advance(5_000)
        other.waits(0)
    assert DelayReader(stage.ports).delay_ms() == 0


def test_a_silent_aggregate_is_as_late_as_it_has_been_silent() -> None:
    stage = Stage()
    stage.process().waits(2_000)

    stage.clock.advance(15_000)
    assert DelayReader(stage.ports).delay_ms() == 2_000
    stage.clock.advance(1)
    assert DelayReader(stage.ports).delay_ms() == 17_001
    stage.clock.advance(10 * 60_000)
    assert DelayReader(stage.ports).delay_ms() == 617_001

    stage.clock.advance(6 * 60_000)
    assert DelayReader(stage.ports).delay_ms() is None


def test_one_that_runs_only_when_called_is_not_late_by_being_idle() -> None:
    stage = Stage()
    stage.process(resident=False).waits(0)
    stage.clock.advance(60_000)
    assert DelayReader(stage.ports).delay_ms() == 0
