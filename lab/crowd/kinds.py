"""What a simulated viewer may do next, how often, and the event type that tells of it."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from events.event import TYPE_CODE


class Kind(IntEnum):
    """Several kinds may share an event type: two sorts of `play`, two of `stop`."""

    HEARTBEAT = 0
    JOIN = 1
    START = 2
    RESUME = 3
    PAUSE = 4
    STALL = 5
    QUALITY = 6
    SEEK = 7
    ERROR = 8
    HOP = 9
    LEAVE = 10
    COMPLETE = 11
    REACTION = 12
    CHAT = 13
    POLL = 14
    RATING = 15
    FOLLOW = 16
    AD_START = 17
    AD_END = 18


EVENT_TYPE: Final = {
    Kind.HEARTBEAT: "heartbeat",
    Kind.JOIN: "join",
    Kind.START: "play",
    Kind.RESUME: "play",
    Kind.PAUSE: "pause",
    Kind.STALL: "stall",
    Kind.QUALITY: "quality_change",
    Kind.SEEK: "seek",
    Kind.ERROR: "error",
    Kind.HOP: "stop",
    Kind.LEAVE: "stop",
    Kind.COMPLETE: "complete",
    Kind.REACTION: "reaction",
    Kind.CHAT: "chat",
    Kind.POLL: "poll_vote",
    Kind.RATING: "rating",
    Kind.FOLLOW: "follow",
    Kind.AD_START: "ad_start",
    Kind.AD_END: "ad_end",
}

TYPE_OF_KIND: Final = np.array([TYPE_CODE[EVENT_TYPE[kind]] for kind in Kind], np.uint8)

_PER_MATCH: Final = {
    Kind.HOP: 1.5,
    Kind.LEAVE: 0.25,
    Kind.PAUSE: 1.0,
    Kind.SEEK: 0.4,
    Kind.REACTION: 2.0,
    Kind.CHAT: 0.6,
    Kind.POLL: 0.5,
    Kind.RATING: 0.1,
    Kind.FOLLOW: 0.1,
    Kind.AD_START: 1.0,
    Kind.ERROR: 0.05,
}
"""How often a viewer who stays for the whole match does this."""

_PER_REPORT: Final = {
    Kind.STALL: (0.003, 0.01, 0.04, 0.12),
    Kind.QUALITY: (0.02, 0.03, 0.05, 0.06),
}
"""Chance in one reporting interval, for each of population.NETWORKS: it follows the network, not the plot."""

_BUSIEST: Final = 0.25
"""In a match squeezed into seconds, at most this share of reports is cut short by the viewer's own doing."""

ACTIONS: Final = np.array([*_PER_REPORT, *_PER_MATCH], np.uint8)


def chances(interval_seconds: float, match_seconds: float, *, can_hop: bool) -> NDArray[np.float32]:
    """[network, action] → cumulative chance that the next interval ends early with an action of ACTIONS."""
    rates = {kind: rate for kind, rate in _PER_MATCH.items() if can_hop or kind is not Kind.HOP}
    share = min(interval_seconds / match_seconds, _BUSIEST / sum(rates.values()))
    own = [rates.get(kind, 0.0) * share for kind in _PER_MATCH]
    table = [[*physical, *own] for physical in zip(*_PER_REPORT.values(), strict=True)]
    cumulative: NDArray[np.float32] = np.cumsum(np.array(table, np.float32), axis=1, dtype=np.float32)
    return cumulative
