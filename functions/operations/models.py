"""What operators ask about the suite itself, and what they are told."""

from typing import Annotated, Literal

from pydantic import Field

from functions.http.models import Count, Strict
from functions.http.moment import Moment

Rate = Annotated[float, Field(ge=0)]
RecordId = Annotated[str, Field(pattern="^[0-9a-fA-F]{32}$", description="A record's id, 32 hex digits")]


class CompletenessQuery(Strict):
    since: Moment | None = Field(
        None, alias="from", description="Where it begins, whole minutes; as far back as states are kept if unset"
    )
    to: Moment | None = Field(None, description="Where it ends, whole minutes; after all that is counted if unset")


class CompletenessAnswer(Strict):
    """received = counted + duplicate + late + the sum of rejected + sampled_out; in a part of the time, but for the
    records whose events reach across its ends."""

    since: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    received: Count
    counted: Count
    duplicate: Count
    late: Count
    rejected: dict[str, Count]
    sampled_out: Count
    dead_letters: Count


class LettersQuery(Strict):
    limit: int = Field(100, ge=1, le=1_000, description="How many letters a page holds")
    cursor: str | None = Field(None, max_length=256, description="`next` of the page before")


class Letter(Strict):
    record_id: str
    key: str = Field(description="The partition it was for: content#k")
    function: str = Field(description="Who could not handle it")
    reason: str
    dead_at: str = Field(json_schema_extra={"format": "date-time"})
    first_appended_at: str = Field(json_schema_extra={"format": "date-time"})
    bytes: Count


class LettersAnswer(Strict):
    """Dead letters in order of their ids; `next` is there when more follow."""

    letters: list[Letter]
    next: str | None


class Replay(Strict):
    """Which letters to append again; all of them when no ids are named."""

    record_ids: list[RecordId] | None = Field(None, min_length=1, max_length=1_000)


class Refusal(Strict):
    record_id: str
    reason: str


class ReplayAnswer(Strict):
    """How many letters were appended again, and which were not and why."""

    replayed: Count
    refused: list[Refusal]


class LastError(Strict):
    at: str = Field(json_schema_extra={"format": "date-time"})
    reason: str


class FunctionHealth(Strict):
    """One function: rates, `busy` and durations are over the last 20 to 30 s; null where a figure cannot be told."""

    name: str
    kind: Literal["http", "stream", "queue", "schedule"]
    state: Literal["ok", "idle", "behind", "busy", "failing", "silent"]
    instances: Count
    last_seen: str | None = Field(json_schema_extra={"format": "date-time"})
    calls_per_second: Rate
    failures_per_second: Rate
    events_in_per_second: Rate | None
    events_out_per_second: Rate | None
    busy: float | None = Field(ge=0, le=1)
    duration_ms_p50: Rate | None
    duration_ms_p99: Rate | None
    waiting: Count | None
    oldest_ms: Count | None
    parked: Count | None
    last_error: LastError | None


class LagAnswer(Strict):
    """Of the events that became visible within the last 20 to 30 s."""

    events: Count
    event_to_visible_ms_p50: Count | None
    event_to_visible_ms_p99: Count | None
    received_to_visible_ms_p50: Count | None
    received_to_visible_ms_p99: Count | None


class Bottleneck(Strict):
    """The function that holds up the rest, the rule that says so, and the figures that the rules look at."""

    function: str
    why: Literal["silent", "failing", "behind", "busy"]
    waiting: Count | None
    oldest_ms: Count | None
    busy: float | None = Field(ge=0, le=1)
    failures_per_second: Rate | None


class Series(Strict):
    events_in_per_second: list[Rate | None]
    events_out_per_second: list[Rate | None]
    waiting: list[Count | None]


class RecentHealth(Strict):
    """The last ten minutes, a value every ten seconds; null where nothing was told."""

    since: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    step_seconds: Literal[10]
    event_to_visible_ms_p50: list[Count | None]
    event_to_visible_ms_p99: list[Count | None]
    functions: dict[str, Series]


class HealthAnswer(Strict):
    """The suite's functions in the order in which events meet them."""

    as_of: str = Field(json_schema_extra={"format": "date-time"})
    functions: list[FunctionHealth]
    lag: LagAnswer
    bottleneck: Bottleneck | None
    recent: RecentHealth


class RebuildAnswer(Strict):
    """What is still listed under `/v1/dead-letters` a minute later says in its reason why nobody can tell."""

    queued: Literal[True]
