"""How often players are to report, and what is sampled, by the load of this instance.

The interval follows the load that there would be if everyone reported at the base interval: each body's events
weigh as much as the interval its sender echoes. So a spike that has followed a longer interval, and now sends less,
does not shorten it again. Sampling does not change what comes in; it follows the plain rate.
"""

from math import exp
from threading import Lock
from typing import Final

from functions.http.problems import Refused
from shared.settings import Settings

AVERAGED_MS: Final = 1_000
"""Rates are averaged over about a second."""
INTERVALS: Final = (10, 20, 30, 60)
"""Intervals whose 1.5-fold, the span of `concurrent`, is whole windows of 5 s."""
LEVELS: Final = ((3, 1.0), (6, 4.0))
"""Sampling levels and how many times the set rate they begin at."""
SHED_SECONDS: Final = 2
EASE: Final = 0.7
"""A step back is taken below this part of the load that led to it, so that none goes to and fro."""


class Load:
    """One instance's rates, exponentially averaged; safe to use from several threads. Times are ms of any clock."""

    def __init__(self, settings: Settings) -> None:
        base, most = settings.report_every_seconds, settings.max_report_every_seconds
        self._base = base
        self._comfortable = settings.comfortable_events_per_second
        self._sampling = settings.sampling_events_per_second
        self._shed = settings.shed_events_per_second
        self._intervals = sorted({base, *(each for each in INTERVALS if base < each <= most)})
        self._at = 0
        self._rate = 0.0
        self._load = 0.0
        self._lock = Lock()
        self._calm = min(self._comfortable, self._sampling)
        self._excited = False
        self.report_every_seconds = base
        self.level = 0

    def admit(self, now_ms: int) -> None:
        """Raises Refused (429, Retry-After) while the rate is beyond what this instance can take."""
        with self._lock:
            self._age(now_ms)
        if self._rate > self._shed:
            raise Refused(
                "too many events are coming in; wait as long as Retry-After says, then send the same body again",
                status=429,
                reason="shedding",
                headers={"Retry-After": str(SHED_SECONDS)},
            )

    def observe(self, events: int, told_interval: int | None, now_ms: int) -> None:
        """Count a body's events, whose sender says that it reports every `told_interval` seconds."""
        interval = min(max(told_interval or self._base, self._base), self._intervals[-1])
        with self._lock:
            self._age(now_ms)
            self._rate += events * 1_000 / AVERAGED_MS
            self._load += events * 1_000 / AVERAGED_MS * interval / self._base
            if self._load < self._calm and not self._excited:
                return
            self.report_every_seconds = self._interval()
            self.level = self._level()
            self._excited = bool(self.level) or self.report_every_seconds > self._base

    def _age(self, now_ms: int) -> None:
        passed = max(now_ms - self._at, 0)
        self._at = max(now_ms, self._at)
        faded = exp(-passed / AVERAGED_MS)
        self._rate *= faded
        self._load *= faded

    def _interval(self) -> int:
        wanted, eased = (self._fitting(self._load / part) for part in (1.0, EASE))
        return wanted if wanted > self.report_every_seconds else min(eased, self.report_every_seconds)

    def _fitting(self, load: float) -> int:
        needed = self._base * load / self._comfortable
        return next((each for each in self._intervals if each >= needed), self._intervals[-1])

    def _level(self) -> int:
        wanted, eased = (
            max((level for level, times in LEVELS if self._rate > times * self._sampling * part), default=0)
            for part in (1.0, EASE)
        )
        return wanted if wanted > self.level else min(eased, self.level)
