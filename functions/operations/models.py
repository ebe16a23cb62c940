"""What operators ask about the suite itself, and what they are told."""

from typing import Annotated

from pydantic import Field

from functions.http.models import Count, Strict
from functions.http.moment import Moment

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
