"""What is asked and answered about contents beside their audience. Imported when read or when the document is made.

docs/metrics.md defines every figure; a test holds the two together.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from functions.http.models import Count, StandardError, Strict
from functions.http.moment import Moment

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
Kind = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,31}$")]
Label = Annotated[str, StringConstraints(max_length=200)]


class EntryBody(Strict):
    """What a content is called, and when it begins and ends."""

    title: Title
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("`ends_at` must be after `starts_at`")
        return self


class EntryAnswer(Strict):
    content_id: str
    title: str
    starts_at: Time | None
    ends_at: Time | None
    version: str = Field(description="The `ETag` without its quotes")


class MarksQuery(Strict):
    since: Moment | None = Field(
        None, alias="from", description="Where it begins; as far back as any is kept if unset"
    )
    to: Moment | None = Field(None, description="Where it ends, not included; after all marks if unset")


class MarkBody(Strict):
    """A moment to be seen in every curve of the content."""

    at: Moment | None = Field(None, description="When it was; now if unset, or as before where the mark is known")
    kind: Kind = Field(description="What it was, in the platform's own words: kick_off, goal, advert")
    label: Label = Field("", description="What people are shown")


class Mark(Strict):
    mark_id: str
    at: Time
    kind: str
    label: str


class MarksAnswer(Strict):
    """Marks in order of time."""

    content_id: str
    marks: list[Mark]


class OverviewQuery(Strict):
    limit: int = Field(50, ge=1, le=200, description="How many live contents to name")
    q: str = Field("", max_length=200, description="What the title or id must hold; case and accents do not count")


class ContentProblem(Strict):
    """What is wrong: a code, what was found and the limit that it passed."""

    code: Literal["stalling", "slow_start", "errors", "sudden_drop", "no_reports", "late_start"]
    value: float
    limit: float


class Sparkline(Strict):
    """Concurrent viewers by minute, null where nothing was reported."""

    since: Time = Field(alias="from")
    resolution: Literal["1m"]
    concurrent: list[Count | None] = Field(min_length=30, max_length=30)


class LiveContent(Strict):
    content_id: str
    title: str | None
    starts_at: Time | None
    concurrent: Count
    concurrent_error: StandardError
    change: int | None
    rebuffering_ratio: float | None = Field(ge=0, le=1)
    sparkline: Sparkline
    problems: list[ContentProblem]


class UpcomingContent(Strict):
    content_id: str
    title: str
    starts_at: Time
    problems: list[ContentProblem]


class EndedContent(Strict):
    content_id: str
    title: str | None
    ended_at: Time
    peak_concurrent: Count
    peak_concurrent_error: StandardError


class OverviewAnswer(Strict):
    """What is on now, the most watched first; what comes, the soonest first; what has ended, the last first."""

    as_of: Time
    delay_ms: Count | None
    live: list[LiveContent]
    more: Count
    upcoming: list[UpcomingContent]
    ended: list[EndedContent]
