"""An audience as the API tells it. docs/metrics.md defines each figure."""

from collections.abc import Collection, Iterator
from itertools import islice
from math import ceil
from typing import Any, Final

from functions.http.answer import rfc3339
from shared.audience.estimate import Estimate, total
from shared.audience.rollup import Audience
from shared.audience.splits import DIMENSIONS, OTHER, Share
from shared.audience.window import WindowState

LISTED_VALUES: Final = 16
SHARED: Final = tuple(dimension for dimension in DIMENSIONS if dimension != "engagement")


def told(name: str, figure: Estimate) -> Iterator[tuple[str, int]]:
    """A figure and, under `{name}_error`, its standard error, rounded up."""
    yield name, figure.value
    yield f"{name}_error", ceil(figure.error)


def window(audience: Audience, by: Collection[str]) -> dict[str, Any]:
    """One window of an answer, split by some of SHARED."""
    state, concurrency = audience.state, audience.concurrency
    viewers, engaged = state.viewers(), state.engaged_viewers()
    events = state.events()
    return {
        "start": rfc3339(audience.start_ms),
        **dict(told("viewers", viewers)),
        **dict(told("concurrent", concurrency.peak)),
        **dict(told("concurrent_mean", concurrency.mean)),
        **dict(told("engaged_viewers", engaged)),
        "engagement_rate": min(1.0, round(engaged.value / viewers.value, 4)) if viewers.value else 0.0,
        "engagements": state.engagements(),
        "events": {name: count.value for name, count in events.items()},
        "events_error": {name: ceil(count.error) for name, count in events.items() if count.error},
        **dict(told("watched_ms", state.sum("watched_ms"))),
        **experience(state),
        "sample_rate": state.sample_rate,
        "by": {dimension: shares(state.shares(dimension)) for dimension in SHARED if dimension in by},
    }


def experience(state: WindowState) -> dict[str, Any]:
    """Quality of experience (CTA-2066)."""
    stall_ms, watched_ms = state.sum("stall_ms").value, state.sum("watched_ms").value
    return {
        "startups": state.sum("startups").value,
        "startup_ms_mean": rounded(state.mean("startup_ms", "startups")),
        "startup_ms_p50": state.startup_ms(0.5),
        "startup_ms_p95": state.startup_ms(0.95),
        "stalls": state.sum("stall").value,
        "stall_ms": stall_ms,
        "rebuffering_ratio": round(stall_ms / (stall_ms + watched_ms), 6) if stall_ms + watched_ms else None,
        "bitrate_kbps": rounded(bitrate_kbps(state)),
        "throughput_kbps": rounded(state.mean("throughput_kbps", "throughput_samples")),
        "buffer_ms": rounded(state.mean("buffer_ms", "buffer_samples")),
        "quality_changes": state.sum("quality_change").value,
        "errors": state.sum("error").value,
    }


def bitrate_kbps(state: WindowState) -> float | None:
    """Weighted by watched time; by reports where no watched time came with any (CMCD v1)."""
    played = state.mean("bitrate_kbit", "bitrate_ms")
    return state.mean("bitrate_kbps", "bitrate_samples") if played is None else played * 1_000


def rounded(figure: float | None) -> float | None:
    """To a tenth."""
    return None if figure is None else round(figure, 1)


def shares(found: list[Share]) -> list[dict[str, Any]]:
    """The values with the most viewers, and under null what is left over."""
    named = (share for share in found if share.value != OTHER)
    listed = list(islice(named, LISTED_VALUES))
    rest = [*named, *(share for share in found if share.value == OTHER)]
    told_ones = [_share(share.value, share.viewers, share.events) for share in listed]
    if rest:
        told_ones.append(_share(None, total(share.viewers for share in rest), sum(share.events for share in rest)))
    return told_ones


def _share(value: str | None, viewers: Estimate, events: int) -> dict[str, Any]:
    return {"value": value, **dict(told("viewers", viewers)), "events": events}
