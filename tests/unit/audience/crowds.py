"""Many viewers at once, as columns: states of crowds too large to build event by event."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from events.event import TYPE_CODE
from events.record import Profile, Profiles, RecordHeader, Rows, pack
from functions.aggregate.batch import Unpacked, join, unpack
from functions.aggregate.contributions import contributions
from shared.audience.window import WindowState
from shared.hashing import kept_at, viewer_hash
from tests.builders import KICK_OFF

CHUNK = 20_000


def crowd(size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Pseudonyms of `size` viewers, uint8[size, 16]."""
    return np.random.default_rng(seed).integers(0, 256, (size, 16), dtype=np.uint8)


def told(
    viewers: NDArray[np.uint8],
    *,
    kind: str = "heartbeat",
    window: int = KICK_OFF // 5_000,
    level: int = 0,
    countries: Sequence[str | None] = (None,),
    watched_ms: Sequence[int] | None = None,
    interval: int = 10,
) -> list[Unpacked]:
    """Records in which each viewer tells one event; at a level, of the viewers that ingest would keep."""
    records = []
    for start in range(0, len(viewers), CHUNK):
        some = range(start, min(start + CHUNK, len(viewers)))
        kept = [each for each in some if kept_at(viewer_hash(viewers[each].tobytes()), level)]
        profiles = [
            Profile(
                viewers[each].tobytes(),
                viewers[each].tobytes(),
                country=countries[each % len(countries)],
                report_every_seconds=interval,
            )
            for each in kept
        ]
        header = RecordHeader(
            record_id=b"r" * 16,
            content_id="match",
            k=0,
            reception=b"12345678",
            received_at=KICK_OFF,
            source="test",
            tally_window=window,
            level=level,
        )
        n = len(kept)
        if not n:
            continue
        rows = Rows(
            profiles=Profiles.of(profiles),
            profile=range(n),
            type=bytes([TYPE_CODE[kind]]) * n,
            timestamp=[window * 5_000 + each % 5_000 for each in kept],
            watched_ms=[None] * n if watched_ms is None else [watched_ms[each] for each in kept],
            bitrate_kbps=[None] * n,
            position_seconds=[None] * n,
            quality_level=[None] * n,
            event_id=[None] * n,
        )
        records.append(unpack(pack(header, rows)))
    return records


def state_of(*records: Unpacked) -> WindowState:
    """The one window's state of some records."""
    batch = join(records)
    (state,) = contributions(batch, np.ones(len(batch.touch_place), dtype=np.bool_)).values()
    return state
