"""Everyone who watches, as arrays: 20 bytes a viewer, stepped half a second at a time."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lab.crowd import population
from lab.crowd.kinds import ACTIONS, Kind, chances
from lab.crowd.match import FULL_TIME, HALF_TIME, Match

TICK_MS: Final = 500
MAX_REPORT_EVERY_SECONDS: Final = 90
"""A viewer who is told to report more rarely than this reports this often: watched_ms has five digits."""

NEVER: Final = 0xFFFF_FFFF

_LEAVE_AT_HALF_TIME: Final = 0.4
_COME_BACK: Final = 0.85
_SAME_LEAGUE: Final = 0.6
_ELSEWHERE: Final = 0.5
"""Of those who come back after half-time, who have found another match meanwhile."""
_SHORTEST_BREAK_MS: Final = 10_000
_RESUME: Final = 0.4
_LEAVE_AT_FULL_TIME: Final = 3.0
_AD_MS: Final = 6_000
_MAX_LAG_SECONDS: Final = 600

_INTERRUPTS: Final = np.isin(np.arange(len(Kind)), [Kind.PAUSE, Kind.ERROR, Kind.HOP, Kind.LEAVE, Kind.COMPLETE])
_RESUMES: Final = np.isin(np.arange(len(Kind)), [Kind.START, Kind.RESUME])


@dataclass(slots=True)
class Happenings:
    """What happened, one row an event, in arrays of equal length.

    `at` is in ms since the start of the run on the viewer's own clock, `watched` in ms, `position` in tenths of a
    second, `number` what the kind needs (stall or start-up time in ms, the second that a seek began at).
    """

    report_every_seconds: int
    viewer: NDArray[np.int64]
    at: NDArray[np.int64]
    kind: NDArray[np.uint8]
    content: NDArray[np.uint16]
    session: NDArray[np.uint16]
    profile: NDArray[np.uint16]
    network: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    watched: NDArray[np.int64]
    position: NDArray[np.int64]
    number: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.viewer)

    def pick(self, rows: NDArray[np.int64] | slice) -> "Happenings":
        """These rows, in this order."""
        return Happenings(self.report_every_seconds, *(getattr(self, name)[rows] for name in _COLUMNS))

    @staticmethod
    def joined(parts: "list[Happenings]") -> "Happenings":
        """One after another; all of one reporting interval."""
        if len(parts) == 1:
            return parts[0]
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS)
        return Happenings(parts[0].report_every_seconds, *columns)


_COLUMNS: Final = [column.name for column in fields(Happenings)[1:]]


@dataclass(slots=True)
class _Turn:
    """One event of each of some viewers, and what they do next, as it is being worked out."""

    interval: int
    who: NDArray[np.int64]
    at: NDArray[np.int64]
    kind: NDArray[np.uint8]
    watched: NDArray[np.int64]
    number: NDArray[np.int64]
    delay: NDArray[np.int64]
    following: NDArray[np.uint8]

    def those(self, kind: Kind) -> NDArray[np.int64]:
        """The rows of this kind."""
        return np.flatnonzero(self.kind == kind)


_STATE: Final = ("due", "since", "profile", "content", "session", "lag", "kind", "playing", "network", "quality")


class Crowd:
    """The viewers' states. Each has one thing that it does next (`kind`) and the moment when (`due`)."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.now = 0
        self._rng = np.random.default_rng([match.seed, 1])
        self._popularity = match.popularity()
        self._rungs = population.rungs()
        self._skews = population.skews(self._rng)
        self._chances: dict[int, NDArray[np.float32]] = {}
        n = match.viewers
        self.due = match.arrivals(self._rng)
        self.since = np.zeros(n, np.uint32)
        self.profile = population.profiles(n, self._rng)
        self.content = self._contents(n)
        self.session = np.zeros(n, np.uint16)
        self.lag = np.zeros(n, np.uint16)
        self.kind = np.full(n, Kind.JOIN, np.uint8)
        self.playing = np.zeros(n, np.uint8)
        self.network = population.networks(self.profile, self._rng)
        self.quality = self._rungs[self.profile, self.network]

    @property
    def nbytes(self) -> int:
        """Bytes of state of the whole crowd."""
        return sum(getattr(self, name).nbytes for name in _STATE)

    @property
    def over(self) -> bool:
        """Whether the run has been played to its end."""
        return self.now >= self.match.seconds * 1000

    def step(self, report_every_seconds: int) -> Happenings:
        """Play the next half second: all that happens in it, told by players who report this often."""
        every = min(report_every_seconds, MAX_REPORT_EVERY_SECONDS)
        end = min(self.now + TICK_MS, self.match.seconds * 1000)
        who = np.flatnonzero(self.due < end)
        rounds = [self._round(who, every)]
        while (who := who[self.due[who] < end]).size:
            rounds.append(self._round(who, every))
        self.now = end
        return Happenings.joined(rounds)

    def _round(self, who: NDArray[np.int64], every: int) -> Happenings:
        """One event of each of these viewers, and the plan of their next."""
        at = self.due[who].astype(np.int64)
        turn = _Turn(
            interval=every * 1000,
            who=who,
            at=at,
            kind=self.kind[who],
            watched=(at - self.since[who]) * self.playing[who],
            number=np.zeros(len(who), np.int64),
            delay=np.full(len(who), every * 1000, np.int64),
            following=np.zeros(len(who), np.uint8),
        )
        if turn.kind.any():
            self._act(turn)
        happenings = Happenings(
            report_every_seconds=every,
            viewer=who,
            at=at + self._skews[who % population.SKEWS],
            kind=turn.kind,
            content=self.content[who],
            session=self.session[who],
            profile=self.profile[who],
            network=self.network[who],
            quality=self.quality[who],
            watched=turn.watched,
            position=np.maximum(at // 100 - self.lag[who].astype(np.int64) * 10, 0),
            number=turn.number,
        )
        self._plan(turn)
        self.since[who] = at
        self.due[who] = np.minimum(at + np.maximum(turn.delay, 1), NEVER)
        self.kind[who] = turn.following
        return happenings

    def _act(self, turn: _Turn) -> None:
        """What an event other than a heartbeat changes."""
        who, at = turn.who, turn.at
        joined = who[turn.those(Kind.JOIN)]
        self.session[joined] += np.uint16(1)
        self.lag[joined] = 0
        self.quality[joined] = self._rungs[self.profile[joined], self.network[joined]]

        started = turn.those(Kind.START)
        turn.number[started] = at[started] - self.since[who[started]]

        stalled = turn.those(Kind.STALL)
        mean_ms = 600.0 * (1 + self.network[who[stalled]].astype(np.int64))
        stall_ms = 200 + self._rng.exponential(mean_ms).astype(np.int64)
        turn.number[stalled] = np.minimum(stall_ms, turn.watched[stalled] * 4 // 5)
        turn.watched[stalled] -= turn.number[stalled]

        sought = turn.those(Kind.SEEK)
        lag = self.lag[who[sought]]
        turn.number[sought] = np.maximum(at[sought] // 1000 - lag, 0)
        back = self._rng.integers(10, 61, len(sought), dtype=np.uint16)
        to_live = (lag > 0) & (self._rng.random(len(sought)) < 0.5)
        self.lag[who[sought]] = np.where(to_live, 0, np.minimum(lag + back, _MAX_LAG_SECONDS))

        self._change_quality(turn)
        self.playing[who[_INTERRUPTS[turn.kind]]] = 0
        self.playing[who[_RESUMES[turn.kind]]] = 1

    def _change_quality(self, turn: _Turn) -> None:
        """The network gets a step better or worse; where the picture stays as it was, it is a heartbeat after all."""
        rows = turn.those(Kind.QUALITY)
        viewers = turn.who[rows]
        step = np.where(self._rng.random(len(rows)) < 0.5, -1, 1)
        network = np.clip(self.network[viewers].astype(np.int64) + step, 0, len(population.NETWORKS) - 1)
        rung = self._rungs[self.profile[viewers], network]
        turn.kind[rows[rung == self.quality[viewers]]] = Kind.HEARTBEAT
        self.network[viewers] = network
        self.quality[viewers] = rung

    def _plan(self, turn: _Turn) -> None:
        """Choose each viewer's next event; none comes later than a reporting interval after the last."""
        playing = self.playing[turn.who] == 1
        network = self.network[turn.who]
        cumulative = self._chances_at(turn.interval)
        chance = self._rng.random(len(turn.who), dtype=np.float32)

        busy = np.flatnonzero(playing & (chance < cumulative[:, -1][network]))
        turn.following[busy] = ACTIONS[(chance[busy, None] >= cumulative[network[busy]]).sum(axis=1)]
        waiting = np.flatnonzero(~playing & (chance < _RESUME))
        turn.following[waiting] = Kind.RESUME
        soon = np.concatenate([busy, waiting])
        turn.delay[soon] = 20 + (self._rng.random(len(soon)) * (turn.interval - 20)).astype(np.int64)

        half_time = (self.match.at(HALF_TIME[0]), self.match.at(HALF_TIME[1]))
        self._walk_out(turn, playing, half_time, _LEAVE_AT_HALF_TIME, Kind.LEAVE)
        full_time = (self.match.at(FULL_TIME), self.match.seconds * 1000)
        self._walk_out(turn, playing, full_time, _LEAVE_AT_FULL_TIME, Kind.COMPLETE)
        if turn.kind.any():
            self._follow_up(turn)

    def _chances_at(self, interval: int) -> NDArray[np.float32]:
        if interval not in self._chances:
            can_hop = self.match.contents > 1
            self._chances[interval] = chances(interval / 1000, self.match.seconds, can_hop=can_hop)
        return self._chances[interval]

    def _walk_out(
        self, turn: _Turn, playing: NDArray[np.bool_], between: tuple[int, int], rate: float, kind: Kind
    ) -> None:
        """Between two moments players leave at this rate for the whole span, evenly, however often they report."""
        begins, ends = between
        if self.now + TICK_MS + turn.interval < begins or self.now > ends or ends == begins:
            return
        first = np.maximum(turn.at, begins)
        overlap = np.maximum(np.minimum(turn.at + turn.delay, ends) - first, 0)
        chance = self._rng.random(len(overlap)) * (ends - begins)
        out = np.flatnonzero(playing & (chance < overlap * rate))
        turn.following[out] = kind
        turn.delay[out] = first[out] - turn.at[out] + (self._rng.random(len(out)) * overlap[out]).astype(np.int64)

    def _follow_up(self, turn: _Turn) -> None:
        """What must come after: a start after a join, the end of an advert, another content after a hop."""
        rng, who, delay, following = self._rng, turn.who, turn.delay, turn.following

        joined = turn.those(Kind.JOIN)
        following[joined] = Kind.START
        slow = 1 + self.network[who[joined]].astype(np.int64)
        delay[joined] = 300 + np.minimum(rng.exponential(400.0 * slow), 7_000).astype(np.int64)

        advert = turn.those(Kind.AD_START)
        following[advert] = Kind.AD_END
        delay[advert] = np.minimum(_AD_MS, turn.interval)

        failed = turn.those(Kind.ERROR)
        following[failed] = Kind.LEAVE
        delay[failed] = rng.integers(50, 1_000, len(failed))

        hopped = turn.those(Kind.HOP)
        following[hopped] = Kind.JOIN
        delay[hopped] = rng.integers(200, 3_000, len(hopped))
        self.content[who[hopped]] = self._others(self.content[who[hopped]])

        gone = np.concatenate([turn.those(Kind.LEAVE), turn.those(Kind.COMPLETE)])
        following[gone] = Kind.JOIN
        delay[gone] = NEVER
        begins, ends = self.match.at(HALF_TIME[0]), self.match.at(HALF_TIME[1])
        on_break = gone[(turn.at[gone] >= begins) & (turn.at[gone] < ends)]
        back = on_break[rng.random(len(on_break)) < _COME_BACK]
        after = rng.exponential(0.01 * self.match.seconds * 1000, len(back)).astype(np.int64)
        delay[back] = np.maximum(ends + after - turn.at[back], _SHORTEST_BREAK_MS + after)
        if self.match.contents > 1:
            zapped = who[back[rng.random(len(back)) < _ELSEWHERE]]
            self.content[zapped] = self._others(self.content[zapped])

    def _contents(self, n: int) -> NDArray[np.uint16]:
        drawn = np.searchsorted(self._popularity[:-1], self._rng.random(n, dtype=np.float32), side="right")
        return drawn.astype(np.uint16)

    def _others(self, content: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Another content for each: often the one of the same league, which are two and two, else by popularity."""
        other = self._contents(len(content)).astype(np.int64)
        sister = content.astype(np.int64) ^ 1
        loyal = (sister < self.match.contents) & (self._rng.random(len(content)) < _SAME_LEAGUE)
        other[loyal] = sister[loyal]
        same = other == content
        other[same] = (other[same] + 1) % self.match.contents
        return other.astype(np.uint16)
