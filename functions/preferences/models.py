"""What is asked of preferences and segments and what is answered. docs/metrics.md defines every figure."""

from typing import Literal

from pydantic import Field

from functions.http.models import Count, Strict
from functions.http.moment import Back, Moment

Trait = Literal["country", "device_type", "tier", "age_group", "network_quality"]
"""What a viewer may be known by."""
Division = Literal[Trait, "quality_level", "player_state"]
"""What the audience of a content is split by."""


class AlsoWatchedQuery(Strict):
    window: Back = "7d"
    limit: int = Field(10, ge=1, le=100, description="How many contents to name")


class TopQuery(Strict):
    window: Back = "7d"
    by: Trait = Field("country", description="What the viewers are divided by")
    segments: int = Field(8, ge=1, le=32, description="How many segments to tell apart; the others stand together")
    limit: int = Field(5, ge=1, le=50, description="How many contents to name of each")


class SegmentsQuery(Strict):
    by: Division = Field("device_type", description="What the viewers are divided by")
    since: Moment | None = Field(None, alias="from", description="Where it begins; an hour before `to` if unset")
    to: Moment | None = Field(None, description="Where it ends, not included; now if unset")


class Reach(Strict):
    """The span that was asked for, and the newest event of the history in it: null where there is none."""

    since: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    as_of: str | None = Field(json_schema_extra={"format": "date-time"})


class OtherContent(Strict):
    content_id: str
    title: str | None
    viewers: Count
    share: float = Field(ge=0, le=1)
    lift: float = Field(ge=0)


class AlsoWatchedAnswer(Reach):
    """The contents that most of a content's viewers also watched, most of them first."""

    content_id: str
    window: str
    viewers: Count
    contents: list[OtherContent]


class WatchedContent(Strict):
    content_id: str
    title: str | None
    watched_ms: Count
    viewers: Count


class TopSegment(Strict):
    value: str | None = Field(description="The value; null stands for all others, and for who told none")
    viewers: Count
    contents: list[WatchedContent]


class TopAnswer(Reach):
    """Segments with the most viewers first, all others last; of each the contents by watched time."""

    by: Trait
    window: str
    segments: list[TopSegment]


class Segment(Strict):
    value: str | None = Field(description="The value; null stands for all others, and for who told none")
    viewers: Count
    watched_ms: Count
    engaged_viewers: Count
    engagement_rate: float = Field(ge=0, le=1)
    startups: Count
    startup_ms_p50: int | None
    stalls: Count
    stall_ms: Count
    rebuffering_ratio: float | None
    bitrate_kbps: float | None
    errors: Count


class SegmentsAnswer(Reach):
    """Segments with the most viewers first, all others last."""

    content_id: str
    by: Division
    segments: list[Segment]
