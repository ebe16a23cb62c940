"""What the viewers API is asked and what it answers. Imported when a query is read or the document is made."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from functions.http.models import Count, Strict
from functions.http.moment import Moment

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class WatchTimeQuery(Strict):
    since: Moment | None = Field(None, alias="from", description="Where it begins; 30 days before `to` if unset")
    to: Moment | None = Field(None, description="Where it ends, not included; now if unset")


class Watched(Strict):
    total_ms: Count = Field(description="Watched time of all reports, in ms")
    unique_ms: Count = Field(description="The same with every stretch of a content counted once, in ms")


class WatchTimeAnswer(Watched):
    viewer_id: str
    since: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = Field(json_schema_extra={"format": "date-time"})
    by_content_type: dict[str, Watched] = Field(description="By `content_type`; `unknown` where nobody named one")


class AttributesBody(Strict):
    """What the viewer is known by from now on; what is left out or null is forgotten."""

    age_group: Word | None = None
    country: Word | None = None
    language: Word | None = None
    subscription: Word | None = None
    join_date: date | None = None
    consent: Literal["none", "analytics", "personalisation"] = Field(
        description="What the viewer agreed to; with `none` everything is forgotten"
    )
    child: bool = Field(False, description="Nothing is ever kept of a child")


class AttributesAnswer(Strict):
    """What is known; null where nothing is."""

    viewer_id: str
    age_group: str | None = None
    country: str | None = None
    language: str | None = None
    subscription: str | None = None
    join_date: str | None = None
