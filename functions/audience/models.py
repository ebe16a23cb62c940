"""What the audience API is asked and what it answers. Imported when a query is read or the document is made.

docs/metrics.md defines every figure; a test holds the two together.
"""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict

from events.event import EVENT_TYPES
from functions.audience.figures import SHARED
from functions.http.models import Count, StandardError, Strict
from functions.http.moment import Back, Moment

EVENT_COUNTS: JsonDict = {"propertyNames": {"enum": [*EVENT_TYPES]}}


NO_SPLITS: Final = "none"
_SPLIT: Final = "|".join(SHARED)


def _splits(value: object) -> tuple[str, ...]:
    """The dimensions that a query names, each once."""
    named = [] if value == NO_SPLITS else str(value).split(",")
    if not {*named} <= {*SHARED}:
        raise ValueError(f"give some of {', '.join(SHARED)} with commas between them, or {NO_SPLITS}")
    return tuple(dict.fromkeys(named))


Splits = Annotated[
    tuple[str, ...],
    BeforeValidator(_splits),
    WithJsonSchema({"type": "string", "pattern": f"^({NO_SPLITS}|({_SPLIT})(,({_SPLIT}))*)$"}),
]


class AudienceQuery(Strict):
    since: Moment | None = Field(None, alias="from", description="Where it begins; an hour before `to` if unset")
    to: Moment | None = Field(None, description="Where it ends, not included; now if unset")
    resolution: Literal["5s", "1m", "1h"] = Field("5s", description="How long each window is")
    by: Splits = Field(SHARED, description="Which splits the windows carry, with commas between; all if unset")


class RecentQuery(Strict):
    resolution: Literal["5s", "1m"] = Field("5s", description="How long each window is")
    by: Splits = Field(SHARED, description="Which splits the windows carry, with commas between; all if unset")


class TopQuery(Strict):
    window: Back = "7d"
    limit: int = Field(10, ge=1, le=100, description="How many contents to name")


class Share(Strict):
    value: str | None = Field(description="The value; null stands for all that are not listed")
    viewers: Count
    viewers_error: StandardError
    events: Count


class Shares(Strict):
    """By dimension the 16 values with the most viewers, and what is left over; only those that were asked for."""

    device_type: list[Share] | None = None
    country: list[Share] | None = None
    tier: list[Share] | None = None
    age_group: list[Share] | None = None
    network_quality: list[Share] | None = None
    quality_level: list[Share] | None = None
    player_state: list[Share] | None = None


class Window(Strict):
    """A content's audience in one window."""

    start: str = Field(json_schema_extra={"format": "date-time"})
    viewers: Count
    viewers_error: StandardError
    concurrent: Count
    concurrent_error: StandardError
    concurrent_mean: Count
    concurrent_mean_error: StandardError
    engaged_viewers: Count
    engaged_viewers_error: StandardError
    engagement_rate: float = Field(ge=0, le=1)
    engagements: Count
    events: dict[str, Count] = Field(json_schema_extra=EVENT_COUNTS)
    events_error: dict[str, StandardError] = Field(json_schema_extra=EVENT_COUNTS)
    watched_ms: Count
    watched_ms_error: StandardError
    startups: Count
    startup_ms_mean: float | None
    startup_ms_p50: int | None
    startup_ms_p95: int | None
    stalls: Count
    stall_ms: Count
    rebuffering_ratio: float | None
    bitrate_kbps: float | None
    throughput_kbps: float | None
    buffer_ms: float | None
    quality_changes: Count
    errors: Count
    sample_rate: float = Field(gt=0, le=1)
    by: Shares


class AudienceAnswer(Strict):
    """Windows in order, those of nothing left out."""

    content_id: str
    resolution: Literal["5s", "1m", "1h"]
    windows: list[Window]


class NowAnswer(Strict):
    """The newest closed window and the running one, those of nothing left out, and the larger figures of the two."""

    content_id: str
    resolution: Literal["5s"]
    as_of: str = Field(json_schema_extra={"format": "date-time"})
    delay_ms: Count | None
    viewers: Count
    viewers_error: StandardError
    concurrent: Count
    concurrent_error: StandardError
    windows: list[Window]


class RecentAnswer(Strict):
    """The windows of [from, to) in order, those of nothing left out: three minutes of `5s`, fifteen of `1m`."""

    content_id: str
    resolution: Literal["5s", "1m"]
    as_of: str = Field(json_schema_extra={"format": "date-time"})
    since: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    windows: list[Window]


class TopContent(Strict):
    content_id: str
    title: str | None
    content_type: str | None
    watched_ms: Count
    events: Count
    viewers: Count
    viewers_error: StandardError


class TopAnswer(Strict):
    """Contents by watched time, the most watched first."""

    window: str
    since: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    contents: list[TopContent]


class Listing(Strict):
    """Whether a publish key may see a content's audience."""

    listed: bool


class ListingAnswer(Strict):
    content_id: str
    listed: bool
