"""What ingest is told and answers, as the OpenAPI document knows it."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from events.schema import native_event_schema

EVENT: Final = {name: value for name, value in native_event_schema().items() if name not in ("$schema", "$id")}
SEVERAL: Final = {"type": "array", "items": {"$ref": "#/$defs/Event"}}
BODY: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Events, and what is said of all of them.",
    "properties": {
        "events": SEVERAL,
        "batch_id": {
            "type": ["string", "null"],
            "maxLength": 256,
            "description": "The sender's name for this body, the same in every retry: then it counts once.",
        },
        "sent_at": {
            "type": ["string", "integer", "null"],
            "description": "When it was sent, by the sender's clock: RFC 3339 or ms since epoch. Without a batch_id "
            "it corrects the events' times.",
        },
        "clock_offset_ms": {
            "type": "integer",
            "description": "How far the sender's clock is ahead; the same in every retry.",
        },
        "consent": {
            "enum": ["none", "analytics", "personalisation", None],
            "description": "What the viewers agreed to.",
        },
        "child": {"type": ["boolean", "null"], "description": "A child's events are never tied to a viewer."},
    },
    "required": ["events"],
}
EVENTS: Final[dict[str, Any]] = {
    "anyOf": [SEVERAL, {"$ref": "#/$defs/Body"}],
    "$defs": {"Event": EVENT, "Body": BODY},
}
TEXT: Final = {"type": "string"}
OBJECT: Final = {"type": "object"}
OBJECTS: Final = {"type": "array", "items": OBJECT}
ANY: Final[dict[str, Any]] = {}
CMCD_HEADERS: Final = ("CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status")


class Rejected(BaseModel):
    """An event that was not taken."""

    index: int = Field(ge=0, description="Its place in the body, from 0.")
    reason: str


class Accepted(BaseModel):
    """What became of a body."""

    accepted: int = Field(ge=0)
    rejected: list[Rejected]
    report_every_seconds: int = Field(description="How long to wait until the next report; echo it in the events.")
    sample_rate: float | None = Field(default=None, description="Told while heartbeats are sampled: the part kept.")
    normalised: dict[str, int] | None = Field(
        default=None, description="How often what was sent was mended, by what was wrong with it; told when it was."
    )


class CmcdQuery(BaseModel):
    """What a CMCD request may say beside the report."""

    CMCD: str | None = Field(default=None, description="A report: key=value pairs, URL-encoded.")
    content: str | None = Field(default=None, description="The content, where the report has no cid.")
    consent: Literal["none", "analytics", "personalisation"] | None = Field(
        default=None, description="What the viewer agreed to."
    )
    child: Literal["true", "false", "1", "0"] | None = Field(default=None, description="Whether a child watches.")
    report_every_seconds: int | None = Field(
        default=None, ge=1, le=3_600, description="How often the player reports."
    )


class Success(BaseModel):
    """Segment's answer."""

    success: bool
