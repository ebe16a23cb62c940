"""How long after they happened, and after they came in, a batch's events became visible."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from functions.aggregate.batch import Batch
from shared.health.meter import Bins, Meter
from shared.log_bins import LAST_BIN, STEPS_PER_OCTAVE
from shared.units import WINDOW_MS


def measure(meter: Meter, batch: Batch, written: list[int], now_ms: int) -> None:
    """Count the batch's events, and for those of the touches in `written` their lag at the time of that writing."""
    kept = np.zeros(len(batch.touch_record), dtype=np.bool_)
    kept[written] = True
    events = kept[batch.touch]
    visible = int(np.count_nonzero(events))
    meter.count(events_in=len(events), events_out=visible)
    if not visible:
        return
    window_start = np.array([place.window for place in batch.places], dtype=np.int64) * WINDOW_MS
    age = now_ms - window_start[batch.touch_place]
    received_at = np.array([header.received_at for header in batch.headers], dtype=np.int64)
    of_record = np.bincount(batch.record[events], minlength=len(received_at))
    meter.lag(
        binned((age[batch.touch] - batch.offset_ms)[events]),
        binned(now_ms - received_at, weights=of_record),
    )


def binned(lag_ms: NDArray[Any], weights: NDArray[np.intp] | None = None) -> Bins:
    """`shared.log_bins.bin_of` of each value, counted; in single precision, which tells bins apart well enough."""
    steps = lag_ms.astype(np.float32)
    np.maximum(steps, 1, out=steps)
    np.log2(steps, out=steps)
    steps *= STEPS_PER_OCTAVE
    np.ceil(steps, out=steps)
    np.minimum(steps, LAST_BIN, out=steps)
    counts = np.bincount(steps.astype(np.uint16), weights=weights)
    filled = np.flatnonzero(counts)
    return dict(zip(filled.tolist(), counts[filled].astype(np.int64).tolist(), strict=True))
